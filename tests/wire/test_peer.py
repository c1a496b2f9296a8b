"""One end of a connection: the two tables of open requests, ids, answers and what is answered unasked. Spec 02."""

import json

import pytest

from plugwire.wire import (
    ErrorObject,
    Framing,
    MessageIgnored,
    MessageRejected,
    Meta,
    Peer,
    RequestReceived,
    Role,
)
from tests.wire.helpers import (
    ConnectionPair,
    body_of,
    give,
    give_one,
    header_frame,
    plain,
    ready_peer,
    rejection,
    request,
)

ROLES = pytest.mark.parametrize("role", [Role.HOST, Role.PLUGIN], ids=["host", "plugin"])
FRAMINGS = pytest.mark.parametrize("framing", [Framing.HEADER, Framing.LINE], ids=["header", "line"])


# Every kind of message, from end to end


@pytest.mark.requirement("MSG-04", "MSG-13")
@FRAMINGS
def test_every_kind_of_message_arrives_as_it_was_sent_both_ways(framing: Framing) -> None:
    pair = ConnectionPair(framing)
    pair.shake_hands()
    for sender in (pair.host, pair.plugin):
        receiver = pair.other(sender)
        params = {"text": "é\n😀", "list": [1, None, 1.5]}
        meta = Meta("a", "p", 5, 0, "00-1", "k=v")
        carried = b'{"text":"\xc3\xa9\\n\xf0\x9f\x98\x80","list":[1,null,1.5]}'

        first, data = sender.send_request("a/b", params, call="first", meta=meta)
        assert pair.carry(sender, data) == [
            ("RequestReceived", first, "a/b", carried, ("Meta", "a", "p", 5, 0, "00-1", "k=v"))
        ]
        second, data = sender.send_request("a/c", call="second")
        assert pair.carry(sender, data) == [("RequestReceived", second, "a/c", None, None)]
        assert pair.carry(sender, sender.send_notification("a/d", params)) == [("NotificationReceived", "a/d", carried)]
        assert pair.carry(sender, sender.send_notification("a/d")) == [("NotificationReceived", "a/d", None)]
        assert pair.carry(sender, sender.send_cancel(first)) == [("CancelRequested", first)]
        assert receiver.incoming == {first: "a/b", second: "a/c"}
        assert sender.outgoing == {first: "first", second: "second"}

        error = ErrorObject(-32602, "no", {"problems": []})
        assert pair.carry(receiver, receiver.send_error(second, error)) == [
            ("ResponseReceived", "second", ("ErrorObject", -32602, "no", b'{"problems":[]}'))
        ]
        assert pair.carry(receiver, receiver.send_result(first, params)) == [("ResponseReceived", "first", carried)]
        assert sender.outgoing == receiver.incoming == {}


@pytest.mark.requirement("MSG-12", "MSG-14")
def test_the_same_id_may_be_open_in_both_directions() -> None:
    peer = ready_peer(Role.PLUGIN)
    request_id, _ = peer.send_request("a/b", call="mine")
    assert request_id == 1
    assert give_one(peer, request(1)) == RequestReceived(1, "a/b", None, None)
    answered = body_of(peer.send_result(1, "theirs"))
    assert answered == b'{"jsonrpc":"2.0","id":1,"result":"theirs"}'
    assert peer.outgoing == {1: "mine"}
    assert plain(give_one(peer, b'{"jsonrpc":"2.0","id":1,"result":5}')) == ("ResponseReceived", "mine", b"5")


@pytest.mark.requirement("MSG-13")
def test_a_hundred_calls_may_be_answered_in_reverse() -> None:
    peer = ready_peer(Role.PLUGIN)
    ids = [peer.send_request("a/b", call=f"call {place}")[0] for place in range(100)]
    arrivals = give(peer, *(b'{"jsonrpc":"2.0","id":%d,"result":%d}' % (i, i) for i in reversed(ids)))
    assert [plain(arrival) for arrival in arrivals] == [
        ("ResponseReceived", f"call {place}", str(place + 1).encode()) for place in reversed(range(100))
    ]


@pytest.mark.requirement("CAL-11")
def test_messages_arrive_in_the_order_in_which_they_were_sent() -> None:
    peer = ready_peer()
    bodies = [b'{"jsonrpc":"2.0","method":"n/%d"}' % place for place in range(1000)]
    assert [arrival.method for arrival in give(peer, *bodies)] == [f"n/{place}" for place in range(1000)]


# Members


@pytest.mark.requirement("MSG-04")
def test_absent_params_are_no_params_and_empty_ones_are_empty() -> None:
    peer = ready_peer()
    assert plain(give_one(peer, b'{"jsonrpc":"2.0","id":1,"method":"x"}')) == ("RequestReceived", 1, "x", None, None)
    body = b'{"jsonrpc":"2.0","id":2,"method":"x","params": { } }'
    assert plain(give_one(peer, body)) == ("RequestReceived", 2, "x", b"{ }", None)


@pytest.mark.requirement("MSG-07")
def test_unknown_members_are_ignored() -> None:
    peer = ready_peer(Role.HOST)
    body = b'{"_x":[1],"jsonrpc":"2.0","jsonrpc2":1,"id":1,"method":"x","result":5,"error":6,"":null}'
    assert plain(give_one(peer, body)) == ("RequestReceived", 1, "x", None, None)
    call_id, _ = peer.send_request("a/b", call="c")
    body = b'{"x":1,"id":%d,"result":5,"params":7,"jsonrpc":"2.0"}' % call_id
    assert plain(give_one(peer, body)) == ("ResponseReceived", "c", b"5")


