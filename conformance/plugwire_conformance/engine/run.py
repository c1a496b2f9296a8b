"""A whole run: the subject is tried once, then asked every case that was chosen; the report tells of all."""

import shlex
import time
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from .. import SPEC_VERSION, __version__
from ..case import Broken, Case
from ..cases import load
from ..hosts.given import plugin
from ..hosts.subject import HostSubject
from ..oracles import Oracle, oracles
from ..plugins.subject import PluginSubject
from ..process.process import CannotStart
from ..process.pump import Pump
from ..report import CaseResult, Failure, Level, Report, RequirementResult, Role, Subject, Verdict
from ..requirements import asked_of, excluded
from ..settings import Settings
from ..wire_log import WireLog
from .cases_under_pytest import run_cases
from .execute import Make, Run, execute
from .gates import capabilities

_BAD = (Verdict.FAIL, Verdict.WARN)
#: The case that says whether the subject declares what the person who runs the suite requires.
REQUIRED = "everywhere/required-capabilities"


#: Runs cases, so many at a time, and tells of each result in their order.
Runner = Callable[[list[Case], Callable[[Case], CaseResult], int, Callable[[CaseResult], None]], list[CaseResult]]


class NoStart(Exception):
    """The subject did not come as far as the end of the handshake. `log` has what happened."""

    def __init__(self, message: str, log: WireLog, stderr: str) -> None:
        super().__init__(message)
        self.log, self.stderr = log, stderr


def run(
    role: Role, settings: Settings, tell: Callable[[CaseResult], None] = lambda _: None, *, runner: Runner = run_cases
) -> Report:
    """Runs the suite; raises NoStart when the subject cannot even be talked to. `tell` hears of each result."""
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    pump = Pump()
    try:
        said = _try_plugin(pump, settings) if role is Role.PLUGIN else _try_host(pump, settings)
        session = _Session(role, settings, pump, said)
        cases = chosen(load(role), settings)
        results = runner(cases, session.run, settings.jobs, tell)
    finally:
        pump.close()
    results += session.oracle_results()
    if settings.require:
        results.append(_required(settings, said))
    return Report(
        suite=__version__,
        spec=SPEC_VERSION,
        subject=_subject(role, settings, said),
        profile=settings.profile,
        seed=settings.seed,
        started=started,
        seconds=round(time.monotonic() - began, 3),
        cases=tuple(results),
        requirements=_requirements(role, results),
    )


def chosen(cases: list[Case], settings: Settings) -> list[Case]:
    """The cases of the profile that `only` and `skip` leave."""
    return [
        case
        for case in cases
        if (settings.profile == "full" or case.profile == "core")
        and (not settings.only or any(fnmatchcase(case.id, glob) for glob in settings.only))
        and not any(fnmatchcase(case.id, glob) for glob in settings.skip)
    ]


def every_case(role: Role) -> list[str]:
    """The ids of all that the suite can say something of, in that role."""
    return [*(case.id for case in load(role)), *(oracle.id for oracle in oracles(role)), REQUIRED]


