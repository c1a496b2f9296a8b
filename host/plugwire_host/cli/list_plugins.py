"""``plugin-run list``: the plugins and how they are."""

from __future__ import annotations

import shlex

import click

from ..errors import StartupFailed, printable
from ..host import Host
from ..supervision.records import PluginRecord, describe
from .hosting import with_host
from .options import Choice, PluginCommand, plugin_options
from .output import is_terminal, show_json

_ANY_LENGTH = 1 << 20


@click.command("list", cls=PluginCommand)
@plugin_options
def command(choice: Choice) -> None:
    """Start the plugins and show state, version, services and command of each."""

    async def main(host: Host) -> None:
        records = list(host.plugins.values())
        if choice.as_json:
            show_json([describe(record) for record in records])
        else:
            _show_table(records)

    with_host(choice, main, quiet=True, reports=False)


def _show_table(records: list[PluginRecord]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("plugin", "state", "version", "services", "command", box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    for record in records:
        services = ", ".join(f"{provided.service} {provided.version}" for provided in record.provides)
        cause = f": {record.failure.report.cause}" if isinstance(record.failure, StartupFailed) else ""
        cells = (
            record.name,
            record.state.value + cause,
            record.version or "",
            services,
            shlex.join(record.command),
        )
        table.add_row(*(printable(cell) for cell in cells))
    # Where it is read by a program, each plugin has one line, whatever its length.
    console = Console(highlight=False, markup=False, emoji=False, width=None if is_terminal() else _ANY_LENGTH)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())
