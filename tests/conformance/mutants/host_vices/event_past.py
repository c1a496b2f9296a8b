"""Hosts that keep the wrong events, or give them wrongly to those who come later (chapter 06)."""

from typing import Any

from plugwire_host.services.events import past
from plugwire_host.services.events.past import RecentEvents, RetainedEvents
from plugwire_host.services.events.receivers import Receiver
from plugwire_host.services.events.service import EventService
from plugwire_host.services.events.subscriptions import Policy, Subscription, Verdict
from tests.conformance.mutants.patching import wrap
from tests.conformance.mutants.vices import vice

# What is patched is patched without the checks of types.
_Service: Any = EventService
_Subscription: Any = Subscription
_module: Any = past
_MIB = 1 << 20


@vice("host", "retains-the-first", kills=("events/retained", "events/past"), because=("EVT-29", "EVT-33"))
def retains_the_first() -> None:
    def keep(good: Any) -> Any:
        return lambda self, event: None if event.topic in self._events else good(self, event)

    wrap(RetainedEvents, "keep", keep)


@vice("host", "forgets-with-the-publisher", kills=("events/retained-publisher-ended",), because="EVT-29")
def forgets_with_the_publisher() -> None:
    def left(good: Any) -> Any:
        def with_all_it_said(self: Any, participant: Any, reason: str) -> None:
            good(self, participant, reason)
            for event in list(self._retained._events.values()):
                if event.sender == participant.name:
                    self._retained.clear(event.topic)

        return with_all_it_said

    wrap(_Service, "left", left)


@vice(
    "host",
    "retains-what-is-empty",
    kills=("events/retained-cleared", "events/retained-quota"),
    because=("EVT-30", "EVT-31"),
)
def retains_what_is_empty() -> None:
    def retain(self: Any, event: Any, params: Any) -> None:
        if params.flag("retain"):
            self._retained.check(event)
            self._retained.keep(event)

    _Service._retain = retain


@vice("host", "swallows-what-clears", kills=("events/retained-cleared",), because="EVT-30")
def swallows_what_clears() -> None:
    clearing: set[int] = set()

    def retain(good: Any) -> Any:
        def noting(self: Any, event: Any, params: Any) -> None:
            good(self, event, params)
            if params.flag("retain") and "data" not in params:
                clearing.add(event.number)

        return noting

    def spread(good: Any) -> Any:
        return lambda self, event, publisher: None if event.number in clearing else good(self, event, publisher)

    wrap(_Service, "_retain", retain)
    wrap(_Service, "_spread", spread)


@vice("host", "retains-8192-events", kills=("events/retained-quota",), because="EVT-31")
def retains_8192_events() -> None:
    _module.RETAINED_EVENTS = 8192


@vice("host", "retains-64-mib", kills=("events/retained-bytes",), because="EVT-31")
def retains_64_mib() -> None:
    _module.RETAINED_BYTES = 64 * _MIB


@vice("host", "replays-the-first", kills=("events/replay", "events/replay-retained"), because="EVT-32")
def replays_the_first() -> None:
    def last(good: Any) -> Any:
        return lambda self, pattern, count: good(self, pattern, 1024)[:count]

    wrap(RecentEvents, "last", last)


@vice("host", "gives-retained-events-twice", kills=("events/replay-retained",), because="EVT-32")
def gives_retained_events_twice() -> None:
    def give_past(self: Any, subscription: Any, replay: int) -> None:
        found = [*self._retained.matching(subscription.pattern), *self._recent.last(subscription.pattern, replay)]
        for event in sorted(found, key=lambda event: event.number):
            subscription.put(event, past=True)

    _Service._give_past = give_past


@vice("host", "remembers-4096-events", kills=("events/replay-bounds",), because="EVT-32")
def remembers_4096_events() -> None:
    _module.REPLAY_EVENTS = 4096


@vice("host", "remembers-64-mib", kills=("events/replay-bounds",), because="EVT-32")
def remembers_64_mib() -> None:
    _module.REPLAY_BYTES = 64 * _MIB


@vice("host", "does-not-say-past", kills=("events/past",), because="EVT-33")
def does_not_say_past() -> None:
    def send(good: Any) -> Any:
        return lambda self, subscription, delivery: good(self, subscription, delivery._replace(past=False))

    wrap(Receiver, "_send", send)


@vice("host", "past-events-by-the-policy", kills=("events/past-without-room",), because="EVT-33")
def past_events_by_the_policy() -> None:
    """Without room it leaves the later ones out, with the policies that may not drop any."""

    def put(good: Any) -> Any:
        def by_the_policy(self: Any, event: Any, *, past: bool = False) -> Any:
            if past and self.policy in (Policy.BLOCK, Policy.DISCONNECT) and not self._has_room(event):
                self.seq += 1
                return Verdict.LEFT_OUT
            return good(self, event, past=past)

        return by_the_policy

    wrap(_Subscription, "put", put)
