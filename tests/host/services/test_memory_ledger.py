"""Who may do what with a memory, and when nobody has it any more; no files, no processes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from plugwire.wire import RequestError
from plugwire_host.services.memory.ledger import Memory, MemoryLedger

MIB = 1 << 20


def refusal(action: Callable[[], Any]) -> tuple[int, Any]:
    """The code and the data of the error that an action ends with."""
    with pytest.raises(RequestError) as caught:
        action()
    return caught.value.code, caught.value.data


def outcome(action: Callable[[], Memory]) -> tuple[Memory | None, int]:
    """What an action gives, or the code of its error."""
    try:
        return action(), 0
    except RequestError as error:
        return None, error.code


@pytest.mark.requirement("MEM-02")
def test_a_handle_is_128_random_bits() -> None:
    ledger = MemoryLedger()
    handles = {ledger.open("a", 1).handle for _ in range(100)}
    assert len(handles) == 100
    assert all(re.fullmatch("mem_[0-9a-f]{32}", handle) for handle in handles)


@pytest.mark.requirement("MEM-07")
def test_each_commit_is_one_more_and_says_what_may_be_read() -> None:
    ledger = MemoryLedger()
    memory = ledger.open("a", 10)
    assert (memory.generation, memory.length, memory.checksum) == (0, 0, None)
    ledger.commit("a", memory.handle, 10, "crc32:00000001")
    assert (memory.generation, memory.length, memory.checksum) == (1, 10, "crc32:00000001")
    ledger.commit("a", memory.handle, 0, None)
    assert (memory.generation, memory.length, memory.checksum) == (2, 0, None)


@pytest.mark.requirement("MEM-07")
def test_a_commit_of_more_than_there_is_changes_nothing() -> None:
    ledger = MemoryLedger()
    memory = ledger.open("a", 10)
    problem = {"path": "$.length", "message": "expected an integer from 0 to 10, the size of the memory"}
    assert refusal(lambda: ledger.commit("a", memory.handle, 11, None)) == (-32602, {"problems": [problem]})
    assert memory.generation == 0


@pytest.mark.requirement("MEM-06")
def test_nobody_but_the_creator_commits_and_not_without_its_lease() -> None:
    ledger = MemoryLedger()
    memory = ledger.open("a", 10)
    assert refusal(lambda: ledger.commit("b", memory.handle, 1, None)) == (-32014, None)
    ledger.commit("a", memory.handle, 1, None)
    ledger.attach("b", memory.handle, None)
    assert refusal(lambda: ledger.commit("b", memory.handle, 1, None)) == (-32014, None)
    ledger.release("a", memory.handle)
    assert refusal(lambda: ledger.commit("a", memory.handle, 1, None)) == (-32014, None)
    assert memory.generation == 1


@pytest.mark.requirement("MEM-08", "MEM-09")
def test_what_is_not_the_last_commit_cannot_be_attached() -> None:
    ledger = MemoryLedger()
    memory = ledger.open("a", 10)
    assert refusal(lambda: ledger.attach("b", memory.handle, None)) == (-32022, {"revision": 0})
    assert refusal(lambda: ledger.attach("b", memory.handle, 0)) == (-32022, {"revision": 0})
    ledger.commit("a", memory.handle, 1, None)
    ledger.commit("a", memory.handle, 2, None)
    assert refusal(lambda: ledger.attach("b", memory.handle, 1)) == (-32022, {"revision": 2})
    assert refusal(lambda: ledger.attach("b", memory.handle, 3)) == (-32022, {"revision": 2})
    assert memory.holders == {"a"}
    assert ledger.attach("b", memory.handle, 2) is memory
    assert memory.holders == {"a", "b"}


@pytest.mark.requirement("MEM-13", "MEM-19")
def test_a_memory_that_is_not_there_any_more_is_named_in_the_error() -> None:
    ledger = MemoryLedger()
    memory = ledger.open("a", 10)
    assert refusal(lambda: ledger.release("b", memory.handle)) == (
        -32602,
        {"problems": [{"path": "$.memory", "message": f"there is no lease on {memory.handle} to release"}]},
    )
    assert ledger.release("a", memory.handle).holders == set()
    message = f"there is no memory '{memory.handle}'; it was never there, or nobody had a lease on it"
    gone = (-32602, {"problems": [{"path": "$.memory", "message": message}]})
    assert refusal(lambda: ledger.release("a", memory.handle)) == gone
    assert refusal(lambda: ledger.attach("a", memory.handle, None)) == gone
    assert refusal(lambda: ledger.commit("a", memory.handle, 1, None)) == gone


@pytest.mark.requirement("MEM-05")
def test_a_participant_holds_no_more_than_its_share() -> None:
    ledger = MemoryLedger()
    first = ledger.open("a", 1024 * MIB)
    ledger.open("a", 1024 * MIB)
    assert refusal(lambda: ledger.open("a", 1))[0] == -32023
    # What it attaches to counts as well, and others have shares of their own.
    other = ledger.open("b", 1)
    ledger.commit("b", other.handle, 1, None)
    assert refusal(lambda: ledger.attach("a", other.handle, None))[0] == -32023
    ledger.commit("a", first.handle, 1, None)
    assert ledger.attach("a", first.handle, None) is first, "it has a lease on it already"
    ledger.release("a", first.handle)
    assert ledger.attach("a", other.handle, None) is other


@pytest.mark.requirement("MEM-05")
def test_many_small_memories_are_bounded_too() -> None:
    ledger = MemoryLedger()
    for _ in range(1024):
        ledger.open("a", 1)
    with pytest.raises(RequestError) as caught:
        ledger.open("a", 1)
    assert str(caught.value).endswith(
        "a participant may hold 1024 memories of together 2147483648 bytes, and it has 1024 of together 1024:"
        " release what is no longer needed"
    )


@pytest.mark.requirement("MEM-14")
def test_whoever_leaves_takes_all_of_its_leases_along() -> None:
    ledger = MemoryLedger()
    own, shared = ledger.open("a", 1), ledger.open("b", 1)
    ledger.commit("b", shared.handle, 1, None)
    ledger.attach("a", shared.handle, None)
    assert {memory.handle: memory.holders for memory in ledger.leave("a")} == {own.handle: set(), shared.handle: {"b"}}
    assert ledger.leave("a") == []


class Model(RuleBasedStateMachine):
    """The ledger against sets of names: who holds what, and which commit is the last."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = MemoryLedger()
        self.memories: list[Memory] = []
        self.holders: dict[str, set[str]] = {}
        self.commits: dict[str, list[int]] = {}

    who = st.sampled_from("abc")

    @rule(who=who, size=st.sampled_from([1, 5, 512 * MIB, 1024 * MIB]))
    def open(self, who: str, size: int) -> None:
        memory, code = outcome(lambda: self.ledger.open(who, size))
        assert code == (-32023 if self.held_bytes(who) + size > 2048 * MIB else 0)
        if memory is not None:
            self.memories.append(memory)
            self.holders[memory.handle], self.commits[memory.handle] = {who}, []

    def held_bytes(self, who: str) -> int:
        return sum(memory.size for memory in self.memories if who in self.holders[memory.handle])

    @precondition(lambda self: self.memories)
    @rule(which=st.integers(0, 99), who=who, generation=st.none() | st.integers(0, 3))
    def attach(self, which: int, who: str, generation: int | None) -> None:
        memory = self.memories[which % len(self.memories)]
        commits, holders = self.commits[memory.handle], self.holders[memory.handle]
        expected = 0
        if not holders:
            expected = -32602
        elif not commits or generation not in (None, len(commits)):
            expected = -32022
        elif who not in holders and self.held_bytes(who) + memory.size > 2048 * MIB:
            expected = -32023
        attached, code = outcome(lambda: self.ledger.attach(who, memory.handle, generation))
        assert code == expected
        if attached is not None:
            assert attached.length == commits[-1]
            holders.add(who)

    @precondition(lambda self: self.memories)
    @rule(which=st.integers(0, 99), who=who, length=st.integers(0, 7))
    def commit(self, which: int, who: str, length: int) -> None:
        memory = self.memories[which % len(self.memories)]
        holders = self.holders[memory.handle]
        expected = 0
        if not holders:
            expected = -32602
        elif who != memory.creator or who not in holders:
            expected = -32014
        elif length > memory.size:
            expected = -32602
        _, code = outcome(lambda: self.ledger.commit(who, memory.handle, length, None))
        assert code == expected
        if not code:
            self.commits[memory.handle].append(length)

    @precondition(lambda self: self.memories)
    @rule(which=st.integers(0, 99), who=who)
    def release(self, which: int, who: str) -> None:
        memory = self.memories[which % len(self.memories)]
        holders = self.holders[memory.handle]
        _, code = outcome(lambda: self.ledger.release(who, memory.handle))
        assert code == (0 if who in holders else -32602)
        holders.discard(who)

    @rule(who=who)
    def leave(self, who: str) -> None:
        left = {memory.handle for memory in self.ledger.leave(who)}
        assert left == {handle for handle, holders in self.holders.items() if who in holders}
        for holders in self.holders.values():
            holders.discard(who)

    @invariant()
    def holders_are_those_of_the_model(self) -> None:
        for memory in self.memories:
            assert memory.holders == self.holders[memory.handle]
            assert memory.generation == len(self.commits[memory.handle])

    @invariant()
    def nobody_holds_more_than_its_share(self) -> None:
        for who in "abc":
            assert self.held_bytes(who) <= 2048 * MIB


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
