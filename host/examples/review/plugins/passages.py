"""Passages: the parts of a text that are long enough to have been copied, each with a fingerprint.

In a Python text these are functions, elsewhere paragraphs and code blocks. Owns: what a passage is, and when two are
the same. Does not own: where texts come from and who compares them (copies_plugin.py, and the application).

All is done in bytes and line by line, because a text may be hundreds of megabytes of shared memory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

FEWEST_WORDS = 40
"""A paragraph with fewer is no passage: such sentences are alike by chance."""
FEWEST_LINES = 8
"""The same for the lines, without empty ones, of a function or a code block."""

RULES = b"1"
"""Is part of the key under which passages are kept: count it up when what is found changes."""

Passage: TypeAlias = tuple[str, int]
"""The fingerprint and the line, counted from 1, where it begins."""

_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_FENCE = re.compile(rb"[ \t]{0,3}(`{3,}|~{3,})")
_FUNCTION = re.compile(rb"([ \t]*)(?:async[ \t]+)?def[ \t]")


def content_key(content: bytes | memoryview, suffix: str) -> str:
    """A name for the passages of a content: the same content has the same, in any file."""
    return hashlib.sha256(b"\0".join((RULES, suffix.encode(), hashlib.sha256(content).digest()))).hexdigest()


def passages(content: bytes | memoryview, suffix: str) -> Iterator[Passage]:
    """The passages of a text in their order. ``suffix`` is its file's."""
    lines = enumerate((match[1].rstrip() for match in _LINE.finditer(content)), 1)
    return _functions(lines) if suffix == ".py" else _blocks(lines)


def _functions(lines: Iterable[tuple[int, bytes]]) -> Iterator[Passage]:
    """A function goes on to the next line that is not indented deeper; only brackets may close there."""
    start, indent = 0, b""
    body: list[bytes] = []
    for number, line in lines:
        if not line:
            continue
        deeper = (indent + b" ", indent + b"\t")
        if start and (line.startswith(deeper) or line.lstrip()[:1] in b")]}"):
            body.append(line.removeprefix(indent))
            continue
        if len(body) >= FEWEST_LINES:
            yield _fingerprint(body), start
        match = _FUNCTION.match(line)
        start, indent = (number, match[1]) if match else (0, b"")
        body = [line.removeprefix(indent)] if match else []
    if len(body) >= FEWEST_LINES:
        yield _fingerprint(body), start


def _blocks(lines: Iterable[tuple[int, bytes]]) -> Iterator[Passage]:
    """Paragraphs stand between empty lines, headings and tables; their line breaks do not matter, those of code do."""
    start, words = 0, list[bytes]()
    fence, code, code_start = b"", list[bytes](), 0
    for number, line in lines:
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not line[match.end() :]:
                if len(code) >= FEWEST_LINES:
                    yield _fingerprint(code), code_start
                fence = b""
            elif line:
                code.append(line)
        elif match or not line or line[:1] in b"#|":
            if len(words) >= FEWEST_WORDS:
                yield _fingerprint(words), start
            words = []
            if match:
                fence, code, code_start = match[1], [], number
        else:
            start = start if words else number
            words += line.split()
    if len(words) >= FEWEST_WORDS:
        yield _fingerprint(words), start


def _fingerprint(parts: list[bytes]) -> str:
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:24]
