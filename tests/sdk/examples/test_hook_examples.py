"""Two links of one hook in two languages, python-trim and node-newline, side by side at a real host."""

import asyncio
import os
import shutil
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import attrs
import pytest

from plugwire.wire import HookStopped
from plugwire_host import Host, PluginLogged
from plugwire_host.config import PluginSpec, spec_from_path

from .driver import WAIT
from .subjects import EXAMPLES

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(WAIT):
            return await main

    return asyncio.run(bounded())


@pytest.fixture
def plugins() -> list[PluginSpec]:
    """The one that comes later in the order is loaded first. Python is the one that has the SDK."""
    if shutil.which("node") is None:
        assert os.environ.get("CI") != "true", "node-newline needs node"
        pytest.skip("node-newline needs node")
    newline, trim = (spec_from_path(EXAMPLES / folder) for folder in ("node-newline", "python-trim"))
    command = attrs.evolve(trim.command, argv=(sys.executable, *trim.command.argv[1:]))
    return [attrs.evolve(spec, required=True) for spec in (newline, attrs.evolve(trim, command=command))]


def saved(plugins: list[PluginSpec], *values: Any) -> list[Any]:
    """What becomes of each value before it is saved; nothing may be complained of."""

    async def main() -> list[Any]:
        async with Host() as host:
            complaints: list[str] = []
            host.on(PluginLogged, lambda event: complaints.append(event.message))
            await host.launch_all(plugins)
            told = [await host.run_hook("document.willSave", value) for value in values]
            assert complaints == []
            return told

    return run(main())


def test_blanks_at_the_ends_of_lines_go_and_then_the_final_newline_comes(plugins: list[PluginSpec]) -> None:
    document = {"path": "é.md", "text": "one  \ntwo\t\r\n\n  three \u00a0\n  \t", "version": 3, "open": None}
    (told,) = saved(plugins, document)
    assert told == {"path": "é.md", "text": "one\ntwo\r\n\n  three \u00a0\n", "version": 3, "open": None}
    assert saved(plugins, {"text": "one  "}) == [{"text": "one\n"}]


def test_what_needs_no_change_and_what_is_no_document_stays_as_it_is(plugins: list[PluginSpec]) -> None:
    values: list[Any] = [{"text": ""}, {"text": "one\n"}, {"text": 7}]
    assert saved(plugins, *values) == values


def test_the_text_of_a_conflict_is_not_saved(plugins: list[PluginSpec]) -> None:
    async def main() -> Any:
        async with Host() as host:
            await host.launch_all(plugins)
            with pytest.raises(HookStopped) as stopped:
                await host.run_hook("document.willSave", {"text": "one\n<<<<<<< mine\ntwo"})
            return stopped.value.data

    assert run(main()) == {
        "by": "newline",
        "reason": "the text still has the marks of a conflict in it",
        "hook": "document.willSave",
    }


def test_the_order_is_what_both_have_asked_for(plugins: list[PluginSpec]) -> None:
    async def main() -> Any:
        async with Host() as host:
            await host.launch_all(plugins)
            return [(place["instance"], place["because"]) for place in await host.explain_hook("document.willSave")]

    assert run(main()) == [("trim", "before newline (trim says so)"), ("newline", "after trim (trim says so)")]
