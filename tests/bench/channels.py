"""What an item of a channel costs from plugin to plugin: in batches, one to a message, and next to a notification each.

All of it is taken in turn in one run, with real processes.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

from plugwire_host import Host

LANE = [sys.executable, str(Path(__file__).parent / "channel_plugin.py")]


async def channel_ratios(rounds: int = 5, items: int = 100_000) -> dict[str, float]:
    """How many times as many items a second go through a channel in batches."""
    async with Host() as host:
        for name in ("near", "far"):
            await host.launch(name, LANE)
        figures = []
        for _ in range(rounds + 1):
            batches = await _through_a_channel(host, items)
            figures.append(
                {
                    "in batches, against notifications": await _by_notifications(host, items // 5) / batches,
                    "in batches, against one item to a message": await _through_a_channel(
                        host, items // 10, batches=False
                    )
                    / batches,
                    "without redelivery, against with it": await _through_a_channel(host, items, redeliver=True)
                    / batches,
                }
            )
    return {f"channel, items a second {way}": statistics.median(f[way] for f in figures[1:]) for way in figures[0]}


async def _through_a_channel(host: Host, count: int, *, redeliver: bool = False, batches: bool = True) -> float:
    """Seconds of one item."""
    channel = await host.open_channel(capacity=1024, redeliver=redeliver)
    to = {"channel": channel.reference}
    start = time.perf_counter()
    consuming = asyncio.ensure_future(host.call("lane@far/consume", to))
    await host.call("lane@near/produce", {**to, "count": count, "batches": batches})
    received = await consuming
    if received != count:
        raise RuntimeError(f"{count} items were sent, and {received} have arrived")
    return (time.perf_counter() - start) / count


async def _by_notifications(host: Host, count: int) -> float:
    """Seconds of one notification that a plugin sends to another."""
    before = await host.call("lane@far/count_notes")
    start = time.perf_counter()
    await host.call("lane@near/note_many", {"count": count})
    while await host.call("lane@far/count_notes") < before + count:
        await asyncio.sleep(0)
    return (time.perf_counter() - start) / count
