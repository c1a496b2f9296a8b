"""What a handler does with its context: calls, cancel, deadlines, progress, log records."""

import asyncio
import threading
from typing import Any

import pytest

from plugwire import Context, DeadlineExceeded, Plugin, RequestCancelled, RequestError
from plugwire.testing import TestHost, connect
from plugwire.wire import ErrorObject, LocalProtocolError

from .helpers import WAIT, run


def make_plugin(**options: Any) -> Plugin:
    return Plugin("demo", version="1.2.0", **options)


async def until(condition: Any, host: TestHost) -> None:
    """Lets messages go to and fro until something has come about."""
    while not condition():
        await host.call("ping")


# Calling


@pytest.mark.requirement("CAL-17")
def test_a_call_names_the_request_that_it_is_made_for_as_its_parent() -> None:
    plugin = make_plugin()

    @plugin.method
    async def asks(ctx: Context) -> list[Any]:
        return [ctx.request_id, await ctx.call("spell/check", {"word": "a"})]

    @plugin.method
    def asks_from_a_thread(ctx: Context) -> list[Any]:
        return [ctx.request_id, ctx.call_blocking("spell/check", {"word": "b"})]

    @plugin.method
    async def asks_for_itself() -> Any:
        return await plugin.call("spell/check")

    async def conversation() -> None:
        async with connect(plugin) as host:
            host.serve("spell/check", lambda params: params.get("word"))
            first, answer = await host.call("demo/asks")
            assert answer == "a"
            second, answer = await host.call("demo/asks_from_a_thread")
            assert answer == "b"
            assert await host.call("demo/asks_for_itself") is None
        assert first != second
        assert [call.meta for call in host.calls] == [{"parent": first}, {"parent": second}, {}]
        assert [call.params for call in host.calls] == [{"word": "a"}, {"word": "b"}, {}]

    run(conversation())


@pytest.mark.requirement("LIF-12")
def test_a_host_without_capabilities_gets_no_meta_no_progress_and_no_log(capfd: pytest.CaptureFixture[str]) -> None:
    plugin = make_plugin()

    @plugin.method
    async def busy(ctx: Context) -> Any:
        ctx.log.info("busy", step=1)
        ctx.progress(1, 2)
        return await ctx.call("spell/check", timeout=5.0)

    async def conversation() -> None:
        async with connect(plugin, capabilities={}) as host:
            host.serve("spell/check", lambda _: "fine")
            assert await host.call("demo/busy", progress=lambda _: None) == "fine"
        assert [call.meta for call in host.calls] == [{}]
        assert host.logs == []
        assert capfd.readouterr().err == "info: busy step=1\n"

    run(conversation())


def test_the_callees_error_reaches_the_handler_and_its_caller_unchanged() -> None:
    plugin = make_plugin()

    @plugin.method
    async def asks(ctx: Context) -> Any:
        return await ctx.call("spell/check")

    def check(_: Any) -> None:
        raise RequestError("no such word", code=12, data={"word": "a"})

    async def conversation() -> None:
        async with connect(plugin) as host:
            host.serve("spell/check", check)
            with pytest.raises(RequestError) as failed:
                await host.call("demo/asks")
        assert (failed.value.code, failed.value.message, failed.value.data) == (12, "no such word", {"word": "a"})

    run(conversation())


@pytest.mark.requirement("ERR-06")
def test_a_call_that_is_too_large_fails_where_it_is_made() -> None:
    plugin = make_plugin()

    @plugin.method
    async def asks(ctx: Context) -> Any:
        with pytest.raises(RequestError) as failed:
            await ctx.call("spell/check", {"text": "x" * 4096})
        return [failed.value.code, failed.value.data["limit"]]

    async def conversation() -> None:
        async with connect(plugin, limits={"maxFrameBytes": 4096}) as host:
            assert await host.call("demo/asks") == [-32016, 4096]
        assert host.calls == []

    run(conversation())


