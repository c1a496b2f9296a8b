"""Reading header framing: ``Content-Length`` and what may stand around it. Spec 01."""

from __future__ import annotations

import re

from ._codes import MAX_FRAME_BYTES, MAX_HEADER_BYTES, MAX_NOISE_BYTES
from .errors import RemoteProtocolError
from .framing import Buffer, Deviation, Noise, quote

_HEADER_LINE = re.compile(rb"([!-9;-~]+):[ \t]*(.*?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,10}")
# FRM-20: a canonical header that an unfinished line of noise runs into, as far as it has come.
_GLUED_HEADER = re.compile(rb"Content-Length: [0-9]{1,10}\r\n(?:(\r\n)|\r?\Z)")
_LONGEST_GLUED_LINE = len("Content-Length: 4294967295\r")
_ANY_CASE_NAME = re.compile(rb"(?i)^content-length:", re.MULTILINE)


class HeaderReader:
    """Header framing. With ``tolerate_noise`` (a host) stray lines are returned as Noise; without, they end it all."""

    def __init__(self, *, tolerate_noise: bool, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self.max_frame_bytes = max_frame_bytes
        self._tolerate_noise = tolerate_noise
        self._buffer = Buffer()
        self._noise_bytes = 0
        self._found: dict[str, int] = {}  # deviations of the block that is being read
        self._untold: list[Deviation] = []
        self._told: set[str] = set()

    @property
    def unread(self) -> bytes:
        return self._buffer.unread

    def receive_data(self, data: bytes) -> None:
        self._buffer.add(data)

    def receive_eof(self) -> Noise | None:
        rest = self._buffer.unread
        if not rest:
            return None
        if self._tolerate_noise and not _ANY_CASE_NAME.search(rest):
            return self._noise(rest)
        raise RemoteProtocolError(f"the stream ended inside a frame, after {quote(rest)}")

    def next_frame(self) -> bytes | Noise | Deviation | None:
        buffer = self._buffer
        data, position = buffer.data, buffer.position
        # The one shape that writers emit (FRM-01) is read without looking at lines.
        if data.startswith(b"Content-Length: ", position):
            end = data.find(b"\r\n\r\n", position + 16, position + 30)
            if end > 0:
                digits = data[position + 16 : end]
                if digits.isdigit():
                    length = int(digits)
                    if length <= self.max_frame_bytes:
                        return self._body(length, end + 4)
        elif position == len(data):
            return None
        return self._next_frame_by_lines()

    def _body(self, length: int, start: int) -> bytes | None:
        buffer = self._buffer
        end = start + length
        if end > len(buffer.data):
            buffer.wait_for(end - buffer.position)
            return None
        buffer.position = end
        return buffer.data[start:end]

    def _length(self, digits: bytes) -> int:
        if not _LENGTH.fullmatch(digits):
            raise self._lost(f"Content-Length {quote(digits)} is not 1 to 10 decimal digits")
        length = int(digits)
        if length > self.max_frame_bytes:
            raise self._lost(f"a body of {length} bytes was announced; the limit is {self.max_frame_bytes}")
        return length

    def _next_frame_by_lines(self) -> bytes | Noise | Deviation | None:
        """Any header block that spec 01 admits, and what stands before it."""
        if self._untold:
            return self._untold.pop(0)
        self._found.clear()
        data, length = self._buffer.data, None
        # A block of header-like lines begins at `position`. What a host reads may yet turn out to be noise up to
        # `frame_start`, where Content-Length stands or may still come.
        line_start = frame_start = self._buffer.position
        while (line_end := data.find(b"\n", line_start)) >= 0:
            following = line_end + 1
            if self._is_overlong(following, line_start, length):
                return self._overlong(frame_start)
            line = self._line(line_start, line_end, length)
            if length is None and self._tolerate_noise:
                glued = _GLUED_HEADER.search(data, line_start, following + 2)
                if glued and glued.start() > line_start:
                    return self._stray(glued.start()) if glued[1] else None
            header = _HEADER_LINE.fullmatch(line)
            if header is None:
                return self._end_of_block(line, length, following)
            length = self._header(line, header, length, line_start)
            line_start = following
            if length is None:
                frame_start = following
        return self._wait_for_line_end(line_start, frame_start, length)

    def _line(self, start: int, end: int, length: int | None) -> bytes:
        line = self._buffer.data[start:end]
        if line.endswith(b"\r"):
            line = line[:-1]
        else:
            self._deviate("a header line ends with LF alone", start)
        self._check_line_ends(line, length)
        return line

    def _check_line_ends(self, line: bytes, length: int | None) -> None:
        """CR alone ends no line, so whoever writes it waits for ever; in noise it is as good as any other byte."""
        if b"\r" in line and (length is not None or not self._tolerate_noise or _ANY_CASE_NAME.match(line)):
            raise self._lost(f"CR without LF after {quote(line[: line.index(13)])}")

    def _end_of_block(self, line: bytes, length: int | None, following: int) -> bytes | Noise | Deviation | None:
        if length is None:
            why = "not a header line" if line else "a header block without Content-Length"
            return self._stray(following, why)
        if line:
            raise self._lost(f"{quote(line)} is not a header line")
        return self._tell_deviations() or self._body(length, following)

    def _wait_for_line_end(self, line_start: int, frame_start: int, length: int | None) -> Noise | None:
        """What is too long is refused before it has come to its end (FRM-15, FRM-21)."""
        buffer = self._buffer
        if self._is_overlong(len(buffer.data), line_start, length):
            return self._overlong(frame_start)
        rest = buffer.data[line_start:]
        self._check_line_ends(rest.removesuffix(b"\r"), length)
        if len(buffer.data) - buffer.position > MAX_HEADER_BYTES:
            # One line of noise, into whose end a header may yet run.
            most = MAX_NOISE_BYTES - self._noise_bytes + _LONGEST_GLUED_LINE
            if len(rest) > most:
                raise self._too_noisy(rest)
            buffer.wait_for(most + 1, or_line_end=True)
        return None

    def _is_overlong(self, end: int, line_start: int, length: int | None) -> bool:
        """FRM-15. A single line is no header block to a host before it is known to be a header."""
        block = self._buffer.position
        in_block = length is not None or line_start > block or not self._tolerate_noise
        return end - block > MAX_HEADER_BYTES and in_block

    def _header(self, line: bytes, header: re.Match[bytes], length: int | None, start: int) -> int | None:
        name, value = header[1], header[2]
        if name.lower() != b"content-length":
            self._deviate("a header other than Content-Length", start)
            return length
        if length is not None:
            raise self._lost("two Content-Length headers in one block")
        if name != b"Content-Length":
            self._deviate("Content-Length in another letter case", start)
        if line != name + b": " + value:
            self._deviate("blanks round the length", start)
        return self._length(value)

    def _overlong(self, frame_start: int) -> Noise:
        if frame_start == self._buffer.position or not self._tolerate_noise:
            raise self._lost(f"a header block of more than {MAX_HEADER_BYTES} bytes")
        return self._stray(frame_start)

    def _stray(self, end: int, why: str = "stray bytes before a header") -> Noise:
        """Everything from here to ``end`` is not the protocol's."""
        buffer = self._buffer
        stray = buffer.data[buffer.position : end]
        if not self._tolerate_noise:
            raise self._lost(f"{why}: {quote(stray)}")
        noise = self._noise(stray)
        buffer.position = end
        return noise

    def _noise(self, stray: bytes) -> Noise:
        noise = Noise(stray, self._buffer.offset)
        self._noise_bytes += len(stray)
        if self._noise_bytes > MAX_NOISE_BYTES:
            raise self._too_noisy(stray)
        return noise

    def _too_noisy(self, stray: bytes) -> RemoteProtocolError:
        return self._lost(f"more than {MAX_NOISE_BYTES} bytes of stray output, the last of it {quote(stray)}")

    def _deviate(self, kind: str, start: int) -> None:
        if kind not in self._told:
            self._found.setdefault(kind, self._buffer.consumed + start)

    def _tell_deviations(self) -> Deviation | None:
        """Only a block that turned out to be a frame's deviates; what stands in noise is just noise."""
        self._untold = [Deviation(kind, offset) for kind, offset in self._found.items()]
        self._told.update(self._found)
        return self._untold.pop(0) if self._untold else None

    def _lost(self, why: str) -> RemoteProtocolError:
        return RemoteProtocolError(f"{why} (at byte {self._buffer.offset})")
