"""What several sections of the HTML page have in common: outcomes, ids of elements, and the wire log of a case."""

import re
from collections.abc import Iterable, Iterator

from ..report import CaseResult, Entry, Failure
from .frames import Piece, pieces, with_line_ends
from .layout import laid_out
from .markup import Child, Markup, joined, tag, text
from .outline import WORDS
from .visible import clipped, counted

SIGNS = {
    "fail": "✗",
    "error": "‼",
    "warn": "!",
    "known": "≈",
    "pass": "✓",
    "skip": "–",
    "not-declared": "○",
    "excluded": "·",
    "not run": "·",
    "no case": "·",
}
_KINDS = {"sent": "sent", "received": "received", "stderr": "stderr", "event": ""}
_MOST_TEXT = 8000
_LOW_TEXT, _LOW_LINES = 1200, 14
_FIRST, _LAST = 40, 160
_KEY = re.compile(r'("(?:[^"\\]|\\.)*")(?=: )')


def chip(outcome: str) -> Markup:
    """An outcome as a sign and a word; colour is never all that tells it."""
    sign = tag("span", SIGNS[outcome], aria_hidden="true")
    return tag("span", sign, " ", WORDS.get(outcome, outcome), class_=f"chip {outcome.replace(' ', '-')}")


def element_id(prefix: str, name: str) -> str:
    """An id for what is named by anyone: different names give different ids."""
    return f"{prefix}-" + re.sub(r"[^A-Za-z0-9/-]", lambda found: f"_{ord(found[0]):x}_", name).replace("/", ".")


def code_block(content: str, label: str) -> Markup:
    """A message or any other text; JSON is laid out."""
    laid = laid_out(content) if content.startswith(("{", "[")) else None
    if laid is None:
        return _pre(content, content, aria_label=label)
    return _pre(laid, _keyed(laid), class_="json", aria_label=label)


def frame_blocks(entry: Entry) -> Markup:
    """What an entry holds: headers with their line ends, JSON laid out, everything else as it stands."""
    blocks = [_block(piece) for piece in pieces(entry)]
    if entry.omitted:
        blocks.append(tag("p", f"… {counted(entry.omitted, 'more byte')} not kept", class_="cut"))
    return joined(*blocks)


def wire_log(case: CaseResult) -> Markup | None:
    """The conversation with a mark where each expectation was found broken. None when there is none."""
    if not case.wire:
        return None
    several = len({entry.conversation for entry in case.wire if entry.conversation}) > 1
    marks: dict[int, list[Failure]] = {}
    for failure in case.failures:
        marks.setdefault(min(failure.at or len(case.wire), len(case.wire)), []).append(failure)
    rows = tag("ol", *_rows(case.wire, marks, several), class_="wire")
    summary = tag("summary", f"Wire log, {_entries(len(case.wire))}")
    return tag("details", summary, rows, open=0 < len(case.wire) <= 12 and bool(case.failures))


def _rows(wire: tuple[Entry, ...], marks: dict[int, list[Failure]], several: bool) -> Iterator[Markup]:
    for place, entry in enumerate(wire, start=1):
        if _FIRST < place <= len(wire) - _LAST:
            if place == _FIRST + 1:
                left_out = _entries(len(wire) - _FIRST - _LAST)
                yield tag("li", f"{left_out} left out here; the JSON report has them", class_="event")
        else:
            yield _row(entry, several)
        for failure in marks.get(place, ()):
            named = f"{failure.check}: " if failure.check else ""
            yield tag("li", tag("strong", "✗ here"), " ", clipped(named + failure.message, 500), class_="mark")


def _row(entry: Entry, several: bool) -> Markup:
    kind = entry.kind if entry.kind in _KINDS else "event"
    head = [tag("span", f"{entry.time:.3f}", class_="time")]
    if several:
        head.append(tag("span", text(clipped(entry.conversation, 40), keep=""), class_="who"))
    head.append(tag("span", _KINDS[kind], class_="kind"))
    return tag("li", tag("div", *head, class_="head"), tag("div", frame_blocks(entry), class_="bytes"), class_=kind)


def _block(piece: Piece) -> Markup:
    if piece.kind == "header":
        # A canonical header takes one line, any other shows where its lines end.
        written = text(piece.text, keep="") if piece.is_canonical else clipped(with_line_ends(piece.text), _MOST_TEXT)
        return _pre(piece.text, written, class_="header")
    content = clipped(piece.laid, _MOST_TEXT)
    return _pre(content, _keyed(content) if piece.kind == "json" else content, class_=piece.kind)


def _pre(content: str, shown: Child, **attributes: str) -> Markup:
    """What may be too high to be seen at once scrolls by itself, and so has to be reached with the keyboard."""
    if len(content) > _LOW_TEXT or content.count("\n") > _LOW_LINES:
        return tag("pre", shown, tabindex="0", role="group", **attributes)
    attributes.pop("aria_label", None)
    return tag("pre", shown, **attributes)


def _keyed(content: str) -> Markup:
    """JSON with its names set off."""
    parts = _KEY.split(content)
    return joined(*(tag("b", part) if place % 2 else part for place, part in enumerate(parts)))


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"


def listed(items: Iterable[Child], **attributes: str) -> Markup:
    """An unordered list."""
    return tag("ul", *(tag("li", item) for item in items), **attributes)
