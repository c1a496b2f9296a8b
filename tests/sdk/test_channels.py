"""What a plugin says of its channels, and when, against a host that is played by the test."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from plugwire import ConnectionClosed, Context, DeadlineExceeded, Plugin, RequestError
from plugwire.channels import Channel, select
from plugwire.testing import TestHost, connect
from plugwire.wire import ChannelClosed

from .helpers import run

A, B = "ch_aaaaaaaaaaaaaaaaaaaaaa", "ch_bbbbbbbbbbbbbbbbbbbbbb"
Told = list[dict[str, Any]]


class Hub:
    """The host's end of channels: it takes what comes, and says what the test says."""

    def __init__(self, host: TestHost, plugin: Plugin, credit: dict[str, int], *, redeliver: bool) -> None:
        self.host = host
        self.plugin = plugin
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.joining = {"credit": credit, "maxItemBytes": 100, "redeliver": redeliver}
        self.refuse: Callable[[str], None] = lambda method: None
        self.gate = asyncio.Event()
        self.gate.set()
        for method in ("open", "join", "leave", "close"):
            host.serve(f"channel/{method}", lambda params, method=method: self._answer(method, params))  # type: ignore[misc]

    async def _answer(self, method: str, params: dict[str, Any]) -> Any:
        self.asked.append((method, params))
        await self.gate.wait()
        self.refuse(method)
        if method == "open":
            return {"channel": A, "capacity": 256, "maxBytes": 1048576, "redeliver": False}
        return self.joining if method == "join" else None

    def at(self, handle: str = A) -> Channel:
        return self.plugin.channel(handle)

    def say(self, method: str, handle: str = A, **params: Any) -> None:
        self.host.notify(f"channel/{method}", {"channel": handle, **params})

    def told(self, method: str) -> Told:
        """The notifications of a method so far."""
        return [params for name, params in self.host.notifications if name == f"channel/{method}"]

    def sent(self) -> list[Any]:
        return [(params["seq"], params["items"]) for params in self.told("send")]

    def credit(self, handle: str = A) -> int:
        """The items that the plugin has given credit for."""
        return sum(params["items"] for params in self.told("credit") if params["channel"] == handle)

    def acknowledged(self) -> list[int]:
        return [params["seq"] for params in self.told("ack")]

    async def credited(self, items: int) -> None:
        """Until the plugin has given so much credit in all."""
        await self.until(lambda: self.credit() >= items)

    async def turn(self) -> None:
        """Everything that was said has been heard, there and here."""
        for _ in range(5):
            await self.host.call("ping")

    async def until(self, condition: Callable[[], Any]) -> None:
        while not condition():
            await self.host.call("ping")


@asynccontextmanager
async def hub(
    *, items: int = 4, size: int = 1000, redeliver: bool = False, plugin: Plugin | None = None
) -> AsyncIterator[Hub]:
    plugin = plugin or Plugin("demo", version="1.0")
    async with connect(plugin) as host:
        await host.call("ping")  # the plugin is ready
        yield Hub(host, plugin, {"items": items, "bytes": size}, redeliver=redeliver)


async def started(work: Any) -> asyncio.Task[Any]:
    """A task that has come to its first wait."""
    task: asyncio.Task[Any] = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    return task


# Opening


def test_opening_says_what_is_wanted_and_gives_a_reference_to_pass_on() -> None:
    async def main() -> Any:
        async with hub() as place:
            plain = await place.plugin.open_channel()
            await place.plugin.open_channel("jobs", capacity=3, max_bytes=2000, redeliver=True)
            return plain.reference, place.asked

    reference, asked = run(main())
    assert reference == {"$channel": A}
    assert asked == [
        ("open", {"capacity": 256, "maxBytes": 1048576, "redeliver": False}),
        ("open", {"capacity": 3, "maxBytes": 2000, "redeliver": True, "name": "jobs"}),
    ]


@pytest.mark.requirement("CHN-04")
def test_a_channel_is_found_by_its_handle_or_its_reference_and_by_nothing_else() -> None:
    async def main() -> None:
        async with hub() as place:
            assert place.at(A).handle == place.plugin.channel({"$channel": A}).handle == A
            for wrong in ({}, {"$memory": A}, 5, None, {"$channel": 5}):
                with pytest.raises(TypeError, match="a channel is"):
                    place.plugin.channel(wrong)  # type: ignore[arg-type]

    run(main())


