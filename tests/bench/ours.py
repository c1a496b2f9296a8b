"""The project's own figures."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from plugwire_host import Host

ECHO = [sys.executable, str(Path(__file__).parent / "echo_plugin.py")]
TEXT = "x" * 60


async def direct_calls(count: int) -> float:
    """Seconds of one call, one after the other."""
    async with Host() as host:
        await host.launch("bench", ECHO)
        for warm in (True, False):
            start = time.perf_counter()
            for _ in range(count // 10 if warm else count):
                await host.call("bench/echo", {"text": TEXT})
        return (time.perf_counter() - start) / count


async def in_flight(count: int, at_a_time: int = 64) -> float:
    """Seconds per call with many in flight."""
    async with Host() as host:
        await host.launch("bench", ECHO)

        async def worker(share: int) -> None:
            for _ in range(share):
                await host.call("bench/echo", {"text": TEXT})

        for warm in (True, False):
            share = max(1, count // at_a_time // (10 if warm else 1))
            start = time.perf_counter()
            await asyncio.gather(*(worker(share) for _ in range(at_a_time)))
        return (time.perf_counter() - start) / (share * at_a_time)


async def _relayed(count: int, at_a_time: int) -> float:
    async with Host() as host:
        await host.launch("far", ECHO)
        await host.launch("near", ECHO)
        for warm in (True, False):
            start = time.perf_counter()
            calls = count // 10 if warm else count
            await host.call("bench@near/relay", {"count": calls, "at_a_time": at_a_time}, timeout=120)
        return (time.perf_counter() - start) / count


async def relayed_calls(count: int) -> float:
    """Seconds of one call from a plugin through the host to another."""
    return await _relayed(count, 1)


async def relayed_in_flight(count: int, at_a_time: int = 64) -> float:
    return await _relayed(count // at_a_time * at_a_time, at_a_time)


async def large_echo(count: int) -> float:
    """Seconds for 1 MiB there and back."""
    text = "x" * (1 << 20)
    async with Host() as host:
        await host.launch("bench", ECHO)
        await host.call("bench/echo", {"text": text})
        start = time.perf_counter()
        for _ in range(count):
            await host.call("bench/echo", {"text": text})
        return (time.perf_counter() - start) / count


async def launch_to_ready() -> float:
    """Seconds from spawn to ready."""
    async with Host() as host:
        start = time.perf_counter()
        await host.launch("bench", ECHO)
        return time.perf_counter() - start


async def import_time(statement: str, runs: int = 5) -> float:
    """Seconds of a whole interpreter that runs one statement; the best of a few."""
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True, timeout=60)
        best = min(best, time.perf_counter() - start)
    return best
