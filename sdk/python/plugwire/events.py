"""Events: publishing them, and subscriptions as something to iterate. Spec 06.

Owns: the subscriptions of one connection. Does not own: who gets what, which the host decides; the handlers of
``on_event`` (event_handlers.py). An event is acknowledged when it has been dealt with, so at most 64 of a subscription
wait here.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .wire import ConnectionClosed, PlugwireError, Raw, RequestError
from .wire.codec import decode_value

if TYPE_CHECKING:
    from .context import Context, Owner
    from .declarations import Policy
    from .event_handlers import EventHandlers

LARGEST_WINDOW = 64

_hops: contextvars.ContextVar[int] = contextvars.ContextVar("plugwire_event_hops", default=0)
"""What an event that is published now has as ``hops``: it is because of the one that is being handled (EVT-08)."""


class SubscriptionEnded(PlugwireError):
    """The host has ended a subscription, as its policy ``disconnect`` says; ``missed`` events came in too late."""

    def __init__(self, topic: str, reason: str, missed: int) -> None:
        super().__init__(f"the subscription to {topic} has ended: {reason}; {missed} events were missed")
        self.reason = reason
        self.missed = missed


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one subscription.

    ``data`` is a plain JSON value, None where there is none. ``sender`` is the publisher's instance name, or "host".
    ``seq`` counts the events of the subscription from 1; ``missed`` says how many were left out directly before this
    one. A ``past`` event was published before the subscription was made. ``hops`` events have led to it.
    """

    topic: str
    data: Any
    sender: str
    seq: int
    missed: int = 0
    past: bool = False
    hops: int = 0


