"""A conversation in plain lines: what was said, by whom and when; for the reports that are text."""

from collections.abc import Iterable

from ..report import Entry
from .frames import Piece, pieces, with_line_ends
from .visible import clipped, counted, visible

ARROWS = {"sent": "→", "received": "←", "stderr": "!", "event": "·"}
_MOST = 4000


def wire_lines(wire: Iterable[Entry]) -> list[str]:
    """A line for each line of each entry; canonical headers are left out, as the length of a body can be counted."""
    entries = list(wire)
    several = len({entry.conversation for entry in entries if entry.conversation}) > 1
    return [line for entry in entries for line in _entry_lines(entry, several)]


def _shown(entry: Entry) -> str:
    parts = [with_line_ends(piece.text) if piece.kind == "header" else piece.laid for piece in _told(entry)]
    text = visible(clipped("\n".join(parts), _MOST))
    return f"{text} … ({counted(entry.omitted, 'more byte')})" if entry.omitted else text


def _told(entry: Entry) -> list[Piece]:
    return [piece for piece in pieces(entry) if not piece.is_canonical]


def _entry_lines(entry: Entry, several: bool) -> list[str]:
    named = f"{visible(entry.conversation, keep='')} " if several else ""
    head = f"{entry.time:8.3f} {named}{ARROWS.get(entry.kind, '?')} "
    first, *rest = _shown(entry).split("\n")
    return [head + first, *(" " * len(head) + line for line in rest)]
