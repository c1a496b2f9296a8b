"""Channels between real plugins: nothing lost, nothing twice, nobody left waiting, whoever ends in the middle."""

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from plugwire import Context
from plugwire.channels import Channel, select
from plugwire.wire import ChannelClosed
from plugwire_host import DeadlineExceeded, Host, PluginEnded, PluginLogged, PluginReady, RequestError

from .support import PLUGINS, Watch, Wire, begun, fails, launch, plugin, relay, run


def porters(names: str) -> dict[str, list[str]]:
    return {name: [sys.executable, str(PLUGINS / "porter.py")] for name in names}


def told(wire: Wire, name: str) -> list[dict[str, Any]]:
    """What a plugin was told of channels."""
    messages = [json.loads(body) for body in wire.sent(name)]
    return [message["params"] for message in messages if message.get("method", "").startswith("channel/")]


async def open_at(host: Host, plugin: str, **options: Any) -> Channel:
    return host.channel(await host.call(f"porter@{plugin}/open", {"options": options}))


async def drain(channel: Channel, items: list[Any]) -> None:
    async for item in channel:
        items.append(item)


def flat(lists: list[list[Any]]) -> list[Any]:
    return sorted(item for items in lists for item in items)


@pytest.mark.requirement("CHN-04", "CHN-07", "CHN-21", "CHN-22")
@pytest.mark.parametrize("redeliver", [False, True])
@pytest.mark.parametrize("capacity", [1, 7, 256])
def test_each_item_of_each_producer_reaches_one_consumer(capacity: int, redeliver: bool) -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("abcdef"))
            channel = await host.open_channel(capacity=capacity, redeliver=redeliver)
            to = {"channel": channel.reference}
            collecting = [asyncio.create_task(host.call(f"porter@{name}/collect", to)) for name in "def"]
            sending = [
                host.call(f"porter@{name}/send", {**to, "items": [f"{name}{number:03}" for number in range(150)]})
                for name in "abc"
            ]
            assert await asyncio.gather(*sending) == [150, 150, 150]
            await channel.close()
            collected = await asyncio.gather(*collecting)
            assert flat(collected) == [f"{name}{number:03}" for name in "abc" for number in range(150)]
            for items in collected:
                for name in "abc":
                    of_one = [item for item in items if item.startswith(name)]
                    assert of_one == sorted(of_one)

    run(main())


@pytest.mark.requirement("CHN-07", "CHN-12")
def test_who_sends_into_a_full_channel_waits_and_what_was_not_sent_is_not_there() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("a"))
            channel = await host.open_channel(capacity=4)
            asked = {"channel": channel.reference, "items": list(range(100)), "timeout": 0.2}
            error = await fails(host.call("porter/send", asked))
            assert (type(error), error.message) == (DeadlineExceeded, "the channel stayed full for 0.2 s")
            await channel.close()
            # Four in the channel, and four that wait with the producer's credit.
            assert [item async for item in channel] == [0, 1, 2, 3, 4, 5, 6, 7]

    run(main())


def test_a_send_has_no_more_time_than_the_request_that_it_is_for() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("a"))
            channel = await host.open_channel(capacity=1)
            asked = {"channel": channel.reference, "items": [1, 2, 3]}
            assert type(await fails(host.call("porter/send", asked, timeout=0.3))) is DeadlineExceeded
            # Nothing of it is left behind: the next one gets its turn.
            assert await channel.receive() == 1
            assert await channel.receive() == 2
            assert await host.call("porter/send", {"channel": channel.reference, "items": [4]}) == 1
            assert await channel.receive() == 4

    run(main())


@pytest.mark.requirement("CHN-27", "CHN-32")
@pytest.mark.parametrize("after", [1, 2, 30])
def test_a_worker_that_is_killed_in_the_middle_loses_nothing(after: int) -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("ab"))
            await host.launch("c", porters("c")["c"], restart="never")
            jobs, done = await host.open_channel(capacity=8, redeliver=True), await host.open_channel()
            await done.send("begin")  # so that the worker is not the last producer
            assert await done.receive() == "begin"
            ways = {"source": jobs.reference, "target": done.reference}
            dying = asyncio.create_task(host.call("porter@c/pump", {**ways, "die_after": after}))
            await host.call("porter@a/count", {"channel": jobs.reference, "first": 0, "last": 200, "close": True})
            assert (await fails(dying)).name == "PluginCrashed"
            living = asyncio.create_task(host.call("porter@b/pump", ways))
            got = [await done.receive() for _ in range(200)]
            while set(got) != set(range(200)):
                got.append(await done.receive())
            await living
            await done.close()
            got += [item async for item in done]
            assert set(got) == set(range(200))

    run(main())


