"""What may be wrong in a Markdown text. Each rule names something that a reader will not see as it was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it.token import Token

from contract import Diagnostic
from markdown_structure import Structure

_DELIMITER_ROW = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_CONTAINER = re.compile(r"[ \t>]*(?:[-*+] |[0-9]{1,9}[.)] )?[ \t>]*")
_NO_BLANK = re.compile(r"#{2,6}(?=[^\W\d_])")


def check(structure: Structure) -> list[Diagnostic]:
    """Everything that the rules find."""
    rules = (
        heading_jumps,
        equal_headings,
        equal_anchors,
        headings_without_blank,
        uneven_rows,
        lost_tables,
        open_fences,
    )
    return [found for rule in rules for found in rule(structure)]


def heading_jumps(structure: Structure) -> Iterator[Diagnostic]:
    """A level is left out on the way down: a table of contents gets a hole there."""
    level = 0
    for heading in structure.headings:
        if level and heading["level"] > level + 1:
            message = f"the heading's level jumps from {level} to {heading['level']}"
            yield _warning(heading["line"], "heading-jump", message)
        level = heading["level"]


def equal_headings(structure: Structure) -> Iterator[Diagnostic]:
    """Two headings with one text under the same heading. Under different ones, as in a change log, they are meant."""
    above: list[tuple[int, dict[str, int]]] = [(0, {})]
    for heading in structure.headings:
        while above[-1][0] >= heading["level"]:
            above.pop()
        siblings = above[-1][1]
        if heading["text"] and heading["text"] in siblings:
            message = f"line {siblings[heading['text']]} has the same heading: {heading['text']}"
            yield _warning(heading["line"], "equal-headings", message)
        siblings.setdefault(heading["text"], heading["line"])
        above.append((heading["level"], {}))


def equal_anchors(structure: Structure) -> Iterator[Diagnostic]:
    """A link to an anchor that stands twice leads to the first."""
    known: dict[str, int] = {}
    for anchor in structure.anchors:
        if anchor["name"] in known:
            message = f"line {known[anchor['name']]} has the same anchor: {anchor['name']}"
            yield _warning(anchor["line"], "equal-anchors", message)
        known.setdefault(anchor["name"], anchor["line"])


def headings_without_blank(structure: Structure) -> Iterator[Diagnostic]:
    """``##Title`` is no heading. One ``#`` is left alone: ``#tag`` and ``#12`` are meant as they stand."""
    for number in (number for paragraph in _paragraphs(structure) for number in paragraph):
        line = structure.lines[number]
        match = _NO_BLANK.match(line)
        if match:
            found = _warning(number + 1, "no-heading", f"a blank is missing after {match[0]}, so this is no heading")
            yield {**found, "edits": [{"line": number + 1, "column": match.end() + 1, "length": 0, "text": " "}]}


def uneven_rows(structure: Structure) -> Iterator[Diagnostic]:
    """A row with more cells than the table's head: what is too much is not shown. Or with fewer: an empty cell."""
    columns = 0
    for token in structure.tokens:
        if token.type == "thead_open" and token.map:
            columns = _cells(structure.lines[token.map[0]])
        elif token.type == "tr_open" and token.map:
            cells = _cells(structure.lines[token.map[0]])
            if cells != columns:
                lost = " and what is too much is not shown" if cells > columns else ""
                message = f"the table's head has {columns} cells, this row {cells}{lost}"
                yield _warning(token.map[0] + 1, "uneven-row", message)


def lost_tables(structure: Structure) -> Iterator[Diagnostic]:
    """A table whose delimiter row does not fit its head is a paragraph full of bars."""
    lines = structure.lines
    for number in (number for paragraph in _paragraphs(structure) for number in paragraph[1:]):
        line = _bare(lines[number])
        if "|" in line and "|" in lines[number - 1] and _DELIMITER_ROW.fullmatch(line):
            head, columns = _cells(lines[number - 1]), _cells(lines[number])
            if head != columns:
                message = (
                    f"this is shown as text and not as a table: its head has {head} cells, its delimiter {columns}"
                )
                yield _warning(number, "lost-table", message)


def open_fences(structure: Structure) -> Iterator[Diagnostic]:
    """A fence that is never closed makes code of all that follows."""
    for token in structure.tokens:
        if token.type == "fence" and token.map and not _is_closed(token, structure.lines):
            line = token.map[0] + 1
            message = f"the code block that begins here is never closed with {token.markup}"
            yield {"line": line, "column": 1, "severity": "error", "message": message, "code": "open-fence"}


def _is_closed(fence: Token, lines: list[str]) -> bool:
    assert fence.map is not None
    first, end = fence.map
    if end - first < 2 or end > len(lines):
        return False
    last = _bare(lines[end - 1]).strip()
    return len(last) >= len(fence.markup) and set(last) == {fence.markup[0]}


def _paragraphs(structure: Structure) -> Iterator[range]:
    """The numbers, from 0, of the lines of each paragraph."""
    for token in structure.tokens:
        if token.type == "paragraph_open" and token.map:
            yield range(*token.map)


def _bare(line: str) -> str:
    """A line without the marks of the quotes and lists that it stands in."""
    match = _CONTAINER.match(line)
    return line[match.end() :] if match else line


def _cells(line: str) -> int:
    """How many cells a table's row has. A bar with a backslash before it is text, even in code (GitHub's rule)."""
    row = _bare(line).strip()
    bars = [match.start() for match in re.finditer(r"(?<!\\)\|", row)]
    edges = sum((bool(bars) and bars[0] == 0, len(bars) > 1 and bars[-1] == len(row) - 1))
    return len(bars) + 1 - edges


def _warning(line: int, code: str, message: str) -> Diagnostic:
    return {"line": line, "column": 1, "severity": "warning", "message": message, "code": code}
