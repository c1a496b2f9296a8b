"""Reading line framing: one body a line. Spec 01."""

from __future__ import annotations

from ._codes import MAX_FRAME_BYTES, MAX_NOISE_BYTES
from .errors import RemoteProtocolError
from .framing import Buffer, Deviation, Noise, quote

_BLANKS = b" \t\r"


class LineReader:
    """Line framing. A line that cannot be a message is noise when it comes ``from_plugin``, and returned as Noise or,
    without ``tolerate_noise``, the end of it all; from a host it is passed on to be answered.
    """

    def __init__(
        self, *, tolerate_noise: bool, from_plugin: bool | None = None, max_frame_bytes: int = MAX_FRAME_BYTES
    ) -> None:
        self.max_frame_bytes = max_frame_bytes
        self._from_plugin = tolerate_noise if from_plugin is None else from_plugin
        self._most_noise = MAX_NOISE_BYTES if tolerate_noise else 0
        self._buffer = Buffer()
        self._noise_bytes = 0

    @property
    def unread(self) -> bytes:
        return self._buffer.unread

    def receive_data(self, data: bytes) -> None:
        self._buffer.add(data)

    def receive_eof(self) -> Noise | None:
        rest = self._buffer.unread
        if not rest.strip(_BLANKS):
            return None
        if self._is_noise(rest):
            return self._noise(rest)
        raise RemoteProtocolError(f"the stream ended inside a line, after {quote(rest)}")

    def next_frame(self) -> bytes | Noise | Deviation | None:
        buffer = self._buffer
        while (end := buffer.data.find(b"\n", buffer.position)) >= 0:
            line = buffer.data[buffer.position : end].removesuffix(b"\r")
            self._check_length(len(line))
            line = line.strip(_BLANKS)
            if line and self._is_noise(line):
                noise = self._noise(buffer.data[buffer.position : end + 1])
                buffer.position = end + 1
                return noise
            buffer.position = end + 1
            if line:
                return line
        if buffer.position < len(buffer.data):
            self._wait_for_line_end(buffer.data[buffer.position :])
        return None

    def _wait_for_line_end(self, rest: bytes) -> None:
        """What is too long is refused before it has come to its end (FRM-21, FRM-26)."""
        # A last CR may be half of a line end.
        self._check_length(len(rest.removesuffix(b"\r")))
        length = self.max_frame_bytes + 1
        if self._is_noise(rest):
            length = min(length, self._most_noise - self._noise_bytes + 1)
            if len(rest) >= length:
                self._noise(rest)
        # Blanks alone do not show yet what the line will be, and a CR at the limit may go either way.
        if rest.strip(_BLANKS) and len(rest) < length:
            self._buffer.wait_for(length, or_line_end=True)

    def _is_noise(self, line: bytes) -> bool:
        """FRM-27."""
        return self._from_plugin and line.lstrip(_BLANKS)[:1] not in (b"{", b"[", b"")

    def _check_length(self, length: int) -> None:
        if length > self.max_frame_bytes:
            raise RemoteProtocolError(
                f"a line of more than {self.max_frame_bytes} bytes (at byte {self._buffer.offset})"
            )

    def _noise(self, stray: bytes) -> Noise:
        self._noise_bytes += len(stray)
        if self._noise_bytes > self._most_noise:
            raise RemoteProtocolError(f"stray output beyond {self._most_noise} bytes: {quote(stray)}")
        return Noise(stray, self._buffer.offset)
