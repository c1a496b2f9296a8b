"""Values that the plugins of a host share, and what happens to them. Spec 10.

await ctx.state.put("users/ada", {"visits": 1})
async with plugin.state.watch("users/") as changes:
    async for change in changes:
        ...
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .settling import settled
from .wire import Conflict, ConnectionClosed, PlugwireError, Raw, RequestError
from .wire.codec import MalformedJson, decode_members, decode_value

if TYPE_CHECKING:
    from .context import Context, Owner
    from .locks import Held

_ACKNOWLEDGED_EACH = 256


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and its revision; revision 0 means that nothing is there."""

    key: str
    value: Any
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """What has happened to a key. ``value`` is None where ``deleted`` is true."""

    key: str
    value: Any
    revision: int
    deleted: bool


class WatchEnded(PlugwireError):
    """A watch fell behind, and a change that it should have told is no longer kept.

    ``revision`` is that of the last change before the gap. Whoever needs the rest lists the keys again and opens a new
    watch; nothing is made up in silence.
    """

    def __init__(self, reason: str, revision: int) -> None:
        super().__init__(f"the watch has ended after revision {revision}: {reason}")
        self.reason = reason
        self.revision = revision


class State:
    """The values, as one request or the whole plugin sees them. Errors are RequestErrors unless something is said."""

    def __init__(self, client: StateClient, context: Context | None) -> None:
        self._client = client
        self._context = context

    async def get(self, key: str, default: Any = None) -> Any:
        """The value, or ``default`` where nothing is."""
        entry = await self.get_entry(key)
        return entry.value if entry.revision else default

    async def get_entry(self, key: str) -> Entry:
        """The value with its revision, for a later ``put`` on condition."""
        found = await self._call("get", {"key": key})
        return Entry(key, found.get("value"), found["revision"])

    async def put(
        self,
        key: str,
        value: Any,
        *,
        if_revision: int | None = None,
        lock: Held | None = None,
        ttl: float | None = None,
    ) -> int:
        """Write; the revision of the change. ``ttl``: seconds after which the value is deleted; None: it stays.

        With ``if_revision`` raises Conflict unless that is the key's revision (0: nothing is there), with ``lock``
        LockLost unless that lock is still held. Raises QuotaExceeded.
        """
        params = {"key": key, "value": value, **_conditions(if_revision, lock)}
        if ttl is not None:
            if ttl <= 0:
                raise ValueError(f"ttl is a time in seconds above 0, and {ttl} is not")
            params["ttlMs"] = max(1, round(ttl * 1000))
        revision: int = (await self._call("put", params))["revision"]
        return revision

    async def delete(self, key: str, *, if_revision: int | None = None, lock: Held | None = None) -> int:
        """Delete; the revision of the change, 0 where nothing was. Conditions as for ``put``."""
        revision: int = (await self._call("delete", {"key": key, **_conditions(if_revision, lock)}))["revision"]
        return revision

    async def increment(self, key: str, by: int = 1, *, lock: Held | None = None) -> int:
        """Add to the integer that is there, where nothing is to 0; the sum. Raises InvalidParams for no integer."""
        total: int = (await self._call("increment", {"key": key, "by": by, **_conditions(None, lock)}))["value"]
        return total

    async def update(
        self,
        key: str,
        function: Callable[[Any], Any],
        *,
        default: Any = None,
        lock: Held | None = None,
        ttl: float | None = None,
    ) -> Any:
        """Put what ``function`` makes of the value, which is ``default`` where nothing is; the new value.

        The function is called again whenever somebody else was faster, so it should do nothing else.
        """
        while True:
            entry = await self.get_entry(key)
            value = function(entry.value if entry.revision else default)
            try:
                await self.put(key, value, if_revision=entry.revision, lock=lock, ttl=ttl)
            except Conflict:
                continue
            return value

    async def list(self, prefix: str = "") -> AsyncIterator[Entry]:
        """The keys that begin with ``prefix``, in order, with their values.

        They come in pages, so what is changed meanwhile may be seen or not. To miss nothing, open a watch first, then
        list, and let a change count when its revision is greater than the entry's.
        """
        params: dict[str, Any] = {"prefix": prefix, "values": True}
        while True:
            page = await self._call("list", params)
            for entry in page["entries"]:
                yield Entry(entry["key"], entry["value"], entry["revision"])
            if "next" not in page:
                return
            params["after"] = page["next"]

    def watch(self, prefix: str = "", *, from_revision: int | None = None) -> Watch:
        """The changes of keys that begin with ``prefix``, from now on or from a revision: an ``async with``.

        Entering raises Conflict when ``from_revision`` is too old or not reached, QuotaExceeded; iterating WatchEnded.
        """
        return Watch(self._client, prefix, from_revision, self._context)

    async def _call(self, method: str, params: dict[str, Any]) -> Any:
        return await self._client.owner.call(f"state/{method}", params, timeout=None, context=self._context)


