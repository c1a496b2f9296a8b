"""Who holds which lock, and who waits for it. Spec LCK-01 to LCK-12.

Owns: the rules. Does not own: how a wait is answered (locks.py). Times are seconds on a clock that only goes forward.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from plugwire.wire import LockLost, QuotaExceeded

from ...routing.call import Caller
from ..expiries import Expiries
from ..params import invalid

EACH = 1024


class Hold:
    """A lock in the hands of one holder."""

    __slots__ = ("lease", "lock", "owner", "token")

    def __init__(self, lock: Lock, owner: Caller, token: int, lease: float) -> None:
        self.lock = lock
        self.owner = owner
        self.token = token
        self.lease = lease


class Wait(Protocol):
    """A request that waits for a lock. It ends with ``granted`` or ``failed``, or is forgotten."""

    owner: Caller
    lease: float

    @property
    def is_over(self) -> bool:
        """Whether nobody waits any more; such a one is passed by (LCK-04)."""

    def granted(self, hold: Hold) -> None: ...

    def failed(self, error: Exception) -> None: ...


class Lock:
    """A lock that is in use."""

    __slots__ = ("held", "name", "slots", "waiting")

    def __init__(self, name: str, slots: int) -> None:
        self.name = name
        self.slots = slots
        self.held: dict[int, Hold] = {}
        self.waiting: deque[Wait] = deque()


class LockTable:
    """All locks of one host. ``next_token`` gives a new token, or raises, and then no lock is given."""

    def __init__(self, next_token: Callable[[], int], clock: Callable[[], float]) -> None:
        self._next_token = next_token
        self._clock = clock
        self._locks: dict[str, Lock] = {}
        self._holds: dict[int, Hold] = {}
        self._expiries: Expiries[int] = Expiries()
        self._used: dict[int, int] = {}  # how many locks a holder, by its id(), holds or waits for

    @property
    def next_expiry(self) -> float | None:
        return self._expiries.next()

    def acquire(self, owner: Caller, name: str, slots: int, lease: float) -> Hold | None:
        """The lock, if it is free. Raises InvalidParams (LCK-05), QuotaExceeded (LCK-12)."""
        if self._used.get(id(owner), 0) >= EACH:
            raise QuotaExceeded(f"{owner.name!r} holds or waits for {EACH} locks, which is the most")
        lock = self._lock(name, slots)
        if len(lock.held) >= lock.slots:  # while somebody waits, no slot is ever free (LCK-02)
            return None
        try:
            return self._give(lock, owner, lease)
        finally:
            self._tidy(lock)

    def wait(self, name: str, wait: Wait) -> None:
        """Stand in line for a lock that ``acquire`` has not given."""
        self._locks[name].waiting.append(wait)
        self._use(wait.owner, 1)

    def forget(self, name: str, wait: Wait) -> None:
        """It waits no more; nothing happens when it does not wait here."""
        lock = self._locks.get(name)
        if lock is not None and wait in lock.waiting:
            lock.waiting.remove(wait)
            self._use(wait.owner, -1)
            self._serve(lock)

    def hold(self, name: str, token: int) -> Hold | None:
        """Who holds a lock with a token now."""
        hold = self._holds.get(token)
        return hold if hold is not None and hold.lock.name == name else None

    def renew(self, owner: Caller, name: str, token: int, lease: float | None) -> Hold:
        """Raises LockLost (LCK-10)."""
        hold = self._own(owner, name, token)
        hold.lease = hold.lease if lease is None else lease
        self._expiries.set(token, self._clock() + hold.lease)
        return hold

    def release(self, owner: Caller, name: str, token: int) -> None:
        """Raises LockLost (LCK-10)."""
        self._end(self._own(owner, name, token))

    def expire(self) -> list[Hold]:
        """End the leases that have passed; the next in line have got their locks."""
        lost = [self._holds[token] for token in self._expiries.due(self._clock())]
        for hold in lost:
            self._end(hold)
        return lost

    def left(self, owner: Caller) -> None:
        """Free what it holds, and forget what it waits for."""
        if not self._used.pop(id(owner), 0):
            return
        for lock in list(self._locks.values()):
            lock.waiting = deque(wait for wait in lock.waiting if wait.owner is not owner)
            for hold in [hold for hold in lock.held.values() if hold.owner is owner]:
                self._drop(hold)
            self._serve(lock)

    def _lock(self, name: str, slots: int) -> Lock:
        lock = self._locks.get(name)
        if lock is not None and lock.slots != slots:
            self._serve(lock)  # those whose wait is over do not count
            lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = Lock(name, slots)
        if lock.slots != slots:
            raise invalid("$.slots", f"the lock {name} is in use with {lock.slots} slots, and {slots} were asked for")
        return lock

    def _give(self, lock: Lock, owner: Caller, lease: float) -> Hold:
        hold = Hold(lock, owner, self._next_token(), lease)
        lock.held[hold.token] = self._holds[hold.token] = hold
        self._expiries.set(hold.token, self._clock() + lease)
        self._use(owner, 1)
        return hold

    def _serve(self, lock: Lock) -> None:
        """Give what is free to those who wait, in order (LCK-02)."""
        while lock.waiting and (lock.waiting[0].is_over or len(lock.held) < lock.slots):
            wait = lock.waiting.popleft()
            self._use(wait.owner, -1)
            if wait.is_over:
                continue
            try:
                hold = self._give(lock, wait.owner, wait.lease)
            except Exception as error:
                wait.failed(error)
            else:
                wait.granted(hold)
        self._tidy(lock)

    def _own(self, owner: Caller, name: str, token: int) -> Hold:
        hold = self.hold(name, token)
        if hold is None or hold.owner is not owner:
            raise not_held(name, token)
        return hold

    def _end(self, hold: Hold) -> None:
        self._drop(hold)
        self._use(hold.owner, -1)
        self._serve(hold.lock)

    def _drop(self, hold: Hold) -> None:
        del self._holds[hold.token], hold.lock.held[hold.token]
        self._expiries.discard(hold.token)

    def _use(self, owner: Caller, number: int) -> None:
        used = self._used.get(id(owner), 0) + number
        if used > 0:
            self._used[id(owner)] = used
        else:
            self._used.pop(id(owner), None)

    def _tidy(self, lock: Lock) -> None:
        if not lock.held and not lock.waiting and self._locks.get(lock.name) is lock:
            del self._locks[lock.name]


def not_held(name: str, token: int) -> LockLost:
    """The error for a token that holds no lock, or another's."""
    return LockLost(f"the lock {name} is not held with the token {token}; it was lost or given back, or never given")
