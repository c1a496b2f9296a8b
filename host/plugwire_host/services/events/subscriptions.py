"""The way of events through one subscription: what is sent, what waits, and what is left out. Spec EVT-16 to EVT-28.

Pure: no clock, no pipe, no tasks. ``put`` takes an event in, ``take`` gives the one that may be sent next. An event's
number is given when it comes in, so what was left out shows as a gap before the next one that is sent, for whatever
reason it was left out.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

MIB = 1024 * 1024
BUFFER_BYTES = 8 * MIB
"""What waits of one subscription."""
HELD_BYTES = 64 * MIB
"""What waits of all subscriptions of one participant."""
WINDOW_BYTES = 8 * MIB
"""What is on the way of one subscription and not acknowledged, beyond its first event."""
PUBLISHERS_WAITING = 1024


class Policy(Enum):
    """What happens when there is no room."""

    DROP_OLDEST = "dropOldest"
    COALESCE = "coalesce"
    DISCONNECT = "disconnect"
    BLOCK = "block"


@dataclass(slots=True, eq=False)
class Published:
    """An event. ``tail`` is the end of its ``event/deliver`` params, from the topic on, for all subscriptions."""

    number: int
    topic: str
    key: str | None
    sender: str
    tail: bytes


class Delivery(NamedTuple):
    """What one subscription is sent: ``missed`` were left out directly before."""

    seq: int
    missed: int
    past: bool
    event: Published


class Waiter(Protocol):
    """A publisher who waits until its event is taken."""

    @property
    def is_over(self) -> bool:
        """Whether it waits no longer; its event then counts as missed."""

    def taken(self) -> None:
        """The event is on its way, or nobody wants it any more."""


class Account(Protocol):
    """Whoever has subscriptions."""

    held: int
    """Bytes that wait for it at the host."""


AccountT = TypeVar("AccountT", bound=Account)


class Verdict(Enum):
    """What has become of an event that came in."""

    KEPT = "it waits"
    LEFT_OUT = "it counts as missed"
    NO_ROOM = "it counts as missed, unless somebody waits for it"


class Subscription(Generic[AccountT]):
    """One subscription. ``window`` None means that nothing is acknowledged."""

    __slots__ = (
        "_blocked",
        "_buffer",
        "_on_the_way",
        "_on_the_way_bytes",
        "_waiting",
        "_waiting_bytes",
        "_window",
        "account",
        "is_started",
        "number",
        "pattern",
        "policy",
        "sent",
        "seq",
    )

    def __init__(
        self,
        number: int,
        pattern: str,
        account: AccountT,
        *,
        policy: Policy = Policy.DROP_OLDEST,
        buffer: int = 1024,
        window: int | None = None,
    ) -> None:
        self.number = number
        self.pattern = pattern
        self.account = account
        self.policy = policy
        self.seq = 0  # of the last event that came in
        self.sent = 0  # the seq of the last one that was sent
        self.is_started = False
        self._buffer = buffer
        self._window = window
        self._waiting: OrderedDict[Any, Delivery] = OrderedDict()
        self._waiting_bytes = 0
        self._blocked: deque[tuple[Delivery, Waiter]] = deque()
        self._on_the_way: deque[tuple[int, int]] = deque()  # seq and bytes
        self._on_the_way_bytes = 0

    @property
    def missed(self) -> int:
        """How many events came in after the last one that was sent."""
        return self.seq - self.sent

    @property
    def is_clear(self) -> bool:
        """Whether the next event may be sent at once, and none was left out before it."""
        if self._waiting or self._blocked or self.seq != self.sent or not self.is_started:
            return False
        return not self._on_the_way or self._window_is_open

    @property
    def is_ready(self) -> bool:
        """Whether something waits that may be sent."""
        return self.is_started and bool(self._waiting or self._blocked) and self._window_is_open

    @property
    def _window_is_open(self) -> bool:
        if self._window is None or not self._on_the_way:
            return True
        return len(self._on_the_way) < self._window and self._on_the_way_bytes < WINDOW_BYTES

    # Coming in

    def pass_by(self, event: Published) -> int:
        """Take in and give out at once, which is the short way for most events; only while it ``is_clear``."""
        self.seq = self.sent = seq = self.seq + 1
        if self._window is not None:
            self._set_out(seq, event)
        return seq

    def put(self, event: Published, *, past: bool = False) -> Verdict:
        """Take an event in, by the policy. Past ones drop the oldest whatever the policy (EVT-33)."""
        self.seq += 1
        coming = Delivery(self.seq, 0, past, event)
        if self.policy is Policy.COALESCE:
            key: Any = (event.topic, event.key)
            self._drop(key)
        else:
            key = self.seq
        may_drop = past or self.policy in (Policy.DROP_OLDEST, Policy.COALESCE)
        if not may_drop and (self._blocked or not self._has_room(event)):
            return Verdict.NO_ROOM
        while not self._has_room(event):
            if not self._waiting:
                return Verdict.LEFT_OUT
            self._drop(next(iter(self._waiting)))
        self._keep(key, coming)
        return Verdict.KEPT

    def refuses(self, event: Published) -> bool:
        """Whether the event's publisher would have to wait here, behind more than may (EVT-28)."""
        if self.policy is not Policy.BLOCK or self.is_clear:
            return False
        if self._has_room(event) and not self._blocked:
            return False
        if not self._may_block(event):
            still_there = [entry for entry in self._blocked if not entry[1].is_over]
            over = sum(len(entry[0].event.tail) for entry in self._blocked if entry[1].is_over)
            self._blocked = deque(still_there)
            self.account.held -= over
        return not self._may_block(event)

    def _may_block(self, event: Published) -> bool:
        return len(self._blocked) < PUBLISHERS_WAITING and self.account.held + len(event.tail) <= HELD_BYTES

    def block(self, event: Published, waiter: Waiter) -> None:
        """The event for which ``put`` has just found no room waits behind the others, and its publisher with it."""
        self._blocked.append((Delivery(self.seq, 0, False, event), waiter))
        self.account.held += len(event.tail)

    def _has_room(self, event: Published) -> bool:
        size = len(event.tail)
        return (
            len(self._waiting) < self._buffer
            and self._waiting_bytes + size <= BUFFER_BYTES
            and self.account.held + size <= HELD_BYTES
        )

    def _keep(self, key: Any, delivery: Delivery) -> None:
        self._waiting[key] = delivery
        self._waiting_bytes += len(delivery.event.tail)
        self.account.held += len(delivery.event.tail)

    def _drop(self, key: Any) -> None:
        delivery = self._waiting.pop(key, None)
        if delivery is not None:
            self._waiting_bytes -= len(delivery.event.tail)
            self.account.held -= len(delivery.event.tail)

    # Going out

    def take(self) -> Delivery | None:
        """The event to send now; None when there is none, or the window is full."""
        if not self.is_started or not self._window_is_open:
            return None
        if self._waiting:
            key = next(iter(self._waiting))
            coming = self._waiting[key]
            self._drop(key)
            self._admit()
            return self._give(coming)
        # What is larger than the whole buffer goes straight to the subscriber.
        while self._blocked:
            first, waiter = self._unblock()
            if not waiter.is_over:
                waiter.taken()
                return self._give(first)
        return None

    def _admit(self) -> None:
        """Those who have waited longest get the room that there is."""
        while self._blocked and (self._blocked[0][1].is_over or self._fits_after_unblocking(self._blocked[0][0])):
            first, waiter = self._unblock()
            if not waiter.is_over:
                self._keep(first.seq, first)
                waiter.taken()

    def _fits_after_unblocking(self, delivery: Delivery) -> bool:
        size = len(delivery.event.tail)
        return len(self._waiting) < self._buffer and self._waiting_bytes + size <= BUFFER_BYTES

    def _unblock(self) -> tuple[Delivery, Waiter]:
        first, waiter = self._blocked.popleft()
        self.account.held -= len(first.event.tail)
        return first, waiter

    def _give(self, coming: Delivery) -> Delivery:
        seq, _, past, event = coming
        delivery = Delivery(seq, seq - self.sent - 1, past, event)
        self.sent = seq
        if self._window is not None:
            self._set_out(seq, event)
        return delivery

    def _set_out(self, seq: int, event: Published) -> None:
        self._on_the_way.append((seq, len(event.tail)))
        self._on_the_way_bytes += len(event.tail)

    def undo(self, missed: int) -> None:
        """What was given last, with so many missed before it, could not be sent: it counts as missed as well."""
        self.sent -= missed + 1
        if self._window is not None:
            self._on_the_way_bytes -= self._on_the_way.pop()[1]

    def acknowledge(self, seq: int) -> None:
        """Everything up to ``seq`` has arrived and is dealt with (EVT-21)."""
        while self._on_the_way and self._on_the_way[0][0] <= seq:
            self._on_the_way_bytes -= self._on_the_way.popleft()[1]

    def end(self) -> None:
        """Let go of what waits; nobody waits for room any more."""
        self.is_started = False
        for key in list(self._waiting):
            self._drop(key)
        while self._blocked:
            self._unblock()[1].taken()
