"""When the time of each call runs out, at either end. Spec CAL-29 to CAL-31.

One timer for all calls: they stand in buckets of 1/64 second, so that a call costs two set operations and no timer of
its own, and an idle program is woken at most once after the last call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

_BUCKETS_PER_SECOND = 64


class Timed(Protocol):
    """What can run out of time: ``deadline`` is loop time, ``bucket`` is kept by Deadlines."""

    deadline: float
    bucket: int


TimedT = TypeVar("TimedT", bound=Timed)


class Deadlines(Generic[TimedT]):
    """Calls ``on_expired`` with each call that is still here when its ``deadline`` has passed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_expired: Callable[[TimedT], None]) -> None:
        self._loop = loop
        self._on_expired = on_expired
        self._buckets: dict[int, set[TimedT]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0

    def add(self, call: TimedT) -> None:
        bucket = int(call.deadline * _BUCKETS_PER_SECOND) + 1
        call.bucket = bucket
        calls = self._buckets.get(bucket)
        if calls is None:
            self._buckets[bucket] = {call}
            if self._timer is None or bucket < self._armed_for:
                self._arm(bucket)
        else:
            calls.add(call)

    def discard(self, call: TimedT) -> None:
        calls = self._buckets.get(call.bucket)
        if calls is not None:
            calls.discard(call)
            if not calls:
                del self._buckets[call.bucket]

    def close(self) -> list[TimedT]:
        """Wait for nothing more; the calls that were still here are returned."""
        left = [call for calls in self._buckets.values() for call in calls]
        self._buckets.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return left

    def _arm(self, bucket: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = bucket
        self._timer = self._loop.call_at(bucket / _BUCKETS_PER_SECOND, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time() * _BUCKETS_PER_SECOND + 0.001
        for bucket in sorted(bucket for bucket in self._buckets if bucket <= now):
            for call in self._buckets.pop(bucket, ()):
                self._on_expired(call)
        if self._buckets and self._timer is None:
            self._arm(min(self._buckets))
