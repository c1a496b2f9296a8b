"""Who is told of which changes: the last changes, and the watches that go through them. Spec STA-16 to STA-22.

A watch that keeps pace is told of each change at once. One that does not, because its plugin leaves its pipe unread or
acknowledges nothing, stands still and goes on through the changes that are kept; where they are no longer kept it ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from plugwire.wire import Conflict, QuotaExceeded, Raw
from plugwire.wire.codec import encode_value

from ...routing.call import Participant
from ..params import invalid
from .store import Change

KEPT_CHANGES = 4096
KEPT_BYTES = 8 * 1024 * 1024
WATCHES_EACH = 256
UNACKNOWLEDGED = 1024
UNACKNOWLEDGED_BYTES = 4 * 1024 * 1024
_MESSAGE_CHANGES = 256
_MESSAGE_BYTES = 64 * 1024


class KeptChanges:
    """The last changes, without a gap between their revisions (STA-18)."""

    def __init__(self, revision: int) -> None:
        self.last = revision
        self._changes: deque[Change] = deque()
        self._bytes = 0

    @property
    def first(self) -> int:
        """The first revision that is kept, or will be."""
        return self._changes[0].revision if self._changes else self.last + 1

    def append(self, change: Change) -> list[Change]:
        """Keep a change; the result is what is no longer kept."""
        self._changes.append(change)
        self._bytes += change.size
        self.last = change.revision
        gone = []
        while len(self._changes) > KEPT_CHANGES or self._bytes > KEPT_BYTES:
            gone.append(self._changes.popleft())
            self._bytes -= gone[-1].size
        return gone

    def after(self, revision: int) -> Iterator[Change]:
        """The changes after a revision, which has to be kept or be the one before the first."""
        return islice(self._changes, revision + 1 - self.first, None)


class Watch:
    """One watch. ``position`` is the revision up to which it has been sent, or passed over, everything."""

    __slots__ = ("is_open", "number", "participant", "position", "prefix", "size", "unacknowledged", "waits_for_drain")

    def __init__(self, number: int, participant: Participant, prefix: str, position: int) -> None:
        self.number = number
        self.participant = participant
        self.prefix = prefix
        self.position = position
        self.unacknowledged: deque[tuple[int, int]] = deque()  # revision and size
        self.size = 0
        self.waits_for_drain = False
        self.is_open = True

    @property
    def is_full(self) -> bool:
        return len(self.unacknowledged) >= UNACKNOWLEDGED or self.size >= UNACKNOWLEDGED_BYTES


class Watches:
    """All watches of one host. ``revision`` is that of the last change before the first that it will be told of."""

    def __init__(self, revision: int, call_soon: Callable[[Callable[[], None]], Any]) -> None:
        self._kept = KeptChanges(revision)
        self._call_soon = call_soon
        self._watches: dict[int, Watch] = {}
        self._last_number = 0

    def open(self, participant: Participant, prefix: str, from_revision: int | None) -> Watch:
        """A watch that is sent its first changes after this turn of the loop, behind the answer that names it."""
        kept = self._kept
        if sum(watch.participant is participant for watch in self._watches.values()) >= WATCHES_EACH:
            raise QuotaExceeded(f"{participant.name!r} has {WATCHES_EACH} watches, which is the most; end some first")
        start = kept.last + 1 if from_revision is None else from_revision
        if not kept.first <= start <= kept.last + 1:
            can = kept.first if start < kept.first else kept.last + 1
            why = "is no longer kept" if start < kept.first else "is not reached yet"
            raise Conflict(f"revision {start} {why}; a watch can begin at {can}", data={"revision": can})
        self._last_number += 1
        watch = Watch(self._last_number, participant, prefix, start - 1)
        self._watches[watch.number] = watch
        # It counts as waiting until the answer is on its way: what comes before that is not lost, only sent later.
        watch.waits_for_drain = True
        self._call_soon(lambda: self._drained(watch))
        return watch

    def publish(self, change: Change) -> None:
        """Tell the watches of a change."""
        gone = self._kept.append(change)
        for watch in list(self._watches.values()):
            if not watch.is_open:
                continue  # its plugin ended while another was told
            if gone and watch.position < gone[-1].revision:
                self._pass_over(watch, gone)
            if watch.position == change.revision - 1 and not change.key.startswith(watch.prefix):
                watch.position = change.revision
            else:
                self._send(watch)

    def acknowledge(self, participant: Participant, number: int, revision: int) -> None:
        watch = self._watches.get(number)
        if watch is None or watch.participant is not participant:
            return
        sent = watch.unacknowledged
        while sent and sent[0][0] <= revision:
            watch.size -= sent.popleft()[1]
        self._send(watch)

    def close(self, participant: Participant, number: int) -> None:
        """Raises InvalidParams for what is no watch of the participant."""
        watch = self._watches.get(number)
        if watch is None or watch.participant is not participant:
            raise invalid("$.watch", f"{participant.name!r} has no watch {number}; it may have ended")
        self._forget(watch)

    def left(self, participant: Participant) -> None:
        for watch in [watch for watch in self._watches.values() if watch.participant is participant]:
            self._forget(watch)

    def _forget(self, watch: Watch) -> None:
        watch.is_open = False
        self._watches.pop(watch.number, None)

    def _pass_over(self, watch: Watch, gone: list[Change]) -> None:
        """These changes are no longer kept, and the watch has not come to the last of them."""
        for change in gone:
            if change.revision > watch.position:
                if change.key.startswith(watch.prefix):
                    self._end(watch, "it fell behind, and the next change that it has to be sent is no longer kept")
                    return
                watch.position = change.revision

    def _end(self, watch: Watch, reason: str) -> None:
        self._forget(watch)
        told = {"watch": watch.number, "reason": reason, "revision": watch.position}
        watch.participant.send_notification("state/unwatched", told)

    def _send(self, watch: Watch) -> None:
        """Go on as far as the plugin takes what it is sent."""
        while watch.is_open and watch.position < self._kept.last and not watch.waits_for_drain:
            if watch.participant.congested:
                watch.waits_for_drain = True
                watch.participant.when_drained(lambda: self._drained(watch))
                return
            if watch.is_full:
                return
            changes = self._next(watch)
            if not changes:
                continue
            told = {"watch": watch.number, "changes": [_told(change) for change in changes]}
            if not watch.participant.send_notification("state/changed", encode_value(told)):
                self._end(watch, "a change could not be sent")
                return
            watch.unacknowledged.extend((change.revision, change.size) for change in changes)
            watch.size += sum(change.size for change in changes)
            watch.position = changes[-1].revision

    def _next(self, watch: Watch) -> list[Change]:
        """The changes of the next message; when there are none, the watch has been moved to the end."""
        found: list[Change] = []
        size = 0
        room = min(_MESSAGE_CHANGES, UNACKNOWLEDGED - len(watch.unacknowledged))
        for change in self._kept.after(watch.position):
            if not change.key.startswith(watch.prefix):
                continue
            size += change.size
            if len(found) == room or (found and size > _MESSAGE_BYTES):
                return found
            found.append(change)
        if not found:
            watch.position = self._kept.last
        return found

    def _drained(self, watch: Watch) -> None:
        watch.waits_for_drain = False
        self._send(watch)


def _told(change: Change) -> dict[str, int | str | bool | Raw]:
    """The StateChange."""
    told: dict[str, int | str | bool | Raw] = {"key": change.key, "revision": change.revision}
    if change.value is None:
        told["deleted"] = True
    else:
        told["value"] = change.value
    return told
