"""One body ⇄ one envelope: which JSON is refused, and what travels untouched. Spec 02 and the table of Meta in 04."""

import json
from typing import Any

import pytest

from plugwire.wire import ErrorObject, Meta, Raw
from plugwire.wire.codec import (
    UNSET,
    Envelope,
    InvalidEnvelope,
    MalformedJson,
    decode_cancelled_id,
    decode_envelope,
    decode_error,
    decode_meta,
    decode_value,
    encode_error,
    encode_notification,
    encode_request,
    encode_result,
    encode_value,
    json_schemas,
)
from tests.wire.helpers import ready_peer, rejection

DEPTH = 128


def decode(body: bytes) -> Envelope:
    return decode_envelope(body, DEPTH)


# Members


@pytest.mark.requirement("MSG-08")
def test_member_names_are_compared_after_unescaping() -> None:
    envelope = decode(rb'{"\u006asonrpc":"2.0","\u0069d":1,"m\u0065thod":"x","par\u0061ms":{"a":1}}')
    assert (envelope.jsonrpc, envelope.id, envelope.method) == ("2.0", 1, "x")
    assert bytes(envelope.params) == b'{"a":1}'  # type: ignore[arg-type]


@pytest.mark.requirement("MSG-08", "MSG-07")
@pytest.mark.parametrize(
    "name",
    ["Method", "METHOD", "method ", " method", "method\\u0000", "metho", "methods", "mеthod", "ｍethod", "_method"],
)
def test_a_name_that_only_looks_alike_is_another_name(name: str) -> None:
    assert decode(b'{"' + name.encode() + b'":"x"}').method is UNSET


@pytest.mark.requirement("MSG-08")
@pytest.mark.parametrize("name", ["paramſ", "PARAMS", "Id", "ID", "ıd", "jsonRPC", "jsonrpc2", "Error", "Result"])
def test_other_letter_cases_and_lookalikes_set_nothing(name: str) -> None:
    envelope = decode(b'{"' + name.encode() + b'":1}')
    assert {envelope.jsonrpc, envelope.id, envelope.params, envelope.result, envelope.error} == {UNSET}


@pytest.mark.requirement("MSG-09")
def test_the_last_of_two_members_counts() -> None:
    envelope = decode(
        rb'{"jsonrpc":"1.0","id":1,"method":"x","params":{"a":1},"id":"2","method":"y","params":{"b":2},"jsonrpc":"2.0"}'
    )
    assert (envelope.jsonrpc, envelope.id, envelope.method) == ("2.0", "2", "y")
    assert bytes(envelope.params) == b'{"b":2}'  # type: ignore[arg-type]
    assert decode(rb'{"method":"x","m\u0065thod":"y"}').method == "y"
    assert decode(b'{"id":1e400,"id":2}').id == 2
    assert bytes(decode(b'{"result":1,"result":2}').result) == b"2"  # type: ignore[arg-type]


