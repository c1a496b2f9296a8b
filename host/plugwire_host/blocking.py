"""The host for programs that have no event loop of their own: the same calls, from a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from plugwire.declarations import Declaring
from plugwire.plugin import loop_factory

from .events import EventT
from .host import HandlerT, Host
from .supervision.records import PluginRecord

T = TypeVar("T")


class BlockingHost(Declaring):
    """A ``Host`` behind ordinary functions; every method may be called from any thread.

        with BlockingHost() as host:
            host.launch("greeter", ["python", "greeter.py"])
            print(host.call("greeter/hello", {"name": "x"}, timeout=5))

    ``host.run(lambda host: host.run_hook("document.willSave", text))`` reaches whatever else a ``Host`` can do. Options
    and errors are those of ``Host``. Handlers, links of hooks and callbacks of ``on`` run on the host's thread; a plain
    ``def`` handler runs in a worker thread.
    """

    def __init__(self, host: Host | None = None, **options: Any) -> None:
        self._host = host or Host(**options)
        self.declarations = self._host.declarations
        self._started: threading.Event = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve, name="plugwire-host", daemon=True)
        self._failure: BaseException | None = None
        self._stop: asyncio.Event | None = None
        # What is asked of the loop before the stop is still served; later nothing is, and nobody waits for it.
        self._asking = threading.Lock()
        self._closing = False

    @classmethod
    def from_config(cls, path: str | Path, **options: Any) -> BlockingHost:
        """As ``Host.from_config``."""
        return cls(Host.from_config(path, **options))

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every plugin. Idempotent."""
        with self._asking:
            asked, self._closing = self._closing, True
            if not asked and self._loop is not None and self._stop is not None and self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.is_alive():
            self._thread.join()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            async with self._host:
                self._started.set()
                await self._stop.wait()
        except BaseException as error:
            self._failure = error
            self._started.set()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        with self._asking:
            if self._loop is None or self._closing or self._loop.is_closed():
                coroutine.close()
                raise RuntimeError("the host is not running: use it inside `with`")
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def run(self, function: Callable[[Host], Awaitable[T]]) -> T:
        """What ``function`` makes of the host, on the host's thread; an error that it raises is raised here."""

        async def main() -> T:
            return await function(self._host)

        return self._run(main())

    def launch(self, name: str, command: Sequence[str], **options: Any) -> PluginRecord:
        """As ``Host.launch``."""
        return self._run(self._host.launch(name, command, **options))

    def stop(self, name: str) -> None:
        """As ``Host.stop``."""
        self._run(self._host.stop(name))

    def call(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = None,
        progress: Callable[[dict[str, Any]], None] | None = None,
    ) -> Any:
        """As ``Host.call``; ``progress`` is called on the host's thread."""
        return self._run(self._host.call(method, params, timeout=timeout, progress=progress))

    def notify(self, method: str, params: Any = None) -> None:
        """As ``Host.notify``."""

        async def notify() -> None:
            self._host.notify(method, params)

        self._run(notify())

    def method(self, name: str, *, version: str = "1") -> Callable[[HandlerT], HandlerT]:
        """As ``Host.method``."""

        def register(handler: HandlerT) -> HandlerT:
            async def add() -> HandlerT:
                return self._host.method(name, version=version)(handler)

            return self._run(add()) if self._started.is_set() else self._host.method(name, version=version)(handler)

        return register

    def on(self, kind: type[EventT], callback: Callable[[EventT], None]) -> Callable[[], None]:
        """As ``Host.on``."""
        return self._host.on(kind, callback)

    @property
    def plugins(self) -> Mapping[str, PluginRecord]:
        """As ``Host.plugins``."""

        async def plugins() -> Mapping[str, PluginRecord]:
            return self._host.plugins

        return self._run(plugins())

    @property
    def services(self) -> list[dict[str, Any]]:
        """As ``Host.services``."""

        async def services() -> list[dict[str, Any]]:
            return self._host.services

        return self._run(services())
