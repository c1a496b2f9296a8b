"""Hosts that take wrong messages, or refuse right ones (chapter 02)."""

import json
from typing import Any

from tests.conformance.mutants.host_vices.patches import before, decoding
from tests.conformance.mutants.vices import vice


@vice("host", "takes-the-number-2.0", kills=("messages/jsonrpc",), because="MSG-01")
def takes_the_number() -> None:
    from plugwire.wire import peer

    def lenient(envelope: Any) -> None:
        if envelope.jsonrpc == 2.0:
            envelope.jsonrpc = "2.0"

    before(peer, "check_request", lenient)


@vice("host", "takes-an-empty-method", kills=("messages/method",), because="MSG-02")
def takes_an_empty_method() -> None:
    from plugwire.wire import peer

    def lenient(envelope: Any) -> None:
        if envelope.method == "":
            envelope.method = "nobody/none"

    before(peer, "check_request", lenient)


@vice("host", "takes-null-for-params", kills=("messages/params",), because="MSG-03")
def takes_null_for_params() -> None:
    from plugwire.wire import peer
    from plugwire.wire.codec import UNSET

    def lenient(envelope: Any) -> None:
        if envelope.params is not UNSET and bytes(envelope.params) == b"null":
            envelope.params = UNSET

    before(peer, "check_request", lenient)


@vice("host", "wants-params-of-its-own-services", kills=("messages/params-absent",), because="MSG-04")
def wants_params_of_its_own_services() -> None:
    from plugwire.wire import peer
    from plugwire.wire.codec import UNSET, InvalidEnvelope

    def strict(envelope: Any) -> None:
        if envelope.method == "service/list" and envelope.params is UNSET:
            raise InvalidEnvelope("no params")

    before(peer, "check_request", strict)


@vice(
    "host",
    "refuses-unknown-members",
    kills=("messages/unknown-members", "everywhere/nothing-unasked"),
    because=("MSG-07", "MSG-18"),
)
def refuses_unknown_members() -> None:
    from plugwire.wire import codec

    def strict(good: Any, body: bytes, depth: int) -> Any:
        envelope = good(body, depth)
        if any(name.startswith("_") for name in codec.decode_members(body)):
            raise codec.InvalidEnvelope("an unknown member")
        return envelope

    decoding(strict)


@vice("host", "ignores-letter-case", kills=("messages/member-names",), because="MSG-08")
def ignores_letter_case() -> None:
    from plugwire.wire import codec

    def lenient(good: Any, body: bytes, depth: int) -> Any:
        envelope = good(body, depth)
        for name, raw in codec.decode_members(body).items():
            if name.lower() in ("id", "method") and getattr(envelope, name.lower()) is codec.UNSET:
                setattr(envelope, name.lower(), codec.decode_value(raw))
        return envelope

    decoding(lenient)


@vice("host", "takes-the-first-of-two-members", kills=("messages/member-twice",), because="MSG-09")
def takes_the_first_of_two_members() -> None:
    from plugwire.wire import codec

    def first(good: Any, body: bytes, depth: int) -> Any:
        envelope = good(body, depth)
        if body.count(b'"params"') == 2:
            pairs = json.loads(body, object_pairs_hook=list)
            members = dict(reversed(pairs))
            envelope.params = codec.encode_value(dict(members["params"]))
        return envelope

    decoding(first)


@vice("host", "executes-an-array-of-one", kills=("messages/no-batches",), because="MSG-10")
def executes_an_array_of_one() -> None:
    def lenient(good: Any, body: bytes, depth: int) -> Any:
        return good(body[1:-1] if body.startswith(b"[{") and body.count(b"{") == 1 else body, depth)

    decoding(lenient)


@vice("host", "ignores-what-is-no-object", kills=("messages/no-message",), because="MSG-27")
def ignores_what_is_no_object() -> None:
    def silent(good: Any, body: bytes, depth: int) -> Any:
        return good(b'{"jsonrpc":"2.0","result":null}' if body in (b"1", b"true", b"null") else body, depth)

    decoding(silent)


@vice(
    "host",
    "answers-unknown-notifications",
    kills=("messages/notification-unanswered", "everywhere/nothing-unasked"),
    because="MSG-18",
)
def answers_unknown_notifications() -> None:
    from plugwire.wire import ErrorCode
    from plugwire.wire.peer import Peer

    receive = Peer._receive_notification

    def answering(self: Any, method: str, params: Any) -> Any:
        if method == "$/none":
            rejected = self._reject(ErrorCode.METHOD_NOT_FOUND, "unknown", None)
            rejected.reply *= 2  # once for each of its loggers
            return rejected
        return receive(self, method, params)

    Peer._receive_notification = answering


