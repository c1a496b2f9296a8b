"""A Markdown text taken apart: headings, anchors, links and code, each with its place.

Owns: finding things. Does not own: judging them (markdown_rules.py for the text, links_plugin.py for where links lead).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypedDict

from markdown_it import MarkdownIt, rules_inline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

LINE_END = re.compile(r"\r\n|\r|\n")
_FRONT_MATTER = re.compile(r"---[ \t]*(\r\n|\r|\n)(?:.*(?:\r\n|\r|\n))*?---[ \t]*(?:\r\n|\r|\n|\Z)")
_ANCHOR = re.compile(r"""<[A-Za-z][^<>]*?\s(?:id|name)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""")
_REFERENCE = re.compile(r"(?<![\\\w\])!])!?\[([^\[\]\n]+)\]\[([^\[\]\n]*)\]")
_DEFINITION_TARGET = re.compile(r"\]:\s*<?")


class Heading(TypedDict):
    """``slug`` is the anchor that GitHub gives to the heading."""

    level: int
    text: str
    slug: str
    line: int


class Anchor(TypedDict):
    """An ``id`` or ``name`` that somebody wrote as HTML."""

    name: str
    line: int


class Link(TypedDict):
    """``target`` is where it leads, with its escapes resolved as in HTML; also of images and link definitions."""

    line: int
    column: int
    length: int
    target: str


class Reference(TypedDict):
    """A reference such as ``[text][label]`` for which there is no definition: it is shown as it is written."""

    line: int
    column: int
    length: int
    label: str


class Block(TypedDict):
    """The first and the last line of something."""

    line: int
    endLine: int


@dataclass
class Structure:
    """All that is known of one text. ``tokens`` are markdown-it's."""

    lines: list[str]
    tokens: list[Token]
    headings: list[Heading] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    undefined: list[Reference] = field(default_factory=list)
    code: list[Block] = field(default_factory=list)


def parse(text: str) -> Structure:
    """Take a text apart: CommonMark with GitHub's tables."""
    text = _FRONT_MATTER.sub(_blank, text, count=1) if text.startswith("---") else text
    env: dict[str, Any] = {}
    structure = Structure(LINE_END.split(text), _make_parser().parse(text, env))
    slugs = _Slugs()
    level = 0
    places = _Places(structure.lines)
    for token in structure.tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
        elif token.type == "heading_close":
            level = 0
        elif token.type in ("fence", "code_block") and token.map:
            structure.code.append({"line": token.map[0] + 1, "endLine": token.map[1]})
        elif token.type == "html_block" and token.map:
            structure.anchors += _anchors(token.content, token.map[0] + 1)
        elif token.type == "inline" and token.map:
            if level:
                words = _plain_text(token)
                heading: Heading = {"level": level, "text": words, "slug": slugs.add(words), "line": token.map[0] + 1}
                structure.headings.append(heading)
            _add_inline(structure, token, places.of(token))
    structure.links += _definitions(structure.lines, env)
    return structure


def _blank(front_matter: re.Match[str]) -> str:
    """Lines as empty as they are many, so that the numbers of the others stay true."""
    return "\n" * len(LINE_END.findall(front_matter[0]))


# Places. markdown-it says on which lines a block stands, and of what stands within a line it says nothing.


def _make_parser() -> MarkdownIt:
    """The parser, whose rules for links, code and HTML note from where to where in the block's text they matched."""
    parser = MarkdownIt("commonmark", {"store_labels": True}).enable("table")
    for name, rule, opening in (
        ("link", rules_inline.link, "link_open"),
        ("image", rules_inline.image, "image"),
        ("autolink", rules_inline.autolink, "link_open"),
        ("html_inline", rules_inline.html_inline, "html_inline"),
        ("backticks", rules_inline.backtick, "code_inline"),
    ):
        parser.inline.ruler.at(name, _noting(rule, opening))
    return parser