def _conditions(if_revision: int | None, lock: Held | None) -> dict[str, Any]:
    conditions: dict[str, Any] = {} if if_revision is None else {"ifRevision": if_revision}
    if lock is not None:
        conditions["ifLock"] = {"name": lock.name, "token": lock.token}
    return conditions


class Watch:
    """Changes in the order of their revisions, each once: ``async with state.watch(…) as changes: async for …``

    A change counts as taken when the next one is asked for. Who takes none is sent no more than a bounded number, and
    may later find that the watch has ended (WatchEnded). ``revision`` is the host's counter when the watch began.
    """

    def __init__(self, client: StateClient, prefix: str, from_revision: int | None, context: Context | None) -> None:
        self.revision = 0
        self._client = client
        self._prefix = prefix
        self._from_revision = from_revision
        self._context = context
        self._number: int | None = None
        self._changes: deque[Change] = deque()
        self._news = asyncio.Event()
        self._end: Exception | None = None
        self._given = 0  # the revision of the change that the consumer has in hand
        self._unacknowledged = 0

    async def __aenter__(self) -> Self:
        await settled(self._open(), lambda _: self._close())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await settled(self._close())

    async def _open(self) -> None:
        params: dict[str, Any] = {"prefix": self._prefix}
        if self._from_revision is not None:
            params["fromRevision"] = self._from_revision
        begun = await self._client.owner.call("state/watch", params, timeout=None, context=self._context)
        self._number, self.revision = begun["watch"], begun["revision"]
        self._client.watches[begun["watch"]] = self

    async def _close(self) -> None:
        number, self._number = self._number, None
        self.end(StopAsyncIteration())
        if number is None or self._client.watches.pop(number, None) is None:
            return
        # Where it has ended meanwhile, that is what was wanted.
        with contextlib.suppress(RequestError, ConnectionClosed):
            await self._client.owner.call("state/unwatch", {"watch": number}, timeout=None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        self._acknowledge(at_once=not self._changes)
        while not self._changes:
            if self._end is not None:
                raise self._end
            self._news.clear()
            await self._news.wait()
        change = self._changes.popleft()
        self._given = change.revision
        self._unacknowledged += 1
        return change

    def _acknowledge(self, *, at_once: bool) -> None:
        """Tell what has been taken: in batches while there is more to take."""
        if self._number is None or self._unacknowledged < (1 if at_once else _ACKNOWLEDGED_EACH):
            return
        self._unacknowledged = 0
        self._client.owner.notify("state/ack", {"watch": self._number, "revision": self._given})

    def receive(self, changes: list[dict[str, Any]]) -> None:
        """Changes have come."""
        for told in changes:
            deleted = told.get("deleted", False)
            self._changes.append(Change(told["key"], told.get("value"), told["revision"], deleted))
        self._news.set()

    def end(self, reason: Exception) -> None:
        """Nothing more will come; what has come can still be taken, and then ``reason`` is raised."""
        if self._end is None:
            self._end = reason
            self._news.set()


class StateClient:
    """The values, for one connection."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.watches: dict[int, Watch] = {}

    def bound(self, context: Context | None) -> State:
        return State(self, context)

    def receive(self, method: str, params: Raw | None) -> None:
        members = {} if params is None else decode_members(params)
        watch = self.watches.get(decode_value(members.get("watch", b"0")))
        if watch is None:
            return
        if method == "state/changed":
            try:
                watch.receive(decode_value(members["changes"]))
            except MalformedJson as error:
                watch.end(RequestError(f"a change cannot be read: {error}"))
        elif method == "state/unwatched":
            del self.watches[decode_value(members["watch"])]
            watch.end(WatchEnded(decode_value(members["reason"]), decode_value(members["revision"])))

    def close(self, reason: Exception) -> None:
        for watch in self.watches.values():
            watch.end(ConnectionClosed(str(reason)))
        self.watches.clear()
