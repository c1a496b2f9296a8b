"""Ids, and that every request has exactly one answer. Spec 02."""

import json
from typing import Any

import pytest

from plugwire.wire import (
    ErrorObject,
    LocalProtocolError,
    MessageIgnored,
    NotificationReceived,
    Peer,
    RemoteProtocolError,
    RequestReceived,
    ResponseReceived,
    Role,
)
from tests.wire.helpers import (
    body_of,
    give,
    give_one,
    plain,
    ready_peer,
    rejection,
    request,
)

ROLES = pytest.mark.parametrize("role", [Role.HOST, Role.PLUGIN], ids=["host", "plugin"])


# Ids


@pytest.mark.requirement("MSG-11", "MSG-13")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("-1", -1), ("1", 1), ("9007199254740991", 9007199254740991),
        ("-9007199254740991", -9007199254740991), ('""', ""), ('"1"', "1"), ('"é"', "é"), ('"\\u00e9"', "é"),
        ('"' + "x" * 128 + '"', "x" * 128),
        ('"' + "😀" * 128 + '"', "😀" * 128), ('"\\u0000"', "\x00"),
    ],
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
def test_an_id_is_an_integer_or_a_string_and_comes_back_as_it_was(text: str, value: Any) -> None:
    peer = ready_peer()
    arrival = give_one(peer, f'{{"jsonrpc":"2.0","id":{text},"method":"x"}}'.encode())
    assert isinstance(arrival, RequestReceived)
    assert (type(arrival.id), arrival.id) == (type(value), value)
    reply = json.loads(body_of(peer.send_result(arrival.id, None)))["id"]
    assert (type(reply), reply) == (type(value), value)


@pytest.mark.requirement("MSG-11", "MSG-27")
@pytest.mark.parametrize(
    "text",
    ["1.0", "1.5", "1e2", "1E0", "-0.0", "null", "true", "false", "[]", "{}", "[1]", "9007199254740992",
    "-9007199254740992", "18446744073709551616", "1e400", "9" * 5000, '"' + "x" * 129 + '"'],
    ids=lambda text: text[:20],
)  # fmt: skip
@pytest.mark.parametrize("open_id", [1, 0, 100])
def test_what_is_no_id_is_an_invalid_request_with_id_null(text: str, open_id: int) -> None:
    peer = ready_peer()
    give(peer, request(open_id))
    assert rejection(give_one(peer, f'{{"jsonrpc":"2.0","id":{text},"method":"x"}}'.encode())) == (-32600, None)
    assert peer.incoming == {open_id: "a/b"}


@pytest.mark.requirement("MSG-12")
def test_1_and_the_text_1_are_two_ids() -> None:
    peer = ready_peer()
    give(peer, request(1), request("1"))
    assert peer.incoming == {1: "a/b", "1": "a/b"}
    assert body_of(peer.send_result("1", "text")) == b'{"jsonrpc":"2.0","id":"1","result":"text"}'
    assert body_of(peer.send_result(1, "number")) == b'{"jsonrpc":"2.0","id":1,"result":"number"}'


@pytest.mark.requirement("MSG-14", "MSG-15")
def test_an_id_in_flight_is_refused_and_the_first_request_is_not_disturbed() -> None:
    peer = ready_peer()
    give(peer, request(1, "a/first"))
    assert rejection(give_one(peer, request(1, "a/second"))) == (-32600, 1)
    assert peer.incoming == {1: "a/first"}
    peer.send_result(1, None)
    assert give_one(peer, request(1, "a/third")) == RequestReceived(1, "a/third", None, None)


@pytest.mark.requirement("MSG-16")
@ROLES
def test_our_ids_are_integers_from_1(role: Role) -> None:
    peer: Peer[str] = Peer(role)
    sent = peer.send_request("initialize", call="c") if role is Role.HOST else peer.send_request("ping", call="c")
    assert sent[0] == 1
    assert body_of(sent[1]).startswith(b'{"jsonrpc":"2.0","id":1,"method":"')
    assert [peer.send_request("ping", call="c")[0] for _ in range(3)] == [2, 3, 4]


@pytest.mark.requirement("MSG-14", "MSG-16")
def test_our_ids_wrap_at_2_31_and_skip_those_that_are_open() -> None:
    peer = ready_peer(Role.PLUGIN)
    first, _ = peer.send_request("a/b", call="first")
    peer.send_request("a/b", call="second")
    third, _ = peer.send_request("a/b", call="third")
    give(peer, b'{"jsonrpc":"2.0","id":%d,"result":1}' % third)
    peer._last_id = 2147483645
    ids = [peer.send_request("a/b", call="c")[0] for _ in range(5)]
    assert first == 1
    assert ids == [2147483646, 2147483647, 3, 4, 5]


# Exactly one answer


@pytest.mark.requirement("MSG-17")
@pytest.mark.parametrize("again", ["result", "error"])
@pytest.mark.parametrize("before", ["result", "error"])
def test_a_request_is_answered_once(before: str, again: str) -> None:
    peer = ready_peer()
    give(peer, request(1))

    def answer(how: str) -> bytes:
        return peer.send_result(1, None) if how == "result" else peer.send_error(1, ErrorObject(1, "x"))

    answer(before)
    with pytest.raises(LocalProtocolError):
        answer(again)


