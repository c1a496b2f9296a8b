"""The channels of a host as their members see them: what is answered, and what is said to whom."""

import asyncio
import json
import tracemalloc
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, cast

import pytest

from plugwire.wire import ChannelClosed, InvalidParams, QuotaExceeded, RequestError
from plugwire.wire.codec import decode_value, encode_value
from plugwire_host.routing.call import Call, encode_params
from plugwire_host.services.channels.service import ChannelService
from tests.wire.transcript import Exit, Message, load

UNKNOWN = "ch_ffffffffffffffffffffffffffffffff"
PLENTY = {"items": 1000, "bytes": 1000000}
Told = tuple[str, dict[str, Any]]


class Router:
    """What the service needs of one."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.warnings: list[tuple[str, str]] = []

    def warn(self, plugin: str, message: str) -> None:
        self.warnings.append((plugin, message))


class Member:
    """A participant that keeps what it is told."""

    maps_memory = False

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self.congested = False
        self.ready = True
        self._world = world
        self._said: list[Told] = []
        self._drained: list[Callable[[], None]] = []

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._drained.append(callback)

    def send_notification(self, method: str, params: Any) -> bool:
        if self.ready:
            self._said.append((method, decode_value(encode_value(params))))
        return self.ready

    def told(self) -> list[Told]:
        """What it was told since it was last asked, without the name of the channel."""
        said, self._said = self._said, []
        return [(method, {k: v for k, v in params.items() if k != "channel"}) for method, params in said]

    def read_again(self) -> None:
        self.congested = False
        waiting, self._drained = self._drained, []
        for callback in waiting:
            callback()

    async def ask(self, method: str, **params: Any) -> Any:
        """The answer; what follows from the request has then been said."""
        call = Call(cast(Any, self), 1, method, encode_params(params), None)
        before = len(self._said)
        answer = self._world.service.requests[method](call)
        assert len(self._said) == before, "something was said before the answer"
        await asyncio.sleep(0)
        return answer

    def notify(self, method: str, **params: Any) -> None:
        self._world.service.notifications[method](cast(Any, self), encode_params(params))

    async def open(self, **params: Any) -> str:
        handle: str = (await self.ask("channel/open", **params))["channel"]
        return handle

    async def produce(self, channel: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self.ask("channel/join", channel=channel, role="producer")
        return answer

    async def consume(self, channel: str, items: int = 1000) -> None:
        credit = {"items": items, "bytes": 1000000}
        await self.ask("channel/join", channel=channel, role="consumer", credit=credit)


class World:
    def __init__(self, **options: Any) -> None:
        self.router = Router()
        self.service = ChannelService(cast(Any, self.router), **options)
        self.a, self.b, self.c = (Member(self, name) for name in "abc")

    def end(self, member: Member, reason: str = "exit code 3") -> None:
        self.service.left(cast(Any, member), reason)


def run(main: Callable[[World], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await main(World(**options))

    asyncio.run(bounded())


async def fails(answer: Coroutine[Any, Any, Any]) -> RequestError:
    try:
        result = await answer
    except RequestError as error:
        return error
    raise AssertionError(f"an error was expected, got {result!r}")


def deliver(seq: int, *items: Any, **more: Any) -> Told:
    return ("channel/deliver", {"seq": seq, "items": list(items), **more})


# Opening


@pytest.mark.requirement("CHN-01")
def test_a_channel_is_as_asked_for_or_as_is_usual() -> None:
    async def main(world: World) -> None:
        usual = await world.a.ask("channel/open")
        asked = await world.a.ask("channel/open", name="x", capacity=3, maxBytes=2048, redeliver=True)
        del usual["channel"], asked["channel"]
        assert usual == {"capacity": 256, "maxBytes": 1048576, "redeliver": False}
        assert asked == {"capacity": 3, "maxBytes": 2048, "redeliver": True}

    run(main)


@pytest.mark.requirement("CHN-02")
def test_handles_are_long_and_never_the_same() -> None:
    async def main(world: World) -> None:
        handles = {await world.a.open() for _ in range(100)}
        assert len(handles) == 100
        assert all(handle.startswith("ch_") and len(bytes.fromhex(handle[3:])) == 16 for handle in handles)
        # Each place varies.
        assert all(len({handle[place] for handle in handles}) > 1 for place in range(3, 35))

    run(main)


@pytest.mark.requirement("CHN-03")
def test_one_name_is_one_channel_as_long_as_it_is_open() -> None:
    async def main(world: World) -> None:
        first = await world.a.ask("channel/open", name="jobs/new", capacity=3)
        second = await world.b.ask("channel/open", name="jobs/new", capacity=9, redeliver=True)
        assert second == first
        assert (await world.b.ask("channel/open", capacity=9))["channel"] != first["channel"]
        # Its second opener keeps it when the first one has ended, and may close it.
        world.end(world.a)
        assert (await world.c.ask("channel/open", name="jobs/new")) == first
        await world.b.produce(first["channel"])
        await world.b.ask("channel/send", channel=first["channel"], seq=1, items=["to be drained"])
        await world.b.ask("channel/close", channel=first["channel"])
        assert (await world.c.ask("channel/open", name="jobs/new"))["channel"] != first["channel"]

    run(main)


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"name": "../../x"}, "$.name"),
        ({"name": ""}, "$.name"),
        ({"name": 5}, "$.name"),
        ({"name": "x" * 257}, "$.name"),
        ({"capacity": 0}, "$.capacity"),
        ({"capacity": 65537}, "$.capacity"),
        ({"capacity": True}, "$.capacity"),
        ({"capacity": 1.5}, "$.capacity"),
        ({"maxBytes": 1023}, "$.maxBytes"),
        ({"maxBytes": 67108865}, "$.maxBytes"),
        ({"maxBytes": -1}, "$.maxBytes"),
        ({"redeliver": 1}, "$.redeliver"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_with_the_place(params: dict[str, Any], path: str) -> None:
    async def main(world: World) -> None:
        error = await fails(world.a.ask("channel/open", **params))
        assert type(error) is InvalidParams
        assert error.data["problems"][0]["path"] == path

    run(main)


@pytest.mark.requirement("CHN-05")
@pytest.mark.parametrize(
    ("count", "params"),
    [(1024, {"capacity": 1, "maxBytes": 1024}), (16, {"capacity": 65536}), (4, {"maxBytes": 67108864})],
)
def test_an_opener_has_so_much_and_no_more(count: int, params: dict[str, Any]) -> None:
    async def main(world: World) -> None:
        handles = [await world.a.open(**params) for _ in range(count)]
        assert type(await fails(world.a.ask("channel/open", **params))) is QuotaExceeded
        named = await world.b.open(name="x", **params)
        assert type(await fails(world.a.ask("channel/open", name="x"))) is QuotaExceeded
        # What is closed and drained counts no more.
        await world.a.ask("channel/close", channel=handles[0])
        assert await world.a.open(name="x") == named

    run(main)


@pytest.mark.requirement("CHN-06")
@pytest.mark.parametrize("channel", [UNKNOWN, "", "ch_", "x", 5, None, "../x", "ch_" + "é" * 30])
def test_an_unknown_channel_is_refused(channel: Any) -> None:
    async def main(world: World) -> None:
        asked: list[tuple[str, dict[str, Any]]] = [
            ("channel/join", {"role": "producer"}),
            ("channel/send", {"seq": 1, "items": [1]}),
            ("channel/leave", {"role": "producer"}),
            ("channel/close", {}),
        ]
        for method, params in asked:
            error = await fails(world.a.ask(method, channel=channel, **params))
            assert type(error) is InvalidParams
            assert error.data["problems"][0]["path"] == "$.channel"

    run(main)


# Joining


@pytest.mark.requirement("CHN-04", "CHN-08", "CHN-09")
def test_whoever_has_the_handle_joins_once_in_each_role() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        await world.a.ask("channel/send", channel=channel, seq=1, items=[1, 2])
        # Within ask: nothing is delivered before the answer.
        await world.b.consume(channel)
        assert world.b.told() == [deliver(1, 1, 2)]
        await world.b.produce(channel)
        for member, role in [(world.a, "producer"), (world.b, "producer"), (world.b, "consumer")]:
            assert (await fails(member.ask("channel/join", channel=channel, role=role))).code == -32600
        await world.b.ask("channel/send", channel=channel, seq=1, items=[3])
        assert world.b.told() == [deliver(3, 3)]

    run(main)


@pytest.mark.requirement("CHN-10")
@pytest.mark.parametrize(("capacity", "items"), [(1, 1), (1023, 1023), (1024, 1024), (1025, 1024), (65536, 1024)])
def test_a_producer_gets_credit_for_the_capacity_or_1024(capacity: int, items: int) -> None:
    async def main(world: World) -> None:
        answer = await world.a.produce(await world.a.open(capacity=capacity, maxBytes=4096))
        assert answer == {"credit": {"items": items, "bytes": 4096}, "maxItemBytes": 4096, "redeliver": False}

    run(main)


@pytest.mark.requirement("CHN-10", "CHN-31")
def test_who_leaves_with_items_waiting_and_comes_back_gets_credit_for_the_rest() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=2)
        await world.a.produce(channel)
        await world.a.ask("channel/send", channel=channel, seq=1, items=[1, 2])
        assert world.a.told() == [("channel/credit", {"role": "producer", "items": 2, "bytes": 2})]
        await world.a.ask("channel/send", channel=channel, seq=3, items=[3])
        await world.a.ask("channel/leave", channel=channel, role="producer")
        assert (await world.a.produce(channel))["credit"] == {"items": 1, "bytes": 1048575}
        await world.a.ask("channel/send", channel=channel, seq=1, items=[4])
        assert (await fails(world.a.ask("channel/send", channel=channel, seq=2, items=[5]))).code == -32023
        await world.b.consume(channel)
        assert [item for _, params in world.b.told() for item in params["items"]] == [1, 2, 3, 4]
        assert [params["items"] for _, params in world.a.told()] == [2]

    run(main)


@pytest.mark.requirement("CHN-11", "CHN-40")
def test_a_closed_channel_is_joined_only_to_drain_it() -> None:
    async def main(world: World) -> None:
        full, empty = await world.a.open(), await world.a.open()
        await world.a.produce(full)
        await world.a.ask("channel/send", channel=full, seq=1, items=[1])
        await world.a.ask("channel/close", channel=full)
        await world.a.ask("channel/close", channel=empty, error={"message": "no disk", "code": 7})
        assert str(await fails(world.b.produce(full))) == "ChannelClosed (-32020): the channel is closed"
        for role in ("producer", "consumer"):
            error = await fails(world.b.ask("channel/join", channel=empty, role=role))
            assert str(error) == "ChannelClosed (-32020): the channel is closed: no disk"
            assert error.data == {"error": {"message": "no disk", "code": 7}}
        await world.b.consume(full)
        assert world.b.told() == [deliver(1, 1), ("channel/closed", {"role": "consumer"})]
        error = await fails(world.c.ask("channel/join", channel=full, role="consumer"))
        assert (type(error), error.data) == (ChannelClosed, None)

    run(main)


@pytest.mark.requirement("CHN-11")
def test_of_each_opener_the_last_1024_are_remembered() -> None:
    async def main(world: World) -> None:
        async def drained(member: Member) -> str:
            channel = await member.open()
            await member.ask("channel/close", channel=channel)
            return channel

        other = await drained(world.b)
        channels = [await drained(world.a) for _ in range(1025)]
        told = [type(await fails(world.c.ask("channel/join", channel=c, role="consumer"))) for c in channels]
        assert told == [InvalidParams, *[ChannelClosed] * 1024]
        assert type(await fails(world.c.ask("channel/join", channel=other, role="consumer"))) is ChannelClosed
        world.end(world.a)
        assert type(await fails(world.c.ask("channel/join", channel=channels[-1], role="consumer"))) is InvalidParams

    run(main)


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({}, "$.role"),
        ({"role": "boss"}, "$.role"),
        ({"role": None}, "$.role"),
        ({"role": "consumer", "credit": 5}, "$.credit"),
        ({"role": "consumer", "credit": {"items": -1, "bytes": 1}}, "$.credit.items"),
        ({"role": "consumer", "credit": {"items": 1}}, "$.credit.bytes"),
        ({"role": "consumer", "credit": {"items": 1, "bytes": 2147483648}}, "$.credit.bytes"),
    ],
)
def test_a_wrong_join_is_refused_with_the_place(params: dict[str, Any], path: str) -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        error = await fails(world.a.ask("channel/join", channel=channel, **params))
        assert error.data["problems"][0]["path"] == path

    run(main)


# Sending


@pytest.mark.requirement("CHN-14", "CHN-15", "CHN-16")
def test_a_wrong_batch_is_refused_as_a_whole_and_changes_nothing() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=3, maxBytes=1024)
        await world.a.produce(channel)
        long = "x" * 1022  # with its quotation marks as long as an item may be

        async def refused(*items: Any, seq: Any = 1, by: Member = world.a) -> int:
            return (await fails(by.ask("channel/send", channel=channel, seq=seq, items=list(items)))).code

        assert await refused(1, seq=2) == -32602
        assert await refused(1, seq=0) == -32602
        assert await refused(1, seq=-1) == -32602
        assert await refused(1, seq=2**53) == -32602
        assert await refused(1, seq="1") == -32602
        assert await refused(1, 2, 3, 4) == -32023
        assert await refused(*[0] * 1025) == -32602
        assert await refused(long, 2) == -32023
        assert await refused(1, long + "x") == -32016
        assert await refused(1, by=world.b) == -32014
        assert (await fails(world.a.ask("channel/send", channel=channel, seq=1, items={}))).code == -32602
        assert await world.a.ask("channel/send", channel=channel, seq=1, items=[]) is None
        assert await world.a.ask("channel/send", channel=channel, seq=1, items=[1, 2, 3]) is None
        # The channel is full by now; the answer does not wait.
        assert await world.a.ask("channel/send", channel=channel, seq=4, items=[long]) is None
        await world.b.consume(channel)
        assert world.b.told() == [deliver(1, 1, 2, 3), deliver(4, long)]

    run(main)


@pytest.mark.requirement("CHN-12")
def test_the_last_item_may_have_more_bytes_than_are_left() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=9, maxBytes=1024)
        await world.a.produce(channel)
        item = "x" * 598
        await world.a.ask("channel/send", channel=channel, seq=1, items=[item, item])
        assert world.a.told() == [("channel/credit", {"role": "producer", "items": 1, "bytes": 600})]
        await world.a.ask("channel/send", channel=channel, seq=3, items=[item])
        assert (await fails(world.a.ask("channel/send", channel=channel, seq=4, items=[1]))).code == -32023

    run(main)


@pytest.mark.requirement("CHN-13")
def test_an_item_has_to_fit_into_a_frame_too() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        assert (await world.a.produce(channel))["maxItemBytes"] == 3584
        error = await fails(world.a.ask("channel/send", channel=channel, seq=1, items=["x" * 3583]))
        assert (error.code, error.data) == (-32016, {"size": 3585, "limit": 3584})
        items = ["x" * 3582, *["y" * 1000] * 4]
        await world.a.ask("channel/send", channel=channel, seq=1, items=items)
        await world.b.consume(channel)
        # As many to a batch as fit.
        assert [len(params["items"]) for _, params in world.b.told()] == [1, 3, 1]

    run(main, frame_bytes=4096)


@pytest.mark.requirement("CHN-07", "CHN-19")
def test_those_who_wait_for_room_take_turns() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=2)
        for member in (world.a, world.b):
            await member.produce(channel)
        world.a.notify("channel/send", channel=channel, seq=1, items=["a1", "a2"])
        world.a.notify("channel/send", channel=channel, seq=3, items=["a3", "a4"])
        world.b.notify("channel/send", channel=channel, seq=1, items=["b1", "b2"])
        # Nothing of b has come in, so it has no credit back.
        assert world.b.told() == []
        await world.c.consume(channel, items=2)
        assert [params["items"] for _, params in world.b.told()] == [1]
        world.c.notify("channel/credit", channel=channel, role="consumer", **PLENTY)
        assert [params["items"] for _, params in world.c.told()] == [["a1", "a2"], ["a3", "b1"], ["a4", "b2"]]

    run(main)


@pytest.mark.requirement("CHN-17")
@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"seq": 2, "items": [1]}, -32602),
        ({"seq": 1, "items": [1, 2, 3]}, -32023),
        ({"seq": 1, "items": ["x" * 1023]}, -32016),
        ({"seq": 1, "items": 5}, -32602),
        ({"seq": None, "items": [1]}, -32602),
        ({"items": [1]}, -32602),
    ],
)
def test_a_wrong_notification_ends_the_membership_of_its_sender(params: dict[str, Any], code: int) -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=2, maxBytes=1024)
        for member in (world.a, world.b):
            await member.produce(channel)
        await world.c.consume(channel)
        world.a.notify("channel/send", channel=channel, **params)
        [(method, told)] = world.a.told()
        assert (method, told["role"], told["error"]["code"], told["taken"]) == ("channel/closed", "producer", code, 0)
        assert [plugin for plugin, _ in world.router.warnings] == ["a"]
        # The others go on, and it may come back.
        world.b.notify("channel/send", channel=channel, seq=1, items=["b"])
        await world.a.produce(channel)
        world.a.notify("channel/send", channel=channel, seq=1, items=["a"])
        assert world.c.told() == [deliver(1, "b"), deliver(2, "a")]

    run(main)


@pytest.mark.requirement("CHN-17", "CHN-34")
def test_the_last_producer_that_breaks_the_rules_leaves_nobody_waiting() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        await world.b.consume(channel)
        world.a.notify("channel/send", channel=channel, seq=7, items=[1])
        [(_, told)] = world.b.told()
        assert told["error"]["message"].startswith("the last producer is gone: it broke the rules: $.seq: expected 1")

    run(main)


@pytest.mark.requirement("CHN-17")
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("channel/send", {"seq": 1, "items": [1]}),
        ("channel/credit", {"role": "consumer", "items": 1, "bytes": 1}),
        ("channel/ack", {"seq": 0}),
    ],
)
def test_a_notification_of_somebody_who_is_no_member_has_no_effect(method: str, params: dict[str, Any]) -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(redeliver=True)
        await world.a.produce(channel)
        await world.b.consume(channel)
        for handle in (channel, UNKNOWN):
            with suppress(RequestError):  # which the router tells people
                world.c.notify(method, channel=handle, **params)
        world.a.notify("channel/send", channel=channel, seq=1, items=["still here"])
        assert world.b.told() == [deliver(1, "still here")]
        assert world.c.told() == []

    run(main)


@pytest.mark.requirement("CHN-18", "CHN-38")
def test_what_was_on_its_way_when_the_channel_was_closed_is_no_offence() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        await world.b.consume(channel, items=1)
        world.a.notify("channel/send", channel=channel, seq=1, items=[1, 2])
        await world.b.ask("channel/close", channel=channel, error={"message": "enough"})
        world.a.notify("channel/send", channel=channel, seq=3, items=[3])
        world.b.notify("channel/credit", channel=channel, role="consumer", **PLENTY)
        world.a.notify("channel/send", channel=channel, seq=4, items=[4])
        assert world.a.told() == [("channel/closed", {"role": "producer", "error": {"message": "enough"}, "taken": 2})]
        closed = ("channel/closed", {"role": "consumer", "error": {"message": "enough"}})
        assert world.b.told() == [deliver(1, 1), deliver(2, 2), closed]
        assert world.router.warnings == []

    run(main)


@pytest.mark.requirement("CHN-20")
def test_credit_comes_back_for_half_of_the_window_at_a_time() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=5)
        await world.a.produce(channel)
        await world.b.consume(channel)
        told = []
        for seq in range(1, 8):
            world.a.notify("channel/send", channel=channel, seq=seq, items=[0])
            told += [(seq, params["items"]) for _, params in world.a.told()]
        assert told == [(3, 3), (6, 3)]

    run(main)


@pytest.mark.requirement("CHN-20")
def test_a_full_channel_gives_no_credit_back_until_there_is_room() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=2)
        await world.a.produce(channel)
        world.a.notify("channel/send", channel=channel, seq=1, items=[1, 2])
        assert [params["items"] for _, params in world.a.told()] == [2]
        world.a.notify("channel/send", channel=channel, seq=3, items=[3, 4])
        assert world.a.told() == []
        await world.b.consume(channel, items=1)
        assert [params["items"] for _, params in world.a.told()] == [1]

    run(main)


# Receiving


@pytest.mark.requirement("CHN-23", "CHN-25")
def test_a_consumer_gets_what_it_has_given_credit_for() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        await world.b.ask("channel/join", channel=channel, role="consumer")
        world.a.notify("channel/send", channel=channel, seq=1, items=["one", "two", 3, 4, 5, 6])
        told = []
        for items, size in [(1, 0), (0, 1), (3, 5), (0, 5), (0, 9)]:
            world.b.notify("channel/credit", channel=channel, role="consumer", items=items, bytes=size)
            told.append([params["items"] for _, params in world.b.told()])
        # Of bytes: 1 - 5 = -4, + 5 = 1, - 5 = -4, + 5 = 1, - 1 = 0; of items there were 4.
        assert told == [[], [["one"]], [["two"]], [[3]], [[4]]]

    run(main)


@pytest.mark.requirement("CHN-25")
@pytest.mark.parametrize(
    "credit",
    [
        {"items": 2147483647, "bytes": 0},
        {"items": 0, "bytes": 2147483647},
        {"items": -1, "bytes": 0},
        {"items": 2**63, "bytes": 0},
        {"items": "1", "bytes": 0},
        {"items": 1},
    ],
)
def test_credit_that_cannot_be_ends_the_membership_and_others_get_the_items(credit: dict[str, Any]) -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(redeliver=True)
        await world.a.produce(channel)
        await world.b.consume(channel, items=2)
        world.a.notify("channel/send", channel=channel, seq=1, items=[1])
        world.b.told()
        world.b.notify("channel/credit", channel=channel, role="consumer", **credit)
        [(method, told)] = world.b.told()
        assert (method, told["role"], told["error"]["code"] in (-32602, -32023)) == ("channel/closed", "consumer", True)
        assert "taken" not in told
        await world.c.consume(channel)
        assert world.c.told() == [deliver(1, 1, redelivered=1)]

    run(main)


@pytest.mark.requirement("CHN-24")
def test_consumers_share_what_is_there_and_take_turns() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        for member in (world.b, world.c):
            await member.consume(channel)
        world.a.notify("channel/send", channel=channel, seq=1, items=[1, 2, 3, 4, 5])
        for seq in range(6, 10):
            world.a.notify("channel/send", channel=channel, seq=seq, items=[seq])
        assert world.b.told() == [deliver(1, 1, 2, 3), deliver(4, 6), deliver(5, 8)]
        assert world.c.told() == [deliver(1, 4, 5), deliver(3, 7), deliver(4, 9)]
        world.a.notify("channel/send", channel=channel, seq=10, items=[10])
        world.a.notify("channel/send", channel=channel, seq=11, items=[11, 12])
        assert world.b.told() == [deliver(6, 10), deliver(7, 12)]
        assert world.c.told() == [deliver(5, 11)]

    run(main)


def test_a_batch_has_no_more_items_than_the_protocol_allows() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=4000)
        await world.a.produce(channel)
        for seq in (1, 1025):
            await world.a.ask("channel/send", channel=channel, seq=seq, items=list(range(1024)))
        await world.b.consume(channel, items=4000)
        assert [len(params["items"]) for _, params in world.b.told()] == [1024, 1024]

    run(main)


@pytest.mark.requirement("CHN-26")
def test_who_does_not_read_gets_nothing_and_holds_nobody_up() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        for member in (world.b, world.c):
            await member.consume(channel)
        world.b.congested = True
        for seq in range(1, 5):
            world.a.notify("channel/send", channel=channel, seq=seq, items=[seq])
        assert world.b.told() == []
        assert [params["items"] for _, params in world.c.told()] == [[1], [2], [3], [4]]
        await world.a.ask("channel/close", channel=channel)
        assert world.b.told() == []
        world.b.read_again()
        assert world.b.told() == [("channel/closed", {"role": "consumer"})]

    run(main)


@pytest.mark.requirement("CHN-20", "CHN-38")
def test_credit_and_the_end_reach_a_producer_that_reads_late() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=1)
        await world.a.produce(channel)
        await world.b.consume(channel)
        world.a.congested = True
        world.a.notify("channel/send", channel=channel, seq=1, items=[1])
        assert world.a.told() == []
        world.a.read_again()
        assert [params["items"] for _, params in world.a.told()] == [1]
        world.a.congested = True
        await world.b.ask("channel/close", channel=channel)
        assert world.a.told() == []
        world.a.read_again()
        assert world.a.told() == [("channel/closed", {"role": "producer", "taken": 1})]

    run(main)


@pytest.mark.parametrize("role", ["producer", "consumer"])
def test_who_joins_again_before_it_could_be_told_of_the_end_is_not_told_of_it(role: str) -> None:
    async def main(world: World) -> None:
        channel = await world.c.open()
        await world.c.produce(channel)
        await world.a.ask("channel/join", channel=channel, role=role)
        world.a.congested = True
        wrong = {"seq": 7, "items": []} if role == "producer" else {"role": role, "items": -1, "bytes": 0}
        world.a.notify("channel/send" if role == "producer" else "channel/credit", channel=channel, **wrong)
        await world.a.ask("channel/join", channel=channel, role=role)
        world.a.read_again()
        assert world.a.told() == []
        await world.a.ask("channel/leave", channel=channel, role=role)

    run(main)


def test_what_a_consumer_does_not_take_goes_to_another() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        for member in (world.b, world.c):
            await member.consume(channel)
        world.b.ready = False  # it is being stopped
        world.a.notify("channel/send", channel=channel, seq=1, items=[1, 2, 3, 4])
        assert [item for _, params in world.c.told() for item in params["items"]] == [1, 2, 3, 4]

    run(main)


# Delivering again


@pytest.mark.requirement("CHN-27", "CHN-28", "CHN-32")
def test_what_was_not_acknowledged_goes_to_the_front_in_its_first_order() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(redeliver=True)
        await world.a.produce(channel)
        await world.b.consume(channel, items=3)
        world.a.notify("channel/send", channel=channel, seq=1, items=[1, 2, 3, 4, 5, 6])
        await world.c.consume(channel, items=2)
        assert world.b.told() == [deliver(1, 1, 2, 3)]
        assert world.c.told() == [deliver(1, 4, 5)]
        world.b.notify("channel/ack", channel=channel, seq=1)
        await world.c.ask("channel/leave", channel=channel, role="consumer")
        world.end(world.b)
        last = Member(world, "b")
        await last.consume(channel)
        assert last.told() == [deliver(1, 2, 3, 4, 5, 6, redelivered=4)]

    run(main)


@pytest.mark.requirement("CHN-29")
def test_an_acknowledgement_covers_those_before_and_makes_room() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=2, redeliver=True)
        await world.a.produce(channel)
        await world.b.consume(channel)
        world.a.notify("channel/send", channel=channel, seq=1, items=[1, 2])
        world.a.notify("channel/send", channel=channel, seq=3, items=[3, 4])
        assert world.b.told() == [deliver(1, 1, 2)]
        for seq in (2, 2, 1, 0):
            world.b.notify("channel/ack", channel=channel, seq=seq)
        assert [item for _, params in world.b.told() for item in params["items"]] == [3, 4]

    run(main)


@pytest.mark.requirement("CHN-29")
@pytest.mark.parametrize("seq", [2, 2**53 - 1, 2**53, -1, "1", None])
def test_what_was_not_delivered_cannot_be_acknowledged(seq: Any) -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(redeliver=True)
        await world.a.produce(channel)
        await world.b.consume(channel)
        world.a.notify("channel/send", channel=channel, seq=1, items=[1])
        world.b.told()
        world.b.notify("channel/ack", channel=channel, seq=seq)
        [(method, told)] = world.b.told()
        assert (method, told["error"]["code"]) == ("channel/closed", -32602)

    run(main)


@pytest.mark.requirement("CHN-30", "CHN-32")
def test_without_redelivery_an_acknowledgement_is_ignored_and_nothing_comes_back() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        await world.b.consume(channel, items=2)
        world.a.notify("channel/send", channel=channel, seq=1, items=[1, 2, 3])
        world.b.notify("channel/ack", channel=channel, seq=900)
        assert world.b.told() == [deliver(1, 1, 2)]
        world.end(world.b)
        await world.c.consume(channel)
        assert world.c.told() == [deliver(1, 3)]

    run(main)


# Leaving and closing


@pytest.mark.requirement("CHN-31", "CHN-34", "CHN-40")
def test_the_last_producer_that_ends_closes_the_channel_with_the_reason() -> None:
    async def main(world: World) -> None:
        channel = await world.c.open(capacity=1)
        for member in (world.a, world.b):
            await member.produce(channel)
        world.a.notify("channel/send", channel=channel, seq=1, items=["a"])
        world.b.notify("channel/send", channel=channel, seq=1, items=["b"])
        world.end(world.a)
        world.end(world.b, "signal SIGKILL")
        await world.c.consume(channel)
        error = {"message": "the last producer is gone: 'b' ended: signal SIGKILL"}
        assert world.c.told() == [
            deliver(1, "a"),
            deliver(2, "b"),
            ("channel/closed", {"role": "consumer", "error": error}),
        ]
        assert (await fails(world.a.produce(channel))).data == {"error": error}

    run(main)


@pytest.mark.requirement("CHN-33", "CHN-34")
def test_who_leaves_in_order_closes_nothing_and_gets_nothing_more() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        await world.b.consume(channel)
        for member, role in [
            (world.a, "producer"),
            (world.b, "consumer"),
            (world.b, "consumer"),
            (world.c, "producer"),
        ]:
            assert await member.ask("channel/leave", channel=channel, role=role) is None
        await world.c.produce(channel)
        world.c.notify("channel/send", channel=channel, seq=1, items=[1])
        assert world.b.told() == []
        await world.b.consume(channel)
        assert world.b.told() == [deliver(1, 1)]
        assert (await fails(world.b.ask("channel/leave", channel=channel, role="boss"))).code == -32602

    run(main)


@pytest.mark.requirement("CHN-35")
def test_a_channel_that_everybody_has_left_is_forgotten_and_its_items_are_told() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(name="jobs", capacity=1)
        await world.a.produce(channel)
        world.a.notify("channel/send", channel=channel, seq=1, items=[1])
        await world.b.produce(channel)
        world.b.notify("channel/send", channel=channel, seq=1, items=[2])
        world.end(world.a)
        await world.b.ask("channel/leave", channel=channel, role="producer")
        assert world.router.warnings == [
            ("host", "2 items were in the channel 'jobs' when everybody had left it; they are lost")
        ]
        assert (await fails(world.b.produce(channel))).code == -32602
        assert await world.b.open(name="jobs") != channel

    run(main)


@pytest.mark.requirement("CHN-35")
def test_a_channel_stays_as_long_as_an_opener_or_a_member_is_there() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        await world.a.ask("channel/send", channel=channel, seq=1, items=[1])
        await world.a.ask("channel/leave", channel=channel, role="producer")
        await world.b.consume(channel, items=0)
        world.end(world.a)
        world.b.notify("channel/credit", channel=channel, role="consumer", **PLENTY)
        assert world.b.told() == [deliver(1, 1)]

    run(main)


@pytest.mark.requirement("CHN-36")
def test_members_and_openers_close_a_channel_and_nobody_else() -> None:
    async def main(world: World) -> None:
        for closer in (world.a, world.b, world.c):
            channel = await world.a.open()
            await world.b.produce(channel)
            await world.c.consume(channel)
            stranger = Member(world, "d")
            assert (await fails(stranger.ask("channel/close", channel=channel))).code == -32014
            assert await closer.ask("channel/close", channel=channel) is None
            assert await closer.ask("channel/close", channel=channel) is None
            assert await stranger.ask("channel/close", channel=channel) is None

    run(main)


@pytest.mark.parametrize("error", [5, {}, {"message": 5}, {"message": "x" * 4097}, {"message": "x", "code": 2**31}])
def test_a_wrong_error_closes_nothing(error: Any) -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        assert (await fails(world.a.ask("channel/close", channel=channel, error=error))).code == -32602
        await world.a.produce(channel)

    run(main)


@pytest.mark.requirement("CHN-37", "CHN-38")
def test_a_closed_channel_takes_nothing_and_is_drained() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(capacity=1)
        for member in (world.a, world.b):
            await member.produce(channel)
            member.notify("channel/send", channel=channel, seq=1, items=[member.name])
        world.a.told()
        await world.a.ask("channel/close", channel=channel)
        assert world.a.told() == world.b.told() == [("channel/closed", {"role": "producer", "taken": 1})]
        assert (await fails(world.a.ask("channel/send", channel=channel, seq=2, items=[1]))).code == -32020
        await world.c.consume(channel)
        assert world.c.told() == [deliver(1, "a"), deliver(2, "b"), ("channel/closed", {"role": "consumer"})]

    run(main)


@pytest.mark.requirement("CHN-39")
def test_nobody_is_sent_home_as_long_as_something_may_come_back() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open(redeliver=True)
        await world.a.produce(channel)
        await world.b.consume(channel, items=1)
        await world.a.ask("channel/send", channel=channel, seq=1, items=[1])
        await world.a.ask("channel/close", channel=channel)
        await world.c.consume(channel)
        assert world.b.told() == [deliver(1, 1)]
        assert world.c.told() == []
        world.end(world.b)
        assert world.c.told() == [deliver(1, 1, redelivered=1)]
        world.c.notify("channel/ack", channel=channel, seq=1)
        assert world.c.told() == [("channel/closed", {"role": "consumer"})]

    run(main)


def test_items_keep_their_bytes() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        odd = b'[1E+2, 1.0 ,"\\u00e9\\/",123456789012345678901234567890]'
        params = b'{"channel":"%s","seq":1,"junk":"%s","items":[ %s ,2]}' % (channel.encode(), b"x" * 5000, odd)
        world.service.notifications["channel/send"](cast(Any, world.a), cast(Any, params))
        raws: list[Any] = []

        def keep(method: str, params: Any) -> bool:
            raws.extend(params["items"])
            return True

        world.b.send_notification = keep  # type: ignore[method-assign]
        await world.b.consume(channel)
        assert [bytes(raw) for raw in raws] == [odd, b"2"]

    run(main)


def test_a_small_item_does_not_keep_its_large_message_in_memory() -> None:
    async def main(world: World) -> None:
        channel = await world.a.open()
        await world.a.produce(channel)
        tracemalloc.start()
        for seq in range(1, 51):
            params = b'{"channel":"%s","seq":%d,"items":[1],"junk":"%s"}' % (channel.encode(), seq, b"x" * 1000000)
            world.service.notifications["channel/send"](cast(Any, world.a), cast(Any, params))
        del params
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size < 5000000

    run(main)


# The host's own ends


def test_the_host_sends_through_a_channel_of_its_own_under_credit() -> None:
    async def main(world: World) -> None:
        closed: list[str | None] = []
        writable: list[bool] = []
        end = world.service.open_for_host(closed.append, capacity=2)
        end.start_sending(lambda: writable.append(True))
        assert end.reference == {"$channel": end.handle}
        sent = 0
        while end.send_nowait(encode_value(sent)):
            sent += 1
        assert sent == 2
        await asyncio.sleep(0)
        assert any(writable)
        while end.send_nowait(encode_value(sent)):
            sent += 1
        assert sent == 4
        end.close()
        assert not end.send_nowait(encode_value(5))
        await world.b.consume(end.handle)
        assert [item for _, params in world.b.told() for item in params.get("items", ["end"])] == [0, 1, 2, 3, "end"]
        assert closed == []

    run(main)


def test_the_host_receives_and_is_told_when_the_producer_ends() -> None:
    async def main(world: World) -> None:
        closed: list[str | None] = []
        got: list[bytes] = []
        end = world.service.open_for_host(closed.append, capacity=2)
        end.start_receiving(lambda raw: got.append(bytes(raw)), items=2)
        await world.a.produce(end.handle)
        for seq in range(1, 9):
            world.a.notify("channel/send", channel=end.handle, seq=seq, items=[seq])
            await asyncio.sleep(0)
        world.end(world.a)
        for _ in range(4):
            await asyncio.sleep(0)
        assert got == [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"]
        assert closed == ["the last producer is gone: 'a' ended: exit code 3"]

    run(main)


def test_what_the_host_abandons_is_gone_and_counts_no_more() -> None:
    async def main(world: World) -> None:
        for _ in range(1100):
            end = world.service.open_for_host(lambda reason: None)
            end.start_sending(lambda: None)
            end.send_nowait(encode_value("x"))
            end.abandon("the plugin has ended")
        error = await fails(world.b.ask("channel/join", channel=end.handle, role="consumer"))
        assert str(error) == "ChannelClosed (-32020): the channel is closed: the plugin has ended"

    run(main)


# The written example


@pytest.mark.requirement("CHN-04", "CHN-20", "CHN-27", "CHN-28", "CHN-39")
def test_the_conversation_in_the_spec_is_what_a_host_says() -> None:
    transcript = load("channels")
    messages = [(step.what, json.loads(step.what.body)) for step in transcript.steps if isinstance(step.what, Message)]
    methods = {
        (said.sender, told["id"]): told["method"] for said, told in messages if "method" in told and "id" in told
    }
    handle = next(told["result"]["channel"] for _, told in messages if "channel" in (told.get("result") or {}))

    def expected() -> list[tuple[str, Any]]:
        """What the host says of channels in the transcript."""
        return [
            (said.receiver, told["params"] if "method" in told else told["result"])
            for said, told in messages
            if said.sender == "host"
            and told.get("method", methods.get((said.receiver, told.get("id")), "")).startswith("channel/")
        ]

    async def main(world: World) -> None:
        said: list[tuple[str, Any]] = []
        members = {name: Member(world, name) for name in "abc"}

        def hear() -> None:
            for name, member in members.items():
                said.extend((name, {"channel": handle, **params}) for _, params in member.told())

        for step in transcript.steps:
            if isinstance(step.what, Exit):
                world.end(members[step.plugin], step.what.status)
            elif isinstance(step.what, Message) and step.what.sender != "host":
                told = json.loads(step.what.body)
                member = members[step.what.sender]
                if told.get("method", "").startswith("channel/") and "id" in told:
                    said.append((member.name, await member.ask(told["method"], **told["params"])))
                elif told.get("method", "").startswith("channel/"):
                    member.notify(told["method"], **told["params"])
            hear()
        assert said == expected()
        assert len(said) == 12

    run(main, handles=lambda: handle)
