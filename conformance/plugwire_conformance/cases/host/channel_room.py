"""Channels (chapter 08): how much comes into a channel, and the credit that comes back."""

from ...case import Broken, expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from .channel_members import PLENTY, Consumer, Producer, open_channel

#: An item is at most so many bytes in the channels of these cases; its text is two bytes shorter than its JSON.
_LARGEST = 1024
#: In so many turns, two producers send less than the credit that they begin with.
_FIRST_TURNS = 10


@host_case(
    "channels/capacity",
    "CHN-07",
    why="A channel that holds more than was asked for lets a slow consumer fill the host's memory.",
    mend="Let items in only while capacity and maxBytes have room; "
    "keep the rest with its producer, and let the producers take turns.",
    declares=("channels",),
)
def capacity(host: HostSubject) -> None:
    """No more comes into a channel than it holds; the rest waits and comes in when there is room.

    A producer sends as much as it gets credit for, and nobody reads: the credit shows what came in. Then a consumer
    reads, and all that was sent arrives. With redelivery an item counts until it is acknowledged.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        with host.checks("items"):
            channel = open_channel(a, capacity=4)
            producer = Producer(a, channel)
            _send_all(producer, 8)
            a.expect_alive()
            producer.hear_credit()
            _refuse_credit_above(4, producer.given_items)
            Consumer(b, channel).expect_count(producer.sent_items, rule="CHN-07")
        with host.checks("bytes"):
            channel = open_channel(a, maxBytes=_LARGEST)
            producer = Producer(a, channel)
            items = ["x" * 298 for _ in range(4)]
            producer.send(*items)
            a.expect_alive()
            producer.hear_credit()
            _refuse_credit_above(_LARGEST, producer.given_bytes)
            Consumer(b, channel).expect_items(*items, rule="CHN-07")
        with host.checks("unacknowledged"):
            channel = open_channel(a, capacity=2, redeliver=True)
            producer, consumer = Producer(a, channel), Consumer(b, channel)
            producer.send(1, 2)
            producer.stream(3)
            consumer.expect_items(1, 2)
            consumer.refuse_more("CHN-07")
            consumer.acknowledge(1)
            consumer.expect_items(1, 2, 3, rule="CHN-07")


@host_case(
    "channels/turns-of-producers",
    "CHN-07",
    why="A producer that always has something waiting would keep every other one out.",
    mend="Let the producers whose items wait take turns, whoever has more.",
    declares=("channels",),
)
def turns_of_producers(host: HostSubject) -> None:
    """The producers whose items wait take turns.

    `a` fills a channel of 8 items and always has more waiting; then `b` sends one item. Expected: it comes to the
    consumer before `a` has had two turns of all that it may have waiting.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"], capacity=8)
        busy, patient = Producer(run["a"], channel), Producer(run["b"], channel)
        _send_all(busy, 32)
        patient.send("the other one")
        consumer = Consumer(run["c"], channel, 0, PLENTY)
        for count in range(1, 33):
            consumer.give(1)
            if consumer.expect_count(count, rule="CHN-24")[-1] == "the other one":
                return
            busy.talk.expect_alive()
            _send_all(busy, 4)
        raise Broken(
            "a producer waits while another is let in again and again", expected="its item", got="32 of the other's"
        )


@host_case(
    "channels/order-of-a-producer",
    "CHN-19",
    why="Parts of a file, or steps of a job, that change their order on the way are worth nothing.",
    mend="Keep what waits of each producer in one queue, whether it came as a request or as a notification.",
    declares=("channels",),
)
def order_of_a_producer(host: HostSubject) -> None:
    """What one producer sends comes in the order in which it was sent.

    Two producers send 120 items each, one by one and in batches, as requests and notifications, through a channel of
    16 items; nobody reads before their credit is used up. Expected: a consumer gets those of each in their order.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"], capacity=16)
        producers = [Producer(run["a"], channel), Producer(run["b"], channel)]
        consumer = Consumer(run["c"], channel, 0, PLENTY)
        sent = [0, 0]
        for turn in range(240):
            which = turn % 2
            producer = producers[which]
            if turn == _FIRST_TURNS:
                consumer.give(PLENTY)
            if sent[which] == 120:
                continue
            producer.expect_room()
            count = min(1 + turn % 5, 120 - sent[which], producer.credit_items)
            items = [{"from": which, "number": sent[which] + n} for n in range(1, count + 1)]
            sent[which] += count
            (producer.push if turn % 3 else producer.send)(*items)
        got = consumer.expect_count(240, rule="CHN-24")
        for which in (0, 1):
            numbers = [item["number"] for item in got if item["from"] == which]
            expect_equal(
                numbers,
                list(range(1, 121)),
                f"the order of what {producers[which].talk.name} sent is another",
                "CHN-19",
            )


@host_case(
    "channels/credit-comes-back",
    "CHN-20",
    why="A producer that gets too little credit back stops for ever; one that gets too much overruns the channel.",
    mend="Give credit for what comes in, items and bytes, and keep back no more than half of what a new producer gets.",
    declares=("channels",),
)
def credit_comes_back(host: HostSubject) -> None:
    """A producer gets credit for what comes into the channel.

    Through a channel of 10 items and 1024 bytes, from which a consumer takes everything, go 47 items of 3 bytes and
    47 of 100 bytes. Expected: all arrive; in the end the credit is no more than in the beginning, and at most half of
    it is kept back.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        for name, size in (("items", 3), ("bytes", 100)):
            with host.checks(name):
                channel = open_channel(run["a"], capacity=10, maxBytes=_LARGEST)
                producer, consumer = Producer(run["a"], channel), Consumer(run["b"], channel)
                producer.stream(*["x" * (size - 2)] * 47)
                consumer.expect_count(47)
                producer.expect_room(5, _LARGEST // 2)
                producer.talk.expect_alive()
                producer.hear_credit()
                _refuse_credit_above(10, producer.credit_items, rule="CHN-20")
                _refuse_credit_above(_LARGEST, producer.credit_bytes, rule="CHN-20")


def _send_all(producer: Producer, most: int) -> None:
    """Sends numbers one by one as long as there is credit, and at most so many."""
    for _ in range(most):
        if producer.credit_items < 1:
            # What it was given for the items before comes before this answer, or soon.
            producer.talk.expect_alive()
            producer.hear_credit()
        if producer.credit_items < 1:
            return
        producer.send(producer.seq)


def _refuse_credit_above(most: int, got: int, rule: str = "CHN-07") -> None:
    if got > most:
        raise Broken(
            "a producer got credit for more than came in", expected=f"at most {most}", got=str(got), requirement=rule
        )
