"""Publishing, iterating and handling events in a plugin, against a host that is played by the test."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from plugwire import ConnectionClosed, Context, Event, Plugin, RequestError, SubscriptionEnded
from plugwire.testing import TestHost, connect

from .helpers import run


class Broker:
    """The host's end of events: it numbers subscriptions, and delivers what the test says."""

    def __init__(self, host: TestHost) -> None:
        self.host = host
        self.asked: list[dict[str, Any]] = []
        self.published: list[dict[str, Any]] = []
        self.ended: list[int] = []
        self.missed_at_the_end = 0
        self._seqs: dict[int, int] = {}
        host.serve("event/subscribe", self._subscribe)
        host.serve("event/unsubscribe", self._unsubscribe)
        host.serve("event/publish", self._publish)

    def _subscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(params)
        return {"subscription": len(self.asked), "declared": params["topic"] != "undeclared"}

    def _unsubscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        self.ended.append(params["subscription"])
        return {"missed": self.missed_at_the_end} if self.missed_at_the_end else {}

    def _publish(self, params: dict[str, Any]) -> dict[str, Any]:
        self.published.append(params)
        return {"subscribers": 3}

    def deliver(self, topic: str = "x", subscription: int = 1, **members: Any) -> None:
        self._seqs[subscription] = self._seqs.get(subscription, 0) + 1 + members.get("missed", 0)
        head = {"subscription": subscription, "seq": self._seqs[subscription]}
        self.host.notify("event/deliver", {**head, "topic": topic, "from": "b", **members})

    def acks(self) -> list[tuple[int, int]]:
        told = [params for method, params in self.host.notifications if method == "event/ack"]
        return [(params["subscription"], params["seq"]) for params in told]

    async def until(self, condition: Any) -> None:
        """Let messages go to and fro until something has come about."""
        while not condition():
            await self.host.call("ping")


@asynccontextmanager
async def broker(plugin: Plugin, **options: Any) -> AsyncIterator[Broker]:
    async with connect(plugin, **options) as host:
        place = Broker(host)
        await host.call("ping")  # the plugin is ready
        yield place


def make_plugin() -> Plugin:
    return Plugin("demo", version="1.0")


# Publishing


@pytest.mark.requirement("EVT-06")
def test_publishing_says_only_what_it_was_told_and_returns_how_many_subscriptions_matched() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with broker(plugin) as place:
            counts = [
                await plugin.publish("x"),
                await plugin.publish("x", {"a": [1, None]}),
                await plugin.publish("x", 0, retain=True, key="k"),
            ]
            return counts, place.published

    assert run(main()) == (
        [3, 3, 3],
        [
            {"topic": "x"},
            {"topic": "x", "data": {"a": [1, None]}},
            {"topic": "x", "data": 0, "retain": True, "key": "k"},
        ],
    )


def test_a_refusal_of_the_host_is_raised() -> None:
    plugin = make_plugin()

    async def main() -> None:
        async with connect(plugin) as host:
            await host.call("ping")

            def refuse(params: dict[str, Any]) -> None:
                raise RequestError("no", code=-32014)

            host.serve("event/publish", refuse)
            with pytest.raises(RequestError) as refused:
                await plugin.publish("host.x")
            assert refused.value.code == -32014

    run(main())


def test_publishing_on_behalf_of_a_request_names_it_also_from_a_thread() -> None:
    plugin = make_plugin()

    @plugin.method
    async def say(ctx: Context) -> int:
        return await ctx.publish("x")

    @plugin.method
    def say_from_a_thread(ctx: Context) -> int:
        return ctx.blocking(ctx.publish("x"))

    async def main() -> Any:
        async with broker(plugin) as place:
            assert await place.host.call("demo/say") == 3
            assert await place.host.call("demo/say_from_a_thread") == 3
            return [set(call.meta) >= {"parent"} for call in place.host.calls]

    assert run(main()) == [True, True]


# Iterating


@pytest.mark.requirement("EVT-17", "EVT-18", "EVT-33")
def test_events_come_with_all_that_was_told_of_them() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with broker(plugin) as place:
            async with plugin.subscribe("x.*", policy="coalesce", buffer=7, replay=2) as events:
                place.deliver("x.a", past=True, data=[1])
                place.deliver("x.b", missed=2, hops=4)
                seen = [await anext(events), await anext(events)]
                place.missed_at_the_end = 5
                missed = events.missed
            return place.asked, place.ended, seen, missed, events.missed, events.declared, events.topic

    asked, ended, seen, missed, missed_in_all, declared, topic = run(main())
    assert asked == [{"topic": "x.*", "policy": "coalesce", "buffer": 7, "window": 7, "replay": 2}]
    assert ended == [1]
    assert seen == [
        Event("x.a", [1], "b", 1, past=True),
        Event("x.b", None, "b", 4, missed=2, hops=4),
    ]
    assert (missed, missed_in_all, declared, topic) == (2, 7, True, "x.*")


