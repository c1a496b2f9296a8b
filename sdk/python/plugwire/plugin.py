"""What the author of a plugin touches."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Any, NoReturn, TypeVar, overload

from . import stdio
from .binding import structure
from .collaboration import Collaboration
from .context import Context, Logger, Owner, ProgressCallback
from .declarations import Declarations, Declaring
from .reports import StandardErrorLog, print_to_stderr
from .router import SERVICE_VERSION, Method, Router
from .runtime import Runtime
from .wire import PROTOCOL_VERSION, ConnectionClosed, Framing, Peer, Role
from .wire._codes import MAX_IN_FLIGHT

HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])

EXIT_GRACE = 0.5
"""Seconds that the plugin's own threads and tasks have to end, once the conversation is over."""


class Plugin(Collaboration, Declaring):
    """A plugin and its handlers.

        plugin = Plugin("greeter", version="1.2.0")

        @plugin.method
        async def hello(name: str) -> str:
            return f"Hello, {name}!"

        plugin.run()

    ``name`` names the program and, unless a method says otherwise, its service. ``concurrency`` is how many requests
    are worked on at a time (CAL-13). ``config`` is a class (dataclass, attrs, TypedDict) that the configuration has to
    fit; without it the configuration is a plain dict. ``requires`` lists the services that the plugin calls:
    ``{"spell": ">=1,<2"}``; ``optional`` those of them that it can do without. ``shared_memory`` is False for a plugin
    that cannot see the host's files, such as one in a container; memory then comes in chunks (spec 09).
    """

    def __init__(
        self,
        name: str,
        *,
        version: str,
        concurrency: int = MAX_IN_FLIGHT,
        config: type | None = None,
        requires: dict[str, str] | None = None,
        optional: tuple[str, ...] = (),
        shared_memory: bool = True,
    ) -> None:
        if not 1 <= concurrency <= 65536:
            raise ValueError(f"concurrency is from 1 to 65536, and {concurrency} is not")
        self.name = name
        self.version = version
        self.concurrency = concurrency
        self.router = Router()
        self.declarations = Declarations()
        self.shared_memory = shared_memory
        self._config_type = config
        self._requires = dict(requires or {})
        self._optional = frozenset(optional)
        self._service_versions: dict[str, str] = {}
        self._runtime: Runtime | None = None

    @overload
    def method(self, name: HandlerT) -> HandlerT: ...

    @overload
    def method(self, name: str | None = None, *, idempotent: bool = False) -> Callable[[HandlerT], HandlerT]: ...

    def method(self, name: HandlerT | str | None = None, *, idempotent: bool = False) -> Any:
        """Serve a method: ``@plugin.method``, or ``@plugin.method("service/name", idempotent=True)``.

        An ``async def`` runs on the event loop; a plain ``def`` runs in a thread, so it may block. The parameters are
        the members of the params; one annotated with ``Context`` receives the context. A name without a slash is taken
        as a method of the service that has the plugin's name. Raises ValueError for a reserved or taken name (CAL-01).
        """
        if not isinstance(name, str | None):
            return self.method()(name)

        def register(handler: HandlerT) -> HandlerT:
            full = name or str(handler.__name__)
            if "/" not in full:
                full = f"{self.name}/{full}"
            self.router.add_method(Method(full, handler, idempotent=idempotent))
            return handler

        return register

    def notification(self, name: str) -> Callable[[HandlerT], HandlerT]:
        """Handle a notification, such as ``service/changed``; one after the other, in order (CAL-12)."""

        def register(handler: HandlerT) -> HandlerT:
            self.router.add_notification(Method(name, handler))
            return handler

        return register

    def service(self, service: str, version: str) -> None:
        """State the version of a service: one to three numbers. A service with the plugin's name has the plugin's."""
        if SERVICE_VERSION.fullmatch(version) is None:
            raise ValueError(f"a service's version is one to three numbers such as 1.2.0, and {version!r} is not")
        self._service_versions[service] = version

    # While it runs

    @property
    def config(self) -> Any:
        """The configuration, from ``initialize`` on."""
        return self._running().config

    @property
    def log(self) -> Logger:
        """Log records that belong to no request; on standard error while there is no host."""
        return Logger(StandardErrorLog()) if self._runtime is None else self._runtime.log

    async def call(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = None,
        progress: ProgressCallback | None = None,
    ) -> Any:
        """A call that no request is the parent of; else as ``Context.call``."""
        return await self._running().call(method, params, timeout=timeout, progress=progress)

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification. Any thread."""
        self._running().notify(method, params)

    def _working_for(self) -> tuple[Owner, Context | None]:
        return self._running(), None

    def _running(self) -> Runtime:
        if self._runtime is None:
            raise ConnectionClosed(f"{self.name} is not connected to a host")
        return self._runtime

    # What the runtime asks

    def describe(self) -> dict[str, Any]:
        """The result of ``initialize`` (LIF-04)."""
        # The plugin's own version may have a suffix, such as 1.2.0rc1; a service's has none.
        numbers = SERVICE_VERSION.match(self.version)
        versions = {self.name: numbers.group() if numbers else "0", **self._service_versions}
        described: dict[str, Any] = {
            "protocolVersion": PROTOCOL_VERSION,
            "plugin": {"name": self.name, "version": self.version},
            "capabilities": {"meta": True, "concurrency": self.concurrency, "memory": self.shared_memory},
            **self.declarations.describe(),
        }
        if provides := self.router.provides(versions):
            described["provides"] = provides
        if self._requires:
            described["requires"] = [
                {"service": service, **({"version": wanted} if wanted else {}), "optional": service in self._optional}
                for service, wanted in self._requires.items()
            ]
        return described

    def structure_config(self, config: dict[str, Any]) -> Any:
        """The configuration as the author's own class. Raises InvalidParams."""
        return config if self._config_type is None else structure(config, self._config_type, "$.config")

    def attached(self, runtime: Runtime) -> None:
        """The connection is ready."""
        self._runtime = runtime

    def connect(self, peer: Peer[Any]) -> Runtime:
        """A runtime for one connection; ``run`` and ``plugwire.testing`` call it."""
        self._runtime = Runtime(self, peer)
        return self._runtime

    def run(self, *, framing: Framing | None = None) -> NoReturn:
        """Serve a host on standard input and output until it is done, then end the process (LIF-15, LIF-16).

        Stray prints go to standard error from here on, with what still stands in the buffer of ``sys.stdout``.
        ``framing`` is what the host says unless it is given.
        """
        if stdio.is_terminal():
            command = " ".join([Path(sys.executable).name, *sys.argv])
            print_to_stderr(
                f"{self.name} {self.version} is a plugwire plugin: a host talks with it over standard input and output."
                f"\nTry: plugin-run info -- {command}"
            )
            raise SystemExit(2)
        framing = framing or Framing(os.environ.get("PLUGWIRE_FRAMING", Framing.HEADER.value))
        read_end, write_end = stdio.claim()
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            code = runner.run(self._serve(framing, read_end, write_end))
            stdio.end_process_within(EXIT_GRACE, code)
        raise SystemExit(code)

    async def _serve(self, framing: Framing, read_end: FileIO, write_end: FileIO) -> int:
        runtime = self.connect(Peer(Role.PLUGIN, framing=framing))
        await runtime.connection.open(read_end, write_end)
        code = await runtime.ended
        await runtime.aclose()
        return code


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed; it takes about a third off the time of a call."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


__all__ = ["Context", "Plugin"]
