"""Vices of shared state."""

from typing import Any

from attrs import evolve

from plugwire.wire import Raw
from plugwire_host.services.state import service, sqlite, table, watches
from plugwire_host.services.state.service import StateService
from plugwire_host.services.state.table import StateTable
from plugwire_host.services.state.watches import KeptChanges, Watches
from tests.conformance.mutants.vices import vice


@vice("host", "state-answers-before-the-change", kills=("state/one-order",), because="STA-01")
def state_answers_before_the_change() -> None:
    """Every second increment adds to what was there before the last change."""
    good = StateTable.increment

    def increment(self: Any, owner: str, key: str, by: int) -> tuple[int, int]:
        value, revision = good(self, owner, key, by)
        if key == "n" and value == 100:
            self._entries[key] = evolve(self._entries[key], value=Raw(b"99"))
        return value, revision

    StateTable.increment = increment


@vice(
    "host",
    "revisions-per-key",
    kills=("state/revisions",),
    because=("STA-02", "STA-03"),
)
def revisions_per_key() -> None:
    """Absent keys have revision 1."""
    good = StateService._get

    def get(self: Any, call: Any) -> dict[str, Any]:
        answer = good(self, call)
        return {"revision": 1} if answer["revision"] == 0 else answer

    StateService._get = get


@vice("host", "values-are-rewritten", kills=("state/bytes-of-values",), because="STA-04")
def values_are_rewritten() -> None:
    """Values are decoded and encoded again."""
    import json

    good = StateService._value

    def value(self: Any, params: Any) -> Raw:
        return Raw(json.dumps(json.loads(bytes(good(self, params)))).encode())

    StateService._value = value


@vice("host", "if-revision-0-always-writes", kills=("state/compare-and-set",), because="STA-05")
def if_revision_0_always_writes() -> None:
    good = service._if_revision
    service._if_revision = lambda params: good(params) or None


@vice("host", "deleting-nothing-is-a-change", kills=("state/delete-nothing",), because="STA-06")
def deleting_nothing_is_a_change() -> None:
    good = StateTable.delete

    def delete(self: Any, key: str, *, if_revision: int | None = None) -> int:
        if self.get(key) is None and if_revision is None:
            self._store.delete(key, self.revision + 1)
            return 0
        return good(self, key, if_revision=if_revision)

    StateTable.delete = delete


@vice(
    "host", "increment-has-no-bounds", kills=("state/increment", "everywhere/results-fit"), because=("STA-08", "MSG-05")
)
def increment_has_no_bounds() -> None:
    table.LARGEST = 2**62


@vice("host", "increment-ends-the-time", kills=("state/time-to-live",), because=("STA-07", "STA-09"))
def increment_ends_the_time() -> None:
    good = StateTable._put

    def put(self: Any, entry: Any) -> int:
        old = self._entries.get(entry.key)
        ours = old is not None and old.expires is not None and entry.expires == old.expires
        return good(self, evolve(entry, expires=None) if ours else entry)

    StateTable._put = put


@vice("host", "pages-always-have-a-next", kills=("state/pages",), because="STA-10")
def pages_always_have_a_next() -> None:
    good = StateTable.page

    def page(self: Any, prefix: str, after: str, limit: int, *, with_values: bool) -> Any:
        entries, has_more = good(self, prefix, after, limit, with_values=with_values)
        return entries, has_more or len(entries) == limit

    StateTable.page = page


@vice("host", "values-of-any-size", kills=("state/size-of-a-value",), because="STA-11")
def values_of_any_size() -> None:
    service.MOST_BYTES = 2**30
    service.nests_deeper = lambda data, levels: False


@vice("host", "state-without-quota", kills=("state/quota",), because="STA-12")
def state_without_quota() -> None:
    StateTable._check_quota = lambda self, old, new: None


@vice("host", "state-file-is-written-at-the-end", kills=("state/lasts",), because="STA-14")
def state_file_is_written_at_the_end() -> None:
    """Changes are committed only when the host ends in order."""
    from plugwire_host.services.state.store import MemoryStore

    kind = sqlite.SqliteStore
    for name in ("put", "delete", "save_token"):
        setattr(kind, name, getattr(MemoryStore, name))


@vice("host", "state-file-is-not-locked", kills=("state/file-in-use",), because="STA-15")
def state_file_is_not_locked() -> None:
    """A file that cannot be had is left aside, and values are kept in memory."""
    from plugwire_host.errors import HostError
    from plugwire_host.services.state.store import MemoryStore

    kind: Any = sqlite.SqliteStore
    good = kind.__init__

    def init(self: Any, *arguments: Any, **more: Any) -> None:
        try:
            good(self, *arguments, **more)
        except HostError:
            self.__class__ = type("Store", (MemoryStore,), {})
            MemoryStore.__init__(self)

    kind.__init__ = init


@vice(
    "host",
    "watch-forgets-deletions",
    kills=("watching/every-change", "state/time-to-live"),
    because=("STA-16", "STA-09"),
)
def watch_forgets_deletions() -> None:
    good = Watches.publish

    def publish(self: Any, change: Any) -> None:
        good(self, evolve(change, value=Raw(b"null")) if change.value is None else change)

    Watches.publish = publish


@vice(
    "host",
    "watch-begins-one-late",
    kills=("watching/from-a-revision", "watching/kept-changes"),
    because=("STA-16", "STA-18"),
)
def watch_begins_one_late() -> None:
    good = Watches.open

    def open_(self: Any, participant: Any, prefix: str, from_revision: int | None) -> Any:
        watch = good(self, participant, prefix, from_revision)
        watch.position += from_revision is not None
        return watch

    Watches.open = open_


@vice("host", "few-changes-are-kept", kills=("watching/kept-changes",), because="STA-18")
def few_changes_are_kept() -> None:
    watches.KEPT_CHANGES = 2048


@vice("host", "watch-never-waits", kills=("watching/unacknowledged",), because="STA-19")
def watch_never_waits() -> None:
    watches.UNACKNOWLEDGED = 1400


@vice("host", "watch-skips-what-is-gone", kills=("watching/falls-behind",), because="STA-20")
def watch_skips_what_is_gone() -> None:
    """A watch that fell behind goes on as if there had been nothing."""

    def pass_over(self: Any, watch: Any, gone: list[Any]) -> None:
        watch.position = max(watch.position, gone[-1].revision)

    Watches._pass_over = pass_over


@vice("host", "unwatch-of-anyones-watch", kills=("watching/unwatch",), because="STA-21")
def unwatch_of_anyones_watch() -> None:
    def close(self: Any, participant: Any, number: int) -> None:
        watch = self._watches.get(number)
        if watch is not None:
            self._forget(watch)

    Watches.close = close


@vice("host", "watches-without-end", kills=("watching/how-many",), because="STA-22")
def watches_without_end() -> None:
    watches.WATCHES_EACH = 100_000


@vice(
    "host",
    "kept-changes-by-name",
    kills=("watching/kept-changes", "watching/from-a-revision"),
    because=("STA-18", "STA-16"),
)
def kept_changes_by_name() -> None:
    """A watch from a revision gets no old changes at all."""
    KeptChanges.after = lambda self, revision: iter(())