@pytest.mark.requirement("CHN-34", "CHN-40")
def test_consumers_are_told_when_the_last_producer_dies() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, **porters("bc"))
            await host.launch("a", porters("a")["a"], restart="never")
            channel = await host.open_channel()
            to = {"channel": channel.reference}
            await host.call("porter@a/send", {**to, "items": [1]})
            dying = begun(watch, "a", "got 1", host.call("porter@a/collect", {**to, "die_after": 1}))
            assert (await fails(await dying)).name == "PluginCrashed"
            error = await fails(host.call("porter@b/receive", to))
            assert type(error) is ChannelClosed
            assert error.data["error"]["message"].startswith("the last producer is gone: 'a' ended: ")
            # Whoever comes later is told too, and a loop does not take it for a good end.
            assert type(await fails(host.call("porter@c/collect", to))) is ChannelClosed

    run(main())


def test_a_plugin_that_is_stopped_in_the_middle_of_a_send_is_no_trouble() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, **porters("a"))
            channel = await host.open_channel(capacity=2)
            await host.call("porter/count", {"channel": channel.reference, "first": 0, "last": 100000})
            assert await channel.receive() == 0
            await host.stop("a")
            items: list[Any] = []
            with pytest.raises(ChannelClosed, match="the last producer is gone"):
                await drain(channel, items)
            assert items == list(range(1, len(items) + 1))
            assert [(event.status, event.asked) for event in watch.of(PluginEnded, "a")] == [("exit code 0", True)]

    run(main())


@pytest.mark.requirement("CHN-32")
def test_a_plugin_that_is_started_again_has_no_memberships() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, **porters("a"))
            channel = await host.open_channel(redeliver=True)
            await channel.send("first")
            dying = begun(
                watch, "a", "got 1", host.call("porter/collect", {"channel": channel.reference, "die_after": 1})
            )
            assert (await fails(await dying)).name == "PluginCrashed"
            await watch.event(PluginReady, "a")  # the first time
            await watch.event(PluginReady, "a")
            assert await host.call("porter/receive", {"channel": channel.reference}) == "first"

    run(main())


@pytest.mark.requirement("CHN-36", "CHN-38")
def test_a_consumer_that_has_enough_closes_and_producers_are_told() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("ab"))
            channel = await host.open_channel(capacity=2)
            to = {"channel": channel.reference}
            sending = asyncio.create_task(host.call("porter@a/send", {**to, "items": list(range(1000))}))
            assert await channel.receive() == 0
            error = await fails(host.call("porter@b/close", to))
            assert error.name == "PermissionDenied"
            await channel.close("that will do")
            error = await fails(sending)
            assert type(error) is ChannelClosed
            assert error.data == {"error": {"message": "that will do"}}
            with pytest.raises(ChannelClosed, match="that will do"):
                await drain(channel, [])

    run(main())


@pytest.mark.requirement("CHN-24")
def test_several_channels_are_received_from_in_turn() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("a"))
            channels = [await host.open_channel() for _ in range(3)]
            for place, channel in enumerate(channels):
                for number in range(20):
                    await channel.send([place, number])
                await channel.close()
            chosen = await host.call("porter/choose", {"channels": [channel.reference for channel in channels]})
            assert [place for place, _ in chosen] == [item[0] for _, item in chosen]
            for place in range(3):
                assert [item[1] for at, item in chosen if at == place] == list(range(20))

    run(main())


def test_the_application_is_a_member_like_any_other() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("a"))
            there, back = await open_at(host, "a", capacity=3), await open_at(host, "a", name="way/back")
            pumping = asyncio.create_task(
                host.call("porter/pump", {"source": there.reference, "target": back.reference})
            )
            async with there:
                await there.send_many(range(50))
                await there.close()
            assert (await host.open_channel("way/back")).handle == back.handle
            received = [await select(back).receive(timeout=5) for _ in range(50)]
            assert received == [(back, number) for number in range(50)]
            assert await pumping == 50
            with pytest.raises(DeadlineExceeded, match="nothing was received"):
                await back.receive(timeout=0.05)

    run(main())


def test_code_in_a_thread_uses_a_channel_too() -> None:
    async def main() -> Any:
        async with Host() as host:

            @host.method("app/send")
            def send(ctx: Context) -> Any:
                channel = ctx.blocking(ctx.open_channel())
                ctx.blocking(channel.send("from a thread"))
                return channel.reference

            await launch(host, **porters("a"))
            return await host.call("porter/receive", {"channel": await host.call("app/send")})

    assert run(main()) == "from a thread"


