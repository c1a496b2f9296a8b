"""Channels (chapter 08): who joins, in which role, and with which credit."""

from ...case import Broken, expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import CHANNEL_CLOSED, INVALID_REQUEST
from .channel_members import PLENTY, Consumer, Producer, close_channel, leave, open_channel
from .told import ask_told

_REMEMBERED = 1024


@host_case(
    "channels/join-by-handle",
    "CHN-04",
    why="A handle that is passed on in params or an item would be of no use to whoever gets it.",
    mend="Let every plugin that names the handle join, whoever opened the channel.",
    declares=("channels",),
)
def join_by_handle(host: HostSubject) -> None:
    """Whoever has the handle may join.

    `a` opens a channel; `b` joins it as a producer and `c` as a consumer. Expected: they can, and what `b` sends,
    a reference to another channel among it, comes to `c` as it is.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"])
        other = open_channel(run["a"])
        producer = Producer(run["b"], channel, rule="CHN-04")
        consumer = Consumer(run["c"], channel, rule="CHN-04")
        producer.send({"reply": {"$channel": other}}, rule="CHN-04")
        consumer.expect_items({"reply": {"$channel": other}}, rule="CHN-04")


@host_case(
    "channels/join",
    "CHN-08",
    why="Items that overtake the answer reach a plugin that does not know yet that it has joined, and it drops them.",
    mend="Send the answer to channel/join first, and deliver and give credit after it.",
    declares=("channels",),
)
def join(host: HostSubject) -> None:
    """Who joins becomes a member in that role, and hears nothing of the channel before the answer.

    Three items are in a channel when a consumer joins with credit, and when one joins that gives none. Expected: the
    answer says what was given and what the channel is like; the items come after it, and only to the first.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        channel = open_channel(run["a"], redeliver=True)
        producer = Producer(run["a"], channel)
        producer.send(1, 2, 3)
        consumer = Consumer(run["b"], channel, 7, 700, rule="CHN-08")
        idle = ask_told(run["c"], "channel/join", {"channel": channel, "role": "consumer"})
        with host.checks("member"):
            consumer.expect_items(1, 2, 3, rule="CHN-08")
            run["c"].expect_alive()
            run["c"].refuse(lambda m: m.method == "channel/deliver", "items without credit", rule="CHN-08")
        with host.checks("order"):
            _expect_answer_first(run["b"])
        with host.checks("answer"):
            expect_equal(
                consumer.joined["credit"], {"items": 7, "bytes": 700}, "the credit that was given is another", "CHN-08"
            )
            expect_equal(idle["credit"], {"items": 0, "bytes": 0}, "the credit that was not given is another", "CHN-08")
            expect_equal(consumer.joined["redeliver"], True, "it says otherwise whether to acknowledge", "CHN-08")


@host_case(
    "channels/join-twice",
    "CHN-09",
    why="A second membership in one role would have numbers and credit of its own, and nobody could tell "
    "which is meant.",
    mend="Let a plugin be a producer and a consumer at once, and answer a second join in one role with InvalidRequest.",
    declares=("channels",),
)
def join_twice(host: HostSubject) -> None:
    """A plugin may have both roles, and each of them once.

    `a` joins as a producer and as a consumer, and once more as each. Expected: InvalidRequest for the second joins,
    and what it sends comes to itself.
    """
    with host.start(plugin("a")) as run:
        talk = run["a"]
        channel = open_channel(talk)
        producer, consumer = Producer(talk, channel, rule="CHN-09"), Consumer(talk, channel, rule="CHN-09")
        for role in ("producer", "consumer"):
            with host.checks(role):
                id = talk.request("channel/join", {"channel": channel, "role": role})
                talk.expect_error(id, INVALID_REQUEST, rule="CHN-09")
        with host.checks("both"):
            producer.send("mine", rule="CHN-09")
            consumer.expect_items("mine", rule="CHN-09")


@host_case(
    "channels/first-credit",
    "CHN-10",
    why="With less credit than that a producer is slower than it need be; with more, the host holds more than it may.",
    mend="Give a new producer min(capacity, 1024) items and maxBytes bytes, less what still waits of it from before.",
    declares=("channels",),
)
def first_credit(host: HostSubject) -> None:
    """A new producer gets the credit that the spec says.

    Channels of 3, 1024 and 5000 items; and one that a producer has filled, and into which it has sent two items more
    that wait when it leaves and joins again.
    """
    with host.start(plugin("a")) as run:
        talk = run["a"]
        for capacity, items in ((3, 3), (1024, 1024), (5000, 1024)):
            with host.checks(f"capacity-{capacity}"):
                new = Producer(talk, open_channel(talk, capacity=capacity, maxBytes=4096))
                expect_equal(
                    [new.first_items, new.first_bytes],
                    [items, 4096],
                    "the items and bytes to begin with are others",
                    "CHN-10",
                )
        with host.checks("waiting"):
            channel = open_channel(talk, capacity=4, maxBytes=4096)
            before = Producer(talk, channel)
            before.send(1, 2, 3, 4)
            before.stream("fifth", "sixth")
            leave(talk, channel, "producer")
            new = Producer(talk, channel)
            expect_equal(
                [new.first_items, new.first_bytes], [2, 4082], "the items and bytes to begin with are others", "CHN-10"
            )


@host_case(
    "channels/join-closed",
    "CHN-11",
    why="A consumer that comes late would miss what is still in a closed channel, or wait for ever at one "
    "that is over.",
    mend="Refuse producers once a channel is closed, and consumers once it is also drained; "
    "remember the last 1024 such channels.",
    declares=("channels",),
)
def join_closed(host: HostSubject) -> None:
    """A closed channel takes no producers, and consumers as long as something is in it.

    A channel with an item is closed. A producer that joins gets ChannelClosed; a consumer joins and gets the item;
    the next consumer gets ChannelClosed, and does so still when 1023 more channels were opened and closed.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        channel = open_channel(a)
        Producer(a, channel).send("late")
        close_channel(a, channel)
        with host.checks("producer"):
            _expect_closed_to(b, channel, "producer")
        with host.checks("undrained"):
            consumer = Consumer(b, channel, rule="CHN-11")
            consumer.expect_items("late", rule="CHN-11")
            consumer.expect_closed(rule="CHN-39")
        with host.checks("drained"):
            _expect_closed_to(b, channel, "consumer")
            _expect_closed_to(b, channel, "producer")
        with host.checks("remembered"):
            for _ in range(_REMEMBERED - 1):
                close_channel(a, open_channel(a, capacity=1, maxBytes=1024))
            _expect_closed_to(b, channel, "consumer")


def _expect_answer_first(talk: ProbeTalk) -> None:
    received = [message for from_host, message in talk.history if from_host]
    answer = next(
        place for place, m in enumerate(received) if isinstance(m.result, dict) and "maxItemBytes" in m.result
    )
    early = [m for m in received[:answer] if m.method.startswith("channel/")]
    if early:
        raise Broken(
            "a member heard of the channel before the answer to its join", got=early[0].method, requirement="CHN-08"
        )


def _expect_closed_to(talk: ProbeTalk, channel: str, role: str) -> None:
    params = {"channel": channel, "role": role, "credit": {"items": PLENTY, "bytes": PLENTY}}
    talk.expect_error(talk.request("channel/join", params), CHANNEL_CLOSED, rule="CHN-11")
