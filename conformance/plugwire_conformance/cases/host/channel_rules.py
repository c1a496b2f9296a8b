"""Channels (chapter 08): notifications that break a rule, come too late, or are of somebody who is no member."""

from collections.abc import Callable

from ...case import expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import PERMISSION_DENIED
from .channel_members import Consumer, Producer, close_channel, expect_error, open_channel, refuse_closed, refuse_error
from .told import People

_LARGEST = 1024
_MOST_CREDIT = 2147483647
#: How a producer of a channel of 2 items and 1024 bytes, of which it has sent one, breaks the rules.
_BY_PRODUCER: dict[str, Callable[[Producer], None]] = {
    "seq": lambda producer: producer.break_in("x", seq=producer.seq + 1),
    "items": lambda producer: producer.break_in(1, 2, 3, 4),
    "bytes": lambda producer: producer.break_in("x" * _LARGEST, 1),
    "too-large": lambda producer: producer.break_in("x" * (_LARGEST - 1)),
}
#: The same for a consumer that has got one item of a channel with redelivery.
_BY_CONSUMER: dict[str, Callable[[Consumer], None]] = {
    "ack": lambda consumer: consumer.acknowledge(2),
    "credit-items": lambda consumer: consumer.give(_MOST_CREDIT, 0),
    "credit-bytes": lambda consumer: consumer.give(0, _MOST_CREDIT),
}


@host_case(
    "channels/broken-rules",
    "CHN-17",
    why="A notification is not answered. A plugin that goes on in the belief that all is well loses "
    "everything it sends.",
    mend="End the membership, send channel/closed with the error, and write a line that names the plugin.",
    declares=("channels",),
)
def broken_rules(host: HostSubject) -> None:
    """Who breaks a rule with a notification is a member no longer, and is told so; people are told, too.

    A producer sends, each time in a new channel: a number that does not follow on, more items or bytes than its
    credit, an item that is too large. A consumer acknowledges what it was not given, and gives credit beyond
    2147483647. Expected: channel/closed with an error for that role, and a line that names the plugin.
    What a producer sends after that is answered with PermissionDenied.
    """
    with host.start(plugin("a"), plugin("culprit")) as run:
        a, culprit = run["a"], run["culprit"]
        for name, act in _BY_PRODUCER.items():
            with host.checks(name):
                channel = open_channel(a, capacity=2, maxBytes=_LARGEST)
                Producer(a, channel)  # so that the channel has another one
                producer, people = Producer(culprit, channel), People(run, "culprit")
                producer.send(1)
                act(producer)
                told = producer.expect_closed("CHN-17")
                expect_error(told, "CHN-17")
                people.expect_more("CHN-17")
                culprit.expect_error(producer.request("later"), PERMISSION_DENIED, rule="CHN-17")
                Consumer(a, channel).expect_items(1, rule="CHN-17")
        for name, break_rule in _BY_CONSUMER.items():
            with host.checks(name):
                channel = open_channel(a, redeliver=True)
                consumer, people = Consumer(culprit, channel, 2, 1000), People(run, "culprit")
                producer = Producer(a, channel)
                producer.send(1)
                consumer.expect_items(1)
                break_rule(consumer)
                expect_error(consumer.expect_closed("CHN-17"), "CHN-17")
                people.expect_more("CHN-17")
                producer.send(2)
                Consumer(a, channel).expect_items(1, 2, rule="CHN-17")


@host_case(
    "channels/strangers",
    "CHN-17",
    why="Whoever knows a handle could steal credit and acknowledge what others have not done.",
    mend="Drop the notifications of who is no member in that role.",
    declares=("channels",),
)
def strangers(host: HostSubject) -> None:
    """A notification of somebody who is no member has no effect.

    `c`, which is no member, sends an item, credit and an acknowledgement, and right ones as well as wrong ones. `b`,
    a consumer, sends an item, and `a`, a producer, gives credit. Expected: nothing changes, and nobody is told.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        a, b, c = run["a"], run["b"], run["c"]
        channel = open_channel(a, redeliver=True)
        producer, consumer = Producer(a, channel), Consumer(b, channel, 2)
        producer.send(1)
        consumer.expect_items(1)
        for talk in (b, c):
            talk.notify("channel/send", {"channel": channel, "seq": 1, "items": ["stolen"]})
        for talk in (a, c):
            for seq in (1, 99):
                talk.notify("channel/ack", {"channel": channel, "seq": seq})
            talk.notify("channel/credit", {"channel": channel, "role": "consumer", "items": 5, "bytes": 5})
        for talk, roles in (
            (a, ("consumer", "producer")),
            (b, ("producer", "consumer")),
            (c, ("producer", "consumer")),
        ):
            for role in roles:
                refuse_closed(talk, channel, role, "CHN-17")
        producer.send(2, 3)
        consumer.expect_items(1, 2, rule="CHN-17")
        consumer.refuse_more("CHN-17")
        b.ask_result("channel/leave", {"channel": channel, "role": "consumer"})
        Consumer(c, channel).expect_items(1, 2, 3, rule="CHN-17")


@host_case(
    "channels/too-late",
    "CHN-18",
    why="A producer cannot know that the channel was closed while its items were on their way.",
    mend="Drop what comes after the close without a word; it breaks no rule.",
    declares=("channels",),
)
def too_late(host: HostSubject) -> None:
    """Items of a notification that comes after the close are not taken, and break no rule.

    An item is in a channel when it is closed; then its producer sends another one as a notification. Expected: the
    producer is told once, without an error, that one item was taken; the consumer gets that one, and the end.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        channel = open_channel(b)
        producer = Producer(a, channel)
        producer.send("in time")
        close_channel(b, channel)
        told = producer.expect_closed()
        producer.push("too late")
        refuse_closed(a, channel, "producer", "CHN-18")
        refuse_error(told, "CHN-18")
        expect_equal(told.get("taken"), 1, "the number of items that were taken is another", "CHN-18")
        consumer = Consumer(b, channel)
        consumer.expect_items("in time", rule="CHN-18")
        refuse_error(consumer.expect_closed(), "CHN-18")
        consumer.refuse_more("CHN-18")
