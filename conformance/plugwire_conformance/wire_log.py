"""What happened in the conversations of one case, in order: bytes both ways, standard error, starts and ends.

Bounded: of a long piece, and of many entries, the beginning and the end are kept.
"""

import base64
import threading
import time

from .report import Entry

_PIECE = 4096
_FIRST, _LAST = 300, 300


class WireLog:
    """May be written by several threads. Times are in seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._left_out = 0

    def now(self) -> float:
        return time.monotonic() - self._began

    def add(self, conversation: str, kind: str, data: bytes | str) -> None:
        """Notes bytes that were "sent" or "received" or came on "stderr", or an "event" as text."""
        entry = _entry(self.now(), conversation, kind, data)
        with self._lock:
            self._entries.append(entry)
            if len(self._entries) > _FIRST + _LAST:
                del self._entries[_FIRST]
                self._left_out += 1

    def position(self) -> int:
        """How many entries there are now, those that were left out included."""
        with self._lock:
            return len(self._entries) + self._left_out

    def entries(self) -> tuple[Entry, ...]:
        """All that is kept; an event says how many were left out."""
        with self._lock:
            if not self._left_out:
                return tuple(self._entries)
            gap = Entry(self._entries[_FIRST].time, "", "event", f"{self._left_out} entries are left out here")
            return (*self._entries[:_FIRST], gap, *self._entries[_FIRST:])


def _entry(at: float, conversation: str, kind: str, data: bytes | str) -> Entry:
    if isinstance(data, str):
        return Entry(at, conversation, kind, data)
    kept, omitted = data[:_PIECE], max(0, len(data) - _PIECE)
    try:
        # A character that the cut went through is left out with the rest.
        text = kept.decode("utf-8") if not omitted else kept.decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return Entry(at, conversation, kind, base64=base64.b64encode(kept).decode("ascii"), omitted=omitted)
    return Entry(at, conversation, kind, text, omitted=omitted)
