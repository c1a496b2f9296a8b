"""Notifications for the plugin's handlers: one after the other, in the order of their arrival. Spec CAL-12."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from .context import Context
from .reports import print_exception
from .router import Kind, Method
from .wire import Raw

if TYPE_CHECKING:
    from .runtime import Runtime

NOTIFICATION_QUEUE = 1024
"""Notifications that wait for their handler; more are dropped and reported."""


class NotificationsInOrder:
    """The notifications that wait, and the one that is handled."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: deque[tuple[Method, Raw | None]] = deque()
        self._handling: asyncio.Task[None] | None = None

    def receive(self, method: Method, params: Raw | None) -> None:
        if len(self._waiting) >= NOTIFICATION_QUEUE:
            dropped = f"{method.name}: {NOTIFICATION_QUEUE} notifications wait already; one was dropped"
            self._runtime.write_log("warning", dropped, {})
            return
        self._waiting.append((method, params))
        if self._handling is None or self._handling.done():
            self._handling = self._runtime.loop.create_task(self._handle_in_order())

    async def _handle_in_order(self) -> None:
        while self._waiting and not self._runtime.connection.closed:
            method, params = self._waiting.popleft()
            try:
                arguments = method.binding.arguments(params, Context(self._runtime, method.name, None))
                call = partial(method.handler, **arguments)
                await (self._runtime.threads.run(call) if method.kind is Kind.THREAD else call())
            except (Exception, SystemExit, asyncio.CancelledError) as error:
                # The next notification is handled whatever this one did; `close` is what ends them all.
                if not self._runtime.connection.closed:
                    self._runtime.write_log("error", f"the handler of {method.name} failed: {error!r}", {})
                    print_exception(error)

    def close(self) -> None:
        self._waiting.clear()
        if self._handling is not None:
            self._handling.cancel()
