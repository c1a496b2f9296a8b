"""Runs one case once, against a fresh subject, and says what came of it."""

import traceback
from collections.abc import Callable
from typing import Any, Protocol

from attrs import Factory, frozen

from ..case import Broken, Case, Checks, NotDeclared, Skipped, TimedOut
from ..connection import Connection
from ..oracles import Oracle
from ..process.process import CannotStart
from ..report import Failure, Level, Verdict
from ..settings import Settings
from ..wire_log import WireLog
from .gates import check_gates


class Subject(Protocol):
    """What the engine needs of a subject, whichever role it has."""

    log: WireLog
    checks: Checks

    @property
    def connections(self) -> list[Connection]: ...

    def end(self, *, stuck: bool = False) -> None: ...


#: Makes the subject for one run of the case of that id.
Make = Callable[[str], Subject]


@frozen
class Run:
    """One run of one case. `violations` are what the oracles found in its conversations, by the oracle's id."""

    verdict: Verdict
    log: WireLog
    failures: tuple[Failure, ...] = ()
    reason: str = ""
    violations: dict[str, list[Failure]] = Factory(dict)


def execute(case: Case, make: Make, oracles: list[Oracle], settings: Settings, said: dict[str, Any]) -> Run:
    """Runs a case; never raises."""
    subject = make(case.id)
    verdict, reason = _ask(case, subject, settings, said)
    failures = tuple(_with_requirement(failure, case.requirements[0]) for failure in subject.checks.failures)
    if failures and verdict is Verdict.PASS:
        verdict = Verdict.FAIL if case.level is Level.MUST else Verdict.WARN
    return Run(verdict, subject.log, failures, reason, _judge(oracles, subject))


def _ask(case: Case, subject: Subject, settings: Settings, said: dict[str, Any]) -> tuple[Verdict, str]:
    stuck = False
    try:
        check_gates(case, said, settings.framing)
        case.run(subject)
    except Broken as broken:
        stuck = isinstance(broken, TimedOut)
        subject.checks.note(broken)
    except NotDeclared as error:
        return Verdict.NOT_DECLARED, str(error)
    except Skipped as error:
        return Verdict.SKIP, str(error)
    except CannotStart as error:
        return Verdict.ERROR, str(error)
    except Exception:
        return Verdict.ERROR, traceback.format_exc()
    finally:
        subject.end(stuck=stuck)
    return Verdict.PASS, ""


def _judge(oracles: list[Oracle], subject: Subject) -> dict[str, list[Failure]]:
    found: dict[str, list[Failure]] = {}
    for oracle in oracles:
        broken = [one for connection in subject.connections for one in oracle.judge(connection)]
        if broken:
            # One is enough to show; a thousand would be no better.
            first = broken[0]
            failure = Failure(first.requirement, first.message, first.expected, first.got, at=subject.log.position())
            found[oracle.id] = [_with_requirement(failure, oracle.requirements[0])]
    return found


def _with_requirement(failure: Failure, default: str) -> Failure:
    if failure.requirement:
        return failure
    return Failure(default, failure.message, failure.expected, failure.got, failure.check, failure.at)
