"""What an application is told about its plugins: callbacks, or an async iterator over a bounded queue."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from weakref import WeakSet

from plugwire.wire.codec import encode_value

QUEUE = 4096
"""Events that an iterator may be behind; the oldest are left out, and counted, when it is further behind."""
QUEUE_BYTES = 8 * 1024 * 1024
"""Bytes of log records among them."""


@dataclass(frozen=True, slots=True)
class HostEvent:
    """Something that happened to a plugin."""

    plugin: str

    @property
    def size(self) -> int:
        """About how many bytes it keeps, where that may be many."""
        return 0


@dataclass(frozen=True, slots=True)
class PluginReady(HostEvent):
    """It can be called."""

    pid: int
    version: str


@dataclass(frozen=True, slots=True)
class PluginEnded(HostEvent):
    """It has ended: ``status`` says how, ``asked`` whether the host wanted it."""

    status: str
    asked: bool


@dataclass(frozen=True, slots=True)
class PluginRestarting(HostEvent):
    """It will be started again after ``delay`` seconds; ``attempt`` counts within the budget's window."""

    delay: float
    attempt: int


@dataclass(frozen=True, slots=True)
class PluginFailed(HostEvent):
    """It could not be started, or ended too often; nothing more is tried until someone starts it again."""

    reason: str


@dataclass(frozen=True, slots=True)
class PluginLogged(HostEvent):
    """A log record: from ``log/write``, from a line of standard error, or from the host about the plugin."""

    level: str
    message: str
    data: dict[str, Any] = field(default_factory=dict)
    source: Literal["log", "stderr", "host"] = "log"

    @property
    def size(self) -> int:
        return len(self.message) + (memoryview(encode_value(self.data)).nbytes if self.data else 0)


@dataclass(frozen=True, slots=True)
class EventsMissed(HostEvent):
    """The iterator was too slow: ``count`` events were left out before the one that follows."""

    count: int


EventT = TypeVar("EventT", bound=HostEvent)


class EventHub:
    """Hands each event to every callback and every iterator."""

    def __init__(self) -> None:
        self._callbacks: list[tuple[type[HostEvent], Callable[[Any], None]]] = []
        self._streams: WeakSet[_Stream] = WeakSet()  # whoever holds one reads it; nobody has to close it
        self._closed = False

    def emit(self, event: HostEvent) -> None:
        for kind, callback in tuple(self._callbacks):
            if isinstance(event, kind):
                try:
                    callback(event)
                except Exception as error:
                    context = {"message": f"a callback for {kind.__name__} failed", "exception": error}
                    asyncio.get_running_loop().call_exception_handler(context)
        for stream in tuple(self._streams):
            stream.put(event)

    def on(self, kind: type[EventT], callback: Callable[[EventT], None]) -> Callable[[], None]:
        """Call back for each event of a kind, on the loop; the result takes the callback off again."""
        entry = (kind, callback)
        self._callbacks.append(entry)
        return lambda: self._callbacks.remove(entry) if entry in self._callbacks else None

    def stream(self) -> AsyncIterator[HostEvent]:
        """Events from now on, until the host has closed."""
        stream = _Stream(self._closed)
        self._streams.add(stream)
        return stream

    def close(self) -> None:
        self._closed = True
        for stream in tuple(self._streams):
            stream.close()


class _Stream:
    """The events that one iterator has not yet taken."""

    def __init__(self, closed: bool) -> None:
        self._events: deque[tuple[HostEvent, int]] = deque()  # each with its size
        self._bytes = 0
        self._missed = 0
        self._closed = closed
        self._changed = asyncio.Event()

    def __aiter__(self) -> _Stream:
        return self

    async def __anext__(self) -> HostEvent:
        while not self._events:
            if self._closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return EventsMissed(self._events[0][0].plugin, missed)
        return self._take()

    def put(self, event: HostEvent) -> None:
        size = event.size
        while self._events and (len(self._events) >= QUEUE or self._bytes + size > QUEUE_BYTES):
            self._take()
            self._missed += 1
        self._events.append((event, size))
        self._bytes += size
        self._changed.set()

    def _take(self) -> HostEvent:
        event, size = self._events.popleft()
        self._bytes -= size
        return event

    def close(self) -> None:
        self._closed = True
        self._changed.set()
