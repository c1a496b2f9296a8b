"""A plugin as the consumer of one channel: credit, and what is done with what was received. Spec 08, Receiving."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .channel_sending import channel_closed
from .settling import SharedAction, look
from .wire import ChannelClosed, DeadlineExceeded, PlugwireError, Raw
from .wire.codec import decode_value

if TYPE_CHECKING:
    from .context import Context, Owner

MOST_ITEMS = 1024
MOST_BYTES = 1 << 20
"""What may be here, or on its way here, at a time."""
QUICK = 0.05
SLOW = 0.5
"""Seconds for which what is here should last: below the first more is asked for, above the second less."""


class Receiving:
    """One membership as a consumer. ``items`` and ``over`` say what ``take`` would do.

    How much is asked for ahead follows from how fast it is used, from one item on, so that a slow consumer keeps
    nothing from the others. With ``ahead`` False it is one, so that nothing is here that is not wanted.
    """

    def __init__(self, owner: Owner, handle: str, on_change: Callable[[], None]) -> None:
        self.joined = False
        self.over: Exception | None = None
        self._on_change = on_change
        self._owner = owner
        self._handle = handle
        self._joining = SharedAction(self._join, on_change)
        self._watchers: deque[asyncio.Future[None]] = deque()
        self._window = 1
        self._grown_at = 0.0
        self._flushing = False
        self._wanted = 0
        self._leaving: asyncio.Task[None] | None = None
        self._begin()

    def _begin(self) -> None:
        """Nothing is here, and nothing on its way."""
        self.items: deque[Raw] = deque()
        self._items_bytes = 0
        self._open_items = self._open_bytes = 0  # credit that was given and not yet used
        self._taken = self._acknowledged = 0  # the last numbers
        self._held: dict[asyncio.Task[Any] | None, int] = {}  # what each task works on
        self._followed: set[asyncio.Task[Any]] = set()  # those whose end we shall hear of
        self._redeliver = False

    async def join(self) -> None:
        """Be a consumer, unless it is one. It goes on when whoever asked first is cancelled: the host has heard it."""
        if self.joined or self.over is not None:
            return
        await self._joining.wait()

    async def _join(self) -> None:
        params = {"channel": self._handle, "role": "consumer"}
        try:
            told = await self._owner.call("channel/join", params, timeout=None)
        except ChannelClosed as closed:  # and drained: the end came before us
            self.over = closed
            return
        self._begin()
        self._redeliver = told["redeliver"]
        self.joined = True

    # Taking

    def take(self, context: Context | None) -> Any:
        """The next item, which the running task works on from here on; there has to be one."""
        raw = self.items.popleft()
        self._items_bytes -= len(raw)
        self._taken += 1
        if self._redeliver:
            self._hold(context)
        if not self._flushing:
            self._schedule_flush()
        return decode_value(raw)

    def _hold(self, context: Context | None) -> None:
        """The running task works on the item that was just taken, and is done with the one before."""
        task = asyncio.current_task()
        self._held[task] = self._taken
        if task is not None and task not in self._followed:
            self._followed.add(task)
            task.add_done_callback(partial(self._task_ended, context))

    def done(self) -> None:
        """The running task is done with its item."""
        if self._held and self._held.pop(asyncio.current_task(), None) is not None:
            self._schedule_flush()

    def _task_ended(self, context: Context | None, task: asyncio.Task[Any]) -> None:
        """A task that ended with its item in hand: done with it, or it has failed and the item goes back."""
        self._followed.discard(task)
        if task not in self._held:
            return
        if task.cancelled() or task.exception() is not None or (context is not None and context.cancelled):
            self._leaving = self._owner.loop.create_task(self.leave())
            self._leaving.add_done_callback(look)
        else:
            del self._held[task]
            self._schedule_flush()

    def watch(self, watcher: asyncio.Future[None], *, ahead: bool) -> None:
        """Resolve ``watcher`` when there is an item, or when it is over; with credit for one, or for more."""
        self._wanted = self._grow() if ahead or self._redeliver else 1
        self._watchers.append(watcher)
        self._wake()
        self._schedule_flush()

    def unwatch(self, watcher: asyncio.Future[None]) -> None:
        """It no longer waits; if it was woken for an item that is still here, somebody else is."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)
        self._wake()

    def _wake(self) -> None:
        while self._watchers and (self.items or self.over is not None):
            watcher = self._watchers.popleft()
            if not watcher.done():
                watcher.set_result(None)
                if self.over is None:
                    return

    def _grow(self) -> int:
        """How much to have here, now that nothing is."""
        now = self._owner.loop.time()
        lasted, self._grown_at = now - self._grown_at, now
        if lasted < QUICK:
            self._window = min(MOST_ITEMS, self._window * 2)
        elif lasted > SLOW:
            self._window = max(1, self._window // 2)
        return self._window

    # What goes to the host, gathered over a turn of the loop

    def _schedule_flush(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._owner.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if not self.joined:
            return
        try:
            self._send_acknowledgement()
            self._send_credit()
        except PlugwireError as error:  # the plugin is stopping, or has stopped
            self.end(error)

    def _send_acknowledgement(self) -> None:
        done = min(self._held.values(), default=self._taken + 1) - 1
        if self._redeliver and done > self._acknowledged:
            self._acknowledged = done
            self._owner.notify("channel/ack", {"channel": self._handle, "seq": done})

    def _send_credit(self) -> None:
        """Give credit when somebody waits and there is none, or ask ahead when half of what is wanted has gone."""
        items = self._wanted - self._open_items - len(self.items)
        size = MOST_BYTES - self._open_bytes - self._items_bytes
        has_none = bool(self._watchers) and (self._open_items < 1 or self._open_bytes < 1)
        has_half = self._wanted > 1 and (items * 2 >= self._wanted or size * 2 >= MOST_BYTES)
        if (has_none or has_half) and (items > 0 or size > 0):
            items, size = max(0, items), max(0, size)
            self._open_items += items
            self._open_bytes += size
            credit = {"channel": self._handle, "role": "consumer", "items": items, "bytes": size}
            self._owner.notify("channel/credit", credit)

    # What the host says

    def receive_items(self, items: list[Raw]) -> None:
        if not self.joined:
            return  # left in the meantime
        size = sum(map(len, items))
        self._open_items -= len(items)
        self._open_bytes -= size
        self._items_bytes += size
        self.items.extend(items)
        for _ in range(min(len(items), len(self._watchers))):
            self._wake()

    def receive_closed(self, error: dict[str, Any] | None) -> None:
        self.end(channel_closed(error))

    def end(self, error: Exception) -> None:
        """It is over for good, once what is here has been taken."""
        self.joined = False
        self.over = error
        self._wake()
        self._on_change()

    async def leave(self) -> None:
        """Give back what is here or in hand, where the channel delivers again."""
        await self._joining.wait_idle()
        if not self.joined:
            return
        self._flush()
        self.joined = False
        self._begin()
        for watcher in self._watchers:  # whoever still waits joins again
            if not watcher.done():
                watcher.set_result(None)
        self._on_change()
        await self._owner.call("channel/leave", {"channel": self._handle, "role": "consumer"}, timeout=None)


async def wait_for_any(receivings: list[Receiving], limit: float | None, *, ahead: bool) -> None:
    """Until one of them has an item or is over. Raises DeadlineExceeded after ``limit`` seconds."""
    loop = asyncio.get_running_loop()
    watcher: asyncio.Future[None] = loop.create_future()
    for receiving in receivings:
        receiving.watch(watcher, ahead=ahead)
    timer = None if limit is None else loop.call_later(limit, _expire, watcher, limit)
    try:
        await watcher
    finally:
        if timer is not None:
            timer.cancel()
        for receiving in receivings:
            receiving.unwatch(watcher)


def _expire(watcher: asyncio.Future[None], limit: float) -> None:
    if not watcher.done():
        watcher.set_exception(DeadlineExceeded(f"nothing was received within {limit:.3g} s"))
