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
that a plugin may never need.
"""

from .context import Context
from .plugin import Plugin
from .wire import (
    CallCycle,
    ConnectionClosed,
    DeadlineExceeded,
    ErrorCode,
    Framing,
    InvalidParams,
    MethodNotFound,
    Overloaded,
    PluginCrashed,
    PluginUnavailable,
    PlugwireError,
    ProtocolError,
    RequestCancelled,
    RequestError,
)

__all__ = [
    "CallCycle",
    "ConnectionClosed",
    "Context",
    "DeadlineExceeded",
    "ErrorCode",
    "Framing",
    "InvalidParams",
    "MethodNotFound",
    "Overloaded",
    "Plugin",
    "PluginCrashed",
    "PluginUnavailable",
    "PlugwireError",
    "ProtocolError",
    "RequestCancelled",
    "RequestError",
]
