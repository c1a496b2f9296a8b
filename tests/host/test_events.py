"""Events between real plugins and the application: across processes, loops, crashes, and plugins that stop reading."""

import asyncio
import os
import signal
import sys
from typing import Any

import psutil
import pytest

from plugwire import Event
from plugwire_host import Host, InvalidParams, PluginLogged, StartupFailed

from .support import PLUGINS, Watch, fails, launch, plugin, relay, run

MIB = 1024 * 1024


def ear(name: str = "ear", **options: str) -> list[str]:
    """A plugin on the SDK, under a service of its own."""
    return [
        sys.executable,
        str(PLUGINS / "ear.py"),
        f"name={name}",
        *(f"{key}={value}" for key, value in options.items()),
    ]


def say(**message: Any) -> dict[str, Any]:
    """Params for ``relay/say``: one message, as it stands."""
    return {"messages": [message]}


@pytest.mark.requirement("EVT-01", "EVT-04", "EVT-11")
def test_plugins_and_the_application_hear_each_other() -> None:
    async def main() -> Any:
        async with Host() as host:
            await launch(host, a=ear("a"), b=ear("b", declares="count"))
            declared = await host.call("a/listen", {"topic": "*"})
            async with host.subscribe(">") as events:
                counts = [await host.publish("count", 1), await host.call("b/say", {"topic": "count", "data": 2})]
                at_the_host = [await anext(events) for _ in range(2)]
            at_a = await host.call("a/events", {"topic": "*", "last": 2})
            return declared, counts, at_the_host, at_a

    assert run(main()) == (
        True,
        [2, 2],
        [Event("count", 1, "host", 1), Event("count", 2, "b", 2)],
        [["count", 1, "host", 1, 0, False], ["count", 2, "b", 2, 0, False]],
    )


@pytest.mark.requirement("EVT-04", "EVT-05", "EVT-12")
def test_a_plugin_without_an_sdk_publishes_and_subscribes_with_plain_messages() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, r=relay("r"), s=relay("s"))
            for name in "rs":
                await host.call(f"{name}/say", say(id=1, method="event/subscribe", params={"topic": "x.*"}))
            liar = {"topic": "x.y", "data": {"z": [1.50]}, "from": "host", "seq": 7}
            await host.call("r/say", say(method="event/publish", params=liar))
            await host.call("r/say", say(id=2, method="event/publish", params={"topic": "x.y"}))
            await host.call("r/say", say(method="event/publish", params={"topic": "host.lie"}))
            await host.call("r/say", say(method="event/publish"))
            told = [(await watch.log("r", "event/publish was dropped")).message for _ in range(2)]
            return told, await host.call("s/journal"), await host.call("r/journal")

    def journal(number: int) -> list[Any]:
        return [
            [
                "event/deliver",
                {"subscription": number, "seq": 1, "topic": "x.y", "data": {"z": [1.5]}, "from": "r"},
            ],
            ["event/deliver", {"subscription": number, "seq": 2, "topic": "x.y", "from": "r"}],
        ]

    assert run(main()) == (
        [
            "event/publish was dropped: host.lie: topics that begin with 'host' are the host's own",
            "event/publish was dropped: $.topic: it is missing",
        ],
        journal(2),
        journal(1),
    )


@pytest.mark.requirement("EVT-08", "EVT-09")
def test_events_that_cause_each_other_come_to_an_end_with_a_warning() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=ear("a", echoes="round"), b=ear("b", declares="round"))
            async with host.subscribe("round") as events:
                # Retained, so that the handler gets it even if it has not subscribed yet.
                await host.publish("round", 0, retain=True)
                seen = [(await anext(events)).data for _ in range(17)]
                await watch.log("a", "an event was stopped: 17 events have led to this one on round")
            assert await host.publish("other") == 0
            return seen

    assert run(main()) == list(range(17))


@pytest.mark.requirement("EVT-38", "EVT-39")
def test_the_host_tells_what_happens_to_plugins_and_services() -> None:
    async def main() -> Any:
        async with Host() as host, host.subscribe("host.>") as events:
            await host.launch("c", plugin("crashes_on_call"), restart="never")
            await fails(host.call("liar/ask"))
            with pytest.raises(StartupFailed):
                await host.launch("f", plugin("exits_at_once"))
            await host.launch("a", ear("a"))
            seen: dict[str, Any] = {}
            while "host.service.available" not in seen or seen["host.service.available"]["instance"] != "a":
                event = await anext(events)
                assert event.sender == "host"
                seen[event.topic] = event.data
            return seen

    seen = run(main())
    assert {topic: data["plugin"] for topic, data in seen.items() if topic.startswith("host.plugin.ended")} == {
        "host.plugin.ended": "c"
    }
    assert seen["host.plugin.failed"]["plugin"] == "f"
    assert seen["host.service.unavailable"] == {"service": "liar", "version": "1.0", "instance": "c"}
    assert seen["host.service.available"] == {"service": "a", "version": "1.0", "instance": "a"}


