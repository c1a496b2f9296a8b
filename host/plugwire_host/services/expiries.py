"""What ends when: the ends of leases and of the times of values, and the one timer that waits for the next. Spec 10."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", int, str)

_FEW = 64
_LONGEST_NAP = 3600.0
"""Seconds: no timer is set for longer, because the clock of the day may be put right meanwhile."""


class Expiries(Generic[KeyT]):
    """Keys and their times, of which there is one for each key. In whatever unit and clock its owner counts."""

    def __init__(self) -> None:
        self._times: dict[KeyT, float] = {}
        self._heap: list[tuple[float, KeyT]] = []  # with times that count no more, which are skipped

    def set(self, key: KeyT, time: float) -> None:
        self._times[key] = time
        if len(self._heap) > _FEW + 2 * len(self._times):
            # Who sets the time of one key again and again must not make the heap grow.
            self._heap = [(time, key) for key, time in self._times.items()]
            heapq.heapify(self._heap)
        else:
            heapq.heappush(self._heap, (time, key))

    def discard(self, key: KeyT) -> None:
        self._times.pop(key, None)

    def next(self) -> float | None:
        """The earliest time."""
        heap = self._heap
        while heap and self._times.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def due(self, now: float) -> list[KeyT]:
        """The keys whose time has come, the earliest first; they are gone from here."""
        found = []
        while (earliest := self.next()) is not None and earliest <= now:
            _, key = heapq.heappop(self._heap)
            del self._times[key]
            found.append(key)
        return found


class Alarm:
    """Calls ``ring`` when the time comes, or a little earlier: who is rung looks at the clock, and sets it again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def set(self, delay: float | None) -> None:
        """In so many seconds; None: there is nothing to wait for. An earlier time that is set already may stay."""
        if delay is None:
            return
        due = self._loop.time() + min(max(delay, 0.0), _LONGEST_NAP)
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._ring()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