class _Session:
    def __init__(self, role: Role, settings: Settings, pump: Pump, said: dict[str, Any]) -> None:
        self._role, self._settings, self._said = role, settings, said
        kind = PluginSubject if role is Role.PLUGIN else HostSubject
        self._make: Make = lambda case: kind(pump, settings, case, said)
        self._oracles = oracles(role)
        self._violations: dict[str, tuple[str, Run, list[Failure]]] = {}
        self._conversations = 0

    def run(self, case: Case) -> CaseResult:
        """Runs a case as often as it takes, on any thread."""
        began = time.monotonic()
        runs = [self._run_once(case)]
        if runs[0].verdict not in (Verdict.SKIP, Verdict.NOT_DECLARED, Verdict.ERROR):
            runs += [self._run_once(case) for _ in range(self._settings.repeat - 1)]
            if all(one.verdict in _BAD for one in runs):
                runs += [self._run_once(case) for _ in range(self._settings.runs_of_a_failure - len(runs))]
        worst = next((one for one in runs if one.verdict in (*_BAD, Verdict.ERROR)), runs[0])
        kept = worst.verdict is not Verdict.PASS or self._settings.keep_wire
        return CaseResult(
            case.id,
            case.title,
            case.level,
            case.requirements,
            worst.verdict,
            case.why,
            case.mend,
            worst.reason,
            round(time.monotonic() - began, 3),
            len(runs),
            sum(one.verdict in _BAD for one in runs),
            failures=worst.failures,
            wire=worst.log.entries() if kept else (),
            rerun=self._rerun(case.id),
        )

    def oracle_results(self) -> list[CaseResult]:
        """What the oracles say of all conversations together."""
        return [self._oracle_result(oracle) for oracle in self._oracles] if self._conversations else []

    def _run_once(self, case: Case) -> Run:
        done = execute(case, self._make, self._oracles, self._settings, self._said)
        if done.verdict in (Verdict.PASS, *_BAD):
            self._conversations += 1
        for oracle, failures in done.violations.items():
            self._violations.setdefault(oracle, (case.id, done, failures))
        return done

    def _oracle_result(self, oracle: Oracle) -> CaseResult:
        seen = self._violations.get(oracle.id)
        bad = Verdict.FAIL if oracle.level is Level.MUST else Verdict.WARN
        failures = tuple(seen[2]) if seen else ()
        return CaseResult(
            oracle.id,
            oracle.title,
            oracle.level,
            oracle.requirements,
            bad if seen else Verdict.PASS,
            oracle.why,
            oracle.mend,
            reason=f"seen in {seen[0]}" if seen else "",
            failed_runs=1 if seen else 0,
            failures=failures,
            wire=seen[1].log.entries() if seen else (),
            rerun=self._rerun(seen[0] if seen else oracle.id),
        )

    def _rerun(self, case: str) -> str:
        settings = self._settings
        words = ["plugin-conform", "run" if self._role is Role.PLUGIN else "host", "--only", case]
        words += ["--profile", settings.profile] if settings.profile != "core" else []
        words += ["--framing", settings.framing.value] if settings.framing.value != "header" else []
        words += ["--seed", str(settings.seed)]
        return shlex.join([*words, "--", *settings.command])


def _required(settings: Settings, said: dict[str, Any]) -> CaseResult:
    absent = sorted(set(settings.require) - capabilities(said))
    failures = tuple(
        Failure(
            "LIF-12",
            f"it does not declare {name}",
            expected=name,
            got=", ".join(sorted(capabilities(said))),
            check=name,
        )
        for name in absent
    )
    return CaseResult(
        REQUIRED,
        "The subject declares every capability that is required of it",
        Level.MUST,
        ("LIF-12",),
        Verdict.FAIL if absent else Verdict.PASS,
        why="What is not declared is not asked for; whoever requires it would see a run without failures.",
        mend="Declare the capability in initialize once the subject has it, or do not require it.",
        failed_runs=1 if absent else 0,
        failures=failures,
    )


def _try_plugin(pump: Pump, settings: Settings) -> dict[str, Any]:
    subject = PluginSubject(pump, settings, "smoke", {})
    try:
        talk = subject.launch()
    except CannotStart as error:
        raise NoStart(str(error), subject.log, "") from None
    try:
        return talk.ready().info
    except Broken as broken:
        talk.process.wait(1)
        stderr = talk.process.stderr.decode("utf-8", "backslashreplace")
        raise NoStart(f"{broken.message}: {broken.got}", subject.log, stderr) from None
    finally:
        subject.end()


def _try_host(pump: Pump, settings: Settings) -> dict[str, Any]:
    subject = HostSubject(pump, settings, "smoke", {})
    try:
        run = subject.launch(plugin("smoke"))
        probe = run.receive("smoke")
        return probe.wait_ready().opening
    except CannotStart as error:
        raise NoStart(str(error), subject.log, "") from None
    except Broken as broken:
        reports = "\n".join(run.reports())
        raise NoStart(f"{broken.message}: {broken.got}", subject.log, reports) from None
    finally:
        subject.end()


def _subject(role: Role, settings: Settings, said: dict[str, Any]) -> Subject:
    program = said.get("plugin" if role is Role.PLUGIN else "host")
    names = program if isinstance(program, dict) else {}
    return Subject(
        role,
        settings.command,
        str(names.get("name", "")),
        str(names.get("version", "")),
        str(said.get("protocolVersion", "")),
        tuple(sorted(capabilities(said))),
    )


def _requirements(role: Role, results: list[CaseResult]) -> tuple[RequirementResult, ...]:
    reasons = excluded(role)
    return tuple(
        RequirementResult(
            row.id,
            row.level,
            row.text,
            row.chapter,
            tuple(result.id for result in results if row.id in result.requirements),
            reasons.get(row.id, ""),
        )
        for row in asked_of(role)
    )
