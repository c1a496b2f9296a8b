"""What a host keeps of events that have been: retained ones, and the last few for a replay. Spec EVT-29 to EVT-33."""

from __future__ import annotations

from collections import deque

from plugwire.wire import QuotaExceeded

from .subscriptions import MIB, Published
from .topics import matches

RETAINED_EVENTS, RETAINED_BYTES = 4096, 16 * MIB
REPLAY_EVENTS, REPLAY_BYTES = 1024, 8 * MIB


class RetainedEvents:
    """The last retained event of each topic, in the order of publication."""

    def __init__(self) -> None:
        self._events: dict[str, Published] = {}
        self._bytes = 0
        self._of: dict[str, tuple[int, int]] = {}  # publisher → events and bytes

    def __len__(self) -> int:
        return len(self._events)

    def check(self, event: Published) -> None:
        """Raises QuotaExceeded for an event that may not be kept (EVT-31)."""
        old = self._events.get(event.topic)
        old_size = 0 if old is None else len(old.tail)
        events = len(self._events) + (old is None)
        total = self._bytes - old_size + len(event.tail)
        if events > RETAINED_EVENTS or total > RETAINED_BYTES:
            raise _full("the host keeps", RETAINED_EVENTS, RETAINED_BYTES)
        own_events, own_bytes = self._of.get(event.sender, (0, 0))
        if old is not None and old.sender == event.sender:
            own_events, own_bytes = own_events - 1, own_bytes - old_size
        if own_events + 1 > RETAINED_EVENTS // 2 or own_bytes + len(event.tail) > RETAINED_BYTES // 2:
            raise _full(f"{event.sender!r} may have", RETAINED_EVENTS // 2, RETAINED_BYTES // 2)

    def keep(self, event: Published) -> None:
        self.clear(event.topic)
        self._events[event.topic] = event
        self._count(event, 1)

    def clear(self, topic: str) -> None:
        event = self._events.pop(topic, None)
        if event is not None:
            self._count(event, -1)

    def _count(self, event: Published, sign: int) -> None:
        size = len(event.tail) * sign
        self._bytes += size
        events, total = self._of.get(event.sender, (0, 0))
        if events + sign:
            self._of[event.sender] = (events + sign, total + size)
        else:
            del self._of[event.sender]

    def matching(self, pattern: str) -> list[Published]:
        """Those whose topic a pattern stands for."""
        return [event for event in self._events.values() if matches(pattern, event.topic)]


class RecentEvents:
    """The last events of all topics."""

    def __init__(self) -> None:
        self._events: deque[Published] = deque()
        self._bytes = 0

    def add(self, event: Published) -> None:
        self._events.append(event)
        self._bytes += len(event.tail)
        while len(self._events) > REPLAY_EVENTS or self._bytes > REPLAY_BYTES:
            self._bytes -= len(self._events.popleft().tail)

    def last(self, pattern: str, count: int) -> list[Published]:
        """The last so many whose topic a pattern stands for, the oldest first."""
        found: list[Published] = []
        for event in reversed(self._events):
            if len(found) >= count:
                break
            if matches(pattern, event.topic):
                found.append(event)
        return found[::-1]


def _full(whose: str, events: int, size: int) -> QuotaExceeded:
    mend = "clear topics by retaining them without data"
    return QuotaExceeded(f"{whose} at most {events} retained events with {size} bytes; {mend}", data={"limit": events})
