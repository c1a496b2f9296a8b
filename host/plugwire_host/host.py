"""What an application touches to have plugins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from plugwire.collaboration import Collaboration
from plugwire.context import Context, Owner, ProgressCallback
from plugwire.declarations import Declarations, Declaring
from plugwire.wire import Arrival, ConnectionClosed, Framing, Limits

from .application import Application
from .config import HostConfig, PluginSpec, read_config
from .errors import HostError
from .events import EventHub, EventT, HostEvent, PluginLogged
from .offered import OfferedServices
from .process.command import build_command
from .reporting import describe_arrival
from .routing.call import encode_params
from .routing.link import Pending
from .routing.local import HOST, LocalMethods, OwnMethods
from .routing.registry import Registry
from .routing.router import Router
from .supervision.records import PluginRecord, PluginState
from .supervision.starting import check_names, start_together
from .supervision.supervisor import Supervisor
from .supervision.surroundings import Surroundings

HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])
Trace = Callable[[str, bool, bytes], None]


class Host(Collaboration, Declaring):
    """Launches plugins, routes their messages, and ends them.

        async with Host() as host:
            await host.launch("greeter", ["python", "greeter.py"])
            print(await host.call("greeter/hello", {"name": "x"}, timeout=5))

    Leaving the ``async with`` ends every plugin, all at once (LIF-14). ``call_timeout`` is the time in seconds of a
    call that is given none (CAL-31), ``state`` a file that keeps shared state (STA-14); without it, that ends with the
    host. ``trace`` is called with each plugin's name, whether the host sent it, and the bytes. All methods belong to
    the loop's thread; ``BlockingHost`` is for programs without one.
    """

    def __init__(
        self,
        *,
        name: str = "plugwire host",
        version: str = "0.1",
        call_timeout: float = 60.0,
        limits: Limits | None = None,
        trace: Trace | None = None,
        config: HostConfig | None = None,
        state: str | Path | None = None,
    ) -> None:
        self._name = name
        self._version = version
        self._call_timeout = call_timeout if config is None else config.call_timeout
        self._limits = limits or Limits()
        self._trace = trace
        self._config = config
        self._state = config.state if state is None and config is not None else state
        self._events = EventHub()
        self.declarations = Declarations()
        self._own = OwnMethods()
        self._supervisors: dict[str, Supervisor] = {}
        self._registry = Registry()
        self._router: Router | None = None
        self._closing = False

    @classmethod
    def from_config(cls, path: str | Path, **options: Any) -> Host:
        """A host with the plugins of a ``plugins.toml`` (spec 12); they start on entering. Raises ConfigError."""
        return cls(config=read_config(Path(path)), **options)

    # Life

    async def __aenter__(self) -> Self:
        router = self._router = Router(self._registry, default_timeout=self._call_timeout, on_dropped=self._warn)
        application = self._application = Application(router)
        self._local = LocalMethods(
            router,
            self._own,
            call=application.call,
            notify=application.notify,
            write_log=lambda level, message, data: self._log(HOST, level, message, data),
        )
        self._local.declarations = self.declarations
        application.clients = self._local.clients
        router.local = self._local
        self._offered = OfferedServices(router, on_log=self._log, state=self._state, limits=self._limits)
        self._registry.add(HOST, None, self._own.provides())
        application.declare(self.declarations)
        self.declarations.on_change = lambda: self._local.on_loop(lambda: application.declare(self.declarations))
        self._surroundings = Surroundings(
            name=self._name,
            version=self._version,
            limits=self._limits,
            router=router,
            on_report=self._report,
            on_stderr=lambda plugin, line: self._events.emit(PluginLogged(plugin, "info", line, source="stderr")),
            tap=self._trace,
            conflict=self._offered.hooks.conflict,
        )
        if self._config is not None:
            try:
                await self.launch_all(self._config.plugins)
            except BaseException:
                await self.aclose()
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End every plugin, all at once, and every call. Idempotent; a cancelled close still ends the processes."""
        self._closing = True
        try:
            await asyncio.gather(*(supervisor.stop() for supervisor in self._supervisors.values()))
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            if self._router is not None:
                await self._local.aclose()
                self._router.close()
            self._events.close()

    def kill(self) -> None:
        """End every process at once, without asking; ``aclose`` still has to be awaited."""
        for supervisor in self._supervisors.values():
            supervisor.kill()

    # Plugins

    async def launch(
        self,
        name: str,
        command: Sequence[str],
        *,
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        framing: Literal["header", "line"] = "header",
        priority: int = 0,
        restart: Literal["on-failure", "always", "never"] = "on-failure",
        stdout_noise: Literal["tolerate", "fail"] = "tolerate",
        start_timeout: float = 10.0,
        call_timeout: float | None = None,
    ) -> PluginRecord:
        """Start a plugin; returns when it is ready. ``command`` is a list of arguments, never a shell's line.

        Raises StartupFailed with a report of what is known, RequirementUnmet when a service that it requires is not
        there, and ValueError for a name that is taken or not allowed (CAL-40).
        """
        spec = PluginSpec(
            name=name,
            command=build_command(command, cwd=None if cwd is None else Path(cwd), env=env),
            framing=Framing(framing),
            config=dict(config or {}),
            priority=priority,
            required=True,
            stdout_noise=stdout_noise,
            restart=restart,
            start_timeout=start_timeout,
            call_timeout=call_timeout,
        )
        await self.launch_all([spec])
        return self._supervisors[name].record()

    async def launch_all(self, specs: Iterable[PluginSpec]) -> None:
        """Start plugins side by side; they may require each other.

        Returns when each is ready or has failed. A failure is raised only for a plugin that is ``required``; of the
        others ``plugins`` and the events tell (MAN-08).
        """
        if self._router is None or self._closing:
            raise HostError("the host is not running: use it inside `async with`")
        specs = list(specs)
        gone = (PluginState.FAILED, PluginState.STOPPED)
        there = {name for name, supervisor in self._supervisors.items() if supervisor.state not in gone}
        check_names((spec.name for spec in specs), there)
        await start_together([self._supervise(spec, self._router) for spec in specs])

    def _supervise(self, spec: PluginSpec, router: Router) -> Supervisor:
        supervisor = Supervisor(
            spec,
            self._surroundings,
            self._registry,
            on_event=self._emit,
            on_changed=self._offered.changed,
        )
        self._supervisors[spec.name] = supervisor
        if spec.call_timeout is None:
            router.timeouts.pop(spec.name, None)
        else:
            router.timeouts[spec.name] = spec.call_timeout
        return supervisor

    async def stop(self, name: str) -> None:
        """End one plugin for good. Raises KeyError for an unknown name."""
        await self._supervisors[name].stop()

    @property
    def plugins(self) -> dict[str, PluginRecord]:
        """Every plugin that was launched, as it is now."""
        return {name: supervisor.record() for name, supervisor in self._supervisors.items()}

    @property
    def services(self) -> list[dict[str, Any]]:
        """Who can be called now: ServiceDescriptions as in ``service/list``."""
        return self._registry.describe()

    # Calls

    async def call(
        self,
        method: str,
        params: Any = None,
        *,
        timeout: float | None = None,
        progress: ProgressCallback | None = None,
    ) -> Any:
        """Call ``service/method`` of a plugin; the result as plain JSON values.

        ``timeout`` is in seconds. Raises RequestError: DeadlineExceeded, PluginCrashed, PluginUnavailable, Overloaded,
        MethodNotFound, or the plugin's own. Cancelling the wait cancels the call and everything that it caused.
        """
        if self._router is None or self._closing:
            raise ConnectionClosed("the host is not running")
        return await self._application.call(method, params, timeout=timeout, progress=progress)

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification to the plugin that provides the service; dropped, with a warning, when there is none."""
        if self._router is None or self._closing:
            raise ConnectionClosed("the host is not running")
        self._application.notify(method, encode_params(params))

    def method(self, name: str, *, version: str = "1") -> Callable[[HandlerT], HandlerT]:
        """Serve a method of the application's own to plugins: ``@host.method("editor/openFile")``.

        Handlers are written as a plugin's: typed parameters, ``async def`` or plain ``def``, and ``Context``, whose
        ``caller`` is the plugin that called. Raises ValueError for a reserved or taken name.
        """

        def register(handler: HandlerT) -> HandlerT:
            self._own.add(name, handler, version)
            if self._router is not None:
                known = {provided.service for provided in self._registry.remove(HOST, "it is being replaced")}
                provides = self._own.provides()
                self._registry.add(HOST, None, provides)
                self._offered.changed(HOST, [p for p in provides if p.service not in known], "available")
            return handler

        return register

    # The other ways to work together

    def _working_for(self) -> tuple[Owner, Context | None]:
        if self._router is None or self._closing:
            raise ConnectionClosed("the host is not running")
        return self._local, None

    # What happens to plugins

    def events(self) -> AsyncIterator[HostEvent]:
        """What happens to plugins, from now on (``plugwire_host.events``); ends when the host has closed."""
        return self._events.stream()

    def on(self, kind: type[EventT], callback: Callable[[EventT], None]) -> Callable[[], None]:
        """Call back, on the loop, for each event of a kind; the result takes the callback off again."""
        return self._events.on(kind, callback)

    def _emit(self, event: HostEvent) -> None:
        self._events.emit(event)
        self._offered.tell(event)

    def _log(self, plugin: str, level: str, message: str, data: dict[str, Any]) -> None:
        self._events.emit(PluginLogged(plugin, level, message, data))

    def _warn(self, plugin: str, message: str) -> None:
        self._events.emit(PluginLogged(plugin, "warning", message, source="host"))

    def _report(self, plugin: str, arrival: Arrival[Pending]) -> None:
        text = describe_arrival(arrival)
        if text is not None:
            self._warn(plugin, text)
