"""What every plugin of one host shares, and what the host says of itself in ``initialize``. Spec LIF-03."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import platformdirs

from plugwire.wire import PROTOCOL_VERSION, Arrival, Limits

from ..config import PluginSpec
from ..routing.link import Pending
from ..routing.router import Router

CAPABILITIES = ("meta", "log", "services", "events", "hooks", "channels", "memory", "state", "locks")
"""What this host supports."""


@attrs.define
class Surroundings:
    """A host, as its plugins meet it."""

    name: str
    version: str
    limits: Limits
    router: Router
    on_report: Callable[[str, Arrival[Pending]], None]
    on_stderr: Callable[[str, str], None]
    tap: Callable[[str, bool, bytes], None] | None = None
    conflict: Callable[[Sequence[tuple[str, Mapping[str, Any]]]], str | None] = lambda _: None
    """Why the links of plugins, each with its name and answer, cannot be put in order (HOK-06)."""

    def introduce(self, spec: PluginSpec) -> dict[str, Any]:
        """The params of ``initialize`` for one plugin."""
        limits = self.limits
        return {
            "protocolVersion": PROTOCOL_VERSION,
            "host": {"name": self.name, "version": self.version},
            "instance": spec.name,
            "processId": os.getpid(),
            "capabilities": dict.fromkeys(CAPABILITIES, True),
            "limits": {
                "maxFrameBytes": limits.frame_bytes,
                "maxDepth": limits.depth,
                "maxInFlight": limits.in_flight,
            },
            "config": spec.config,
            "paths": _paths(spec.name),
        }


def _paths(instance: str) -> dict[str, str]:
    """Named, not made: a plugin creates those that it uses."""
    paths = {
        "data": str(platformdirs.user_data_path("plugwire", appauthor=False) / instance),
        "cache": str(platformdirs.user_cache_path("plugwire", appauthor=False) / instance),
    }
    if "XDG_RUNTIME_DIR" in os.environ:  # elsewhere there is no folder that goes with the user's log-out
        paths["runtime"] = str(platformdirs.user_runtime_path("plugwire", appauthor=False) / instance)
    return paths
