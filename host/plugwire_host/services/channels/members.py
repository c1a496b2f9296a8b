"""What a channel knows of each of its members, and what there is to tell them. Spec 08."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from plugwire.wire import Raw

WINDOW_ITEMS = 1024
"""The most items that a producer may have under way (CHN-10), and so the most that a batch can have."""

Numbered = tuple[int, Raw]
"""An item, with its place in the order in which items came into the channel."""


class Party(Protocol):
    """Whoever may be a member: all that a channel has to know of a Participant."""

    @property
    def congested(self) -> bool: ...


class Producer:
    """A membership that sends. ``credit + owed + what waits`` is always the window that it was given (CHN-10).

    It outlives the membership as long as something of it waits.
    """

    __slots__ = (
        "credit_bytes",
        "credit_items",
        "next_seq",
        "noticed",
        "owed_bytes",
        "owed_items",
        "party",
        "waiting",
        "waiting_bytes",
    )
    role = "producer"

    def __init__(self, party: Party) -> None:
        self.party = party
        self.waiting: deque[Raw] = deque()  # sent, and not yet in the channel
        self.waiting_bytes = 0
        self.begin(0, 0)

    def take(self, most: int, size: int) -> list[Raw]:
        """Of what waits, from the first on, as many as there is room for."""
        waiting = self.waiting
        if len(waiting) <= most and self.waiting_bytes <= size:
            taken = list(waiting)
            waiting.clear()
            self.waiting_bytes = 0
            return taken
        taken = []
        while waiting and len(taken) < most and len(waiting[0]) <= size:
            size -= len(waiting[0])
            self.waiting_bytes -= len(waiting[0])
            taken.append(waiting.popleft())
        return taken

    def begin(self, items: int, size: int) -> None:
        """A new membership with a window of so much (CHN-10)."""
        self.next_seq = 1
        self.credit_items = items - len(self.waiting)
        self.credit_bytes = size - self.waiting_bytes
        self.owed_items = self.owed_bytes = 0
        self.noticed = False


class Consumer:
    """A membership that receives."""

    __slots__ = (
        "credit_bytes",
        "credit_items",
        "next_seq",
        "noticed",
        "parked",
        "party",
        "served_in",
        "unacknowledged",
    )
    role = "consumer"

    def __init__(self, party: Party, items: int, size: int) -> None:
        self.party = party
        self.credit_items = items
        self.credit_bytes = size
        self.next_seq = 1
        self.unacknowledged: deque[Numbered] = deque()
        self.served_in = 0  # the last round in which it had its turn
        self.parked = False
        self.noticed = False


Member = Producer | Consumer


@dataclass(frozen=True, slots=True)
class Deliver:
    """A batch for a consumer, and whether it went out has to be told to the channel (``delivered``, ``put_back``)."""

    member: Consumer
    seq: int
    batch: list[Numbered]
    size: int
    redelivered: int


@dataclass(frozen=True, slots=True)
class GiveCredit:
    """More credit for a producer."""

    member: Producer
    items: int
    size: int


@dataclass(frozen=True, slots=True)
class TellClosed:
    """A membership has ended. ``taken`` is for a producer."""

    member: Member
    error: dict[str, object] | None
    taken: int | None


@dataclass(frozen=True, slots=True)
class Park:
    """There is something for this member, which leaves unread what it was sent: ``unpark`` when it reads again."""

    member: Member


Effect = Deliver | GiveCredit | TellClosed | Park
