"""What the benchmark of shared state calls: requests to the host, and to another plugin, as many at a time."""

import asyncio
from typing import Any

from plugwire import Context, Plugin

plugin = Plugin("state-bench", version="1.0")

REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "call": ("bench@far/echo", {"text": "x" * 60}),
    "get": ("state/get", {"key": "bench/value"}),
    "put": ("state/put", {"key": "bench/value", "value": "x" * 60}),
    "increment": ("state/increment", {"key": "bench/count"}),
}


@plugin.method
async def ask(kind: str, count: int, at_a_time: int, ctx: Context) -> None:
    """Send ``count`` requests, ``at_a_time`` in flight."""
    method, params = REQUESTS[kind]

    async def worker(share: int) -> None:
        for _ in range(share):
            await ctx.call(method, params)

    await asyncio.gather(*(worker(count // at_a_time) for _ in range(at_a_time)))


@plugin.method
async def lock(count: int, ctx: Context) -> None:
    """Take a lock and give it back, one after the other."""
    for _ in range(count):
        given = await ctx.call("lock/acquire", {"name": "bench"})
        await ctx.call("lock/release", {"name": "bench", "token": given["token"]})


if __name__ == "__main__":
    plugin.run()
