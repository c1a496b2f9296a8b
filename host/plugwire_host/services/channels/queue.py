"""One channel, without I/O: who may send, what comes in when, and who gets it. Spec 08.

    send → what waits of each producer → (room, CHN-07) → the queue → (credit, CHN-23) → a consumer

Whoever drives it changes it with the methods and then asks ``next_effect`` until there is none. Items stay bytes. It
does not know names, handles or quotas (book.py), nor messages (service.py).
"""

from __future__ import annotations

from collections import deque
from typing import Any

from plugwire.wire import ChannelClosed, ErrorCode, QuotaExceeded, Raw, RequestError

from ..params import invalid
from .members import (
    WINDOW_ITEMS,
    Consumer,
    Deliver,
    Effect,
    GiveCredit,
    Member,
    Numbered,
    Park,
    Party,
    Producer,
    TellClosed,
)
from .outlet import Outlet, told_error


class Channel:
    """Raises RequestError for what breaks the rules; then nothing has changed. ``frame_room`` is in bytes (CHN-13)."""

    def __init__(self, handle: str, capacity: int, max_bytes: int, redeliver: bool, frame_room: int) -> None:
        self.handle = handle
        self.name: str | None = None
        self.capacity = capacity
        self.max_bytes = max_bytes
        self.redeliver = redeliver
        self.max_item_bytes = min(max_bytes, frame_room)
        self.openers: set[Party] = set()
        self.producers: dict[Party, Producer] = {}
        self.closed = False
        self.error: dict[str, Any] | None = None
        self._window = min(capacity, WINDOW_ITEMS)
        self._outlet = Outlet(redeliver, frame_room)
        self._admitting: deque[Producer] = deque()  # those of whom something waits, in the order of their turns
        self._left: dict[Party, Producer] = {}  # those of them that are producers no more
        self._held_items = 0  # in the queue, or delivered and not yet acknowledged
        self._held_bytes = 0
        self._notices: deque[Member] = deque()  # those whom there is something to tell
        self._farewells: dict[tuple[Party, str], TellClosed] = {}

    @property
    def consumers(self) -> dict[Party, Consumer]:
        return self._outlet.consumers

    @property
    def held(self) -> int:
        """The items that are in the channel, and those that wait to come in."""
        return self._held_items + sum(len(producer.waiting) for producer in self._admitting)

    @property
    def drained(self) -> bool:
        """Nothing is left that could still be delivered (CHN-39): as long as something waits, something is in."""
        return not self._held_items

    @property
    def abandoned(self) -> bool:
        """Nobody is left who could do anything with it (CHN-35)."""
        return not (self.openers or self.producers or self.consumers)

    # Members

    def join_producer(self, party: Party) -> Producer:
        if self.closed:
            raise closed_error(self.error)
        _check_free(party, self.producers, "producer")
        self._farewells.pop((party, "producer"), None)  # it has gone on before it could be told
        producer = self._left.pop(party, None) or Producer(party)
        producer.begin(self._window, self.max_bytes)
        self.producers[party] = producer
        return producer

    def join_consumer(self, party: Party, items: int, size: int) -> None:
        """With its first credit."""
        if self.closed and self.drained:
            raise closed_error(self.error)
        _check_free(party, self.consumers, "consumer")
        self._farewells.pop((party, "consumer"), None)
        self._outlet.join(party, items, size)

    def leave(self, party: Party, role: str) -> None:
        """End a membership in order, if there is one."""
        self._farewells.pop((party, role), None)
        if role == "producer" and party in self.producers:
            self._drop_producer(party)
        elif role == "consumer" and party in self.consumers:
            self._outlet.drop(party)

    def end(self, party: Party, name: str, why: str) -> None:
        """The party is no more; nobody waits for what it will never send (CHN-32, CHN-34)."""
        self.openers.discard(party)
        self.leave(party, "consumer")
        self._farewells.pop((party, "producer"), None)
        if party in self.producers:
            self._lose_producer(party, f"{name!r} ended: {why}")
        self._left.pop(party, None)

    def expel(self, party: Party, role: str, error: RequestError) -> bool:
        """End the membership of one that broke the rules (CHN-17); False when it has none."""
        member: Member | None = self.producers.get(party) if role == "producer" else self.consumers.get(party)
        if member is None:
            return False
        told = told_error(error.message, int(error.code))
        if isinstance(member, Producer):
            self._lose_producer(party, f"it broke the rules: {error.message}")
            self._say_farewell(TellClosed(member, told, member.next_seq - 1))
        else:
            self._outlet.drop(party)
            self._say_farewell(TellClosed(member, told, None))
        return True

    def _drop_producer(self, party: Party) -> None:
        producer = self.producers.pop(party)
        if producer.waiting:
            self._left[party] = producer

    def _lose_producer(self, party: Party, why: str) -> None:
        self._drop_producer(party)
        if not self.producers:
            self.close(told_error(f"the last producer is gone: {why}"))

    # What members say

    def send(self, party: Party, seq: int, items: list[Raw]) -> None:
        """Take a batch as a whole (CHN-12 to CHN-16)."""
        if self.closed:
            raise closed_error(self.error)
        producer = self.producers.get(party)
        if producer is None:
            raise RequestError("it has not joined this channel as a producer", code=ErrorCode.PERMISSION_DENIED)
        sizes = [len(item) for item in items]
        size = sum(sizes)
        self._check(producer, seq, sizes, size)
        if not items:
            return
        producer.next_seq += len(items)
        producer.credit_items -= len(items)
        producer.credit_bytes -= size
        if not producer.waiting:
            self._admitting.append(producer)
        # Copies, because each of these is a view that would keep the whole message alive.
        producer.waiting.extend(item.copy() for item in items)
        producer.waiting_bytes += size
        self._admit()

    def _check(self, producer: Producer, seq: int, sizes: list[int], size: int) -> None:
        if seq != producer.next_seq:
            raise invalid("$.seq", f"expected {producer.next_seq}, which follows on what was sent before")
        if len(sizes) > producer.credit_items:
            raise QuotaExceeded(f"{len(sizes)} items were sent with credit for {producer.credit_items}")
        if sizes and size - sizes[-1] >= producer.credit_bytes:
            raise QuotaExceeded(f"{size} bytes were sent with credit for {producer.credit_bytes}")
        largest = max(sizes, default=0)
        if largest > self.max_item_bytes:
            raise RequestError(
                f"an item of {largest} bytes is larger than this channel takes: {self.max_item_bytes}",
                code=ErrorCode.PAYLOAD_TOO_LARGE,
                data={"size": largest, "limit": self.max_item_bytes},
            )

    def credit(self, party: Party, items: int, size: int) -> None:
        """A consumer takes more (CHN-25)."""
        if party in self.consumers:
            self._outlet.credit(self.consumers[party], items, size)

    def acknowledge(self, party: Party, seq: int) -> None:
        """A consumer is done with everything up to ``seq`` (CHN-29)."""
        if party in self.consumers:
            items = self._outlet.acknowledge(self.consumers[party], seq)
            self._release(items, sum(len(item) for _, item in items))

    def close(self, error: dict[str, Any] | None = None) -> None:
        """No more items (CHN-37, CHN-38); a second time it has no effect."""
        if self.closed:
            return
        self.closed, self.error = True, error
        for producer in list(self.producers.values()):
            self._drop_producer(producer.party)
            self._say_farewell(TellClosed(producer, error, producer.next_seq - 1))

    def discard(self) -> None:
        """Let go of everything that is in a closed channel."""
        self._outlet.clear()
        self._admitting.clear()
        self._left.clear()
        self._held_items = self._held_bytes = 0

    # Coming in

    def _admit(self) -> None:
        """What waits comes in as far as there is room, an item of each producer in turn (CHN-07, CHN-19)."""
        while self._admitting and self._held_items < self.capacity:
            producer = self._admitting[0]
            most = 1 if len(self._admitting) > 1 else self.capacity - self._held_items
            waited = producer.waiting_bytes
            items = producer.take(most, self.max_bytes - self._held_bytes)
            if not items:
                break
            self._admitting.popleft()
            self._outlet.put(items)
            size = waited - producer.waiting_bytes
            self._held_items += len(items)
            self._held_bytes += size
            producer.owed_items += len(items)
            producer.owed_bytes += size
            if producer.waiting:
                self._admitting.append(producer)
            else:
                self._left.pop(producer.party, None)
            # CHN-20: gathered up to half of the window, which cannot leave a producer without any.
            if producer.owed_items * 2 >= self._window or producer.owed_bytes * 2 >= self.max_bytes:
                self._notice(producer)

    def _release(self, items: list[Numbered], size: int) -> None:
        """These items, of so many bytes in all, have left the channel."""
        self._held_items -= len(items)
        self._held_bytes -= size
        self._admit()

    # What there is to do

    def next_effect(self) -> Effect | None:
        """The next thing to say, or None. A Deliver needs ``delivered`` or ``put_back`` before the next one."""
        if self.closed and self.drained:
            for consumer in self._outlet.dismiss():
                self._say_farewell(TellClosed(consumer, self.error, None))
        while self._notices:
            member = self._notices.popleft()
            if member.party.congested:
                return Park(member)
            member.noticed = False
            farewell = self._farewells.get((member.party, member.role))
            if farewell is not None and farewell.member is member:
                return self._farewells.pop((member.party, member.role))
            if isinstance(member, Producer) and self.producers.get(member.party) is member:
                return _give_back(member)
        return self._outlet.next_delivery()

    def unpark(self, member: Member) -> None:
        """The member reads again."""
        if isinstance(member, Consumer):
            member.parked = False
        if member.noticed:
            self._notices.append(member)

    def _notice(self, member: Member) -> None:
        """There is something to tell a member, now or when it reads again."""
        if not member.noticed:
            member.noticed = True
            self._notices.append(member)

    def _say_farewell(self, farewell: TellClosed) -> None:
        member = farewell.member
        self._farewells[member.party, member.role] = farewell
        self._notice(member)

    def delivered(self, deliver: Deliver) -> None:
        """It went out: the items have left, or wait for their acknowledgement."""
        if self.redeliver:
            deliver.member.unacknowledged.extend(deliver.batch)
        else:
            self._release(deliver.batch, deliver.size)

    def put_back(self, deliver: Deliver) -> None:
        """It did not go out, because the consumer is about to end: others get it."""
        self._outlet.put_back(deliver)


def _check_free(party: Party, members: Any, role: str) -> None:
    if party in members:
        raise RequestError(f"it is a {role} of this channel already", code=ErrorCode.INVALID_REQUEST)  # CHN-09


def _give_back(producer: Producer) -> GiveCredit:
    given = GiveCredit(producer, producer.owed_items, producer.owed_bytes)
    producer.credit_items += given.items
    producer.credit_bytes += given.size
    producer.owed_items = producer.owed_bytes = 0
    return given


def closed_error(error: dict[str, Any] | None) -> ChannelClosed:
    """What a closed channel answers (CHN-40)."""
    if error is None:
        return ChannelClosed("the channel is closed")
    return ChannelClosed(f"the channel is closed: {error['message']}", data={"error": error})
