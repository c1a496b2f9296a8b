"""What all reports for people say alike: outcomes, groups, sentences of the spec, and the sentence that sums it up."""

from collections.abc import Iterable
from itertools import groupby

from ..report import CaseResult, Entry, Report, RequirementResult, Subject, Verdict
from .visible import counted

KNOWN = "known"
#: From the gravest to the lightest; the order in which reports count and list.
OUTCOMES = ("fail", "error", "warn", KNOWN, "pass", "skip", "not-declared")
WORDS = {
    "fail": "failed",
    "error": "fault of the suite",
    "warn": "warning",
    KNOWN: "known failure",
    "pass": "passed",
    "skip": "skipped",
    "not-declared": "not declared",
}
EXIT_CODES = {
    0: "conformant",
    1: "failures",
    2: "wrong usage",
    3: "could not start",
    4: "nothing was checked",
    5: "stale baseline",
    6: "a fault of the suite",
}


def outcome(case: CaseResult) -> str:
    """The verdict of a case as reports show it: a known failure is an outcome of its own."""
    return KNOWN if case.known else case.verdict.value


def of_outcome(report: Report, *wanted: str) -> list[CaseResult]:
    """The cases with one of these outcomes, in their order."""
    return [case for case in report.cases if outcome(case) in wanted]


def count_outcomes(cases: Iterable[CaseResult]) -> dict[str, int]:
    """How many cases have each outcome, in the order of `OUTCOMES`, without those that nobody has."""
    found = [outcome(case) for case in cases]
    return {name: found.count(name) for name in OUTCOMES if name in found}


def groups(cases: Iterable[CaseResult]) -> dict[str, list[CaseResult]]:
    """The cases of each group; groups and cases in the order in which they first come."""
    found: dict[str, list[CaseResult]] = {}
    for case in cases:
        found.setdefault(case.group, []).append(case)
    return found


def chapters(requirements: Iterable[RequirementResult]) -> list[tuple[str, list[RequirementResult]]]:
    """The sentences of each chapter, in their order."""
    return [(name, list(found)) for name, found in groupby(requirements, key=lambda requirement: requirement.chapter)]


def requirement_outcome(requirement: RequirementResult, outcomes: dict[str, str]) -> str:
    """What the cases of a sentence say of it together: the gravest outcome, or why there is none."""
    told = {outcomes[case] for case in requirement.cases if case in outcomes}
    gravest = next((name for name in OUTCOMES if name in told), None)
    if gravest is not None:
        return gravest
    if requirement.excluded:
        return "excluded"
    return "not run" if requirement.cases else "no case"


def sentences(report: Report) -> dict[str, str]:
    """The text of each requirement by its id."""
    return {requirement.id: requirement.text for requirement in report.requirements}


def last_before(case: CaseResult, at: int, kind: str) -> Entry | None:
    """The last entry of a kind among the first ``at`` of the wire log."""
    return next((entry for entry in reversed(case.wire[:at]) if entry.kind == kind), None)


def subject_name(subject: Subject) -> str:
    """What the subject is called; its command where it never said a name."""
    return " ".join(part for part in (subject.name, subject.version) if part) or " ".join(subject.command) or "unknown"


def was_anything_checked(report: Report) -> bool:
    """Whether any case was judged; what is skipped or not declared is no answer."""
    return any(case.verdict not in (Verdict.SKIP, Verdict.NOT_DECLARED) for case in report.cases)


def conclusion(report: Report) -> str:
    """The whole report as one sentence."""
    counts = count_outcomes(report.cases)
    if report.exit_code == 3:
        return "It could not be started"
    if not was_anything_checked(report):
        return "Nothing was checked"
    if failed := counts.get("fail", 0):
        return f"Not conformant: {counted(failed, 'failure')}"
    if report.exit_code == 1 and (warnings := counts.get("warn", 0)):
        return f"Not conformant when strict: {counted(warnings, 'warning')}"
    if faults := counts.get("error", 0):
        return f"Undecided: {counted(faults, 'fault')} of the suite"
    if report.baseline is not None and report.baseline.stale:
        return "Nothing new, but the baseline is stale"
    if known := counts.get(KNOWN, 0):
        return f"Nothing new: {counted(known, 'known failure')}"
    return "Conformant"


def tally(report: Report) -> str:
    """``50 pass · 1 fail · 2 warn``, with what passed first."""
    counts = count_outcomes(report.cases)
    order = ("pass", *(name for name in OUTCOMES if name != "pass"))
    told = [f"{counts[name]} {name.replace('-', ' ')}" for name in order if name in counts]
    if flaky := sum(case.flaky for case in report.cases):
        told.append(f"{flaky} flaky")
    return " · ".join(told) or "no cases"


def level_of(case: CaseResult) -> str:
    """``MUST FRM-12, FRM-13``."""
    return f"{case.level} {', '.join(case.requirements)}".rstrip()


def reason_of(case: CaseResult) -> str:
    """Why a case was not judged, or is not counted, in a line. A traceback says that in its last one."""
    if case.reason.strip():
        return case.reason.strip().rpartition("\n")[2]
    if case.known:
        return "known failure"
    return "not declared" if case.verdict is Verdict.NOT_DECLARED else ""
