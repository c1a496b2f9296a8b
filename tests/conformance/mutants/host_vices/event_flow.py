"""Hosts that do not keep to windows, buffers and policies (chapter 06: flow)."""

import asyncio
from typing import Any

from plugwire_host.services.events import service, subscriptions
from plugwire_host.services.events.receivers import Receiver
from plugwire_host.services.events.service import EventService
from plugwire_host.services.events.subscriptions import Delivery, Policy, Subscription, Verdict
from plugwire_host.services.params import Params
from tests.conformance.mutants.patching import wrap
from tests.conformance.mutants.vices import vice

# What is patched is patched without the checks of types.
_Service: Any = EventService
_Receiver: Any = Receiver
_Subscription: Any = Subscription
_Publisher: Any = service._Publisher
_module: Any = subscriptions
_MIB = 1 << 20


@vice("host", "knows-only-a-window-of-one", kills=("events/window", "events/ack"), because=("EVT-20", "EVT-21"))
def knows_only_a_window_of_one() -> None:
    good = _Subscription._window_is_open.fget
    _Subscription._window_is_open = property(lambda self: bool(self._window and self._window > 1) or good(self))


@vice("host", "acknowledges-one-at-a-time", kills=("events/window", "events/ack"), because=("EVT-20", "EVT-21"))
def acknowledges_one_at_a_time() -> None:
    def acknowledge(self: Any, seq: int) -> None:
        if self._on_the_way and self._on_the_way[0][0] <= seq:
            self._on_the_way_bytes -= self._on_the_way.popleft()[1]

    _Subscription.acknowledge = acknowledge


@vice("host", "believes-an-ack-of-the-future", kills=("events/ack",), because="EVT-21")
def believes_an_ack_of_the_future() -> None:
    ahead: dict[int, int] = {}
    good = _Subscription._window_is_open.fget

    def acknowledge(good: Any) -> Any:
        def remember(self: Any, seq: int) -> None:
            ahead[self.number] = max(ahead.get(self.number, 0), seq)
            good(self, seq)

        return remember

    wrap(_Subscription, "acknowledge", acknowledge)
    _Subscription._window_is_open = property(lambda self: self.sent < ahead.get(self.number, 0) or good(self))


@vice("host", "disconnects-late", kills=("events/buffer", "events/disconnect"), because=("EVT-22", "EVT-25"))
def disconnects_late() -> None:
    """With `disconnect` only bytes count."""

    def has_room(good: Any) -> Any:
        def by_bytes(self: Any, event: Any) -> Any:
            size = len(event.tail)
            fits = self._waiting_bytes + size <= 8 * _MIB and self.account.held + size <= 64 * _MIB
            late = self.is_started and self.policy is Policy.DISCONNECT
            return (late and fits) or good(self, event)

        return by_bytes

    wrap(_Subscription, "_has_room", has_room)


@vice("host", "buffers-64-mib", kills=("events/buffer-bytes",), because="EVT-22")
def buffers_64_mib() -> None:
    _module.BUFFER_BYTES = 64 * _MIB


@vice("host", "holds-a-gib", kills=("events/plugin-bytes", "events/block-bytes"), because=("EVT-22", "EVT-28"))
def holds_a_gib() -> None:
    _module.HELD_BYTES = 1024 * _MIB


def _left_out_without_room(policy: Policy) -> None:
    """With that policy an event without room is itself left out."""

    def put(good: Any) -> Any:
        def newest_last(self: Any, event: Any, *, past: bool = False) -> Any:
            if self.policy is policy and not past and not self._has_room(event):
                self.seq += 1
                return Verdict.LEFT_OUT
            return good(self, event, past=past)

        return newest_last

    wrap(_Subscription, "put", put)


@vice("host", "drops-the-newest", kills=("events/drop-oldest", "events/seq"), because=("EVT-23", "EVT-17"))
def drops_the_newest() -> None:
    _left_out_without_room(Policy.DROP_OLDEST)


@vice("host", "coalesce-drops-the-newest", kills=("events/coalesce-without-room",), because="EVT-24")
def coalesce_drops_the_newest() -> None:
    _left_out_without_room(Policy.COALESCE)


@vice("host", "coalesce-keeps-the-older", kills=("events/coalesce",), because="EVT-24")
def coalesce_keeps_the_older() -> None:
    def put(good: Any) -> Any:
        def older_first(self: Any, event: Any, *, past: bool = False) -> Any:
            if self.policy is Policy.COALESCE and (event.topic, event.key) in self._waiting:
                self.seq += 1
                return Verdict.LEFT_OUT
            return good(self, event, past=past)

        return older_first

    wrap(_Subscription, "put", put)


