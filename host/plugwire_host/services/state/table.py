"""The values and their revisions: which changes are allowed, and what they do. Spec STA-01 to STA-13.

Owns: the rules. Does not own: what lasts (store.py), who is told of a change (watches.py), and clocks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable

from attrs import evolve

from plugwire.wire import Conflict, InvalidParams, QuotaExceeded, Raw
from plugwire.wire.codec import MalformedJson, decode_value, encode_value

from ..expiries import Expiries
from ..params import invalid
from .store import Change, Entry, StateStore, StoreError

LARGEST = 2**53 - 1
OWNED_BYTES = 32 * 1024 * 1024
OWNED_KEYS = 65536
PAGE_BYTES = 256 * 1024
"""A page of values ends where it would be longer, so that one answer does not hold up what comes behind it."""


class StateTable:
    """All values of one host. Everything is read from memory; a change is stored first, and then it is there.

    ``clock`` gives milliseconds since 1970; ``on_change`` is called with each change. Errors: Conflict, QuotaExceeded,
    InvalidParams, and StoreError when a change could not be stored; then nothing has changed.
    """

    def __init__(self, store: StateStore, clock: Callable[[], int], on_change: Callable[[Change], None]) -> None:
        self._store = store
        self._clock = clock
        self._on_change = on_change
        self._entries = {entry.key: entry for entry in store.entries()}
        self._keys = sorted(self._entries)
        self._owned: dict[str, tuple[int, int]] = {}  # how many keys and bytes, by owner
        self._expiries: Expiries[str] = Expiries()
        for entry in self._entries.values():
            self._account(None, entry)

    @property
    def revision(self) -> int:
        """That of the last change."""
        return self._store.revision

    @property
    def next_expiry(self) -> float | None:
        """When a time ends next, in milliseconds since 1970."""
        return self._expiries.next()

    def get(self, key: str) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None and entry.expires is not None and entry.expires <= self._clock():
            return None
        return entry

    def put(
        self, owner: str, key: str, value: Raw, *, if_revision: int | None = None, ttl_ms: int | None = None
    ) -> int:
        """The revision of the change."""
        self._check_revision(key, if_revision)
        expires = None if ttl_ms is None else self._clock() + ttl_ms
        return self._put(Entry(key, value, self.revision + 1, owner, expires))

    def increment(self, owner: str, key: str, by: int) -> tuple[int, int]:
        """The sum, and the revision of the change."""
        entry = self.get(key)
        total = (0 if entry is None else _integer(entry)) + by
        if abs(total) > LARGEST:
            raise invalid("$.by", f"the sum {total} is not within ±(2^53−1)")
        value, revision = encode_value(total), self.revision + 1
        if entry is None:
            self._put(Entry(key, value, revision, owner))
        else:
            self._put(evolve(entry, value=value, revision=revision, owner=owner))
        return total, revision

    def delete(self, key: str, *, if_revision: int | None = None) -> int:
        """The revision of the change; 0 when nothing was there."""
        self._check_revision(key, if_revision)
        return self._delete(key) if self.get(key) is not None else 0

    def expire(self) -> None:
        """Delete what has had its time (STA-09); what cannot be deleted now is not shown, and tried again later."""
        now = self._clock()
        for key in self._expiries.due(now):
            try:
                self._delete(key)
            except StoreError:
                self._expiries.set(key, now + 1000)

    def page(self, prefix: str, after: str, limit: int, *, with_values: bool) -> tuple[list[Entry], bool]:
        """The next keys in order, and whether there are more."""
        keys, found, size = self._keys, list[Entry](), 0
        position = max(bisect_left(keys, prefix), bisect_right(keys, after))
        while position < len(keys) and keys[position].startswith(prefix):
            entry = self.get(keys[position])
            position += 1
            if entry is None:
                continue
            size += entry.size if with_values else 0
            if len(found) == limit or (found and size > PAGE_BYTES):
                return found, True
            found.append(entry)
        return found, False

    def _check_revision(self, key: str, wanted: int | None) -> None:
        if wanted is None:
            return
        entry = self.get(key)
        revision = 0 if entry is None else entry.revision
        if revision != wanted:
            there = f"has the revision {revision}" if revision else "is not there"
            raise Conflict(f"{key} {there}, and {wanted} was expected", data={"revision": revision})

    def _put(self, entry: Entry) -> int:
        old = self._entries.get(entry.key)
        self._check_quota(old, entry)
        self._store.put(entry)
        self._entries[entry.key] = entry
        if old is None:
            insort(self._keys, entry.key)
        self._account(old, entry)
        self._on_change(Change(entry.key, entry.revision, entry.value))
        return entry.revision

    def _delete(self, key: str) -> int:
        revision = self.revision + 1
        self._store.delete(key, revision)
        old = self._entries.pop(key)
        del self._keys[bisect_left(self._keys, key)]
        self._account(old, None)
        self._on_change(Change(key, revision, None))
        return revision

    def _check_quota(self, old: Entry | None, new: Entry) -> None:
        keys, size = self._owned.get(new.owner, (0, 0))
        mine = old is not None and old.owner == new.owner
        more = new.size - (old.size if old is not None and mine else 0)
        if keys + (not mine) > OWNED_KEYS:
            raise QuotaExceeded(f"{new.owner!r} has written {OWNED_KEYS} keys, which is the most; delete some first")
        if more > 0 and size + more > OWNED_BYTES:
            raise QuotaExceeded(
                f"{new.owner!r} has written {size} bytes of at most {OWNED_BYTES}, and {new.size} more do not fit; "
                "delete some first"
            )

    def _account(self, old: Entry | None, new: Entry | None) -> None:
        """Who owns how much, and what ends when."""
        for entry, sign in ((old, -1), (new, 1)):
            if entry is not None:
                keys, size = self._owned.get(entry.owner, (0, 0))
                self._owned[entry.owner] = keys + sign, size + sign * entry.size
        if old is not None and self._owned[old.owner] == (0, 0):
            del self._owned[old.owner]
        if new is not None and new.expires is not None:
            self._expiries.set(new.key, new.expires)
        elif old is not None:
            self._expiries.discard(old.key)


def _integer(entry: Entry) -> int:
    try:
        value = decode_value(entry.value)
    except MalformedJson:
        value = None  # a number beyond all bounds
    if type(value) is not int or abs(value) > LARGEST:
        raise _no_integer(entry.key)
    return value


def _no_integer(key: str) -> InvalidParams:
    return invalid("$.key", f"the value of {key} is no integer within ±(2^53−1)")
