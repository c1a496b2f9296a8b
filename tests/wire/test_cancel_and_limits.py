"""Cancelling, the limits of a connection, and its end. Spec 01, 02 and 04."""

import json
from typing import Any

import pytest

from plugwire.wire import (
    NEED_DATA,
    CancelRequested,
    ErrorObject,
    FrameTooLarge,
    Framing,
    Limits,
    MessageIgnored,
    MessageRejected,
    Noise,
    Peer,
    Raw,
    RemoteProtocolError,
    RequestReceived,
    Role,
)
from tests.wire.helpers import (
    INITIALIZE,
    PING_FRAME,
    body_of,
    give,
    give_one,
    ready_peer,
    rejection,
    request,
)

ROLES = pytest.mark.parametrize("role", [Role.HOST, Role.PLUGIN], ids=["host", "plugin"])
FRAMINGS = pytest.mark.parametrize("framing", [Framing.HEADER, Framing.LINE], ids=["header", "line"])


# Cancel


@pytest.mark.requirement("CAL-20")
@ROLES
def test_a_cancel_of_a_request_in_flight_is_told_and_the_request_stays_open(role: Role) -> None:
    peer = ready_peer(role)
    give(peer, request("r"))
    cancel = b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"r"}}'
    assert give(peer, cancel, cancel) == [CancelRequested("r"), CancelRequested("r")]
    assert body_of(peer.send_error("r", ErrorObject(-32800, "cancelled"))) == (
        b'{"jsonrpc":"2.0","id":"r","error":{"code":-32800,"message":"cancelled"}}'
    )


@pytest.mark.requirement("CAL-21")
@pytest.mark.parametrize(
    "params",
    ['{"id":"1"}', '{"id":true}', '{"id":1.0}', '{"id":1e0}', '{"id":2}', '{"id":null}', '{"id":[1]}',
    '{"id":{"id":1}}', "{}", '{"ID":1}', '{"id":1e400}', '{"id":' + "9" * 5000 + "}", '{"id":"' + "x" * 100000 + '"}',
     '{"id":18446744073709551617}'],
    ids=lambda params: params[:20],
)  # fmt: skip
@ROLES
def test_a_cancel_of_what_is_not_in_flight_is_ignored(params: str, role: Role) -> None:
    peer = ready_peer(role)
    give(peer, request(1))
    arrival = give_one(peer, f'{{"jsonrpc":"2.0","method":"$/cancelRequest","params":{params}}}'.encode())
    assert isinstance(arrival, MessageIgnored)
    assert len(arrival.reason) < 200
    assert peer.incoming == {1: "a/b"}


@pytest.mark.requirement("CAL-21")
def test_a_cancel_without_params_or_after_the_answer_or_before_the_request_is_ignored() -> None:
    peer = ready_peer()
    cancel = b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}'
    assert isinstance(give_one(peer, cancel), MessageIgnored)
    give(peer, request(1))
    assert isinstance(give_one(peer, b'{"jsonrpc":"2.0","method":"$/cancelRequest"}'), MessageIgnored)
    peer.send_result(1, None)
    assert isinstance(give_one(peer, cancel), MessageIgnored)


@pytest.mark.requirement("CAL-21")
def test_a_cancel_of_initialize_is_ignored() -> None:
    peer: Peer[str] = Peer(Role.PLUGIN)
    give(peer, INITIALIZE)
    arrival = give_one(peer, b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":0}}')
    assert isinstance(arrival, MessageIgnored)
    assert peer.incoming == {0: "initialize"}


@pytest.mark.requirement("CAL-22")
def test_a_cancel_does_not_touch_a_call_of_our_own_with_the_same_id() -> None:
    peer = ready_peer(Role.PLUGIN)
    assert peer.send_request("a/b", call="mine")[0] == 1
    arrival = give_one(peer, b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}')
    assert isinstance(arrival, MessageIgnored)
    assert peer.outgoing == {1: "mine"}


@pytest.mark.requirement("CAL-20")
def test_our_cancel_names_the_id_and_leaves_the_call_open() -> None:
    peer = ready_peer(Role.PLUGIN)
    peer.send_request("a/b", call="mine")
    assert body_of(peer.send_cancel(1)) == b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}'
    assert peer.outgoing == {1: "mine"}


# Limits


@pytest.mark.requirement("CAL-14")
@pytest.mark.parametrize("limit", [1, 2, 256])
def test_a_request_above_the_limit_in_flight_is_answered_with_overloaded(limit: int) -> None:
    peer = ready_peer(limits=Limits(in_flight=limit))
    arrivals = give(peer, *(request(place) for place in range(limit + 2)))
    assert [type(arrival).__name__ for arrival in arrivals] == ["RequestReceived"] * limit + ["MessageRejected"] * 2
    assert rejection(arrivals[-2]) == (-32013, limit)
    assert json.loads(body_of(arrivals[-1].reply))["error"]["data"] == {"limit": limit}
    assert len(peer.incoming) == limit
    peer.send_result(0, None)
    assert isinstance(give_one(peer, request(limit)), RequestReceived)


@pytest.mark.requirement("CAL-14")
def test_the_limit_in_flight_is_256_and_is_not_shared_with_our_own_requests() -> None:
    peer = ready_peer(Role.PLUGIN)
    for _ in range(300):
        peer.send_request("a/b", call="mine")
    arrivals = give(peer, *(request(place) for place in range(257)))
    assert [type(arrival).__name__ for arrival in arrivals[254:]] == [
        "RequestReceived",
        "RequestReceived",
        "MessageRejected",
    ]