@vice("host", "coalesce-knows-no-keys", kills=("events/coalesce", "events/coalesce-without-room"), because="EVT-24")
def coalesce_knows_no_keys() -> None:
    def put(good: Any) -> Any:
        def by_topic(self: Any, event: Any, *, past: bool = False) -> Any:
            if self.policy is Policy.COALESCE:
                event.key = None
            return good(self, event, past=past)

        return by_topic

    wrap(_Subscription, "put", put)


@vice(
    "host",
    "disconnects-in-silence",
    kills=("events/disconnect", "events/buffer", "events/buffer-bytes"),
    because=("EVT-25", "EVT-22"),
)
def disconnects_in_silence() -> None:
    _Receiver.tell_end = lambda self, subscription, reason: None


@vice(
    "host",
    "answers-before-it-is-taken",
    kills=(
        "events/block",
        "events/block-order",
        "events/block-given-up",
        "events/block-deadline",
        "events/block-not-waited-for",
        "events/block-plugin-ended",
        "events/block-crowd",
        "events/block-bytes",
    ),
    because=("EVT-26", "EVT-27", "EVT-28"),
)
def answers_before_it_is_taken() -> None:
    async def answer(self: Any, result: Any) -> Any:
        return result

    _Publisher.answer = answer


@vice("host", "takes-the-last-publisher-first", kills=("events/block", "events/block-order"), because="EVT-26")
def takes_the_last_publisher_first() -> None:
    def block(self: Any, event: Any, waiter: Any) -> None:
        self._blocked.appendleft((Delivery(self.seq, 0, False, event), waiter))
        self.account.held += len(event.tail)

    _Subscription.block = block


def _have_room(self: Any, event: Any) -> bool:
    matching = self._tree.match(event.topic)
    return all(one.is_clear or one._has_room(event) for one in matching if one.policy is Policy.BLOCK)


@vice(
    "host",
    "holds-everybody-up",
    kills=(
        "events/block-holds-nobody-else",
        "events/block-given-up",
        "events/block-deadline",
        "events/block-itself",
        "events/block-crowd",
        "events/block-bytes",
    ),
    because=("EVT-19", "EVT-27", "EVT-28"),
)
def holds_everybody_up() -> None:
    """Publishes only when all who block have room; everything else waits behind."""
    row: list[asyncio.Lock] = []

    def publish(good: Any) -> Any:
        async def when_there_is_room(self: Any, call: Any, event: Any) -> Any:
            async with row[0]:
                while not _have_room(self, event):
                    await asyncio.sleep(0.01)
                return good(self, call)

        def in_a_row(self: Any, call: Any) -> Any:
            if not row:
                row.append(asyncio.Lock())
            event, _ = self._read_event(call.participant, Params(call.params))
            if not row[0].locked() and _have_room(self, event):
                return good(self, call)
            return when_there_is_room(self, call, event)

        return in_a_row

    wrap(_Service, "_publish_request", publish)


@vice("host", "keeps-what-was-given-up", kills=("events/block-given-up", "events/block-deadline"), because="EVT-27")
def keeps_what_was_given_up() -> None:
    _Publisher.is_over = property(lambda self: False)


class _Nobody:
    """Waits for an event that nobody waits for."""

    left = 0
    is_over = False

    def is_waiting_for_itself(self, subscriber: object) -> bool:
        return False

    def taken(self) -> None:
        pass


@vice(
    "host",
    "keeps-what-nobody-waits-for",
    kills=("events/block-not-waited-for", "events/block-host"),
    because="EVT-27",
)
def keeps_what_nobody_waits_for() -> None:
    def spread(good: Any) -> Any:
        return lambda self, event, publisher: good(self, event, publisher or _Nobody())

    wrap(_Service, "_spread", spread)


@vice("host", "lets-a-plugin-wait-for-itself", kills=("events/block-itself",), because="EVT-27")
def lets_a_plugin_wait_for_itself() -> None:
    _Publisher.is_waiting_for_itself = lambda self, subscriber: False


@vice("host", "leaves-publishers-waiting", kills=("events/block-plugin-ended",), because="EVT-15")
def leaves_publishers_waiting() -> None:
    def end(good: Any) -> Any:
        def but_for_those(self: Any) -> None:
            self._blocked.clear()
            good(self)

        return but_for_those

    wrap(_Subscription, "end", end)


@vice("host", "lets-4096-publishers-wait", kills=("events/block-crowd",), because="EVT-28")
def lets_4096_publishers_wait() -> None:
    _module.PUBLISHERS_WAITING = 4096
