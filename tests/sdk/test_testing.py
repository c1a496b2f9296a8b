"""The host of plugwire.testing: what it records, and what it holds against a plugin."""

import asyncio
from typing import Any

import pytest

from plugwire import Context, DeadlineExceeded, MethodNotFound, Plugin, RequestError
from plugwire.runtime import Runtime
from plugwire.testing import PluginCall, TestHost, connect
from plugwire.wire import ConnectionClosed, Peer, RemoteProtocolError

from .helpers import run


def make_plugin() -> Plugin:
    plugin = Plugin("demo", version="1")

    @plugin.method
    async def asks(ctx: Context, method: str) -> Any:
        return await ctx.call(method, {"from": "demo"})

    @plugin.method
    async def waits() -> None:
        await asyncio.Event().wait()

    return plugin


def test_the_class_is_not_taken_for_tests() -> None:
    assert TestHost.__test__ is False


def test_the_conversation_begins_and_ends_in_order() -> None:
    async def conversation() -> None:
        async with connect(make_plugin()) as host:
            assert host.initialize_result["plugin"] == {"name": "demo", "version": "1"}
            assert host.exit_code is None
        assert host.exit_code == 0
        assert host.connection.closed

    run(conversation())


def test_a_test_may_end_the_conversation_itself() -> None:
    async def conversation() -> None:
        async with connect(make_plugin()) as host:
            assert await host.call("shutdown") is None
            host.notify("exit")
        assert host.exit_code == 0

    run(conversation())


def test_plain_and_async_functions_serve_the_plugins_calls() -> None:
    async def later(params: dict[str, Any]) -> Any:
        await asyncio.sleep(0)
        return [params, "later"]

    async def conversation() -> None:
        async with connect(make_plugin()) as host:
            host.serve("other/now", lambda params: [params, "now"])
            host.serve("other/later", later)
            assert await host.call("demo/asks", {"method": "other/now"}) == [{"from": "demo"}, "now"]
            assert await host.call("demo/asks", {"method": "other/later"}) == [{"from": "demo"}, "later"]
            with pytest.raises(MethodNotFound, match="the test serves no other/none"):
                await host.call("demo/asks", {"method": "other/none"})
        assert host.calls[0] == PluginCall("other/now", {"from": "demo"}, {"parent": 2})

    run(conversation())


def test_a_served_function_that_fails_is_an_error_to_the_plugin() -> None:
    def fails(_: Any) -> None:
        raise ValueError("no good")

    async def conversation() -> None:
        async with connect(make_plugin()) as host:
            host.serve("other/fails", fails)
            with pytest.raises(RequestError, match="no good") as failed:
                await host.call("demo/asks", {"method": "other/fails"})
        assert failed.value.code == -32603

    run(conversation())


def test_a_call_that_takes_too_long_ends_and_its_answer_is_still_owed() -> None:
    async def conversation() -> None:
        async with connect(make_plugin()) as host:
            with pytest.raises(DeadlineExceeded, match=r"demo/waits did not answer within 0.01 s"):
                await host.call("demo/waits", timeout=0.01)
            await host.call("ping")
            assert [method for method, _ in host.late_answers] == ["demo/waits"]

    run(conversation())


def test_every_wait_is_bounded() -> None:
    async def conversation() -> None:
        async with connect(make_plugin(), wait=0.01) as host:
            with pytest.raises(DeadlineExceeded):
                await host.call("demo/waits")

    run(conversation())


def test_a_refused_start_is_the_plugins_error() -> None:
    async def conversation() -> None:
        async with connect(make_plugin(), protocol_version="9.0"):
            pytest.fail("it has not started")

    with pytest.raises(RequestError, match=r"this plugin 1\.0"):
        run(conversation())


def test_a_failing_test_is_reported_as_it_is() -> None:
    async def conversation() -> None:
        async with connect(make_plugin()) as host:
            asyncio.ensure_future(host.call("demo/waits")).add_done_callback(lambda call: call.exception())
            await host.call("ping")
            raise AssertionError("the test's own")

    with pytest.raises(AssertionError, match="the test's own"):
        run(conversation())


# Plugins with one vice each


class Liar(Plugin):
    """A plugin whose runtime can be spoilt."""

    def connect(self, peer: Peer[Any]) -> Runtime:
        runtime = super().connect(peer)
        self.spoil(runtime)
        return runtime

    def spoil(self, runtime: Runtime) -> None: ...


class NeverAnswersCancelled(Liar):
    def spoil(self, runtime: Runtime) -> None:
        answer = runtime._requests.answer

        def sometimes(request_id: Any, outcome: Any) -> None:
            if getattr(outcome, "code", 0) == -32800:
                del runtime.peer.incoming[request_id]
            else:
                answer(request_id, outcome)

        runtime._requests.answer = sometimes  # type: ignore[method-assign]


class AnswersTwice(Liar):
    def spoil(self, runtime: Runtime) -> None:
        answer = runtime._requests.answer

        def twice(request_id: Any, outcome: Any) -> None:
            answer(request_id, outcome)
            if not runtime._requests.stopping:
                runtime.peer.incoming[request_id] = "again"
                answer(request_id, outcome)

        runtime._requests.answer = twice  # type: ignore[method-assign]


class ProgressAfterTheAnswer(Liar):
    def spoil(self, runtime: Runtime) -> None:
        runtime._requests.is_open = lambda context: True  # type: ignore[method-assign]


@pytest.mark.requirement("MSG-17")
def test_a_request_that_is_left_unanswered_is_held_against_the_plugin() -> None:
    plugin = NeverAnswersCancelled("demo", version="1")

    @plugin.method
    async def waits() -> None:
        await asyncio.Event().wait()

    async def conversation() -> None:
        async with connect(plugin) as host:
            call = asyncio.ensure_future(host.call("demo/waits"))
            await host.call("ping")
            call.cancel()

    with pytest.raises(RemoteProtocolError, match="demo/waits was never answered"):
        run(conversation())


@pytest.mark.requirement("MSG-17", "MSG-19")
def test_a_second_answer_is_held_against_the_plugin() -> None:
    async def conversation() -> None:
        async with connect(AnswersTwice("demo", version="1")):
            pass

    with pytest.raises(RemoteProtocolError, match="id 1, which is not in flight"):
        run(conversation())


@pytest.mark.requirement("CAL-26")
def test_progress_after_the_answer_is_held_against_the_plugin() -> None:
    plugin = ProgressAfterTheAnswer("demo", version="1")
    kept: list[Context] = []

    @plugin.method
    async def works(ctx: Context) -> None:
        kept.append(ctx)

    async def conversation() -> None:
        async with connect(plugin) as host:
            await host.call("demo/works", progress=lambda _: None)
            kept[0].progress(1)
            await host.call("ping")

    with pytest.raises(RemoteProtocolError, match="came after the answer"):
        run(conversation())


def test_an_exit_without_shutdown_is_held_against_it() -> None:
    async def conversation() -> None:
        async with connect(make_plugin()) as host:
            host.notify("exit")

    with pytest.raises(RemoteProtocolError, match="the plugin ended with code 1"):
        run(conversation())


def test_a_plugin_that_hangs_up_ends_the_calls() -> None:
    plugin = make_plugin()

    async def conversation() -> None:
        async with connect(plugin) as host:
            call = asyncio.ensure_future(host.call("demo/waits"))
            await host.call("ping")
            assert plugin._runtime is not None
            plugin._runtime.connection.close()
            await call

    with pytest.raises(ConnectionClosed):
        run(conversation())