def test_an_event_that_comes_with_the_answer_is_not_lost() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with connect(plugin) as host:
            place = Broker(host)

            def answer_and_deliver(params: dict[str, Any]) -> dict[str, Any]:
                loop = asyncio.get_running_loop()
                loop.call_soon(lambda: loop.call_soon(place.deliver))
                return {"subscription": 1, "declared": True}

            host.serve("event/subscribe", answer_and_deliver)
            await host.call("ping")
            async with plugin.subscribe("x") as events:
                return (await anext(events)).seq

    assert run(main()) == 1


@pytest.mark.requirement("EVT-21")
def test_half_a_window_is_acknowledged_when_it_has_been_dealt_with() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with broker(plugin) as place, plugin.subscribe("x", buffer=4) as events:
            for _ in range(5):
                place.deliver()
            await place.until(lambda: place.asked)
            for _ in range(2):
                await anext(events)
            # The second is still in hand.
            assert place.acks() == []
            for _ in range(3):
                await anext(events)
            await place.until(lambda: len(place.acks()) > 1)
            return place.asked[0]["window"], place.acks()

    assert run(main()) == (4, [(1, 2), (1, 4)])


def test_giving_up_the_wait_for_the_next_event_acknowledges_nothing_twice() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with broker(plugin) as place, plugin.subscribe("x", buffer=4) as events:
            place.deliver()
            await anext(events)
            for _ in range(3):
                waiting = asyncio.ensure_future(anext(events))
                await place.host.call("ping")
                waiting.cancel()
                await asyncio.wait([waiting])
            place.deliver()
            seen = (await anext(events)).seq
            before = place.acks()
            place.deliver()
            await anext(events)
            await place.until(lambda: place.acks())
            return seen, before, place.acks()

    assert run(main()) == (2, [], [(1, 2)])


@pytest.mark.parametrize(("buffer", "window"), [(1, 1), (63, 63), (64, 64), (65536, 64)])
def test_the_window_is_as_large_as_the_buffer_and_at_most_64(buffer: int, window: int) -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with broker(plugin) as place, plugin.subscribe("x", buffer=buffer) as events:
            for _ in range(window):
                place.deliver()
            for _ in range(window):
                await anext(events)
            place.deliver()
            await anext(events)
            await place.until(lambda: place.acks())
            return place.asked[0]["window"]

    assert run(main()) == window


@pytest.mark.requirement("EVT-25")
def test_what_is_here_is_given_before_the_end_is_told() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with broker(plugin) as place:
            async with plugin.subscribe("x", policy="disconnect") as events:
                place.deliver(data=1)
                place.host.notify("event/ended", {"subscription": 1, "reason": "too slow", "seq": 9, "missed": 8})
                place.deliver(data=2)
                seen = [(await anext(events)).data]
                for _ in range(2):
                    with pytest.raises(SubscriptionEnded) as ended:
                        await anext(events)
            return seen, str(ended.value), ended.value.reason, ended.value.missed, events.missed, place.ended

    assert run(main()) == (
        [1],
        "the subscription to x has ended: too slow; 8 events were missed",
        "too slow",
        8,
        8,
        [],
    )


def test_each_subscription_gets_its_own_events() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with broker(plugin) as place, plugin.subscribe("x") as first, plugin.subscribe("y") as second:
            for number in (2, 1, 2, 7):
                place.deliver(subscription=number, data=number)
            return (await anext(first)).data, (await anext(second)).data, (await anext(second)).seq

    assert run(main()) == (1, 2, 2)


def test_a_subscription_is_used_once_and_with_async_with() -> None:
    plugin = make_plugin()

    async def main() -> None:
        async with broker(plugin):
            events = plugin.subscribe("x")
            with pytest.raises(RuntimeError, match="begins with `async with`"):
                await anext(events)
            async with events:
                with pytest.raises(RuntimeError, match="was used before"):
                    await events.__aenter__()
            with pytest.raises(RuntimeError, match="was used before"):
                await events.__aenter__()
            assert [event async for event in events] == []

    run(main())


