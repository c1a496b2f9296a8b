"""HTML from the inside out: what is no `Markup` is text, and text can neither open a tag nor hide a character.

Owns: escapes and tags. Does not own: what a page says (html.py and the modules beside it).
"""

import re
from html import escape
from typing import TypeAlias

from .visible import escape_of, one_line


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | Markup | None"
_EMPTY = frozenset({"input", "br", "hr"})


def tag(name: str, *children: Child, **attributes: str | bool) -> Markup:
    """An element. Attributes are written with low lines: ``class_``, ``data_outcome``; True is one without a value."""
    written = "".join(_attribute(key.strip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in _EMPTY:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Several pieces, one after the other."""
    return Markup("".join(child if isinstance(child, Markup) else text(child or "") for child in children))


def text(content: str, keep: str = "\n") -> Markup:
    """Text with what cannot be printed spelled out, and marked as spelled out."""
    if content.isprintable():
        return Markup(escape(content))
    return Markup("".join(_shown(part, keep) for part in re.split(r"([^ -~]+)", content)))


def prose(sentence: str) -> Markup:
    """A sentence of the spec: what stands in backticks is code."""
    parts = sentence.split("`")
    return joined(*(tag("code", part) if place % 2 else part for place, part in enumerate(parts)))


def _attribute(name: str, value: str | bool) -> str:
    if value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(one_line(value, 2000))}"'


def _shown(part: str, keep: str) -> str:
    if part.isprintable():
        return escape(part)
    return "".join(
        escape(char) if char.isprintable() or char in keep else f'<span class="esc">{escape_of(char)}</span>'
        for char in part
    )
