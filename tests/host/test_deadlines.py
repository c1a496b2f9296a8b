"""When the time of each call runs out, on a clock that the test turns."""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugwire.deadlines import Deadlines
from plugwire_host.routing.call import Call


class Timer:
    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def __lt__(self, other: "Timer") -> bool:
        return self.when < other.when


class FakeLoop:
    """The two methods of a loop that Deadlines needs."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.woken = 0
        self._timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(when, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def armed(self) -> list[Timer]:
        return [timer for timer in self._timers if not timer.cancelled]

    def advance_to(self, when: float) -> None:
        while self._timers and self._timers[0].when <= when:
            timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                self.now = max(self.now, timer.when)
                self.woken += 1
                timer.callback()
        self.now = when


class Bench:
    """Deadlines on a fake loop, with what has expired and when."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.expired: list[tuple[str, float]] = []
        self.then: Callable[[Call], None] = lambda call: None
        self.deadlines = Deadlines(cast(asyncio.AbstractEventLoop, self.loop), self._expire)

    def _expire(self, call: Call) -> None:
        self.expired.append((call.method, self.loop.now))
        self.then(call)

    def add(self, name: str, deadline: float) -> Call:
        call = Call(cast(Any, None), 1, name, None, None)
        call.deadline = deadline
        self.deadlines.add(call)
        return call

    def names(self) -> list[str]:
        return [name for name, _ in self.expired]


@pytest.mark.requirement("CAL-30")
def test_a_call_expires_after_its_deadline_and_within_a_sixtyfourth_of_a_second() -> None:
    bench = Bench()
    bench.add("x", 1002.5)
    bench.loop.advance_to(1002.5)
    assert bench.names() == []
    bench.loop.advance_to(1002.515625)
    assert bench.expired == [("x", 1002.515625)]


def test_calls_expire_in_the_order_of_their_deadlines_however_they_came() -> None:
    bench = Bench()
    for name, deadline in [("c", 1030.0), ("a", 1001.0), ("d", 1060.0), ("b", 1002.0)]:
        bench.add(name, deadline)
    bench.loop.advance_to(1100.0)
    assert bench.names() == ["a", "b", "c", "d"]


def test_a_call_that_has_ended_does_not_expire() -> None:
    bench = Bench()
    calls = [bench.add(name, 1001.0) for name in "abc"]
    bench.deadlines.discard(calls[1])
    bench.deadlines.discard(calls[1])
    bench.loop.advance_to(1002.0)
    assert sorted(bench.names()) == ["a", "c"]


def test_there_is_one_timer_for_all_and_none_when_idle() -> None:
    bench = Bench()
    for number in range(1000):
        bench.deadlines.discard(bench.add("x", 1060.0 + number / 100))
    assert len(bench.loop.armed()) == 1
    bench.loop.advance_to(2000.0)
    assert (bench.loop.woken, bench.names(), bench.loop.armed()) == (1, [], [])


def test_a_deadline_in_the_past_expires_at_once() -> None:
    bench = Bench()
    bench.add("x", 990.0)
    bench.loop.advance_to(1000.0)
    assert bench.names() == ["x"]


def test_what_expires_may_end_others_and_add_new_ones() -> None:
    bench = Bench()
    parent, child = bench.add("parent", 1001.0), bench.add("child", 1001.0)
    later = bench.add("later", 1005.0)

    def end_the_others(call: Call) -> None:
        if call is parent:
            bench.deadlines.discard(child)
            bench.deadlines.discard(later)
            bench.add("new", 1000.5)
            bench.add("newer", 1003.0)

    bench.then = end_the_others
    bench.loop.advance_to(1010.0)
    assert bench.names().count("parent") == 1
    assert [name for name in bench.names() if name not in ("parent", "child")] == ["new", "newer"]


def test_after_the_close_nothing_expires_and_what_was_left_is_told() -> None:
    bench = Bench()
    call = bench.add("x", 1001.0)
    assert bench.deadlines.close() == [call]
    assert bench.deadlines.close() == []
    bench.loop.advance_to(1010.0)
    assert bench.names() == []


@given(st.lists(st.tuples(st.floats(900.0, 1100.0), st.booleans()), max_size=30))
def test_each_call_expires_once_unless_it_has_ended(plans: list[tuple[float, bool]]) -> None:
    bench = Bench()
    calls = [(str(number), deadline, ends) for number, (deadline, ends) in enumerate(plans)]
    for name, deadline, ends in calls:
        call = bench.add(name, deadline)
        if ends:
            bench.deadlines.discard(call)
    bench.loop.advance_to(1200.0)
    assert sorted(bench.names()) == sorted(name for name, _, ends in calls if not ends)
    deadlines = {name: deadline for name, deadline, _ in calls}
    for name, when in bench.expired:
        assert max(1000.0, deadlines[name]) <= when + 0.001 <= max(1000.0, deadlines[name]) + 0.02
