"""Hosts that do not do with subscriptions and deliveries as chapter 06 wants it."""

import asyncio
from typing import Any

from plugwire_host.services.events import receivers, service, topics
from plugwire_host.services.events.receivers import Receiver
from plugwire_host.services.events.service import EventService
from plugwire_host.services.params import Params
from tests.conformance.mutants.patching import wrap
from tests.conformance.mutants.vices import vice

# What is patched is patched without the checks of types.
_Service: Any = EventService
_Receiver: Any = Receiver
_Tree: Any = topics.TopicTree
_Params: Any = Params
_module: Any = service


@vice("host", "gives-numbers-again", kills=("events/numbers", "events/unsubscribe"), because=("EVT-11", "EVT-14"))
def gives_numbers_again() -> None:
    def subscribe(good: Any) -> Any:
        def with_a_free_number(self: Any, call: Any) -> Any:
            taken = {number for receiver in self._receivers.values() for number in receiver.subscriptions}
            self._last_subscription = next(number for number in range(len(taken) + 1) if number + 1 not in taken)
            return good(self, call)

        return with_a_free_number

    wrap(_Service, "_subscribe", subscribe)


@vice("host", "gives-past-events-before-the-answer", kills=("events/answer-first",), because="EVT-11")
def gives_past_events_before_the_answer() -> None:
    def give_past(good: Any) -> Any:
        def at_once(self: Any, subscription: Any, replay: int) -> None:
            good(self, subscription, replay)
            subscription.is_started = True
            subscription.account.pump(subscription)

        return at_once

    wrap(_Service, "_give_past", give_past)


@vice("host", "gives-2048-subscriptions", kills=("events/subscription-quota",), because="EVT-12")
def gives_2048_subscriptions() -> None:
    receivers.SUBSCRIPTIONS = 2048


def _anybodys(self: Any, number: int) -> Any:
    for receiver in self._receivers.values():
        if number in receiver.subscriptions:
            return receiver.subscriptions[number]
    return None


def _with_anybodys(good: Any) -> Any:
    def looks_at_all(self: Any, *arguments: Any) -> Any:
        self._own = lambda participant, number: _anybodys(self, number)
        try:
            return good(self, *arguments)
        finally:
            del self._own

    return looks_at_all


@vice("host", "ends-anybodys-subscription", kills=("events/foreign-subscription",), because="EVT-13")
def ends_anybodys_subscription() -> None:
    wrap(_Service, "_unsubscribe", _with_anybodys)


@vice("host", "takes-anybodys-ack", kills=("events/foreign-ack",), because="EVT-21")
def takes_anybodys_ack() -> None:
    wrap(_Service, "_acknowledge", _with_anybodys)


@vice(
    "host", "ends-subscriptions-later", kills=("events/unsubscribe", "events/subscribers"), because=("EVT-14", "EVT-06")
)
def ends_subscriptions_later() -> None:
    def end(self: Any, subscription: Any) -> None:
        del subscription.account.subscriptions[subscription.number]

        def at_last() -> None:
            self._tree.remove(subscription.pattern, subscription)
            subscription.end()

        asyncio.get_running_loop().call_later(0.3, at_last)

    def unsubscribe(good: Any) -> Any:
        def later(self: Any, call: Any) -> Any:
            self._end = lambda subscription: end(self, subscription)
            try:
                return good(self, call)
            finally:
                del self._end

        return later

    wrap(_Service, "_unsubscribe", unsubscribe)


@vice(
    "host",
    "keeps-subscriptions-of-the-dead",
    kills=("events/plugin-ended", "events/block-plugin-ended"),
    because="EVT-15",
)
def keeps_subscriptions_of_the_dead() -> None:
    def left(self: Any, participant: Any, reason: str) -> None:
        self._declared.remove(participant)

    _Service.left = left


@vice(
    "host",
    "notifications-are-overtaken",
    kills=("events/order", "events/block-not-waited-for"),
    because=("EVT-16", "EVT-27"),
)
def notifications_are_overtaken() -> None:
    """Requests go past notifications that came before them."""

    def publish(self: Any, participant: Any, raw: Any) -> None:
        params = Params(raw)
        event, _ = self._read_event(participant, params)
        self._retain(event, params)
        asyncio.get_running_loop().call_later(0.02, self._spread, event, None)

    _Service._publish_notification = publish


