"""One participant as a receiver of events: what may go into its pipe, and in which turn. Spec EVT-16 to EVT-22.

What cannot be sent because the participant leaves its pipe full waits in its subscriptions, and they take turns when
the pipe is drained.
"""

from __future__ import annotations

from collections import deque

from plugwire.wire import Raw
from plugwire.wire.codec import encode_value

from ...routing.call import JoiningParticipant, Participant
from .subscriptions import Delivery, Published, Subscription

SUBSCRIPTIONS = 1024
"""Of one participant, those included of whose end it could not be told yet."""


class Receiver:
    """A participant and its subscriptions. An Account."""

    def __init__(self, participant: Participant) -> None:
        self.participant = participant
        self.held = 0
        self.subscriptions: dict[int, Subscription[Receiver]] = {}
        self._joining = participant if isinstance(participant, JoiningParticipant) else None
        self._stalled: dict[int, Subscription[Receiver]] = {}
        self._notices: deque[Raw] = deque()
        self._waits_for_drain = False
        self._passing: list[Raw] = []
        self._passed: list[Subscription[Receiver]] = []

    @property
    def is_full(self) -> bool:
        return len(self.subscriptions) + len(self._notices) >= SUBSCRIPTIONS

    def start(self, subscription: Subscription[Receiver]) -> None:
        """The participant has the number of the subscription; events may follow (EVT-11)."""
        subscription.is_started = True
        self.pump(subscription)

    def pass_by(self, subscription: Subscription[Receiver], event: Published) -> bool:
        """Send an event past a buffer in which nothing waits, with ``flush``. False: it has to go the long way."""
        if not subscription.is_clear or self.participant.congested:
            return False
        head = b'{"subscription":%d,"seq":%d,%b'
        self._passing.append(Raw(head % (subscription.number, subscription.pass_by(event), event.tail)))
        self._passed.append(subscription)
        return True

    def flush(self) -> None:
        """Send what was passed by, all at once."""
        bodies, subscriptions = self._passing, self._passed
        self._passing, self._passed = [], []
        if self._joining is not None:
            arrived = [self._joining.send_notifications("event/deliver", bodies)] * len(bodies)
        else:
            arrived = [self.participant.send_notification("event/deliver", body) for body in bodies]
        for subscription, has_arrived in zip(subscriptions, arrived, strict=True):
            if not has_arrived:
                subscription.undo(0)

    def pump(self, subscription: Subscription[Receiver]) -> None:
        """Send what the subscription may send, as far as the pipe takes it."""
        while not self.participant.congested:
            delivery = subscription.take()
            if delivery is None:
                return
            self._send(subscription, delivery)
        if subscription.is_ready:
            self._stalled[subscription.number] = subscription
            self._wait_for_drain()

    def tell_end(self, subscription: Subscription[Receiver], reason: str) -> None:
        """The host has ended a subscription (EVT-25)."""
        told = {
            "subscription": subscription.number,
            "reason": reason,
            "seq": subscription.seq,
            "missed": subscription.missed,
        }
        self._notices.append(encode_value(told))
        self._send_notices()

    def _send(self, subscription: Subscription[Receiver], delivery: Delivery) -> None:
        seq, missed, past, event = delivery
        head = b'{"subscription":%d,"seq":%d,' % (subscription.number, seq)
        if missed:
            head += b'"missed":%d,' % missed
        if past:
            head += b'"past":true,'
        if not self.participant.send_notification("event/deliver", Raw(head + event.tail)):
            subscription.undo(missed)

    def _send_notices(self) -> None:
        while self._notices and not self.participant.congested:
            self.participant.send_notification("event/ended", self._notices.popleft())
        if self._notices:
            self._wait_for_drain()

    def _wait_for_drain(self) -> None:
        if not self._waits_for_drain:
            self._waits_for_drain = True
            self.participant.when_drained(self._drained)

    def _drained(self) -> None:
        self._waits_for_drain = False
        self._send_notices()
        stalled = deque(self._stalled.values())
        self._stalled.clear()
        while stalled and not self.participant.congested:
            subscription = stalled.popleft()
            delivery = subscription.take()
            if delivery is not None:
                self._send(subscription, delivery)
                stalled.append(subscription)
        if stalled:
            self._stalled = {subscription.number: subscription for subscription in stalled}
            self._wait_for_drain()