@pytest.mark.requirement("EVT-38")
def test_a_restart_is_told() -> None:
    async def main() -> Any:
        async with Host() as host, host.subscribe("host.plugin.*") as events:
            await host.launch("c", plugin("crashes_on_call"), restart="on-failure")
            await fails(host.call("liar/ask"))
            return [((await anext(events)).topic) for _ in range(4)]

    assert run(main()) == ["host.plugin.ready", "host.plugin.ended", "host.plugin.restarting", "host.plugin.ready"]


@pytest.mark.requirement("EVT-36")
def test_data_that_does_not_fit_the_declared_schema_is_refused() -> None:
    async def main() -> Any:
        async with Host() as host:
            host.topic("count", schema={"minimum": 1})
            await launch(host, a=ear("a", declares="count"))
            refused = await fails(host.call("a/say", {"topic": "count", "data": "x"}))
            assert type(await fails(host.publish("count", 0))) is InvalidParams
            assert await host.publish("count", 1) == 0
            return refused.data, [
                t["from"] for t in (await host.call("event/topics"))["topics"] if t["topic"] == "count"
            ]

    assert run(main()) == (
        {"problems": [{"path": "$.data", "message": '"x" is not of type "integer"'}]},
        ["host", "a"],
    )


@pytest.mark.requirement("EVT-18", "EVT-19", "EVT-22")
def test_a_plugin_that_stops_reading_costs_the_host_no_more_than_its_buffer() -> None:
    async def main() -> Any:
        async with Host() as host:
            records = [await host.launch(name, ear(name)) for name in ("dead", "well", "source")]
            await host.call("dead/listen", {"topic": "x", "buffer": 500})
            await host.call("well/listen", {"topic": "x", "buffer": 500, "policy": "block"})
            await host.call("source/flood", {"topic": "x", "count": 500, "size": 4000})
            for name in ("dead", "well"):
                await host.call(f"{name}/events", {"topic": "x", "last": 500})
            process = psutil.Process()
            before = process.memory_info().rss
            assert records[0].pid is not None
            os.kill(records[0].pid, signal.SIGSTOP)
            try:
                await host.call("source/flood", {"topic": "x", "count": 10_000, "size": 4000})
                well = await host.call("well/events", {"topic": "x", "last": 10_500})
            finally:
                os.kill(records[0].pid, signal.SIGCONT)
            grown = process.memory_info().rss - before
            dead = await host.call("dead/events", {"topic": "x", "last": 10_500})
            return grown, [event[1] for event in well], dead

    grown, at_well, dead = run(main())
    assert grown < 16 * MIB  # 40 MB went by
    assert at_well == list(range(1, 10_001))
    # What was delivered and what was missed is what was published, and the numbers say which.
    assert len(dead) + sum(event[4] for event in dead) == 10_000
    assert [event[1] for event in dead] == [event[3] - 500 for event in dead]
    assert len(dead) < 1000


@pytest.mark.requirement("EVT-26", "EVT-27")
def test_a_publisher_waits_for_a_plugin_that_blocks_and_no_longer_than_its_time() -> None:
    async def main() -> Any:
        async with Host() as host:
            record = await host.launch("slow", ear("slow"))
            await host.call("slow/listen", {"topic": "x", "policy": "block", "buffer": 2})
            assert record.pid is not None
            os.kill(record.pid, signal.SIGSTOP)
            try:
                counts = [await host.publish("x", data) for data in range(4)]  # two on the way, two that wait
                late = await fails(host.call("event/publish", {"topic": "x", "data": 4}, timeout=0.05))
                waiting = asyncio.ensure_future(host.publish("x", 5))
                await asyncio.sleep(0)
                host.notify("event/publish", {"topic": "x", "data": 6})
                assert await host.publish("other") == 0
                assert not waiting.done()
            finally:
                os.kill(record.pid, signal.SIGCONT)
            await waiting
            seen = await host.call("slow/events", {"topic": "x", "last": 6})
            assert await host.publish("x", 7) == 1
            seen += await host.call("slow/events", {"topic": "x", "last": 8})
            return counts, late.code, [(event[1], event[4]) for event in seen]

    assert run(main()) == ([1] * 4, -32012, [(0, 0), (1, 0), (2, 0), (3, 0), (5, 1), (7, 1)])


@pytest.mark.requirement("EVT-15", "EVT-26")
def test_nobody_waits_for_a_plugin_that_has_died() -> None:
    async def main() -> Any:
        async with Host() as host:
            record = await host.launch("slow", ear("slow"), restart="never")
            await host.call("slow/listen", {"topic": "x", "policy": "block", "buffer": 1})
            assert record.pid is not None
            os.kill(record.pid, signal.SIGSTOP)
            for data in (1, 2):
                await host.publish("x", data)
            waiting = asyncio.ensure_future(host.publish("x", 3))
            await asyncio.sleep(0)
            assert not waiting.done()
            os.kill(record.pid, signal.SIGKILL)
            return await waiting, await host.publish("x", 4)

    assert run(main()) == (1, 0)


