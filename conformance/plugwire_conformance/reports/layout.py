"""JSON laid out over lines without a change to any token: numbers, escapes and doubled keys stay as they were sent."""

import json
import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_WIDTH = 76
_DEEPEST = 40
_LONGEST = 50_000


def laid_out(text: str) -> str | None:
    """The JSON text, indented where it is wide; None for what is no JSON, or is too large or deep for it to help."""
    if len(text) > _LONGEST or not _is_json(text):
        return None
    tokens = _TOKEN.findall(text)
    if len(one := _joined(tokens)) <= _WIDTH:
        return one
    return None if _depth(tokens) > _DEEPEST else _Layout(tokens).value(0)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _depth(tokens: list[str]) -> int:
    depth = deepest = 0
    for token in tokens:
        depth += (token in ("{", "[")) - (token in ("}", "]"))
        deepest = max(deepest, depth)
    return deepest


def _joined(tokens: list[str]) -> str:
    return "".join(f"{token} " if token in (",", ":") else token for token in tokens)


class _Layout:
    """Goes once through the tokens of a valid JSON text."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._ends = _ends(tokens)
        self._at = 0

    def value(self, indent: int) -> str:
        start = self._at
        end = self._ends.get(start, start) + 1
        # A text without the colons and commas between is longer than the line at any rate.
        if start == end - 1 or (end - start < _WIDTH and indent + len(_joined(self._tokens[start:end])) <= _WIDTH):
            self._at = end
            return _joined(self._tokens[start:end])
        self._at += 1
        inner = indent + 2
        members = []
        while self._at < end - 1:
            members.append(" " * inner + self._member(inner))
            self._at += self._tokens[self._at] == ","
        self._at = end
        return "\n".join((self._tokens[start], ",\n".join(members), " " * indent + self._tokens[end - 1]))

    def _member(self, indent: int) -> str:
        if self._tokens[self._at + 1] != ":":
            return self.value(indent)
        key = self._tokens[self._at]
        self._at += 2
        return f"{key}: {self.value(indent)}"


def _ends(tokens: list[str]) -> dict[int, int]:
    """Where each bracket that opens is closed."""
    ends, open_at = {}, []
    for place, token in enumerate(tokens):
        if token in ("{", "["):
            open_at.append(place)
        elif token in ("}", "]"):
            ends[open_at.pop()] = place
    return ends
