"""A plugin's side of one connection: lifecycle, and who takes which arrival. Spec 03.

A request goes to requests.py, a notification to notifications.py, an answer to calls.py; log records and progress leave
through reports.py. Does not own: bytes (connection.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from .calls import OutgoingCalls
from .collaboration import Clients
from .connection import Connection
from .context import Context, Logger, ProgressCallback
from .handshake import HostTerms, accept_initialize
from .notifications import NotificationsInOrder
from .reports import Reports, print_to_stderr
from .requests import IncomingRequests
from .threads import HandlerThreads
from .wire import (
    Arrival,
    CancelRequested,
    Deviation,
    MethodNotFound,
    NotificationReceived,
    Peer,
    RemoteProtocolError,
    RequestId,
    RequestReceived,
    ResponseReceived,
)
from .wire.codec import UNSET, encode_value

if TYPE_CHECKING:
    from .plugin import Plugin

T = TypeVar("T")


class Runtime:
    """What runs between ``initialize`` and the end of one connection."""

    def __init__(self, plugin: Plugin, peer: Peer[Any]) -> None:
        self.plugin = plugin
        self.peer = peer
        self.config: Any = None
        self.terms = HostTerms()
        self.log = Logger(self)
        self.loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[int] = self.loop.create_future()
        """Resolves to the exit code of LIF-15 and LIF-16."""
        self.threads = HandlerThreads(plugin.name, plugin.concurrency)
        self.calls = OutgoingCalls(self)
        self.clients = Clients(self)
        self.declarations = plugin.declarations
        self.maps_memory = plugin.shared_memory
        self.connection: Connection[Any] = Connection(peer, on_arrival=self._on_arrival, on_closed=self._on_closed)
        if self.declarations.hooks:
            from .hooks import CALL, serve_links

            plugin.router.methods[CALL] = serve_links(self, self.threads)
        self._requests = IncomingRequests(self, plugin.concurrency)
        self._notifications = NotificationsInOrder(self)
        self._reports = Reports(self)

    # Arrivals

    def _on_arrival(self, arrival: Arrival[Any]) -> None:
        match arrival:
            case RequestReceived():
                method = self.plugin.router.methods.get(arrival.method)
                if method is not None:
                    self._requests.receive(arrival, method)
                else:
                    self._on_protocol_request(arrival)
            case ResponseReceived():
                self.calls.resolve(arrival.call, arrival.outcome)
            case CancelRequested():
                self._requests.cancel(arrival.id)
            case NotificationReceived():
                self._on_notification(arrival)
            case Deviation():
                found = f"{arrival.kind} (at byte {arrival.offset} of what the host sent): tolerated, and told once"
                self._reports.log("warning", found, {})
            case _:
                pass  # MSG-19, LIF-02: what has no effect is no trouble of the plugin's author

    def _on_protocol_request(self, request: RequestReceived) -> None:
        answer = self._requests.answer
        match request.method:
            case "initialize":
                try:
                    answer(request.id, self._initialize(request))
                except Exception as error:
                    answer(request.id, error)
            case "ping":
                answer(request.id, None)
            case "shutdown":
                self._requests.stop(request.id)
            case name:
                answer(request.id, MethodNotFound(f"{self.plugin.name} has no method {name!r}"))

    def _initialize(self, request: RequestReceived) -> dict[str, Any]:
        terms = accept_initialize(request.params)
        self.config = self.plugin.structure_config(terms.config)
        described = self.plugin.describe()
        self.terms = terms
        self.peer.set_limits(terms.limits)
        return described

    def _on_notification(self, notification: NotificationReceived) -> None:
        match notification.method:
            case "initialized":
                self.plugin.attached(self)
                if self.declarations.event_handlers and self.terms.gives_events:  # LIF-12
                    self.clients.events.started()
            case "exit":
                self._end(in_order=self._requests.stopping)
            case "$/progress":
                self.calls.progress(notification.params)
            case name:
                method = self.plugin.router.notifications.get(name)
                if method is None:
                    self.clients.receive(name, notification.params)
                else:
                    self._notifications.receive(method, notification.params)

    # The end

    def _end(self, *, in_order: bool) -> None:
        if not self.ended.done():
            self.ended.set_result(0 if in_order else 1)

    def _on_closed(self, reason: Exception) -> None:
        broken = isinstance(reason, RemoteProtocolError)
        if broken:
            print_to_stderr(f"{self.plugin.name}: the host broke the protocol: {reason}")
        self.calls.close(reason)
        self.clients.close(reason)
        self._requests.close()
        self._notifications.close()
        self._end(in_order=self._requests.stopping and not broken)

    async def aclose(self) -> None:
        """Write what is queued, then let go of everything."""
        self.connection.close()
        await self.connection.wait_closed()
        self.threads.close()

    # What a Context asks for. What a thread may call says so and hands over to the loop.

    async def call(
        self,
        method: str,
        params: Any,
        *,
        timeout: float | None,
        progress: ProgressCallback | None = None,
        context: Context | None = None,
    ) -> Any:
        return await self.calls.call(method, params, timeout=timeout, progress=progress, context=context)

    def call_blocking(self, method: str, params: Any, *, timeout: float | None, context: Context | None) -> Any:
        """From a thread: the result of ``call``."""
        return self.blocking(self.call(method, params, timeout=timeout, context=context))

    def blocking(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """From a thread: what the coroutine gives."""
        if self._is_here():
            coroutine.close()
            raise RuntimeError("it would wait for itself on the event loop; await it instead")
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def notify(self, method: str, params: Any) -> None:
        """From any thread. On a closed connection it goes nowhere."""
        raw = UNSET if params is None else encode_value(params)

        def send() -> None:
            if not self.connection.closed:
                self.connection.send(self.peer.send_notification(method, raw))

        self._on_loop(send)

    def do_first(self, action: Callable[[], None]) -> None:
        self.connection.do_first(action)

    def write_log(self, level: str, message: str, data: dict[str, Any]) -> None:
        """From any thread (LOG-01)."""
        self._on_loop(lambda: self._reports.log(level, str(message), data))

    def send_progress(self, context: Context, token: RequestId, value: dict[str, Any]) -> None:
        """From any thread."""
        self._on_loop(lambda: self._send_progress(context, token, value))

    def _send_progress(self, context: Context, token: RequestId, value: dict[str, Any]) -> None:
        if self._requests.is_open(context):  # CAL-26: nothing after the answer
            self._reports.progress(token, value)

    def _is_here(self) -> bool:
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    def _on_loop(self, action: Callable[[], None]) -> None:
        if self._is_here():
            action()
        elif not self.loop.is_closed():
            self.loop.call_soon_threadsafe(action)
