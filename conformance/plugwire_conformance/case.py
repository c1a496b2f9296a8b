"""Cases: one question to a subject each, with the sentences of the spec that it is about; and how a case says what it
found.

A case is a function. It returns when all held, raises Broken where a sentence did not, NotDeclared or Skipped when it
could not ask. Any other exception is a fault of the suite.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from attrs import frozen

from .report import Failure, Level, Role
from .wire.messages import Json
from .wire_log import WireLog

#: Characters of a value that people are shown.
_SHOWN = 400
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


def expect_equal(got: Json, wanted: Json, message: str, rule: str = "") -> None:
    """Broken unless the two are the same JSON: 1, 1.0 and true differ, the order of members does not matter."""
    if _canonical(got) != _canonical(wanted):
        raise Broken(message, expected=_short(wanted), got=_short(got), requirement=rule)


def _canonical(value: Json) -> object:
    return value if isinstance(value, bytes) else json.dumps(value, sort_keys=True, default=repr)


def _short(value: Json) -> str:
    text = repr(value) if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


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


def with_longer_times(ask: Callable[[int], None]) -> None:
    """Asks with the times that `ask` has, times 1; where that fails, once more with times 3.

    For what has to happen within a short time that the case itself sets, such as a lease: on a machine that stands
    still for a second, a good subject is late, too.
    """
    try:
        ask(1)
    except Broken:
        ask(3)


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
