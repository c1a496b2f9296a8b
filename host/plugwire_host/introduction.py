"""What the host says of itself in ``initialize``. Spec LIF-03 and the table of InitializeParams."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import platformdirs

from plugwire.wire import PROTOCOL_VERSION

from .config import PluginSpec

if TYPE_CHECKING:
    from .launching import Surroundings


def introduction(spec: PluginSpec, surroundings: Surroundings) -> dict[str, Any]:
    """The params of ``initialize`` for one plugin."""
    limits = surroundings.limits
    return {
        "protocolVersion": PROTOCOL_VERSION,
        "host": {"name": surroundings.name, "version": surroundings.version},
        "instance": spec.name,
        "processId": os.getpid(),
        "capabilities": {"meta": True, "log": True, "services": True},
        "limits": {"maxFrameBytes": limits.frame_bytes, "maxDepth": limits.depth, "maxInFlight": limits.in_flight},
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