def test_a_channel_whose_opening_was_cancelled_is_closed_again() -> None:
    async def main() -> Any:
        async with hub() as place:
            opening = await started(place.plugin.open_channel())
            opening.cancel()
            await place.until(lambda: len(place.asked) == 2)
            named = await started(place.plugin.open_channel("jobs"))
            named.cancel()
            await place.turn()
            return place.asked[1:]

    # One with a name may be somebody else's too.
    opened = {"capacity": 256, "maxBytes": 1048576, "redeliver": False, "name": "jobs"}
    assert run(main()) == [("close", {"channel": A}), ("open", opened)]


# Sending


@pytest.mark.requirement("CHN-12")
def test_what_is_sent_in_one_turn_goes_out_together_within_the_credit() -> None:
    async def main() -> Any:
        async with hub(items=4) as place:
            channel = place.at()
            sending = await started(channel.send_many(range(6)))
            await place.until(place.sent)
            before = list(place.sent()), sending.done()
            place.say("credit", role="producer", items=1, bytes=1)
            await place.turn()
            between = place.sent()[-1], sending.done()
            place.say("credit", role="producer", items=9, bytes=9)
            await sending
            await place.turn()
            return before, between, place.sent()[-1], place.asked

    before, between, last, asked = run(main())
    assert before == ([(1, [0, 1, 2, 3])], False)
    assert between == ((5, [4]), False)
    assert last == (6, [5])
    assert asked == [("join", {"channel": A, "role": "producer"})]


@pytest.mark.requirement("CHN-12")
def test_the_credit_in_bytes_may_go_below_zero_once() -> None:
    async def main() -> Any:
        async with hub(items=100, size=10) as place:
            channel = place.at()
            sending = asyncio.gather(*[await started(channel.send(item)) for item in ("12345678", "x" * 50, "y")])
            await place.until(place.sent)
            await place.turn()
            before = list(place.sent())
            place.say("credit", role="producer", items=0, bytes=52)  # 10 - 10 = 0: one more was not allowed
            await place.turn()
            middle = place.sent()[1:]
            place.say("credit", role="producer", items=0, bytes=1)
            await sending
            await place.turn()
            return before, middle, place.sent()[2:]

    assert run(main()) == ([(1, ["12345678"])], [(2, ["x" * 50])], [(3, ["y"])])


def test_batches_are_bounded_in_bytes() -> None:
    async def main() -> Any:
        async with hub(items=100, size=10**6) as place:
            place.joining["maxItemBytes"] = 200000
            await place.at().send_many(["a" * 30000, "b" * 30000, "c" * 30000, "d" * 100000, "e"])
            await place.turn()
            return [len(items) for _, items in place.sent()]

    assert run(main()) == [2, 1, 1, 1]


@pytest.mark.requirement("CAL-11")
def test_what_was_sent_goes_before_what_is_said_afterwards() -> None:
    plugin = Plugin("demo", version="1.0")

    @plugin.method
    async def work(ctx: Context) -> str:
        channel = ctx.channel(A)
        await channel.send(1)
        ctx.notify("other/look", {"seen": 1})
        await channel.send(2)
        return "done"

    async def main() -> Any:
        async with hub(plugin=plugin) as place:
            result = await place.host.call("demo/work")
            return result, [method for method, _ in place.host.notifications], place.sent()

    assert run(main()) == ("done", ["channel/send", "other/look", "channel/send"], [(1, [1]), (2, [2])])


def test_whoever_waits_first_sends_first() -> None:
    async def main() -> Any:
        async with hub(items=1) as place:
            channel = place.at()
            tasks = [await started(channel.send(number)) for number in range(5)]
            await place.turn()
            tasks[2].cancel()
            # In the same turn, before the task knows.
            channel.member.sending.receive_credit(9, 9)
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await place.turn()
            return place.sent(), [type(end) for end in ended]

    sent, ended = run(main())
    assert sent == [(1, [0]), (2, [1, 3, 4])]
    assert ended == [type(None), type(None), asyncio.CancelledError, type(None), type(None)]


