"""Reads the conversations of spec/transcripts. The notation stands in the README there; what differs from it fails."""

import ast
import re
from pathlib import Path
from typing import TypeAlias

from attrs import evolve, frozen

from plugwire.wire import Framing

TRANSCRIPTS = Path(__file__).parents[2] / "spec" / "transcripts"
HOST = "host"


@frozen
class Message:
    """A message as the sender's own peer writes it. ``body`` is what is framed."""

    line: int
    sender: str
    receiver: str
    body: bytes


@frozen
class OddBody:
    """A body that no correct peer writes, in a correct frame."""

    line: int
    sender: str
    receiver: str
    body: bytes


@frozen
class RawBytes:
    """Bytes as they are, in no frame or in a broken one."""

    line: int
    sender: str
    receiver: str
    data: bytes


@frozen
class EndOfStream:
    """The sender says nothing more."""

    line: int
    sender: str
    receiver: str


@frozen
class Exit:
    """A plugin's process ends: ``code 0``, ``signal SIGKILL``."""

    line: int
    plugin: str
    status: str


Said: TypeAlias = Message | OddBody | RawBytes | EndOfStream


@frozen
class Effects:
    """What the receiver makes of something said, where it is more, or other, than the message itself."""

    warns: tuple[bytes, ...] = ()
    deviations: int = 0
    is_ignored: bool = False
    failed_call: int | None = None
    is_the_end: bool = False


@frozen
class Step:
    """Something said or done, and its effects."""

    what: Said | Exit
    effects: Effects = Effects()

    @property
    def plugin(self) -> str:
        """Whose connection with the host this belongs to."""
        if isinstance(self.what, Exit):
            return self.what.plugin
        return self.what.receiver if self.what.sender == HOST else self.what.sender


@frozen
class Transcript:
    """One conversation of a host with one plugin or several."""

    name: str
    steps: tuple[Step, ...]
    by_lines: frozenset[str]

    @property
    def plugins(self) -> list[str]:
        """The plugins in the order in which they come in."""
        return list(dict.fromkeys(step.plugin for step in self.steps))

    def framing(self, plugin: str) -> Framing:
        return Framing.LINE if plugin in self.by_lines else Framing.HEADER


class BadTranscript(ValueError):
    """A line that is not in the notation."""


_SAID = re.compile(r"([a-z]+) > ([a-z]+)  (.+)")
_EXIT = re.compile(r"([a-z]+) exits  (code [0-9]+|signal SIG[A-Z]+)")
_BY_LINES = re.compile(r"([a-z]+) uses line framing")
_EFFECT = re.compile(
    r"([a-z]+) (?:warns  (?P<warns>['\"].*)|reports  (?P<reports>[0-9]+) deviations|(?P<ignores>ignores it)"
    r"|fails call (?P<fails>[0-9]+)|(?P<ends>ends the connection))"
)


def load(name: str) -> Transcript:
    return parse(name, (TRANSCRIPTS / f"{name}.txt").read_text(encoding="utf-8"))


def names() -> list[str]:
    """All transcripts there are."""
    return sorted(path.stem for path in TRANSCRIPTS.glob("*.txt"))


def parse(name: str, text: str) -> Transcript:
    """Raises BadTranscript, which names the line."""
    steps: list[Step] = []
    by_lines: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if by_line := _BY_LINES.fullmatch(line):
                by_lines.add(by_line[1])
            elif effect := _EFFECT.fullmatch(line):
                steps[-1] = _with_effect(steps[-1], effect)
            else:
                steps.append(Step(_said_or_done(number, line)))
        except (ValueError, SyntaxError, IndexError) as error:
            raise BadTranscript(f"{name}, line {number}: {error}") from error
    return Transcript(name, tuple(steps), frozenset(by_lines))


def _said_or_done(number: int, line: str) -> Said | Exit:
    if exits := _EXIT.fullmatch(line):
        return Exit(number, exits[1], exits[2])
    said = _SAID.fullmatch(line)
    if said is None or (said[1] == HOST) == (said[2] == HOST):
        raise ValueError(f"not in the notation: {line}")
    sender, receiver, what = said.groups()
    if what.startswith("{"):
        return Message(number, sender, receiver, what.encode())
    if what == ("end of input" if sender == HOST else "end of output"):
        return EndOfStream(number, sender, receiver)
    form, _, literal = what.partition(" ")
    if form == "body":
        return OddBody(number, sender, receiver, _bytes(literal))
    if form == "raw":
        return RawBytes(number, sender, receiver, _bytes(literal))
    raise ValueError(f"not in the notation: {what}")


def _with_effect(step: Step, effect: re.Match[str]) -> Step:
    who, effects = effect[1], step.effects
    receiver = HOST if isinstance(step.what, Exit) else step.what.receiver
    if who != receiver:
        raise ValueError(f"it is {receiver} to whom this happens, not {who}")
    if effect["warns"]:
        effects = evolve(effects, warns=(*effects.warns, _bytes(effect["warns"])))
    elif effect["reports"]:
        effects = evolve(effects, deviations=int(effect["reports"]))
    elif effect["ignores"]:
        effects = evolve(effects, is_ignored=True)
    elif effect["fails"]:
        effects = evolve(effects, failed_call=int(effect["fails"]))
    else:
        effects = evolve(effects, is_the_end=True)
    return evolve(step, effects=effects)


def _bytes(literal: str) -> bytes:
    value = ast.literal_eval("b" + literal)
    if not isinstance(value, bytes):
        raise ValueError(f"not bytes in quotation marks: {literal}")
    return value