@pytest.mark.requirement("MSG-10", "MSG-27")
@pytest.mark.parametrize(
    "body", [b"[]", b"[1]", b'[{"jsonrpc":"2.0","id":1,"method":"x"}]', b"1", b'"x"', b"null", b"true", b"1e400"]
)
def test_json_that_is_no_object_is_an_invalid_request_with_id_null(body: bytes) -> None:
    with pytest.raises(InvalidEnvelope):
        decode(body)
    peer = ready_peer()
    peer.receive_data(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    (arrival,) = peer.arrivals()
    assert rejection(arrival) == (-32600, None)
    assert peer.incoming == {}


# Parts of a message


@pytest.mark.requirement("MSG-06")
@pytest.mark.parametrize(
    "raw",
    [
        b"null", b"[]", b'"x"', b"{}", b'{"code":1}', b'{"message":"x"}', b'{"code":1.0,"message":"x"}',
        b'{"code":1e2,"message":"x"}', b'{"code":1.5,"message":"x"}', b'{"code":"1","message":"x"}',
        b'{"code":true,"message":"x"}',
        b'{"code":null,"message":"x"}', b'{"code":1,"message":null}', b'{"code":1,"message":5}',
        b'{"code":2147483648,"message":"x"}', b'{"code":-2147483649,"message":"x"}', b'{"code":1e400,"message":"x"}',
        b'{"code":' + b"9" * 5000 + b',"message":"x"}', b'{"Code":1,"message":"x"}',
    ],
    ids=lambda raw: raw[:40].decode(),
)  # fmt: skip
def test_an_error_without_an_integer_code_and_a_message_is_invalid(raw: bytes) -> None:
    with pytest.raises(InvalidEnvelope):
        decode_error(Raw(raw))


@pytest.mark.requirement("MSG-06", "MSG-07")
def test_an_error_has_a_code_within_32_bits_a_message_and_perhaps_data() -> None:
    assert decode_error(Raw(b'{"code":-2147483648,"message":""}')) == ErrorObject(-2147483648, "")
    assert decode_error(Raw(b'{"message":"m","x":1,"code":2147483647}')) == ErrorObject(2147483647, "m")
    with_null = decode_error(Raw(b'{"code":1,"message":"m","data":null}'))
    assert bytes(with_null.data) == b"null"


def test_meta_is_read_as_chapter_4_has_it() -> None:
    raw = b'{"from":"a","parent":7,"deadlineMs":2147483647,"progress":"","traceparent":"0","tracestate":"k","x":1}'
    assert decode_meta(Raw(raw)) == Meta("a", 7, 2147483647, "", "0", "k")
    assert decode_meta(Raw(b"{}")) == Meta()
    edge = b'{"parent":-9007199254740991,"progress":"' + "é".encode() * 128 + b'","deadlineMs":0}'
    assert decode_meta(Raw(edge)) == Meta(parent=-9007199254740991, progress="é" * 128, deadline_ms=0)


@pytest.mark.requirement("MSG-27")
@pytest.mark.parametrize(
    "raw",
    [
        b"null", b"[]", b"1", b'{"from":1}', b'{"from":""}', b'{"from":"' + b"a" * 129 + b'"}', b'{"parent":1.0}',
        b'{"parent":true}', b'{"parent":null}', b'{"parent":9007199254740992}', b'{"parent":"' + b"a" * 129 + b'"}',
        b'{"progress":-9007199254740992}', b'{"progress":[]}', b'{"deadlineMs":-1}', b'{"deadlineMs":2147483648}',
        b'{"deadlineMs":1.0}', b'{"deadlineMs":"1"}', b'{"deadlineMs":1e400}', b'{"deadlineMs":' + b"9" * 400 + b"}",
        b'{"traceparent":""}', b'{"traceparent":"' + b"a" * 257 + b'"}', b'{"tracestate":"' + b"a" * 513 + b'"}',
    ], ids=lambda raw: raw[:40].decode(),
)  # fmt: skip
def test_meta_out_of_its_ranges_makes_a_request_invalid(raw: bytes) -> None:
    with pytest.raises(InvalidEnvelope):
        decode_meta(Raw(raw))
    peer = ready_peer()
    body = b'{"jsonrpc":"2.0","id":5,"method":"x","meta":' + raw + b"}"
    peer.receive_data(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    (arrival,) = peer.arrivals()
    assert rejection(arrival) == (-32600, 5)


@pytest.mark.requirement("CAL-21")
@pytest.mark.parametrize(
    ("params", "value"),
    [(b'{"id":1}', 1), (b'{"id":"1"}', "1"), (b'{"id":2,"id":3}', 3), (b"{}", None), (b'{"id":1e400}', None),
     (b'{"id":' + b"9" * 5000 + b"}", None), (b'{"id":null}', None)],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_the_id_of_a_cancel_is_whatever_stands_there_and_never_an_exception(params: bytes, value: object) -> None:
    assert decode_cancelled_id(Raw(params)) == value


@pytest.mark.parametrize("raw", [b"{", b"1e400", b"9" * 5000, b"NaN", b"[" * 100000], ids=lambda raw: repr(raw[:10]))
def test_a_value_that_cannot_be_had_as_pythons_own_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedJson):
        decode_value(raw)


# Encoding


def test_messages_are_written_with_their_members_in_order_and_no_blanks() -> None:
    assert encode_request(7, "a/b", UNSET, UNSET) == b'{"jsonrpc":"2.0","id":7,"method":"a/b"}'
    assert encode_request("7", "a/b", {"x": [1, None]}, Meta(sender="a", deadline_ms=5, progress=0)) == (
        b'{"jsonrpc":"2.0","id":"7","method":"a/b","params":{"x":[1,null]},"meta":{"from":"a","deadlineMs":5,"progress":0}}'
    )
    assert encode_notification("a/b", UNSET) == b'{"jsonrpc":"2.0","method":"a/b"}'
    assert encode_notification("a/b", {}) == b'{"jsonrpc":"2.0","method":"a/b","params":{}}'
    assert encode_result(7, None) == b'{"jsonrpc":"2.0","id":7,"result":null}'
    assert encode_error(None, ErrorObject(-32700, "é")) == (
        b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"\xc3\xa9"}}'
    )
    assert encode_error("", ErrorObject(1, "", None)) == (
        b'{"jsonrpc":"2.0","id":"","error":{"code":1,"message":"","data":null}}'
    )


@pytest.mark.requirement("MSG-22", "MSG-23")
@pytest.mark.parametrize(
    "value",
    [object(), len, {(1, 2): 3}, {None: 1}, "\ud800", {"a": ["\udc00"]}, {"\ud800": 1}, 10**5000, 1j, range(3)],
    ids=lambda value: ascii(type(value)),
)
def test_what_json_cannot_hold_is_refused_and_nothing_is_sent(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode_value(value)
    peer = ready_peer()
    with pytest.raises((TypeError, ValueError)):
        peer.send_request("a/b", {"x": value}, call="c")
    assert peer.outgoing == {}


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="too deeply"):
        encode_value(loop)
    with pytest.raises(ValueError, match="too deeply"):
        encode_result(1, {"a": loop})


@pytest.mark.requirement("MSG-22")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), float("1e400")], ids=str)
def test_nan_and_infinity_are_written_as_null(value: float) -> None:
    assert bytes(encode_value({"x": value})) == b'{"x":null}'


@pytest.mark.parametrize("value", [2**53 + 1, 2**64, -(2**63) - 1, 10**300, 1e300, 0.1, -0.0, 5e-324], ids=str)
def test_numbers_are_written_exactly(value: float) -> None:
    assert json.loads(bytes(encode_value(value))) == value
    assert decode_value(encode_value(value)) == value


def test_annotations_become_schemas_and_an_odd_one_becomes_the_schema_of_anything() -> None:
    schemas, definitions = json_schemas([int, list[str], object(), Meta])
    assert schemas[:3] == [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}, {}]
    assert schemas[3] == {"$ref": "#/$defs/Meta"}
    assert list(definitions) == ["Meta"]
