"""Channels (chapter 08): members that leave or end, and channels that are forgotten."""

import time

from ...case import Broken, expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import INVALID_PARAMS, PERMISSION_DENIED
from ...wire.messages import Json
from .channel_members import (
    PLENTY,
    Consumer,
    Producer,
    close_channel,
    expect_error,
    gather,
    leave,
    mortal,
    open_channel,
    refuse_closed,
    watch_end,
)
from .told import People, ask_told, expect_null


@host_case(
    "channels/sent-before-leaving",
    "CHN-31",
    why="A producer is done as soon as its last batch is taken. What it sent would be lost because it did not wait.",
    mend="Keep what a producer has sent, also what still waits to come in, when it leaves or ends.",
    declares=("channels",),
)
def sent_before_leaving(host: HostSubject) -> None:
    """What a member sent before it left or ended is delivered.

    A producer sends three items into a channel of two, so that one has to wait. Then it leaves, or its process is
    killed. Expected: a consumer that comes later gets all three.
    """
    for name in ("leaves", "ends"):
        with host.checks(name), host.start(mortal("a"), plugin("b")) as run:
            channel = open_channel(run["b"], capacity=2)
            Producer(run["b"], channel)  # so that it stays open when the other ends
            producer, end = Producer(run["a"], channel), watch_end(run["b"], run["a"])
            producer.stream(1, 2, 3)
            if name == "leaves":
                leave(run["a"], channel, "producer")
            else:
                run["a"].die()
                end.expect_closed("CHN-34")
            Consumer(run["b"], channel).expect_items(1, 2, 3, rule="CHN-31")


@host_case(
    "channels/ended-plugin",
    "CHN-32",
    why="Items that go to a process that is no more are lost; and the new process did not ask for any.",
    mend="Drop all memberships when a plugin ends; start the next process with none.",
    declares=("channels",),
)
def ended_plugin(host: HostSubject) -> None:
    """A plugin that ends loses its memberships, and has none when it is started again.

    A plugin that is a producer and a consumer, with credit, is killed and started again. Expected: what is sent
    afterwards goes to the other consumer; the new process gets nothing, may not send, and can join as if for the
    first time.
    """
    with host.start(plugin("a"), plugin("b", settings={"restart": "always"})) as run:
        a, b = run["a"], run["b"]
        channel = open_channel(a)
        producer, consumer = Producer(a, channel), Consumer(a, channel, 0)
        Producer(b, channel)
        Consumer(b, channel)
        b.expect_alive()
        b.die()
        b = run.receive_again("b").wait_ready()
        consumer.give(PLENTY)
        producer.stream(*range(20))
        with host.checks("consumer"):
            consumer.expect_items(*range(20), rule="CHN-32")
            b.expect_alive()
            b.refuse(
                lambda m: m.method.startswith("channel/"), "news of a channel that it has not joined", rule="CHN-32"
            )
        with host.checks("producer"):
            id = b.request("channel/send", {"channel": channel, "seq": 1, "items": [1]})
            b.expect_error(id, PERMISSION_DENIED, rule="CHN-32")
        with host.checks("joins-anew"):
            Producer(b, channel, rule="CHN-32").send("anew", rule="CHN-32")
            Consumer(b, channel, rule="CHN-32")


