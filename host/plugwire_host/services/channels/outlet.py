"""The side of a channel that items leave by: whose turn it is, and what may come back. Spec 08, Receiving."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Any

from plugwire.wire import QuotaExceeded, Raw

from ..params import invalid
from .members import WINDOW_ITEMS, Consumer, Deliver, Numbered, Park, Party

BATCH_BYTES = 64 * 1024
"""A batch that has so many bytes gets no further item, so that others have their turn."""
MOST_CREDIT = 2**31 - 1
"""CHN-25."""


class Outlet:
    """The items that are in a channel, and its consumers.

    ``frame_room`` is how many bytes of items go into one message.
    """

    def __init__(self, redeliver: bool, frame_room: int) -> None:
        self.consumers: dict[Party, Consumer] = {}
        self._redeliver = redeliver
        self._frame_room = frame_room
        self._queue: deque[Numbered] = deque()
        self._returned = 0  # so many at the front were delivered before
        self._turns: deque[Consumer] = deque()
        self._round = 1
        self._last_number = 0

    def put(self, items: list[Raw]) -> None:
        """Items come in."""
        self._queue.extend(enumerate(items, self._last_number + 1))
        self._last_number += len(items)

    # Consumers

    def join(self, party: Party, items: int, size: int) -> None:
        self.consumers[party] = consumer = Consumer(party, items, size)
        self._turns.append(consumer)

    def drop(self, party: Party) -> None:
        """A consumer is one no more; what it has not acknowledged goes to the front (CHN-27)."""
        consumer = self.consumers.pop(party)
        self._turns.remove(consumer)
        if consumer.unacknowledged:
            before = [self._queue.popleft() for _ in range(self._returned)]
            returned = sorted([*before, *consumer.unacknowledged])
            self._queue.extendleft(reversed(returned))
            self._returned = len(returned)

    def dismiss(self) -> list[Consumer]:
        """All consumers, who are none any more."""
        dismissed = list(self.consumers.values())
        self.consumers.clear()
        self._turns.clear()
        return dismissed

    def clear(self) -> None:
        """No item is left, and none can come back."""
        self._queue.clear()
        self._returned = 0
        for consumer in self.consumers.values():
            consumer.unacknowledged.clear()

    def credit(self, consumer: Consumer, items: int, size: int) -> None:
        if consumer.credit_items + items > MOST_CREDIT or consumer.credit_bytes + size > MOST_CREDIT:
            raise QuotaExceeded(f"a consumer's credit is at most {MOST_CREDIT} items and bytes")
        consumer.credit_items += items
        consumer.credit_bytes += size

    def acknowledge(self, consumer: Consumer, seq: int) -> list[Numbered]:
        """What has left with it (CHN-29, CHN-30)."""
        if not self._redeliver:
            return []
        if seq >= consumer.next_seq:
            raise invalid("$.seq", f"{consumer.next_seq - 1} is the last that was delivered")
        first = consumer.next_seq - len(consumer.unacknowledged)
        return [consumer.unacknowledged.popleft() for _ in range(seq + 1 - first)]

    # Delivering

    def next_delivery(self) -> Deliver | Park | None:
        """A batch for the consumer whose turn it is (CHN-24); ``delivered`` or ``put_back`` says what became of it."""
        if not self._queue:
            self._round += 1
            return None
        able = [c for c in self._turns if c.credit_items > 0 and c.credit_bytes > 0 and not c.parked]
        if not able:
            return None
        next_ones = [c for c in able if c.served_in != self._round]
        if not next_ones:
            self._round += 1
            next_ones = able
        consumer = next_ones[0]
        if consumer.party.congested:  # CHN-26
            consumer.parked = True
            return Park(consumer)
        consumer.served_in = self._round
        self._turns.remove(consumer)
        self._turns.append(consumer)
        share = -(-len(self._queue) // len(next_ones))
        return self._take_batch(consumer, min(share, consumer.credit_items, WINDOW_ITEMS))

    def _take_batch(self, consumer: Consumer, most: int) -> Deliver:
        queue = self._queue
        left = min(consumer.credit_bytes, BATCH_BYTES)
        count = size = 0
        for _, item in islice(queue, most):
            if size >= left or (count and size + len(item) + count > self._frame_room):
                break
            count += 1
            size += len(item)
        batch: list[Numbered] = [queue.popleft() for _ in range(count)]
        redelivered = min(len(batch), self._returned)
        self._returned -= redelivered
        deliver = Deliver(consumer, consumer.next_seq, batch, size, redelivered)
        consumer.next_seq += len(batch)
        consumer.credit_items -= len(batch)
        consumer.credit_bytes -= size
        return deliver

    def put_back(self, deliver: Deliver) -> None:
        """It did not go out, because the consumer is about to end: others get it."""
        consumer = deliver.member
        consumer.parked = True
        consumer.next_seq -= len(deliver.batch)
        self._queue.extendleft(reversed(deliver.batch))
        self._returned += deliver.redelivered


def told_error(message: str, code: int | None = None) -> dict[str, Any]:
    """A ChannelError."""
    told: dict[str, Any] = {"message": message[:4096]}
    return told if code is None else {**told, "code": code}
