"""Hosts that mix up the order of messages, or count open requests wrongly (chapter 04)."""

from typing import Any

from tests.conformance.mutants.vices import vice


@vice("host", "sends-notifications-later", kills=("calls/order", "calls/order-before-answer"), because="CAL-11")
def sends_notifications_later() -> None:
    from plugwire_host.routing.link import PluginLink

    notify = PluginLink.notify

    def later(self: Any, *arguments: Any) -> bool:
        if self.waiting:
            return bool(notify(self, *arguments))
        self._router.loop.call_soon(notify, self, *arguments)
        return True

    PluginLink.notify = later


@vice("host", "lets-notifications-overtake", kills=("calls/order-while-waiting",), because="CAL-11")
def lets_notifications_overtake() -> None:
    from plugwire_host.routing.link import PluginLink

    PluginLink.notify = lambda self, sender, method, params: self.send_notification(method, params)


@vice("host", "refills-one-too-many", kills=("calls/concurrency", "everywhere/concurrency"), because="CAL-13")
def refills_one_too_many() -> None:
    from plugwire_host.routing.link import PluginLink

    pump = PluginLink.pump

    def with_one_more(self: Any) -> None:
        self.slots += 1
        pump(self)
        self.slots -= 1

    PluginLink.pump = with_one_more


@vice("host", "lets-everything-wait", kills=("calls/bounded-queue",), because="CAL-13")
def lets_everything_wait() -> None:
    from plugwire.wire.peer import Limits
    from plugwire_host.routing import queue

    queue.QUEUE_LIMIT = 1 << 40
    # More requests than may wait can be sent only where a plugin may have many open.
    frame_bytes, depth, _ = Limits.__init__.__defaults__ or ()
    Limits.__init__.__defaults__ = (frame_bytes, depth, 2048)


@vice("host", "counts-what-waits-and-not-its-bytes", kills=("calls/bounded-bytes",), because="CAL-13")
def counts_what_waits_and_not_its_bytes() -> None:
    from plugwire_host.routing import queue

    queue.QUEUE_BYTES = 1 << 40


@vice("host", "takes-any-number-of-requests", kills=("calls/in-flight",), because="CAL-14")
def takes_any_number_of_requests() -> None:
    from plugwire.wire.peer import Peer

    receive = Peer._receive_request

    def without_a_limit(self: Any, envelope: Any) -> Any:
        limit, self.limits.in_flight = self.limits.in_flight, 1 << 40
        arrival = receive(self, envelope)
        self.limits.in_flight = limit
        return arrival

    Peer._receive_request = without_a_limit


@vice("host", "refuses-ping-when-busy", kills=("calls/in-flight",), because="CAL-14")
def refuses_ping_when_busy() -> None:
    from plugwire.wire import ErrorCode
    from plugwire.wire.peer import Peer

    receive = Peer._receive_request

    def with_a_limit_for_all(self: Any, envelope: Any) -> Any:
        if envelope.method == "ping" and len(self.incoming) >= self.limits.in_flight:
            return self._reject(ErrorCode.OVERLOADED, "busy", envelope.id, {"limit": self.limits.in_flight})
        return receive(self, envelope)

    Peer._receive_request = with_a_limit_for_all