def test_waiting_for_a_call_on_the_event_loop_is_refused() -> None:
    plugin = make_plugin()

    @plugin.method
    async def asks(ctx: Context) -> Any:
        return ctx.call_blocking("spell/check")

    async def conversation() -> None:
        async with connect(plugin) as host:
            with pytest.raises(RequestError, match="would wait for itself"):
                await host.call("demo/asks")

    run(conversation())


@pytest.mark.requirement("LIF-09")
def test_nothing_is_called_before_initialized() -> None:
    plugin = make_plugin()

    class Eager:
        def __init__(self) -> None:
            plugin.notify("demo/eager")

    def announce() -> dict[str, Any]:
        with pytest.raises(LocalProtocolError):
            plugin.notify("demo/eager")
        return {"protocolVersion": "1.0", "plugin": {"name": "demo", "version": "1"}}

    plugin.describe = announce  # type: ignore[method-assign]

    async def conversation() -> None:
        async with connect(plugin) as host:
            await host.call("ping")
            assert host.notifications == []

    run(conversation())


def test_notifications_leave_from_the_loop_and_from_threads() -> None:
    plugin = make_plugin()

    @plugin.method
    async def tells(ctx: Context) -> None:
        ctx.notify("other/told", {"from": "loop"})

    @plugin.method
    def tells_from_a_thread(ctx: Context) -> str:
        ctx.notify("other/told", {"from": "thread"})
        with pytest.raises(TypeError):
            ctx.notify("other/told", {"thing": object()})
        return "told"

    async def conversation() -> None:
        async with connect(plugin) as host:
            await host.call("demo/tells")
            assert await host.call("demo/tells_from_a_thread") == "told"
            assert host.notifications == [("other/told", {"from": "loop"}), ("other/told", {"from": "thread"})]

    run(conversation())


# Cancel


@pytest.mark.requirement("CAL-20", "MSG-17")
def test_a_cancelled_request_stops_and_is_answered_once() -> None:
    plugin = make_plugin()
    stopped: list[bool] = []

    @plugin.method
    async def waits(ctx: Context) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(ctx.cancelled)

    async def conversation() -> None:
        async with connect(plugin) as host:
            call = asyncio.ensure_future(host.call("demo/waits"))
            await host.call("ping")
            call.cancel()
            await until(lambda: host.late_answers, host)
            await host.call("ping")
        assert host.late_answers == [("demo/waits", ErrorObject(-32800, "the request was cancelled"))]
        assert stopped == [True]
        assert host.violations == []

    run(conversation())


@pytest.mark.parametrize("kind", ["task", "thread"])
@pytest.mark.requirement("CAL-20", "MSG-17")
def test_a_request_that_is_cancelled_in_the_same_breath_is_answered_and_never_begins(kind: str) -> None:
    plugin = make_plugin()
    begun: list[str] = []

    @plugin.method
    async def task() -> None:
        begun.append("task")
        await asyncio.sleep(0)

    @plugin.method
    def thread() -> None:
        begun.append("thread")

    async def conversation() -> None:
        async with connect(plugin) as host:
            call = asyncio.ensure_future(host.call(f"demo/{kind}"))
            # The request is queued first, and both leave in one write.
            asyncio.get_running_loop().call_soon(
                lambda: host.notify("$/cancelRequest", {"id": max(host.peer.outgoing)})
            )
            with pytest.raises(RequestCancelled, match="before it began"):
                await call
        assert begun == []

    run(conversation())


@pytest.mark.requirement("CAL-20", "MSG-17")
def test_a_request_that_waits_its_turn_is_answered_at_once_when_it_is_cancelled() -> None:
    plugin = make_plugin(concurrency=1)
    gate = asyncio.Event()
    begun: list[int] = []

    @plugin.method
    async def work(number: int) -> int:
        begun.append(number)
        await gate.wait()
        return number

    async def conversation() -> None:
        async with connect(plugin) as host:
            calls = [asyncio.ensure_future(host.call("demo/work", {"number": number})) for number in range(3)]
            await host.call("ping")
            calls[1].cancel()
            await until(lambda: host.late_answers, host)
            assert not calls[0].done()
            gate.set()
            assert [await calls[0], await calls[2]] == [0, 2]
        assert begun == [0, 2]
        assert host.late_answers == [("demo/work", ErrorObject(-32800, "the request was cancelled before it began"))]

    run(conversation())


