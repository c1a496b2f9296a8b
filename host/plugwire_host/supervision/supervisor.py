"""One plugin over its life: start, watch, restart, stop. Spec LIF-10, LIF-14, LIF-17 to LIF-20.

Owns: the state of one plugin and its place in the registry. Does not own: processes (process/), calls (routing/), or
which plugins there are (host.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from ..config import PluginSpec
from ..errors import HostError, PluginExited, RequirementUnmet, StartupFailed
from ..events import HostEvent, PluginEnded, PluginFailed, PluginReady, PluginRestarting
from ..routing.registry import Provided, Registry
from .launching import Launched, launch
from .records import PluginRecord, PluginState
from .restarts import WINDOW, RestartBudget
from .surroundings import Surroundings

ChangedCallback = Callable[[str, Iterable[Provided], str], None]


class Supervisor:
    """Keeps one plugin running. ``on_changed`` hears when its services come and go (CAL-09)."""

    def __init__(
        self,
        spec: PluginSpec,
        surroundings: Surroundings,
        registry: Registry,
        *,
        on_event: Callable[[HostEvent], None],
        on_changed: ChangedCallback,
    ) -> None:
        self.spec = spec
        self.state = PluginState.STARTING
        self.failure: HostError | None = None
        self.launched: Launched | None = None
        self.restarts = 0
        self._surroundings = surroundings
        self._registry = registry
        self._on_event = on_event
        self._on_changed = on_changed
        self._budget = RestartBudget()
        self._starting: asyncio.Task[Launched] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._stopped: asyncio.Event | None = None
        self._killed = False

    @property
    def name(self) -> str:
        return self.spec.name

    def record(self) -> PluginRecord:
        """A picture of this moment."""
        launched = self.launched
        answer = launched.answer if launched is not None else None
        return PluginRecord(
            name=self.name,
            state=self.state,
            command=tuple(self.spec.command.argv),
            pid=launched.child.pid if launched is not None and self.state is PluginState.READY else None,
            version=answer.version if answer is not None else None,
            provides=self.provides,
            restarts=self.restarts,
            in_flight=len(launched.link.serving()) if launched is not None else 0,
            queued=len(launched.link.waiting) if launched is not None else 0,
            failure=self.failure,
            stderr_tail=tuple(launched.stderr.tail) if launched is not None else (),
        )

    # Start, in two steps, so that several plugins can require each other

    async def launch(self) -> None:
        """Spawn and handshake. Raises StartupFailed; the plugin has then failed."""
        try:
            await self._start()
        except StartupFailed as error:
            self.fail(error)
            raise

    async def _start(self) -> None:
        self._starting = asyncio.ensure_future(launch(self.spec, self._surroundings))
        try:
            self.launched = await self._starting
        except asyncio.CancelledError:
            if self.state is PluginState.STOPPING:
                raise HostError(f"plugin {self.name!r} was stopped while it was starting") from None
            raise

    @property
    def has_ended(self) -> bool:
        """Whether a plugin that was launched is no longer there."""
        return self.launched is not None and self.launched.link.connection.closed

    @property
    def provides(self) -> tuple[Provided, ...]:
        """What it says that it provides."""
        answer = self.launched.answer if self.launched is not None else None
        return () if answer is None else answer.provides

    def unmet(self, also: Iterable[Provided] = ()) -> list[str]:
        """Why what it requires is not there (CAL-10)."""
        answer = self.launched.answer if self.launched is not None else None
        return [] if answer is None else self._registry.unmet(answer.requires, [*answer.provides, *also])

    def misplaced(self, also: Iterable[Supervisor] = ()) -> str | None:
        """Why its links of hooks cannot be put in order with those that are there, and ``also`` (HOK-06)."""
        coming = [supervisor for supervisor in (*also, self) if supervisor.launched is not None]
        answers = [(s.name, s.launched.answer.raw) for s in coming if s.launched is not None and s.launched.answer]
        return self._surroundings.conflict(answers)

    async def refuse(self, problems: list[str], *, misplaced: str | None = None) -> None:
        """It fails: its requirements are not met, its links have no place, or, without either, it has ended."""
        self.fail(await self._refusal(problems, misplaced))

    async def _refusal(self, problems: list[str], misplaced: str | None) -> StartupFailed:
        """End a plugin that cannot become ready; the error says why."""
        launched = self.launched
        assert launched is not None
        if self.has_ended:
            report = await launched.report_end()
            await launched.stop(goodbye=False)
            return StartupFailed(report)
        if misplaced is not None:
            hint = "change `before` or `after` of one of them, or leave one of these plugins out"
            report = launched.report("hooks", misplaced, hint)
            await launched.stop(goodbye=True)
            return StartupFailed(report)
        hint = "add a plugin that provides it, or make it optional"
        report = launched.report("requires", "; ".join(problems), hint)
        await launched.stop(goodbye=True)
        return RequirementUnmet(report)

    def become_ready(self) -> None:
        """``initialized`` is sent and its services can be called (LIF-08)."""
        launched = self.launched
        assert launched is not None
        assert launched.answer is not None
        link, answer = launched.link, launched.answer
        link.connection.send(link.peer.send_notification("initialized"))
        self._registry.add(self.name, link, answer.provides, self.spec.priority)
        self._surroundings.router.services.joined(link, answer.raw)
        self.state = PluginState.READY
        self.failure = None
        self._watching = asyncio.get_running_loop().create_task(self._watch(launched))
        self._on_event(PluginReady(self.name, launched.child.pid, answer.version))
        self._on_changed(self.name, answer.provides, "available")

    def fail(self, error: HostError) -> None:
        self.state = PluginState.FAILED
        self.failure = error
        reason = error.report.cause if isinstance(error, StartupFailed) else str(error)
        self._on_event(PluginFailed(self.name, reason))

    # Its end

    async def _watch(self, launched: Launched) -> None:
        """Until it has ended unasked; then its calls end, and it is started again within the budget."""
        await launched.wait_ended()
        status = launched.status
        self._leave(f"it has ended ({status})")
        self._surroundings.router.link_lost(launched.link, status)
        self._on_event(PluginEnded(self.name, status, asked=self._killed))
        await launched.stop(goodbye=False)
        failed = launched.child.returncode != 0 or launched.broke_protocol
        stays = self.spec.restart == "never" or (self.spec.restart == "on-failure" and not failed)
        if stays or self._killed:
            self.failure = PluginExited(self.name, status)
            self.state = PluginState.STOPPED
        else:
            await self._restart(status)

    async def _restart(self, status: str) -> None:
        loop = asyncio.get_running_loop()
        while True:
            delay = self._budget.next_delay(loop.time())
            if delay is None:
                reason = (
                    f"{status}; it was restarted {self._budget.spent} times within {WINDOW:g} s and is now left alone: "
                    "mend it, then restart it"
                )
                self.fail(PluginExited(self.name, reason))
                return
            self.state = PluginState.RESTARTING
            self.restarts += 1
            self._on_event(PluginRestarting(self.name, delay, self._budget.spent))
            await asyncio.sleep(delay)
            try:
                await self._start()
                problems, misplaced = self.unmet(), self.misplaced()
                if problems or misplaced or self.has_ended:
                    raise await self._refusal(problems, None if problems else misplaced)
            except StartupFailed as error:
                status = error.report.cause
            else:
                self.become_ready()
                return

    def _leave(self, reason: str) -> None:
        """It can no longer be called."""
        removed = self._registry.remove(self.name, reason)
        self._on_changed(self.name, removed, "unavailable")

    async def stop(self, *, grace: float = 2.0) -> None:
        """End it for good, whatever it is doing. Idempotent; whoever comes second waits for the first."""
        if self._stopped is not None:
            await self._stopped.wait()
            return
        if self.state in (PluginState.STOPPED, PluginState.FAILED):
            return
        self._stopped = asyncio.Event()
        was, self.state = self.state, PluginState.STOPPING
        try:
            for task in (self._watching, self._starting):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            if self.launched is not None:
                await self._end(self.launched, grace, alive=was is not PluginState.RESTARTING)
        finally:
            self.state = PluginState.STOPPED
            self._stopped.set()

    async def _end(self, launched: Launched, grace: float, *, alive: bool) -> None:
        self._leave("it is being stopped")
        router = self._surroundings.router
        router.flush_queue(launched.link, "it is being stopped")
        try:
            await launched.stop(goodbye=not self._killed, grace=grace)
        finally:
            router.link_lost(launched.link, launched.status)
            if alive:
                self._on_event(PluginEnded(self.name, launched.status, asked=True))

    def kill(self) -> None:
        """End it without any waiting; ``stop`` still has to be awaited."""
        self._killed = True
        if self.state in (PluginState.STARTING, PluginState.RESTARTING):
            self.state = PluginState.STOPPING
            for task in (self._watching, self._starting):
                if task is not None:
                    task.cancel()
        if self.launched is not None:
            self.launched.child.kill_group()
