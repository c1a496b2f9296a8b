"""The rules of values and revisions, against a plain dict, over both stores."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from plugwire.wire import Conflict, InvalidParams, QuotaExceeded, Raw
from plugwire_host.services.state.sqlite import open_store
from plugwire_host.services.state.store import Change, Entry, MemoryStore, StoreError
from plugwire_host.services.state.table import StateTable


class Clock:
    """Milliseconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


def table() -> tuple[StateTable, Clock, list[Change]]:
    clock, changes = Clock(), list[Change]()
    return StateTable(MemoryStore(), clock, changes.append), clock, changes


KEYS = st.sampled_from(["a", "a/b", "a/c", "b", "b/a", "_x"])
VALUES = st.sampled_from([b"1", b"-7", b"9007199254740991", b'"text"', b"null", b'{"a":[1.5]}', b"1.0", b" 2"])


class Model(RuleBasedStateMachine):
    """What the table says is what a dict with a counter says; and a reopened file says the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path: Path | None = None
        self.clock = Clock()
        self.changes: list[Change] = []
        self.expected: dict[str, tuple[bytes, int, int | None]] = {}
        self.counter = 0
        self.open()

    def open(self) -> None:
        self.store = open_store(self.path)
        self.table = StateTable(self.store, self.clock, self.changes.append)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def count(self) -> int:
        self.counter += 1
        return self.counter

    def revision_of(self, key: str) -> int:
        return self.expected[key][1] if key in self.expected else 0

    @rule(key=KEYS, value=VALUES, ttl=st.sampled_from([None, None, 1, 50]))
    def put(self, key: str, value: bytes, ttl: int | None) -> None:
        revision = self.table.put("p", key, Raw(value), ttl_ms=ttl)
        self.expected[key] = value, self.count(), None if ttl is None else self.clock.now + ttl
        assert revision == self.counter

    @rule(key=KEYS, value=VALUES, guess=st.integers(0, 20), knows=st.booleans())
    def put_if(self, key: str, value: bytes, guess: int, knows: bool) -> None:
        there = self.revision_of(key)
        wanted = there if knows else guess
        if wanted == there:
            assert self.table.put("p", key, Raw(value), if_revision=wanted) == self.count()
            self.expected[key] = value, self.counter, None
        else:
            with pytest.raises(Conflict) as error:
                self.table.put("p", key, Raw(value), if_revision=wanted)
            assert error.value.data == {"revision": there}

    @rule(key=KEYS, guess=st.sampled_from([None, None, 0, 3]))
    def delete(self, key: str, guess: int | None) -> None:
        there = self.revision_of(key)
        if guess is not None and guess != there:
            with pytest.raises(Conflict):
                self.table.delete(key, if_revision=guess)
            return
        revision = self.table.delete(key, if_revision=guess)
        assert revision == (self.count() if self.expected.pop(key, None) else 0)

    @rule(key=KEYS, by=st.sampled_from([1, 1, -1, 9007199254740991]))
    def increment(self, key: str, by: int) -> None:
        value, _, expires = self.expected.get(key, (b"0", 0, None))
        if value not in (b"0", b"1", b"-7", b"9007199254740991", b" 2") and not value.lstrip(b"-").isdigit():
            with pytest.raises(InvalidParams):
                self.table.increment("p", key, by)
            return
        total = int(value) + by
        if not -9007199254740991 <= total <= 9007199254740991:
            with pytest.raises(InvalidParams):
                self.table.increment("p", key, by)
            return
        assert self.table.increment("p", key, by) == (total, self.count())
        self.expected[key] = str(total).encode(), self.counter, expires

    @rule(passed=st.integers(1, 60))
    def time_passes(self, passed: int) -> None:
        self.clock.now += passed
        self.table.expire()
        gone = [
            (expires, key) for key, (_, _, expires) in self.expected.items() if expires and expires <= self.clock.now
        ]
        for change in self.changes[len(self.changes) - len(gone) :]:
            assert change.value is None
            assert self.count() == change.revision
            del self.expected[change.key]
        assert not [key for _, key in gone if key in self.expected]

    @rule()
    def restart(self) -> None:
        if self.path is not None:
            self.store.close()
            self.open()

    @invariant()
    def they_agree(self) -> None:
        entries, more = self.table.page("", "", 1000, with_values=True)
        assert not more
        assert [(e.key, bytes(e.value), e.revision, e.expires) for e in entries] == [
            (key, *self.expected[key]) for key in sorted(self.expected)
        ]
        assert self.table.revision == self.counter == len(self.changes)
        assert [change.revision for change in self.changes] == list(range(1, self.counter + 1))
        for prefix in ("", "a", "a/", "b/a", "z"):
            found: list[str] = []
            more = True
            while more:
                page, more = self.table.page(prefix, found[-1] if found else "", 2, with_values=False)
                assert page or not more
                found += [entry.key for entry in page]
            assert found == sorted(key for key in self.expected if key.startswith(prefix))


class FileModel(Model):
    def open(self) -> None:
        self.path = Path(self.folder.name) / "state.db"
        super().open()


@pytest.mark.requirement("STA-02", "STA-05", "STA-06", "STA-07", "STA-08", "STA-09", "STA-10")
def test_a_table_in_memory_is_a_dict_with_a_counter() -> None:
    run_state_machine_as_test(Model, settings=settings(max_examples=150, stateful_step_count=40, deadline=None))


@pytest.mark.requirement("STA-14")
def test_a_table_in_a_file_is_the_same_and_lasts() -> None:
    run_state_machine_as_test(FileModel, settings=settings(max_examples=60, stateful_step_count=30, deadline=None))


@pytest.mark.requirement("STA-09")
def test_a_value_whose_time_has_passed_is_not_shown_even_before_it_is_deleted() -> None:
    values, clock, changes = table()
    values.put("p", "a", Raw(b"1"), ttl_ms=10)
    clock.now += 10
    assert values.get("a") is None
    assert values.page("", "", 9, with_values=False) == ([], False)
    assert values.increment("p", "a", 1) == (1, 2)
    found = values.get("a")
    assert found is not None
    assert found.expires is None
    values.expire()
    assert [change.revision for change in changes] == [1, 2]


@pytest.mark.requirement("STA-07")
def test_adding_keeps_the_time_that_is_left_and_putting_ends_it() -> None:
    values, clock, _ = table()
    values.put("p", "a", Raw(b"1"), ttl_ms=10)
    values.put("p", "b", Raw(b"1"), ttl_ms=10)
    values.increment("p", "a", 1)
    values.put("p", "b", Raw(b"1"))
    clock.now += 10
    values.expire()
    assert [entry.key for entry in values.page("", "", 9, with_values=False)[0]] == ["b"]
    assert values.next_expiry is None


def test_times_that_are_set_again_and_again_take_no_more_room() -> None:
    values, clock, _ = table()
    for _ in range(1000):
        clock.now += 1
        values.put("p", "a", Raw(b"1"), ttl_ms=60_000)
    assert len(values._expiries._heap) <= 67
    assert values.next_expiry == 1_061_000


class FullDisk(MemoryStore):
    """A store that stops writing."""

    is_full = False

    def put(self, entry: Entry) -> None:
        self._check()
        super().put(entry)

    def delete(self, key: str, revision: int) -> None:
        self._check()
        super().delete(key, revision)

    def _check(self) -> None:
        if self.is_full:
            raise StoreError("the disk is full")


@pytest.mark.requirement("STA-13")
def test_what_cannot_be_stored_changes_nothing() -> None:
    store, clock, changes = FullDisk(), Clock(), list[Change]()
    values = StateTable(store, clock, changes.append)
    values.put("p", "a", Raw(b"1"))
    values.put("p", "t", Raw(b"2"), ttl_ms=5)
    store.is_full = True
    attempts: list[Any] = [
        lambda: values.put("p", "a", Raw(b"2")),
        lambda: values.put("p", "new", Raw(b"2")),
        lambda: values.increment("p", "a", 1),
        lambda: values.delete("a"),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError):
            attempt()
    clock.now += 5
    values.expire()
    assert (len(changes), values.revision) == (2, 2)
    assert [(e.key, bytes(e.value), e.revision) for e in values.page("", "", 9, with_values=True)[0]] == [
        ("a", b"1", 1)
    ]
    store.is_full = False
    clock.now += 999
    values.expire()
    assert len(changes) == 2
    clock.now += 1
    values.expire()
    assert (changes[2].key, changes[2].revision, changes[2].value) == ("t", 3, None)


@pytest.mark.requirement("STA-12")
def test_an_owner_has_so_many_bytes_and_what_others_take_over_is_theirs() -> None:
    values, _, _ = table()
    text = Raw(b'"' + b"x" * (1024 * 1024 - 4) + b'"')  # with its key of two characters one MiB
    for number in range(32):
        values.put("a", f"{number:02}", text)
    with pytest.raises(
        QuotaExceeded, match="'a' has written 33554432 bytes of at most 33554432, and 3 more do not fit"
    ):
        values.put("a", "xx", Raw(b"1"))
    values.put("a", "00", text)
    values.put("b", "xx", Raw(b"1"))
    with pytest.raises(QuotaExceeded):
        values.increment("a", "xx", 1)
    values.put("b", "00", Raw(b"1"))
    values.increment("a", "xx", 1)
    values.delete("01")
    values.put("a", "01", Raw(text))


@pytest.mark.requirement("STA-12")
def test_an_owner_has_so_many_keys() -> None:
    values, _, _ = table()
    for number in range(65536):
        values.put("a", str(number), Raw(b"1"))
    with pytest.raises(QuotaExceeded, match="'a' has written 65536 keys"):
        values.put("a", "x", Raw(b"1"))
    values.put("a", "0", Raw(b"2"))
    values.put("b", "x", Raw(b"1"))
    values.put("b", "1", Raw(b"1"))
    values.put("a", "y", Raw(b"1"))


@pytest.mark.requirement("STA-10")
def test_a_page_of_values_ends_early_rather_than_be_too_long() -> None:
    values, _, _ = table()
    for key in "abc":
        values.put("p", key, Raw(b'"' + b"x" * 200_000 + b'"'))
    page, more = values.page("", "", 100, with_values=True)
    assert ([entry.key for entry in page], more) == (["a"], True)
    page, more = values.page("", "b", 100, with_values=True)
    assert ([entry.key for entry in page], more) == (["c"], False)
    assert len(values.page("", "", 100, with_values=False)[0]) == 3


@pytest.mark.requirement("STA-08")
@pytest.mark.parametrize("value", ["1.0", "1e3", "true", "null", '"1"', "[1]", "9007199254740992", "-9007199254740992"])
def test_only_integers_can_be_added_to(value: str) -> None:
    values, _, _ = table()
    values.put("p", "a", Raw(value.encode()))
    with pytest.raises(InvalidParams) as error:
        values.increment("p", "a", 1)
    assert error.value.data["problems"][0]["path"] == "$.key"
    assert values.revision == 1


@pytest.mark.requirement("STA-08")
def test_a_sum_stays_within_bounds() -> None:
    values, _, _ = table()
    values.increment("p", "a", 9007199254740991)
    values.increment("p", "b", -9007199254740991)
    for key, by in (("a", 1), ("b", -1)):
        with pytest.raises(InvalidParams):
            values.increment("p", key, by)
    assert values.increment("p", "a", -9007199254740991) == (0, 3)
