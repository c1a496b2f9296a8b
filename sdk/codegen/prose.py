"""The requirements as the prose of the chapters has them: the sentences that carry an id.

An id covers the text from it to the next id or the next blank line. Code blocks and tables are no prose.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen
from chapters import ID, SPEC

KEYWORD = re.compile(r"\b(MUST|SHOULD|MAY)\b")
FENCE = re.compile(r"^(```|~~~)")


@frozen
class Requirement:
    id: str
    text: str
    file: str
    line: int


@frozen
class Prose:
    requirements: tuple[Requirement, ...]
    problems: tuple[str, ...]


def read_chapter(file: str, text: str) -> Prose:
    """The requirements of one chapter, and sentences that break the rules on ids."""
    requirements: list[Requirement] = []
    problems: list[str] = []
    for line, paragraph in _paragraphs(text):
        before, *rest = ID.split(paragraph)
        if KEYWORD.search(before):
            problems.append(f"{file}:{line}: a demand without an id: {_start(before)}")
        for name, body in zip(rest[::2], rest[1::2], strict=True):
            requirements.append(Requirement(name, " ".join(body.split()), file, line))
            if not KEYWORD.search(body):
                problems.append(f"{file}:{line}: {name} demands nothing: {_start(body)}")
    return Prose(tuple(requirements), tuple(problems))


def read_spec(root: Path) -> list[Prose]:
    """All chapters."""
    paths = sorted((root / SPEC).glob("[0-9][0-9]-*.md"))
    return [read_chapter(path.name, path.read_text(encoding="utf-8")) for path in paths]


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """The paragraphs of the prose, each with the number of its first line."""
    lines: list[str] = []
    first = 1
    fenced = False
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        fence = FENCE.match(line) is not None
        if fenced or fence or line.startswith(("|", "    ")):
            fenced = fenced != fence
            line = ""
        if line.strip():
            first = first if lines else number
            lines.append(line)
        elif lines:
            yield first, "\n".join(lines)
            lines = []


def _start(text: str) -> str:
    return " ".join(text.split())[:100]
