"""Which bodies are JSON, and what of them travels untouched. Spec 02."""

from typing import Any

import pytest

from plugwire.wire.codec import (
    UNSET,
    Envelope,
    InvalidEnvelope,
    MalformedJson,
    decode_envelope,
    decode_error,
    decode_value,
    encode_error,
    encode_request,
    encode_result,
    encode_value,
)
from tests.wire.helpers import ready_peer, rejection

DEPTH = 128


def decode(body: bytes) -> Envelope:
    return decode_envelope(body, DEPTH)


def in_params(value: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":' + value + b"}}"


def as_method(value: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"method":' + value + b"}"


def as_unknown_member(value: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"method":"x","zzz":' + value + b"}"


def as_result(value: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"result":' + value + b"}"


def as_error_data(value: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","data":' + value + b"}}"


def as_key(string: bytes) -> bytes:
    return in_params(b"{" + string + b":1}")


def as_envelope_key(string: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"method":"x",' + string + b":1}"


def alone(value: bytes) -> bytes:
    return value


PLACES = [in_params, as_method, as_unknown_member, as_result, as_error_data, alone]
STRING_PLACES = [*PLACES, as_key, as_envelope_key]


def assert_malformed(body: bytes) -> None:
    """Refused by the codec, and answered by a peer with ParseError and id null; the next message works (FRM-11)."""
    with pytest.raises(MalformedJson):
        decode(body)
    peer = ready_peer()
    peer.receive_data(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    peer.receive_data(b'Content-Length: 40\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"ping"}')
    first, second = peer.arrivals()
    assert rejection(first) == (-32700, None)
    assert type(second).__name__ == "RequestReceived"


# UTF-8

BAD_UTF8 = {
    # Kuhn's stress test, section 2.3 and 3
    "a lone continuation byte": b"\x80",
    "another": b"\xbf",
    "two continuation bytes": b"\x80\xbf",
    "seven continuation bytes": b"\x80\xbf\x80\xbf\x80\xbf\x80",
    "a lone start of two": b"\xc3 ",
    "a lone start of three": b"\xe2 ",
    "a lone start of four": b"\xf0 ",
    "a start of five": b"\xf8\x88\x80\x80\x80",
    "a start of six": b"\xfc\x84\x80\x80\x80\x80",
    "two bytes without the last": b"\xc3",
    "three bytes without the last": b"\xe2\x82",
    "four bytes without the last": b"\xf0\x9f\x98",
    "sequences without their last, joined": b"\xc3\xe2\x82\xf0\x9f\x98",
    "FE": b"\xfe",
    "FF": b"\xff",
    "FE FE FF FF": b"\xfe\xfe\xff\xff",
    # section 4: overlong
    "slash in two": b"\xc0\xaf",
    "slash in three": b"\xe0\x80\xaf",
    "slash in four": b"\xf0\x80\x80\xaf",
    "slash in five": b"\xf8\x80\x80\x80\xaf",
    "slash in six": b"\xfc\x80\x80\x80\x80\xaf",
    "the largest overlong of two": b"\xc1\xbf",
    "the largest overlong of three": b"\xe0\x9f\xbf",
    "the largest overlong of four": b"\xf0\x8f\xbf\xbf",
    "NUL in two": b"\xc0\x80",
    "a quotation mark in two": b"\xc0\xa2",
    # section 5: surrogates (CESU-8)
    "D800": b"\xed\xa0\x80",
    "DB7F": b"\xed\xad\xbf",
    "DC00": b"\xed\xb0\x80",
    "DFFF": b"\xed\xbf\xbf",
    "a pair in CESU-8": b"\xed\xa0\xbd\xed\xb8\x80",
    # beyond Unicode
    "110000": b"\xf4\x90\x80\x80",
    "1FFFFF": b"\xf7\xbf\xbf\xbf",
}


@pytest.mark.requirement("MSG-21", "MSG-26", "FRM-11")
@pytest.mark.parametrize("place", STRING_PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("text", BAD_UTF8.values(), ids=BAD_UTF8.keys())
def test_invalid_utf8_in_a_string_is_refused_and_not_repaired(text: bytes, place: Any) -> None:
    assert_malformed(place(b'"a' + text + b'b"'))


@pytest.mark.requirement("MSG-21")
@pytest.mark.parametrize(
    "text", ["\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0010ffff", "\u2028"]
)
def test_the_edges_of_utf8_are_characters_like_others(text: str) -> None:
    raw = decode(in_params(b'"' + text.encode() + b'"')).params
    assert decode_value(raw) == {"a": text}  # type: ignore[arg-type]
    assert decode(as_method(b'"' + text.encode() + b'"')).method == text


@pytest.mark.requirement("MSG-21", "MSG-26")
@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + in_params(b"1"),
        in_params(b"1") + b"\xef\xbb\xbf",
        in_params(b"\xef\xbb\xbf1"),
        in_params(b"1").decode().encode("utf-16"),
        in_params(b"1").decode().encode("utf-16-le"),
        in_params(b"1").decode().encode("utf-16-be"),
        in_params(b"1").decode().encode("utf-32"),
        in_params(b"1").decode().encode("utf-32-le"),
        in_params(b"1").decode().encode("utf-32-be"),
        in_params('"é"'.encode("latin-1")),
    ],
    ids=["BOM", "BOM at the end", "BOM inside", "16", "16le", "16be", "32", "32le", "32be", "latin-1"],
)
def test_another_encoding_or_a_byte_order_mark_is_refused(body: bytes) -> None:
    assert_malformed(body)


@pytest.mark.requirement("MSG-23", "MSG-26")
@pytest.mark.parametrize("place", STRING_PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize(
    "text",
    [rb"\ud800", rb"\udbff", rb"\udc00", rb"\udfff", rb"\udc00\ud800", rb"\ud800\ud800", rb"\ud800x", rb"\ud800\n",
     rb"\ud800\u0041", rb"\ud83d\\ude00", rb"\ud83d\ude00\ud800", rb"\uD800", rb"\ud800 and many more characters"],
)  # fmt: skip
def test_a_surrogate_without_its_partner_is_refused(text: bytes, place: Any) -> None:
    assert_malformed(place(b'"' + text + b'"'))


@pytest.mark.requirement("MSG-23")
def test_a_pair_of_surrogates_is_one_character() -> None:
    assert decode(as_method(rb'"\ud83d\ude00"')).method == "😀"
    assert decode_value(decode(in_params(rb'"\uD83D\uDE00"')).params) == {"a": "😀"}  # type: ignore[arg-type]
    assert decode(as_key(rb'"\udbff\udfff"')).method == "x"
    assert decode_value(b'"\\\\ud800"') == "\\ud800"


# JSON

NO_JSON = [
    b"NaN", b"nan", b"Infinity", b"-Infinity", b"+1", b"01", b"-01", b"1.", b".5", b"-", b"1e", b"1e+", b"0x10", b"1_0",
    b"\xef\xbc\x95", b"True", b"nul", b"truefalse", b"undefined", b"'x'", b'"x', b'"\\x41"', b'"\\u00g0"', b'"\\u41"',
    b'"\\', b'"\\u', b"[1,]", b"[,1]", b"[1 2]", b"[1", b"1]", b"{,}", b'{"a":1,}', b'{"a" 1}', b'{"a":}', b'{"a"}',
    b"{1:2}", b"{a:1}", b"{'a':1}", b'{"a":1 "b":2}', b"[1}", b'{"a":1]', b"// x\n1", b"/* x */1", b"#x\n1",
    b"\x0b1", b"\x0c1",
    b"\xc2\xa01", b"\xe2\x80\xa81", b"\x001", b"1\x00", b"", b" ",
]  # fmt: skip


@pytest.mark.requirement("MSG-22", "MSG-26")
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("text", NO_JSON, ids=repr)
def test_what_rfc_8259_does_not_define_is_refused(text: bytes, place: Any) -> None:
    assert_malformed(place(text))


@pytest.mark.requirement("MSG-22", "MSG-26")
@pytest.mark.parametrize("place", STRING_PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("code", [*range(0x20)], ids=hex)
def test_a_raw_control_character_in_a_string_is_refused(code: int, place: Any) -> None:
    assert_malformed(place(b'"a' + bytes([code]) + b'b"'))


@pytest.mark.requirement("MSG-22", "MSG-26")
@pytest.mark.parametrize("after", [b"{}", b" x", b"\x00", b",", b"}", b"\n\n1", b"\xff", b"null"], ids=repr)
def test_anything_after_the_value_is_refused(after: bytes) -> None:
    for value in (in_params(b"1"), b"{}", b"[]", b"1 ", b'"x"'):
        assert_malformed(value + after)


@pytest.mark.requirement("MSG-22")
def test_white_space_may_stand_round_every_token() -> None:
    envelope = decode(b'\r\n\t {\n"jsonrpc" : "2.0" ,\t"id" :\r1 , "method": "x", "params": { "a" : [ 1 , 2 ] } }\r\n ')
    assert (envelope.jsonrpc, envelope.id, envelope.method) == ("2.0", 1, "x")
    assert bytes(envelope.params) == b'{ "a" : [ 1 , 2 ] }'  # type: ignore[arg-type]


@pytest.mark.requirement("MSG-22", "MSG-25")
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize(
    "number",
    [b"1e400", b"-1e400", b"1e-400", b"9007199254740993", b"18446744073709551616", b"-9223372036854775809", b"9" * 5000,
     b"1." + b"0" * 5000 + b"1", b"-0", b"-0.0", b"1E+2", b"1.10"],
    ids=lambda number: number[:24].decode(),
)  # fmt: skip
def test_a_number_of_any_size_is_json_and_its_text_travels_untouched(number: bytes, place: Any) -> None:
    body = place(number)
    if place is alone:
        with pytest.raises(InvalidEnvelope):
            decode(body)
        return
    envelope = decode(body)
    if place is in_params:
        assert bytes(envelope.params) == b'{"a":' + number + b"}"  # type: ignore[arg-type]
    if place is as_result:
        assert bytes(envelope.result) == number  # type: ignore[arg-type]
    if place is as_error_data:
        assert bytes(decode_error(envelope.error).data) == number  # type: ignore[arg-type]


@pytest.mark.requirement("MSG-25")
@pytest.mark.parametrize(
    "payload",
    [
        rb'{"a":"\u0000\u00e9\/\"\\","a":2, "b" : 1.10 }',
        '{"é":"é😀","\\u00e9":"\u2028"}'.encode(),
        rb'{"\u0000":"\u0000"}',
        b'{"\\u006dethod":"x","id":null,"jsonrpc":1}',
        b'{"x":"\x7f"}',
    ],
    ids=repr,
)
def test_a_payload_is_forwarded_byte_for_byte(payload: bytes) -> None:
    envelope = decode(b'{"jsonrpc":"2.0","id":1,"method":"x","params":' + payload + b"}")
    assert encode_request(7, "y", envelope.params, UNSET) == (
        b'{"jsonrpc":"2.0","id":7,"method":"y","params":' + payload + b"}"
    )
    assert encode_result(7, decode(as_result(payload)).result) == b'{"jsonrpc":"2.0","id":7,"result":' + payload + b"}"
    error = decode_error(decode(as_error_data(payload)).error)  # type: ignore[arg-type]
    assert encode_error(7, error) == (
        b'{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"","data":' + payload + b"}}"
    )


def test_nul_escapes_are_kept_in_values_and_names() -> None:
    raw = decode(in_params(rb'{"k\u0000":"v\u0000w"}')).params
    assert decode_value(raw) == {"a": {"k\x00": "v\x00w"}}  # type: ignore[arg-type]
    assert bytes(encode_value("v\x00w")) == b'"v\\u0000w"'
    assert decode(as_method(rb'"x\u0000"')).method == "x\x00"


# Depth


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]", core: bytes = b"") -> bytes:
    return opening * levels + core + closing * levels


@pytest.mark.requirement("MSG-24")
@pytest.mark.parametrize("place", [in_params, as_unknown_member, as_result, as_error_data], ids=lambda p: p.__name__)
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")], ids=repr)
def test_128_levels_are_accepted_and_129_refused(opening: bytes, closing: bytes, place: Any) -> None:
    outside = place(b"1").count(b"{")
    per_turn = opening.count(b"[") + opening.count(b"{")
    turns, odd = divmod(128 - outside, per_turn)
    at = nested(turns, opening, closing, b"[]" if odd else b"1")
    decode(place(at))
    assert_malformed(place(b"[" + at + b"]"))
    assert_malformed(place(b"[1," + at + b",1]"))


@pytest.mark.requirement("MSG-24", "MSG-26")
@pytest.mark.parametrize("levels", [129, 1000, 100000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=repr)
@pytest.mark.parametrize("place", [alone, in_params, as_result, as_unknown_member], ids=lambda p: p.__name__)
def test_deep_nesting_is_refused_wherever_it_stands(levels: int, opening: bytes, closing: bytes, place: Any) -> None:
    assert_malformed(place(nested(levels, opening, closing, b"1")))
    assert_malformed(place(opening * levels))


@pytest.mark.requirement("MSG-24")
@pytest.mark.parametrize("member", [b"id", b"method", b"jsonrpc", b"params", b"meta", b"error"])
def test_deep_nesting_is_refused_in_every_member(member: bytes) -> None:
    for levels in (128, 1000, 100000):
        assert_malformed(b'{"' + member + b'":' + nested(levels) + b"}")


@pytest.mark.requirement("MSG-24")
@pytest.mark.parametrize(
    "string",
    [
        b'"' + b"[" * 1000 + b'"',
        b'"' + b"[{" * 500 + b'"',
        b'"\\"' + b"[" * 1000 + b'\\""',
        b'"\\\\","' + b"[" * 1000 + b'"',
        b'"\\\\\\"' + b"[" * 1000 + b'"',
        b'"\\u0022' + b"[" * 1000 + b'"',
        b'"\\\\\\\\","' + b"{" * 1000 + b'\\\\"',
    ],
    ids=lambda string: repr(string[:12]),
)
def test_brackets_in_strings_are_not_nesting(string: bytes) -> None:
    decode(in_params(b"[" + string + b"]"))
    decode(in_params(b"{" + string.split(b",")[-1] + b":1}"))


@pytest.mark.requirement("MSG-24")
@pytest.mark.parametrize("string", [b'"\\\\"', b'"\\""', b'"\\\\\\""', b'"]]]]"', b'"}"', b'"\\\\]"'], ids=repr)
def test_strings_with_escapes_do_not_hide_nesting(string: bytes) -> None:
    assert_malformed(in_params(b"[" + string + b"," + nested(127) + b"]"))
    assert_malformed(in_params(nested(127, b"[" + string + b",", b"," + string + b"]", b"1")))
    decode(in_params(b"[" + string + b"," + nested(125) + b"," + string + b"]"))


@pytest.mark.requirement("MSG-24")
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=repr)
@pytest.mark.parametrize("size", [4000, 4096, 100000])
def test_the_depth_of_a_large_body_is_seen_too(size: int, opening: bytes, closing: bytes) -> None:
    text = b'"' + b"x" * size + b'"'
    decode(in_params(b"[" + text + b"," + nested(125, opening, closing, text) + b"]"))
    assert_malformed(in_params(b"[" + text + b"," + nested(126, opening, closing, text) + b"]"))


@pytest.mark.requirement("MSG-24")
def test_width_is_not_nesting() -> None:
    for width in (1000, 10000):
        decode(in_params(b"[" + b"[]," * width + b"{}]"))
    decode(in_params(b"[" + b'{"a":[1]},' * 1000 + b"1]"))


@pytest.mark.requirement("MSG-24")
def test_the_depth_may_be_set() -> None:
    body = in_params(nested(10))
    assert decode_envelope(body, 12).method == "x"
    with pytest.raises(MalformedJson):
        decode_envelope(body, 11)
    assert decode_envelope(in_params(nested(510)), 512).method == "x"