@pytest.mark.requirement("ERR-06")
def test_a_message_that_does_not_fit_is_not_sent_and_changes_nothing() -> None:
    peer = ready_peer(Role.PLUGIN, limits=Limits(frame_bytes=100))
    give(peer, request(9))
    large = {"x": "y" * 100}
    for send in (
        lambda: peer.send_request("a/b", large, call="c"),
        lambda: peer.send_notification("a/b", large),
        lambda: peer.send_result(9, large),
        lambda: peer.send_error(9, ErrorObject(1, "x" * 100)),
    ):
        with pytest.raises(FrameTooLarge) as caught:
            send()
        assert caught.value.size > 100
        assert caught.value.limit == 100
    assert peer.outgoing == {}
    assert peer.incoming == {9: "a/b"}
    assert peer.send_request("a/b", call="c")[0] == 1
    assert body_of(peer.send_error(9, ErrorObject(-32016, "too large"))) == (
        b'{"jsonrpc":"2.0","id":9,"error":{"code":-32016,"message":"too large"}}'
    )


@pytest.mark.requirement("ERR-06")
def test_the_limit_counts_the_body_in_bytes() -> None:
    peer = ready_peer(Role.PLUGIN)
    body = b'{"jsonrpc":"2.0","method":"a/b","params":{"x":"\xc3\xa9"}}'
    assert len(body) == 52
    for limit, fits in ((51, False), (52, True), (53, True)):
        peer.set_limits(Limits(frame_bytes=limit))
        if fits:
            assert body_of(peer.send_notification("a/b", {"x": "é"})) == body
        else:
            with pytest.raises(FrameTooLarge):
                peer.send_notification("a/b", {"x": "é"})


@pytest.mark.parametrize("method", ["initialize", "shutdown"])
def test_a_lifecycle_request_that_does_not_fit_leaves_the_state(method: str) -> None:
    peer: Peer[str] = Peer(Role.HOST) if method == "initialize" else ready_peer(Role.HOST)
    state = peer.state
    peer.set_limits(Limits(frame_bytes=60))
    with pytest.raises(FrameTooLarge):
        peer.send_request(method, {"x": "y" * 100}, call="c")
    assert peer.state is state
    assert peer.outgoing == {}


@pytest.mark.requirement("FRM-17", "MSG-24")
@FRAMINGS
def test_new_limits_are_in_force_at_once(framing: Framing) -> None:
    peer = ready_peer(framing=framing)
    deep = b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":[[[]]]}}'
    peer.set_limits(Limits(frame_bytes=59, depth=4, in_flight=1))
    assert rejection_code(give_one(peer, deep)) == -32700
    peer.set_limits(Limits(frame_bytes=59, depth=5, in_flight=1))
    assert isinstance(give_one(peer, deep), RequestReceived)
    assert rejection_code(give_one(peer, request(2))) == -32013
    peer.set_limits(Limits(frame_bytes=58, depth=5, in_flight=1))
    with pytest.raises(RemoteProtocolError):
        give(peer, deep)


def rejection_code(arrival: Any) -> int:
    assert isinstance(arrival, MessageRejected)
    return int(arrival.code)


def test_the_limits_that_nobody_has_set_are_those_of_chapter_1() -> None:
    peer = ready_peer()
    assert (peer.limits.frame_bytes, peer.limits.depth, peer.limits.in_flight) == (4194304, 128, 256)


# The rest


def test_without_bytes_there_is_nothing_to_report() -> None:
    peer: Peer[str] = Peer(Role.HOST)
    assert peer.next_arrival() is NEED_DATA
    peer.receive_data(b"")
    assert list(peer.arrivals()) == []
    peer.receive_data(b"Content-Le")
    assert list(peer.arrivals()) == []
    assert peer.unread == b"Content-Le"


@pytest.mark.requirement("FRM-18", "LIF-17")
@ROLES
def test_the_end_of_the_stream_ends_the_conversation_after_every_whole_frame(role: Role) -> None:
    peer = ready_peer(role)
    peer.receive_data(PING_FRAME + PING_FRAME[:30])
    assert [type(arrival).__name__ for arrival in peer.arrivals()] == ["RequestReceived"]
    with pytest.raises(RemoteProtocolError):
        peer.receive_eof()
    assert peer.state.value == "exited"


@pytest.mark.requirement("FRM-19")
def test_a_host_is_told_what_stood_on_the_last_line() -> None:
    peer: Peer[str] = Peer(Role.HOST)
    peer.receive_data(b"Traceback")
    assert list(peer.arrivals()) == []
    assert peer.receive_eof() == Noise(b"Traceback", 0)


def test_payloads_are_raw_and_can_be_sent_on_as_they_are() -> None:
    peer = ready_peer(Role.HOST)
    arrival = give_one(peer, b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a" :1}}')
    assert isinstance(arrival, RequestReceived)
    assert isinstance(arrival.params, Raw)
    _, data = peer.send_request("y", arrival.params, call="c")
    assert body_of(data) == b'{"jsonrpc":"2.0","id":2,"method":"y","params":{"a" :1}}'
