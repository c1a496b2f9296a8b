"""``plugin-run call``: one call."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..host import Host
from .hosting import with_host
from .options import Choice, PluginCommand, plugin_options
from .output import is_terminal, say, show_json


@click.command("call", cls=PluginCommand)
@plugin_options
@click.option("-p", "pairs", multiple=True, metavar="KEY=VALUE", help="A member of params; JSON, else a string.")
@click.option("--params", "source", metavar="@FILE|-", help="Params as JSON, from a file or standard input.")
@click.option("--progress", is_flag=True, help="Show progress on stderr.")
@click.argument("method")
@click.argument("params", required=False)
def command(
    choice: Choice,
    method: str,
    params: str | None,
    pairs: tuple[str, ...],
    source: str | None,
    progress: bool,
) -> None:
    """Call METHOD (service/method) with PARAMS, a JSON object, and print the JSON result.

    \b
    plugin-run call greeter/hello '{"name": "x"}' -- python greeter.py
    plugin-run call --with ./greeter greeter/hello -p name=x
    """
    members = _members(params, pairs, source)

    async def main(host: Host) -> None:
        tell = _tell_progress(as_json=choice.as_json) if progress else None
        result = await host.call(method, members, timeout=choice.timeout, progress=tell)
        # Before the plugins are ended, which may take its time.
        show_json(result, indent=2 if is_terminal() and not choice.as_json else None)

    with_host(choice, main, quiet=True)


def _members(params: str | None, pairs: tuple[str, ...], source: str | None) -> dict[str, Any] | None:
    """The params from all three ways to give them. Raises UsageError."""
    if params is not None and source is not None:
        raise click.UsageError("give PARAMS or --params, not both")
    text = _read(source) if source is not None else params
    members: dict[str, Any] | None = None
    parsed: Any = None
    if text is not None:
        try:
            parsed = _parse(text)
        except ValueError as error:
            raise click.UsageError(f"PARAMS: a JSON object was expected: {error}") from None
        if not isinstance(parsed, dict):
            raise click.UsageError("PARAMS: a JSON object was expected (params have names, not positions)")
        members = parsed
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.UsageError(f"-p {pair}: KEY=VALUE was expected")
        members = {**(members or {}), key: _value(value)}
    _check_text(members)
    return members


def _check_text(members: dict[str, Any] | None) -> None:
    """A shell may hand over bytes that are no UTF-8, and JSON's escapes may name half a character."""
    try:
        json.dumps(members, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise click.UsageError(f"PARAMS: UTF-8 was expected, got {error.object[error.start : error.end]!a}") from None


def _read(source: str) -> str:
    if source != "-" and not source.startswith("@"):
        raise click.UsageError(f"--params {source}: @FILE or - was expected")
    try:
        data = _stdin() if source == "-" else Path(source[1:]).read_bytes()
        return data.decode("utf-8")
    except OSError as error:
        raise click.UsageError(f"--params {source}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise click.UsageError(f"--params {source}: UTF-8 was expected: {error}") from None


def _stdin() -> bytes:
    return sys.stdin.buffer.read() if sys.stdin is not None else b""


def _value(text: str) -> Any:
    try:
        return _parse(text)
    except ValueError:
        return text


def _parse(text: str) -> Any:
    """Raises ValueError for what is no JSON."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _tell_progress(*, as_json: bool) -> Callable[[dict[str, Any]], None]:
    def tell(value: dict[str, Any]) -> None:
        # Plugins send what they like here.
        say(json.dumps({"progress": value}) if as_json else _progress_line(value))

    return tell


def _progress_line(value: dict[str, Any]) -> str:
    done, total, message = (value.get(key) for key in ("done", "total", "message"))
    share = "" if done is None else _number(done) if total is None else f"{_number(done)}/{_number(total)}"
    return " ".join(part for part in ("progress", share, "" if message is None else str(message)) if part)


def _number(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