@pytest.mark.requirement("EVT-25")
def test_a_plugin_that_is_too_slow_for_disconnect_is_told_what_it_missed() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            record = await host.launch("slow", ear("slow"))
            await host.call("slow/listen", {"topic": "x", "policy": "disconnect", "buffer": 4})
            assert record.pid is not None
            os.kill(record.pid, signal.SIGSTOP)
            try:
                counts = [await host.publish("x", data) for data in range(10)]
            finally:
                os.kill(record.pid, signal.SIGCONT)
            seen = await host.call("slow/events", {"topic": "x", "last": 99})
            told = await watch.log("slow", "its subscription to x was ended")
            return counts, seen[-1], [event[1] for event in seen[:-1]], told.level

    assert run(main()) == ([1] * 9 + [0], ["ended", 5], [0, 1, 2, 3], "warning")


@pytest.mark.requirement("EVT-24", "EVT-29", "EVT-30", "EVT-32", "EVT-33")
def test_late_subscribers_get_what_was_retained_and_asked_for() -> None:
    async def main() -> Any:
        async with Host() as host:
            await launch(host, a=ear("a"), b=ear("b"))
            await host.call("b/say", {"topic": "mode", "data": "dark", "retain": True})
            for data in range(5):
                await host.call("b/say", {"topic": "tick", "data": data})
            await host.stop("b")
            await host.call("a/listen", {"topic": ">", "replay": 2})
            first = await host.call("a/events", {"topic": ">", "last": 3})
            await host.publish("mode", retain=True)
            await host.call("a/listen", {"topic": "mode"})
            assert await host.publish("mode", "light") == 2
            return first, await host.call("a/events", {"topic": "mode", "last": 1})

    first, later = run(main())
    # The host's own events are in the replay, too: that of the end of b, and of its service.
    assert first[0] == ["mode", "dark", "b", 1, 0, True]
    assert [event[0].partition(".")[0] for event in first[1:]] == ["host", "host"]
    assert later == [["mode", "light", "host", 1, 0, False]]


@pytest.mark.requirement("EVT-13", "EVT-14")
def test_a_plugin_cannot_end_the_subscription_of_another() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=ear("a"), thief=relay("thief"))
            await host.call("a/listen", {"topic": "x"})
            await host.call("thief/say", say(id=9, method="event/unsubscribe", params={"subscription": 1}))
            await host.call("thief/say", say(method="event/ack", params={"subscription": 1, "seq": 10**15}))
            await host.call("thief/say", say(method="event/ack", params={"subscription": "1"}))
            told = await watch.log("thief", "event/ack was dropped")
            assert await host.publish("x", 1) == 1
            heard = await host.call("a/events", {"topic": "x", "last": 1})
            missed = await host.call("a/leave", {"topic": "x"})
            return told.message, heard, missed, await host.publish("x", 2)

    told, heard, missed, count = run(main())
    assert told.startswith("event/ack was dropped: $.subscription: expected an integer")
    assert (heard, missed, count) == ([["x", 1, "host", 1, 0, False]], 0, 0)


@pytest.mark.requirement("EVT-35")
def test_a_topic_that_nobody_declares_can_be_subscribed_to_with_a_warning() -> None:
    async def main() -> Any:
        async with Host() as host:
            warnings: list[str] = []
            host.on(PluginLogged, lambda record: warnings.append(record.message) if record.source == "host" else None)
            host.topic("document.saved")
            await launch(host, a=ear("a"))
            declared = [await host.call("a/listen", {"topic": topic}) for topic in ("document.*", "document.savd")]
            return declared, warnings

    declared, (warning,) = run(main())
    assert declared == [True, False]
    assert warning.endswith("did it mean document.saved?")


def test_an_application_that_publishes_without_end_lets_its_events_leave() -> None:
    async def main() -> Any:
        async with Host() as host:
            await launch(host, a=ear("a"))
            await host.call("a/listen", {"topic": "x", "buffer": 1})
            turned = asyncio.ensure_future(asyncio.sleep(0))
            for _ in range(3):
                assert await host.publish("x") == 1
            return turned.done()

    assert run(main()) is True


@pytest.mark.requirement("EVT-16")
def test_the_application_handles_events_in_order_also_when_it_declares_handlers_late() -> None:
    async def main() -> Any:
        host = Host()
        early: list[Any] = []
        late: list[Any] = []

        @host.on_event("x")
        async def first(event: Event) -> None:
            early.append(event.data)

        async with host:

            @host.on_event("x", replay=10)
            def second(event: Event) -> None:
                late.append(event.data)
                host_loop.call_soon_threadsafe(all_here.set) if event.data == 99 else None

            host_loop, all_here = asyncio.get_running_loop(), asyncio.Event()
            await launch(host, a=ear("a"))
            await host.call("a/flood", {"topic": "x", "count": 50, "size": 1})
            await host.publish("x", 99)
            await all_here.wait()
            return [each["number"] for each in early[:50]], late[-1]

    assert run(main()) == (list(range(1, 51)), 99)