@pytest.mark.requirement("CAL-20")
def test_a_plain_function_sees_that_it_is_cancelled_and_may_still_have_a_result() -> None:
    plugin = make_plugin()
    seen = threading.Event()

    @plugin.method
    def counts(ctx: Context) -> str:
        while not ctx.cancelled:
            seen.wait(0)
        return "counted so far"

    async def conversation() -> None:
        async with connect(plugin) as host:
            call = asyncio.ensure_future(host.call("demo/counts"))
            await host.call("ping")
            call.cancel()
            await until(lambda: host.late_answers, host)
        ((method, outcome),) = host.late_answers
        assert (method, bytes(outcome)) == ("demo/counts", b'"counted so far"')  # type: ignore[arg-type]

    run(conversation())


def test_a_plain_function_that_waits_for_a_thread_never_begins_when_it_is_cancelled() -> None:
    plugin = make_plugin()
    begun: list[int] = []
    release = threading.Event()

    @plugin.method
    def works(number: int) -> bool:
        begun.append(number)
        return release.wait(WAIT)

    async def conversation() -> None:
        async with connect(plugin) as host:
            calls = [asyncio.ensure_future(host.call("demo/works", {"number": number})) for number in range(33)]
            await until(lambda: len(begun) == 32, host)
            calls[32].cancel()
            await host.call("ping")
            release.set()
            assert await asyncio.gather(*calls[:32]) == [True] * 32
            await until(lambda: host.late_answers, host)
        assert sorted(begun) == list(range(32))

    run(conversation())


@pytest.mark.parametrize("request_id", [999, -1, "1", "x", 2**53 - 1])
@pytest.mark.requirement("CAL-21")
def test_a_cancel_of_what_is_not_in_flight_is_ignored(request_id: Any) -> None:
    plugin = make_plugin()
    gate = asyncio.Event()

    @plugin.method
    async def waits() -> str:
        await gate.wait()
        return "undisturbed"

    async def conversation() -> None:
        async with connect(plugin) as host:
            call = asyncio.ensure_future(host.call("demo/waits"))
            await host.call("ping")
            host.notify("$/cancelRequest", {"id": request_id})
            await host.call("ping")
            gate.set()
            assert await call == "undisturbed"

    run(conversation())


def test_a_cancelled_handler_cancels_the_call_that_it_waits_for() -> None:
    plugin = make_plugin()

    @plugin.method
    async def asks(ctx: Context) -> Any:
        return await ctx.call("slow/work")

    async def work(_: Any) -> None:
        await asyncio.Event().wait()

    async def conversation() -> None:
        async with connect(plugin) as host:
            host.serve("slow/work", work)
            call = asyncio.ensure_future(host.call("demo/asks"))
            await until(lambda: host.calls, host)
            call.cancel()
            await until(lambda: host.late_answers, host)
            assert host.calls[0].cancelled

    run(conversation())


def test_a_call_that_was_cancelled_by_its_callee_is_an_error_like_others() -> None:
    plugin = make_plugin()

    @plugin.method
    async def asks(ctx: Context) -> Any:
        with pytest.raises(RequestCancelled):
            await ctx.call("spell/check")
        return "went on"

    def check(_: Any) -> None:
        raise RequestCancelled("not now")

    async def conversation() -> None:
        async with connect(plugin) as host:
            host.serve("spell/check", check)
            assert await host.call("demo/asks") == "went on"

    run(conversation())


# Deadlines


