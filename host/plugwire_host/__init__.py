"""plugwire_host: launch plugins, call them, and let them call each other.

    from plugwire_host import Host

    async with Host() as host:
        await host.launch("greeter", ["python", "greeter.py"])
        await host.call("greeter/hello", {"name": "x"}, timeout=5)

The layers below are process → the wire (``plugwire.wire``) → routing → services; a frame takes this way in and out.
"""

from plugwire.wire import (
    CallCycle,
    ChannelClosed,
    Conflict,
    ConnectionClosed,
    DeadlineExceeded,
    HookStopped,
    InvalidParams,
    Limits,
    LockLost,
    MethodNotFound,
    Overloaded,
    PluginCrashed,
    PluginUnavailable,
    QuotaExceeded,
    RequestCancelled,
    RequestError,
)

from .blocking import BlockingHost
from .errors import (
    ConfigError,
    HostError,
    IncompatibleVersion,
    ManifestError,
    PluginExited,
    RequirementUnmet,
    StartupFailed,
    StartupReport,
    printable,
)
from .events import (
    EventsMissed,
    HostEvent,
    PluginEnded,
    PluginFailed,
    PluginLogged,
    PluginReady,
    PluginRestarting,
)
from .host import Host
from .supervision.records import PluginRecord, PluginState

__all__ = [
    "BlockingHost",
    "CallCycle",
    "ChannelClosed",
    "ConfigError",
    "Conflict",
    "ConnectionClosed",
    "DeadlineExceeded",
    "EventsMissed",
    "HookStopped",
    "Host",
    "HostError",
    "HostEvent",
    "IncompatibleVersion",
    "InvalidParams",
    "Limits",
    "LockLost",
    "ManifestError",
    "MethodNotFound",
    "Overloaded",
    "PluginCrashed",
    "PluginEnded",
    "PluginExited",
    "PluginFailed",
    "PluginLogged",
    "PluginReady",
    "PluginRecord",
    "PluginRestarting",
    "PluginState",
    "PluginUnavailable",
    "QuotaExceeded",
    "RequestCancelled",
    "RequestError",
    "RequirementUnmet",
    "StartupFailed",
    "StartupReport",
    "printable",
]
