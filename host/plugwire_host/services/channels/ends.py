"""The host's own end of a channel: how another service sends to a plugin, or takes from one, under credit. Spec 08.

end = channels.open_for_host(on_closed, capacity=8)   # and pass end.reference to the plugin
end.start_sending(on_writable)                        # then end.send_nowait(item) until it is False, …
end.start_receiving(on_item)                          # or get each item; credit goes back as on_item returns
end.close()                                           # the plugin gets what is there, and then the end
end.abandon()                                         # or nothing more: it has ended, or never came
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from plugwire.wire import Raw

from .outlet import told_error
from .queue import Channel


class Channels(Protocol):
    """What an end asks of the service."""

    def join_host_end(self, end: HostEnd, role: str, items: int = 0, size: int = 0) -> dict[str, Any]: ...

    def act_for_host_end(self, end: HostEnd, act: Callable[[Channel], None]) -> None: ...


class HostEnd:
    """A member of one channel that lives in the host; its functions are called on later turns of the loop.

    Whoever has ``handle`` is at the other end. ``on_closed`` is called once, with None or the reason, when somebody
    else has closed the channel: for a sender at once, for a receiver when it has got everything. A plugin that ends
    while it is the last producer closes it (CHN-34). A consumer that ends does not: whoever sends has to look after
    that and call ``abandon``.
    """

    name = "host"
    congested = False

    def __init__(self, channels: Channels, handle: str, on_closed: Callable[[str | None], None]) -> None:
        self.handle = handle
        self.reference = {"$channel": handle}
        self._channels = channels
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._credit_items = self._credit_bytes = 0
        self.max_item_bytes = 0
        """Bytes of the largest item that may be sent, once it is a producer."""
        self._next_seq = 1
        self._on_writable: Callable[[], None] | None = None
        self._on_item: Callable[[Raw], None] | None = None
        self._over = False

    def start_sending(self, on_writable: Callable[[], None]) -> None:
        """Be a producer. ``on_writable`` is called when ``send_nowait`` may go on after it was False."""
        answer = self._channels.join_host_end(self, "producer")
        credit, self.max_item_bytes = answer["credit"], answer["maxItemBytes"]
        self._credit_items, self._credit_bytes = credit["items"], credit["bytes"]
        self._on_writable = on_writable

    def send_nowait(self, item: Raw) -> bool:
        """Send one item (JSON). False: not sent, for want of credit or because it is over.

        Raises RequestError (PayloadTooLarge) for an item that never fits.
        """
        if self._over or self._credit_items < 1 or self._credit_bytes < 1:
            return False
        seq = self._next_seq
        self._next_seq += 1
        self._credit_items -= 1
        self._credit_bytes -= len(item)
        self._channels.act_for_host_end(
            self, lambda channel: None if channel.closed else channel.send(self, seq, [item])
        )
        return True

    def start_receiving(self, on_item: Callable[[Raw], None], *, items: int = 8, size: int = 1 << 20) -> None:
        """Be a consumer, with a window of so many items and bytes."""
        self._on_item = on_item
        self._channels.join_host_end(self, "consumer", items, size)

    def count_sent(self) -> int:
        """How many items others have sent until now, whether ``on_item`` has got them or is still to get them."""
        counted = 0

        def act(channel: Channel) -> None:
            nonlocal counted
            consumer = channel.consumers.get(self)
            counted = channel.held + (0 if consumer is None else consumer.next_seq - 1)

        self._channels.act_for_host_end(self, act)
        return counted

    def close(self, error: str | None = None) -> None:
        """Close the channel. Nothing is called after this."""
        if not self._over:
            self._over = True
            told = None if error is None else told_error(error)
            self._channels.act_for_host_end(self, lambda channel: channel.close(told))

    def abandon(self, error: str = "it was abandoned") -> None:
        """Close the channel, and drop what is in it, which nobody takes for the end. Nothing is called after this."""

        def act(channel: Channel) -> None:
            channel.close(told_error(error))
            channel.error = told_error(error)
            channel.discard()

        self._over = True
        self._channels.act_for_host_end(self, act)

    @property
    def is_drained(self) -> bool:
        """Whether the channel is closed, and others have got everything that was in it."""
        drained = True

        def act(channel: Channel) -> None:
            nonlocal drained
            drained = channel.closed and channel.drained

        self._channels.act_for_host_end(self, act)
        return drained

    # As a member

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._loop.call_soon(callback)

    def send_notification(self, method: str, params: Any) -> bool:
        """What the service has to say; not acted on from within the service."""
        self._loop.call_soon(self._receive, method, params)
        return True

    def _receive(self, method: str, params: dict[str, Any]) -> None:
        if self._over:
            return
        if method == "channel/deliver" and self._on_item is not None:
            items: list[Raw] = params["items"]
            for item in items:
                self._on_item(item)
            size = sum(map(len, items))
            self._channels.act_for_host_end(self, lambda channel: channel.credit(self, len(items), size))
        elif method == "channel/credit" and self._on_writable is not None:
            self._credit_items += params["items"]
            self._credit_bytes += params["bytes"]
            self._on_writable()
        elif method == "channel/closed":
            self._over = True
            error = params.get("error")
            self._on_closed(None if error is None else error["message"])
