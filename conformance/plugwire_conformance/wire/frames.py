"""Finds the frames in what a subject writes, and says of each whether it is as the spec wants it (chapter 01).

A reader goes on after noise and after headers that are not canonical, so that one vice does not hide all others. It
keeps every byte: what is no frame is in `Frame.noise` or in `rest`.
"""

import re
from enum import StrEnum
from typing import Protocol

from attrs import frozen

_LENGTH = re.compile(rb"(?i)content-length[ \t]*:[ \t]*([0-9]{1,10})[ \t]*\r?\n")
_HEADERS = re.compile(rb"(?:(?![{\[])[!-9;-~]+[ \t]*:[^\r\n]*\r?\n)*")
_CANONICAL = re.compile(rb"Content-Length: (?:0|[1-9][0-9]*)\r\n\r\n")


class Framing(StrEnum):
    HEADER = "header"
    LINE = "line"


@frozen
class Frame:
    """One body; `header` is what stood around it as framing, `noise` what came before and is no part of any frame."""

    body: bytes
    header: bytes = b""
    noise: bytes = b""
    #: The header, or the end of the line, is just as FRM-01 or FRM-24 demands.
    canonical: bool = True


class Reader(Protocol):
    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now."""
        ...

    @property
    def rest(self) -> bytes:
        """What has come and is no whole frame yet."""
        ...


class HeaderReader:
    """Reads header framing."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def rest(self) -> bytes:
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        length = _LENGTH.search(self._buffer)
        if length is None:
            return None
        start = self._start_of_block(length.start())
        end = self._end_of_block(length.end())
        size = int(length[1])
        if end is None or len(self._buffer) < end + size:
            return None
        noise, header = bytes(self._buffer[:start]), bytes(self._buffer[start:end])
        frame = Frame(bytes(self._buffer[end : end + size]), header, noise, _CANONICAL.fullmatch(header) is not None)
        del self._buffer[: end + size]
        return frame

    def _start_of_block(self, found: int) -> int:
        """Where the header block begins: other headers directly before Content-Length belong to it."""
        headers = _HEADERS.match(self._buffer, 0, found)
        return 0 if headers is not None and headers.end() == found else found

    def _end_of_block(self, position: int) -> int | None:
        headers = _HEADERS.match(self._buffer, position)
        end = position if headers is None else headers.end()
        for blank in (b"\r\n", b"\n"):
            if self._buffer.startswith(blank, end):
                return end + len(blank)
        # Without its blank line a block ends where a body begins.
        return end if self._buffer.startswith((b"{", b"["), end) else None


class LineReader:
    """Reads line framing. An empty line is no frame; a line that is no object or array is noise."""

    plain_lines_are_bodies = False

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._noise = b""

    @property
    def rest(self) -> bytes:
        return self._noise + bytes(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        self._buffer += data
        *lines, last = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(last)
        frames = []
        for line in lines:
            body = line.removesuffix(b"\r")
            if body.startswith((b"{", b"[")) or (self.plain_lines_are_bodies and body):
                frames.append(Frame(body, b"\n", self._noise, canonical=b"\r" not in line))
                self._noise = b""
            else:
                self._noise += line + b"\n"
        return frames


def reader(framing: Framing) -> Reader:
    """A reader of that framing."""
    return LineReader() if framing is Framing.LINE else HeaderReader()


def encode(body: bytes, framing: Framing = Framing.HEADER) -> bytes:
    """The body as one canonical frame (FRM-01, FRM-24)."""
    if framing is Framing.LINE:
        return body + b"\n"
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
