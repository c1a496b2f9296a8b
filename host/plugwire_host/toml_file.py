"""A TOML file as typed values: the reading that plugin.toml and plugins.toml have in common. Spec MAN-04, MAN-07.

Owns: the way from a file to attrs classes, and the sentence, with file and line, for what does not fit. Does not own:
which keys there are (manifest.py, config.py). Reading executes nothing (MAN-01).
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from attrs import define

from plugwire.types.converter import ParamProblem, problems_of

from .errors import ConfigError
from .toml_lines import KeyPath, line_of
from .toml_types import CONVERTER, did_you_mean

T = TypeVar("T")

_STEP = re.compile(r"""\.(\w+)|\[(\d+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]""")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_EXPECTED = re.compile(r"expected (.*), got (.*)", re.DOTALL)
_MISSING = re.compile(r"the member '(.*)' is missing")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# The converter speaks of JSON; here the same things have TOML's names.
_WORDS = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "array": "a list",
    "object": "a table",
    "an array": "a list",
    "an object": "a table",
}


@define
class TomlFile:
    """The content of a file. ``error`` is the class of what is raised about it."""

    path: Path
    text: str
    table: dict[str, Any]
    error: type[ConfigError] = ConfigError

    @classmethod
    def read(cls, path: Path, error: type[ConfigError] = ConfigError) -> TomlFile:
        """Read a file. Raises ``error`` when it cannot be read or is no TOML."""
        try:
            content = path.read_bytes()
        except OSError as failure:
            raise error(path, None, _unreadable(path, failure)) from None
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as failure:
            line = content.count(b"\n", 0, failure.start) + 1
            raise error(path, line, f"UTF-8 was expected, got the byte 0x{content[failure.start]:02x}") from None
        try:
            return cls(path, text, tomllib.loads(text), error)
        except tomllib.TOMLDecodeError as failure:
            raise error(path, *_invalid(text, str(failure))) from None
        except RecursionError:
            raise error(path, None, "it is nested too deeply") from None

    def structure(self, shape: type[T]) -> T:
        """The whole file as an attrs class. Raises ``error`` for the first place that does not fit."""
        try:
            return CONVERTER.structure(self.table, shape)
        except RecursionError:
            raise self.error(self.path, None, "it is nested too deeply") from None
        except Exception as failure:
            found = [_translated(problem) for problem in problems_of(failure, shape)]
            placed = [(line_of(self.text, path), path, message) for path, message in found]
            _, path, message = min(placed, key=lambda place: place[0])
            self.fail(path, message)

    def fail(self, path: KeyPath, problem: str) -> NoReturn:
        """Raise ``error`` about one key; ``problem`` says what was expected there."""
        where = f"{dotted(path)}: " if path else ""
        raise self.error(self.path, line_of(self.text, path), where + problem)


def dotted(path: KeyPath) -> str:
    """A key path as TOML writes it, with the places in lists in brackets."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _BARE_KEY.fullmatch(step) else f'"{step}"')
    return text


def _translated(problem: ParamProblem) -> tuple[KeyPath, str]:
    path, message = _key_path(problem.path), problem.message
    if missing := _MISSING.fullmatch(message):
        return path[:-1], f"the key {missing[1]!r} is missing"
    if expected := _EXPECTED.fullmatch(message):
        wanted, got = (_WORDS.get(words, words) for words in expected.groups())
        return path, f"{wanted} was expected, got {got}"
    return path, message


def _key_path(path: str) -> KeyPath:
    """``$.plugins['todo'].command[1]`` as its steps."""
    return tuple(name or ast.literal_eval(index) for name, index in _STEP.findall(path))


def _unreadable(path: Path, failure: OSError) -> str:
    if isinstance(failure, FileNotFoundError):
        near = ""
        if path.parent.is_dir():
            near = did_you_mean(path.name, sorted(entry.name for entry in path.parent.iterdir()))
        return f"the file does not exist{near}"
    return f"the file cannot be read: {failure.strerror}"


def _invalid(text: str, message: str) -> tuple[int, str]:
    """The line and the problem of what is no TOML."""
    place = _AT_LINE.search(message)
    said = message[: place.start()] if place else message
    said = said[:1].lower() + said[1:]
    if place is None or place[1] is None:
        return len(text.splitlines()) or 1, f"this is no valid TOML: {said} at the end of the file"
    return int(place[1]), f"this is no valid TOML: {said} in column {place[2]}"
