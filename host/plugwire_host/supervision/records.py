"""What there is to know of a plugin at one moment, for the application and for people."""

from __future__ import annotations

from enum import Enum
from typing import Any

from attrs import frozen

from ..errors import HostError
from ..routing.registry import Provided


class PluginState(Enum):
    """Where a plugin stands, as the host sees it."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@frozen
class PluginRecord:
    """What there is to know of a plugin at one moment."""

    name: str
    state: PluginState
    command: tuple[str, ...]
    pid: int | None
    version: str | None
    provides: tuple[Provided, ...]
    restarts: int
    in_flight: int
    queued: int
    failure: HostError | None
    stderr_tail: tuple[str, ...]


def describe(record: PluginRecord) -> dict[str, Any]:
    """A record as plain JSON values, for ``plugin-run list --json``."""
    return {
        "name": record.name,
        "state": record.state.value,
        "command": list(record.command),
        "pid": record.pid,
        "version": record.version,
        "provides": [
            {"service": provided.service, "version": provided.version, "methods": dict(provided.methods)}
            for provided in record.provides
        ],
        "restarts": record.restarts,
        "inFlight": record.in_flight,
        "queued": record.queued,
        "failure": None if record.failure is None else str(record.failure),
    }
