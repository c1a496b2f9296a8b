"""What a run of the suite found, as plain values: every kind of report is made from a `Report` and nothing else.

The JSON form of these classes, member by member, is `report.schema.json`.
"""

from enum import StrEnum

from attrs import Factory, frozen


class Verdict(StrEnum):
    """What came of a case.

    `skip` says that the case could not be asked for the reason given, `not-declared` that the subject does not claim
    what the case is about; neither is a pass. `error` is a fault of the suite, never of the subject.
    """

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    SKIP = "skip"
    NOT_DECLARED = "not-declared"
    ERROR = "error"


class Level(StrEnum):
    """How much a sentence of the spec demands. A broken SHOULD is a warning."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Role(StrEnum):
    """What is checked."""

    PLUGIN = "plugin"
    HOST = "host"


@frozen
class Entry:
    """One thing that happened in a conversation, in the order in which the suite saw it.

    `time` is in seconds since the case began. `kind` is "sent" (by the suite), "received" (from the subject), "stderr"
    or "event" (something that is no bytes: a start, an end, a signal; `text` says what). `conversation` tells several
    processes or connections apart. Bytes that are UTF-8 are in `text`, others in `base64`; `omitted` counts those cut
    off.
    """

    time: float
    conversation: str
    kind: str
    text: str = ""
    base64: str = ""
    omitted: int = 0


@frozen
class Failure:
    """One expectation that did not hold.

    `check` names the variant within the case, empty where a case has only one. `at` is how many entries of the wire log
    stood there when it was noticed.
    """

    requirement: str
    message: str
    expected: str = ""
    got: str = ""
    check: str = ""
    at: int = 0


@frozen
class CaseResult:
    """What came of one case. `failed_runs` of `runs` runs failed; when they differ and are not 0, the case is flaky."""

    id: str
    title: str
    level: Level
    requirements: tuple[str, ...]
    verdict: Verdict
    #: Why it matters to those who use the subject, and what its author can change.
    why: str = ""
    mend: str = ""
    #: For skip, not-declared and error: what stood in the way. For a known failure: the baseline's reason.
    reason: str = ""
    seconds: float = 0.0
    runs: int = 1
    failed_runs: int = 0
    #: In the baseline, with just these failures.
    known: bool = False
    failures: tuple[Failure, ...] = ()
    #: The conversation; kept of cases that did not pass, and of all when asked for.
    wire: tuple[Entry, ...] = ()
    #: The command that runs this case alone.
    rerun: str = ""

    @property
    def group(self) -> str:
        """The part of the id before the first slash."""
        return self.id.partition("/")[0]

    @property
    def flaky(self) -> bool:
        return 0 < self.failed_runs < self.runs


@frozen
class RequirementResult:
    """One sentence of the spec: what its cases said. `excluded` says why it cannot be observed from outside."""

    id: str
    level: Level
    text: str
    chapter: str
    cases: tuple[str, ...] = ()
    excluded: str = ""


@frozen
class Subject:
    """What was checked, by its own words as far as it said any."""

    role: Role
    command: tuple[str, ...]
    name: str = ""
    version: str = ""
    protocol_version: str = ""
    capabilities: tuple[str, ...] = ()


@frozen
class BaselineResult:
    """How the run compares with a baseline: entries that no longer fail as they say are stale."""

    file: str
    stale: tuple[str, ...] = ()


@frozen
class Report:
    """One run, or several merged."""

    suite: str
    spec: str
    subject: Subject
    profile: str
    seed: int
    #: When it began, as ISO 8601 in UTC, and how long it took in seconds.
    started: str
    seconds: float
    cases: tuple[CaseResult, ...] = ()
    requirements: tuple[RequirementResult, ...] = ()
    baseline: BaselineResult | None = None
    exit_code: int = 0
    notes: tuple[str, ...] = Factory(tuple)

    def count(self, verdict: Verdict) -> int:
        """How many cases have that verdict."""
        return sum(case.verdict is verdict for case in self.cases)
