"""The options that every command shares, and the command line after ``--``."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from plugwire.wire import Framing

from ..config import HostConfig, PluginSpec, read_config, spec_from_argv, spec_from_path
from .exits import leave

DEFAULT_CONFIG = Path("plugins.toml")
F = TypeVar("F", bound=Callable[..., Any])


class PluginCommand(click.Command):
    """A command whose line may end in ``-- COMMAND…``: what stands there is the plugin's, not ours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta["plugwire.command"] = tuple(args[at + 1 :])
            args = args[:at]
            if not ctx.meta["plugwire.command"]:
                raise click.UsageError("a command is missing after --", ctx)
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND…]"]


@attrs.frozen
class Choice:
    """Which plugins, and how they are spoken with."""

    config: HostConfig
    trace: Path | None
    as_json: bool
    verbose: bool
    timeout: float | None


def plugin_options(function: F) -> F:
    """Give a command the shared options; the function receives a ``Choice`` first, and its errors become exit codes."""

    def wrapper(
        config: Path | None,
        with_: tuple[Path, ...],
        framing: str | None,
        timeout: float | None,
        as_json: bool,
        trace: Path | None,
        verbose: bool,
        **rest: Any,
    ) -> Any:
        command: tuple[str, ...] = click.get_current_context().meta.get("plugwire.command", ())
        chosen = Framing(framing) if framing is not None else None
        try:
            plugins = _config(config, with_, command, chosen, timeout)
            return function(Choice(plugins, trace, as_json, verbose, timeout), **rest)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # for main.py
        except (Exception, KeyboardInterrupt) as error:
            leave(error, as_json=as_json)

    decorated: Any = update_wrapper(wrapper, function)
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


_OPTIONS = (
    click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        envvar="PLUGIN_RUN_CONFIG",
        help="The list of plugins. Default: ./plugins.toml where it exists.",
    ),
    click.option(
        "--with",
        "with_",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="PATH",
        envvar="PLUGIN_RUN_WITH",
        help="A plugin: an executable, or a folder with plugin.toml. Repeatable.",
    ),
    click.option(
        "--framing",
        type=click.Choice([framing.value for framing in Framing]),
        envvar="PLUGIN_RUN_FRAMING",
        help="How the plugins of --with and COMMAND frame their messages. Default: header, or what plugin.toml says.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0.001),
        metavar="SECONDS",
        envvar="PLUGIN_RUN_TIMEOUT",
        help="How long a start may take, and a call.",
    ),
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        envvar="PLUGIN_RUN_JSON",
        help="Data as JSON on stdout; an error as one JSON line on stderr.",
    ),
    click.option(
        "--trace",
        type=click.Path(path_type=Path),
        metavar="FILE",
        envvar="PLUGIN_RUN_TRACE",
        help="Write every frame, as NDJSON.",
    ),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        envvar="PLUGIN_RUN_VERBOSE",
        help="Show the plugins' debug records and lifecycle.",
    ),
)


def _config(
    path: Path | None,
    with_: tuple[Path, ...],
    command: tuple[str, ...],
    framing: Framing | None,
    timeout: float | None,
) -> HostConfig:
    """Raises ConfigError, or UsageError when there is no plugin at all."""
    if path is None and DEFAULT_CONFIG.exists():
        path = DEFAULT_CONFIG
    config = read_config(path) if path is not None else HostConfig(plugins=())
    named = [spec_from_path(each, framing=framing) for each in with_]
    if command:
        named.append(spec_from_argv(command, framing=framing))
    # What is named on the command line has to start; a plugin of the list may fail alone (MAN-08).
    plugins = _unique([*config.plugins, *(attrs.evolve(spec, required=True) for spec in named)])
    if not plugins:
        raise click.UsageError("no plugin: name one with --with PATH, after --, or in plugins.toml")
    if timeout is not None:
        plugins = [attrs.evolve(spec, start_timeout=timeout) for spec in plugins]
    return attrs.evolve(config, plugins=tuple(plugins))


def _unique(specs: list[PluginSpec]) -> list[PluginSpec]:
    """Plugins of one name are told apart by a number; the first keeps its name."""
    taken = {spec.name for spec in specs}
    seen: set[str] = set()
    unique = []
    for spec in specs:
        name, number = spec.name, 1
        while name in (seen if number == 1 else taken):
            number += 1
            name = f"{spec.name[:60]}-{number}"
        taken.add(name)
        seen.add(name)
        unique.append(attrs.evolve(spec, name=name))
    return unique
