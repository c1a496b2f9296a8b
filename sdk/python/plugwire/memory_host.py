"""The host's end of an in-memory connection, for tests of plugins: it asks, answers, and keeps what it was told.

Owns: one host-side peer. Does not own: the beginning and the end of the conversation (testing.py).
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import wire
from .calls import result_of
from .connection import Connection
from .context import ProgressCallback
from .requests import error_object
from .wire.codec import UNSET, decode_value, encode_value
from .wire.messages import Outcome


@dataclass
class PluginCall:
    """A request that the plugin sent; ``meta`` has the spec's names."""

    method: str
    params: dict[str, Any]
    meta: dict[str, Any]
    cancelled: bool = False


@dataclass
class _Asked:
    """A call of ours, until its one answer comes."""

    method: str
    answer: asyncio.Future[Outcome]
    progress: ProgressCallback | None


class TestHost:
    """The host's end. ``connect`` makes it, begins the conversation and ends it."""

    __test__ = False  # not a class of tests, whatever its name looks like

    def __init__(self, limits: wire.Limits, *, takes_meta: bool, wait: float) -> None:
        self.peer: wire.Peer[_Asked] = wire.Peer(wire.Role.HOST, limits=limits)
        self.connection = Connection(self.peer, on_arrival=self._on_arrival, on_closed=self._on_closed)
        self.initialize_result: dict[str, Any] = {}
        self.exit_code: int | None = None
        """How the process would have ended, once the conversation has."""
        self.logs: list[dict[str, Any]] = []
        self.calls: list[PluginCall] = []
        """What the plugin called, in order."""
        self.notifications: list[tuple[str, dict[str, Any]]] = []
        """What else the plugin sent."""
        self.late_answers: list[tuple[str, Outcome]] = []
        """Answers to calls that nobody waits for any more, because they were cancelled or their time ran out."""
        self.violations: list[str] = []
        """What the plugin did against the protocol; ``connect`` raises it at the end."""
        self._takes_meta = takes_meta
        self._wait = wait
        self._functions: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self._serving: dict[wire.RequestId, tuple[PluginCall, asyncio.Task[Any]]] = {}
        self._progress: list[_Asked] = []

    async def call(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = None,
        progress: ProgressCallback | None = None,
        caller: str = "host",
    ) -> Any:
        """The result. Raises RequestError, and DeadlineExceeded when no answer came in time.

        ``timeout`` is told to the plugin as its deadline, ``caller`` as the one who called. Cancelling the task that
        waits here sends ``$/cancelRequest``; the plugin still owes its answer, which ``late_answers`` then receives.
        """
        asked = _Asked(method, asyncio.get_running_loop().create_future(), progress)
        meta = self._meta(asked, timeout, caller)
        request_id, data = self.peer.send_request(method, UNSET if params is None else params, call=asked, meta=meta)
        self.connection.send(data)
        limit = self._wait if timeout is None else timeout
        try:
            async with asyncio.timeout(limit):
                return result_of(method, await asked.answer)
        except TimeoutError:
            self._cancel(request_id)
            raise wire.DeadlineExceeded(f"{method} did not answer within {limit:g} s") from None
        except asyncio.CancelledError:
            self._cancel(request_id)
            raise

    def _meta(self, asked: _Asked, timeout: float | None, caller: str) -> wire.Meta | None:
        if not self._takes_meta or not self.initialize_result.get("capabilities", {}).get("meta"):
            return None  # CAL-15
        if asked.progress is not None:
            self._progress.append(asked)
        return wire.Meta(
            sender=caller,
            deadline_ms=UNSET if timeout is None else int(timeout * 1000),
            progress=UNSET if asked.progress is None else len(self._progress),
        )

    def _cancel(self, request_id: int) -> None:
        if request_id in self.peer.outgoing and not self.connection.closed:
            self.connection.send(self.peer.send_cancel(request_id))

    def notify(self, method: str, params: Any = None) -> None:
        self.connection.send(self.peer.send_notification(method, UNSET if params is None else params))

    def serve(self, method: str, function: Callable[[dict[str, Any]], Any]) -> None:
        """Answer the plugin's calls of ``method`` with what ``function``, plain or async, makes of the params."""
        self._functions[method] = function

    def _on_arrival(self, arrival: wire.Arrival[_Asked]) -> None:
        match arrival:
            case wire.ResponseReceived():
                arrival.call.progress = None
                if arrival.call.answer.done():
                    self.late_answers.append((arrival.call.method, arrival.outcome))
                else:
                    arrival.call.answer.set_result(arrival.outcome)
            case wire.NotificationReceived():
                self._on_notification(arrival.method, decode_value(arrival.params or b"{}"))
            case wire.RequestReceived():
                meta = decode_value(encode_value(arrival.meta or {}))
                call = PluginCall(arrival.method, decode_value(arrival.params or b"{}"), meta)
                self.calls.append(call)
                task = asyncio.get_running_loop().create_task(self._serve(call))
                self._serving[arrival.id] = call, task
                task.add_done_callback(partial(self._answer, arrival.id))
            case wire.CancelRequested():
                call, task = self._serving[arrival.id]
                call.cancelled = True
                task.cancel()
            case wrong:
                self.violations.append(str(wrong))

    def _on_notification(self, method: str, params: dict[str, Any]) -> None:
        if method == "log/write":
            self.logs.append(params)
        elif method != "$/progress":
            self.notifications.append((method, params))
        elif (progress := dict(enumerate(self._progress, 1))[params["token"]].progress) is not None:
            progress(params["value"])
        else:
            self.violations.append(f"progress {params} came after the answer")

    async def _serve(self, call: PluginCall) -> Any:
        function = self._functions.get(call.method)
        if function is None:
            raise wire.MethodNotFound(f"the test serves no {call.method}")
        result = function(call.params)
        return await result if inspect.isawaitable(result) else result

    def _answer(self, request_id: wire.RequestId, task: asyncio.Task[Any]) -> None:
        del self._serving[request_id]
        error = wire.RequestCancelled("the call was cancelled") if task.cancelled() else task.exception()
        if self.connection.closed:
            return
        if error is not None:
            self.connection.send(self.peer.send_error(request_id, error_object(error)))
        else:
            self.connection.send(self.peer.send_result(request_id, task.result()))

    def _on_closed(self, reason: Exception) -> None:
        for asked in self.peer.outgoing.values():
            if not asked.answer.done():
                asked.answer.set_exception(reason)
                asked.answer.exception()  # seen: whoever was cancelled will not look
        for _, task in self._serving.values():
            task.cancel()

    def complaints(self) -> list[str]:
        """What the plugin did wrong, once the conversation has ended."""
        unanswered = [f"{asked.method} was never answered" for asked in self.peer.outgoing.values()]
        code = [] if self.exit_code == 0 else [f"the plugin ended with code {self.exit_code}"]
        return [*self.violations, *unanswered, *code]
