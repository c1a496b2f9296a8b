"""Handlers in modules that postpone the evaluation of their annotations, as many do."""

from __future__ import annotations

import asyncio
from typing import NotRequired, Required, TypedDict

import pytest

from plugwire import Context, InvalidParams, Plugin
from plugwire.testing import connect


class Edit(TypedDict):
    text: str


class Diagnostic(TypedDict):
    line: int
    edits: NotRequired[list[Edit]]


class Loose(TypedDict, total=False):
    line: Required[int]
    note: str


class Report(TypedDict):
    diagnostics: list[Diagnostic]


plugin = Plugin("postponed", version="1")


@plugin.method
async def check() -> Report:
    return {"diagnostics": [{"line": 1}]}


@plugin.method
async def take(found: Diagnostic, loose: Loose) -> int:
    return found["line"] + loose["line"]


@plugin.method
async def ask(ctx: Context) -> str:
    def broken(_: dict[str, object]) -> None:
        raise ZeroDivisionError("a mistake in a progress callback")

    return str(await ctx.call("other/work", progress=broken))


def test_a_member_that_may_be_left_out_may_be_left_out_of_a_result() -> None:
    async def run() -> None:
        async with connect(plugin) as host:
            assert await host.call("postponed/check") == {"diagnostics": [{"line": 1}]}

    asyncio.run(run())


def test_members_that_may_be_left_out_may_be_left_out_of_params_and_others_not() -> None:
    async def run() -> None:
        async with connect(plugin) as host:
            assert await host.call("postponed/take", {"found": {"line": 2}, "loose": {"line": 3}}) == 5
            with pytest.raises(InvalidParams) as refused:
                await host.call("postponed/take", {"found": {"line": 2}, "loose": {"note": "x"}})
            assert refused.value.data["problems"][0]["path"] == "$.loose.line"

    asyncio.run(run())


def test_a_progress_callback_that_fails_harms_neither_the_call_nor_the_connection(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def run() -> None:
        async with connect(plugin) as host:

            def work(_: dict[str, object]) -> str:
                host.notify("$/progress", {"token": host.calls[-1].meta["progress"], "value": {"done": 1}})
                return "done"

            host.serve("other/work", work)
            assert await host.call("postponed/ask") == "done"

    asyncio.run(run())
    assert "a mistake in a progress callback" in capfd.readouterr().err