@vice("host", "takes-an-id-that-is-in-flight", kills=("messages/id-in-flight",), because="MSG-15")
def takes_an_id_that_is_in_flight() -> None:
    from plugwire.wire import checks
    from plugwire.wire.peer import Peer

    def forget(self: Any, envelope: Any) -> None:
        if checks.is_id(envelope.id):
            self.incoming.pop(envelope.id, None)

    before(Peer, "_receive_request", forget)


@vice("host", "counts-16-bit-units-of-ids", kills=("ids/kept",), because="MSG-11")
def counts_units_of_ids() -> None:
    _check_ids(lambda good, value: good(value) and not (type(value) is str and len(value.encode("utf-16-le")) > 256))


@vice("host", "takes-whole-floats-for-ids", kills=("ids/none", "everywhere/valid-ids"), because="MSG-11")
def takes_whole_floats_for_ids() -> None:
    _check_ids(lambda good, value: good(value) or (type(value) is float and value == int(value)))


def _check_ids(check: Any) -> None:
    from plugwire.wire import checks, peer

    good = checks.is_id
    checks.is_id = peer.is_id = lambda value: check(good, value)


@vice("host", "takes-1-and-its-digits-for-one-id", kills=("ids/two-types",), because="MSG-12")
def takes_one_and_its_digits_for_one_id() -> None:
    from plugwire.wire.peer import Peer

    receive = Peer._receive_request

    def mixing(self: Any, envelope: Any) -> Any:
        if envelope.id == "1" and 1 in self.incoming:
            envelope.id = 1
        return receive(self, envelope)

    Peer._receive_request = mixing


@vice("host", "takes-the-digits-of-an-id", kills=("ids/look-alikes",), because="MSG-12")
def takes_the_digits_of_an_id() -> None:
    from plugwire.wire.peer import Peer

    def convert(self: Any, envelope: Any) -> None:
        if type(envelope.id) is str and envelope.id.isdigit():
            envelope.id = int(envelope.id)

    before(Peer, "_receive_response", convert)


@vice(
    "host",
    "answers-errors-without-id",
    kills=("ids/stray-responses",),
    because="MSG-28",
)
def answers_errors_without_id() -> None:
    from plugwire.wire import ErrorCode
    from plugwire.wire.peer import Peer

    receive = Peer._receive_response

    def answering(self: Any, envelope: Any) -> Any:
        if envelope.id is None:
            return self._reject(ErrorCode.INVALID_REQUEST, "no id", None)
        return receive(self, envelope)

    Peer._receive_response = answering


@vice(
    "host",
    "forwards-a-second-answer",
    kills=("ids/answered-twice", "everywhere/one-answer"),
    because=("MSG-19", "MSG-17"),
)
def forwards_a_second_answer() -> None:
    from plugwire.wire import MessageIgnored, ResponseReceived, codec
    from plugwire_host.routing.link import Call, PluginLink

    arrive = PluginLink._on_arrival

    def twice(self: Any, arrival: Any) -> None:
        if isinstance(arrival, ResponseReceived) and type(arrival.call) is Call:
            self.last_call = arrival.call
        last = getattr(self, "last_call", None)
        if (
            isinstance(arrival, MessageIgnored)
            and "id 2," in arrival.reason
            and isinstance(getattr(last, "caller", None), PluginLink)
        ):
            caller = last.caller
            caller.connection.send(caller.peer._frame(codec.encode_result(last.caller_id, "again")))
        arrive(self, arrival)

    PluginLink._on_arrival = twice


@vice("host", "takes-a-result-beside-an-error", kills=("ids/bad-response",), because="MSG-20")
def takes_a_result_beside_an_error() -> None:
    from plugwire.wire import peer
    from plugwire.wire.codec import UNSET

    def lenient(envelope: Any) -> None:
        if envelope.result is not UNSET:
            envelope.error = UNSET

    before(peer, "outcome_of", lenient)


@vice("host", "counts-from-2-to-the-31", kills=("everywhere/host-ids",), because="MSG-16")
def counts_from_2_to_the_31() -> None:
    from plugwire.wire.peer import Peer

    Peer._unused_id = lambda self: max(self._last_id, 2**31) + 1


@vice("host", "uses-an-id-again", kills=("everywhere/fresh-ids",), because="MSG-14")
def uses_an_id_again() -> None:
    from plugwire_host.routing.link import PluginLink

    def again(self: Any, call: Any) -> None:
        if call.method == "callee/take" and self.peer.outgoing:
            self.connection.send(
                self.peer._frame(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}' % min(self.peer.outgoing))
            )

    before(PluginLink, "send", again)
