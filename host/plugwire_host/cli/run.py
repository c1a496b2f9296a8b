"""``plugin-run run``: stay up."""

from __future__ import annotations

import click

from ..events import HostEvent
from ..host import Host
from .exits import NOT_STARTED
from .hosting import stay_up, with_host
from .options import Choice, PluginCommand, plugin_options
from .output import say, show_json


@click.command("run", cls=PluginCommand)
@plugin_options
def command(choice: Choice) -> None:
    """Stay up with the plugins of plugins.toml, of --with, and after -- until Ctrl-C.

    With --json, what happens to the plugins is written to stdout, one JSON object a line.
    """
    lost: list[OSError] = []

    def watch(event: HostEvent) -> None:
        try:
            show_json(_as_json(event))
        except OSError as error:
            lost.append(error)  # nobody reads what we were started to write

    def check() -> None:
        if lost:
            raise lost[0]

    async def main(host: Host) -> None:
        check()
        ready = [record for record in host.plugins.values() if record.state.value == "ready"]
        if ready:
            services = ", ".join(sorted({service["service"] for service in host.services})) or "no services"
            say(f"{len(ready)} of {len(host.plugins)} plugins ready: {services}; Ctrl-C stops them")
        await stay_up(host, check)

    with_host(choice, main, watch=watch if choice.as_json else None)
    say("no plugin is left that runs")
    raise SystemExit(NOT_STARTED)


def _as_json(event: HostEvent) -> dict[str, object]:
    fields = {field: getattr(event, field) for field in type(event).__dataclass_fields__}
    return {"event": type(event).__name__, **fields}
