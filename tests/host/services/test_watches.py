"""Watches over the kept changes: nothing is missed, or it is said."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugwire.wire import Conflict, InvalidParams, QuotaExceeded, Raw
from plugwire_host.services.state.store import Change
from plugwire_host.services.state.watches import KeptChanges, Watches


class Reader:
    """A participant that keeps what it is sent."""

    maps_memory = False

    def __init__(self, name: str = "p") -> None:
        self.name = name
        self.ranges: Mapping[str, Any] = {}
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.congested = False
        self.takes = True
        self._waiting: list[Callable[[], None]] = []

    def send_notification(self, method: str, params: Any) -> bool:
        if self.takes:
            self.sent.append((method, json.loads(bytes(params)) if isinstance(params, Raw) else params))
        return self.takes

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._waiting.append(callback)

    def drain(self) -> None:
        self.congested = False
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    def deliver(self, call: Any, outcome: Any) -> None: ...

    def deliver_progress(self, call: Any, value: Any) -> None: ...

    def revisions(self) -> list[int]:
        return [
            change["revision"] for method, told in self.sent if method == "state/changed" for change in told["changes"]
        ]

    def ended(self) -> list[tuple[str, dict[str, Any]]]:
        return [(method, told) for method, told in self.sent if method != "state/changed"]


class World:
    """Watches, and a turn of the loop that a test lets pass."""

    def __init__(self, revision: int = 0) -> None:
        self.soon: deque[Callable[[], None]] = deque()
        self.watches = Watches(revision, self.soon.append)
        self.revision = revision

    def turn(self) -> None:
        while self.soon:
            self.soon.popleft()()

    def change(self, key: str, value: bytes | None = b"1") -> int:
        self.revision += 1
        self.watches.publish(Change(key, self.revision, None if value is None else Raw(value)))
        return self.revision

    def open(self, reader: Reader, prefix: str = "", from_revision: int | None = None) -> int:
        number = self.watches.open(reader, prefix, from_revision).number
        self.turn()
        return number


@pytest.mark.requirement("STA-16")
def test_a_watch_is_told_of_each_change_that_fits_in_order() -> None:
    world, reader = World(), Reader()
    world.change("a/0")
    watch = world.open(reader, "a/")
    world.change("a/1", b' {"x": 1}')
    world.change("b/1")
    world.change("a/1", None)
    assert reader.sent == [
        ("state/changed", {"watch": watch, "changes": [{"key": "a/1", "revision": 2, "value": {"x": 1}}]}),
        ("state/changed", {"watch": watch, "changes": [{"key": "a/1", "revision": 4, "deleted": True}]}),
    ]


@pytest.mark.requirement("STA-16")
def test_nothing_is_sent_before_the_answer_that_names_the_watch() -> None:
    world, reader = World(), Reader()
    world.change("a")
    world.watches.open(reader, "", 1)
    world.change("b")
    assert reader.sent == []
    world.turn()
    assert reader.revisions() == [1, 2]


@pytest.mark.requirement("STA-17")
@pytest.mark.parametrize(("wanted", "possible"), [(1, 6), (5, 6), (8, 7), (9007199254740991, 7)])
def test_a_watch_begins_only_where_nothing_is_missing(wanted: int, possible: int) -> None:
    world = World(5)
    world.change("a")
    with pytest.raises(Conflict) as error:
        world.open(Reader(), "", wanted)
    assert error.value.data == {"revision": possible}
    for good in (6, 7):
        world.open(Reader(), "", good)


@pytest.mark.requirement("STA-18")
def test_the_last_changes_are_kept_by_number_and_by_size() -> None:
    kept = KeptChanges(0)
    for revision in range(1, 4098):
        gone = kept.append(Change("k", revision, Raw(b"1")))
    assert ([change.revision for change in gone], kept.first, kept.last) == ([1], 2, 4097)
    large = Raw(b"x" * (1024 * 1024 - 1))
    for revision in range(4098, 4106):
        kept.append(Change("k", revision, large))
    assert (kept.first, kept.last) == (4098, 4105)
    assert [change.revision for change in kept.after(4103)] == [4104, 4105]
    assert list(kept.after(4105)) == []


@pytest.mark.requirement("STA-19")
def test_a_watch_that_acknowledges_nothing_stands_still_and_goes_on_later() -> None:
    world, reader = World(), Reader()
    watch = world.open(reader)
    for _ in range(1500):
        world.change("k")
    assert reader.revisions() == list(range(1, 1025))
    world.watches.acknowledge(reader, watch, 10)
    assert reader.revisions() == list(range(1, 1035))
    world.watches.acknowledge(reader, watch, 9007199254740991)
    assert reader.revisions() == list(range(1, 1501))


@pytest.mark.requirement("STA-19")
def test_a_watch_stands_still_for_bytes_as_well() -> None:
    world, reader = World(), Reader()
    watch = world.open(reader)
    for _ in range(6):
        world.change("k", b'"' + b"x" * (1024 * 1024 - 3) + b'"')
    assert reader.revisions() == [1, 2, 3, 4]
    world.watches.acknowledge(reader, watch, 1)
    assert reader.revisions() == [1, 2, 3, 4, 5]


@pytest.mark.requirement("STA-16")
def test_a_watch_whose_plugin_reads_nothing_goes_on_when_it_does() -> None:
    world, slow, quick = World(), Reader("slow"), Reader("quick")
    world.open(slow, "a")
    world.open(quick, "a")
    slow.congested = True
    for key in ("a", "b", "a", "a"):
        world.change(key)
    assert (slow.revisions(), quick.revisions()) == ([], [1, 3, 4])
    slow.drain()
    assert slow.revisions() == [1, 3, 4]
    assert len(slow.sent) == 1
    world.change("a")
    assert slow.revisions() == [1, 3, 4, 5]


@pytest.mark.requirement("STA-20")
def test_a_watch_ends_when_what_it_has_to_be_sent_is_no_longer_kept() -> None:
    world, reader = World(), Reader()
    watch = world.open(reader, "a")
    world.change("a")
    reader.congested = True
    world.change("a")
    for _ in range(4095):
        world.change("b")
    assert reader.ended() == []
    world.change("b")
    reason = "it fell behind, and the next change that it has to be sent is no longer kept"
    assert reader.ended() == [("state/unwatched", {"watch": watch, "reason": reason, "revision": 1})]
    reader.drain()
    world.change("a")
    assert reader.revisions() == [1]


@pytest.mark.requirement("STA-20")
def test_a_watch_stays_when_what_is_no_longer_kept_was_not_meant_for_it() -> None:
    world, reader = World(), Reader()
    world.open(reader, "a")
    reader.congested = True
    world.change("b")
    for _ in range(5000):
        world.change("c")
    last = world.change("a")
    reader.drain()
    assert (reader.revisions(), reader.ended()) == ([last], [])


def test_a_watch_that_begins_among_changes_that_are_not_meant_for_it_outlives_them() -> None:
    world, reader = World(), Reader()
    for _ in range(10):
        world.change("b")
    world.watches.open(reader, "a", 1)
    for _ in range(4096):
        world.change("c")
    world.turn()
    last = world.change("a")
    assert (reader.revisions(), reader.ended()) == ([last], [])


def test_a_watch_ends_when_a_change_cannot_be_sent() -> None:
    world, reader = World(), Reader()
    world.open(reader)
    reader.takes = False
    world.change("a")
    reader.takes = True
    world.change("a")
    assert reader.sent == []


@pytest.mark.requirement("STA-21")
def test_nobody_ends_or_acknowledges_the_watch_of_another() -> None:
    world, mine, other = World(), Reader("mine"), Reader("mine")
    watch = world.open(mine)
    for _ in range(1025):
        world.change("k")
    world.watches.acknowledge(other, watch, 1024)
    world.watches.acknowledge(mine, watch + 1, 1024)
    assert len(mine.revisions()) == 1024
    for reader, number in ((other, watch), (mine, watch + 1)):
        with pytest.raises(InvalidParams, match=rf"\$\.watch: 'mine' has no watch {number}; it may have ended"):
            world.watches.close(reader, number)
    world.watches.close(mine, watch)
    world.watches.acknowledge(mine, watch, 1024)
    world.change("k")
    assert len(mine.revisions()) == 1024


@pytest.mark.requirement("STA-22")
def test_a_plugin_has_so_many_watches_and_none_after_its_end() -> None:
    world, reader = World(), Reader()
    for _ in range(256):
        world.open(reader)
    with pytest.raises(QuotaExceeded, match="'p' has 256 watches"):
        world.open(reader)
    world.open(Reader())
    world.watches.left(reader)
    world.change("a")
    assert reader.sent == []
    world.open(reader)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.sampled_from(["a", "a/b", "b"]), st.integers(1, 700)),
        st.tuples(st.just("acknowledge"), st.integers(0, 2), st.integers(0, 9)),
        st.tuples(st.just("congest"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("drain"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("turn"), st.just(0), st.just(0)),
    ),
    max_size=30,
)


@pytest.mark.requirement("STA-16", "STA-20")
@settings(max_examples=200, deadline=None)
@given(steps=STEPS, size=st.sampled_from([1, 30_000]))
def test_no_watch_misses_a_change_unless_it_is_told(steps: list[tuple[str, Any, int]], size: int) -> None:
    world = World()
    readers = [Reader(name) for name in "pqr"]
    prefixes = ["", "a", "a/"]
    numbers = [
        world.watches.open(reader, prefix, None).number for reader, prefix in zip(readers, prefixes, strict=True)
    ]
    changes: list[tuple[str, int]] = []
    for step, which, much in steps:
        match step:
            case "change":
                for _ in range(much):
                    changes.append((which, world.change(which, b'"' + b"x" * size + b'"')))
            case "acknowledge":
                seen = readers[which].revisions()
                if seen:
                    world.watches.acknowledge(readers[which], numbers[which], seen[-1 - much * (len(seen) - 1) // 9])
            case "congest":
                readers[which].congested = True
            case "drain":
                readers[which].drain()
            case _:
                world.turn()
    world.turn()
    for reader, number, prefix in zip(readers, numbers, prefixes, strict=True):
        for _ in range(20):
            reader.drain()
            world.watches.acknowledge(reader, number, world.revision)
        meant = [revision for key, revision in changes if key.startswith(prefix)]
        ended = reader.ended()
        if ended:
            assert len(ended) == 1
            assert reader.sent[-1] == ended[0]
            assert reader.revisions() == [revision for revision in meant if revision <= ended[0][1]["revision"]]
        else:
            assert reader.revisions() == meant
