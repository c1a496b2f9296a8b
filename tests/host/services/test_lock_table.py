"""The rules of locks, by themselves and against a list of who came when."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugwire.wire import InvalidParams, LockLost, QuotaExceeded
from plugwire_host.routing.call import Caller
from plugwire_host.services.locks.table import Hold, LockTable


class Someone:
    """Who asks for locks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ranges: Mapping[str, Any] = {}

    def deliver(self, call: Any, outcome: Any) -> None: ...

    def deliver_progress(self, call: Any, value: Any) -> None: ...


class Waiting:
    """A wait, and how it ended."""

    def __init__(self, owner: Caller, lease: float = 10.0) -> None:
        self.owner = owner
        self.lease = lease
        self.is_over = False
        self.hold: Hold | None = None
        self.error: Exception | None = None

    def granted(self, hold: Hold) -> None:
        self.hold = hold

    def failed(self, error: Exception) -> None:
        self.error = error


class World:
    """A table, its clock and its tokens."""

    def __init__(self) -> None:
        self.now = 100.0
        self.token = 0
        self.is_broken = False
        self.table = LockTable(self.next_token, lambda: self.now)

    def next_token(self) -> int:
        if self.is_broken:
            raise OSError("no more tokens")
        self.token += 1
        return self.token

    def ask(self, owner: Someone, name: str = "l", *, slots: int = 1, lease: float = 10.0) -> Hold | Waiting:
        hold = self.table.acquire(owner, name, slots, lease)
        if hold is not None:
            return hold
        wait = Waiting(owner, lease)
        self.table.wait(name, wait)
        return wait

    def hold(self, owner: Someone, name: str = "l", **options: Any) -> Hold:
        hold = self.ask(owner, name, **options)
        assert isinstance(hold, Hold)
        return hold

    def wait(self, owner: Someone, name: str = "l", **options: Any) -> Waiting:
        wait = self.ask(owner, name, **options)
        assert isinstance(wait, Waiting)
        return wait


A, B, C = Someone("a"), Someone("b"), Someone("c")


@pytest.mark.requirement("LCK-01", "LCK-02", "LCK-09")
def test_a_lock_goes_to_those_who_wait_in_their_order() -> None:
    world = World()
    first = world.hold(A)
    second, third = world.wait(B), world.wait(C)
    again = world.wait(A)
    world.table.release(A, "l", first.token)
    assert second.hold is not None
    assert third.hold is None
    world.table.release(B, "l", second.hold.token)
    assert third.hold is not None
    world.table.release(C, "l", third.hold.token)
    assert again.hold is not None
    assert [first.token, second.hold.token, third.hold.token, again.hold.token] == [1, 2, 3, 4]


@pytest.mark.requirement("LCK-01")
def test_a_lock_with_slots_has_so_many_holders() -> None:
    world = World()
    first, second = world.hold(A, slots=2), world.hold(A, slots=2)
    third = world.wait(B, slots=2)
    world.table.release(A, "l", second.token)
    assert third.hold is not None
    fourth = world.wait(C, slots=2)
    world.table.release(A, "l", first.token)
    assert fourth.hold is not None


@pytest.mark.requirement("LCK-05")
def test_a_lock_in_use_keeps_its_number_of_slots() -> None:
    world = World()
    hold = world.hold(A, slots=2)
    with pytest.raises(InvalidParams, match="the lock l is in use with 2 slots, and 3 were asked for"):
        world.ask(B, slots=3)
    world.table.release(A, "l", hold.token)
    world.hold(B, slots=3)


@pytest.mark.requirement("LCK-10")
def test_only_the_holder_renews_and_releases_and_only_with_its_token() -> None:
    world = World()
    hold = world.hold(A)
    for owner, name, token in ((B, "l", 1), (A, "l", 2), (A, "m", 1), (Someone("a"), "l", 1)):
        with pytest.raises(LockLost):
            world.table.release(owner, name, token)
        with pytest.raises(LockLost):
            world.table.renew(owner, name, token, None)
    world.table.release(A, "l", hold.token)
    with pytest.raises(LockLost, match="the lock l is not held with the token 1"):
        world.table.release(A, "l", 1)


@pytest.mark.requirement("LCK-07", "LCK-08")
def test_a_lease_that_passes_gives_the_lock_to_the_next() -> None:
    world = World()
    hold = world.hold(A, lease=10.0)
    wait = world.wait(B, lease=3.0)
    world.now += 9.0
    assert world.table.expire() == []
    world.table.renew(A, "l", hold.token, None)
    world.now += 9.9
    assert world.table.expire() == []
    world.table.renew(A, "l", hold.token, 5.0)
    world.now += 5.0
    assert world.table.expire() == [hold]
    assert wait.hold is not None
    assert world.table.next_expiry == world.now + 3.0
    with pytest.raises(LockLost):
        world.table.renew(A, "l", hold.token, None)


def test_renewals_take_no_more_room() -> None:
    world = World()
    hold = world.hold(A)
    for _ in range(1000):
        world.now += 0.1
        world.table.renew(A, "l", hold.token, None)
    assert len(world.table._expiries._heap) <= 67


