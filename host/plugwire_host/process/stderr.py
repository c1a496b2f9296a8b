"""A plugin's standard error: read at all times, kept within bounds, handed on line by line. Spec LOG-03 to LOG-05.

What is left out is counted and told. It does not decide where lines go, nor does it make them harmless to a terminal
(LOG-06): both are for whoever shows them.
"""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO, Final

LINE_BYTES: Final = 64 * 1024
TAIL_LINES: Final = 50
TAIL_LINE_BYTES: Final = 4 * 1024
FORWARDED_BYTES: Final = 1 << 20
"""What is handed on within one second; lines beyond that are counted."""

_WINDOW = 1.0


class StderrDrain(asyncio.Protocol):
    """Reads to the end, whatever ``on_line`` does. ``on_line`` gets each line without its end, on the loop, in order.

    Its owner calls ``close`` when the process is gone: a grandchild may keep the pipe open for ever. The last line is
    handed on even when nothing ended it. All methods belong to the loop's thread.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._finished = asyncio.Event()
        self._tail: deque[tuple[bytes, int]] = deque(maxlen=TAIL_LINES)
        self._line = bytearray()  # the beginning of the line that is not yet complete
        self._cut = 0  # bytes of it that were thrown away
        self._budget = FORWARDED_BYTES
        self._left_out = 0
        self._window: asyncio.TimerHandle | None = None

    @property
    def tail(self) -> deque[str]:
        """The last 50 lines, each of at most 4 KiB; also those that were not handed on."""
        lines = list(self._tail)
        if self._line:
            lines.append(_cut(bytes(self._line), self._cut, TAIL_LINE_BYTES))
        return deque((_text(line, cut) for line, cut in lines), maxlen=TAIL_LINES)

    async def open(self, stderr: BinaryIO) -> None:
        """Start to read. The drain owns the pipe from here on."""
        self._transport, _ = await self._loop.connect_read_pipe(lambda: self, stderr)

    def close(self) -> None:
        """Stop reading; what was read is still handed on. Idempotent."""
        if self._transport is not None:
            self._transport.close()
        else:
            self._finish()

    async def wait_closed(self) -> None:
        """Until every process that could write has let go of the pipe, or the drain was closed."""
        await self._finished.wait()

    # What the loop calls

    def data_received(self, data: bytes) -> None:
        first, *rest = data.split(b"\n")
        self._extend(first)
        for part in rest:
            self._end_line()
            self._extend(part)

    def connection_lost(self, _: Exception | None) -> None:
        self._finish()

    # Lines

    def _extend(self, part: bytes) -> None:
        room = LINE_BYTES - len(self._line)
        self._line += part[:room]
        self._cut += max(0, len(part) - room)

    def _end_line(self) -> None:
        line, cut = bytes(self._line), self._cut
        self._line.clear()
        self._cut = 0
        if not cut and line.endswith(b"\r"):
            line = line[:-1]
        self._tail.append(_cut(line, cut, TAIL_LINE_BYTES))
        if self._within_rate(len(line) + 1):
            self._hand_on(_text(*_cut(line, cut, LINE_BYTES)))

    def _within_rate(self, size: int) -> bool:
        """Take a line out of this second's budget. Once one line is left out, all are until the second is over."""
        if self._window is None:
            self._budget = FORWARDED_BYTES
            self._window = self._loop.call_later(_WINDOW, self._end_window)
        if not self._left_out and size <= self._budget:
            self._budget -= size
            return True
        self._left_out += 1
        return False

    def _end_window(self) -> None:
        self._window = None
        self._tell_left_out()

    def _tell_left_out(self) -> None:
        if self._left_out:
            left_out, self._left_out = self._left_out, 0
            lines = "line" if left_out == 1 else "lines"
            self._hand_on(f"({left_out} {lines} of standard error left out)")

    def _hand_on(self, line: str) -> None:
        try:
            self._on_line(line)
        except Exception as error:
            # LOG-03: a mistake of whoever takes the lines must not stop the reading, which would stop the plugin.
            self._loop.call_exception_handler({"message": "a line could not be handed on", "exception": error})

    def _finish(self) -> None:
        if self._finished.is_set():
            return
        if self._line:
            self._end_line()
        if self._window is not None:
            self._window.cancel()
            self._window = None
        self._tell_left_out()
        self._finished.set()


def _cut(line: bytes, cut: int, limit: int) -> tuple[bytes, int]:
    """The line within a limit, not in the middle of a character, and how many bytes are missing then."""
    if not cut and len(line) <= limit:
        return line, 0
    kept = line[:limit]
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(kept)
    incomplete = len(decoder.getstate()[0])
    kept = kept[: len(kept) - incomplete]
    return kept, cut + len(line) - len(kept)


def _text(line: bytes, cut: int) -> str:
    text = line.decode("utf-8", "replace")
    return f"{text}… ({cut} bytes more)" if cut else text
