"""``lock/acquire``, ``lock/renew``, ``lock/release`` and ``lock/lost``. Spec 10."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plugwire.requests import error_object
from plugwire.wire import DeadlineExceeded, RequestError
from plugwire.wire.codec import encode_value

from ..expiries import Alarm
from ..params import RESOURCE_NAME, Params
from ..state.store import StateStore, StoreError
from .table import Hold, LockTable

if TYPE_CHECKING:
    from ...routing.call import Call, Participant
    from ...routing.router import Router
    from ...routing.service import Answer, Taker

DEFAULT_LEASE_MS = 30_000
_LEASES = (100, 3_600_000)
_LARGEST = 2**53 - 1
_LONGEST_WAIT_MS = 2**31 - 1


class LockService:
    """Gives out leases in the order of the requests. ``store`` keeps the counter of tokens (LCK-06)."""

    def __init__(self, router: Router, store: StateStore) -> None:
        self._router = router
        self._store = store
        self._table = LockTable(self._next_token, router.loop.time)
        self._alarm = Alarm(router.loop, self._expire)
        self.requests: Mapping[str, Answer] = {
            "lock/acquire": self._acquire,
            "lock/renew": self._renew,
            "lock/release": self._release,
        }
        self.notifications: Mapping[str, Taker] = {}

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        pass

    def left(self, participant: Participant, reason: str) -> None:
        self._table.left(participant)

    def close(self) -> None:
        self._alarm.cancel()

    def holds(self, name: str, token: int) -> bool:
        """Whether a lock is held with a token at this moment (LCK-13)."""
        self._expire()
        return self._table.hold(name, token) is not None

    def _acquire(self, call: Call) -> Any:
        params = Params(call.params)
        name = params.text("name", pattern=RESOURCE_NAME)
        lease = params.integer("leaseMs", *_LEASES, default=DEFAULT_LEASE_MS) / 1000
        slots = params.integer("slots", 1, 1024, default=1)
        wait_ms = params.integer("waitMs", 0, _LONGEST_WAIT_MS, default=None)
        self._expire()
        hold = self._table.acquire(call.caller, name, slots, lease)
        if hold is not None:
            self._set_alarm()
            return _held(hold)
        if wait_ms == 0:
            raise _not_in_time(name, 0)
        wait = _WaitingCall(self, self._router, call, lease)
        self._table.wait(name, wait)
        wait.begin(name, wait_ms)
        return wait.future

    def _renew(self, call: Call) -> dict[str, int]:
        params = Params(call.params)
        name, token = lock_token(params)
        lease_ms = params.integer("leaseMs", *_LEASES, default=None)
        self._expire()
        hold = self._table.renew(call.caller, name, token, None if lease_ms is None else lease_ms / 1000)
        self._set_alarm()
        return {"leaseMs": round(hold.lease * 1000)}

    def _release(self, call: Call) -> None:
        name, token = lock_token(Params(call.params))
        self._expire()
        self._table.release(call.caller, name, token)

    def forget(self, name: str, wait: _WaitingCall) -> None:
        """A request waits no more."""
        self._table.forget(name, wait)

    def granted(self) -> None:
        """A request that waited has got its lock."""
        self._set_alarm()

    def _expire(self) -> None:
        for hold in self._table.expire():
            name, reason = hold.lock.name, f"its lease of {hold.lease:g} s has passed and was not renewed"
            told = {"name": name, "token": hold.token, "reason": reason}
            # Who has a lock is a participant: it was the caller of lock/acquire.
            participant: Any = hold.owner
            participant.send_notification("lock/lost", told)
            self._router.warn(participant.name, f"it has lost the lock {name}: {reason}")
        self._set_alarm()

    def _set_alarm(self) -> None:
        time = self._table.next_expiry
        self._alarm.set(None if time is None else time - self._router.loop.time())

    def _next_token(self) -> int:
        token = self._store.token + 1
        try:
            self._store.save_token(token)
        except StoreError as error:
            raise RequestError(f"the lock cannot be given: {error}") from None
        return token


class _WaitingCall:
    """A ``lock/acquire`` that waits. Its future ends when the call does, in whatever way."""

    def __init__(self, service: LockService, router: Router, call: Call, lease: float) -> None:
        self.owner = call.caller
        self.lease = lease
        self.future: asyncio.Future[None] = router.loop.create_future()
        self._service = service
        self._router = router
        self._call = call
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, name: str, wait_ms: int | None) -> None:
        self.future.add_done_callback(lambda _: self._end(name))
        if wait_ms is not None:
            self._timer = self._router.loop.call_later(wait_ms / 1000, self.failed, _not_in_time(name, wait_ms))

    @property
    def is_over(self) -> bool:
        return self._call.done or self.future.done()

    def granted(self, hold: Hold) -> None:
        # Answered here and now: were the answer to wait for a turn of the loop, the call might be cancelled meanwhile,
        # and the lock would be held by no one (LCK-04).
        self._service.granted()
        self._router.finish(self._call, encode_value(_held(hold)))
        self._settle()

    def failed(self, error: Exception) -> None:
        self._router.finish(self._call, error_object(error))
        self._settle()

    def _settle(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def _end(self, name: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._service.forget(name, self)


def lock_token(params: Params) -> tuple[str, int]:
    """The name and the token of a LockToken."""
    return params.text("name", pattern=RESOURCE_NAME), params.integer("token", 1, _LARGEST)


def _held(hold: Hold) -> dict[str, int]:
    return {"token": hold.token, "leaseMs": round(hold.lease * 1000)}


def _not_in_time(name: str, wait_ms: int) -> DeadlineExceeded:
    within = f"within {wait_ms / 1000:g} s" if wait_ms else "at once"
    return DeadlineExceeded(f"the lock {name} was not to be had {within}", data={"timeoutMs": wait_ms})
