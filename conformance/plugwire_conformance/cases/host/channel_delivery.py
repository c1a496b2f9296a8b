"""Channels (chapter 08): who gets which items, in which order, and under which credit."""

from ...case import Broken, expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.messages import Json
from .channel_members import Consumer, Producer, gather, leave, open_channel

#: JSON of every kind; none may change on its way.
_ANY_JSON: tuple[Json, ...] = (
    None, False, 0, -1, 9007199254740991, 1.5, "", "é\U0001f600\u0000\n", [], {}, [[None]], {"a": {"b": [1, "2"]}},
    {"$channel": "ch_0000000000000000000000"}, "last",
)  # fmt: skip
_LARGE_ITEMS, _LARGE = 400, 32768


@host_case(
    "channels/one-each",
    "CHN-21",
    why="A job that two workers get is done twice; one that none gets is never done.",
    mend="Take an item out of the queue when you choose its consumer, and give it to that one alone.",
    declares=("channels",),
)
def one_each(host: HostSubject) -> None:
    """Each item comes to one consumer only.

    300 items are sent while three consumers take what they get. Expected: together they got each item once.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c"), plugin("d")) as run:
        channel = open_channel(run["a"])
        producer = Producer(run["a"], channel)
        consumers = [Consumer(run[name], channel) for name in "bcd"]
        producer.stream(*range(300), rule="CHN-14")
        gather(consumers, 300)
        for name in "bcd":
            run[name].expect_alive()
        got = gather(consumers, 300)
        expect_equal(sorted(got), list(range(300)), "what the consumers got together is another", "CHN-21")


@host_case(
    "channels/order",
    "CHN-22",
    why="A consumer relies on the first thing that was sent being the first that it gets, and counts by the numbers.",
    mend="Deliver from the front of one queue, count up seq by the items of each batch, and never read what "
    "an item is.",
    declares=("channels",),
)
def order(host: HostSubject) -> None:
    """Items come in the order in which they came into the channel, as they were sent, and with numbers that follow on.

    Sent: JSON of every kind, in several batches; then numbers to two consumers. Expected: the same items in the same
    order, seq from 1 on for each consumer; each of two consumers gets its share in rising order.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"])
        producer, first = Producer(run["a"], channel), Consumer(run["b"], channel)
        with host.checks("items"):
            for start in range(0, len(_ANY_JSON), 3):
                producer.send(*_ANY_JSON[start : start + 3])
            first.expect_items(*_ANY_JSON, rule="CHN-22")
        with host.checks("numbers"):
            expected = [1 + sum(first.sizes[:place]) for place in range(len(first.sizes))]
            expect_equal(first.numbers, expected, "the numbers of the batches are others", "CHN-22")
        with host.checks("two"):
            first.items.clear()
            second = Consumer(run["c"], channel)
            producer.stream(*range(100))
            gather([first, second], 100)
            for consumer in (first, second):
                expect_equal(
                    consumer.items, sorted(consumer.items), f"what {consumer.talk.name} got is another", "CHN-22"
                )