@pytest.mark.requirement("LCK-04")
def test_a_wait_that_is_over_is_passed_by() -> None:
    world = World()
    hold = world.hold(A, slots=2)
    world.hold(A, slots=2)
    over, forgotten, next_one = world.wait(B, slots=2), world.wait(B, slots=2), world.wait(C, slots=2)
    over.is_over = True
    world.table.forget("l", forgotten)
    world.table.forget("l", forgotten)
    world.table.release(A, "l", hold.token)
    assert (over.hold, forgotten.hold) == (None, None)
    assert next_one.hold is not None
    assert world.table._used == {id(A): 1, id(C): 1}


@pytest.mark.requirement("LCK-05")
def test_waits_that_are_over_do_not_keep_the_number_of_slots() -> None:
    world = World()
    hold = world.hold(A)
    over = world.wait(B)
    world.table.release(A, "l", hold.token)
    assert over.hold is not None
    over = world.wait(C)
    over.is_over = True
    world.table.left(B)
    world.hold(A, slots=2)


@pytest.mark.requirement("LCK-11")
def test_the_end_of_a_plugin_frees_what_it_held_and_forgets_what_it_waited_for() -> None:
    world = World()
    for name in ("l", "m"):
        world.hold(A, name)
    waits = [world.wait(A, "l"), world.wait(B, "l"), world.wait(C, "m")]
    world.table.left(A)
    assert [wait.hold is not None for wait in waits] == [False, True, True]
    assert world.table.hold("l", 1) is None
    world.table.left(A)
    world.table.left(B)
    world.table.left(C)
    assert (world.table._locks, world.table._holds, world.table._used) == ({}, {}, {})


@pytest.mark.requirement("LCK-12")
def test_one_plugin_holds_and_waits_for_so_many() -> None:
    world = World()
    holds = [world.hold(A, f"l/{number}") for number in range(1000)]
    for _ in range(24):
        world.wait(A, "l/0")
    with pytest.raises(QuotaExceeded, match="'a' holds or waits for 1024 locks"):
        world.ask(A, "new")
    world.hold(B, "new")
    world.table.release(A, "l/999", holds[999].token)
    world.wait(A, "new")


def test_a_lock_for_which_there_is_no_token_is_not_given() -> None:
    world = World()
    hold = world.hold(A)
    wait, later = world.wait(B), world.wait(C)
    world.is_broken = True
    with pytest.raises(OSError, match="no more tokens"):
        world.ask(A, "m")
    world.table.release(A, "l", hold.token)
    assert (str(wait.error), str(later.error)) == ("no more tokens", "no more tokens")
    assert (world.table._locks, world.table._used) == ({}, {})
    world.is_broken = False
    world.hold(A, "l", slots=3)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "release", "give up", "end", "pass", "renew"]),
        st.integers(0, 2),
        st.sampled_from("lm"),
        st.integers(0, 9),
    ),
    max_size=60,
)


@pytest.mark.requirement("LCK-01", "LCK-02", "LCK-06", "LCK-07", "LCK-11")
@settings(max_examples=300, deadline=None)
@given(steps=STEPS, slots=st.integers(1, 3))
def test_whoever_came_first_holds_the_lock_whatever_happens(steps: list[tuple[str, int, str, int]], slots: int) -> None:
    world = World()
    people = [Someone(name) for name in "abc"]
    lines: dict[str, list[tuple[Someone, Hold | Waiting]]] = {"l": [], "m": []}  # who wants a lock, in order of coming
    ends: dict[int, float] = {}
    tokens: list[int] = []

    def hold_of(wanted: Hold | Waiting) -> Hold | None:
        return wanted if isinstance(wanted, Hold) else wanted.hold

    for step, who, name, choice in steps:
        person, line = people[who], lines[name]
        holding = [hold for owner, wanted in line if owner is person and (hold := hold_of(wanted))]
        waiting = [wanted for owner, wanted in line if isinstance(wanted, Waiting) and wanted.hold is None]
        if step == "ask":
            line.append((person, world.ask(person, name, slots=slots, lease=2.0)))
        elif step == "release" and holding:
            hold = holding[choice % len(holding)]
            world.table.release(person, name, hold.token)
            lines[name] = [row for row in line if hold_of(row[1]) is not hold]
        elif step == "renew" and holding:
            hold = holding[choice % len(holding)]
            world.table.renew(person, name, hold.token, None)
            ends[hold.token] = world.now + 2.0
        elif step == "give up" and waiting:
            gone = waiting[choice % len(waiting)]
            gone.is_over = True
            world.table.forget(name, gone)
            lines[name] = [row for row in line if row[1] is not gone]
        elif step == "end":
            world.table.left(person)
            for other in lines:
                lines[other] = [row for row in lines[other] if row[0] is not person]
        elif step == "pass":
            world.now += choice / 4
            lost = world.table.expire()
            assert {hold.token for hold in lost} == {token for token, end in ends.items() if end <= world.now}
            for other in lines:
                lines[other] = [row for row in lines[other] if hold_of(row[1]) not in lost]
        held = {id(hold): hold for rows in lines.values() for _, wanted in rows if (hold := hold_of(wanted))}
        ends = {hold.token: ends.get(hold.token, world.now + 2.0) for hold in held.values()}
        new = sorted(ends.keys() - set(tokens))
        assert not tokens or all(token > tokens[-1] for token in new)
        tokens += new
        for rows in lines.values():
            assert [hold_of(wanted) is not None for _, wanted in rows] == [n < slots for n in range(len(rows))]
