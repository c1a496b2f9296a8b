"""Channels: queues that plugins share, read and written like the language's own. Spec 08.

    channel = await ctx.open_channel("files", capacity=64)      async with ctx.channel(params["work"]) as work:
    await channel.send({"path": "a.txt"})                           async for item in work:
    await channel.close()                                               …

Owns: what an author touches, and the channels of one connection. The two sides of a membership are in
channel_sending.py and channel_receiving.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakValueDictionary

from .channel_receiving import Receiving, wait_for_any
from .channel_sending import Sending, again
from .settling import settled
from .wire import ChannelClosed, ConnectionClosed, PlugwireError, Raw
from .wire.codec import decode_items, decode_members, decode_value, encode_value

if TYPE_CHECKING:
    from .context import Context, Owner

SEND_TIMEOUT = 60.0
"""Seconds that a ``send`` waits for room when it is given no time, and serves no request that has one."""


class Channel:
    """One channel, as ``open_channel`` and ``channel`` give it.

    The first ``send`` makes the plugin a producer, the first ``receive`` a consumer; leaving the ``async with`` ends
    both, and does not close the channel. A plugin is one member, however many of its tasks use the channel.

    With ``redeliver`` an item is acknowledged when the task that received it asks for the next one, leaves the
    ``async with`` without an exception, or ends. When the task fails or is cancelled, or the process ends, the item
    goes back and is delivered again; so does everything that the plugin has not acknowledged when it leaves. A handler
    of the plugin that fails counts as one that ends, so that an item which no one can handle does not come back for
    ever; use ``async with`` where it shall. Without ``redeliver``, what was delivered to a plugin and not yet received
    is lost when it leaves.
    """

    def __init__(self, client: ChannelClient, handle: str, context: Context | None) -> None:
        self.handle = handle
        self._client = client
        self._context = context
        self._member: Member | None = None

    @property
    def member(self) -> Member:
        """What the plugin has to do with the channel; for this package."""
        if self._member is None:
            self._member = self._client.member(self.handle)
        return self._member

    def __repr__(self) -> str:
        return f"<Channel {self.handle}>"

    @property
    def reference(self) -> dict[str, str]:
        """What to pass to others, in params or results, so that they may join (CHN-04)."""
        return {"$channel": self.handle}

    async def send(self, item: Any, *, timeout: float | None = None) -> None:
        """Send an item that JSON can hold; returns when it is on its way, so in a full channel when there is room.

        What is sent in one turn of the loop goes out together. ``timeout`` is in seconds; without it the time that the
        request has left counts, else 60. Raises ChannelClosed, DeadlineExceeded, ConnectionClosed, and RequestError
        for an item that is too large; then the item was not sent.
        """
        raw = encode_value(item)
        if not self.member.sending.try_send(raw):
            await self._send(raw, timeout)

    async def _send(self, raw: Raw, timeout: float | None) -> None:
        limit = self.time_left(timeout)
        await self.member.sending.send(raw, SEND_TIMEOUT if limit is None else limit)

    async def send_many(self, items: Iterable[Any], *, timeout: float | None = None) -> None:
        """``send`` each; ``timeout`` is for each. After an error those before have been sent."""
        try_send = self.member.sending.try_send
        for item in items:
            raw = encode_value(item)
            if not try_send(raw):
                await self._send(raw, timeout)

    async def receive(self, *, timeout: float | None = None) -> Any:
        """The next item. ``timeout`` is in seconds; without it the time that the request has left, else any time.

        Raises ChannelClosed when the channel is closed and drained, DeadlineExceeded, ConnectionClosed. A loop over the
        channel is faster, because it asks ahead.
        """
        return await self._receive(self.time_left(timeout), ahead=False)

    async def _receive(self, limit: float | None, *, ahead: bool) -> Any:
        receiving = self.member.receiving
        receiving.done()
        while not receiving.items:
            await receiving.join()
            if receiving.over is not None and not receiving.items:
                raise again(receiving.over)
            await wait_for_any([receiving], limit, ahead=ahead)
        return self.take()

    def __aiter__(self) -> AsyncIterator[Any]:
        """The items, until the channel is closed and drained. Raises ChannelClosed where that was with an error."""
        return self

    async def __anext__(self) -> Any:
        member = self._member or self.member
        if member.receiving.items:
            return member.receiving.take(self._context)  # the quick way through a batch
        try:
            return await self._receive(self.time_left(None), ahead=True)
        except ChannelClosed as closed:
            if closed.data is None:
                raise StopAsyncIteration from None
            raise

    async def close(self, error: str | None = None) -> None:
        """No more items: consumers get what is there, and then the end, or ChannelClosed with ``error``. Idempotent.

        Raises RequestError (PermissionDenied) for whoever is neither a member nor an opener.
        """
        told = {} if error is None else {"error": {"message": error}}
        await self._client.call("channel/close", {"channel": self.handle, **told}, self._context)

    async def leave(self) -> None:
        """Be no member any more. What was sent is delivered all the same."""
        try:
            await self.member.receiving.leave()
        finally:
            await self.member.sending.leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.member.receiving.done()
        with suppress(PlugwireError):  # whoever leaves does not mind that it is over
            await self.leave()

    def time_left(self, timeout: float | None) -> float | None:
        """``timeout``, or less if the request that the channel is used for has less."""
        left = None if self._context is None else self._context.time_left()
        return left if timeout is None else timeout if left is None else min(timeout, left)

    def take(self) -> Any:
        """The next item, of those that are here; for this package."""
        return self.member.receiving.take(self._context)


class Select:
    """Several channels to receive from, in turn: ``async for channel, item in select(a, b)``; see ``select``."""

    def __init__(self, channels: tuple[Channel, ...]) -> None:
        self._channels = list(channels)

    async def receive(self, *, timeout: float | None = None) -> tuple[Channel, Any]:
        """The channel and its next item. Raises ChannelClosed when all are closed and drained, or one with an error."""
        for channel in self._channels:
            channel.member.receiving.done()
        while True:
            for channel in list(self._channels):
                receiving = channel.member.receiving
                await receiving.join()
                if receiving.items:
                    self._channels.remove(channel)
                    self._channels.append(channel)  # the others first, next time
                    return channel, channel.take()
                if receiving.over is not None:
                    self._drop(channel, receiving.over)
            if not self._channels:
                raise ChannelClosed("all the channels are closed")
            limits = [channel.time_left(timeout) for channel in self._channels]
            limit = min((limit for limit in limits if limit is not None), default=None)
            await wait_for_any([channel.member.receiving for channel in self._channels], limit, ahead=True)

    def _drop(self, channel: Channel, over: Exception) -> None:
        if not isinstance(over, ChannelClosed) or over.data is not None:
            raise again(over)
        self._channels.remove(channel)

    def __aiter__(self) -> AsyncIterator[tuple[Channel, Any]]:
        return self

    async def __anext__(self) -> tuple[Channel, Any]:
        try:
            return await self.receive()
        except ChannelClosed as closed:
            if closed.data is None:
                raise StopAsyncIteration from None
            raise


def select(*channels: Channel) -> Select:
    """Receive from whichever channel has something; none of them is passed over for ever."""
    return Select(channels)


class Member:
    """What this end of the connection has to do with one channel."""

    def __init__(self, owner: Owner, handle: str, on_change: Callable[[], None]) -> None:
        self.sending = Sending(owner, handle, on_change)
        self.receiving = Receiving(owner, handle, on_change)


class ChannelClient:
    """The channels of one connection. A member is kept here while it is one, and else by the Channel objects."""

    def __init__(self, owner: Owner) -> None:
        self._closed: Exception | None = None
        self._owner = owner
        self._known: WeakValueDictionary[str, Member] = WeakValueDictionary()
        self._kept: dict[str, Member] = {}

    async def open(
        self,
        name: str | None = None,
        *,
        capacity: int = 256,
        max_bytes: int = 1048576,
        redeliver: bool = False,
        context: Context | None = None,
    ) -> Channel:
        """A new channel, or the one that is open under the name, which is then as it is (CHN-03)."""
        params: dict[str, Any] = {"capacity": capacity, "maxBytes": max_bytes, "redeliver": redeliver}
        if name is not None:
            params["name"] = name
        # One without a name would be of no use to anybody if the wait for it were cancelled.
        opened = await settled(self.call("channel/open", params, context), self._undo_open if name is None else None)
        return Channel(self, opened["channel"], context)

    async def _undo_open(self, opened: dict[str, Any]) -> None:
        await self.call("channel/close", {"channel": opened["channel"]}, None)

    def at(self, reference: str | dict[str, Any], *, context: Context | None = None) -> Channel:
        """Raises TypeError for what is no reference."""
        handle = reference.get("$channel") if isinstance(reference, dict) else reference
        if not isinstance(handle, str):
            raise TypeError(f'a channel is {{"$channel": "ch_…"}} or a handle, and {reference!r} is neither')
        return Channel(self, handle, context)

    def member(self, handle: str) -> Member:
        """The one for this channel."""
        member = self._known.get(handle)
        if member is None:
            member = self._known[handle] = Member(self._owner, handle, partial(self._keep_or_not, handle))
            if self._closed is not None:
                member.sending.end(self._closed)
                member.receiving.end(self._closed)
        return member

    def _keep_or_not(self, handle: str) -> None:
        """A side of it has joined, or is over, or has not come about."""
        member = self._known.get(handle)
        if member is not None and (member.sending.joined or member.receiving.joined):
            self._kept[handle] = member
        else:
            self._kept.pop(handle, None)

    async def call(self, method: str, params: dict[str, Any], context: Context | None) -> Any:
        return await self._owner.call(method, params, timeout=None, context=context)

    # What the host says

    def receive(self, method: str, params: Raw | None) -> None:
        if params is None:
            return
        members = decode_members(params)
        member = self._known.get(decode_value(members["channel"]))
        if member is None:
            return
        if method == "channel/deliver":
            member.receiving.receive_items(decode_items(members["items"]))
        elif method == "channel/credit":
            member.sending.receive_credit(decode_value(members["items"]), decode_value(members["bytes"]))
        elif method == "channel/closed":
            told = decode_value(params)
            if told["role"] == "producer":
                member.sending.receive_closed(told.get("error"), told.get("taken"))
            else:
                member.receiving.receive_closed(told.get("error"))

    def close(self, reason: Exception) -> None:
        self._closed = ConnectionClosed(str(reason))
        for member in list(self._known.values()):
            member.sending.end(self._closed)
            member.receiving.end(self._closed)
