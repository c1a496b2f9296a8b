"""A plugin as the producer of one channel: batches, under the host's credit. Spec 08, Sending."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .settling import SharedAction
from .wire import ChannelClosed, ConnectionClosed, DeadlineExceeded, ErrorCode, PlugwireError, Raw, RequestError

if TYPE_CHECKING:
    from .context import Owner

BATCH_BYTES = 64 * 1024
"""A batch of so many bytes goes out at once; a smaller one on the next turn of the loop."""

Waiting = tuple[asyncio.Future[None], Raw]


class Sending:
    """One membership as a producer, from ``join`` until the channel is closed or it is left.

    What is sent in one turn of the loop goes out together, unless something else is sent before. Items keep the order
    in which they were given; whoever finds no credit waits behind those who wait already.
    """

    def __init__(self, owner: Owner, handle: str, on_change: Callable[[], None]) -> None:
        self.joined = False
        self._on_change = on_change
        self._owner = owner
        self._handle = handle
        self._joining = SharedAction(self._join, on_change)
        self._ended: Exception | None = None
        self._most_bytes = 0
        self._credit_items = self._credit_bytes = 0
        self._next_seq = 1
        self._batch: list[Raw] = []
        self._batch_bytes = 0
        self._waiting: deque[Waiting] = deque()

    async def join(self) -> None:
        """Be a producer, unless it is one. It goes on when whoever asked first is cancelled: the host has heard it."""
        if self.joined or self._ended is not None:
            return
        await self._joining.wait()

    async def _join(self) -> None:
        params = {"channel": self._handle, "role": "producer"}
        told = await self._owner.call("channel/join", params, timeout=None)
        self._most_bytes = told["maxItemBytes"]
        self._credit_items, self._credit_bytes = told["credit"]["items"], told["credit"]["bytes"]
        self._next_seq = 1
        self.joined = True

    # Sending

    def try_send(self, raw: Raw) -> bool:
        """Send an item if there is credit for it and nothing against it; else ``send`` says what there is."""
        size = len(raw)
        if self._credit_items < 1 or self._credit_bytes < 1 or size > self._most_bytes:
            return False
        self._put(raw, size)
        return True

    async def send(self, raw: Raw, limit: float) -> None:
        """Send an item, within ``limit`` seconds. Cancelled or out of time, it was not sent.

        Raises ChannelClosed, and RequestError for an item that is too large.
        """
        loop = self._owner.loop
        until = loop.time() + limit
        await self.join()
        if self._ended is not None:
            raise again(self._ended)
        self._check_size(raw)
        if self.try_send(raw):
            return
        waiting: Waiting = (loop.create_future(), raw)
        self._waiting.append(waiting)
        timer = loop.call_at(until, self._expire, waiting[0], limit)
        try:
            await waiting[0]
        finally:
            timer.cancel()
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def _expire(self, waiting: asyncio.Future[None], limit: float) -> None:
        if not waiting.done():
            waiting.set_exception(DeadlineExceeded(f"the channel stayed full for {limit:.3g} s"))

    def _check_size(self, raw: Raw) -> None:
        if len(raw) > self._most_bytes:
            raise RequestError(
                f"an item of {len(raw)} bytes is larger than this channel takes: {self._most_bytes}",
                code=ErrorCode.PAYLOAD_TOO_LARGE,
                data={"size": len(raw), "limit": self._most_bytes},
            )

    def _put(self, raw: Raw, size: int) -> None:
        self._credit_items -= 1
        self._credit_bytes -= size
        if self._batch_bytes + size > BATCH_BYTES:
            self.flush()
        self._batch.append(raw)
        self._batch_bytes += size
        if len(self._batch) == 1:
            self._owner.do_first(self.flush)

    def flush(self) -> None:
        """What was put goes out."""
        if not self._batch:
            return
        params = {"channel": self._handle, "seq": self._next_seq, "items": self._batch}
        self._next_seq += len(self._batch)
        self._batch = []
        self._batch_bytes = 0
        try:
            self._owner.notify("channel/send", params)
        except PlugwireError as error:  # the plugin is stopping, or has stopped
            self.end(error)

    # What the host says

    def receive_credit(self, items: int, size: int) -> None:
        self._credit_items += items
        self._credit_bytes += size
        while self._waiting and self._credit_items > 0 and self._credit_bytes > 0:
            future, raw = self._waiting.popleft()
            if not future.done():
                self._put(raw, len(raw))
                future.set_result(None)

    def receive_closed(self, error: dict[str, Any] | None, taken: int | None) -> None:
        self.flush()
        lost = 0 if taken is None else self._next_seq - 1 - taken
        self.end(channel_closed(error, f"; the last {lost} items that were sent came too late" if lost > 0 else ""))

    def end(self, error: Exception) -> None:
        """It is over for good: whoever waits ends with the error."""
        self.joined = False
        self._credit_items = 0
        self._ended = error
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(again(error))
                future.exception()  # seen: whoever was cancelled will not look
        self._on_change()

    async def leave(self) -> None:
        """Be no producer any more; it may be one again."""
        await self._joining.wait_idle()
        if self.joined:
            self.joined = False
            self._credit_items = 0
            self._on_change()
            await self._owner.call("channel/leave", {"channel": self._handle, "role": "producer"}, timeout=None)


def again(error: Exception) -> Exception:
    """The same error to raise once more: one exception that is raised by many would collect all their tracebacks."""
    if isinstance(error, RequestError):
        return RequestError.of(error.code, error.message, error.data)
    return ConnectionClosed(str(error))


def channel_closed(error: dict[str, Any] | None, more: str = "") -> ChannelClosed:
    """What a closed channel raises; its data is as the host's own answer has it (CHN-40)."""
    if error is None:
        return ChannelClosed(f"the channel is closed{more}")
    return ChannelClosed(f"the channel is closed: {error.get('message')}{more}", data={"error": error})
