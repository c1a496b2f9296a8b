"""``plugin-run info``: what plugins say of themselves."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import click

from ..errors import StartupFailed
from ..host import Host
from ..supervision.records import PluginRecord, describe
from .hosting import with_host
from .options import Choice, PluginCommand, plugin_options
from .output import show, show_json


@click.command("info", cls=PluginCommand)
@plugin_options
def command(choice: Choice) -> None:
    """Show the name, the version and every method of each plugin."""

    async def main(host: Host) -> None:
        records = list(host.plugins.values())
        if choice.as_json:
            show_json([describe(record) for record in records])
            return
        for number, record in enumerate(records):
            if number:
                show()
            _show(record)

    with_host(choice, main, quiet=True, reports=False)


def _show(record: PluginRecord) -> None:
    version = f"version {record.version}" if record.version is not None else ""
    show("  ".join(part for part in (record.name, record.state.value, version, shlex.join(record.command)) if part))
    if isinstance(record.failure, StartupFailed):
        show(f"  {record.failure.report.cause}")
        return
    for provided in record.provides:
        show(f"  {provided.service} {provided.version}")
        for name, method in provided.methods.items():
            # The first line of a description is its summary.
            summary = str(method.get("description", "")).strip().partition("\n")[0]
            show(f"    {provided.service}/{name}{_shape(method)}  {summary}".rstrip())
    if not record.provides:
        show("  provides no service")


# The schemas are the plugin's, and need not be any.


def _shape(method: Mapping[str, Any]) -> str:
    """The params and the result in a line: ``{name: string, tone?: string} → string``."""
    params, result = method.get("params"), method.get("result")
    told = ""
    if isinstance(params, dict):
        properties, required = params.get("properties"), params.get("required")
        needed = required if isinstance(required, list) else []
        members = [
            f"{name}{'' if name in needed else '?'}: {_type(schema)}"
            for name, schema in (properties.items() if isinstance(properties, dict) else ())
        ]
        told = f" {{{', '.join(members)}}}"
    return told + (f" → {_type(result)}" if isinstance(result, dict) and result else "")


def _type(schema: Any) -> str:
    match schema:
        case {"$ref": str(name)}:
            return name.rsplit("/", 1)[-1]
        case {"enum": list(values)}:
            return " | ".join(json.dumps(value, ensure_ascii=False) for value in values)
        case {"anyOf": list(parts)}:
            return " | ".join(_type(part) for part in parts)
        case {"type": "array", "items": items}:
            return f"[{_type(items)}]"
        case {"type": "array"}:
            return "[any]"
        case {"type": list(names)}:
            return " | ".join(str(name) for name in names)
        case {"type": name}:
            return str(name)
    return "any"