def test_a_send_that_has_run_out_of_time_was_not_sent() -> None:
    async def main() -> Any:
        async with hub(items=1) as place:
            channel = place.at()
            await channel.send("x")
            with pytest.raises(DeadlineExceeded, match="the channel stayed full for"):
                await channel.send("late", timeout=0.01)
            with pytest.raises(DeadlineExceeded):
                await channel.send_many(["later"], timeout=0)
            place.say("credit", role="producer", items=9, bytes=9)
            await place.turn()
            await channel.send("y")
            await place.turn()
            return place.sent()

    assert run(main()) == [(1, ["x"]), (2, ["y"])]


def test_a_request_that_has_less_time_bounds_the_send_and_the_receive() -> None:
    plugin = Plugin("demo", version="1.0")

    @plugin.method
    async def work(way: str, ctx: Context) -> None:
        channel = ctx.channel(A)
        assert (channel.time_left(50) or 50) <= 0.05
        assert (channel.time_left(None) or 50) <= 0.05
        assert channel.time_left(0) == 0
        await (channel.send(1, timeout=50) if way == "send" else channel.receive(timeout=50))

    async def main() -> Any:
        async with hub(plugin=plugin, items=0) as place:
            for way in ("send", "receive"):
                with pytest.raises(DeadlineExceeded):
                    await place.host.call("demo/work", {"way": way}, timeout=0.05)
            await place.turn()
            return place.sent()

    assert run(main()) == []


@pytest.mark.requirement("CHN-13")
def test_an_item_that_is_too_large_or_no_json_is_refused_here() -> None:
    async def main() -> Any:
        async with hub() as place:
            channel = place.at()
            with pytest.raises(RequestError) as caught:
                await channel.send("x" * 99)
            with pytest.raises(TypeError):
                await channel.send(object())
            await channel.send("x" * 98)
            await place.turn()
            return caught.value.code, caught.value.data, [len(items[0]) for _, items in place.sent()]

    assert run(main()) == (-32016, {"size": 101, "limit": 100}, [98])


@pytest.mark.requirement("CHN-38")
def test_senders_end_when_the_channel_is_closed_and_are_told_what_came_too_late() -> None:
    async def main() -> Any:
        async with hub(items=2) as place:
            channel = place.at()
            sending = await started(channel.send_many(range(5)))
            await place.turn()
            place.say("closed", role="producer", error={"message": "enough"}, taken=1)
            with pytest.raises(ChannelClosed) as first:
                await sending
            with pytest.raises(ChannelClosed) as second:
                await channel.send(7)
            return str(first.value), first.value.data, first.value is second.value

    text, data, is_same = run(main())
    assert text == (
        "ChannelClosed (-32020): the channel is closed: enough; the last 1 items that were sent came too late"
    )
    assert (data, is_same) == ({"error": {"message": "enough"}}, False)


def test_a_join_goes_on_when_whoever_asked_for_it_is_cancelled() -> None:
    async def main() -> Any:
        async with hub() as place:
            channel = place.at()
            place.gate.clear()
            for work in (channel.send(1), channel.receive()):
                before = len(place.asked)
                task = await started(work)
                while len(place.asked) == before:
                    await place.turn()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            leaving = await started(channel.leave())
            sending = await started(channel.send(2))
            place.gate.set()
            await sending
            await leaving
            await channel.leave()
            await place.turn()
            return [method for method, _ in place.asked], place.sent()

    asked, sent = run(main())
    assert asked[:2] == ["join", "join"]
    assert sorted(asked[2:]) == ["leave", "leave"]
    assert sent == [(1, [2])]


def test_a_join_that_is_refused_is_told_and_may_be_tried_again() -> None:
    async def main() -> None:
        async with hub() as place:
            channel = place.at()

            def refuse(method: str) -> None:
                raise RequestError("no such channel", code=-32602)

            place.refuse = refuse
            for work in (channel.send(1), channel.receive(), channel.receive(timeout=1)):
                with pytest.raises(RequestError, match="no such channel"):
                    await work
            place.refuse = lambda method: None
            await channel.send(1)

    run(main())


# Receiving


