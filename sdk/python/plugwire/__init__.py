"""plugwire: write a plugin.

    from plugwire import Context, Plugin

    plugin = Plugin("greeter", version="1.0.0")

    @plugin.method
    async def hello(name: str, ctx: Context) -> str:
        ctx.log.info("greeting", name=name)
        return f"Hello, {name}!"

    plugin.run()

The written protocol is in ``spec/``. ``plugwire.testing`` tests a plugin without a process; ``plugwire.wire`` is the
protocol itself, without I/O; hosts are in ``plugwire_host``. Importing this loads asyncio and msgspec, and nothing
that a plugin may never need: what belongs to one way of working together is loaded when it is first named.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .context import Context
from .plugin import Plugin
from .wire import (
    CallCycle,
    ChannelClosed,
    Conflict,
    ConnectionClosed,
    DeadlineExceeded,
    ErrorCode,
    Framing,
    HookStopped,
    InvalidParams,
    LockLost,
    MethodNotFound,
    Overloaded,
    PluginCrashed,
    PluginUnavailable,
    PlugwireError,
    ProtocolError,
    QuotaExceeded,
    RequestCancelled,
    RequestError,
)

if TYPE_CHECKING:
    from .channels import Channel, select
    from .events import Event, Subscription, SubscriptionEnded
    from .hooks import StopHook
    from .locks import Held, Lock
    from .memory import Memory, MemoryReleased
    from .memory_content import MemoryUnreachable
    from .state import Change, Entry, State, Watch, WatchEnded

_HOMES = {
    "Change": "state",
    "Channel": "channels",
    "Entry": "state",
    "Event": "events",
    "Held": "locks",
    "Lock": "locks",
    "Memory": "memory",
    "MemoryReleased": "memory",
    "MemoryUnreachable": "memory_content",
    "State": "state",
    "StopHook": "hooks",
    "Subscription": "events",
    "SubscriptionEnded": "events",
    "Watch": "state",
    "WatchEnded": "state",
    "select": "channels",
}

__all__ = [
    "CallCycle",
    "Change",
    "Channel",
    "ChannelClosed",
    "Conflict",
    "ConnectionClosed",
    "Context",
    "DeadlineExceeded",
    "Entry",
    "ErrorCode",
    "Event",
    "Framing",
    "Held",
    "HookStopped",
    "InvalidParams",
    "Lock",
    "LockLost",
    "Memory",
    "MemoryReleased",
    "MemoryUnreachable",
    "MethodNotFound",
    "Overloaded",
    "Plugin",
    "PluginCrashed",
    "PluginUnavailable",
    "PlugwireError",
    "ProtocolError",
    "QuotaExceeded",
    "RequestCancelled",
    "RequestError",
    "State",
    "StopHook",
    "Subscription",
    "SubscriptionEnded",
    "Watch",
    "WatchEnded",
    "select",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    return found
