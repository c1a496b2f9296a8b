"""Where in a TOML text a key stands: ``tomllib`` gives values without lines, and an error has to name one (MAN-04).

Owns: the line of each key path. Does not own: whether the text is TOML at all; it is given only what ``tomllib`` took.
Keys inside an inline table are not told apart: they have the line of the key that holds the table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Names of keys, and places in arrays from 0."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRINGS = (
    re.compile(r'"""(?:[^\\"]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, of a key, a table or an element of an array; of the nearest that holds it where it has none."""
    lines = _Scanner(text).scan()
    whole = tuple(path)
    return next((lines[whole[:end]] for end in range(len(whole), 0, -1) if whole[:end] in lines), 1)


class _Scanner:
    """Goes once through a text and notes the first line of each path."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted = 0  # up to where the lines were counted
        self._line = 1
        self._lines: dict[KeyPath, int] = {}
        self._elements: dict[KeyPath, int] = {}  # how many elements each array of tables has

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> KeyPath:
        line = self._here()
        of_array = self._text.startswith("[[", self._at)
        self._at += 2 if of_array else 1
        keys = self._keys()
        self._at += 2 if of_array else 1
        table: KeyPath = ()
        for number, key in enumerate(keys):
            table = (*table, key)
            self._lines.setdefault(table, line)
            if of_array and number == len(keys) - 1:
                self._elements[table] = self._elements.get(table, 0) + 1
            if count := self._elements.get(table):
                table = (*table, count - 1)
        # The header itself tells more than a deeper one that has implied this table before.
        self._lines[table] = line
        return table

    def _pair(self, table: KeyPath) -> None:
        line = self._here()
        for key in self._keys():
            table = (*table, key)
            self._lines.setdefault(table, line)
        self._at += 1  # the "="
        self._skip(_SPACE)
        self._value(table)

    def _keys(self) -> list[str]:
        """The parts of a dotted key; what follows them comes next."""
        keys = []
        while True:
            self._skip(_SPACE)
            keys.append(self._key())
            self._skip(_SPACE)
            if self._text[self._at : self._at + 1] != ".":
                return keys
            self._at += 1

    def _key(self) -> str:
        start = self._at
        quote = self._text[start]
        if quote not in "\"'":
            return self._text[start : self._skip(_BARE_KEY)]
        self._skip(_STRINGS[2 if quote == '"' else 3])
        inner = self._text[start + 1 : self._at - 1]
        return _ESCAPE.sub(_unescaped, inner) if quote == '"' else inner

    def _value(self, path: KeyPath | None) -> None:
        """Pass over a value; the elements of an array get lines, unless ``path`` is None."""
        first = self._text[self._at : self._at + 1]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table()
        elif first in ('"', "'"):
            self._string()
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath | None) -> None:
        self._at += 1
        number = 0
        while self._text[self._skip(_BLANK)] != "]":
            element = None if path is None else (*path, number)
            if element is not None:
                self._lines[element] = self._here()
            self._value(element)
            number += 1
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1

    def _inline_table(self) -> None:
        self._at += 1
        while self._text[self._skip(_BLANK)] != "}":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._keys()
            self._at += 1  # the "="
            self._skip(_SPACE)
            self._value(None)
        self._at += 1

    def _string(self) -> None:
        for pattern in _STRINGS:
            if match := pattern.match(self._text, self._at):
                self._at = match.end()
                return

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return self._at

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES.get(code, code)
