"""The way of every message through the host. Spec 04.

Every call that is taken gets exactly one outcome, through ``finish``; nothing else answers a caller. Payloads are
forwarded as the bytes that came (MSG-25).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from plugwire.deadlines import Deadlines
from plugwire.requests import error_object
from plugwire.wire import (
    CallCycle,
    DeadlineExceeded,
    ErrorCode,
    ErrorObject,
    FrameTooLarge,
    NotificationReceived,
    Overloaded,
    PluginUnavailable,
    Raw,
    RemoteProtocolError,
    RequestCancelled,
    RequestError,
    RequestReceived,
    State,
)
from plugwire.wire.codec import UNSET, MalformedJson, decode_value, encode_value

from .call import Call, Outcome, Phase, crashed
from .cycles import find_cycle
from .link import BACKLOG_LIMIT, PluginLink
from .registry import Registry
from .service_calls import ServiceCalls

LONGEST_TIME = 2**31 / 1000 - 1
"""Seconds: a little less than what ``deadlineMs`` can say."""


_CAUSE_HAS_ENDED = "the call that caused this one has ended"


class Local(Protocol):
    """Whoever serves the application's own methods."""

    def start(self, call: Call) -> None: ...


class Router:
    """Takes calls and notifications from plugins and from the application, and ends every call."""

    def __init__(
        self,
        registry: Registry,
        *,
        default_timeout: float,
        on_dropped: Callable[[str, str], None],
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.registry = registry
        self.default_timeout = default_timeout
        self.local: Local | None = None
        self._deadlines: Deadlines[Call] = Deadlines(self.loop, self._expired)
        self.warn = on_dropped
        """Tell people about a plugin, by its name."""
        self.services = ServiceCalls(self.finish, self._deadlines.add, on_dropped)
        self.timeouts: dict[str, float] = {}
        """The default time of a call to a plugin, where its configuration gives one."""

    # From plugins

    def request_from(self, link: PluginLink, request: RequestReceived) -> None:
        call = Call(link, request.id, request.method, request.params, request.meta)
        link.requests[request.id] = call
        parent = link.parent_of(request.meta)
        if parent is not None and not self._clears_up(request, parent):
            parent.adopt(call)
        limit = None if request.meta is None or request.meta.deadline_ms is UNSET else request.meta.deadline_ms / 1000
        self.take(call, limit)

    def _clears_up(self, request: RequestReceived, parent: Call) -> bool:
        """Whether a plugin that is still busy with a cancelled call gives back what it held (CAL-18 only guesses)."""
        is_guess = request.meta is None or request.meta.parent is UNSET
        return is_guess and parent.done and request.method in self.services.answers

    def notification_from(self, link: PluginLink, notification: NotificationReceived) -> None:
        if notification.method in self.services.takers:
            self.services.take(link, notification)
        else:
            self._notify(link.name, notification.method, notification.params, link.ranges)

    def notify_from_host(self, method: str, params: Raw | None) -> None:
        """A notification of the application's."""
        self._notify("host", method, params, {})

    def _notify(self, sender: str, method: str, params: Raw | None, ranges: Mapping[str, Any]) -> None:
        try:
            callee, wire_method = self.registry.choose(method, sender, ranges)
        except RequestError as error:
            self.warn(sender, f"the notification {method} was dropped: {error.message}")
            return
        if callee is None:
            self.warn(sender, f"the notification {method} was dropped: the host takes requests only")
        elif not callee.notify(sender, wire_method, params):
            why = f"{callee.name!r} does not read fast enough"
            self.warn(sender, f"the notification {method} was dropped: {why}")

    def progress_from(self, link: PluginLink, params: Raw | None) -> None:
        try:
            told = decode_value(params) if params is not None else {}
        except MalformedJson:
            return
        call = link.progressing(told.get("token"))
        if call is not None and isinstance(told.get("value"), dict):
            self.progress(call, encode_value(told["value"]))

    def progress(self, call: Call, value: Raw) -> None:
        """Tell the caller how far its call has come; nothing after its end (CAL-26)."""
        call.phase = Phase.STARTED
        if not call.done and call.wants_progress:
            call.caller.deliver_progress(call, value)

    # The way of a call

    def take(self, call: Call, limit: float | None) -> None:
        """Route a call that has ``limit`` seconds, or the default. Its caller gets exactly one outcome."""
        if call.method in self.services.answers:
            if self._set_deadline(call, self.default_timeout if limit is None else limit):
                self.services.answer(call)
            return
        try:
            callee, call.method = self.registry.choose(call.method, call.caller.name, call.caller.ranges)
        except RequestError as error:
            self.finish(call, error_object(error))
            return
        if limit is None:
            name = "" if callee is None else callee.name
            limit = self.timeouts.get(name, self.default_timeout)
        self.dispatch(call, callee, limit)

    def dispatch(self, call: Call, callee: PluginLink | None, limit: float) -> None:
        """Give a call to a callee that is known already; None is the application."""
        if not self._set_deadline(call, limit):
            return
        call.callee = callee
        self._deadlines.add(call)
        if callee is None:
            call.phase = Phase.SENT
            assert self.local is not None
            self.local.start(call)
        elif callee.peer.state is State.STOPPING:
            self._unavailable(call, callee, "it is being stopped")
        elif callee.has_free_slot:
            self.hand_over(call, callee)
        else:
            self._enqueue(call, callee)

    def _set_deadline(self, call: Call, limit: float) -> bool:
        """Whether the call may begin: not when what caused it has ended."""
        now = self.loop.time()
        call.started_at = now
        call.deadline = now + (limit if limit < LONGEST_TIME else LONGEST_TIME)
        parent = call.parent
        if parent is not None:
            if parent.done:  # it was cancelled, and its handler does not know yet
                self.finish(call, error_object(RequestCancelled(_CAUSE_HAS_ENDED)))  # CAL-23
                return False
            if parent.deadline < call.deadline:
                call.deadline = parent.deadline  # CAL-29
        return True

    def _enqueue(self, call: Call, callee: PluginLink) -> None:
        path = find_cycle(call, callee)
        if path is not None:
            way = " → ".join(path)
            self.finish(
                call, error_object(CallCycle(f"{call.method} would wait for itself: {way}", data={"path": path}))
            )
        elif (reached := callee.waiting.limit_reached(call.params)) is not None:
            self._overloaded(call, callee, *reached)
        else:
            callee.waiting.append(call)

    def hand_over(self, call: Call, callee: PluginLink) -> None:
        """Send a call to a plugin that has a slot for it."""
        if callee.connection.closed:  # its end is known here before the supervisor has dealt with it
            self._unavailable(call, callee, "it has ended")
            return
        if callee.connection.backlog > BACKLOG_LIMIT:
            self._overloaded(call, callee, f"it has left {BACKLOG_LIMIT} bytes unread", BACKLOG_LIMIT)
            return
        try:
            callee.send(call)
        except FrameTooLarge as error:
            sizes = {"size": error.size, "limit": error.limit}
            too_large = RequestError(str(error), code=ErrorCode.PAYLOAD_TOO_LARGE, data=sizes)
            self.abandon(call, error_object(too_large))

    def _overloaded(self, call: Call, callee: PluginLink, why: str, limit: int) -> None:
        data = {"instance": callee.name, "limit": limit}
        self.finish(call, error_object(Overloaded(f"plugin {callee.name!r} is overloaded: {why}", data=data)))

    def _unavailable(self, call: Call, callee: PluginLink, reason: str) -> None:
        data = {"instance": callee.name, "reason": reason}
        message = f"plugin {callee.name!r} did not take {call.method}: {reason}"
        self.finish(call, error_object(PluginUnavailable(message, data=data)))

    def answered(self, call: Call, outcome: Raw | ErrorObject | RemoteProtocolError) -> None:
        """A plugin answered. An answer that no one waits for any more is dropped (CAL-39)."""
        if call.done:
            return
        if isinstance(outcome, RemoteProtocolError):
            callee = call.callee.name if call.callee is not None else "host"
            data = {"instance": callee, "violation": str(outcome)}
            outcome = error_object(RequestError(f"plugin {callee!r} gave {outcome}", data=data))  # MSG-20
        self.finish(call, outcome)

    def finish(self, call: Call, outcome: Outcome) -> None:
        """The one outcome of a call (MSG-17)."""
        if call.done:
            return
        call.done = True
        self._deadlines.discard(call)
        if call.parent is not None and call.parent.children is not None:
            call.parent.children.discard(call)
        call.caller.deliver(call, outcome)

    # Ends before an answer

    def cancel(self, call: Call | None) -> None:
        """The caller no longer wants it: it is answered at once (CAL-24), and what it caused ends too (CAL-23)."""
        if call is not None:
            self.abandon(call, error_object(RequestCancelled("the request was cancelled")))

    def abandon(self, call: Call, outcome: Outcome) -> None:
        """End a call and everything that was made because of it, at every depth."""
        if call.done:
            return
        self.finish(call, outcome)
        if call.callee is not None:
            call.callee.let_go(call)
        elif call.task is not None:
            call.task.cancel()
        self._abandon_children(call)

    def _abandon_children(self, call: Call) -> None:
        for child in list(call.children or ()):
            self.abandon(child, error_object(RequestCancelled(_CAUSE_HAS_ENDED)))

    def _expired(self, call: Call) -> None:
        callee = call.callee.name if call.callee is not None else "host"
        spent = call.deadline - call.started_at
        data = {"instance": callee, "timeoutMs": max(0, round(spent * 1000))}
        waited = "waited for a free slot" if call.phase is Phase.QUEUED else "did not answer"
        who = "the host" if call.callee is None else f"plugin {callee!r}"
        message = f"{who} {waited} within {spent:.3g} s ({call.method})"
        self.abandon(call, error_object(DeadlineExceeded(message, data=data)))

    def link_lost(self, link: PluginLink, status: str) -> None:
        """A plugin has ended: every call that it had, and every call that it made, ends (CAL-35, CAL-38)."""
        pending = [call for call in link.peer.outgoing.values() if isinstance(call, Call)]
        link.peer.outgoing.clear()
        for call in [*pending, *link.waiting.clear()]:
            if call.done:
                continue
            self.finish(call, error_object(crashed(call, link.name, status)))
            self._abandon_children(call)
        for call in list(link.requests.values()):
            self.abandon(call, error_object(RequestCancelled("the caller has ended")))
        self.services.left(link, status)

    def flush_queue(self, link: PluginLink, reason: str) -> None:
        """A plugin takes no more calls: those that wait for it never leave the host (CAL-35)."""
        for call in link.waiting.clear():
            self._unavailable(call, link, reason)

    def close(self) -> None:
        """End every call that is still open, so that nobody waits for ever."""
        for call in self._deadlines.close():
            self.abandon(call, error_object(RequestCancelled("the host has closed")))
        self.services.close()
