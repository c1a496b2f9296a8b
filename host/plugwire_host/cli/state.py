"""``plugin-run state``: look into a state file, and write to it, while no host runs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import click

from plugwire.wire import Raw
from plugwire.wire.codec import MalformedJson, decode_value

from ..services.params import RESOURCE_NAME
from ..services.state.service import MOST_BYTES, wall_clock
from ..services.state.sqlite import SqliteStore
from ..services.state.store import Entry
from ..services.state.table import StateTable
from .exits import leave
from .output import show, show_json

F = TypeVar("F", bound=Callable[..., Any])
_OWNER = "host"
_PAGE = 1000


def _checked_key(_: click.Context, parameter: click.Parameter, key: str) -> str:
    if RESOURCE_NAME.fullmatch(key) is None:
        raise click.BadParameter("segments of A-Z a-z 0-9 . _ : @ - joined by / were expected", param=parameter)
    return key


@click.group("state")
def command() -> None:
    """Read and write the values in a state file (`state = "FILE"` in plugins.toml) while no host runs on it."""


def _state_options(*, exists: bool) -> Callable[[F], F]:
    """Give a command --store and --json; its errors become exit codes."""

    def decorate(function: F) -> F:
        def wrapper(store: Path, as_json: bool, **rest: Any) -> Any:
            try:
                with _opened(store) as table:
                    return function(table, as_json=as_json, **rest)
            except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise  # for main.py
            except (Exception, KeyboardInterrupt) as error:
                leave(error, as_json=as_json)

        file = click.Path(exists=exists, dir_okay=False, path_type=Path)
        decorated: Any = update_wrapper(wrapper, function)
        decorated = click.option("--json", "as_json", is_flag=True, help="Entries and errors as JSON.")(decorated)
        return click.option("--store", required=True, type=file, help="The state file.")(decorated)  # type: ignore[no-any-return]

    return decorate


@contextmanager
def _opened(path: Path) -> Iterator[StateTable]:
    store = SqliteStore(path)
    try:
        table = StateTable(store, wall_clock, lambda _: None)
        table.expire()
        yield table
    finally:
        store.close()


@command.command("get")
@_state_options(exists=True)
@click.argument("key", callback=_checked_key)
def get(table: StateTable, key: str, *, as_json: bool) -> None:
    """Print the value under KEY, as JSON."""
    entry = table.get(key)
    if entry is None:
        raise ValueError(f"nothing is under the key {key}")
    show_json(_described(entry) if as_json else decode_value(entry.value))


@command.command("put")
@_state_options(exists=False)
@click.argument("key", callback=_checked_key)
@click.argument("value")
def put(table: StateTable, key: str, value: str, *, as_json: bool) -> None:
    """Write VALUE, which is JSON, under KEY, and print the revision of the change."""
    data = value.encode(errors="surrogateescape")
    try:
        data.decode()
        decode_value(data)
    except (MalformedJson, UnicodeDecodeError) as error:
        raise click.UsageError(f"VALUE: JSON was expected, such as 5 or '\"text\"': {error}") from None
    if len(data) > MOST_BYTES:
        raise click.UsageError(f"VALUE: at most {MOST_BYTES} bytes were expected, got {len(data)}")
    revision = table.put(_OWNER, key, Raw(data))
    show_json({"revision": revision} if as_json else revision)


@command.command("list")
@_state_options(exists=True)
@click.argument("prefix", default="")
def list_keys(table: StateTable, prefix: str, *, as_json: bool) -> None:
    """Print each key that begins with PREFIX, with its revision and its value; with --json one object a line."""
    after, has_more = "", True
    while has_more:
        entries, has_more = table.page(prefix, after, _PAGE, with_values=True)
        for entry in entries:
            after = entry.key
            if as_json:
                show_json(_described(entry))
            else:
                show(f"{entry.key}  {entry.revision}  {bytes(entry.value).decode()}")


def _described(entry: Entry) -> dict[str, Any]:
    described = {"key": entry.key, "revision": entry.revision, "value": decode_value(entry.value), "by": entry.owner}
    return described if entry.expires is None else {**described, "expiresMs": entry.expires}