def test_a_receive_asks_for_one_item_and_a_loop_for_more_and_more() -> None:
    async def main() -> Any:
        async with hub() as place:
            channel = place.at()
            asked = []
            for seq in range(1, 4):
                receiving = await started(channel.receive())
                await place.credited(seq)
                place.say("deliver", seq=seq, items=[seq])
                assert await receiving == seq
            await place.turn()
            first = place.credit()
            seq = 4

            async def loop() -> None:
                async for _ in channel:
                    pass

            looping = await started(loop())
            for _ in range(12):
                await place.credited(seq)
                await place.turn()
                asked.append(place.credit() - seq + 1)
                items = list(range(asked[-1]))
                place.say("deliver", seq=seq, items=items)
                seq += len(items)
            looping.cancel()
            return first, asked, place.acknowledged()

    first, asked, acknowledged = run(main())
    assert first == 3
    assert asked[0] <= 2
    assert all(before <= after <= 2 * before for before, after in pairwise(asked))
    assert 64 <= asked[-1] <= 1024
    assert acknowledged == []


def test_credit_in_bytes_comes_back_too() -> None:
    async def main() -> Any:
        async with hub() as place:
            channel = place.at()
            receiving = await started(channel.receive())
            await place.until(lambda: place.told("credit"))
            place.say("deliver", seq=1, items=["x" * 2**20])
            await receiving
            receiving = await started(channel.receive())
            await place.until(lambda: len(place.told("credit")) == 2)
            place.say("deliver", seq=2, items=["y"])
            await receiving
            return [params["bytes"] for params in place.told("credit")]

    assert run(main()) == [1048576, 1048578]


def test_what_is_here_and_on_its_way_is_bounded_in_bytes() -> None:
    async def main() -> None:
        async with hub() as place:
            channel = place.at()
            go = asyncio.Semaphore(0)
            taken = 0

            async def loop() -> None:
                nonlocal taken
                async for item in channel:
                    taken += len(item) + 2
                    await go.acquire()

            looping = await started(loop())
            seq = 1
            for _ in range(30):
                go.release()
                while place.credit() >= seq and sum(params["bytes"] for params in place.told("credit")) > taken:
                    place.say("deliver", seq=seq, items=["x" * 150000])
                    seq += 1
                    await place.turn()
                    given = sum(params["bytes"] for params in place.told("credit"))
                    assert given <= taken + 2**20
                await place.turn()
            assert seq > 10
            looping.cancel()

    run(main())


@pytest.mark.requirement("CHN-39")
def test_a_loop_ends_with_the_channel_and_a_receive_says_so() -> None:
    async def main() -> Any:
        async with hub() as place:
            channel = place.at()
            got: list[Any] = []

            async def loop() -> None:
                async for item in channel:
                    got.append(item)

            looping = await started(loop())
            await place.until(lambda: place.told("credit"))
            place.say("deliver", seq=1, items=[1])
            place.say("closed", role="consumer")
            await looping
            with pytest.raises(ChannelClosed, match="the channel is closed"):
                await channel.receive()
            return got, [item async for item in channel]

    assert run(main()) == ([1], [])


def test_an_error_ends_a_loop_with_an_error_after_the_last_item() -> None:
    async def main() -> Any:
        async with hub() as place:
            channel = place.at()
            got: list[Any] = []

            async def loop() -> None:
                async for item in channel:
                    got.append(item)

            looping = await started(loop())
            await place.until(lambda: place.told("credit"))
            place.say("deliver", seq=1, items=[1])
            place.say("closed", role="consumer", error={"message": "no disk"})
            with pytest.raises(ChannelClosed, match="no disk"):
                await looping
            return got

    assert run(main()) == [1]


@pytest.mark.requirement("CHN-11")
@pytest.mark.parametrize(("data", "ends_well"), [(None, True), ({"error": {"message": "x"}}, False)])
def test_whoever_comes_after_the_end_sees_the_end(data: Any, ends_well: bool) -> None:
    async def main() -> None:
        async with hub() as place:

            def refuse(method: str) -> None:
                raise ChannelClosed("it is closed", data=data)

            place.refuse = refuse
            if ends_well:
                assert [item async for item in place.at()] == []
            else:
                with pytest.raises(ChannelClosed):
                    assert [item async for item in place.at()] == []
            with pytest.raises(ChannelClosed):
                await place.at(B).send(1)

    run(main())


