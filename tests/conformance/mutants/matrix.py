"""Runs the suite against one mutant and compares what failed with what was named."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from plugwire_conformance.case import Case
from plugwire_conformance.cases import load as load_cases
from plugwire_conformance.engine.cases_under_pytest import run_cases
from plugwire_conformance.engine.run import NoStart, run
from plugwire_conformance.oracles import oracles
from plugwire_conformance.report import CaseResult, Report, Role, Verdict
from plugwire_conformance.settings import Settings
from plugwire_conformance.wire.frames import Framing
from tests.conformance.mutants import vices
from tests.conformance.mutants.vices import Vice

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
#: The mutants are quick; what they do not do within this part of the usual time they do not do.
TIMEOUT_SCALE = 0.5
#: One mutant at a time is asked again.
_AGAIN = threading.Lock()
_BAD = (Verdict.FAIL, Verdict.WARN)
_TALKATIVE = {
    "plugin": (
        "calls/*",
        "cancel/*",
        "errors/*",
        "events/*",
        "framing/whole-frames",
        "hooks/*",
        "lifecycle/*",
        "memory/*",
        "messages/*",
        "progress/*",
    ),
    "host": ("calls/answer*", "framing/contiguous", "messages/*", "watching/unwatch"),
}


@frozen
class Outcome:
    """What the suite said of a mutant; `problems` are empty when all is as named."""

    role: str
    vice: Vice
    failed: frozenset[str]
    problems: tuple[str, ...]
    #: Some case that is named passed.
    missed: bool = False

    @property
    def as_named(self) -> bool:
        return not self.problems


@cache
def all_vices(role: str) -> list[Vice]:
    """The vices of a role, in the order of their modules."""
    return list(vices.load(role, f"tests.conformance.mutants.{role}_vices").values())


def subject_command(role: str, vice: str | None) -> list[str]:
    """How the mutant is started; without a vice, the good subject."""
    names = [vice] if vice else []
    if role == "plugin":
        return [sys.executable, "-S", "-I", str(HERE / "reference.py"), *names]
    if vice:
        return [sys.executable, str(HERE / "host.py"), vice, "run", "--config", "{config}"]
    return [sys.executable, "-m", "plugwire_host.cli.main", "run", "--config", "{config}"]


def judge(role: str, vice: Vice, asked: tuple[str, ...], door: str) -> Outcome:
    """Asks a mutant the cases that fit the globs, and those named for it; the oracles judge what is said."""
    only = (*asked, *vice.kills, *_asks(role, vice))
    program = subject_command(role, vice.name)
    outcome = _judge(role, vice, infant(door, vice.name) if role == "host" else program, only, TIMEOUT_SCALE)
    if outcome.as_named or outcome.missed:
        return outcome
    # A machine that stands still for seconds makes whoever is good late, so that more fails than was named. It makes no
    # vice good: a case that passes counts at once, for it would be a case, or a vice, that depends on the time.
    with _AGAIN:
        return _judge(role, vice, program, only, 1.0)


def _asks(role: str, vice: Vice) -> tuple[str, ...]:
    """The cases that are asked besides: where only oracles are named, some in which much is said."""
    by_oracles = all(name.startswith("everywhere/") for name in vice.kills)
    return vice.asks or (_TALKATIVE[role] if by_oracles else ())


@contextmanager
def nursery() -> Iterator[str]:
    """The door at which `infant` gets hosts that start fast."""
    with TemporaryDirectory(prefix="nursery-") as folder:
        door = str(Path(folder, "door"))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.conformance.mutants.nursery", door],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
        )
        assert process.stdout
        with process, process.stdout:
            try:
                assert process.stdout.readline() == b"ready\n", "the host or its vices cannot be loaded"
                yield door
            finally:
                process.kill()


def infant(door: str, vice: str) -> list[str]:
    """The command of a host with a vice; "-" stands for none."""
    return [sys.executable, "-S", "-I", str(HERE / "infant.py"), door, vice, "run", "--config", "{config}"]


def ask(
    role: str, command: list[str], only: tuple[str, ...], vice: Vice | None = None, timeout_scale: float = 1.0
) -> Report:
    """The suite's report on a subject, of the cases that fit the globs."""
    settings = Settings(
        tuple(command),
        str(ROOT),
        profile="full",
        framing=Framing.LINE if vice and vice.in_lines else Framing.HEADER,
        timeout_scale=timeout_scale,
        seed=1,
        jobs=4,
        repeat=vice.repeat if vice else 1,
        runs_of_a_failure=1,
        only=only,
    )
    return run(Role(role), settings, runner=one_after_another if vice else run_cases)


def one_after_another(
    cases: list[Case], run_one: Callable[[Case], CaseResult], jobs: int, tell: Callable[[CaseResult], None]
) -> list[CaseResult]:
    """Runs the cases without pytest, of which there can be but one in a process; many mutants are judged at a time."""
    return [run_one(case) for case in cases]


def _judge(role: str, vice: Vice, command: list[str], only: tuple[str, ...], timeout_scale: float) -> Outcome:
    try:
        report = ask(role, command, only, vice, timeout_scale)
    except NoStart as error:
        return Outcome(role, vice, frozenset(), (f"it did not start: {error}",))
    results = {case.id: case for case in report.cases}
    failed = frozenset(name for name, case in results.items() if case.verdict in _BAD)
    missed = any(results[name].verdict is Verdict.PASS for name in vice.kills if name in results)
    return Outcome(role, vice, failed, tuple(_problems(vice, results, failed)), missed)


def _problems(vice: Vice, results: dict[str, CaseResult], failed: frozenset[str]) -> Iterator[str]:
    for name in sorted(set(vice.kills) - failed):
        yield f"not killed by {name}"
    for name in sorted(failed - set(vice.kills) - set(vice.also)):
        yield f"killed by {name}: {_first(results[name])}"
    for name, case in results.items():
        if case.verdict is Verdict.ERROR:
            yield f"{name} is our own error: {case.reason.splitlines()[-1]}"
    for name in sorted(failed & set(vice.kills)):
        reasons = {failure.requirement for failure in results[name].failures}
        if not reasons & set(vice.because):
            yield f"{name} failed for {' '.join(sorted(reasons))}: {_first(results[name])}"
        if vice.flaky and not results[name].flaky:
            yield f"{name} is not told as flaky"


def cases_without_a_mutant(role: str) -> list[str]:
    """The cases and oracles that no vice of the role is named for."""
    killed = {name for vice in all_vices(role) for name in vice.kills}
    names = [*(case.id for case in load_cases(Role(role))), *(oracle.id for oracle in oracles(Role(role)))]
    return [name for name in names if not any(fnmatchcase(name, kill) for kill in killed)]


def _first(result: CaseResult) -> str:
    failure = result.failures[0]
    return f"[{failure.requirement}] {failure.check} {failure.message}: {failure.got}"[:300]
