"""Channels (chapter 08): closing a channel, and who is told."""

from ...case import expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import CHANNEL_CLOSED, PERMISSION_DENIED
from ...wire.messages import Json, Message
from .channel_members import Consumer, Producer, close_channel, expect_error, open_channel, refuse_closed, refuse_error
from .told import expect_null

_ERROR: dict[str, Json] = {"message": "the disk is full", "code": 17}


@host_case(
    "channels/who-closes",
    "CHN-36",
    why="Anybody who has seen a handle could end the work of others; "
    "and two members that close at once would get an error.",
    mend="Take channel/close from openers and members only; "
    "answer null, and change nothing, when it is closed already.",
    declares=("channels",),
)
def who_closes(host: HostSubject) -> None:
    """Openers and members close a channel, others get PermissionDenied, and a second time has no effect.

    A stranger is refused; an opener that is no member, a producer and a consumer close a channel each. One that has
    an item is closed in order and then with an error: null, and the consumer gets the item and no error.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        with host.checks("stranger"):
            channel = open_channel(a)
            b.expect_error(b.request("channel/close", {"channel": channel}), PERMISSION_DENIED, rule="CHN-36")
            Producer(a, channel, rule="CHN-36")
        with host.checks("opener"):
            expect_null(a, a.request("channel/close", {"channel": open_channel(a)}), "CHN-36")
        for role in (Producer, Consumer):
            with host.checks(role.role):
                channel = open_channel(a)
                role(b, channel)
                expect_null(b, b.request("channel/close", {"channel": channel}), "CHN-36")
        with host.checks("twice"):
            channel = open_channel(a)
            Producer(a, channel).send("last")
            close_channel(a, channel)
            expect_null(a, a.request("channel/close", {"channel": channel, "error": _ERROR}), "CHN-36")
            consumer = Consumer(a, channel)
            consumer.expect_items("last")
            refuse_error(consumer.expect_closed(), "CHN-36")


@host_case(
    "channels/close-drains",
    "CHN-37",
    why="Closing is how a producer says that it is done. What it has sent shall arrive all the same.",
    mend="Take nothing after the close, and deliver all that was taken before, also what waits to come in.",
    declares=("channels",),
)
def close_drains(host: HostSubject) -> None:
    """A closed channel takes nothing more, and delivers what was sent before.

    Three items are sent into a channel of two, so that one waits; it is closed, and a fourth is refused. Expected: a
    consumer that takes one at a time gets the three.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        channel = open_channel(a, capacity=2)
        producer = Producer(a, channel)
        producer.stream(1, 2, 3)
        close_channel(a, channel)
        a.expect_error(producer.request("after"), CHANNEL_CLOSED, rule="CHN-37")
        consumer = Consumer(b, channel, 0)
        for count in (1, 2, 3):
            consumer.give(1)
            consumer.expect_items(*range(1, count + 1), rule="CHN-37")
        consumer.expect_closed()
        consumer.refuse_more("CHN-37")


@host_case(
    "channels/closed-to-producers",
    "CHN-38",
    why="A producer that is not told goes on; and it has to know which of its items it may send elsewhere.",
    mend="Send each producer channel/closed at once, with the error of the close and the count of its items "
    "that were taken.",
    declares=("channels",),
)
def closed_to_producers(host: HostSubject) -> None:
    """When a channel is closed, each producer is told, with the error and how many of its items were taken.

    `a` has sent three items, one of which waits, and `b` none when the consumer closes the channel: in order, and
    another one with an error. Nothing is read meanwhile. Expected: both are told, with 3 and with 0.
    """
    for name, error in (("in-order", None), ("error", _ERROR)):
        with host.checks(name), host.start(plugin("a"), plugin("b"), plugin("c")) as run:
            channel = open_channel(run["a"], capacity=2)
            producers = [Producer(run["a"], channel), Producer(run["b"], channel)]
            producers[0].stream(1, 2, 3)
            Consumer(run["c"], channel, 0)
            close_channel(run["c"], channel, error)
            for producer, taken in zip(producers, (3, 0), strict=True):
                told = producer.expect_closed("CHN-38")
                expect_equal(told.get("taken"), taken, "the number of items that were taken is another", "CHN-38")
                _expect_or_refuse_error(told, error, "CHN-38")


