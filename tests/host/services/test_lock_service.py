"""Locks through the router, where what happens in one turn of the loop can be told apart."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from plugwire.wire import ErrorObject
from plugwire_host.routing.call import Call, Outcome, encode_params
from plugwire_host.routing.registry import Registry
from plugwire_host.routing.router import Router
from plugwire_host.services.locks.service import LockService
from plugwire_host.services.state.store import MemoryStore, StoreError


class Someone:
    """A participant that keeps what it is answered: a result, or the code of an error."""

    maps_memory = False
    congested = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.ranges: Mapping[str, Any] = {}
        self.answers: list[Any] = []
        self.notifications: list[tuple[str, Any]] = []

    def deliver(self, call: Call, outcome: Outcome) -> None:
        self.answers.append(outcome.code if isinstance(outcome, ErrorObject) else json.loads(bytes(outcome)))

    def deliver_progress(self, call: Call, value: Any) -> None: ...

    def send_notification(self, method: str, params: Any) -> bool:
        self.notifications.append((method, params))
        return True

    def when_drained(self, callback: Callable[[], None]) -> None: ...


class FullDisk(MemoryStore):
    """A store that stops writing."""

    is_full = False

    def save_token(self, token: int) -> None:
        if self.is_full:
            raise StoreError("the disk is full")
        super().save_token(token)


class World:
    """A router with nothing but locks."""

    def __init__(self) -> None:
        self.warnings: list[tuple[str, str]] = []
        self.router = Router(Registry(), default_timeout=60, on_dropped=lambda *told: self.warnings.append(told))
        self.store = FullDisk()
        self.locks = LockService(self.router, self.store)
        self.router.services.add(self.locks)

    def ask(self, who: Someone, method: str, **params: Any) -> Call:
        call = Call(who, 1, f"lock/{method}", encode_params({"name": "l", **params}), None)
        self.router.take(call, None)
        return call

    def is_unused(self) -> bool:
        table = self.locks._table
        return (table._locks, table._holds, table._used) == ({}, {}, {})


def run(program: Callable[[World], Any]) -> None:
    """Run a program that may await, in a loop of its own."""

    async def main() -> None:
        world = World()
        result = program(world)
        if result is not None:
            await result
        world.router.close()

    asyncio.run(main())


@pytest.mark.requirement("LCK-04")
def test_a_request_that_is_cancelled_before_anything_else_happens_leaves_nothing_behind() -> None:
    async def program(world: World) -> None:
        a, b = Someone("a"), Someone("b")
        world.ask(a, "acquire")
        call = world.ask(b, "acquire")
        world.router.cancel(call)
        await asyncio.sleep(0)
        assert b.answers == [-32800]
        assert world.locks._table._used == {id(a): 1}
        world.ask(a, "release", token=1)
        assert world.is_unused()

    run(program)


@pytest.mark.requirement("LCK-04")
def test_a_lock_that_is_free_in_the_turn_in_which_its_request_is_cancelled_goes_to_the_next() -> None:
    async def program(world: World) -> None:
        a, b, c = Someone("a"), Someone("b"), Someone("c")
        world.ask(a, "acquire")
        call = world.ask(b, "acquire")
        world.ask(c, "acquire")
        await asyncio.sleep(0)
        world.router.cancel(call)
        world.ask(a, "release", token=1)
        assert (b.answers, c.answers) == ([-32800], [{"token": 2, "leaseMs": 30_000}])

    run(program)


@pytest.mark.requirement("LCK-04")
def test_a_request_that_is_granted_is_answered_before_it_can_be_cancelled() -> None:
    async def program(world: World) -> None:
        a, b = Someone("a"), Someone("b")
        world.ask(a, "acquire")
        call = world.ask(b, "acquire")
        await asyncio.sleep(0)
        world.ask(a, "release", token=1)
        world.router.cancel(call)
        await asyncio.sleep(0)
        assert b.answers == [{"token": 2, "leaseMs": 30_000}]
        world.ask(b, "release", token=2)
        assert world.is_unused()

    run(program)


@pytest.mark.requirement("LCK-11")
def test_a_participant_that_has_left_gets_nothing_any_more() -> None:
    async def program(world: World) -> None:
        a, b = Someone("a"), Someone("b")
        world.ask(a, "acquire")
        world.ask(b, "acquire")
        world.router.services.left(b, "killed")
        world.router.services.left(a, "killed")
        await asyncio.sleep(0)
        assert b.answers == []
        assert world.is_unused()

    run(program)


def test_a_lock_whose_token_cannot_be_kept_is_not_given() -> None:
    async def program(world: World) -> None:
        a, b = Someone("a"), Someone("b")
        world.ask(a, "acquire")
        world.ask(b, "acquire")
        world.store.is_full = True
        world.ask(a, "acquire", name="m")
        world.ask(a, "release", token=1)
        await asyncio.sleep(0)
        assert (a.answers[1:], b.answers) == ([-32603, None], [-32603])
        assert world.is_unused()
        world.store.is_full = False
        world.ask(a, "acquire")
        assert a.answers[-1] == {"token": 2, "leaseMs": 30_000}

    run(program)


@pytest.mark.requirement("LCK-07")
def test_the_holder_is_told_and_people_are_that_a_lease_has_passed() -> None:
    async def program(world: World) -> None:
        a, b = Someone("a"), Someone("b")
        world.ask(a, "acquire", leaseMs=100)
        world.ask(b, "acquire")
        while not b.answers:
            await asyncio.sleep(0)
        reason = "its lease of 0.1 s has passed and was not renewed"
        assert a.notifications == [("lock/lost", {"name": "l", "token": 1, "reason": reason})]
        assert world.warnings == [("a", f"it has lost the lock l: {reason}")]
        world.locks.close()

    run(program)
