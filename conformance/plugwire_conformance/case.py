"""Cases: one question to a subject each, with the sentences of the spec that it is about; and how a case says what it
found.

A case is a function. It returns when all held, raises Broken where a sentence did not, NotDeclared or Skipped when it
could not ask. Any other exception is a fault of the suite.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from attrs import frozen

from .report import Failure, Level, Role
from .wire_log import WireLog

_Body = TypeVar("_Body", bound=Callable[[Any], None])


class Broken(Exception):
    """The subject broke a sentence of the spec.

    `requirement` is its id; empty stands for the first one of the case.
    """

    def __init__(self, message: str, *, expected: str = "", got: str = "", requirement: str = "") -> None:
        super().__init__(message)
        self.message, self.expected, self.got, self.requirement = message, expected, got, requirement


class TimedOut(Broken):
    """Broken by saying nothing in time."""


class NotDeclared(Exception):
    """The subject does not claim what the case is about; the message says what."""


class Skipped(Exception):
    """The case could not be asked; the message says why."""


@frozen
class Case:
    """`needs` are fixture methods (or hooks) that a plugin must have for it, `declares` capabilities of the subject."""

    id: str
    requirements: tuple[str, ...]
    level: Level
    role: Role
    title: str
    why: str
    mend: str
    run: Callable[[Any], None]
    profile: str = "core"
    needs: tuple[str, ...] = ()
    declares: tuple[str, ...] = ()
    #: What is done and what is expected, step by step, for people who ask about the case.
    story: str = ""

    @property
    def group(self) -> str:
        return self.id.partition("/")[0]


#: Every case by its role and id, in the order of definition.
registry: dict[tuple[Role, str], Case] = {}


def add(case: Case) -> None:
    """Takes a case into the registry; an id is given once in a role."""
    if (case.role, case.id) in registry:
        raise ValueError(f"two cases for a {case.role} have the id {case.id}")
    registry[case.role, case.id] = case


def case(
    role: Role,
    id: str,
    *requirements: str,
    why: str,
    mend: str,
    level: Level = Level.MUST,
    **more: Any,
) -> Callable[[_Body], _Body]:
    """Makes a case of a function: the first line of its docstring is the title, the rest says what is done and
    expected.

    With `needs` the case is of the profile `full`, else of `core` unless `profile` says otherwise.
    """

    def take(body: _Body) -> _Body:
        title, _, story = (body.__doc__ or "").strip().partition("\n")
        more.setdefault("profile", "full" if more.get("needs") else "core")
        story = "\n".join(line.strip() for line in story.strip().splitlines())
        add(Case(id, requirements, level, role, title.rstrip("."), why, mend, body, story=story, **more))
        return body

    return take


plugin_case = partial(case, Role.PLUGIN)
host_case = partial(case, Role.HOST)


class Checks:
    """Collects what the named variants of a case found, so that one that fails does not hide the others."""

    def __init__(self, log: WireLog, started: Callable[[], int], end_from: Callable[[int, bool], None]) -> None:
        """`started` says how many processes of the subject there are; `end_from` ends those from a number on, and is
        told whether they may be stuck.
        """
        self._log, self._started, self._end_from = log, started, end_from
        self.failures: list[Failure] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Runs one variant; Broken is noted, what the subject started in it is ended, and the case goes on."""
        self._log.add("", "event", f"check {name}")
        before = self._started()
        try:
            yield
        except Broken as broken:
            self.note(broken, name)
            self._end_from(before, isinstance(broken, TimedOut))

    def note(self, broken: Broken, name: str = "") -> None:
        """Notes a failure at this point of the wire log."""
        self.failures.append(
            Failure(broken.requirement, broken.message, broken.expected, broken.got, name, self._log.position())
        )