def test_a_subscription_whose_maker_no_longer_waits_is_taken_back() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with connect(plugin) as host:
            place = Broker(host)
            held = asyncio.Event()
            asked = asyncio.Event()

            async def answer_late(params: dict[str, Any]) -> dict[str, Any]:
                asked.set()
                await held.wait()
                return {"subscription": 7, "declared": True}

            host.serve("event/subscribe", answer_late)
            await host.call("ping")
            opening = asyncio.ensure_future(plugin.subscribe("x").__aenter__())
            await asked.wait()
            opening.cancel()
            await asyncio.wait([opening])
            held.set()
            await place.until(lambda: place.ended)
            return opening.cancelled(), place.ended

    assert run(main()) == (True, [7])


def test_the_end_of_the_connection_ends_every_wait() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        caught: list[Exception] = []

        async def listen(events: Any) -> None:
            try:
                async with events:
                    async for _ in events:
                        pass
            except ConnectionClosed as error:
                caught.append(error)

        async with broker(plugin) as place:
            tasks = [asyncio.ensure_future(listen(plugin.subscribe("x"))) for _ in range(2)]
            await place.until(lambda: len(place.asked) == 2)
        await asyncio.gather(*tasks)
        with pytest.raises(ConnectionClosed):
            await plugin.subscribe("y").__aenter__()
        return len(caught)

    assert run(main()) == 2


@pytest.mark.parametrize(
    "params", [{}, {"subscription": 1}, {"subscription": []}, {"subscription": 1, "seq": 1, "topic": "x"}]
)
@pytest.mark.parametrize("method", ["event/deliver", "event/ended"])
def test_what_cannot_be_understood_is_reported_and_the_next_event_comes(method: str, params: dict[str, Any]) -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with broker(plugin) as place:
            async with plugin.subscribe("x"), plugin.subscribe("y") as second:
                place.host.notify(method, params)
                place.host.notify("event/unheard-of", {"subscription": 2})
                place.deliver(subscription=2)
                assert (await anext(second)).seq == 1
            return [log["message"] for log in place.host.logs]

    (told,) = run(main())
    assert told.startswith(f"{method} of the host cannot be understood: ")


# Because of an event


@pytest.mark.requirement("EVT-08")
def test_what_is_published_because_of_an_event_has_one_hop_more() -> None:
    plugin = make_plugin()

    async def main() -> Any:
        async with broker(plugin) as place:
            await plugin.publish("before")
            async with plugin.subscribe("x") as events:
                await plugin.publish("outside")
                place.deliver()
                place.deliver(hops=4)
                await anext(events)
                await plugin.publish("first")
                await anext(events)
                await asyncio.create_task(plugin.publish("second"))
            await plugin.publish("after")
            return [(params["topic"], params.get("hops")) for params in place.published]

    assert run(main()) == [("before", None), ("outside", None), ("first", 1), ("second", 5), ("after", None)]


@pytest.mark.requirement("EVT-08")
def test_handlers_pass_hops_on_also_from_threads() -> None:
    plugin = make_plugin()

    @plugin.on_event("x")
    async def in_a_task(event: Event) -> None:
        await plugin.publish("from.task")

    @plugin.on_event("x")
    def in_a_thread(event: Event, ctx: Context) -> None:
        assert threading.current_thread() is not threading.main_thread()
        ctx.blocking(ctx.publish("from.thread"))

    async def main() -> Any:
        async with broker(plugin) as place:
            await place.until(lambda: len(place.asked) == 2)
            for subscription in (1, 2):
                place.deliver(subscription=subscription, hops=2)
            await place.until(lambda: len(place.published) == 2)
            await plugin.publish("other")
            return sorted((params["topic"], params.get("hops")) for params in place.published)

    assert run(main()) == [("from.task", 3), ("from.thread", 3), ("other", None)]


# Handlers


def test_handlers_are_subscribed_as_soon_as_the_plugin_is_ready() -> None:
    plugin = make_plugin()

    @plugin.on_event("document.*", policy="block", buffer=2, replay=3)
    async def first(event: Event) -> None: ...

    @plugin.on_event("user.>")
    def second(event: Event) -> None: ...

    async def main() -> Any:
        async with broker(plugin) as place:
            await place.until(lambda: len(place.asked) == 2)
            return place.asked

    assert run(main()) == [
        {"topic": "document.*", "policy": "block", "buffer": 2, "window": 2, "replay": 3},
        {"topic": "user.>", "policy": "dropOldest", "buffer": 1024, "window": 64, "replay": 0},
    ]


