"""The way through one subscription: each policy, and against a model that what is published is delivered or counted."""

from collections import deque
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from plugwire_host.services.events.subscriptions import Delivery, Policy, Published, Subscription, Verdict

MIB = 1024 * 1024


class Purse:
    """An account."""

    held = 0


class Publisher:
    """A waiter."""

    def __init__(self) -> None:
        self.is_over = False
        self.times_taken = 0

    def taken(self) -> None:
        self.times_taken += 1


def event(number: int, *, key: str | None = None, size: int = 10, topic: str = "a") -> Published:
    return Published(number, topic, key, "x", b"." * size)


def subscription(policy: str = "dropOldest", *, started: bool = True, **options: Any) -> Subscription[Purse]:
    made = Subscription(1, "a", Purse(), policy=Policy(policy), **options)
    made.is_started = started
    return made


def took(way: Subscription[Purse]) -> list[tuple[int, int, int]]:
    """Everything that may be sent now: number of the event, seq, missed."""
    given = []
    while (delivery := way.take()) is not None:
        given.append((delivery.event.number, delivery.seq, delivery.missed))
    return given


@pytest.mark.requirement("EVT-16", "EVT-17")
def test_events_go_out_in_order_with_their_numbers() -> None:
    way = subscription()
    assert [way.put(event(number)) for number in (7, 8, 9)] == [Verdict.KEPT] * 3
    assert took(way) == [(7, 1, 0), (8, 2, 0), (9, 3, 0)]


def test_nothing_goes_out_before_the_start() -> None:
    way = subscription(started=False)
    way.put(event(1))
    assert way.take() is None
    assert not way.is_clear
    way.is_started = True
    assert took(way) == [(1, 1, 0)]


@pytest.mark.requirement("EVT-18", "EVT-22", "EVT-23")
def test_drop_oldest_leaves_out_what_has_waited_longest_and_says_how_many() -> None:
    way = subscription(buffer=2)
    for number in range(1, 6):
        way.put(event(number))
    assert took(way) == [(4, 4, 3), (5, 5, 0)]


@pytest.mark.requirement("EVT-24")
def test_coalesce_keeps_only_the_latest_of_a_topic_and_key_at_its_later_place() -> None:
    way = subscription("coalesce")
    for number, key in enumerate(["k", "m", "k", None, None, "n"], start=1):
        way.put(event(number, key=key))
    way.put(event(7, key="n", topic="b"))
    # 1 gave way to 3, 4 to 5; of the other topic the same key is another thing.
    assert took(way) == [(2, 2, 1), (3, 3, 0), (5, 5, 1), (6, 6, 0), (7, 7, 0)]


@pytest.mark.requirement("EVT-24")
def test_coalesce_without_room_drops_the_oldest() -> None:
    way = subscription("coalesce", buffer=2)
    for number, key in enumerate("klm", start=1):
        way.put(event(number, key=key))
    assert took(way) == [(2, 2, 1), (3, 3, 0)]


@pytest.mark.requirement("EVT-25", "EVT-26")
@pytest.mark.parametrize("policy", ["disconnect", "block"])
def test_disconnect_and_block_drop_nothing_by_themselves(policy: str) -> None:
    way = subscription(policy, buffer=1)
    assert way.put(event(1)) is Verdict.KEPT
    assert way.put(event(2)) is Verdict.NO_ROOM
    assert took(way) == [(1, 1, 0)]
    assert way.put(event(3)) is Verdict.KEPT
    assert took(way) == [(3, 3, 1)]


@pytest.mark.requirement("EVT-26")
def test_who_waits_longest_gets_the_first_room() -> None:
    way = subscription("block", buffer=1)
    way.put(event(1))
    waiting = [Publisher(), Publisher()]
    for number, publisher in enumerate(waiting, start=2):
        assert way.put(event(number)) is Verdict.NO_ROOM
        way.block(event(number), publisher)
    assert [publisher.times_taken for publisher in waiting] == [0, 0]
    first = way.take()
    assert first is not None
    assert first.event.number == 1
    assert [publisher.times_taken for publisher in waiting] == [1, 0]
    # There is room for nobody else until the one before has gone.
    assert way.put(event(4)) is Verdict.NO_ROOM
    assert took(way) == [(2, 2, 0), (3, 3, 0)]
    assert [publisher.times_taken for publisher in waiting] == [1, 1]


@pytest.mark.requirement("EVT-27")
def test_the_event_of_a_publisher_that_has_gone_counts_as_missed() -> None:
    way = subscription("block", buffer=1)
    gone, there = Publisher(), Publisher()
    way.put(event(1))
    for number, publisher in ((2, gone), (3, there)):
        way.put(event(number))
        way.block(event(number), publisher)
    gone.is_over = True
    assert took(way) == [(1, 1, 0), (3, 3, 1)]
    assert (gone.times_taken, there.times_taken) == (0, 1)


