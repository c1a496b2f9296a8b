"""The requests that a plugin was sent and has not answered. Spec 04, MSG-17 and LIF-13.

Owns: which requests run, wait or are cancelled, and every answer. Does not own: handlers (router.py), bytes
(connection.py). ``answer`` is the single place where the outcome of a handler becomes a message.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from .context import Context
from .reports import print_exception
from .router import Kind, Method
from .wire import ErrorCode, ErrorObject, FrameTooLarge, Raw, RequestCancelled, RequestError, RequestId, RequestReceived
from .wire.codec import UNSET, UnsetType, encode_value

if TYPE_CHECKING:
    from .runtime import Runtime

_Failure = (Exception, SystemExit, asyncio.CancelledError)
"""What a handler may raise without taking the process with it (ERR-03)."""


class IncomingRequests:
    """Runs handlers, ``concurrency`` at a time; what comes above that waits in the order of its arrival."""

    def __init__(self, runtime: Runtime, concurrency: int) -> None:
        self._runtime = runtime
        self._concurrency = concurrency
        self._running: dict[RequestId, Context] = {}
        self._waiting: deque[tuple[RequestReceived, Method]] = deque()
        self._shutdown_id: RequestId | None = None

    @property
    def stopping(self) -> bool:
        """Whether ``shutdown`` was asked for."""
        return self._shutdown_id is not None

    def is_open(self, context: Context) -> bool:
        """Whether the request still runs and has no answer."""
        return context.request_id is not None and self._running.get(context.request_id) is context

    # Running

    def receive(self, request: RequestReceived, method: Method) -> None:
        if len(self._running) < self._concurrency and not self._waiting:
            self._start(request, method)
        else:
            self._waiting.append((request, method))  # bounded by the peer's limit of requests in flight (CAL-14)

    def _start(self, request: RequestReceived, method: Method) -> None:
        context = self._context(request, method)
        try:
            arguments = method.binding.arguments(request.params, context)
        except Exception as error:
            self.answer(request.id, error)
            return
        self._running[request.id] = context
        if method.kind is Kind.AT_ONCE:
            try:
                method.handler(**arguments).send(None)
            except StopIteration as returned:
                self._finish(request.id, method, returned.value)
            except _Failure as error:
                self._finish(request.id, method, error)
        else:
            self._runtime.loop.create_task(self._run(context, request.id, method, arguments))

    def _context(self, request: RequestReceived, method: Method) -> Context:
        meta = request.meta
        if meta is None:
            return Context(self._runtime, method.name, request.id)
        return Context(
            self._runtime,
            method.name,
            request.id,
            None if meta.sender is UNSET else meta.sender,
            None if meta.deadline_ms is UNSET else meta.deadline_ms,
            None if meta.progress is UNSET else meta.progress,
        )

    async def _run(self, context: Context, request_id: RequestId, method: Method, arguments: dict[str, Any]) -> None:
        if context.cancelled:
            return  # before it began, and answered then
        context.task = asyncio.current_task()
        outcome: Any
        try:
            if method.kind is Kind.THREAD:
                outcome = await self._runtime.threads.run(partial(_unless_cancelled, context, method, arguments))
            else:
                outcome = await method.handler(**arguments)
        except _Failure as error:
            cancelled = context.cancelled and isinstance(error, asyncio.CancelledError)
            outcome = RequestCancelled("the request was cancelled") if cancelled else error
        self._finish(request_id, method, outcome, context)

    def _finish(self, request_id: RequestId, method: Method, outcome: Any, context: Context | None = None) -> None:
        if context is not None and not self.is_open(context):
            return  # answered already, because the plugin is stopping
        del self._running[request_id]
        if not isinstance(outcome, BaseException):
            try:
                outcome = method.binding.encode_result(outcome)
            except Exception as error:
                outcome = TypeError(f"{method.name} returned what JSON cannot hold: {error}")
        self.answer(request_id, outcome)
        if self._waiting:
            self._runtime.loop.call_soon(self._start_waiting)  # not from here: a long queue would be a deep recursion
        self._maybe_finish_shutdown()

    def _start_waiting(self) -> None:
        while self._waiting and len(self._running) < self._concurrency:
            self._start(*self._waiting.popleft())

    # Answering

    def answer(self, request_id: RequestId, outcome: Any) -> None:
        """Send the one answer to a request (MSG-17): a result, or the error response for an exception."""
        if self._runtime.connection.closed:
            return
        try:
            if isinstance(outcome, BaseException):
                data = self._runtime.peer.send_error(request_id, error_object(outcome))
            else:
                data = self._runtime.peer.send_result(request_id, outcome)
        except FrameTooLarge as error:
            data = self._runtime.peer.send_error(request_id, error_object(error))
        self._runtime.connection.send(data)

    # Cancel and shutdown

    def cancel(self, request_id: RequestId) -> None:
        """CAL-20: the request is stopped where that is possible, and answered in any case."""
        context = self._running.get(request_id)
        if context is not None:
            self._cancel_running(request_id, context)
            return
        for waiting in self._waiting:
            if waiting[0].id == request_id:
                self._waiting.remove(waiting)
                self.answer(request_id, RequestCancelled("the request was cancelled before it began"))
                return

    def _cancel_running(self, request_id: RequestId, context: Context) -> None:
        context.cancelled = True
        method = self._runtime.plugin.router.methods[context.method]
        if context.task is None:
            # A task that is cancelled before its first step never runs, so it could not answer.
            self._finish(request_id, method, RequestCancelled("the request was cancelled before it began"))
        elif method.kind is Kind.TASK:
            context.task.cancel()
        # A thread cannot be stopped from outside; it looks at `cancelled`, and its answer comes when it ends.

    def stop(self, shutdown_id: RequestId) -> None:
        """LIF-13: what is in flight is cancelled and answered, then ``shutdown`` is."""
        self._shutdown_id = shutdown_id
        stopping = RequestCancelled("the plugin is stopping")
        for request, _ in self._waiting:
            self.answer(request.id, stopping)
        self._waiting.clear()
        for running_id, context in list(self._running.items()):
            self._cancel_running(running_id, context)
            if self.is_open(context) and self._runtime.plugin.router.methods[context.method].kind is Kind.THREAD:
                del self._running[running_id]
                self.answer(running_id, stopping)
        self._maybe_finish_shutdown()

    def _maybe_finish_shutdown(self) -> None:
        if self._shutdown_id is not None and not self._running and self._shutdown_id in self._runtime.peer.incoming:
            self.answer(self._shutdown_id, None)

    def close(self) -> None:
        """The connection is gone: nobody waits for answers any more."""
        self._waiting.clear()
        for context in self._running.values():
            context.cancelled = True
            if context.task is not None:
                context.task.cancel()


def _unless_cancelled(context: Context, method: Method, arguments: dict[str, Any]) -> Any:
    if context.cancelled:
        raise RequestCancelled("the request was cancelled before it began")
    return method.handler(**arguments)


def error_object(error: BaseException) -> ErrorObject:
    """The one place where an exception becomes an error response (ERR-03, ERR-04).

    What it gives can always be sent: of data that JSON cannot hold, and of half a character in the message, the code is
    told all the same.
    """
    code: int = ErrorCode.INTERNAL_ERROR
    data: Any = None
    if isinstance(error, RequestError) and -(2**31) <= error.code < 2**31:
        code, text, data = int(error.code), str(error.message), error.data
    elif isinstance(error, FrameTooLarge):
        code, text, data = ErrorCode.PAYLOAD_TOO_LARGE, str(error), {"size": error.size, "limit": error.limit}
    else:
        print_exception(error)
        text = _described(error)
    return ErrorObject(code, text.encode("utf-8", "replace").decode(), UNSET if data is None else _encoded(data))


def _described(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # an exception may fail at describing itself, too
        return type(error).__name__


def _encoded(data: Any) -> Raw | UnsetType:
    try:
        return encode_value(data)
    except (TypeError, ValueError, OverflowError, RecursionError) as unfit:
        print_exception(unfit)
        return UNSET