@vice("host", "two-ways-to-one-subscriber", kills=("events/one-order",), because="EVT-16")
def two_ways_to_one_subscriber() -> None:
    """What comes from one of the publishers takes a way of its own to every second subscription."""

    def pass_by(good: Any) -> Any:
        def on_two_ways(self: Any, subscription: Any, event: Any) -> bool:
            if event.sender != "hand" or subscription.number % 2:
                return bool(good(self, subscription, event))

            def arrive() -> None:
                good(self, subscription, event)
                self.flush()

            asyncio.get_running_loop().call_later(0.2, arrive)
            return True

        return on_two_ways

    wrap(_Receiver, "pass_by", pass_by)


@vice(
    "host",
    "numbers-only-what-it-sends",
    kills=("events/seq", "events/missed", "events/past-without-room"),
    because=("EVT-17", "EVT-18"),
)
def numbers_only_what_it_sends() -> None:
    left_out: dict[int, int] = {}

    def send(good: Any) -> Any:
        def with_another_number(self: Any, subscription: Any, delivery: Any) -> None:
            total = left_out[subscription.number] = left_out.get(subscription.number, 0) + delivery.missed
            good(self, subscription, delivery._replace(seq=delivery.seq - total))

        return with_another_number

    def acknowledge(good: Any) -> Any:
        return lambda self, seq: good(self, seq + left_out.get(self.number, 0))

    wrap(_Receiver, "_send", send)
    from plugwire_host.services.events.subscriptions import Subscription

    wrap(Subscription, "acknowledge", acknowledge)


@vice(
    "host",
    "tells-nothing-of-what-is-missed",
    kills=(
        "events/missed",
        "events/past-without-room",
        "events/block-given-up",
        "events/block-deadline",
        "events/block-not-waited-for",
        "events/block-host",
    ),
    because=("EVT-18", "EVT-27"),
)
def tells_nothing_of_what_is_missed() -> None:
    def send(good: Any) -> Any:
        return lambda self, subscription, delivery: good(self, subscription, delivery._replace(missed=0))

    wrap(_Receiver, "_send", send)


_ENDS = ("events/missed", "events/block-itself")


@vice("host", "tells-nothing-at-the-end", kills=_ENDS, because=("EVT-18", "EVT-27"))
def tells_nothing_at_the_end() -> None:
    def unsubscribe(good: Any) -> Any:
        def silent(self: Any, call: Any) -> dict[str, Any]:
            good(self, call)
            return {}

        return silent

    wrap(_Service, "_unsubscribe", unsubscribe)


@vice("host", "tells-all-as-missed", kills=("events/nothing-missed", *_ENDS), because=("EVT-18", "EVT-27"))
def tells_all_as_missed() -> None:
    """The end tells of every event of the subscription."""

    def unsubscribe(good: Any) -> Any:
        def all_of_them(self: Any, call: Any) -> Any:
            number = Params(call.params).integer("subscription", 1, 2**53)
            subscription = self._own(call.participant, number)
            answer = good(self, call)
            return {"missed": subscription.seq} if subscription is not None and subscription.seq else answer

        return all_of_them

    wrap(_Service, "_unsubscribe", unsubscribe)


@vice("host", "waits-for-the-slowest", kills=("events/slow-subscriber",), because="EVT-19")
def waits_for_the_slowest() -> None:
    """Answers a publisher of something large when all have taken it."""

    def publish(good: Any) -> Any:
        def waiting(self: Any, call: Any) -> Any:
            answer = good(self, call)
            if len(memoryview(call.params)) < 100_000 or not isinstance(answer, dict):
                return answer
            return _when_nobody_is_congested(self, answer)

        return waiting

    wrap(_Service, "_publish_request", publish)


async def _when_nobody_is_congested(self: Any, answer: Any) -> Any:
    while any(receiver.participant.congested for receiver in self._receivers.values()):
        await asyncio.sleep(0.01)
    return answer
