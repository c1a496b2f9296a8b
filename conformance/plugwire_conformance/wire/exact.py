"""Reads frames just as a plugin has to (chapter 01): what must be accepted is, and what loses the boundary does.

For what the suite itself sends to a plugin, which may be unusual or broken on purpose.
"""

import re

from .frames import Frame, Framing, LineReader, Reader

_LINE = re.compile(rb"([!-9;-~]+):(.*)", re.DOTALL)
_LENGTH = re.compile(rb"[0-9]{1,10}")
_HEADER_BYTES = 4096


class ExactReader:
    """`lost` says why no more frames can be found; then all the rest is in `rest`. Knows no limit of a body."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.lost = ""

    @property
    def rest(self) -> bytes:
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        self._buffer += data
        frames: list[Frame] = []
        while not self.lost and (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        lengths: list[bytes] = []
        start = 0
        while (end := self._buffer.find(b"\n", start)) >= 0 and not self.lost:
            line = bytes(self._buffer[start:end]).removesuffix(b"\r")
            start = end + 1
            if start > _HEADER_BYTES:
                break
            if not line:
                return self._frame(lengths, start)
            header = _LINE.fullmatch(line)
            if header is None:
                self.lost = "a line is no header"
            elif header[1].lower() == b"content-length":
                lengths.append(header[2].strip(b" \t"))
                self._check(lengths)
        if len(self._buffer) > _HEADER_BYTES and not self.lost:
            self.lost = "the header block is too long"
        return None

    def _check(self, lengths: list[bytes]) -> None:
        if len(lengths) > 1:
            self.lost = "two lengths"
        elif not _LENGTH.fullmatch(lengths[0]):
            self.lost = "the length is none"

    def _frame(self, lengths: list[bytes], start: int) -> Frame | None:
        if not lengths:
            self.lost = "a header block without a length"
            return None
        end = start + int(lengths[0])
        if len(self._buffer) < end:
            return None
        frame = Frame(bytes(self._buffer[start:end]), bytes(self._buffer[:start]))
        del self._buffer[:end]
        return frame


class ExactLineReader(LineReader):
    """Line framing; a line that is no object is a body too, and answered with ParseError."""

    lost = ""
    plain_lines_are_bodies = True


def exact_reader(framing: Framing) -> Reader:
    """A reader for what is sent to a plugin."""
    return ExactLineReader() if framing is Framing.LINE else ExactReader()
