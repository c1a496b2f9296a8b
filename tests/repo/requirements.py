"""Reads the requirements out of the spec's chapters, and the ids that the tests name.

An id covers the text from it to the next id or the next blank line. Code blocks and tables are no prose.
"""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import frozen

KEYWORD = re.compile(r"\b(MUST|SHOULD|MAY)\b")
ID = re.compile(r"\*\*\[([A-Z]{3}-[0-9]{2})\]\*\*")
FENCE = re.compile(r"^(```|~~~)")


@frozen
class Requirement:
    id: str
    text: str
    file: str
    line: int


@frozen
class Chapter:
    requirements: tuple[Requirement, ...]
    problems: tuple[str, ...]


def chapter_files(root: Path) -> list[Path]:
    """The numbered chapters, in order."""
    return sorted((root / "spec").glob("[0-9][0-9]-*.md"))


def read_chapter(file: str, text: str) -> Chapter:
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
    return Chapter(tuple(requirements), tuple(problems))


def read_spec(root: Path) -> list[Chapter]:
    """All chapters."""
    return [read_chapter(path.name, path.read_text(encoding="utf-8")) for path in chapter_files(root)]


def read_untested(path: Path) -> dict[str, str]:
    """The ids that no test names, each with the reason."""
    return {name: str(reason) for name, reason in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def marked_ids(files: Iterable[Path]) -> dict[str, list[str]]:
    """The ids in `requirement` markers, each with the places that name it."""
    places: dict[str, list[str]] = {}
    for path in files:
        for name, line in ids_in_source(path.read_text(encoding="utf-8")):
            places.setdefault(name, []).append(f"{path.name}:{line}")
    return places


def ids_in_source(source: str) -> Iterator[tuple[str, int]]:
    """The ids in the `requirement` markers of one file: decorators, pytestmark, and marks of a parameter."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
            for argument in node.args:
                # Anything but a literal is kept as it stands, and so is found to be no id.
                yield str(argument.value) if isinstance(argument, ast.Constant) else ast.unparse(argument), node.lineno


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