@host_case(
    "channels/credit-kept",
    "CHN-23",
    "CHN-24",
    why="A consumer gives credit for what it has room for. What comes beyond that it has to drop, or to die of.",
    mend="Count the credit down by items and bytes, and stop at 0 items or at 0 bytes or less.",
    declares=("channels",),
)
def credit_kept(host: HostSubject) -> None:
    """A consumer gets as much as its credit allows, and no more.

    Five items are there. A consumer gives credit for 2 items, then for 1 more. Another channel has items of 60 bytes:
    with 100 bytes a consumer gets two, which makes its credit -20; with 20 more none; with 1 more the third.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        with host.checks("items"):
            channel = open_channel(a)
            Producer(a, channel).send(1, 2, 3, 4, 5)
            consumer = Consumer(b, channel, 2)
            consumer.expect_items(1, 2, rule="CHN-23")
            consumer.refuse_more("CHN-23")
            consumer.give(1)
            consumer.expect_items(1, 2, 3, rule="CHN-23")
            consumer.refuse_more("CHN-23")
        items = [str(n) * 58 for n in range(4)]
        with host.checks("bytes"):
            channel = open_channel(a)
            Producer(a, channel).send(*items)
            consumer = Consumer(b, channel, 100, 100)
            consumer.expect_items(*items[:2], rule="CHN-23")
            consumer.refuse_more("CHN-23")
            consumer.give(0, 20)
            consumer.refuse_more("CHN-23")
            consumer.give(0, 1)
            consumer.expect_items(*items[:3], rule="CHN-23")
            consumer.refuse_more("CHN-23")
        with host.checks("none"):
            channel = open_channel(a)
            Producer(a, channel).send(*items)
            consumer = Consumer(b, channel, 5, 0)
            consumer.refuse_more("CHN-23")
            consumer.give(0, 1)
            consumer.expect_items(items[0], rule="CHN-23")


@host_case(
    "channels/goes-on",
    "CHN-24",
    why="A channel that stops although somebody has credit is a job that hangs, and nobody says why.",
    mend="Look for something to deliver whenever an item comes in, credit is given, or a consumer joins, "
    "leaves or reads again.",
    declares=("channels",),
)
def goes_on(host: HostSubject) -> None:
    """As long as there are items and a consumer with credit, the host goes on to deliver.

    Credit comes before the items and after them, little by little, and while another consumer with nothing left has
    its turn. Expected: every item comes.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        a, b, c = run["a"], run["b"], run["c"]
        with host.checks("credit-first"):
            channel = open_channel(a)
            consumer = Consumer(b, channel, 3)
            Producer(a, channel).send(1, 2, 3)
            consumer.expect_items(1, 2, 3, rule="CHN-24")
        with host.checks("little-by-little"):
            channel = open_channel(a)
            consumer, producer = Consumer(b, channel, 0), Producer(a, channel)
            producer.send(*range(20))
            for count in range(1, 21):
                consumer.give(1, 1)
                consumer.expect_count(count, rule="CHN-24")
        with host.checks("other-without-credit"):
            channel = open_channel(a)
            producer = Producer(a, channel)
            Consumer(c, channel, 1)
            consumer = Consumer(b, channel)
            producer.stream(*range(50))
            consumer.expect_count(49, rule="CHN-24")
        with host.checks("other-left"):
            channel = open_channel(a)
            producer = Producer(a, channel)
            Consumer(c, channel)
            consumer = Consumer(b, channel)
            leave(c, channel, "consumer")
            producer.stream(*range(50))
            consumer.expect_count(50, rule="CHN-24")


@host_case(
    "channels/turns-of-consumers",
    "CHN-24",
    why="One of several workers would do everything while the others stand idle.",
    mend="Let the consumers with credit take turns, and divide the items that are there by how many they are.",
    declares=("channels",),
)
def turns_of_consumers(host: HostSubject) -> None:
    """Consumers with credit take turns, and none gets at once more than its share.

    Two consumers have credit for everything. 100 items come at once: the first batch of each has at most 50. Then
    come 20 one by one: each consumer gets at least 5 of them.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"])
        producer = Producer(run["a"], channel)
        consumers = [Consumer(run["b"], channel), Consumer(run["c"], channel)]
        with host.checks("share"):
            producer.send(*range(100))
            gather(consumers, 100)
            largest = max(consumer.sizes[0] if consumer.sizes else 0 for consumer in consumers)
            if largest > 50:
                raise Broken(
                    "a consumer got more than its share", expected="at most 50", got=str(largest), requirement="CHN-24"
                )
        with host.checks("one-by-one"):
            before = [len(consumer.items) for consumer in consumers]
            for number in range(20):
                producer.stream(number)
                gather(consumers, 101 + number)
            least = min(len(consumer.items) - count for consumer, count in zip(consumers, before, strict=True))
            if least < 5:
                raise Broken(
                    "a consumer is passed over", expected="at least 5 of 20", got=str(least), requirement="CHN-24"
                )


@host_case(
    "channels/unread",
    "CHN-26",
    why="Items pile up at a plugin that hangs, in the host's memory, while others could have had them.",
    mend="When a consumer leaves unread what it was sent, pass it over until it reads again.",
    declares=("channels",),
)
def unread(host: HostSubject) -> None:
    """A consumer that does not read gets no more; the others get theirs.

    400 items of 32 KiB are sent while `b`, which has credit for all, stops reading and `c` reads. Expected: `c` gets
    at least 300 of them; when `b` reads again, it gets the rest, and no item comes twice.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"], capacity=400, maxBytes=1 << 25)
        producer = Producer(run["a"], channel)
        stuck, reads = Consumer(run["b"], channel), Consumer(run["c"], channel)
        run["b"].pause_reading()
        filler = "x" * (_LARGE - 20)
        for start in range(0, _LARGE_ITEMS, 8):
            producer.expect_room(8, 8 * _LARGE)
            producer.push(*[[number, filler] for number in range(start, start + 8)])
        gather([reads], 300, rule="CHN-26")
        run["b"].resume_reading()
        got = gather([stuck, reads], _LARGE_ITEMS, rule="CHN-26")
        expect_equal(
            sorted(item[0] for item in got), list(range(_LARGE_ITEMS)), "what the two got together is another", "CHN-21"
        )
