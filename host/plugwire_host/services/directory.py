"""``service/list`` and ``service/changed``: who can be called. Spec CAL-08 and CAL-09."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..routing.call import Call, Participant
from ..routing.registry import Provided, Registry
from ..routing.service import Answer, Taker


class DirectoryService:
    """Answers from the registry, and tells plugins about the services that they require."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._wanting: dict[Participant, frozenset[str]] = {}
        self.requests: dict[str, Answer] = {"service/list": self._list}
        self.notifications: dict[str, Taker] = {}

    def _list(self, call: Call) -> dict[str, Any]:
        return {"services": self._registry.describe()}

    def tell(self, instance: str, provided: Iterable[Provided], state: str) -> None:
        """``instance`` has become ``available`` or ``unavailable``."""
        for service in provided:
            params = {"service": service.service, "version": service.version, "instance": instance, "state": state}
            for participant, wanted in self._wanting.items():
                if service.service in wanted and participant.name != instance:
                    participant.send_notification("service/changed", params)

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        wanted = frozenset(required["service"] for required in answer.get("requires", []))
        if wanted:
            self._wanting[participant] = wanted

    def left(self, participant: Participant, reason: str) -> None:
        self._wanting.pop(participant, None)

    def close(self) -> None:
        self._wanting.clear()