@pytest.mark.requirement("CAL-29")
def test_a_call_has_no_more_time_than_is_left_to_its_parent() -> None:
    plugin = make_plugin()

    @plugin.method
    async def asks(ctx: Context) -> None:
        await ctx.call("a/whole")
        await ctx.call("a/longer", timeout=60.0)
        await ctx.call("a/shorter", timeout=0.5)

    async def conversation() -> None:
        async with connect(plugin) as host:
            for method in ("a/whole", "a/longer", "a/shorter"):
                host.serve(method, lambda _: None)
            await host.call("demo/asks", timeout=WAIT)
        whole, longer, shorter = (call.meta["deadlineMs"] for call in host.calls)
        assert 500 < whole <= 10000
        assert 500 < longer <= whole
        assert shorter == 500

    run(conversation())


def test_the_time_left_is_known_where_the_host_told_it() -> None:
    plugin = make_plugin()

    @plugin.method
    async def left(ctx: Context) -> bool:
        left = ctx.time_left()
        return left is not None and ctx.deadline is not None and 0 < left <= 10.0

    async def conversation() -> None:
        async with connect(plugin) as host:
            assert await host.call("demo/left", timeout=WAIT) is True

    run(conversation())


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.requirement("CAL-39")
def test_a_call_whose_time_runs_out_ends_and_is_cancelled_at_the_callee(blocking: bool) -> None:
    plugin = make_plugin()

    @plugin.method
    async def asks(ctx: Context) -> None:
        await ctx.call("slow/work", timeout=0.01)

    @plugin.method
    def asks_from_a_thread(ctx: Context) -> None:
        ctx.call_blocking("slow/work", timeout=0.01)

    async def work(_: Any) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "too late"
        return ""

    async def conversation() -> None:
        async with connect(plugin) as host:
            host.serve("slow/work", work)
            with pytest.raises(DeadlineExceeded, match=r"slow/work did not answer within 0.01 s"):
                await host.call("demo/asks_from_a_thread" if blocking else "demo/asks")
            assert host.calls[0].cancelled
            await host.call("ping")

    run(conversation())


def test_a_very_long_time_is_told_as_the_longest_that_the_spec_allows() -> None:
    plugin = make_plugin()

    @plugin.method
    async def asks(ctx: Context) -> None:
        await ctx.call("a/b", timeout=1e9)

    async def conversation() -> None:
        async with connect(plugin) as host:
            host.serve("a/b", lambda _: None)
            await host.call("demo/asks")
        assert host.calls[0].meta["deadlineMs"] == 2147483647

    run(conversation())


# Progress


@pytest.mark.requirement("CAL-25")
def test_progress_goes_to_a_caller_that_asked_for_it_and_to_no_other() -> None:
    plugin = make_plugin()

    @plugin.method
    async def works(ctx: Context) -> bool:
        ctx.progress(1, 2, "half")
        await asyncio.sleep(0)
        ctx.progress(message="nearly")
        return ctx.wants_progress

    @plugin.method
    def works_in_a_thread(ctx: Context) -> None:
        ctx.progress(3)

    async def conversation() -> None:
        seen: list[Any] = []
        async with connect(plugin) as host:
            assert await host.call("demo/works") is False
            assert await host.call("demo/works", progress=seen.append) is True
            await host.call("demo/works_in_a_thread", progress=seen.append)
        assert seen == [{"done": 1, "total": 2, "message": "half"}, {"message": "nearly"}, {"done": 3}]

    run(conversation())


@pytest.mark.requirement("CAL-26")
def test_no_progress_is_sent_after_the_answer() -> None:
    plugin = make_plugin()
    kept: list[Context] = []

    @plugin.method
    async def works(ctx: Context) -> None:
        kept.append(ctx)

    async def conversation() -> None:
        seen: list[Any] = []
        async with connect(plugin) as host:
            await host.call("demo/works", progress=seen.append)
            kept[0].progress(1)
            await host.call("ping")
            assert seen == []

    run(conversation())