@pytest.mark.requirement("CHN-26")
def test_a_consumer_that_does_not_read_holds_up_neither_the_others_nor_the_host() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, **porters("ab"))
            await host.launch("hog", plugin("hog"), restart="never")
            channel = await host.open_channel(max_bytes=16 << 20, redeliver=True)
            await host.call("hog/hog", {"channel": channel.handle})
            await watch.log("hog", "reads no more")
            collecting = asyncio.create_task(host.call("porter@b/collect", {"channel": channel.reference}))
            items = [f"{number:04}" + "x" * 20000 for number in range(150)]
            assert (
                await host.call("porter@a/send", {"channel": channel.reference, "items": items, "close": True}) == 150
            )
            await host.call("porter@a/leave", {"channel": channel.reference})
            assert not collecting.done()  # the hog has some
            os.kill(host.plugins["hog"].pid or 0, 9)
            assert sorted(await collecting) == items

    run(main())


@pytest.mark.requirement("CHN-17")
def test_a_plugin_that_sends_more_than_its_credit_is_told_and_people_are() -> None:
    wire = Wire()

    async def main() -> None:
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, liar=relay("liar"))
            channel = await host.open_channel(capacity=2)
            member = {"channel": channel.handle}
            join = {"method": "channel/join", "params": {**member, "role": "producer"}}
            await host.call("liar/call", join)
            send = {"method": "channel/send", "params": {**member, "seq": 1, "items": [1, 2, 3]}}
            await host.call("liar/say", {"messages": [send]})
            await watch.log("liar", "it is a producer of a channel no longer: 3 items were sent with credit for 2")
            with pytest.raises(ChannelClosed, match="it broke the rules"):
                await channel.receive()

    run(main())
    [closed] = told(wire, "liar")
    error = {"message": "3 items were sent with credit for 2", "code": -32023}
    assert {**closed, "channel": ""} == {"channel": "", "role": "producer", "error": error, "taken": 0}


@pytest.mark.requirement("CHN-08")
def test_nothing_is_delivered_before_the_answer_to_a_join() -> None:
    wire = Wire()

    async def main() -> None:
        async with Host(trace=wire) as host:
            await launch(host, early=relay("early"))
            channel = await host.open_channel()
            await channel.send("x")
            credit = {"items": 5, "bytes": 500}
            joined = {"channel": channel.handle, "role": "consumer", "credit": credit}
            await host.call("early/call", {"method": "channel/join", "params": joined})
            assert await host.call("early/echo") == {}

    run(main())
    messages = [json.loads(body) for body in wire.sent("early")]
    answer = next(place for place, told in enumerate(messages) if "maxItemBytes" in told.get("result", {}))
    delivered = next(place for place, told in enumerate(messages) if told.get("method") == "channel/deliver")
    assert answer < delivered


@pytest.mark.requirement("CHN-35")
def test_what_nobody_will_ever_receive_is_told_to_people() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, **porters("a"))
            channel = await open_at(host, "a", name="lost")
            await host.call("porter/send", {"channel": channel.reference, "items": [1, 2]})
            await host.stop("a")
            warning = await watch.log("host", "2 items were in the channel 'lost'")
            assert (type(warning), warning.level) == (PluginLogged, "warning")

    run(main())


def test_a_failed_piece_of_work_goes_back() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("ab"))
            channel = await host.open_channel(redeliver=True)
            to = {"channel": channel.reference}
            await channel.send("the work")
            error = await fails(host.call("porter@a/fail", to))
            assert error.message == "ValueError: cannot do the work"
            assert await host.call("porter@b/receive", to) == "the work"

    run(main())


def test_a_cancelled_receive_leaves_the_item_to_others() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("ab"))
            channel = await host.open_channel()
            to = {"channel": channel.reference}
            assert type(await fails(host.call("porter@a/receive", {**to, "timeout": 0.05}))) is DeadlineExceeded
            await host.call("porter@a/leave", to)
            await channel.send(1)
            assert await host.call("porter@b/receive", to) == 1

    run(main())


def test_items_of_every_size_and_shape_arrive_as_they_were() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("a"))
            there, back = await host.open_channel(max_bytes=8 << 20), await host.open_channel(max_bytes=8 << 20)
            pumping = asyncio.create_task(
                host.call("porter/pump", {"source": there.reference, "target": back.reference})
            )
            items = [None, "", {}, [], {"é\n": [1.5, -0.0, 2**60]}, "x" * (3 << 20), "€" * 300000, *range(300)]
            await there.send_many(items)
            await there.close()
            assert [await back.receive(timeout=20) for _ in items] == items
            assert await pumping == len(items)

    run(main())


def test_an_item_that_is_too_large_is_refused_where_it_is_sent() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, **porters("a"))
            channel = await host.open_channel(max_bytes=2048)
            asked = {"channel": channel.reference, "items": [1, "x" * 3000, 2]}
            error = await fails(host.call("porter/send", asked))
            assert (error.code, error.data) == (-32016, {"size": 3002, "limit": 2048})
            await channel.send("y")
            assert [await channel.receive(), await channel.receive()] == [1, "y"]
            with pytest.raises(RequestError, match="larger than this channel takes"):
                await channel.send("x" * 3000)

    run(main())
