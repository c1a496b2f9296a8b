"""``event/…``: what one publishes and others have subscribed to. Spec 06.

Owns: who is told of which event. Does not own: how an event gets through one subscription (subscriptions.py) and into a
pipe (receivers.py), what is kept of those that have been (past.py), and who declares what (declared.py).
The data of an event is never looked at, but for the schema that its own publisher declares.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from plugwire.wire import CallCycle, ErrorCode, Overloaded, QuotaExceeded, Raw, RequestError
from plugwire.wire._codes import MAX_FRAME_BYTES
from plugwire.wire.codec import encode_value

from ...routing.call import Call, Participant
from ...routing.router import Router
from ...routing.service import Answer, Taker
from ..params import Params, invalid
from .declared import DeclaredTopics
from .past import RecentEvents, RetainedEvents
from .receivers import SUBSCRIPTIONS, Receiver
from .subscriptions import PUBLISHERS_WAITING, Policy, Published, Subscription, Verdict
from .topics import PATTERN, TOPIC, TopicTree

HOST = "host"
MOST_HOPS = 16
LARGEST = 2**53 - 1
LARGEST_HOPS = 2**31 - 1
ENVELOPE = 256
"""More than what stands round the tail of an event in a frame of ``event/deliver``."""

_KEY = re.compile(".{1,256}", re.DOTALL)

HOST_TOPICS = (
    {"topic": "host.plugin.ready", "description": "A plugin has become ready."},
    {"topic": "host.plugin.ended", "description": "A plugin has ended."},
    {"topic": "host.plugin.restarting", "description": "A plugin has ended and is going to be started again."},
    {"topic": "host.plugin.failed", "description": "A plugin could not be started, or has ended too often."},
    {"topic": "host.service.available", "description": "A provider of a service can be called."},
    {"topic": "host.service.unavailable", "description": "A provider of a service can no longer be called."},
)


class EventService:
    """Events of one host. ``frame_bytes`` is what fits into one frame."""

    def __init__(self, router: Router, *, frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._router = router
        self._frame_bytes = frame_bytes
        self._receivers: dict[Participant, Receiver] = {}
        self._tree: TopicTree[Subscription[Receiver]] = TopicTree()
        self._retained = RetainedEvents()
        self._recent = RecentEvents()
        self._declared = DeclaredTopics(router.warn)
        self._declared.replace(self, HOST, HOST_TOPICS)
        self._last_subscription = 0
        self._last_event = 0
        self.requests: dict[str, Answer] = {
            "event/publish": self._publish_request,
            "event/subscribe": self._subscribe,
            "event/unsubscribe": self._unsubscribe,
            "event/topics": lambda _: {"topics": self._declared.describe()},
        }
        self.notifications: dict[str, Taker] = {
            "event/publish": self._publish_notification,
            "event/ack": self._acknowledge,
        }

    # Who is there

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        """It is ready, and this is its InitializeResult."""
        self._declared.replace(participant, participant.name, answer.get("events", ()))

    def left(self, participant: Participant, reason: str) -> None:
        """It has ended, and with it its subscriptions (EVT-15)."""
        self._declared.remove(participant)
        receiver = self._receivers.pop(participant, None)
        for subscription in list(receiver.subscriptions.values()) if receiver is not None else ():
            self._end(subscription)

    def close(self) -> None:
        """The host closes."""
        for participant in list(self._receivers):
            self.left(participant, "the host closes")

    def _end(self, subscription: Subscription[Receiver]) -> None:
        del subscription.account.subscriptions[subscription.number]
        self._tree.remove(subscription.pattern, subscription)
        subscription.end()

    # Publishing

    def publish_from_host(self, topic: str, data: Any) -> None:
        """Publish on a topic of the host's own; ``data`` is a JSON value. Waits for nobody (EVT-27)."""
        self._spread(self._event(topic, HOST, encode_value(data)), None)

    def _publish_request(self, call: Call) -> Any:
        params = Params(call.params)
        try:
            event, hops = self._read_event(call.participant, params)
        except CallCycle as error:
            self._router.warn(call.participant.name, f"an event was stopped: {error.message}")
            raise
        subscriptions = self._tree.match(event.topic)
        for subscription in subscriptions:
            if subscription.refuses(event):
                message = f"too many publishers wait already for subscribers of {event.topic}"
                raise Overloaded(message, data={"limit": PUBLISHERS_WAITING})  # EVT-28
        self._retain(event, params)
        waiting = _Publisher(call, self._router.loop, is_itself_caused=hops > 0)
        self._spread(event, waiting)
        answer = {"subscribers": len(subscriptions)}
        return waiting.answer(answer) if waiting.left else answer

    def _publish_notification(self, participant: Participant, raw: Raw | None) -> None:
        params = Params(raw)
        event, _ = self._read_event(participant, params)
        self._retain(event, params)
        self._spread(event, None)

    def _read_event(self, participant: Participant, params: Params) -> tuple[Published, int]:
        """The event and its hops. Raises RequestError for one that nobody may get."""
        topic = params.text("topic", pattern=TOPIC)
        key = params.text("key", pattern=_KEY, default=None)
        hops = params.integer("hops", 0, LARGEST_HOPS, default=0)
        data = params.raw("data")
        if topic.partition(".")[0] == HOST:
            message = f"{topic}: topics that begin with {HOST!r} are the host's own"
            raise RequestError(message, code=ErrorCode.PERMISSION_DENIED)  # EVT-03
        if hops > MOST_HOPS:
            message = f"{hops} events have led to this one on {topic}, each because of the one before"
            raise CallCycle(message, data={"path": [participant.name, participant.name]})  # EVT-09
        if data is not None:
            self._declared.check(participant, topic, data)
        event = self._event(topic, participant.name, data, key=key, hops=hops)
        if len(event.tail) + ENVELOPE > self._frame_bytes:
            sizes = {"size": len(event.tail) + ENVELOPE, "limit": self._frame_bytes}
            message = f"the event would need {sizes['size']} bytes, and a frame has {sizes['limit']}"
            raise RequestError(message, code=ErrorCode.PAYLOAD_TOO_LARGE, data=sizes)  # EVT-10
        return event, hops

    def _event(self, topic: str, sender: str, data: Raw | None, *, key: str | None = None, hops: int = 0) -> Published:
        self._last_event += 1
        tail = b'"topic":"%b"' % topic.encode()
        if data is not None:
            tail += b',"data":%b' % bytes(data)
        tail += b',"from":"%b"' % sender.encode()
        tail += b',"hops":%d}' % hops if hops else b"}"
        return Published(self._last_event, topic, key, sender, tail)

    def _retain(self, event: Published, params: Params) -> None:
        if not params.flag("retain"):
            return
        if "data" in params:
            self._retained.check(event)
            self._retained.keep(event)
        else:
            self._retained.clear(event.topic)  # EVT-30

    def _spread(self, event: Published, publisher: _Publisher | None) -> None:
        """Give an event to every subscription that matches; ``publisher`` waits for those that block."""
        self._recent.add(event)
        receivers: dict[Receiver, None] = {}
        for subscription in self._tree.match(event.topic):
            receiver = subscription.account
            if receiver.pass_by(subscription, event):
                receivers[receiver] = None
                continue
            verdict = subscription.put(event)
            if verdict is Verdict.NO_ROOM:
                if subscription.policy is Policy.DISCONNECT:
                    self._disconnect(subscription)
                elif publisher is not None and not publisher.is_waiting_for_itself(receiver.participant):
                    subscription.block(event, publisher)
                    publisher.left += 1
            receiver.pump(subscription)
        for receiver in receivers:
            receiver.flush()

    def _disconnect(self, subscription: Subscription[Receiver]) -> None:
        receiver = subscription.account
        self._end(subscription)
        receiver.tell_end(subscription, "its buffer had no room for a further event")
        why = f"its subscription to {subscription.pattern} was ended: it did not read fast enough"
        self._router.warn(receiver.participant.name, why)

    # Subscribing

    def _subscribe(self, call: Call) -> dict[str, Any]:
        participant, params = call.participant, Params(call.params)
        pattern = params.text("topic", pattern=PATTERN)
        policy = Policy(params.choice("policy", [policy.value for policy in Policy], default="dropOldest"))
        buffer = params.integer("buffer", 1, 65536, default=1024)
        window = params.integer("window", 1, 65536, default=None)
        replay = params.integer("replay", 0, 1024, default=0)
        receiver = self._receivers.setdefault(participant, Receiver(participant))
        if receiver.is_full:
            raise QuotaExceeded(f"it has {SUBSCRIPTIONS} subscriptions already", data={"limit": SUBSCRIPTIONS})
        self._last_subscription += 1
        subscription = Subscription(
            self._last_subscription, pattern, receiver, policy=policy, buffer=buffer, window=window
        )
        self._give_past(subscription, replay)
        receiver.subscriptions[subscription.number] = subscription
        self._tree.add(pattern, subscription)
        self._router.loop.call_soon(receiver.start, subscription)
        return {"subscription": subscription.number, "declared": self._is_declared(participant, pattern)}

    def _give_past(self, subscription: Subscription[Receiver], replay: int) -> None:
        """What has been retained, and the last few, each once and in the order of publication (EVT-33)."""
        pattern = subscription.pattern
        events = {event.number: event for event in self._retained.matching(pattern)}
        events |= {event.number: event for event in self._recent.last(pattern, replay)}
        for number in sorted(events):
            subscription.put(events[number], past=True)

    def _is_declared(self, participant: Participant, pattern: str) -> bool:
        if self._declared.could_match(pattern):
            return True
        nearest = self._declared.nearest(pattern)
        hint = f"did it mean {nearest}?" if nearest else "check the spelling, or declare it where it is published"
        why = f"it subscribes to {pattern}, and nothing that is ready declares such a topic; {hint}"
        self._router.warn(participant.name, why)  # EVT-35
        return False

    def _unsubscribe(self, call: Call) -> dict[str, Any]:
        number = Params(call.params).integer("subscription", 1, LARGEST)
        subscription = self._own(call.participant, number)
        if subscription is None:
            raise invalid("$.subscription", f"{number} is no subscription of {call.participant.name!r}")  # EVT-13
        self._end(subscription)
        return {"missed": subscription.missed} if subscription.missed else {}

    def _acknowledge(self, participant: Participant, raw: Raw | None) -> None:
        params = Params(raw)
        number, seq = params.integer("subscription", 1, LARGEST), params.integer("seq", 0, LARGEST)
        subscription = self._own(participant, number)
        if subscription is not None:  # EVT-21: one that has just ended is no mistake
            subscription.acknowledge(seq)
            subscription.account.pump(subscription)

    def _own(self, participant: Participant, number: int) -> Subscription[Receiver] | None:
        receiver = self._receivers.get(participant)
        return None if receiver is None else receiver.subscriptions.get(number)


class _Publisher:
    """A request to publish, until every subscription that blocks has taken the event. A Waiter."""

    def __init__(self, call: Call, loop: asyncio.AbstractEventLoop, *, is_itself_caused: bool) -> None:
        self.left = 0
        self._call = call
        self._loop = loop
        self._is_itself_caused = is_itself_caused
        self._all_taken: asyncio.Future[None] | None = None

    @property
    def is_over(self) -> bool:
        return self._call.done

    def is_waiting_for_itself(self, subscriber: Participant) -> bool:
        """Whether it publishes because of an event, and would wait until it has handled that one (EVT-27)."""
        return self._is_itself_caused and subscriber is self._call.caller

    def taken(self) -> None:
        self.left -= 1
        if self.left == 0 and self._all_taken is not None and not self._all_taken.done():
            self._all_taken.set_result(None)

    async def answer(self, result: dict[str, Any]) -> dict[str, Any]:
        """``result``, when the last one has taken it."""
        if self.left:
            self._all_taken = self._loop.create_future()
            await self._all_taken
        return result
