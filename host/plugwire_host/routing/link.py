"""The host's end of one running plugin: its connection, its slots, and the calls on both sides of it. Spec 04.

Owns: how many calls the plugin has at a time, the queue before it, and the ids and tokens of this hop. Does not own:
where a call goes (router.py) or whether the plugin runs (supervisor.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from plugwire.connection import Connection, Tap
from plugwire.wire import (
    Arrival,
    CancelRequested,
    ErrorCode,
    ErrorObject,
    FrameTooLarge,
    Meta,
    NotificationReceived,
    Peer,
    Raw,
    RemoteProtocolError,
    RequestReceived,
    ResponseReceived,
    State,
)
from plugwire.wire.codec import UNSET, UnsetType, encode_value

from .call import Call, Outcome, Phase
from .queue import WaitingMessages

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


BACKLOG_LIMIT = 8 * 1024 * 1024
"""Bytes that a plugin has not yet read, above which new calls are refused; at twice that its connection ends."""

Pending = Call | asyncio.Future[Any]


class Switchboard(Protocol):
    """What takes a plugin's messages further; the router."""

    loop: asyncio.AbstractEventLoop

    def hand_over(self, call: Call, callee: PluginLink) -> None: ...

    def answered(self, call: Call, outcome: Raw | ErrorObject | RemoteProtocolError) -> None: ...

    def request_from(self, link: PluginLink, request: RequestReceived) -> None: ...

    def cancel(self, call: Call | None) -> None: ...

    def progress_from(self, link: PluginLink, params: Raw | None) -> None: ...

    def notification_from(self, link: PluginLink, notification: NotificationReceived) -> None: ...