def test_a_receive_that_was_cancelled_or_late_takes_nothing_from_the_next() -> None:
    async def main() -> Any:
        async with hub() as place:
            channel = place.at()
            first, second = await started(channel.receive()), await started(channel.receive())
            await place.until(lambda: place.told("credit"))
            place.say("deliver", seq=1, items=["x"])
            await place.until(lambda: first.done() or channel.member.receiving.items)
            first.cancel()
            ended: Any = (await asyncio.gather(first, return_exceptions=True))[0]
            if ended == "x":  # it was quicker than the cancelling
                await place.until(lambda: place.credit() == 2)
                place.say("deliver", seq=2, items=["x"])
            got = await second
            with pytest.raises(DeadlineExceeded, match="nothing was received within"):
                await channel.receive(timeout=0.01)
            late = await started(channel.receive())
            place.say("deliver", seq=3, items=["y"])
            return got, await late

    assert run(main()) == ("x", "y")


@pytest.mark.requirement("CHN-29")
def test_an_item_is_acknowledged_when_the_next_is_asked_for() -> None:
    async def main() -> Any:
        async with hub(redeliver=True) as place:
            channel = place.at()
            go = asyncio.Event()
            got: list[Any] = []

            async def loop() -> None:
                async for item in channel:
                    got.append(item)
                    await go.wait()
                    go.clear()

            looping = await started(loop())
            await place.until(lambda: place.told("credit"))
            place.say("deliver", seq=1, items=["a", "b", "c"])
            told = []
            for count in (1, 2, 3):
                while len(got) < count:
                    await place.turn()
                await place.turn()
                told.append(list(place.acknowledged()))
                go.set()
            await place.until(lambda: place.acknowledged()[-1:] == [3])
            looping.cancel()
            return told

    assert run(main()) == [[], [1], [1, 2]]


@pytest.mark.requirement("CHN-29")
def test_what_another_task_still_works_on_is_not_acknowledged() -> None:
    async def main() -> Any:
        async with hub(redeliver=True) as place:
            channel = place.at()
            slow = asyncio.Event()

            async def work() -> None:
                await channel.receive()
                await slow.wait()

            working = await started(work())
            await place.until(lambda: place.told("credit"))
            place.say("deliver", seq=1, items=["slow", "quick", "quicker"])
            await place.turn()
            assert [await channel.receive(), await channel.receive()] == ["quick", "quicker"]
            await place.turn()
            before = list(place.acknowledged())
            slow.set()
            await working
            await place.turn()
            return before, place.acknowledged()

    # The last one is still in hand here.
    assert run(main()) == ([], [2])


@pytest.mark.parametrize("way", ["fails", "is cancelled"])
def test_what_a_task_had_in_hand_when_it_failed_goes_back(way: str) -> None:
    async def main() -> Any:
        async with hub(redeliver=True) as place:
            channel = place.at()
            in_hand = asyncio.Event()

            async def work() -> None:
                await channel.receive()
                in_hand.set()
                if way == "fails":
                    raise ValueError(way)
                await asyncio.Event().wait()

            working = await started(work())
            other = await started(channel.receive())
            await place.until(lambda: place.told("credit"))
            place.say("deliver", seq=1, items=["x"])
            await in_hand.wait()
            if way != "fails":
                working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            # Whoever else waits joins again.
            await place.until(lambda: [method for method, _ in place.asked] == ["join", "leave", "join"])
            await place.until(lambda: len(place.told("credit")) >= 2)
            place.say("deliver", seq=1, items=["x"], redelivered=1)
            return await other, place.acknowledged()

    assert run(main()) == ("x", [])


@pytest.mark.parametrize(("error", "acknowledged"), [(None, [1]), (ValueError("x"), [])])
def test_leaving_the_block_acknowledges_unless_it_fails(error: Exception | None, acknowledged: list[int]) -> None:
    async def main() -> Any:
        async with hub(redeliver=True) as place:

            async def work() -> None:
                async with place.at() as channel:
                    await channel.receive()
                    if error is not None:
                        raise error

            working = await started(work())
            await place.until(lambda: place.told("credit"))
            place.say("deliver", seq=1, items=["a", "never looked at"])
            assert [*await asyncio.gather(working, return_exceptions=True)] == [error]
            return place.acknowledged(), place.asked[1:]

    assert run(main()) == (acknowledged, [("leave", {"channel": A, "role": "consumer"})])


