"""``service/list`` and ``service/changed``: who can be called. Spec CAL-08 and CAL-09."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from plugwire.wire import Raw

from ..routing.link import PluginLink
from ..routing.registry import Provided, Registry


class DirectoryService:
    """Answers from the registry, and tells plugins about the services that they require."""

    def __init__(self, registry: Registry, links: Callable[[], Iterable[PluginLink]]) -> None:
        self._registry = registry
        self._links = links
        self.requests: dict[str, Callable[[PluginLink, Raw | None], Any]] = {"service/list": self._list}
        self.notifications: dict[str, Callable[[PluginLink, Raw | None], None]] = {}

    def _list(self, link: PluginLink, params: Raw | None) -> dict[str, Any]:
        return {"services": self._registry.describe()}

    def tell(self, instance: str, provided: Iterable[Provided], state: str) -> None:
        """``instance`` has become ``available`` or ``unavailable``."""
        for service in provided:
            params = {"service": service.service, "version": service.version, "instance": instance, "state": state}
            for link in self._links():
                if link.name != instance and any(wanted.service == service.service for wanted in link.requires):
                    link.send_notification("service/changed", params)
