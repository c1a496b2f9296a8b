"""Links of hooks as their host sees them, and hooks that a plugin runs."""

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from plugwire import Context, InvalidParams, Plugin, RequestError
from plugwire.hooks import StopHook
from plugwire.testing import TestHost, connect
from plugwire.wire import HookStopped

from .helpers import run


def make_plugin(**options: Any) -> Plugin:
    return Plugin("tidy", version="1.0.0", **options)


async def ask(host: TestHost, value: Any, name: str = "x") -> Any:
    return await host.call("hook/call", {"name": name, "value": value})


@pytest.mark.requirement("HOK-02", "HOK-10")
def test_what_a_handler_returns_is_the_new_value_and_none_leaves_it() -> None:
    plugin = make_plugin()

    @plugin.hook("x")
    async def change(text: str) -> str | None:
        return text.upper() if text else None

    async def conversation() -> list[Any]:
        async with connect(plugin) as host:
            return [await ask(host, "abc"), await ask(host, "")]

    assert run(conversation()) == [{"value": "ABC"}, {}]


@pytest.mark.requirement("HOK-10", "HOK-11", "HOK-12")
def test_a_handler_stops_a_run_with_its_reason() -> None:
    plugin = make_plugin()

    @plugin.hook("x")
    async def veto(value: str) -> None:
        raise StopHook(value)

    @plugin.hook("plain")
    def veto_in_a_thread(value: str) -> None:
        raise StopHook

    async def conversation() -> list[Any]:
        async with connect(plugin) as host:
            long = (await ask(host, "é" * 1025))["stop"]["reason"]
            return [await ask(host, "not now"), await ask(host, "", "plain"), long == "é" * 1024]

    assert run(conversation()) == [{"stop": {"reason": "not now"}}, {"stop": {"reason": ""}}, True]


def test_a_value_is_structured_as_the_handler_says_and_a_result_unstructured() -> None:
    @dataclass
    class Document:
        text: str
        lines: int = 1

    plugin = make_plugin()

    @plugin.hook("x")
    async def tidy(document: Document, ctx: Context) -> Document | None:
        return Document(f"{document.text} for {ctx.caller}", document.lines + 1)

    async def conversation() -> tuple[Any, RequestError]:
        async with connect(plugin) as host:
            with pytest.raises(InvalidParams) as refused:
                await ask(host, {"text": 1, "lins": 2})
            return await ask(host, {"text": "a"}), refused.value

    answer, error = run(conversation())
    assert answer == {"value": {"text": "a for host", "lines": 2}}
    assert [problem["path"] for problem in error.data["problems"]] == ["$.value.text", "$.value.lins"]


def test_a_plain_function_runs_in_a_thread_and_can_work_with_others_from_there() -> None:
    plugin = make_plugin()

    @plugin.hook("x")
    def change(value: int, ctx: Context) -> list[Any]:
        inner = ctx.blocking(ctx.run_hook("y", value))
        return [inner, threading.current_thread() is threading.main_thread()]

    async def conversation() -> Any:
        async with connect(plugin) as host:
            host.serve("hook/run", lambda params: {"value": params["value"] + 1, "ran": ["other"]})
            return await ask(host, 1)

    assert run(conversation()) == {"value": [2, False]}


def test_a_handler_that_fails_is_answered_and_the_next_value_is_taken() -> None:
    plugin = make_plugin()

    @plugin.hook("x")
    async def fails(value: Any) -> Any:
        if value == "own":
            raise RequestError("no ink", code=7, data=[1])
        return object() if value == "no JSON" else 1 / value

    async def conversation() -> list[Any]:
        told: list[Any] = []
        async with connect(plugin) as host:
            for value in ("own", 0, "no JSON"):
                with pytest.raises(RequestError) as raised:
                    await ask(host, value)
                told.append((raised.value.code, raised.value.data))
            return [*told, await ask(host, 2)]

    assert run(conversation()) == [(7, [1]), (-32603, None), (-32603, None), {"value": 0.5}]


def test_a_hook_without_a_link_here_is_refused_with_its_name() -> None:
    plugin = make_plugin()

    @plugin.hook("x")
    async def link(value: Any) -> None: ...

    async def conversation() -> list[Any]:
        async with connect(plugin) as host:
            with pytest.raises(InvalidParams, match="there is no link for the hook 'y' here") as other:
                await ask(host, 1, "y")
            with pytest.raises(InvalidParams) as wrong:
                await host.call("hook/call", {"name": 1})
            return [error.value.data["problems"][0]["path"] for error in (other, wrong)]

    assert run(conversation()) == ["$.name", "$.name"]


