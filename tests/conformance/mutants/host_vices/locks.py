"""Vices of locks."""

import itertools
from typing import Any

from plugwire_host.services.locks import table
from plugwire_host.services.locks.service import LockService, _WaitingCall
from plugwire_host.services.locks.table import Lock, LockTable
from plugwire_host.services.state.service import StateService
from tests.conformance.mutants.vices import vice


@vice("host", "lock-has-one-holder-too-many", kills=("locks/one-holder",), because="LCK-01")
def lock_has_one_holder_too_many() -> None:
    """Locks with more than one slot have one more."""
    good = Lock.__init__

    def init(self: Any, name: str, slots: int) -> None:
        good(self, name, slots)
        self.held = _Roomy() if name == "two" else self.held

    class _Roomy(dict[int, Any]):
        def __len__(self) -> int:
            return super().__len__() - 1

        def __bool__(self) -> bool:
            return super().__len__() > 0

    Lock.__init__ = init


@vice("host", "last-who-waits-is-first", kills=("locks/in-order",), because="LCK-02")
def last_who_waits_is_first() -> None:
    good = LockTable.wait

    def wait(self: Any, name: str, one: Any) -> None:
        good(self, name, one)
        self._locks[name].waiting.rotate(1)

    LockTable.wait = wait


@vice("host", "waits-have-no-end", kills=("locks/wait-ends", "locks/renew"), because=("LCK-03", "LCK-08"))
def waits_have_no_end() -> None:
    """waitMs is taken for the time of any call."""
    good = _WaitingCall.begin
    _WaitingCall.begin = lambda self, name, wait_ms: good(self, name, None)


@vice("host", "cancelled-wait-gets-the-lock", kills=("locks/wait-ends",), because="LCK-04")
def cancelled_wait_gets_the_lock() -> None:
    """Who was cancelled stays in the queue, and gets the lock later."""
    LockTable.forget = lambda self, name, wait: None
    _WaitingCall.is_over = property(lambda self: False)


@vice("host", "slots-are-changed-in-use", kills=("locks/other-slots",), because="LCK-05")
def slots_are_changed_in_use() -> None:
    good = LockTable._lock

    def lock(self: Any, name: str, slots: int) -> Any:
        there = self._locks.get(name)
        if there is not None:
            there.slots = slots
        return good(self, name, slots)

    LockTable._lock = lock


@vice("host", "tokens-fall", kills=("locks/tokens-rise", "state/lasts"), because=("LCK-06", "STA-14"))
def tokens_fall() -> None:
    numbers = itertools.count(10**6, -1)
    LockService._next_token = lambda self: next(numbers)


@vice("host", "lost-lock-is-not-told", kills=("locks/lease", "locks/renew"), because=("LCK-07", "LCK-08"))
def lost_lock_is_not_told() -> None:
    def expire(self: Any) -> None:
        self._table.expire()
        self._set_alarm()

    LockService._expire = expire


@vice("host", "lease-begins-with-the-request", kills=("locks/lease-begins-when-given",), because="LCK-07")
def lease_begins_with_the_request() -> None:
    good = _WaitingCall.__init__

    def init(self: Any, service: Any, router: Any, call: Any, lease: float) -> None:
        good(self, service, router, call, lease)
        self.asked = router.loop.time()

    granted = _WaitingCall.granted

    def give(self: Any, hold: Any) -> None:
        waited = self._router.loop.time() - self.asked
        table_ = self._service._table
        table_._expiries.set(hold.token, table_._clock() + max(0.0, hold.lease - waited))
        granted(self, hold)

    _WaitingCall.__init__ = init
    _WaitingCall.granted = give


@vice("host", "renewal-does-nothing", kills=("locks/renew",), because="LCK-08")
def renewal_does_nothing() -> None:
    def renew(self: Any, owner: Any, name: str, token: int, lease: float | None) -> Any:
        hold = self._own(owner, name, token)
        hold.lease = hold.lease if lease is None else lease
        return hold

    LockTable.renew = renew


@vice("host", "release-by-anyone", kills=("locks/only-the-holder",), because="LCK-10")
def release_by_anyone() -> None:
    def own(self: Any, owner: Any, name: str, token: int) -> Any:
        hold = self.hold(name, token)
        if hold is None:
            raise table.not_held(name, token)
        return hold

    LockTable._own = own


@vice("host", "dead-holders-keep-their-locks", kills=("locks/end-of-the-holder",), because="LCK-11")
def dead_holders_keep_their_locks() -> None:
    LockService.left = lambda self, participant, reason: None


@vice("host", "locks-without-end", kills=("locks/how-many",), because="LCK-12")
def locks_without_end() -> None:
    table.EACH = 100_000


@vice("host", "changes-without-their-lock", kills=("locks/changes-under-a-lock",), because="LCK-13")
def changes_without_their_lock() -> None:
    StateService._check_lock = lambda self, params: None


@vice(
    "host",
    "released-lock-waits-for-its-lease",
    kills=("locks/one-holder", "locks/in-order", "locks/end-of-the-holder"),
    because=("LCK-09", "LCK-02", "LCK-11"),
)
def released_lock_is_not_given_on() -> None:
    """A lock that is given back goes to nobody who waits."""
    good = LockTable.release

    def release(self: Any, owner: Any, name: str, token: int) -> None:
        hold = self._own(owner, name, token)
        waiting = list(hold.lock.waiting)
        hold.lock.waiting.clear()
        good(self, owner, name, token)
        if waiting:
            lock = self._locks.setdefault(name, hold.lock)
            lock.waiting.extend(waiting)

    LockTable.release = release
