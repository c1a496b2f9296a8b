"""The SDK's side of shared values: what it asks, and what it makes of watches."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from plugwire import Context, Plugin
from plugwire.state import Change, Entry, WatchEnded
from plugwire.testing import TestHost
from plugwire.wire import Conflict, ConnectionClosed, Raw, RequestError

from .helpers import ready, run


def asked(host: TestHost) -> list[tuple[str, dict[str, Any]]]:
    return [(call.method, call.params) for call in host.calls]


async def until(condition: Callable[[], object], host: TestHost) -> None:
    """Lets messages go to and fro until something has come about."""
    while not condition():
        await host.call("ping")


def test_each_method_asks_the_host_and_gives_plain_values() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> list[Any]:
        async with ready(plugin) as host:
            there: dict[str, Any] = {"a": {"value": [1], "revision": 4}, "null": {"value": None, "revision": 5}}
            host.serve("state/get", lambda params: there.get(params["key"], {"revision": 0}))
            for method in ("state/put", "state/delete"):
                host.serve(method, lambda _: {"revision": 7})
            host.serve("state/increment", lambda _: {"value": 12, "revision": 8})
            state = plugin.state
            found = [
                await state.get("a"),
                await state.get("b"),
                await state.get("b", 3),
                await state.get("null", 3),
                await state.get_entry("a"),
                await state.get_entry("b"),
                await state.put("a", {"x": 1}),
                await state.put("a", None, if_revision=0, ttl=0.0001),
                await state.delete("a", if_revision=4),
                await state.increment("n"),
                await state.increment("n", -5),
            ]
            with pytest.raises(ValueError, match="ttl is a time in seconds above 0, and 0 is not"):
                await state.put("a", 1, ttl=0)
            assert asked(host)[6:] == [
                ("state/put", {"key": "a", "value": {"x": 1}}),
                ("state/put", {"key": "a", "value": None, "ifRevision": 0, "ttlMs": 1}),
                ("state/delete", {"key": "a", "ifRevision": 4}),
                ("state/increment", {"key": "n", "by": 1}),
                ("state/increment", {"key": "n", "by": -5}),
            ]
            return found

    assert run(conversation()) == [
        [1], None, 3, None, Entry("a", [1], 4), Entry("b", None, 0), 7, 7, 7, 12, 12,
    ]  # fmt: skip


def test_what_a_handler_asks_is_asked_for_its_request() -> None:
    plugin = Plugin("demo", version="1")

    @plugin.method
    async def handler(ctx: Context) -> Any:
        return [ctx.request_id, await ctx.state.get("k")]

    @plugin.method
    def in_a_thread(ctx: Context) -> Any:
        return [ctx.request_id, ctx.blocking(ctx.state.increment("k"))]

    async def conversation() -> None:
        async with ready(plugin) as host:
            host.serve("state/get", lambda _: {"value": 1, "revision": 1})
            host.serve("state/increment", lambda _: {"value": 2, "revision": 2})
            first, value = await host.call("demo/handler")
            second, total = await host.call("demo/in_a_thread")
            assert (value, total) == (1, 2)
            assert [call.meta for call in host.calls] == [{"parent": first}, {"parent": second}]

    run(conversation())


def test_update_tries_again_when_somebody_was_faster() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            revisions = iter([0, 4, 9])
            now = 0

            def get(params: dict[str, Any]) -> dict[str, Any]:
                nonlocal now
                now = next(revisions)
                return {"value": now * 10 - 40, "revision": now} if now else {"revision": 0}

            def put(params: dict[str, Any]) -> dict[str, Any]:
                if now < 9:
                    raise Conflict("no", data={"revision": now + 1})
                return {"revision": 10}

            host.serve("state/get", get)
            host.serve("state/put", put)
            assert await plugin.state.update("k", lambda old: old + 1, default=100) == 51
            puts = [params for method, params in asked(host) if method == "state/put"]
            assert [(put["value"], put["ifRevision"]) for put in puts] == [(101, 0), (1, 4), (51, 9)]

    run(conversation())


def test_a_list_is_asked_for_page_by_page() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:

            def page(params: dict[str, Any]) -> dict[str, Any]:
                if "after" not in params:
                    return {"entries": [{"key": "a/1", "revision": 1, "value": 1}], "next": "a/1", "revision": 9}
                return {"entries": [{"key": "a/2", "revision": 2, "value": 2}], "revision": 9}

            host.serve("state/list", page)
            entries = [entry async for entry in plugin.state.list("a/")]
            assert entries == [Entry("a/1", 1, 1), Entry("a/2", 2, 2)]
            assert asked(host) == [
                ("state/list", {"prefix": "a/", "values": True}),
                ("state/list", {"prefix": "a/", "values": True, "after": "a/1"}),
            ]

    run(conversation())


def watched(host: TestHost) -> None:
    host.serve("state/watch", lambda _: {"watch": 3, "revision": 6})
    host.serve("state/unwatch", lambda _: None)


def changed(host: TestHost, *revisions: int, watch: int = 3) -> None:
    changes = [{"key": "k", "revision": revision, "value": revision * 10} for revision in revisions]
    host.notify("state/changed", {"watch": watch, "changes": changes})


@pytest.mark.requirement("STA-19", "STA-21")
def test_a_watch_gives_changes_and_acknowledges_those_that_were_taken() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            watched(host)
            async with plugin.state.watch("k", from_revision=5) as changes:
                assert changes.revision == 6
                changed(host, 5, 6)
                changed(host, 99, watch=4)
                host.notify("state/changed", {"watch": 3, "changes": [{"key": "k", "revision": 7, "deleted": True}]})
                assert await anext(changes) == Change("k", 50, 5, False)
                assert await anext(changes) == Change("k", 60, 6, False)
                assert await anext(changes) == Change("k", None, 7, True)
                assert host.notifications == []
                waiting = asyncio.ensure_future(anext(changes))
                await until(lambda: host.notifications, host)
                changed(host, 8)
                assert (await waiting).revision == 8
            assert host.notifications == [("state/ack", {"watch": 3, "revision": 7})]
            assert asked(host) == [
                ("state/watch", {"prefix": "k", "fromRevision": 5}),
                ("state/unwatch", {"watch": 3}),
            ]

    run(conversation())


@pytest.mark.requirement("STA-19")
def test_a_busy_watch_acknowledges_now_and_then() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            watched(host)
            async with plugin.state.watch() as changes:
                changed(host, *range(1, 601))
                for _ in range(600):
                    await anext(changes)
                await host.call("ping")
                assert [params["revision"] for _, params in host.notifications] == [256, 512]

    run(conversation())


@pytest.mark.requirement("STA-20")
def test_a_watch_that_has_ended_gives_what_came_and_then_says_so() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            watched(host)
            async with plugin.state.watch("k") as changes:
                changed(host, 7, 8)
                host.notify("state/unwatched", {"watch": 3, "reason": "it fell behind", "revision": 8})
                assert [(await anext(changes)).revision for _ in range(2)] == [7, 8]
                for _ in range(2):
                    with pytest.raises(WatchEnded, match="after revision 8: it fell behind") as ended:
                        await anext(changes)
                assert ended.value.revision == 8
            assert [method for method, _ in asked(host)] == ["state/watch"]

    run(conversation())


def test_a_change_that_cannot_be_read_ends_the_watch_with_an_error() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            watched(host)
            async with plugin.state.watch("k") as changes:
                huge = Raw(b'{"watch":3,"changes":[{"key":"k","revision":7,"value":1e999}]}')
                host.notify("state/changed", huge)
                with pytest.raises(RequestError, match="a change cannot be read"):
                    await anext(changes)
            assert [method for method, _ in asked(host)] == ["state/watch", "state/unwatch"]

    run(conversation())


def test_the_end_of_the_connection_ends_a_watch() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            watched(host)
            async with plugin.state.watch("k") as changes:
                waiting = asyncio.ensure_future(anext(changes))
                await host.call("shutdown")
                host.notify("exit")
                host.connection.close()
                with pytest.raises(ConnectionClosed):
                    await waiting

    run(conversation())


def test_a_watch_whose_opening_was_cancelled_is_ended_when_it_has_begun() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            watched(host)
            answer = asyncio.get_running_loop().create_future()
            host.serve("state/watch", lambda _: answer)

            async def opens() -> None:
                async with plugin.state.watch("k"):
                    raise AssertionError

            opening = asyncio.ensure_future(opens())
            await until(lambda: host.calls, host)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            answer.set_result({"watch": 3, "revision": 6})
            await until(lambda: len(host.calls) == 2, host)
            assert asked(host)[1] == ("state/unwatch", {"watch": 3})

    run(conversation())
