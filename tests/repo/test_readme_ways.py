"""The table of the README with the ways to work together: each of its lines is run, in a real plugin."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from plugwire_host import Host
from tests.repo.repository import ROOT, TIMEOUT

ROW = re.compile(r"^\| \[([a-z ]+)\]\(spec/[^)]+\) \| `([^`]+)` \|", re.MULTILINE)

PLUGIN = """\
from plugwire import Context, Plugin

MIB = 1 << 20
plugin = Plugin("reader", version="1.0.0")

@plugin.method("reader/events")
async def events(path: str, ctx: Context) -> int:
    return {events}

@plugin.method("reader/hooks")
async def hooks(text: str, ctx: Context) -> str:
    {hooks}
    return text

@plugin.method("reader/channels")
async def channels(reference: dict, ctx: Context) -> list:
    items = []
    {channels} items.append(item)
    return items

@plugin.method("reader/memory")
async def memory(ctx: Context) -> int:
    {shared memory}
    return len(memory.view)

@plugin.method("reader/state")
async def state(ctx: Context) -> int:
    {state and locks}
    return await ctx.state.get("runs")

plugin.run()
"""


def ways() -> dict[str, str]:
    """The line of code for each way."""
    return dict(ROW.findall((ROOT / "README.md").read_text(encoding="utf-8")))


def test_the_table_has_the_five_ways() -> None:
    assert list(ways()) == ["events", "hooks", "channels", "shared memory", "state and locks"]


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A plugin that is made of the table's lines."""
    source = PLUGIN
    for way, line in ways().items():
        source = source.replace("{" + way + "}", line)
    path = tmp_path / "reader.py"
    path.write_text(source, encoding="utf-8")
    return [sys.executable, str(path)]


def test_every_line_of_the_table_does_what_it_says(command: list[str]) -> None:
    async def main() -> dict[str, Any]:
        async with Host() as host, asyncio.timeout(TIMEOUT):

            @host.hook("document.willSave")
            async def tidy(value: str) -> str:
                return value.rstrip()

            await host.launch("reader", command)
            channel = await host.open_channel()
            await channel.send_many(["a", "b"])
            await channel.close()
            async with host.subscribe("document.*") as events:
                subscribers = await host.call("reader/events", {"path": "x"})
                event = await anext(events)
            return {
                "events": (subscribers, event.topic, event.data, event.sender),
                "hooks": await host.call("reader/hooks", {"text": "text  "}),
                "channels": await host.call("reader/channels", {"reference": channel.reference}),
                "memory": await host.call("reader/memory"),
                "state": [await host.call("reader/state"), await host.call("reader/state")],
            }

    assert asyncio.run(main()) == {
        "events": (1, "document.saved", {"path": "x"}, "reader"),
        "hooks": "text",
        "channels": ["a", "b"],
        "memory": 67108864,
        "state": [1, 2],
    }