def test_a_link_is_cancelled_like_any_request() -> None:
    plugin = make_plugin()
    begun = asyncio.Event()
    seen: list[bool] = []

    @plugin.hook("x")
    async def endless(value: Any, ctx: Context) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            seen.append(ctx.cancelled)

    async def conversation() -> list[Any]:
        async with connect(plugin) as host:
            asked = asyncio.ensure_future(ask(host, 1))
            await begun.wait()
            asked.cancel()
            while not host.late_answers:
                await host.call("ping")
            return [getattr(outcome, "code", None) for _, outcome in host.late_answers]

    assert run(conversation()) == [-32800]
    assert seen == [True]


def test_links_are_announced_with_their_demands_and_are_no_service() -> None:
    plugin = make_plugin()

    @plugin.hook("x")
    async def first(value: Any) -> None: ...

    @plugin.hook("y/z", before=["a"], after=("b", "c"), timeout=0.25, on_error="fail", mode="observe")
    async def second(value: Any) -> None: ...

    async def conversation() -> Any:
        async with connect(plugin) as host:
            assert "provides" not in host.initialize_result
            return host.initialize_result["hooks"]

    assert run(conversation()) == [
        {"name": "x", "timeoutMs": 5000, "onError": "continue", "mode": "change"},
        {
            "name": "y/z",
            "timeoutMs": 250,
            "onError": "fail",
            "mode": "observe",
            "before": ["a"],
            "after": ["b", "c"],
        },
    ]


@pytest.mark.requirement("HOK-01")
def test_a_second_link_for_one_hook_is_refused_where_it_is_declared() -> None:
    plugin = make_plugin()

    @plugin.hook("x")
    async def first(value: Any) -> None: ...

    with pytest.raises(ValueError, match="the hook 'x' has a link here already"):

        @plugin.hook("x")
        async def second(value: Any) -> None: ...


def test_a_handler_that_does_not_take_one_value_is_refused_where_it_is_declared() -> None:
    plugin = make_plugin()

    async def none(ctx: Context) -> None: ...

    async def two(one: int, other: int = 1) -> None: ...

    async def many(one: int, **others: int) -> None: ...

    for handler in (none, two, many):
        with pytest.raises(TypeError, match="it takes one value and, annotated with Context, a context"):
            plugin.hook("x")(handler)
    assert plugin.declarations.hooks == {}


def test_a_plugin_without_links_serves_no_hook() -> None:
    async def conversation() -> RequestError:
        async with connect(make_plugin()) as host:
            assert "hooks" not in host.initialize_result
            with pytest.raises(RequestError) as refused:
                await ask(host, 1)
            return refused.value

    assert run(conversation()).code == -32601


# Running hooks


def test_a_plugin_runs_a_hook_and_asks_how_it_is_ordered() -> None:
    plugin = make_plugin()
    place = {"instance": "a", "mode": "change", "timeoutMs": 1, "onError": "fail", "because": "in the order of loading"}

    async def conversation() -> list[Any]:
        async with connect(plugin) as host:
            await host.call("ping")  # so that the plugin knows that it is ready
            host.serve("hook/run", lambda params: {"value": [params], "ran": []})
            host.serve("hook/explain", lambda params: {"links": [place]} if params == {"name": "x"} else None)
            return [await plugin.run_hook("x", None), await plugin.explain_hook("x")]

    assert run(conversation()) == [[{"name": "x", "value": None}], [place]]


def test_a_hook_that_was_stopped_raises_who_stopped_it_and_why() -> None:
    plugin = make_plugin()
    stopped = {"by": "guard", "reason": "read only", "hook": "x"}

    async def conversation() -> HookStopped:
        async with connect(plugin) as host:
            await host.call("ping")

            def refuse(params: Any) -> None:
                raise RequestError("'guard' stopped the hook 'x': read only", code=-32024, data=stopped)

            host.serve("hook/run", refuse)
            with pytest.raises(HookStopped) as raised:
                await plugin.run_hook("x", 1)
            return raised.value

    assert run(conversation()).data == {"by": "guard", "reason": "read only", "hook": "x"}


def test_a_run_on_behalf_of_a_request_says_so_and_has_no_more_time_than_it() -> None:
    plugin = make_plugin()

    @plugin.method
    async def save(text: str, ctx: Context) -> Any:
        return await ctx.run_hook("x", text, timeout=0.5)

    async def conversation() -> Any:
        async with connect(plugin) as host:
            host.serve("hook/run", lambda params: {"value": params["value"], "ran": []})
            assert await host.call("tidy/save", {"text": "a"}) == "a"
            (call,) = host.calls
            return call.method, call.params, call.meta

    method, params, meta = run(conversation())
    assert (method, params) == ("hook/run", {"name": "x", "value": "a"})
    assert "parent" in meta
    assert 0 < meta["deadlineMs"] <= 500
