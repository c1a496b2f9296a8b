"""The calls that a plugin has made and still waits for. Spec 04."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from .deadlines import Deadlines
from .reports import print_exception
from .requests import error_object
from .wire import (
    ConnectionClosed,
    DeadlineExceeded,
    ErrorObject,
    FrameTooLarge,
    Meta,
    Raw,
    RequestError,
    RequestId,
    State,
)
from .wire.codec import UNSET, MalformedJson, decode_value

if TYPE_CHECKING:
    from .context import Context, ProgressCallback
    from .runtime import Runtime
    from .wire.messages import Outcome

GUARD = 0.25
"""Seconds that the host has, after a call's time has run out, to say so itself with what it knows."""

_LONGEST_DEADLINE = 2**31 - 1


class AskedCall:
    """A call of ours, until its one answer comes."""

    __slots__ = ("answer", "bucket", "deadline")

    def __init__(self, answer: asyncio.Future[Outcome]) -> None:
        self.answer = answer
        self.deadline = math.inf
        self.bucket = -1


class OutgoingCalls:
    """Opens calls, matches answers and progress, and ends every call when the connection ends."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._closed: Exception | None = None
        self._progress: dict[int, ProgressCallback] = {}
        self._last_token = 0
        self._deadlines: Deadlines[AskedCall] = Deadlines(runtime.loop, _expire)

    async def call(
        self,
        method: str,
        params: Any,
        *,
        timeout: float | None,
        progress: ProgressCallback | None,
        context: Context | None,
    ) -> Any:
        """The result as plain values. Raises RequestError, ConnectionClosed, or what ``Peer.send_request`` raises."""
        if self._closed is not None:
            raise ConnectionClosed(str(self._closed))
        if self._runtime.peer.state is State.STOPPING:
            raise ConnectionClosed("the host is stopping this plugin")  # LIF-02: nothing can be asked any more
        left = context.time_left() if context is not None else None
        limit = left if timeout is None else timeout if left is None else min(timeout, left)  # CAL-29
        token = self._open_token(progress)
        try:
            meta = self._meta(context, limit, token) if self._runtime.terms.takes_meta else None
            outcome = await self._ask(method, params, limit, meta)
        finally:
            self._progress.pop(token, None)
        return result_of(method, outcome)

    async def _ask(self, method: str, params: Any, limit: float | None, meta: Meta | None) -> Outcome:
        runtime = self._runtime
        asked = AskedCall(runtime.loop.create_future())
        params = UNSET if params is None else params
        try:
            request_id, data = runtime.peer.send_request(method, params, call=asked, meta=meta)
        except FrameTooLarge as error:
            return error_object(error)  # ERR-06
        runtime.connection.send(data)
        if limit is not None and limit < _LONGEST_DEADLINE:
            asked.deadline = runtime.loop.time() + limit + (GUARD if meta is not None else 0)
            self._deadlines.add(asked)
        try:
            return await asked.answer
        except TimeoutError:
            self._cancel(request_id)
            raise DeadlineExceeded(f"{method} did not answer within {limit:g} s") from None
        except asyncio.CancelledError:
            self._cancel(request_id)
            raise
        finally:
            self._deadlines.discard(asked)

    def resolve(self, asked: AskedCall, outcome: Outcome) -> None:
        if not asked.answer.done():  # CAL-39: a late answer is no surprise
            asked.answer.set_result(outcome)

    def progress(self, params: Raw | None) -> None:
        """``$/progress`` for one of our calls; unknown tokens are ignored (CAL-28)."""
        try:
            told = decode_value(params) if params is not None else {}
        except MalformedJson:
            return
        token, value = told.get("token"), told.get("value")
        if type(token) is int and token in self._progress and isinstance(value, dict):
            try:
                self._progress[token](value)
            except Exception as error:
                # The author's mistake; the connection that brought the progress has no part in it.
                print_exception(error)

    def close(self, reason: Exception) -> None:
        self._closed = reason
        open_calls = list(self._runtime.peer.outgoing.values())
        self._runtime.peer.outgoing.clear()
        self._deadlines.close()
        for asked in open_calls:
            if not asked.answer.done():
                asked.answer.set_exception(ConnectionClosed(str(reason)))
                asked.answer.exception()  # seen: a caller that was cancelled will not look

    def _open_token(self, progress: ProgressCallback | None) -> int:
        if progress is None:
            return 0
        self._last_token += 1
        self._progress[self._last_token] = progress
        return self._last_token

    @staticmethod
    def _meta(context: Context | None, limit: float | None, token: int) -> Meta:
        parent: RequestId | None = context.request_id if context is not None else None
        return Meta(
            parent=UNSET if parent is None else parent,
            deadline_ms=UNSET if limit is None else max(0, min(int(limit * 1000), _LONGEST_DEADLINE)),
            progress=token or UNSET,
        )

    def _cancel(self, request_id: int) -> None:
        runtime = self._runtime
        if request_id in runtime.peer.outgoing and not runtime.connection.closed:
            runtime.connection.send(runtime.peer.send_cancel(request_id))


def _expire(asked: AskedCall) -> None:
    if not asked.answer.done():
        asked.answer.set_exception(TimeoutError())


def result_of(method: str, outcome: Outcome) -> Any:
    """The result of a call as plain values. Raises RequestError."""
    if isinstance(outcome, Raw):
        return decode_value(outcome)
    if isinstance(outcome, ErrorObject):
        data = decode_value(outcome.data) if isinstance(outcome.data, Raw) else outcome.data
        raise RequestError.of(outcome.code, outcome.message, None if data is UNSET else data)
    raise RequestError(f"the answer to {method} cannot be understood: {outcome}")