@pytest.mark.requirement("CAL-28")
def test_progress_of_a_callee_reaches_the_handler_and_unknown_tokens_are_ignored() -> None:
    plugin = make_plugin()
    seen: list[Any] = []

    @plugin.method
    async def asks(ctx: Context) -> None:
        await ctx.call("slow/work", progress=seen.append)

    async def conversation() -> None:
        async with connect(plugin) as host:

            def work(_: Any) -> None:
                token = host.calls[0].meta["progress"]
                for told in (token, 999, True, "x", None):
                    host.notify("$/progress", {"token": told, "value": {"done": 1}})
                host.notify("$/progress", {"token": token, "value": 5})

            host.serve("slow/work", work)
            await host.call("demo/asks")
            host.notify("$/progress", {"token": host.calls[0].meta["progress"], "value": {"done": 2}})
            await host.call("ping")
        assert seen == [{"done": 1}]

    run(conversation())


# Log records


@pytest.mark.requirement("LOG-01")
def test_log_records_arrive_in_order_and_before_the_answer() -> None:
    plugin = make_plugin()

    @plugin.method
    async def tells(ctx: Context) -> None:
        ctx.log.debug("one")
        ctx.log.info("two", size=2)
        plugin.log.warning("three")
        ctx.log.error("four")

    @plugin.method
    def tells_from_a_thread(ctx: Context) -> None:
        ctx.log.info("five")

    async def conversation() -> None:
        async with connect(plugin) as host:
            await host.call("demo/tells")
            await host.call("demo/tells_from_a_thread")
            assert host.logs == [
                {"level": "debug", "message": "one"},
                {"level": "info", "message": "two", "data": {"size": 2}},
                {"level": "warning", "message": "three"},
                {"level": "error", "message": "four"},
                {"level": "info", "message": "five"},
            ]

    run(conversation())


def test_a_log_record_that_cannot_be_sent_fails_no_one_and_is_seen(capfd: pytest.CaptureFixture[str]) -> None:
    plugin = make_plugin()

    @plugin.method
    async def tells(ctx: Context) -> str:
        ctx.log.info("odd", thing=1j)
        ctx.log.info("x" * 5000)
        ctx.log.info(ValueError("no text"))  # type: ignore[arg-type]
        ctx.progress(1j)  # type: ignore[arg-type]
        return "done"

    async def conversation() -> None:
        async with connect(plugin, limits={"maxFrameBytes": 4096}) as host:
            assert await host.call("demo/tells", progress=lambda _: None) == "done"
        assert host.logs == [{"level": "info", "message": "no text"}]

    run(conversation())
    assert capfd.readouterr().err == f"info: odd thing=1j\ninfo: {'x' * 5000}\n"


def test_a_message_is_cut_at_the_length_that_the_spec_allows() -> None:
    plugin = make_plugin()

    @plugin.method
    async def tells(ctx: Context) -> None:
        ctx.log.info("x" * 70000)

    async def conversation() -> None:
        async with connect(plugin) as host:
            await host.call("demo/tells")
            assert len(host.logs[0]["message"]) == 65536

    run(conversation())


@pytest.mark.parametrize("takes_log", [True, False])
@pytest.mark.requirement("LIF-12")
def test_what_is_left_out_while_the_host_does_not_read_is_counted_and_told_where_it_may_be(takes_log: bool) -> None:
    plugin = make_plugin()

    @plugin.method
    async def tells(ctx: Context) -> None:
        plugin.notify("other/large", {"text": "x" * 3_000_000})
        plugin.notify("other/large", {"text": "x" * 3_000_000})
        plugin.notify("other/large", {"text": "x" * 3_000_000})
        ctx.progress(1)
        ctx.progress(2)
        await asyncio.sleep(0)
        ctx.progress(3)

    async def conversation() -> None:
        seen: list[Any] = []
        async with connect(plugin, capabilities={"meta": True, "log": takes_log}) as host:
            await host.call("demo/tells", progress=seen.append)
        assert seen == [{"done": 3}]
        told = [{"level": "warning", "message": "2 log records or progress were left out"}]
        assert host.logs == (told if takes_log else [])

    run(conversation())
