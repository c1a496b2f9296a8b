"""How fast a call is, next to a bare pair and to pygls, and the other ways to work together, next to calls.

    make bench            (or: python -m tests.bench [--rounds N] [--json FILE] [--only calls|ways])

Machines are shared and noisy, so the figures to look at are the ratios: each round measures every contestant once, a
ratio is taken within the round, and the median over the rounds is printed. A small call carries about 120 bytes each
way. The ways beside calls are measured after that, as ratios alone (events.py, channels.py, memory.py, state.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from plugwire.plugin import loop_factory

from .bare import BareHost
from .channels import channel_ratios
from .events import event_ratios
from .memory import memory_ratios
from .ours import (
    direct_calls,
    import_time,
    in_flight,
    large_echo,
    launch_to_ready,
    relayed_calls,
    relayed_in_flight,
)
from .pygls_pair import pygls_calls, pygls_in_flight, pygls_launch
from .state import state_ratios

CALLS = 3000
FLIGHT = 12000
PYGLS_CALLS = 300
UNREAD = 1_000_000
"""Events for a plugin that has stopped reading."""

Measure = Callable[[], Awaitable[float]]


async def bare_calls() -> float:
    """A blocking parent and a blocking child with nothing but a header, a length and msgspec: the limit in Python."""
    with BareHost() as host:
        return host.calls(CALLS)


MEASURES: dict[str, Measure] = {
    "bare blocking pair, one call": bare_calls,
    "plugwire, one call": lambda: direct_calls(CALLS),
    "plugwire, plugin → host → plugin, one call": lambda: relayed_calls(CALLS // 2),
    "pygls pair, one call": lambda: pygls_calls(PYGLS_CALLS),
    "plugwire, 64 in flight, per call": lambda: in_flight(FLIGHT),
    "plugwire, relayed, 64 in flight, per call": lambda: relayed_in_flight(FLIGHT // 2),
    "pygls pair, 64 in flight, per call": lambda: pygls_in_flight(PYGLS_CALLS),
    "plugwire, 1 MiB echo": lambda: large_echo(40),
    "plugwire, launch to ready": launch_to_ready,
    "pygls, launch to initialized": pygls_launch,
    "python -c pass": lambda: import_time("pass"),
    "import asyncio, msgspec": lambda: import_time("import asyncio, msgspec"),
    "import plugwire": lambda: import_time("import plugwire"),
}

RATIOS: list[tuple[str, str, str]] = [
    ("one call, against the bare blocking pair", "plugwire, one call", "bare blocking pair, one call"),
    ("one call, pygls against plugwire", "pygls pair, one call", "plugwire, one call"),
    (
        "plugin → host → plugin, against a direct call",
        "plugwire, plugin → host → plugin, one call",
        "plugwire, one call",
    ),
    (
        "64 in flight, pygls against plugwire",
        "pygls pair, 64 in flight, per call",
        "plugwire, 64 in flight, per call",
    ),
    ("launch to ready, against python -c pass", "plugwire, launch to ready", "python -c pass"),
    ("launch, pygls against plugwire", "pygls, launch to initialized", "plugwire, launch to ready"),
    ("import plugwire, against asyncio and msgspec", "import plugwire", "import asyncio, msgspec"),
]


async def measure_all(rounds: int) -> dict[str, list[float]]:
    """Seconds of each measure, a list entry a round."""
    figures: dict[str, list[float]] = {name: [] for name in MEASURES}
    for number in range(rounds):
        for name, measure in MEASURES.items():
            print(f"\rround {number + 1} of {rounds}: {name:<50}", end="", file=sys.stderr, flush=True)
            figures[name].append(await measure())
    print("\r" + " " * 80 + "\r", end="", file=sys.stderr)
    return figures


async def measure_ways(rounds: int) -> dict[str, float]:
    """The ratios of events, channels, memory and state; each takes its own median over the rounds."""
    return {
        **await event_ratios(rounds, UNREAD),
        **await channel_ratios(rounds),
        **await memory_ratios(rounds),
        **await state_ratios(rounds=rounds),
    }


def ratios(figures: dict[str, list[float]]) -> dict[str, float]:
    """The median of the ratios within each round."""
    return {
        title: statistics.median(a / b for a, b in zip(figures[over], figures[under], strict=True))
        for title, over, under in RATIOS
    }


def _shown(seconds: float) -> str:
    if seconds >= 0.5e-3:
        return f"{seconds * 1e3:10.2f} ms"
    return f"{seconds * 1e6:10.1f} µs  {1 / seconds:10,.0f} /s"


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--only", choices=["calls", "ways"], help="measure only these")
    arguments = parser.parse_args()
    print(
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {arguments.rounds} rounds\n"
    )
    figures: dict[str, list[float]] = {}
    found: dict[str, float] = {}
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        if arguments.only != "ways":
            figures = runner.run(measure_all(arguments.rounds))
            found = ratios(figures)
            for name, seconds in figures.items():
                print(f"  {name:<46}{_shown(statistics.median(seconds))}")
            print()
            _print_ratios(found)
        if arguments.only != "calls":
            ways = runner.run(measure_ways(arguments.rounds))
            _print_ratios(ways)
            found |= ways
    if arguments.json:
        arguments.json.write_text(json.dumps({"seconds": figures, "ratios": found}, indent=2) + "\n")


def _print_ratios(found: dict[str, float]) -> None:
    for title, ratio in found.items():
        print(f"  {title:<70}{ratio:8.2f} ×")


if __name__ == "__main__":
    main()
