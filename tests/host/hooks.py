"""Links for the tests of hooks: commands of plugins, and what a chain of them makes of a list."""

import json
from typing import Any

from plugwire_host import Host

from .support import plugin


def link(*hooks: dict[str, Any], does: dict[str, list[Any]] | None = None, **more: Any) -> list[str]:
    """The command of tests/plugins/link.py with some HookLinks."""
    return plugin("link", json.dumps({"hooks": hooks, "does": does or {}, **more}))


def adding(name: str, hook: str = "x", **wants: Any) -> list[str]:
    """A link of one hook that puts its name at the end of the value."""
    return link({"name": hook, **wants}, does={hook: ["add", name]})


def liar(name: str, *arguments: Any, hook: str = "x", **wants: Any) -> list[str]:
    """A bad link of one hook."""
    return plugin(name, json.dumps({"name": hook, **wants}), *(json.dumps(argument) for argument in arguments))


async def load(host: Host, **commands: list[str]) -> None:
    """Plugins by instance name, one after the other, so that they are loaded in this order."""
    for name, command in commands.items():
        await host.launch(name, command, restart="never")


async def run_by(host: Host, plugin: str, hook: str, value: Any) -> Any:
    """The HookOutcome of a run that a plugin, of tests/plugins/link.py, has asked for."""
    return await host.call(f"link@{plugin}/ask", {"name": hook, "value": value})


async def explained(host: Host, hook: str = "x") -> list[tuple[str, str]]:
    """Whose links there are, in order, and why."""
    return [(place["instance"], place["because"]) for place in await host.explain_hook(hook)]
