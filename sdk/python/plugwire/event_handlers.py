"""The handlers of ``on_event``: a subscription for each, and one event after the other. Spec 06."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .context import Context
from .declarations import EventHandler
from .events import Event, EventClient, SubscriptionEnded
from .reports import print_exception
from .router import Kind, kind_of
from .threads import HandlerThreads
from .wire import ConnectionClosed, RequestError

if TYPE_CHECKING:
    from .context import Owner


class EventHandlers:
    """Serves the declared handlers of one connection until it ends."""

    def __init__(self, owner: Owner, client: EventClient) -> None:
        self._owner = owner
        self._client = client
        self._started = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = HandlerThreads("event")
        self._closed = False

    def start(self) -> None:
        """Begin with those that have been declared since the last time."""
        handlers = self._owner.declarations.event_handlers[self._started :]
        self._started += len(handlers)
        for handler in handlers:
            task = self._owner.loop.create_task(self._serve(handler))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        self._threads.close()

    async def _serve(self, declared: EventHandler) -> None:
        handle = self._caller_of(declared.handler)
        options: dict[str, Any] = {"policy": declared.policy, "buffer": declared.buffer, "replay": declared.replay}
        while True:
            try:
                async with self._client.subscribe(declared.topic, **options) as events:
                    async for event in events:
                        await self._handle(handle, event)
            except SubscriptionEnded as ended:
                self._owner.write_log("warning", f"{ended}; it subscribes again", {})
            except ConnectionClosed:
                return
            except RequestError as error:
                self._owner.write_log("error", f"no events of {declared.topic} are handled: {error}", {})
                return

    def _caller_of(self, handler: Callable[..., Any]) -> Callable[[Event], Awaitable[Any]]:
        """What handles an event with it."""
        takes_context = len(inspect.signature(handler).parameters) > 1
        in_thread = kind_of(handler) is Kind.THREAD

        def handle(event: Event) -> Awaitable[Any]:
            arguments = (event, Context(self._owner, event.topic, None)) if takes_context else (event,)
            if in_thread:
                # In this task's context, so that what the thread publishes is known to be because of the event.
                return self._threads.run(partial(contextvars.copy_context().run, handler, *arguments))
            awaitable: Awaitable[Any] = handler(*arguments)
            return awaitable

        return handle

    async def _handle(self, handle: Callable[[Event], Awaitable[Any]], event: Event) -> None:
        """Whatever a handler raises is reported, and the next event comes; ``close`` is what ends them all."""
        try:
            await handle(event)
        except ConnectionClosed:
            return  # the host is done with this plugin, and the handler has nothing to do with it
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            if self._closed:
                raise
            self._owner.write_log("error", f"the handler of {event.topic} failed: {error!r}", {})
            print_exception(error)