@pytest.mark.requirement("MSG-01", "MSG-27")
@pytest.mark.parametrize(
    "version",
    [
        "",
        '"jsonrpc":"1.0",',
        '"jsonrpc":"2.1",',
        '"jsonrpc":2.0,',
        '"jsonrpc":null,',
        '"jsonrpc":"2.0 ",',
        '"jsonrpc":["2.0"],',
        '"jsonrpc":1e400,',
    ],
)
def test_another_version_of_json_rpc_is_an_invalid_request_with_its_id(version: str) -> None:
    peer = ready_peer()
    for request_id in ("7", '"seven"'):
        body = f'{{{version}"id":{request_id},"method":"x"}}'.encode()
        assert rejection(give_one(peer, body)) == (-32600, json.loads(request_id))
    assert peer.incoming == {}


@pytest.mark.requirement("MSG-02", "MSG-27")
@pytest.mark.parametrize("method", ["1", '""', "[false]", "null", "{}", "true", "1e400"])
def test_a_method_that_is_no_text_is_an_invalid_request_with_its_id(method: str) -> None:
    peer = ready_peer()
    assert rejection(give_one(peer, f'{{"jsonrpc":"2.0","id":7,"method":{method}}}'.encode())) == (-32600, 7)
    assert rejection(give_one(peer, f'{{"jsonrpc":"2.0","method":{method}}}'.encode())) == (-32600, None)


@pytest.mark.requirement("MSG-03", "MSG-27")
@pytest.mark.parametrize("params", ["[]", "[1]", "null", '"x"', "5", "true", "  [ ]"])
def test_params_that_are_no_object_are_an_invalid_request_with_its_id(params: str) -> None:
    peer = ready_peer()
    body = f'{{"jsonrpc":"2.0","id":7,"method":"x","params":{params}}}'.encode()
    assert rejection(give_one(peer, body)) == (-32600, 7)
    body = f'{{"jsonrpc":"2.0","method":"x","params":{params}}}'.encode()
    assert rejection(give_one(peer, body)) == (-32600, None)


@pytest.mark.requirement("MSG-27", "MSG-28")
@pytest.mark.parametrize(
    ("body", "reply_id"),
    [
        (b"{}", None),
        (b'{"jsonrpc":"2.0"}', None),
        (b'{"jsonrpc":"2.0","id":7}', 7),
        (b'{"jsonrpc":"2.0","id":"7","params":{}}', "7"),
        (b'{"jsonrpc":"2.0","id":1.5}', None),
        (b'{"jsonrpc":"2.0","id":1e400}', None),
        (b'{"jsonrpc":"2.0","Method":"x","id":7}', 7),
    ],
)
def test_what_is_neither_a_request_nor_an_answer_is_an_invalid_request(body: bytes, reply_id: object) -> None:
    assert rejection(give_one(ready_peer(), body)) == (-32600, reply_id)


@pytest.mark.requirement("MSG-28")
@pytest.mark.parametrize(
    "member", [b'"result":1', b'"error":{"code":-32700,"message":"x"}', b'"error":null', b'"result":1,"error":1']
)
@pytest.mark.parametrize(
    "id_member", [b"", b'"id":null,', b'"id":1.0,', b'"id":true,', b'"id":[],', b'"id":1e400,',
    b'"id":' + b"9" * 5000 + b","],
    ids=lambda member: member[:12].decode(),
)  # fmt: skip
@ROLES
def test_an_answer_without_a_readable_id_is_never_answered(id_member: bytes, member: bytes, role: Role) -> None:
    peer = ready_peer(role)
    peer.send_request("a/b", call="c")
    arrival = give_one(peer, b'{"jsonrpc":"2.0",' + id_member + member + b"}")
    assert isinstance(arrival, MessageIgnored)
    assert len(peer.outgoing) == 1


@pytest.mark.requirement("MSG-26", "MSG-28")
def test_two_peers_do_not_answer_each_others_errors_for_ever() -> None:
    pair = ConnectionPair()
    pair.host.receive_data(header_frame(b"{"))
    (rejected,) = pair.host.arrivals()
    assert isinstance(rejected, MessageRejected)
    assert rejected.reply is not None
    pair.plugin.receive_data(rejected.reply)
    (arrival,) = pair.plugin.arrivals()
    assert isinstance(arrival, MessageIgnored)


@pytest.mark.requirement("MSG-26", "MSG-27", "FRM-11")
@ROLES
@FRAMINGS
def test_after_a_bad_body_the_next_message_works(role: Role, framing: Framing) -> None:
    peer = ready_peer(role, framing=framing)
    arrivals = give(peer, b"{oops", b"[]", request(1.5), request(5))
    assert [type(arrival).__name__ for arrival in arrivals] == ["MessageRejected"] * 3 + ["RequestReceived"]
    ends = {Framing.HEADER: b"}}", Framing.LINE: b"}}\n"}
    assert all(arrival.reply.endswith(ends[framing]) for arrival in arrivals[:3])
    assert list(peer.incoming) == [5]


@pytest.mark.requirement("ERR-06")
@pytest.mark.parametrize("name", ["x", "é", "😀", "\x00", '"'], ids=ascii)
def test_the_reply_to_a_bad_message_fits_into_the_smallest_frame(name: str) -> None:
    arrival = give_one(Peer(Role.PLUGIN), request(name * 128, name * 100000))
    assert rejection(arrival) == (-32002, name * 128)
    assert len(arrival.reply) <= 4096
    ready = ready_peer()
    give(ready, request(name * 128))
    again = give_one(ready, request(name * 128))
    assert rejection(again) == (-32600, name * 128)
    assert len(again.reply) <= 4096
