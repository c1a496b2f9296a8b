"""The services that one host offers: made together, because some use others, and told of what happens to plugins."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from plugwire.wire import Limits

from .events import HostEvent, PluginEnded, PluginFailed, PluginReady, PluginRestarting
from .routing.registry import Provided
from .routing.router import Router
from .services.channels.service import ChannelService
from .services.directory import DirectoryService
from .services.events.service import EventService
from .services.hooks.service import HookService
from .services.locks.service import LockService
from .services.log import LogService, OnLog
from .services.memory.service import MemoryService
from .services.state.service import StateService
from .services.state.sqlite import open_store


class OfferedServices:
    """Every service of a host. ``state`` is the file that shared state is kept in; None keeps it in memory."""

    def __init__(self, router: Router, *, on_log: OnLog, state: str | Path | None, limits: Limits) -> None:
        self.directory = DirectoryService(router.registry)
        self.events = EventService(router, frame_bytes=limits.frame_bytes)
        self.hooks = HookService(router)
        channels = ChannelService(router, frame_bytes=limits.frame_bytes)
        store = open_store(state)
        locks = LockService(router, store)
        for service in (
            LogService(on_log),
            self.directory,
            self.events,
            self.hooks,
            channels,
            MemoryService(router, channels),
            locks,
            StateService(router, store, locks, limits=limits),
        ):
            router.services.add(service)

    def tell(self, event: HostEvent) -> None:
        """Publish what happened to a plugin (spec 06)."""
        match event:
            case PluginReady(plugin, _, version):
                self._publish("ready", plugin, version=version)
            case PluginEnded(plugin, status, asked):
                self._publish("ended", plugin, status=status, asked=asked)
            case PluginRestarting(plugin, delay, attempt):
                self._publish("restarting", plugin, delayMs=round(delay * 1000), attempt=attempt)
            case PluginFailed(plugin, reason):
                self._publish("failed", plugin, reason=reason)

    def _publish(self, what: str, plugin: str, **more: Any) -> None:
        self.events.publish_from_host(f"host.plugin.{what}", {"plugin": plugin, **more})

    def changed(self, instance: str, provided: Iterable[Provided], state: str) -> None:
        """Services of a plugin have become ``available`` or ``unavailable`` (CAL-09 and spec 06)."""
        provided = list(provided)
        self.directory.tell(instance, provided, state)
        for service in provided:
            data = {"service": service.service, "version": service.version, "instance": instance}
            self.events.publish_from_host(f"host.service.{state}", data)