class PluginLink:
    """One plugin, as the router sees it. A Caller, and the callee of calls."""

    def __init__(
        self,
        name: str,
        peer: Peer[Pending],
        router: Switchboard,
        *,
        on_report: Callable[[Arrival[Pending]], None],
        on_closed: Callable[[Exception], None],
        tap: Tap | None = None,
    ) -> None:
        self.name = name
        self.peer = peer
        self.slots = 1
        self.takes_meta = False
        self.maps_memory = False
        self.ranges: Mapping[str, SpecifierSet] = {}
        self.requests: dict[Any, Call] = {}  # the calls that this plugin has made, by its own ids
        self.waiting = WaitingMessages()
        self.connection: Connection[Pending] = Connection(
            peer, on_arrival=self._on_arrival, on_closed=on_closed, tap=tap
        )
        self._router = router
        self._on_report = on_report
        self._progress: dict[int, Call] = {}
        self._last_token = 0
        self._pumping = False

    # As a callee

    @property
    def has_free_slot(self) -> bool:
        return len(self.peer.outgoing) < self.slots and not self.waiting

    def serving(self) -> list[Call]:
        """The calls that hold this plugin's slots."""
        return [pending for pending in self.peer.outgoing.values() if isinstance(pending, Call)]

    def send(self, call: Call) -> None:
        """Hand a call to the plugin. Raises FrameTooLarge."""
        meta = self._meta(call) if self.takes_meta else None
        params: Raw | UnsetType = UNSET if call.params is None else call.params
        request_id, data = self.peer.send_request(call.method, params, call=call, meta=meta)
        call.callee_id = request_id
        call.phase = Phase.SENT
        call.params = None  # it is never sent a second time: what is in flight costs no memory for as long as it lasts
        self.connection.send(data)

    def _meta(self, call: Call) -> Meta:
        left = call.deadline - self._router.loop.time()
        meta = Meta(sender=call.caller.name, deadline_ms=max(0, int(left * 1000)))
        came = call.meta
        if came is not None:
            if came.progress is not UNSET:
                self._last_token += 1
                call.token = meta.progress = self._last_token
                self._progress[call.token] = call
            meta.traceparent, meta.tracestate = came.traceparent, came.tracestate
        return meta

    def let_go(self, call: Call) -> None:
        """The call is over for its caller; whatever of it is still here is cancelled or forgotten."""
        if call.token:
            self._progress.pop(call.token, None)
        if call.phase is Phase.QUEUED:
            if self.waiting.remove(call):
                self.pump()
        elif call.callee_id in self.peer.outgoing and not self.connection.closed:
            self.connection.send(self.peer.send_cancel(call.callee_id))

    def pump(self) -> None:
        """Send what waits, as far as there are free slots."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self.waiting and not self.connection.closed:
                head = self.waiting.head
                if isinstance(head, Call):
                    if len(self.peer.outgoing) >= self.slots:
                        break
                    self.waiting.popleft()
                    self._router.hand_over(head, self)
                else:
                    self.waiting.popleft()
                    self.send_notification(head[1], head[2])
        finally:
            self._pumping = False

    def notify(self, sender: str, method: str, params: Raw | None) -> bool:
        """A notification for the plugin, behind what the same sender has waiting (CAL-11); False when dropped."""
        if any((head.caller.name if isinstance(head, Call) else head[0]) == sender for head in self.waiting):
            if self.waiting.limit_reached(params) is not None:
                return False
            self.waiting.append((sender, method, params))
            return True
        return self.send_notification(method, params)

    @property
    def _takes_notifications(self) -> bool:
        connection = self.connection
        return not connection.closed and self.peer.state is State.READY and connection.backlog <= BACKLOG_LIMIT

    def send_notification(self, method: str, params: Any) -> bool:
        if not self._takes_notifications:
            return False
        try:
            self.connection.send(self.peer.send_notification(method, UNSET if params is None else params))
        except FrameTooLarge:
            return False
        return True

    def send_notifications(self, method: str, params: Sequence[Raw]) -> bool:
        if not self._takes_notifications:
            return False
        try:
            self.connection.send_soon(self.peer.send_notifications(method, params))
        except FrameTooLarge:
            return False
        return True

    @property
    def congested(self) -> bool:
        return self.connection.congested

    def when_drained(self, callback: Callable[[], None]) -> None:
        self.connection.when_drained(callback)

    # As a caller

    def deliver(self, call: Call, outcome: Outcome) -> None:
        """The answer to a request of this plugin (MSG-17), with the plugin's own id."""
        self.requests.pop(call.caller_id, None)
        if self.connection.closed:
            return
        try:
            if isinstance(outcome, ErrorObject):
                data = self.peer.send_error(call.caller_id, outcome)
            else:
                data = self.peer.send_result(call.caller_id, outcome)
        except FrameTooLarge as error:
            sizes = encode_value({"size": error.size, "limit": error.limit})
            data = self.peer.send_error(
                call.caller_id, ErrorObject(ErrorCode.PAYLOAD_TOO_LARGE, str(error), sizes)
            )  # ERR-06
        self.connection.send(data)
        self._end_if_it_never_reads()

    def deliver_progress(self, call: Call, value: Raw) -> None:
        if self.takes_meta and call.meta is not None:  # LIF-12
            self.send_notification("$/progress", {"token": call.meta.progress, "value": value})

    def _end_if_it_never_reads(self) -> None:
        """Answers cannot be left out; who does not take them cannot stay."""
        if self.connection.backlog > 2 * BACKLOG_LIMIT:
            self.connection.close(RemoteProtocolError(f"it has left {self.connection.backlog} bytes unread"))

    # Arrivals

    def _on_arrival(self, arrival: Arrival[Pending]) -> None:
        match arrival:
            case ResponseReceived():
                pending = arrival.call
                if type(pending) is Call:
                    if pending.token:
                        self._progress.pop(pending.token, None)
                    self._router.answered(pending, arrival.outcome)
                elif isinstance(pending, asyncio.Future) and not pending.done():
                    pending.set_result(arrival.outcome)
                if self.waiting:
                    self.pump()
            case RequestReceived():
                self._router.request_from(self, arrival)
            case CancelRequested():
                self._router.cancel(self.requests.get(arrival.id))
            case NotificationReceived():
                if arrival.method == "$/progress":
                    self._router.progress_from(self, arrival.params)
                else:
                    self._router.notification_from(self, arrival)
            case _:
                self._on_report(arrival)
                self._end_if_it_never_reads()  # a bad message was answered, too

    def progressing(self, token: object) -> Call | None:
        """The call that a token of this hop belongs to (CAL-28)."""
        return self._progress.get(token) if type(token) is int else None

    def parent_of(self, meta: Meta | None) -> Call | None:
        """The call that the plugin was serving when it made a request (CAL-17, CAL-18)."""
        if meta is not None and meta.parent is not UNSET:
            parent = self.peer.outgoing.get(meta.parent) if type(meta.parent) is int else None
            return parent if type(parent) is Call else None
        if self.slots == 1:
            return next(iter(self.serving()), None)
        return None

    # The protocol's own requests

    async def request(self, method: str, params: Any = UNSET) -> Any:
        """``initialize``, ``ping`` or ``shutdown``: the outcome as it came. The caller bounds the wait."""
        answer: asyncio.Future[Any] = self._router.loop.create_future()
        _, data = self.peer.send_request(method, params, call=answer)
        self.connection.send(data)
        return await answer