@host_case(
    "channels/leave",
    "CHN-33",
    why="A plugin that cleans up does not know whether it was put out already; "
    "and after the answer it has no handler left.",
    mend="Answer channel/leave with null whether or not there was a membership, and deliver nothing after the answer.",
    declares=("channels",),
)
def leave_of_anybody(host: HostSubject) -> None:
    """Leaving is always answered with null, and nothing is delivered after the answer.

    `b` leaves, in each role, a channel of which it is no member, and twice one that it has joined. Then it takes
    items as fast as they come and leaves in the middle. Expected: null; no item after the answer; what it did not get
    goes to the next.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c")) as run:
        b = run["b"]
        channel = open_channel(run["a"])
        for role in ("producer", "consumer"):
            with host.checks(f"no-{role}"):
                expect_null(b, b.request("channel/leave", {"channel": channel, "role": role}), "CHN-33")
        producer, consumer = Producer(run["a"], channel), Consumer(b, channel)
        with host.checks("nothing-after"):
            producer.stream(*range(100))
            id = b.request("channel/leave", {"channel": channel, "role": "consumer"})
            producer.stream(*range(100, 200))
            expect_null(b, id, "CHN-33")
            rest = Consumer(run["c"], channel)
            gather([consumer, rest], 200)
            _refuse_delivery_after(b, id)
        with host.checks("twice"):
            expect_null(b, b.request("channel/leave", {"channel": channel, "role": "consumer"}), "CHN-33")
        with host.checks("rest"):
            expect_equal(
                consumer.take() + rest.take(), list(range(200)), "what the two got together is another", "CHN-33"
            )


@host_case(
    "channels/last-producer",
    "CHN-34",
    why="Consumers of a producer that went down would wait for ever for what it will never send.",
    mend="When a plugin ends that was the last producer and has not left, close the channel with an error "
    "that says so.",
    declares=("channels",),
)
def last_producer(host: HostSubject) -> None:
    """When the last producer ends without leaving, the channel is closed with an error; who leaves closes nothing.

    `a` and `b` are producers. `a` is killed: the channel is open. `b` leaves in order: it is still open. `b` joins
    again and is killed: the consumer gets channel/closed with an error.
    """
    with host.start(mortal("a"), mortal("b"), plugin("c")) as run:
        a, b, c = run["a"], run["b"], run["c"]
        channel = open_channel(c)
        consumer, end = Consumer(c, channel), watch_end(c, a)
        Producer(a, channel)
        second = Producer(b, channel)
        with host.checks("not-the-last"):
            a.die()
            end.expect_closed("CHN-34")
            refuse_closed(c, channel, "consumer", "CHN-34")
            second.send(1, rule="CHN-34")
            consumer.expect_items(1)
        with host.checks("leaves"):
            leave(b, channel, "producer")
            refuse_closed(c, channel, "consumer", "CHN-34")
        with host.checks("last"):
            Producer(b, channel, rule="CHN-34").send(2, rule="CHN-34")
            b.die()
            expect_error(consumer.expect_closed("CHN-34"), "CHN-34")
            consumer.expect_items(1, 2, rule="CHN-31")


@host_case(
    "channels/forgotten",
    "CHN-35",
    why="Channels that nobody can use any more would fill the host's memory, and keep their names from being used.",
    mend="Forget a channel when all its openers have ended and it has no members, and when it is closed and "
    "drained; say what was lost.",
    declares=("channels",),
)
def forgotten(host: HostSubject) -> None:
    """A channel that nobody can use any more is forgotten, and people are told how many items were in it.

    `a` opens two names, sends 37 items into the one and leaves; `b` is a consumer of the other. `a` is killed.
    Expected: a line with 37; the first name stands for a new channel and its handle is unknown; the second channel
    is there as long as `b` is. A name whose channel is closed and drained is free, and counts for no quota.
    """
    with host.start(mortal("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        lost, used = open_channel(a, name="lost"), open_channel(a, name="used")
        people = People(run, "37")
        producer = Producer(a, lost)
        producer.send(*range(37))
        leave(a, lost, "producer")
        with host.checks("opener-lives"):
            Consumer(b, lost, 0)
            leave(b, lost, "consumer")
        consumer = Consumer(b, used)
        a.die()
        with host.checks("told"):
            people.expect_more("CHN-35")
        with host.checks("handle"):
            # Its opener's end may not be known at once.
            deadline = time.monotonic() + b.patience
            join = {"channel": lost, "role": "consumer"}
            while b.ask("channel/join", join).error_code != INVALID_PARAMS and time.monotonic() < deadline:
                leave(b, lost, "consumer")
            b.expect_error(b.request("channel/join", join), INVALID_PARAMS, rule="CHN-35")
        with host.checks("name"):
            _expect_new(b, "lost", lost)
        with host.checks("member-lives"):
            expect_equal(open_channel(b, name="used"), used, "the channel is another", "CHN-35")
            Producer(b, used).send("still")
            consumer.expect_items("still", rule="CHN-35")
        with host.checks("closed"):
            close_channel(b, used)
            consumer.expect_closed()
            _expect_new(b, "used", used)


@host_case(
    "channels/forgotten-quota",
    "CHN-35",
    "CHN-05",
    why="A plugin that opens a channel for each job, and closes it, would run out of channels.",
    mend="Take a channel out of its openers' count when it is closed and drained.",
    declares=("channels",),
)
def forgotten_quota(host: HostSubject) -> None:
    """A channel that is closed and drained is forgotten: it counts for no quota.

    A plugin opens and closes a channel of the most bytes, of which it may have four at a time, ten times.
    """
    with host.start(plugin("a")) as run:
        for _ in range(10):
            opened = ask_told(run["a"], "channel/open", {"maxBytes": 67108864}, "CHN-35")
            close_channel(run["a"], opened["channel"])


def _expect_new(talk: ProbeTalk, name: str, old: str) -> None:
    if open_channel(talk, name=name) == old:
        raise Broken(
            "a name still stands for a channel that is over", expected="a new channel", got=old, requirement="CHN-35"
        )


def _refuse_delivery_after(talk: ProbeTalk, id: Json) -> None:
    """Broken when an item came after the answer to that request."""
    talk.expect_alive()
    answered = False
    for from_host, message in list(talk.history):
        if from_host and answered and message.method == "channel/deliver":
            raise Broken(
                "an item came after the answer to channel/leave", got=str(message.value)[:200], requirement="CHN-33"
            )
        answered = answered or (from_host and message.is_response and message.id == id)
