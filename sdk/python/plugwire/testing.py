"""Test a plugin without a process: a host in the same event loop, over the in-memory transport.

    async def test_hello() -> None:
        async with connect(plugin, config={"tone": "warm"}) as host:
            host.serve("spell/check", lambda params: {"ok": True})
            assert await host.call("greeter/hello", {"name": "Ada"}) == "Hello, Ada!"
            assert host.logs == [{"level": "info", "message": "greeting"}]
            assert [call.method for call in host.calls] == ["spell/check"]

Both ends are real peers. Owns: one connection from initialize to exit. Does not own: routing, manifests, processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from . import wire
from .memory_host import PluginCall, TestHost
from .plugin import Plugin

__all__ = ["PluginCall", "TestHost", "connect"]

_CAPABILITIES = ("meta", "log", "services", "events", "hooks", "channels", "memory", "state", "locks")

WAIT = 10.0
"""Seconds that any one answer may take, unless a test says otherwise."""


@asynccontextmanager
async def connect(
    plugin: Plugin,
    *,
    config: dict[str, Any] | None = None,
    capabilities: dict[str, bool] | None = None,
    limits: dict[str, int] | None = None,
    protocol_version: str = wire.PROTOCOL_VERSION,
    wait: float = WAIT,
) -> AsyncIterator[TestHost]:
    """A host that has started ``plugin``, and that ends it in order.

    ``capabilities`` are the host's: all of them unless it is given. ``limits`` replaces some of the spec's defaults, by
    the spec's names. Raises RequestError when the plugin refuses to start, and RemoteProtocolError at the end when it
    broke the protocol, left a request unanswered, or would have ended with another code than 0.
    """
    capabilities = dict.fromkeys(_CAPABILITIES, True) if capabilities is None else capabilities
    usual = wire.Limits()
    in_force = {"maxFrameBytes": usual.frame_bytes, "maxDepth": usual.depth, "maxInFlight": usual.in_flight}
    in_force.update(limits or {})
    host = TestHost(wire.Limits(*in_force.values()), takes_meta=capabilities.get("meta", False), wait=wait)
    runtime = plugin.connect(wire.Peer(wire.Role.PLUGIN))
    host.connection.join_memory(runtime.connection)
    runtime.connection.join_memory(host.connection)
    params = {
        "protocolVersion": protocol_version,
        "host": {"name": "plugwire.testing", "version": "1"},
        "instance": plugin.name.lower(),
        "capabilities": capabilities,
        "limits": in_force,
        "config": config or {},
    }
    try:
        host.initialize_result = await host.call("initialize", params)
        host.notify("initialized")
        yield host
        if host.peer.state is wire.State.READY:
            await host.call("shutdown")
        if host.peer.state is not wire.State.EXITED:
            host.notify("exit")
        async with asyncio.timeout(wait):
            host.exit_code = await runtime.ended
        if complaints := host.complaints():
            raise wire.RemoteProtocolError("; ".join(complaints))
    finally:
        host.connection.close()
        await runtime.aclose()