@host_case(
    "channels/closed-to-consumers",
    "CHN-39",
    why="channel/closed is how a consumer knows that it has everything. Too early it misses items; "
    "never, and it waits for ever.",
    mend="Send it when nothing waits, and nothing that was delivered can come back; with the error of the close.",
    declares=("channels",),
)
def closed_to_consumers(host: HostSubject) -> None:
    """When a closed channel is drained, each consumer is told, with the error, and not before.

    A channel with two items is closed with an error: the consumer gets one, and is not told before it has the other.
    With redelivery it is not told before the last is acknowledged. A channel with nothing in it is closed: both
    consumers are told, without an error.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        for name, redeliver in (("drained", False), ("acknowledged", True)):
            with host.checks(name):
                channel = open_channel(a, redeliver=redeliver)
                Producer(a, channel).send(1, 2)
                consumer = Consumer(b, channel, 1)
                close_channel(a, channel, _ERROR)
                consumer.expect_items(1)
                refuse_closed(b, channel, "consumer", "CHN-39")
                consumer.give(1)
                consumer.expect_items(1, 2)
                if redeliver:
                    consumer.acknowledge(1)
                    refuse_closed(b, channel, "consumer", "CHN-39")
                    consumer.acknowledge(2)
                _expect_or_refuse_error(consumer.expect_closed("CHN-39"), _ERROR, "CHN-39")
        with host.checks("empty"):
            channel = open_channel(a)
            consumers = [Consumer(a, channel), Consumer(b, channel, 0)]
            close_channel(a, channel)
            for consumer in consumers:
                refuse_error(consumer.expect_closed("CHN-39"), "CHN-39")


@host_case(
    "channels/closed-error",
    "CHN-40",
    why="Who comes late has to know whether the work was done, or broken off and why.",
    mend="Put the error of the close into data.error of ChannelClosed, and keep it as long as you remember "
    "the channel.",
    declares=("channels",),
)
def closed_error(host: HostSubject) -> None:
    """ChannelClosed says with which error the channel was closed.

    A channel with an item is closed with an error: a producer that joins and one that sends get ChannelClosed with
    it, and so does a consumer that joins when it is drained. When it was closed in order there is none.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        for name, error in (("error", _ERROR), ("in-order", None)):
            a, b = run["a"], run["b"]
            channel = open_channel(a)
            producer = Producer(a, channel)
            producer.send(1)
            close_channel(a, channel, error)
            with host.checks(f"send-{name}"):
                _expect_data(a.expect_error(producer.request(2), CHANNEL_CLOSED, rule="CHN-40"), error)
            with host.checks(f"join-{name}"):
                _expect_closed_answer(b, channel, error)
            Consumer(b, channel).expect_closed()
            with host.checks(f"drained-{name}"):
                _expect_closed_answer(b, channel, error)


def _expect_closed_answer(talk: ProbeTalk, channel: str, error: Json) -> None:
    """Who joins as a producer gets ChannelClosed with that error, or with none."""
    id = talk.request("channel/join", {"channel": channel, "role": "producer"})
    _expect_data(talk.expect_error(id, CHANNEL_CLOSED, rule="CHN-40"), error)


def _expect_data(answer: Message, error: Json) -> None:
    data = answer.member("error").get("data") or {}
    expect_equal(data.get("error"), error, "data.error of ChannelClosed is another", "CHN-40")


def _expect_or_refuse_error(told: dict[str, Json], error: Json, rule: str) -> None:
    if error is None:
        refuse_error(told, rule)
    else:
        expect_error(told, rule, error)