def test_what_comes_after_leaving_is_not_taken_for_something_else() -> None:
    async def main() -> Any:
        async with hub() as place:
            channel = place.at()
            receiving = await started(channel.receive())
            await place.until(lambda: place.told("credit"))
            place.say("deliver", seq=1, items=[1])
            assert await receiving == 1
            place.say("deliver", seq=2, items=["too late"])
            await channel.leave()
            again = await started(channel.receive())
            await place.until(lambda: place.credit() == 2)
            place.say("deliver", seq=1, items=["new"])
            return await again

    assert run(main()) == "new"


# Several


def test_select_takes_turns_and_ends_with_the_last() -> None:
    async def main() -> Any:
        async with hub() as place:
            first, second = place.at(A), place.at(B)
            got: list[Any] = []

            async def loop() -> None:
                async for channel, item in select(first, second):
                    got.append((channel.handle[3], item))

            looping = await started(loop())
            await place.until(lambda: place.credit(A) and place.credit(B))
            place.say("deliver", A, seq=1, items=[1, 2, 3])
            place.say("deliver", B, seq=1, items=[4, 5, 6])
            place.say("closed", A, role="consumer")
            await place.until(lambda: len(got) == 6)
            place.say("closed", B, role="consumer")
            await looping
            with pytest.raises(ChannelClosed, match="all the channels are closed"):
                await select(first, second).receive()
            return got

    assert run(main()) == [("a", 1), ("b", 4), ("a", 2), ("b", 5), ("a", 3), ("b", 6)]


def test_select_ends_in_time_and_with_the_error_of_any() -> None:
    async def main() -> None:
        async with hub() as place:
            several = select(place.at(A), place.at(B))
            with pytest.raises(DeadlineExceeded):
                await several.receive(timeout=0.01)
            waiting = await started(several.receive())
            place.say("closed", B, role="consumer", error={"message": "b is broken"})
            with pytest.raises(ChannelClosed, match="b is broken"):
                await waiting

    run(main())


def test_an_item_that_woke_a_select_which_took_another_wakes_somebody_else() -> None:
    async def main() -> Any:
        async with hub() as place:
            first, second = place.at(A), place.at(B)
            selecting = await started(select(first, second).receive())
            await place.until(lambda: place.credit(A) and place.credit(B))
            alone = await started(second.receive())
            await place.turn()
            place.say("deliver", B, seq=1, items=["b"])
            place.say("deliver", A, seq=1, items=["a"])
            taken = (await selecting)[1]
            if taken == "a":  # which came second, and yet before it looked
                assert await alone == "b"
            return taken

    assert run(main()) in ("a", "b")


# The end of the connection


def test_every_wait_ends_with_the_connection() -> None:
    async def main() -> Any:
        async with hub(items=1) as place:
            channel = place.at()
            await channel.send(1)
            waits = [channel.send(2), channel.receive(), select(channel, place.at(B)).receive(), anext(aiter(channel))]
            tasks = [await started(wait) for wait in waits]
            await place.until(lambda: place.credit(A) and place.credit(B))
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for later in (channel.send(3), channel.receive(), place.at(B).receive()):
            with pytest.raises(ConnectionClosed):
                await later
        return [type(end) for end in ended]

    assert run(main()) == [ConnectionClosed] * 4


def test_closing_goes_behind_what_was_sent() -> None:
    async def main() -> Any:
        async with hub() as place:
            channel = place.at()
            await channel.send(1)
            await channel.close()
            await channel.close("it broke")
            await place.turn()
            return place.sent(), place.asked[1:]

    sent, asked = run(main())
    assert sent == [(1, [1])]
    assert asked == [("close", {"channel": A}), ("close", {"channel": A, "error": {"message": "it broke"}})]


def test_a_channel_that_is_over_is_not_kept() -> None:
    async def main() -> Any:
        async with hub() as place:
            client = place.plugin._running().clients.channels
            await place.at(A).send(1)
            gc.collect()
            kept = set(client._kept)
            place.say("closed", A, role="producer", taken=1)
            await place.turn()
            with pytest.raises(DeadlineExceeded):
                await place.at(B).receive(timeout=0.01)
            await place.at(B).leave()
            gc.collect()
            return kept, set(client._kept), set(client._known)

    assert run(main()) == ({A}, set(), set())