class Subscription:
    """Events as they come, once: ``async with plugin.subscribe("document.>") as events: async for event in events: …``

    Iterating raises SubscriptionEnded when the host has ended it, and ConnectionClosed. What is published in the body
    of the loop counts as published because of the event (EVT-08).
    """

    def __init__(self, client: EventClient, params: dict[str, Any], context: Context | None) -> None:
        self.topic: str = params["topic"]
        self.declared = False
        """Whether anybody declares a topic that the pattern could match."""
        self.missed = 0
        """How many events were left out so far, those included of which the end has told."""
        self._client = client
        self._params = params
        self._context = context
        self._number = 0
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self._end: Exception | None = None
        self._in_hand = 0  # the seq of the event that is being dealt with
        self._unacknowledged = 0
        self._hops_before = 0

    async def __aenter__(self) -> Self:
        """Subscribe. Raises RequestError: InvalidParams for a bad pattern, QuotaExceeded."""
        if self._number or self._end is not None:
            raise RuntimeError(f"the subscription to {self.topic} was used before; make another one")
        self._hops_before = _hops.get()
        await self._client.open(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _hops.set(self._hops_before)
        if self._end is None:
            self._end = StopAsyncIteration()
            self.missed += await self._client.unsubscribe(self._number)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if not self._number:
            raise RuntimeError(f"the subscription to {self.topic} begins with `async with`")
        self._acknowledge()
        while not self._events:
            if self._end is not None:
                raise self._end
            self._news.clear()
            await self._news.wait()
        event = self._events.popleft()
        self._in_hand = event.seq
        self.missed += event.missed
        _hops.set(event.hops + 1)
        return event

    def _acknowledge(self) -> None:
        if self._in_hand:
            self._unacknowledged += 1
            if 2 * self._unacknowledged >= self._params["window"] and self._end is None:
                self._client.acknowledge(self._number, self._in_hand)
                self._unacknowledged = 0
            self._in_hand = 0

    # What the client tells

    async def subscribe(self, owner: Owner) -> int:
        """Ask the host; the number of the subscription."""
        answer = await owner.call("event/subscribe", self._params, timeout=None, context=self._context)
        self._number, self.declared = answer["subscription"], answer["declared"]
        return self._number

    def receive(self, event: Event) -> None:
        self._events.append(event)
        self._news.set()

    def ended(self, reason: Exception, missed: int = 0) -> None:
        """No event comes any more; those that are here are still given."""
        if self._end is None:
            self._end = reason
            self.missed += missed
            self._news.set()


class EventClient:
    """The events of one connection."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._subscriptions: dict[int, Subscription] = {}
        self._closed: Exception | None = None
        self._handlers: EventHandlers | None = None
        self._opening: set[asyncio.Task[None]] = set()

    async def publish(
        self,
        topic: str,
        data: Any = None,
        *,
        retain: bool = False,
        key: str | None = None,
        context: Context | None = None,
    ) -> int:
        """How many subscriptions it went to. Raises RequestError."""
        params: dict[str, Any] = {"topic": topic}
        if data is not None:
            params["data"] = data
        if retain:
            params["retain"] = True
        if key is not None:
            params["key"] = key
        if hops := _hops.get():
            params["hops"] = hops
        answer = await self._owner.call("event/publish", params, timeout=None, context=context)
        # A host's own application is answered at once. Its loop has to turn all the same, or no event would leave.
        await asyncio.sleep(0)
        return int(answer["subscribers"])

    def subscribe(
        self,
        topic: str,
        *,
        policy: Policy = "dropOldest",
        buffer: int = 1024,
        replay: int = 0,
        context: Context | None = None,
    ) -> Subscription:
        """A subscription that begins with ``async with``."""
        window = max(1, min(buffer, LARGEST_WINDOW))
        params = {"topic": topic, "policy": policy, "buffer": buffer, "window": window, "replay": replay}
        return Subscription(self, params, context)

    def started(self) -> None:
        """The connection is ready, or more has been declared: subscribe for the handlers of ``on_event``."""
        if self._handlers is None:
            from .event_handlers import EventHandlers

            self._handlers = EventHandlers(self._owner, self)
        self._handlers.start()

    # What subscriptions ask

    async def open(self, subscription: Subscription) -> None:
        """Make it known to the host. One whose maker stops waiting is taken back as soon as the host has answered."""
        opening = self._start(self._open(subscription))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(partial(self._take_back, subscription))
            raise

    async def _open(self, subscription: Subscription) -> None:
        number = await subscription.subscribe(self._owner)
        self._subscriptions[number] = subscription
        if self._closed is not None:  # while the answer was on its way
            self.close(self._closed)

    def _take_back(self, subscription: Subscription, opening: asyncio.Task[None]) -> None:
        if not opening.cancelled() and opening.exception() is None and self._closed is None:
            self._start(subscription.__aexit__(None, None, None))

    async def unsubscribe(self, number: int) -> int:
        """How many events were missed at the end."""
        self._subscriptions.pop(number, None)
        try:
            answer = await self._owner.call("event/unsubscribe", {"subscription": number}, timeout=None)
        except (ConnectionClosed, RequestError):
            return 0  # it has ended already, and that is all that was wanted
        return int(answer.get("missed", 0))

    def acknowledge(self, number: int, seq: int) -> None:
        self._owner.notify("event/ack", {"subscription": number, "seq": seq})

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._owner.loop.create_task(coroutine)
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return task

    # What the host sends

    def receive(self, method: str, params: Raw | None) -> None:
        """``event/deliver`` or ``event/ended``. One of a subscription that is gone has no effect."""
        told = decode_value(params if params is not None else b"{}")
        subscription = self._subscriptions.get(told["subscription"])
        if subscription is None:
            return
        if method == "event/deliver":
            more = told.get("missed", 0), told.get("past", False), told.get("hops", 0)
            subscription.receive(Event(told["topic"], told.get("data"), told["from"], told["seq"], *more))
        elif method == "event/ended":
            del self._subscriptions[told["subscription"]]
            ended = SubscriptionEnded(subscription.topic, told["reason"], told["missed"])
            subscription.ended(ended, ended.missed)

    def close(self, reason: Exception) -> None:
        """The connection has ended."""
        self._closed = reason
        for subscription in self._subscriptions.values():
            subscription.ended(ConnectionClosed(str(reason)))
        self._subscriptions.clear()
        if self._handlers is not None:
            self._handlers.close()