def _noting(rule: Any, opening: str) -> Any:
    def noting(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        matched = bool(rule(state, silent))
        if matched and not silent:
            # The first new one of the kind: a link's own comes before those of what stands in it.
            token = next((token for token in state.tokens[count:] if token.type == opening), None)
            if token is not None:
                token.meta["span"] = (start, state.pos)
        return matched

    return noting


@dataclass
class _Place:
    """Where the text of one block stands: for each of its lines, where it begins in the text and in the document."""

    starts: list[tuple[int, int, int]]

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column."""
        start, line, column = next(known for known in reversed(self.starts) if known[0] <= offset)
        return line, column + offset - start


class _Places:
    """Finds the texts of blocks in the lines of a document."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._cell: tuple[int, int] = (-1, 0)
        """Line and column behind the text that was found last: a table's cells share a line, and may be alike."""

    def of(self, token: Token) -> _Place:
        assert token.map is not None
        starts, offset = [], 0
        for number, content in enumerate(token.content.split("\n"), token.map[0]):
            line = self._lines[number] if number < len(self._lines) else ""
            after = self._cell[1] if self._cell[0] == number else 0
            # Not found where markdown-it changed the text, as it does with an escaped bar in a table's cell.
            column = max(line.find(content, after), 0)
            self._cell = (number, column + len(content))
            starts.append((offset, number + 1, column + 1))
            offset += len(content) + 1
        return _Place(starts)


# What stands within lines


def _add_inline(structure: Structure, token: Token, place: _Place) -> None:
    spans = []
    for child in token.children or []:
        span = child.meta.get("span")
        if span is None:
            continue
        spans.append(span)
        line, column = place.at(span[0])
        target = child.attrs.get("href", child.attrs.get("src"))
        # Where a reference leads, its definition says; it is listed once, there.
        if target is not None and "label" not in child.meta:
            length = span[1] - span[0]
            structure.links.append({"line": line, "column": column, "length": length, "target": str(target)})
        elif child.type == "html_inline":
            structure.anchors += _anchors(child.content, line)
    for match in _REFERENCE.finditer(token.content):
        if not any(start < match.end() and match.start() < end for start, end in spans):
            line, column = place.at(match.start())
            length = match.end() - match.start()
            label = match[2] or match[1]
            structure.undefined.append({"line": line, "column": column, "length": length, "label": label})


def _anchors(html: str, line: int) -> Iterator[Anchor]:
    html = re.sub(r"<!--.*?-->", lambda comment: "\n" * comment[0].count("\n"), html, flags=re.DOTALL)
    for match in _ANCHOR.finditer(html):
        name = match[1] or match[2] or match[3]
        if name:
            yield {"name": name, "line": line + html.count("\n", 0, match.start())}


def _definitions(lines: list[str], env: dict[str, Any]) -> Iterator[Link]:
    for definition in env.get("references", {}).values():
        number = definition["map"][0]
        label_end = _DEFINITION_TARGET.search(lines[number])
        column = label_end.end() + 1 if label_end else 1
        length = max(len(lines[number].rstrip()) - column + 1, 0)
        yield {"line": number + 1, "column": column, "length": length, "target": definition["href"]}


def _plain_text(token: Token) -> str:
    texts = []
    for child in token.children or []:
        if child.type in ("text", "code_inline", "image"):
            texts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            texts.append(" ")
    return "".join(texts).strip()


# Slugs


class _Slugs:
    """GitHub's names for headings: small letters, digits, ``-`` and ``_``; the second of two alike gets ``-1``."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def add(self, text: str) -> str:
        slug = plain = slug_of(text)
        while slug in self._taken:
            self._taken[plain] += 1
            slug = f"{plain}-{self._taken[plain]}"
        self._taken[slug] = 0
        return slug


def slug_of(text: str) -> str:
    """The slug of a heading that is the only one of its text."""
    kept = (char for char in text.lower() if char in " -_" or unicodedata.category(char)[0] in "LNM")
    return "".join(kept).replace(" ", "-")
