"""The suite reads JSON as strictly as chapter 02 wants it, and tells ids apart."""

import sys

import pytest

from plugwire_conformance.wire.frames import Frame
from plugwire_conformance.wire.messages import Message, NotJson, decode, encode_json, is_valid_id, raw_members, same_id


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xef\xbb\xbf{}", "a byte order mark (MSG-21)"),
        (b'"\xff"', "not UTF-8 at byte 1 (MSG-21)"),
        (b'"\xed\xa0\x80"', "not UTF-8 at byte 1 (MSG-21)"),
        (b"NaN", "NaN is no JSON (MSG-22)"),
        (b"[1,]", "no JSON: "),
        (b"{}{}", "no JSON: "),
        (b"", "no JSON: "),
        (b'"\\ud800"', "an escaped surrogate without its partner (MSG-23)"),
        (b'{"\\udc00":1}', "an escaped surrogate without its partner (MSG-23)"),
        (b"[" * 100_000, "nested too deeply to be read"),
    ],
)
def test_what_is_no_json_is_refused_with_its_reason(body: bytes, words: str) -> None:
    with pytest.raises(NotJson) as caught:
        decode(body)
    assert str(caught.value).startswith(words)


def test_a_number_of_any_length_is_read() -> None:
    assert decode(b"9007199254740993") == 9007199254740993
    assert str(decode(b"1" * 10_000)) == "1" * 10_000
    assert sys.get_int_max_str_digits() == 4300


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert decode(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_the_bytes_of_a_member_are_found_as_they_were_sent() -> None:
    body = b' { "a" : [1, 2.50] ,"params":{"x" : "\\u00e9"},"b":null,"b":1e2 } '
    assert raw_members(body) == {"a": b"[1, 2.50]", "params": b'{"x" : "\\u00e9"}', "b": b"1e2"}
    assert raw_members(b"[1]") == {}
    assert raw_members(b"{}") == {}


@pytest.mark.parametrize(("one", "other"), [(1, "1"), (1, True), (1, 1.0), (0, False), (None, 0), ("a", "A")])
def test_ids_of_other_types_or_values_are_other_ids(one: object, other: object) -> None:
    assert not same_id(one, other)
    assert same_id(one, one)


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (0, True),
        (-9007199254740991, True),
        (9007199254740992, False),
        ("", True),
        ("x" * 128, True),
        ("x" * 129, False),
        (1.5, False),
        (True, False),
        (None, False),
        ([], False),
    ],
)
def test_only_some_values_are_ids(value: object, valid: bool) -> None:
    assert is_valid_id(value) is valid


def test_a_message_says_what_it_is() -> None:
    request = Message(Frame(b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}'))
    assert (request.is_request, request.is_notification, request.is_response) == (True, False, False)
    assert (request.id, request.method, request.params, request.members["params"]) == (1, "m", {"a": 1}, b'{"a":1}')
    notification = Message(Frame(b'{"jsonrpc":"2.0","method":"m"}'))
    assert (notification.is_request, notification.is_notification, notification.params) == (False, True, {})
    error = Message(Frame(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}'))
    assert (error.is_response, error.error_code, error.id) == (True, -32700, None)
    broken = Message(Frame(b"{"))
    assert (broken.value, broken.is_request, broken.is_response) == (None, False, False)
    assert broken.problem.startswith("no JSON: ")


def test_json_is_written_compactly_in_utf_8() -> None:
    assert encode_json({"a": ["é", None, True]}) == '{"a":["é",null,true]}'.encode()
