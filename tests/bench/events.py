"""What an event costs the host: fanned out to many subscriptions, and left unread by a plugin that has stopped.

The cost is the host's own processor time, so that the readers on the other processors do not count.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from plugwire_host import Host

SINK = [sys.executable, "-S", "-E", str(Path(__file__).parent / "sink_plugin.py")]
DATA = {"text": "x" * 60}
SUBSCRIPTIONS = 50
PLUGINS = 5
BATCH, BATCHES = 4000, 10
"""Notifications that are sent before it is seen to that they have arrived, and how often."""
LARGE = {"text": "x" * 8192}
BUFFER_BYTES = 8 << 20


async def event_ratios(rounds: int = 5, unread: int = 100_000) -> dict[str, float]:
    """One delivery of a fan-out against one plain notification, and what a stopped plugin makes the host keep."""
    event = {"topic": "fan.out", "data": DATA}
    async with Host() as host:
        names = [f"sink{number}" for number in range(PLUGINS)]
        for name in names:
            await host.launch(name, SINK)
            topic = {"topic": "fan.out", "count": SUBSCRIPTIONS // PLUGINS}
            await host.call(f"sink@{name}/subscribe", topic)
            await host.call(f"sink@{name}/received")
        ratios = []
        for _ in range(rounds + 1):
            fan_out = await _cost(host, names, lambda _: host.notify("event/publish", event), SUBSCRIPTIONS)
            plain = await _cost(
                host, names, lambda number: host.notify(f"sink@{names[number % PLUGINS]}/note", DATA), 1
            )
            ratios.append(fan_out / plain)
        growth = await _growth_by(host, unread)
    return {
        f"event, a delivery to one of {SUBSCRIPTIONS}, against a plain notification": statistics.median(ratios[1:]),
        f"event, {unread} for a stopped plugin, memory against its buffer's bound": growth / BUFFER_BYTES,
    }


async def _cost(host: Host, names: list[str], send: Callable[[int], None], each: int) -> float:
    """Seconds of processor time for a notification that arrives; ``each`` of them come from one ``send``."""
    start = time.process_time()
    for _ in range(BATCHES):
        for number in range(BATCH // each):
            send(number)
            if number % 20 == 19:
                await asyncio.sleep(0)  # the loop turns, as it does when publishers are plugins
        received = sum([await host.call(f"sink@{name}/received") for name in names])
        if received != BATCH:
            raise RuntimeError(f"{BATCH} notifications were sent, and {received} have arrived")
    return (time.process_time() - start) / (BATCH * BATCHES)


async def _growth_by(host: Host, count: int) -> float:
    """Bytes by which the host has grown when so many events have come for a plugin that reads nothing."""
    record = await host.launch("stopped", SINK)
    await host.call("sink@stopped/subscribe", {"topic": "unread", "count": 1})
    process = psutil.Process()
    if record.pid is None:
        raise RuntimeError("it has ended")
    before = process.memory_info().rss
    os.kill(record.pid, signal.SIGSTOP)
    try:
        for number in range(count):
            host.notify("event/publish", {"topic": "unread", "data": LARGE})
            if number % 20 == 19:
                await asyncio.sleep(0)
        return process.memory_info().rss - before
    finally:
        os.kill(record.pid, signal.SIGCONT)
