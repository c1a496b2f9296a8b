"""How deep the JSON of a body is nested, without reading it. Spec MSG-24."""

from __future__ import annotations

from array import array
from itertools import accumulate

_SHORT = 4096
_LEVELS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))


def nests_deeper(body: bytes, levels: int) -> bool:
    """Whether valid JSON has arrays and objects in more than so many levels."""
    # Counting is cheap and nearly always settles it: no more openings than levels means no deeper than that.
    if len(body) < _SHORT:
        if body.count(b"[") + body.count(b"{") <= levels:
            return False
    elif not _openings_exceed(body, levels):
        return False
    return _depth(body) > levels


def _openings_exceed(body: bytes, limit: int) -> bool:
    """Whether there are more opening brackets. ``find`` is a memchr, where ``count`` looks at each byte."""
    for bracket in (b"{", b"["):
        position = body.find(bracket)
        while position >= 0:
            limit -= 1
            if limit < 0:
                return True
            position = body.find(bracket, position + 1)
    return False


def _depth(body: bytes) -> int:
    """What stands in strings is cut out, then the brackets are added up."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(body.split(b'"')[::2]).translate(_LEVELS, _NO_BRACKETS)
    return max(accumulate(array("b", brackets)), default=0)