@pytest.mark.requirement("MSG-17")
def test_what_was_never_asked_is_not_answered() -> None:
    peer = ready_peer()
    give(peer, request("1"))
    for request_id in (1, 2, "2", 0):
        with pytest.raises(LocalProtocolError):
            peer.send_result(request_id, None)
        with pytest.raises(LocalProtocolError):
            peer.send_error(request_id, ErrorObject(1, "x"))
    assert peer.incoming == {"1": "a/b"}


@pytest.mark.requirement("MSG-18")
def test_a_notification_opens_nothing_that_could_be_answered() -> None:
    peer = ready_peer()
    assert give_one(peer, b'{"jsonrpc":"2.0","method":"x"}') == NotificationReceived("x", None)
    assert peer.incoming == {}


@pytest.mark.requirement("MSG-19", "CAL-39")
@ROLES
def test_an_answer_whose_id_is_not_in_flight_is_ignored_and_reported(role: Role) -> None:
    peer = ready_peer(role)
    call_id, _ = peer.send_request("a/b", call="c")
    answer = b'{"jsonrpc":"2.0","id":%d,"result":1}' % call_id
    unknown = b'{"jsonrpc":"2.0","id":99,"error":{"code":1,"message":""}}'
    kinds = [type(arrival).__name__ for arrival in give(peer, unknown, answer, answer, unknown)]
    assert kinds == ["MessageIgnored", "ResponseReceived", "MessageIgnored", "MessageIgnored"]


@pytest.mark.requirement("MSG-12", "MSG-13", "MSG-19")
@pytest.mark.parametrize(
    "other", ['"1"', "true", "1.0", "1e0", "1.00", "[1]", '{"id":1}', "null", "18446744073709551617"]
)
@pytest.mark.parametrize("body", ['"result":5', '"error":{"code":1,"message":""}'])
def test_an_answer_with_an_id_of_another_kind_ends_no_call(other: str, body: str) -> None:
    peer = ready_peer(Role.PLUGIN)
    assert peer.send_request("a/b", call="c")[0] == 1
    assert isinstance(give_one(peer, f'{{"jsonrpc":"2.0","id":{other},{body}}}'.encode()), MessageIgnored)
    assert peer.outgoing == {1: "c"}


BAD_ANSWERS = [
    '"jsonrpc":"2.0","id":1',
    '"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}',
    '"jsonrpc":"2.0","id":1,"result":null,"error":null',
    '"jsonrpc":"2.0","id":1,"error":null',
    '"jsonrpc":"2.0","id":1,"error":"x"',
    '"jsonrpc":"2.0","id":1,"error":{}',
    '"jsonrpc":"2.0","id":1,"error":{"message":"x"}',
    '"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"x"}',
    '"jsonrpc":"2.0","id":1,"error":{"code":1.0,"message":"x"}',
    '"jsonrpc":"2.0","id":1,"error":{"code":2147483648,"message":"x"}',
    '"jsonrpc":"2.0","id":1,"error":{"code":1e400,"message":"x"}',
    '"jsonrpc":"2.0","id":1,"error":{"code":1}',
    '"id":1,"result":1',
    '"jsonrpc":"1.0","id":1,"result":1',
    '"jsonrpc":2.0,"id":1,"error":{"code":1,"message":""}',
]


@pytest.mark.requirement("MSG-05", "MSG-06", "MSG-20")
@pytest.mark.parametrize("members", BAD_ANSWERS)
@ROLES
def test_a_bad_answer_ends_its_call_with_an_error_at_its_sender(members: str, role: Role) -> None:
    peer = ready_peer(role)
    call_id, _ = peer.send_request("a/b", call="c")
    arrival = give_one(peer, f"{{{members}}}".replace('"id":1', f'"id":{call_id}').encode())
    assert isinstance(arrival, ResponseReceived)
    assert arrival.call == "c"
    assert isinstance(arrival.outcome, RemoteProtocolError)
    assert peer.outgoing == {}


@pytest.mark.requirement("MSG-05")
@pytest.mark.parametrize("result", ["null", "false", "0", '""', "[]", "{}", "1e400"])
def test_any_json_is_a_result(result: str) -> None:
    peer = ready_peer(Role.PLUGIN)
    peer.send_request("a/b", call="c")
    arrival = give_one(peer, f'{{"jsonrpc":"2.0","id":1,"result":{result}}}'.encode())
    assert plain(arrival) == ("ResponseReceived", "c", result.encode())


@pytest.mark.requirement("ERR-07", "MSG-25")
def test_an_error_response_comes_with_its_code_message_and_raw_data() -> None:
    peer = ready_peer(Role.HOST)
    peer.send_request("a/b", call="c")
    body = b'{"jsonrpc":"2.0","id":2,"error":{"code":7,"message":"\\u00e9","data": {"a" : 1e400} }}'
    arrival = give_one(peer, body)
    assert plain(arrival) == ("ResponseReceived", "c", ("ErrorObject", 7, "é", b'{"a" : 1e400}'))
    give(peer, request(5))
    forwarded = body_of(peer.send_error(5, arrival.outcome))
    assert forwarded == (b'{"jsonrpc":"2.0","id":5,"error":{"code":7,"message":"\xc3\xa9","data":{"a" : 1e400}}}')
