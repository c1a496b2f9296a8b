"""The application as a caller: its own calls on their way to plugins. Spec 04."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from plugwire.collaboration import Clients
from plugwire.context import ProgressCallback
from plugwire.declarations import Declarations
from plugwire.wire import ErrorObject, Meta, NotificationReceived, Raw, RequestError
from plugwire.wire.codec import UNSET, MalformedJson, decode_value, encode_value

from .routing.call import Call, Outcome, encode_params
from .routing.local import HOST

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from .routing.router import Router


class Application:
    """Makes calls in the application's name, and uses the host's services like any plugin. A Caller and Participant."""

    name = HOST
    maps_memory = True
    congested = False
    """What it is sent goes straight to its clients, which bound what waits there as a plugin's do."""

    def __init__(self, router: Router) -> None:
        self.ranges: Mapping[str, SpecifierSet] = {}
        self.clients: Clients | None = None
        self._router = router
        self._last_id = 0
        self._waiting: dict[int, tuple[asyncio.Future[Outcome], ProgressCallback | None]] = {}

    async def call(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = None,
        progress: ProgressCallback | None = None,
        parent: Call | None = None,
    ) -> Any:
        """The result as plain values. Raises RequestError; TypeError or ValueError for params that are no object."""
        outcome = await self.call_raw(method, encode_params(params), timeout=timeout, progress=progress, parent=parent)
        if isinstance(outcome, ErrorObject):
            data = None if outcome.data is UNSET else _value(method, outcome.data)
            raise RequestError.of(outcome.code, outcome.message, data)
        return _value(method, outcome)

    async def call_raw(
        self,
        method: str,
        params: Raw | None,
        *,
        timeout: float | None = None,
        progress: ProgressCallback | None = None,
        parent: Call | None = None,
    ) -> Outcome:
        """The outcome as it came. A cancelled wait cancels the call and what it caused."""
        self._last_id += 1
        call = Call(self, self._last_id, method, params, None if progress is None else Meta(progress=self._last_id))
        if parent is not None:
            parent.adopt(call)
        answer: asyncio.Future[Outcome] = self._router.loop.create_future()
        self._waiting[self._last_id] = (answer, progress)
        self._router.take(call, timeout)
        try:
            return await answer
        except asyncio.CancelledError:
            self._router.cancel(call)
            raise

    def notify(self, method: str, params: Raw | None) -> None:
        """Send a notification to one of the host's services, or to the plugin that provides the service."""
        if method in self._router.services.takers:
            self._router.services.take(self, NotificationReceived(method, params))
        else:
            self._router.notify_from_host(method, params)

    def declare(self, declarations: Declarations) -> None:
        """Tell the services what the application declares, at the start or once more."""
        self._router.services.joined(self, declarations.describe())
        if declarations.event_handlers and self.clients is not None:
            self.clients.events.started()

    # What a service asks of a Participant

    def send_notification(self, method: str, params: Any) -> bool:
        if self.clients is None:
            return False
        return self.clients.receive(method, params if isinstance(params, Raw) else encode_value(params))

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._router.loop.call_soon(callback)

    # What the router asks of a Caller

    def deliver(self, call: Call, outcome: Outcome) -> None:
        assert isinstance(call.caller_id, int)
        answer, _ = self._waiting.pop(call.caller_id)
        if not answer.done():
            answer.set_result(outcome)

    def deliver_progress(self, call: Call, value: Raw) -> None:
        assert isinstance(call.caller_id, int)
        _, progress = self._waiting[call.caller_id]
        if progress is None:
            return
        try:
            progress(decode_value(value))
        except Exception as error:
            # The application's mistake; the connection that brought the progress has no part in it.
            context = {"message": "a callback for progress failed", "exception": error}
            self._router.loop.call_exception_handler(context)


def _value(method: str, raw: Raw) -> Any:
    """What came, as plain values. Raises RequestError for a number that Python cannot hold."""
    try:
        return decode_value(raw)
    except MalformedJson as error:
        raise RequestError(f"the answer to {method} cannot be read: {error}") from None
