"""What shared state costs a plugin, next to a call of another plugin with as many in flight, in one run."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from plugwire_host import Host

from .ours import ECHO

STATE = [sys.executable, str(Path(__file__).parent / "state_plugin.py")]


async def state_ratios(count: int = 12800, at_a_time: int = 64, rounds: int = 3) -> dict[str, float]:
    """How many requests of the host's state fit into the time of one call from plugin to plugin; above 1 is faster.

    A lock is taken and given back alone, and compared with two calls that are made alone.
    """
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for title, ratio in (await _measure(count, at_a_time)).items():
            found.setdefault(title, []).append(ratio)
    return {title: statistics.median(ratios) for title, ratios in found.items()}


async def _measure(count: int, at_a_time: int) -> dict[str, float]:
    alone = count // 8
    with tempfile.TemporaryDirectory() as folder:
        async with Host() as host, Host(state=Path(folder) / "state.db") as lasting:
            await host.launch("far", ECHO)
            for each in (host, lasting):
                await each.launch("near", STATE)
                await each.state.put("bench/value", "x" * 60)
            call = await _seconds(host, "ask", kind="call", count=count, at_a_time=at_a_time)
            one_call = await _seconds(host, "ask", kind="call", count=alone, at_a_time=1)
            ratios = {
                f"state/{kind}, {at_a_time} in flight": call
                / await _seconds(host, "ask", kind=kind, count=count, at_a_time=at_a_time)
                for kind in ("get", "put", "increment")
            }
            lasting_put = await _seconds(lasting, "ask", kind="put", count=count, at_a_time=at_a_time)
            ratios[f"state/put into a file, {at_a_time} in flight"] = call / lasting_put
            ratios["lock and release, one at a time"] = 2 * one_call / await _seconds(host, "lock", count=alone)
    return ratios


async def _seconds(host: Host, method: str, *, count: int, **params: Any) -> float:
    """Of one request, after some that warm up."""
    await host.call(f"state-bench/{method}", {"count": count // 10, **params}, timeout=120)
    start = time.perf_counter()
    await host.call(f"state-bench/{method}", {"count": count, **params}, timeout=120)
    return (time.perf_counter() - start) / count
