"""``plugin-run hooks``: which hooks the plugins have links for, in which order these run, and why. Spec 07."""

from __future__ import annotations

from typing import Any

import click

from ..host import Host
from .hosting import with_host
from .options import Choice, PluginCommand, plugin_options
from .output import say, show, show_json

_HEAD = ("plugin", "mode", "on error", "time", "because")


@click.group("hooks")
def command() -> None:
    """Show the hooks of the plugins."""


@command.command("explain", cls=PluginCommand)
@plugin_options
@click.argument("name")
def explain(choice: Choice, name: str) -> None:
    """Show the links of the hook NAME in the order in which they run, and why each stands where it stands.

    \b
    plugin-run hooks explain document.willSave
    plugin-run hooks explain document.willSave --with ./tidy --with ./lint
    """

    async def main(host: Host) -> None:
        links = await host.explain_hook(name)
        if choice.as_json:
            show_json(links)
        elif links:
            _show_table(links)
        else:
            known = ", ".join((await host.call("hook/list"))["hooks"]) or "none"
            say(f"no plugin has a link for the hook {name!r}; hooks with links: {known}")

    with_host(choice, main, quiet=True)


@command.command("list", cls=PluginCommand)
@plugin_options
def list_hooks(choice: Choice) -> None:
    """Show every hook for which a plugin has a link, and whose links run in which order."""

    async def main(host: Host) -> None:
        hooks = {name: await host.explain_hook(name) for name in (await host.call("hook/list"))["hooks"]}
        if choice.as_json:
            show_json(hooks)
            return
        for name, links in hooks.items():
            show(f"{name}  {' → '.join(_short(link) for link in links)}")
        if not hooks:
            say("no plugin has a link for any hook")

    with_host(choice, main, quiet=True)


def _short(link: dict[str, Any]) -> str:
    return f"({link['instance']})" if link["mode"] == "observe" else str(link["instance"])


def _show_table(links: list[dict[str, Any]]) -> None:
    rows = [_HEAD, *(_row(link) for link in links)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        show("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(link: dict[str, Any]) -> tuple[str, ...]:
    return (link["instance"], link["mode"], link["onError"], f"{link['timeoutMs'] / 1000:g} s", link["because"])
