"""Channels (chapter 08): what is delivered again, and what is acknowledged."""

from ...case import expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from .channel_members import Consumer, Producer, leave, mortal, open_channel, watch_end


@host_case(
    "channels/redelivery",
    "CHN-27",
    why="A job that a worker had not finished when it went down is never done, or done after those that came later.",
    mend="When a consumer leaves or ends, put what it has not acknowledged back to the front, in the order of "
    "coming in.",
    declares=("channels",),
)
def redelivery(host: HostSubject) -> None:
    """What a consumer has not acknowledged when it leaves or ends comes to others, first and in order.

    Of six items a consumer gets four and acknowledges two; then it leaves, or its process is killed. Another one gets
    the third to the sixth. When two consumers have three items each and leave, the third gets all in their order.
    """
    for name in ("leaves", "ends"):
        with host.checks(name), host.start(plugin("a"), mortal("b"), plugin("c")) as run:
            channel = open_channel(run["a"], redeliver=True)
            Producer(run["a"], channel).send(1, 2, 3, 4, 5, 6)
            consumer = Consumer(run["b"], channel, 4)
            consumer.expect_items(1, 2, 3, 4)
            consumer.acknowledge(2)
            end = watch_end(run["c"], run["b"])
            _go(consumer, name)
            if name == "ends":
                end.expect_closed("CHN-34")
            Consumer(run["c"], channel).expect_items(3, 4, 5, 6, rule="CHN-27")
    with host.checks("two"), host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"], redeliver=True)
        producer = Producer(run["a"], channel)
        consumers = []
        for start, name in ((1, "b"), (4, "c")):
            consumers.append(Consumer(run[name], channel, 3))
            producer.send(start, start + 1, start + 2)
            consumers[-1].expect_items(start, start + 1, start + 2, rule="CHN-24")
        _go(consumers[1], "leaves")
        _go(consumers[0], "leaves")
        Consumer(run["a"], channel).expect_items(1, 2, 3, 4, 5, 6, rule="CHN-27")


@host_case(
    "channels/redelivered",
    "CHN-28",
    why="A consumer that is not told does a job twice that may be done only once.",
    mend="Say with redelivered how many items at the beginning of the batch somebody had before.",
    declares=("channels",),
)
def redelivered(host: HostSubject) -> None:
    """A batch says how many of its items were delivered before.

    Of four items a consumer takes two, acknowledges none and leaves. Expected: the next consumer gets all four, the
    first two marked; and nothing is marked that comes for the first time.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"], redeliver=True)
        producer, first = Producer(run["a"], channel), Consumer(run["b"], channel, 2)
        producer.send(1, 2, 3, 4)
        first.expect_items(1, 2)
        expect_equal(first.again, [False, False], "what is marked as delivered before is another", "CHN-28")
        _go(first, "leaves")
        second = Consumer(run["c"], channel)
        second.expect_items(1, 2, 3, 4, rule="CHN-27")
        expect_equal(
            second.again, [True, True, False, False], "what is marked as delivered before is another", "CHN-28"
        )


@host_case(
    "channels/acknowledged",
    "CHN-29",
    "CHN-27",
    why="A consumer that acknowledges twice, as after a retry, would lose its place in the channel or an item.",
    mend="Let an acknowledgement cover all items up to its number, and take no notice of one that is not "
    "above the last.",
    declares=("channels",),
)
def acknowledged(host: HostSubject) -> None:
    """An acknowledgement covers all items before it, and a second one has no effect.

    Of four items a consumer acknowledges the third, then the first, the third again and 0. Expected: it stays a
    member; when it leaves, the next consumer gets the fourth alone.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"], redeliver=True)
        producer, first = Producer(run["a"], channel), Consumer(run["b"], channel, 5)
        producer.send(1, 2, 3, 4)
        first.expect_items(1, 2, 3, 4)
        for seq in (3, 1, 3, 0):
            first.acknowledge(seq)
        run["b"].expect_alive()
        producer.send(5)
        first.expect_items(1, 2, 3, 4, 5, rule="CHN-29")
        _go(first, "leaves")
        Consumer(run["c"], channel).expect_items(4, 5, rule="CHN-29")


@host_case(
    "channels/ack-ignored",
    "CHN-30",
    why="A consumer that acknowledges always, which is the simplest, would lose its membership.",
    mend="Take no notice of channel/ack in a channel without redeliver, whatever its seq.",
    declares=("channels",),
)
def ack_ignored(host: HostSubject) -> None:
    """In a channel without redelivery, channel/ack has no effect.

    A consumer gets an item and acknowledges 1, 1 again, and 99, which was never delivered. Expected: it stays a
    member and gets the next items.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        channel = open_channel(run["a"])
        producer, consumer = Producer(run["a"], channel), Consumer(run["b"], channel)
        producer.send(1)
        consumer.expect_items(1)
        for seq in (1, 1, 99):
            consumer.acknowledge(seq)
        run["b"].expect_alive()
        producer.send(2, 3)
        consumer.expect_items(1, 2, 3, rule="CHN-30")


def _go(consumer: Consumer, how: str) -> None:
    """The consumer leaves, or its process ends."""
    consumer.talk.expect_alive()
    if how == "leaves":
        leave(consumer.talk, consumer.channel, "consumer")
    else:
        consumer.talk.die()