@pytest.mark.requirement("EVT-21")
def test_a_handler_has_one_event_at_a_time_and_acknowledges_what_it_has_ended() -> None:
    plugin = make_plugin()
    begun: list[Any] = []
    go = asyncio.Event()

    @plugin.on_event("x", buffer=2)
    async def handle(event: Event) -> None:
        begun.append(event.data)
        await go.wait()

    async def main() -> Any:
        async with broker(plugin) as place:
            await place.until(lambda: place.asked)
            place.deliver(data=1)
            place.deliver(data=2)
            await place.until(lambda: begun)
            before = list(begun), place.acks()
            go.set()
            await place.until(lambda: len(place.acks()) == 2)
            return before, begun, place.acks()

    assert run(main()) == (([1], []), [1, 2], [(1, 1), (1, 2)])


def test_a_handler_that_fails_is_reported_and_gets_the_next_event(capsys: pytest.CaptureFixture[str]) -> None:
    plugin = make_plugin()
    seen: list[Any] = []

    @plugin.on_event("x")
    async def handle(event: Event) -> None:
        seen.append(event.data)
        if event.data == "cancel":
            raise asyncio.CancelledError
        if event.data == "exit":
            raise SystemExit(3)
        if event.data != "good":
            raise ValueError("a mistake")

    async def main() -> Any:
        async with broker(plugin) as place:
            await place.until(lambda: place.asked)
            for data in ("bad", "cancel", "exit", "good"):
                place.deliver(data=data)
            await place.until(lambda: len(seen) == 4)
            return [(log["level"], log["message"]) for log in place.host.logs]

    assert run(main()) == [
        ("error", "the handler of x failed: ValueError('a mistake')"),
        ("error", "the handler of x failed: CancelledError()"),
        ("error", "the handler of x failed: SystemExit(3)"),
    ]
    assert "ValueError: a mistake" in capsys.readouterr().err


@pytest.mark.requirement("EVT-25")
def test_a_handler_whose_subscription_was_ended_subscribes_again_with_a_warning() -> None:
    plugin = make_plugin()
    seen: list[Any] = []

    @plugin.on_event("x", policy="disconnect")
    async def handle(event: Event) -> None:
        seen.append(event.data)

    async def main() -> Any:
        async with broker(plugin) as place:
            await place.until(lambda: place.asked)
            place.deliver(data=1)
            place.host.notify("event/ended", {"subscription": 1, "reason": "too slow", "seq": 3, "missed": 2})
            await place.until(lambda: len(place.asked) == 2)
            place.deliver(subscription=2, data=2)
            await place.until(lambda: len(seen) == 2)
            return seen, [(log["level"], log["message"]) for log in place.host.logs]

    assert run(main()) == (
        [1, 2],
        [("warning", "the subscription to x has ended: too slow; 2 events were missed; it subscribes again")],
    )


def test_a_host_that_takes_no_subscription_is_told_of_once() -> None:
    plugin = make_plugin()

    @plugin.on_event("x")
    async def handle(event: Event) -> None: ...

    async def main() -> Any:
        async with connect(plugin) as host:
            place = Broker(host)

            def refuse(params: dict[str, Any]) -> None:
                raise RequestError("no events here", code=-32601)

            host.serve("event/subscribe", refuse)
            await place.until(lambda: host.logs)
            return [(log["level"], log["message"]) for log in host.logs]

    ((level, message),) = run(main())
    assert (level, message) == ("error", "no events of x are handled: MethodNotFound (-32601): no events here")


@pytest.mark.requirement("LIF-12")
def test_a_host_without_events_is_not_asked_for_any() -> None:
    async def main() -> None:
        plugin = Plugin("p", version="1")

        @plugin.on_event("x")
        async def handle(event: Event) -> None:
            raise AssertionError("there are no events")

        @plugin.method
        async def hello() -> str:
            return "hello"

        async with connect(plugin, capabilities={"meta": True}) as host:
            assert await host.call("p/hello") == "hello"
            assert host.calls == []
            assert host.logs == []

    run(main())


def test_a_handler_that_is_still_at_work_when_the_plugin_stops_has_not_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def main() -> None:
        plugin = Plugin("p", version="1")
        stopping = asyncio.Event()
        gone_on: list[str] = []

        @plugin.on_event("x")
        async def handle(event: Event) -> None:
            await stopping.wait()
            try:
                await plugin.call("q/ask")
            except ConnectionClosed as error:
                gone_on.append(str(error))
                raise

        async with connect(plugin) as host:
            broker = Broker(host)
            while not broker.asked:
                await asyncio.sleep(0)
            await host.call("ping")
            broker.deliver()
            await host.call("ping")
            await host.call("shutdown")
            stopping.set()
            while not gone_on:
                await asyncio.sleep(0)
            assert gone_on == ["the host is stopping this plugin"]
            assert host.logs == []

    run(main())
    assert capsys.readouterr().err == ""
