"""``plugin-run events``: what plugins publish, as it happens, and what they say that they publish. Spec 06."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import click

from ..host import Host
from .hosting import stay_up, with_host
from .options import Choice, PluginCommand, plugin_options
from .output import say, show, show_json, to_json

if TYPE_CHECKING:
    from plugwire.events import Event

_EARLIER = 1024
"""As many as a host keeps; so what is published while the plugins start is shown as well."""


@click.group("events")
def command() -> None:
    """Show what plugins publish."""


@command.command("watch", cls=PluginCommand)
@plugin_options
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after so many events.")
@click.argument("topic")
def watch(choice: Choice, topic: str, count: int | None) -> None:
    """Start the plugins and print each event on TOPIC, until Ctrl-C or until no plugin is left.

    ``*`` stands for one part of a topic, a last ``>`` for the rest: quote them.

    \b
    plugin-run events watch 'document.*' --with ./editor-plugin
    plugin-run events watch '>' --json --count 10
    """

    async def main(host: Host) -> None:
        printing = asyncio.ensure_future(_print(host, topic, count, as_json=choice.as_json))
        staying = asyncio.ensure_future(stay_up(host, lambda: None))
        try:
            await asyncio.wait((printing, staying), return_when=asyncio.FIRST_COMPLETED)
            if not printing.done():
                say("no plugin is left that runs")
        finally:
            for task in (printing, staying):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await printing

    with_host(choice, main, quiet=True)


async def _print(host: Host, topic: str, count: int | None, *, as_json: bool) -> None:
    shown = 0
    async with host.subscribe(topic, replay=_EARLIER) as events:
        async for event in events:
            if event.missed:
                say(f"{event.missed} events were missed: they came faster than they could be shown")
            show_json(_as_json(event)) if as_json else show(f"{event.topic}  {event.sender}  {to_json(event.data)}")
            shown += 1
            if shown == count:
                return


def _as_json(event: Event) -> dict[str, Any]:
    return {"topic": event.topic, "from": event.sender, "data": event.data, "seq": event.seq, "missed": event.missed}


@command.command("topics", cls=PluginCommand)
@plugin_options
def topics(choice: Choice) -> None:
    """Show which topics the plugins, and the host, say that they publish."""

    async def main(host: Host) -> None:
        declared = (await host.call("event/topics"))["topics"]
        if choice.as_json:
            show_json(declared)
            return
        for topic in declared:
            described = str(topic.get("description", "")).partition("\n")[0]
            show("  ".join(part for part in (topic["topic"], topic["from"], described) if part))

    with_host(choice, main, quiet=True)
