"""Where one body ends and the next begins: what both framings share. Spec 01.

Owns: writing frames, and what a reader reports. Does not own: what a body says (codec.py). A reader is fed with
``receive_data`` and asked with ``next_frame``; it never holds more than one incomplete frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Framing(Enum):
    """How a connection's frames are cut; chosen at launch."""

    HEADER = "header"
    LINE = "line"


@dataclass(slots=True)
class Noise:
    """Bytes between frames that are not the protocol's (FRM-19); ``offset`` counts from the start of the stream."""

    data: bytes
    offset: int


@dataclass(slots=True)
class Deviation:
    """Something that a reader tolerates and a writer must not do, told once per kind (FRM-08)."""

    kind: str
    offset: int


class Reader(Protocol):
    """Bytes in; bodies, noise and deviations out. ``max_frame_bytes`` may change between frames."""

    max_frame_bytes: int

    def receive_data(self, data: bytes) -> None: ...

    def next_frame(self) -> bytes | Noise | Deviation | None:
        """The next thing that is complete; None when more bytes are needed. Raises RemoteProtocolError (FRM-10)."""

    def receive_eof(self) -> Noise | None:
        """The stream ended. Raises RemoteProtocolError inside a frame (FRM-18)."""

    @property
    def unread(self) -> bytes:
        """The first bytes that belong to nothing yet, for a report."""


def frame(body: bytes, framing: Framing) -> bytes:
    """The bytes of one frame (FRM-01, FRM-24)."""
    if framing is Framing.HEADER:
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    # Between tokens a line end may stand as a blank; inside a string it cannot stand at all.
    return body.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


class Buffer:
    """What has come and is not yet consumed. An incomplete frame is collected without being looked at again."""

    def __init__(self) -> None:
        self.data = b""
        self.position = 0
        self.consumed = 0  # bytes of the stream before data[0]
        self._partial = bytearray()
        self._needed = 0
        self._line_end_is_enough = False

    def add(self, data: bytes) -> None:
        if self.position < len(self.data):
            self._partial += memoryview(self.data)[self.position :]
        if self._partial:
            self._partial += data
            self.consumed += self.position
            self.data, self.position = b"", 0
            if len(self._partial) < self._needed and not (self._line_end_is_enough and b"\n" in data):
                return
            data = bytes(self._partial)
            self._partial.clear()
        else:
            self.consumed += self.position
        self.data, self.position, self._needed = data, 0, 0

    def wait_for(self, length: int, *, or_line_end: bool = False) -> None:
        """Nothing more can be read before ``length`` unread bytes are there, or a line end comes."""
        self._needed = length
        self._line_end_is_enough = or_line_end

    @property
    def offset(self) -> int:
        return self.consumed + self.position

    @property
    def unread(self) -> bytes:
        return self.data[self.position :] or bytes(self._partial)


def quote(data: bytes) -> str:
    """The first bytes for a message, harmless to a terminal."""
    shown = ascii(data[:80])[1:]
    return shown + "…" if len(data) > 80 else shown
