"""One open document: its text, its version, places in it, edits, and the way back to the disk.

Owns: text as an editor has it, which may be newer than the file. Does not own: which documents are open (editor.py).
"""

from __future__ import annotations

import bisect
import contextlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from diagnostics import Edit, Finding

LARGEST = 1_000_000
"""Bytes of the largest file that is opened as a text. It has to fit into one frame (``maxFrameBytes``)."""

LINE_END = re.compile(r"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"

Span = tuple[int, int, str]
"""Where a replacement starts and ends in the text, and what comes in its place."""


class Unreadable(Exception):
    """A file cannot be opened as a document; the message says why."""


class TooLong(Unreadable):
    """It is too long for a text; large.py says what can be done with it."""


class NotSaved(Exception):
    """A document could not be written; the file is as it was."""


class Document:
    """A text with a version, which counts up with every change: a plugin that knows a version knows the text."""

    def __init__(self, path: Path, shown: str) -> None:
        """Open a file. Raises Unreadable."""
        self.path = path
        self.shown = shown
        self.version = 1
        self._disk = _read(path)
        # A byte order mark belongs to the file and not to the text: it would be column 1 of the first line.
        self._bom = _BOM if self._disk.startswith(_BOM) else b""
        try:
            self.text = self.saved_text
        except UnicodeDecodeError as error:
            raise Unreadable(f"it is not UTF-8: byte {error.start + len(self._bom)} fits nowhere") from None
        self._line_starts = _line_starts(self.text)

    @property
    def changed(self) -> bool:
        return self.version > 1

    @property
    def saved_text(self) -> str:
        """The text as the file has it."""
        return self._disk[len(self._bom) :].decode("utf-8")

    def offset(self, line: int, column: int) -> int | None:
        """Where a place is in the text; None for a place outside. A column may stand just behind its line."""
        if not 1 <= line <= len(self._line_starts):
            return None
        end = self._line_starts[line] if line < len(self._line_starts) else len(self.text) + 1
        offset = self._line_starts[line - 1] + column - 1
        return offset if offset < end else None

    # Edits

    def span(self, edit: Edit) -> Span | None:
        """What an edit replaces; None when it reaches outside of the text, or changes nothing."""
        start = self.offset(edit.line, edit.column)
        if start is None or start + edit.length > len(self.text):
            return None
        end = start + edit.length
        return None if self.text[start:end] == edit.text else (start, end, edit.text)

    def apply(self, findings: Iterable[Finding]) -> list[Finding]:
        """Apply the edits of those findings that do not overlap with an earlier one's; the result is those applied.

        The edits of one finding belong together, so one of them that overlaps keeps out all of them. Places in other
        findings are stale afterwards: ask the plugins again.
        """
        taken: list[Span] = []
        applied = []
        for finding in findings:
            spans = [self.span(edit) for edit in finding.diagnostic.edits]
            fresh = [span for span in spans if span is not None]
            if fresh and len(fresh) == len(spans) and _add_all(taken, fresh):
                applied.append(finding)
        if applied:
            self._replace(taken)
        return applied

    def _replace(self, spans: list[Span]) -> None:
        pieces, end = [], 0
        for start, stop, text in spans:
            pieces += [self.text[end:start], text]
            end = stop
        self.set_text("".join([*pieces, self.text[end:]]))

    def set_text(self, text: str) -> None:
        """The next version."""
        self.text = text
        self._line_starts = _line_starts(text)
        self.version += 1

    # The disk

    def save(self) -> None:
        """Write the text: a reader sees the old file or the new one and never half of it. Raises NotSaved.

        A file that somebody changed meanwhile is left alone: our edits were made for another text.
        """
        data = self._bom + self.text.encode("utf-8")
        try:
            if self.path.read_bytes() != self._disk:
                raise NotSaved("it was changed by somebody else meanwhile, and is left as it is")
            _write_atomically(self.path, data)
        except OSError as error:
            raise NotSaved(error.strerror or str(error)) from None
        self._disk = data


def _add_all(taken: list[Span], spans: list[Span]) -> bool:
    """Put spans among those that are taken, in order; all of them, or none when one overlaps."""
    added: list[Span] = []
    for span in spans:
        place = bisect.bisect(taken, span)
        neighbours = taken[max(0, place - 1) : place + 1]
        if any(_overlap(span, other) for other in neighbours):
            for other in added:
                taken.remove(other)
            return False
        taken.insert(place, span)
        added.append(span)
    return True


def _overlap(one: Span, other: Span) -> bool:
    """Do they share a character, or stand at the same place? What only touches does not overlap."""
    (start, end, _), (start_2, end_2, _) = one, other
    return (start < end_2 and start_2 < end) or (start, end) == (start_2, end_2)


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in LINE_END.finditer(text))]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    if len(data) > LARGEST:
        raise TooLong(f"it has more than {LARGEST} bytes")
    return data


def _write_atomically(path: Path, data: bytes) -> None:
    """Write a new file beside the old one, as safe and with the same rights, and put it in its place."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
