"""What a handler may know and do about the request that it serves. Spec 04 and 11."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from .collaboration import Clients, Collaboration
from .declarations import Declarations
from .wire import RequestId

ProgressCallback = Callable[[dict[str, Any]], None]

T = TypeVar("T")


class LogWriter(Protocol):
    """Where log records go. Safe in any thread."""

    def write_log(self, level: str, message: str, data: dict[str, Any]) -> None: ...


class Owner(LogWriter, Protocol):
    """Whoever runs handlers: a plugin's runtime, or a host for the application's own methods."""

    config: Any
    log: Logger
    clients: Clients
    declarations: Declarations
    maps_memory: bool
    loop: asyncio.AbstractEventLoop

    async def call(
        self,
        method: str,
        params: Any,
        *,
        timeout: float | None,
        progress: ProgressCallback | None = None,
        context: Context | None = None,
    ) -> Any: ...

    def call_blocking(self, method: str, params: Any, *, timeout: float | None, context: Context | None) -> Any: ...

    def blocking(self, coroutine: Coroutine[Any, Any, T]) -> T: ...

    def notify(self, method: str, params: Any) -> None: ...

    def do_first(self, action: Callable[[], None]) -> None:
        """Call back before anything else is sent, and in any case soon: to send what was gathered. On the loop."""

    def send_progress(self, context: Context, token: RequestId, value: dict[str, Any]) -> None: ...


class Logger:
    """Writes log records to the host (LOG-01); to standard error where the host takes none. Safe in any thread."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer

    def debug(self, message: str, **data: Any) -> None:
        self._writer.write_log("debug", message, data)

    def info(self, message: str, **data: Any) -> None:
        self._writer.write_log("info", message, data)

    def warning(self, message: str, **data: Any) -> None:
        self._writer.write_log("warning", message, data)

    def error(self, message: str, **data: Any) -> None:
        self._writer.write_log("error", message, data)


class Context(Collaboration):
    """One request, seen by its handler."""

    __slots__ = ("_deadline", "_owner", "_progress", "caller", "cancelled", "method", "request_id", "task")

    def __init__(
        self,
        owner: Owner,
        method: str,
        request_id: RequestId | None,
        caller: str | None = None,
        deadline_ms: int | None = None,
        progress: RequestId | None = None,
    ) -> None:
        self._owner = owner
        self.method = method
        self.request_id = request_id
        self.caller = caller
        """The instance name of the plugin that called, ``"host"``, or None where the host does not say."""
        self.cancelled = False
        """Whether the caller has asked to stop. A coroutine is cancelled as well; a plain function looks here."""
        self.task: Any = None
        self._deadline = None if deadline_ms is None else time.monotonic() + deadline_ms / 1000
        self._progress = progress

    @property
    def deadline(self) -> float | None:
        """When the time for this request runs out, on the clock of ``time.monotonic()``; None where none is known."""
        return self._deadline

    def time_left(self) -> float | None:
        """Seconds until the deadline, never negative; None where there is no deadline."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    @property
    def config(self) -> Any:
        """The plugin's configuration, as ``Plugin.config``."""
        return self._owner.config

    @property
    def log(self) -> Logger:
        return self._owner.log

    @property
    def wants_progress(self) -> bool:
        """Whether the caller asked for progress."""
        return self._progress is not None

    def progress(self, done: float | None = None, total: float | None = None, message: str | None = None) -> None:
        """Tell the caller how far the request has come (CAL-25); nothing happens unless it asked. Any thread."""
        if self._progress is not None:
            value = {"done": done, "total": total, "message": message}
            self._owner.send_progress(self, self._progress, {k: v for k, v in value.items() if v is not None})

    async def call(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = None,
        progress: ProgressCallback | None = None,
    ) -> Any:
        """Call the host or, through it, another plugin (``service/method``); the result as plain JSON values.

        The call has this request as its parent and never more time than is left to it. ``timeout`` is in seconds.
        Raises RequestError (DeadlineExceeded, CallCycle, PluginCrashed, … or the callee's own) and ConnectionClosed.
        A cancelled ``call`` cancels the callee too.
        """
        return await self._owner.call(method, params, timeout=timeout, progress=progress, context=self)

    def call_blocking(self, method: str, params: Any = None, *, timeout: float | None = None) -> Any:
        """``call`` for a handler that is a plain function and runs in a thread. Never on the event loop."""
        return self._owner.call_blocking(method, params, timeout=timeout, context=self)

    def blocking(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """In a thread: what a coroutine gives, run on the event loop: ``ctx.blocking(ctx.publish("x.y", 1))``."""
        return self._owner.blocking(coroutine)

    def _working_for(self) -> tuple[Owner, Context | None]:
        return self._owner, self

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification to the host or, through it, to another plugin. Any thread."""
        self._owner.notify(method, params)