@pytest.mark.requirement("EVT-26")
def test_a_small_event_does_not_overtake_a_large_one_that_waits_for_room() -> None:
    way = subscription("block", window=1)
    way.put(event(1))
    took(way)
    way.put(event(2, size=4 * MIB))
    large, small = Publisher(), Publisher()
    for number, size, publisher in ((3, 5 * MIB, large), (4, 1, small)):
        assert way.put(event(number, size=size)) is Verdict.NO_ROOM
        way.block(event(number, size=size), publisher)
    way.acknowledge(1)
    assert took(way) == [(2, 2, 0)]
    assert (large.times_taken, small.times_taken) == (1, 1)
    way.acknowledge(2)
    assert took(way) == [(3, 3, 0)]


@pytest.mark.requirement("EVT-27")
def test_a_publisher_of_a_large_event_that_has_gone_is_passed_over() -> None:
    way = subscription("block", window=1)
    way.put(event(1))
    took(way)
    gone, there = Publisher(), Publisher()
    for number, publisher in ((2, gone), (3, there)):
        way.put(event(number, size=9 * MIB))
        way.block(event(number, size=9 * MIB), publisher)
    gone.is_over = True
    way.acknowledge(1)
    assert took(way) == [(3, 3, 1)]
    assert (gone.times_taken, there.times_taken) == (0, 1)


@pytest.mark.requirement("EVT-28")
def test_at_most_1024_publishers_wait_and_those_that_have_gone_do_not_count() -> None:
    way = subscription("block", buffer=1)
    way.put(event(1))
    waiting = [Publisher() for _ in range(1024)]
    for publisher in waiting:
        assert not way.refuses(event(2))
        way.put(event(2))
        way.block(event(2), publisher)
    assert way.refuses(event(3))
    waiting[512].is_over = True
    assert not way.refuses(event(3))
    assert way.account.held == 10 + 1023 * 10


def test_only_a_subscription_that_blocks_refuses() -> None:
    for policy in ("dropOldest", "coalesce", "disconnect"):
        way = subscription(policy, buffer=1)
        way.account.held = 64 * MIB
        assert not way.refuses(event(1))


@pytest.mark.requirement("EVT-20")
def test_a_window_lets_so_many_go_unacknowledged() -> None:
    way = subscription(window=2)
    for number in range(1, 6):
        way.put(event(number))
    assert took(way) == [(1, 1, 0), (2, 2, 0)]
    way.acknowledge(1)
    assert took(way) == [(3, 3, 0)]
    way.acknowledge(3)
    assert took(way) == [(4, 4, 0), (5, 5, 0)]


@pytest.mark.requirement("EVT-21")
def test_an_ack_of_what_was_not_sent_acknowledges_what_was() -> None:
    way = subscription(window=2)
    for number in range(1, 6):
        way.put(event(number))
    took(way)
    way.acknowledge(0)
    assert took(way) == []
    way.acknowledge(9007199254740991)
    assert took(way) == [(3, 3, 0), (4, 4, 0)]


@pytest.mark.requirement("EVT-20")
def test_large_events_fill_a_window_by_their_bytes() -> None:
    way = subscription(window=64)
    for number in range(1, 5):
        way.put(event(number, size=3 * MIB) if number < 3 else event(number))
    # The second and third may still go: only then are there 8 MiB.
    assert took(way) == [(1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 4, 0)]
    way = subscription(window=64)
    for number in (1, 2):
        way.put(event(number, size=8 * MIB))
        assert took(way) == ([(1, 1, 0)] if number == 1 else [])
    way.acknowledge(1)
    assert took(way) == [(2, 2, 0)]


@pytest.mark.requirement("EVT-22")
def test_what_waits_has_at_most_8_mib() -> None:
    way = subscription(started=False)
    for number in range(1, 11):
        way.put(event(number, size=MIB))
    assert way.account.held == 8 * MIB
    way.is_started = True
    assert took(way) == [(3, 3, 2), *((number, number, 0) for number in range(4, 11))]
    assert way.account.held == 0


@pytest.mark.requirement("EVT-22")
def test_all_subscriptions_of_one_plugin_have_at_most_64_mib() -> None:
    purse = Purse()
    ways = [Subscription(number, "a", purse) for number in range(20)]
    for way in ways:
        for number in range(1, 6):
            way.put(event(number, size=MIB))
    assert purse.held == 64 * MIB
    assert ways[-1].put(event(6)) is Verdict.LEFT_OUT
    ways[0].end()
    assert purse.held == 59 * MIB
    ways[-1].is_started = True
    ways[-1].put(event(7))
    assert took_any(ways[-1]) == [(7, 7, 6)]


def took_any(way: Subscription[Purse]) -> list[tuple[int, int, int]]:
    return took(way)


def test_an_event_that_no_buffer_could_hold_is_left_out_or_goes_straight_through() -> None:
    way = subscription(window=1)
    way.put(event(1))
    took(way)
    assert way.put(event(2, size=9 * MIB)) is Verdict.LEFT_OUT
    way = subscription("block", window=1)
    way.put(event(1))
    took(way)
    publisher = Publisher()
    assert way.put(event(2, size=9 * MIB)) is Verdict.NO_ROOM
    way.block(event(2, size=9 * MIB), publisher)
    way.acknowledge(1)
    assert took(way) == [(2, 2, 0)]
    assert publisher.times_taken == 1


