"""How long it takes to hand 64 MiB to a plugin: as shared memory, inside the params, and as nothing but a copy."""

from __future__ import annotations

import base64
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from plugwire.wire import Limits
from plugwire_host import Host

SUMS = [sys.executable, str(Path(__file__).parent / "memory_plugin.py")]
SIZE = 64 << 20
FRAME = 128 << 20
"""Bytes of a frame that has room for that in base64."""


async def memory_ratios(rounds: int = 7) -> dict[str, float]:
    """Medians of ratios within each round: inline against memory, and memory against a bare copy.

    A memory is made and removed each time, or one is written over again, as for the pictures of a film.
    """
    numbers = np.random.default_rng(1).integers(0, 1 << 32, SIZE // 8, dtype=np.uint64).tobytes()
    expected = int(np.frombuffer(numbers, np.uint64).sum())
    figures: list[tuple[float, float, float, float]] = []
    async with Host(limits=Limits(frame_bytes=FRAME)) as host:
        await host.launch("bench", SUMS)
        kept = await host.create_memory(SIZE)

        async def by_memory() -> int:
            async with await host.create_memory(SIZE) as memory:
                memory.write(numbers)
                await memory.commit()
                return int(await host.call("bench/sum_memory", {"numbers": memory.reference}))

        async def by_kept_memory() -> int:
            await kept.rewrite()
            kept.write(numbers)
            await kept.commit()
            return int(await host.call("bench/sum_memory", {"numbers": kept.reference}))

        async def inline() -> int:
            text = base64.b64encode(numbers).decode()
            return int(await host.call("bench/sum_inline", {"numbers": text}))

        for _ in range(rounds + 1):
            timed = [await _timed(action, expected) for action in (by_memory, by_kept_memory, inline)]
            figures.append((timed[0], timed[1], timed[2], _copy(numbers)))
    figures = figures[1:]  # the first round is for warming up
    return {
        "64 MiB to a plugin, inline against a new memory": statistics.median(i / m for m, _, i, _ in figures),
        "64 MiB to a plugin, inline against a kept memory": statistics.median(i / k for _, k, i, _ in figures),
        "64 MiB by a new memory, against a bare copy": statistics.median(m / c for m, _, _, c in figures),
        "64 MiB by a kept memory, against a bare copy": statistics.median(k / c for _, k, _, c in figures),
    }


async def _timed(action: Callable[[], Awaitable[int]], expected: int) -> float:
    start = time.perf_counter()
    total = await action()
    spent = time.perf_counter() - start
    if total != expected:
        raise RuntimeError(f"the sum is {total}, and {expected} was expected")
    return spent


def _copy(numbers: bytes) -> float:
    start = time.perf_counter()
    bytearray(numbers)
    return time.perf_counter() - start
