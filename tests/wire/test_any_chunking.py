"""Whatever is sent and however it is cut: the same arrivals. Spec 01 and 02."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plugwire.wire import ErrorObject, Framing, Limits, Meta, Peer, Role
from plugwire.wire.codec import decode_value
from tests.wire.helpers import LOST, ConnectionPair, Pieces, arrivals_of, cut

REPEATABLE = settings(deadline=None, database=None, derandomize=True, max_examples=300)
FRAMINGS = pytest.mark.parametrize("framing", [Framing.HEADER, Framing.LINE], ids=["header", "line"])
ROLES = pytest.mark.parametrize("role", [Role.HOST, Role.PLUGIN], ids=["host", "plugin"])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False,
    allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
CANCEL_7 = b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7}}'
GOOD_BODIES = [
    b'{"jsonrpc":"2.0","id":0,"method":"initialize"}',
    b'{"jsonrpc":"2.0","method":"initialized"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":"1","method":"a/b","params":{"text":"\xc3\xa9\xf0\x9f\x98\x80"},"meta":{"from":"x"}}',
    b'{"jsonrpc":"2.0","id":2,"method":"a/b","params":{ "Content-Length: 5":"\\r\\n" }}',
    b'{"jsonrpc":"2.0","method":"$/progress","params":{"token":1,"value":{}}}',
    b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}',
    b'{"jsonrpc":"2.0","method":"log/write","params":{}}',
    b'{"jsonrpc":"2.0","id":1,"result":null}',
    b'{"jsonrpc":"2.0","id":2,"result":{"x":[1e400]}}',
    b'{"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"m","data":5}}',
    b'{"jsonrpc":"2.0","id":3,"result":1}',
]
BAD_BODIES = [
    b"{", b"[]", b"{}", b'{"a":"\xff"}', b"\xef\xbb\xbf{}", b'{"jsonrpc":"2.0","id":1.0,"method":"x"}', b"[" * 200,
    b"[" + b"[" * 140 + b"]" * 141,
    b'{"jsonrpc":"2.0","id":2,"result":1,"error":1}', b'{"jsonrpc":"2.0","id":null,"error":{}}',
    b'{"jsonrpc":"1.0","id":9,"method":"x"}',
]  # fmt: skip
STRAY = [
    b"Downloading...\n", b"50%", b"\n", b"\r\n", b"INFO: x\n", b"INFO: x\n\n", b"\xef\xbb\xbf", b"\x1b[1mx\n",
    b"10%\r20%\r", b"Content-", b"X-", b"< Content-Length: 5\r\n", b"{\n", b"x" * 200,
]  # fmt: skip
FATAL = [
    b"Content-Length: +5\r\n\r\n",
    b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
    b"Content-Length: 99999999\r\n",
    b"[" + b"x" * 4096,
]
HEADS = [
    b"Content-Length: %d\r\n\r\n", b"content-length:%d\r\n\r\n", b"Content-Length: %d \n\n",
    b"X: y\r\nContent-Length: %d\r\nZ:\r\n\r\n",
    b"Content-Length: 00%d\r\n\r\n",
]  # fmt: skip


def bodies() -> st.SearchStrategy[bytes]:
    generated = st.binary(max_size=12)
    return st.sampled_from(GOOD_BODIES) | st.sampled_from(GOOD_BODIES + BAD_BODIES) | generated


def frames(framing: Framing, bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    if framing is Framing.LINE:
        ends = st.sampled_from([b"\n", b"\n", b"\r\n", b" \n"])
        return st.tuples(bodies, ends).map(b"".join)
    heads = st.sampled_from([HEADS[0], *HEADS])
    return st.tuples(heads, bodies).map(lambda pair: pair[0] % len(pair[1]) + pair[1])


def streams(framing: Framing, role: Role) -> st.SearchStrategy[bytes]:
    """Frames, noise where a host reads, and now and then something that ends it all."""
    asked_and_cancelled = st.tuples(
        *(frames(framing, st.just(body)) for body in (b'{"jsonrpc":"2.0","id":7,"method":"ping"}', CANCEL_7))
    ).map(b"".join)
    parts = frames(framing, bodies()) | frames(framing, bodies()) | asked_and_cancelled
    if role is Role.HOST:
        parts |= st.sampled_from(STRAY)
    whole = st.lists(parts, max_size=12).map(b"".join)
    ends = st.sampled_from([b"", b"", b"", *FATAL, *STRAY])
    # A plugin takes notifications only when it is ready, which chance alone brings about too seldom.
    ready = st.tuples(*(frames(framing, st.just(body)) for body in GOOD_BODIES[:2])).map(b"".join)
    starts = st.just(b"") | ready if role is Role.PLUGIN else st.just(b"")
    return st.tuples(starts, whole, ends, whole).map(b"".join)


@st.composite
def cut_streams(draw: st.DrawFn, framing: Framing, role: Role) -> Pieces:
    stream = draw(streams(framing, role))
    places = draw(st.lists(st.integers(0, len(stream)), max_size=12) | st.just(list(range(len(stream)))))
    return cut(stream, *places)


def started_peer(framing: Framing, role: Role) -> Peer[Any]:
    """A peer with calls in flight, for the answers among the messages to find."""
    pair = ConnectionPair(framing)
    peer = pair.plugin if role is Role.PLUGIN else pair.host
    peer.set_limits(Limits(frame_bytes=4096))
    if role is Role.HOST:
        pair.shake_hands()
        # The first id went to initialize.
        assert [peer.send_request("a/b", call=place)[0] for place in (2, 3)] == [2, 3]
    else:
        assert [peer.send_request("ping", call=place)[0] for place in (1, 2, 3)] == [1, 2, 3]
    return peer


def ending(peer: Peer[Any]) -> str:
    try:
        return repr(peer.receive_eof())
    except Exception as error:
        return type(error).__name__


@pytest.mark.requirement("FRM-09", "FRM-10")
@FRAMINGS
@ROLES
def test_any_messages_cut_in_any_way_arrive_as_they_do_at_once(framing: Framing, role: Role) -> None:
    seen: set[str] = set()

    @REPEATABLE
    @given(cut_streams(framing, role))
    def check(pieces: Pieces) -> None:
        whole, by_pieces = started_peer(framing, role), started_peer(framing, role)
        expected = arrivals_of(whole, [b"".join(pieces)])
        assert arrivals_of(by_pieces, pieces) == expected
        assert by_pieces.outgoing == whole.outgoing
        assert by_pieces.incoming == whole.incoming
        assert by_pieces.state is whole.state
        if LOST not in expected:
            assert by_pieces.unread == whole.unread
            assert ending(by_pieces) == ending(whole)
        seen.update(arrival.partition(",")[0].removeprefix("('").rstrip("'") for arrival in expected)

    check()
    # What was generated has reached every kind of arrival, or the comparison has compared too little.
    kinds = {
        "RequestReceived",
        "NotificationReceived",
        "CancelRequested",
        "ResponseReceived",
        "MessageRejected",
        "MessageIgnored",
    }
    kinds |= {"Noise"} if role is Role.HOST else set()
    kinds |= {"Deviation"} if framing is Framing.HEADER else set()
    assert kinds | {LOST} <= seen


@pytest.mark.requirement("FRM-09", "MSG-25")
@FRAMINGS
@settings(REPEATABLE, max_examples=150)
@given(payload=st.dictionaries(st.text(max_size=4), JSON, max_size=4), places=st.lists(st.integers(0, 300), max_size=4))
@example(payload={"a": "\n\r\u2028\x00"}, places=[1])
def test_any_payload_arrives_whole_in_every_kind_of_message(framing: Framing, payload: Any, places: list[int]) -> None:
    pair = ConnectionPair(framing)
    pair.shake_hands()
    for sender in (pair.host, pair.plugin):
        receiver = pair.other(sender)
        request_id, asked = sender.send_request("a/b", payload, call="call", meta=Meta(progress="p"))
        noticed = sender.send_notification("a/c", payload)
        received = across(receiver, asked + noticed, places)
        assert [type(arrival).__name__ for arrival in received] == ["RequestReceived", "NotificationReceived"]
        assert [decode_value(arrival.params) for arrival in received] == [payload, payload]
        assert received[0].meta == Meta(progress="p")
        failed_id, failing = sender.send_request("a/d", call="failing")
        across(receiver, failing, places)
        answers = receiver.send_result(request_id, payload) + receiver.send_error(
            failed_id, ErrorObject(7, "é", payload)
        )
        result, error = across(sender, answers, places)
        assert (result.call, decode_value(result.outcome)) == ("call", payload)
        assert (error.call, error.outcome.code, error.outcome.message) == ("failing", 7, "é")
        assert decode_value(error.outcome.data) == payload


def across(receiver: Peer[Any], data: bytes, places: list[int]) -> list[Any]:
    arrived: list[Any] = []
    for piece in cut(data, *(place for place in places if place <= len(data))):
        receiver.receive_data(piece)
        arrived.extend(receiver.arrivals())
    return arrived