@pytest.mark.requirement("EVT-33")
@pytest.mark.parametrize("policy", ["dropOldest", "coalesce", "disconnect", "block"])
def test_past_events_without_room_are_left_out_the_oldest_first(policy: str) -> None:
    way = subscription(policy, buffer=2, started=False)
    for number in range(1, 5):
        assert way.put(event(number, key=str(number)), past=True) is Verdict.KEPT
    way.is_started = True
    assert took(way) == [(3, 3, 2), (4, 4, 0)]


@pytest.mark.requirement("EVT-18")
def test_what_could_not_be_sent_counts_as_missed() -> None:
    way = subscription(window=1)
    way.put(event(1))
    way.put(event(2))
    delivery = way.take()
    assert delivery is not None
    way.undo(delivery.missed)
    assert took(way) == [(2, 2, 1)]


def test_the_end_lets_everybody_go() -> None:
    way = subscription("block", buffer=1)
    publisher = Publisher()
    way.put(event(1))
    way.put(event(2))
    way.block(event(2), publisher)
    way.end()
    assert (publisher.times_taken, way.account.held, way.take(), way.missed) == (1, 0, None, 2)


# What is published is what was delivered plus what was missed


class Flow(RuleBasedStateMachine):
    """One subscription under publishers who wait or not, a slow subscriber, and a pipe that sometimes fails."""

    @initialize(
        policy=st.sampled_from(["dropOldest", "coalesce", "block"]),
        buffer=st.integers(1, 4),
        window=st.none() | st.integers(1, 3),
        past=st.integers(0, 6),
    )
    def begin(self, policy: str, buffer: int, window: int | None, past: int) -> None:
        self.purse = Purse()
        self.way = Subscription(1, "a", self.purse, policy=Policy(policy), buffer=buffer, window=window)
        self.window = window
        self.buffer = buffer
        self.published = 0
        self.delivered: list[int] = []
        self.missed = 0
        self.unacknowledged = 0
        self.acknowledged_to = 0
        self.publishers: deque[Publisher] = deque()
        for _ in range(past):
            self.published += 1
            self.way.put(event(self.published, key=str(self.published)), past=True)
        self.way.is_started = True

    @rule(key=st.sampled_from(["k", "m", None]), waits=st.booleans())
    def publish(self, key: str | None, waits: bool) -> None:
        self.published += 1
        coming = event(self.published, key=key)
        if self.way.is_clear:
            self.seen(Delivery(self.way.pass_by(coming), 0, False, coming), True)
        elif self.way.put(coming) is Verdict.NO_ROOM and waits:
            self.publishers.append(Publisher())
            self.way.block(coming, self.publishers[-1])

    @rule(arrives=st.booleans())
    def send(self, arrives: bool) -> None:
        delivery = self.way.take()
        if delivery is not None:
            self.seen(delivery, arrives)

    def seen(self, delivery: Any, arrives: bool) -> None:
        if not arrives:
            self.way.undo(delivery.missed)
            return
        # Numbers, places and gaps are the same thing here: the event that is nth published has the seq n.
        assert delivery.seq == delivery.event.number
        assert delivery.seq - 1 == (self.delivered[-1] if self.delivered else 0) + delivery.missed
        self.missed += delivery.missed
        self.delivered.append(delivery.seq)

    @precondition(lambda self: self.delivered)
    @rule(back=st.integers(0, 3))
    def acknowledge(self, back: int) -> None:
        self.acknowledged_to = max(self.acknowledged_to, self.delivered[-1] - back)
        self.way.acknowledge(self.delivered[-1] - back)

    @precondition(lambda self: self.publishers)
    @rule(which=st.integers(0, 9))
    def a_publisher_goes(self, which: int) -> None:
        self.publishers[which % len(self.publishers)].is_over = True

    def teardown(self) -> None:
        self.way.end()
        assert self.purse.held == 0
        assert all(publisher.times_taken == 1 for publisher in self.publishers if not publisher.is_over)

    @invariant()
    def nothing_is_lost_without_a_count(self) -> None:
        if hasattr(self, "way"):
            assert self.way.seq == self.published == len(self.delivered) + self.missed + self.way.missed
            assert all(publisher.times_taken <= 1 for publisher in self.publishers)

    @invariant()
    def no_more_is_on_the_way_than_the_window(self) -> None:
        if hasattr(self, "way") and self.window is not None:
            assert sum(seq > self.acknowledged_to for seq in self.delivered) <= self.window

    @invariant()
    def the_buffer_keeps_its_bound(self) -> None:
        if hasattr(self, "way"):
            waiting = sum(publisher.times_taken == 0 for publisher in self.publishers)
            assert self.purse.held <= 10 * (self.buffer + waiting)


TestFlow = pytest.mark.requirement("EVT-17", "EVT-18", "EVT-20", "EVT-22")(Flow.TestCase)
TestFlow.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
