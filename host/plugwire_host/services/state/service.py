"""``state/get`` and what belongs to it: values that plugins share. Spec 10."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from plugwire.wire import Limits, Raw, RequestError
from plugwire.wire.depth import nests_deeper

from ..expiries import Alarm
from ..locks.service import LockService, lock_token
from ..locks.table import not_held
from ..params import RESOURCE_NAME, Params
from .store import Entry, StateStore, StoreError
from .table import LARGEST, StateTable
from .watches import Watches

if TYPE_CHECKING:
    from ...routing.call import Call, Participant
    from ...routing.router import Router
    from ...routing.service import Answer, Taker

MOST_BYTES = 1024 * 1024
_LONGEST_TEXT = 256


def wall_clock() -> int:
    """Milliseconds since 1970 (STA-09)."""
    return time.time_ns() // 1_000_000


class StateService:
    """Answers from a StateTable over ``store``, which it closes, and tells watches of changes."""

    def __init__(
        self,
        router: Router,
        store: StateStore,
        locks: LockService,
        *,
        clock: Callable[[], int] = wall_clock,
        limits: Limits | None = None,
    ) -> None:
        limits = limits or Limits()
        self._store = store
        self._locks = locks
        self._clock = clock
        self._most_bytes = min(MOST_BYTES, limits.frame_bytes - 1024)
        self._most_levels = limits.depth - 4
        self._watches = Watches(store.revision, router.loop.call_soon)
        self._table = StateTable(store, clock, self._watches.publish)
        self._alarm = Alarm(router.loop, self._expire)
        self._expire()
        self.requests: Mapping[str, Answer] = {
            "state/get": self._get,
            "state/put": self._put,
            "state/delete": self._delete,
            "state/increment": self._increment,
            "state/list": self._list,
            "state/watch": self._watch,
            "state/unwatch": self._unwatch,
        }
        self.notifications: Mapping[str, Taker] = {"state/ack": self._acknowledge}

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        pass

    def left(self, participant: Participant, reason: str) -> None:
        self._watches.left(participant)

    def close(self) -> None:
        self._alarm.cancel()
        self._store.close()

    def _get(self, call: Call) -> dict[str, Any]:
        key = _key(Params(call.params))
        self._expire()
        entry = self._table.get(key)
        return {"revision": 0} if entry is None else {"value": entry.value, "revision": entry.revision}

    def _put(self, call: Call) -> dict[str, int]:
        params = Params(call.params)
        key, value = _key(params), self._value(params)
        if_revision, ttl_ms = _if_revision(params), params.integer("ttlMs", 1, LARGEST, default=None)
        self._check_lock(params)
        owner = call.caller.name
        return self._changed(
            lambda: {"revision": self._table.put(owner, key, value, if_revision=if_revision, ttl_ms=ttl_ms)}
        )

    def _delete(self, call: Call) -> dict[str, int]:
        params = Params(call.params)
        key, if_revision = _key(params), _if_revision(params)
        self._check_lock(params)
        return self._changed(lambda: {"revision": self._table.delete(key, if_revision=if_revision)})

    def _increment(self, call: Call) -> dict[str, int]:
        params = Params(call.params)
        key, by = _key(params), params.integer("by", -LARGEST, LARGEST, default=1)
        self._check_lock(params)

        def increment() -> dict[str, int]:
            value, revision = self._table.increment(call.caller.name, key, by)
            return {"value": value, "revision": revision}

        return self._changed(increment)

    def _list(self, call: Call) -> dict[str, Any]:
        params = Params(call.params)
        prefix = params.text("prefix", most=_LONGEST_TEXT, default="")
        after = params.text("after", most=_LONGEST_TEXT, default="")
        limit, with_values = params.integer("limit", 1, 1000, default=100), params.flag("values")
        self._expire()
        entries, has_more = self._table.page(prefix, after, limit, with_values=with_values)
        page: dict[str, Any] = {"entries": [_listed(entry, with_values) for entry in entries]}
        if has_more:
            page["next"] = entries[-1].key
        page["revision"] = self._table.revision
        return page

    def _watch(self, call: Call) -> dict[str, int]:
        params = Params(call.params)
        prefix = params.text("prefix", most=_LONGEST_TEXT)
        from_revision = params.integer("fromRevision", 1, LARGEST, default=None)
        self._expire()
        watch = self._watches.open(call.participant, prefix, from_revision)
        return {"watch": watch.number, "revision": self._table.revision}

    def _unwatch(self, call: Call) -> None:
        self._watches.close(call.participant, Params(call.params).integer("watch", 1, LARGEST))

    def _acknowledge(self, participant: Participant, raw: Raw | None) -> None:
        params = Params(raw)
        self._watches.acknowledge(
            participant, params.integer("watch", 1, LARGEST), params.integer("revision", 0, LARGEST)
        )

    def _changed(self, change: Callable[[], dict[str, int]]) -> dict[str, int]:
        self._expire()
        try:
            return change()
        except StoreError as error:
            raise RequestError(f"nothing was changed: {error}") from None  # STA-13
        finally:
            self._set_alarm()

    def _value(self, params: Params) -> Raw:
        value = params.raw("value")
        if value is None:
            raise params.wrong("value", "it is missing")
        # A slice of the frame would keep the whole frame.
        data = bytes(value)
        if len(data) > self._most_bytes:
            raise params.wrong("value", f"expected at most {self._most_bytes} bytes of JSON, got {len(data)}")
        if nests_deeper(data, self._most_levels):
            raise params.wrong("value", f"expected at most {self._most_levels} levels")
        return Raw(data)

    def _check_lock(self, params: Params) -> None:
        wanted = params.nested("ifLock")
        if wanted is not None:
            name, token = lock_token(wanted)
            if not self._locks.holds(name, token):
                raise not_held(name, token)

    def _expire(self) -> None:
        self._table.expire()
        self._set_alarm()

    def _set_alarm(self) -> None:
        due = self._table.next_expiry
        self._alarm.set(None if due is None else (due - self._clock()) / 1000)


def _key(params: Params) -> str:
    return params.text("key", pattern=RESOURCE_NAME)


def _if_revision(params: Params) -> int | None:
    return params.integer("ifRevision", 0, LARGEST, default=None)


def _listed(entry: Entry, with_value: bool) -> dict[str, Any]:
    listed: dict[str, Any] = {"key": entry.key, "revision": entry.revision}
    if with_value:
        listed["value"] = entry.value
    return listed
