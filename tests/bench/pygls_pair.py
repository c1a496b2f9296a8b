"""The same calls with pygls at both ends, in its own best way: its asyncio client and a custom request."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import Any

TEXT = "x" * 60


def serve() -> None:
    from pygls.lsp.server import LanguageServer

    server = LanguageServer("bench", "1")

    @server.feature("bench/echo")
    async def echo(params: Any) -> dict[str, Any]:
        return {"text": params.text}

    server.start_io()


async def _with_client(use: Any) -> float:
    from lsprotocol import types
    from pygls.lsp.client import LanguageClient

    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    client = LanguageClient("bench", "1")
    start = time.perf_counter()
    await client.start_io(sys.executable, __file__)
    await client.initialize_async(types.InitializeParams(capabilities=types.ClientCapabilities()))
    ready = time.perf_counter() - start
    result: float = await use(client, ready)
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()  # type: ignore[no-untyped-call]
    return result


async def pygls_calls(count: int) -> float:
    """Seconds of one call, one after the other."""

    async def use(client: Any, _: float) -> float:
        for warm in (True, False):
            start = time.perf_counter()
            for _ in range(count // 10 if warm else count):
                await client.protocol.send_request_async("bench/echo", {"text": TEXT})
        return (time.perf_counter() - start) / count

    return await _with_client(use)


async def pygls_in_flight(count: int, at_a_time: int = 64) -> float:
    """Seconds per call with many in flight."""

    async def use(client: Any, _: float) -> float:
        async def worker() -> None:
            for _ in range(max(1, count // at_a_time)):
                await client.protocol.send_request_async("bench/echo", {"text": TEXT})

        start = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(at_a_time)))
        return (time.perf_counter() - start) / (max(1, count // at_a_time) * at_a_time)

    return await _with_client(use)


async def pygls_launch() -> float:
    """Seconds from spawn to the answer to ``initialize``."""

    async def use(_: Any, ready: float) -> float:
        return ready

    return await _with_client(use)


if __name__ == "__main__":
    serve()
