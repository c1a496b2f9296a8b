"""How the bytes of a conversation are shown: nothing is lost, and nothing is made up."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugwire_conformance.report import Entry
from plugwire_conformance.reports.frames import Piece, pieces, with_line_ends, without_length
from plugwire_conformance.reports.layout import laid_out
from plugwire_conformance.reports.wire_text import wire_lines
from tests.conformance.sample import ANSWER, frame

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=40,
)


def received(data: bytes) -> Entry:
    try:
        return Entry(0.0, "c1", "received", data.decode())
    except UnicodeDecodeError:
        return Entry(0.0, "c1", "received", base64=base64.b64encode(data).decode())


@given(JSON, st.booleans())
def test_json_that_is_laid_out_means_the_same(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
    laid = laid_out(text)
    assert laid is not None
    assert json.loads(laid) == value


def test_no_token_is_changed() -> None:
    assert laid_out('{"a":1.0,"a":1e2,"\\u0041":"\\/","b":[ ]}') == '{"a": 1.0, "a": 1e2, "\\u0041": "\\/", "b": []}'


def test_wide_json_is_indented_and_what_is_narrow_in_it_is_not() -> None:
    assert laid_out(ANSWER) == (
        "{\n"
        '  "jsonrpc": "2.0",\n'
        '  "id": 1,\n'
        '  "result": {\n'
        '    "protocolVersion": "1.0",\n'
        '    "plugin": {"name": "spell-check", "version": "0.3.1"},\n'
        '    "provides": [\n'
        "      {\n"
        '        "service": "spell",\n'
        '        "methods": ["spell/check", "spell/suggest", "spell/learn"]\n'
        "      }\n"
        "    ],\n"
        '    "a": 1.0,\n'
        '    "a": 1\n'
        "  }\n"
        "}"
    )


@pytest.mark.parametrize("text", ["", "{", '{"a":1}x', "[" * 40_000, "[" * 99 + "]" * 99, '"' + "x" * 60_000 + '"'])
def test_what_cannot_be_laid_out_is_left_alone(text: str) -> None:
    assert laid_out(text) is None


def test_frames_in_one_piece_are_told_apart() -> None:
    one, two = frame('{"id":1}'), frame('{"id":"ü"}')
    assert pieces(received((one + two).encode())) == [
        Piece("header", "Content-Length: 8\r\n\r\n"),
        Piece("json", '{"id":1}', '{"id": 1}'),
        Piece("header", "Content-Length: 11\r\n\r\n"),
        Piece("json", '{"id":"ü"}', '{"id": "ü"}'),
    ]


def test_a_body_that_is_cut_off_is_shown_as_far_as_it_came() -> None:
    assert pieces(received(b'Content-Length: 40\r\n\r\n{"id"')) == [
        Piece("header", "Content-Length: 40\r\n\r\n"),
        Piece("text", '{"id"'),
    ]


def test_a_lone_byte_in_a_body_does_not_shift_what_follows() -> None:
    data = b'Content-Length: 7\r\n\r\n{"a\xff":1' + frame("{}").encode()
    assert [piece.text for piece in pieces(received(data))] == [
        "Content-Length: 7\r\n\r\n",
        '{"a\\xff":1',
        "Content-Length: 2\r\n\r\n",
        "{}",
    ]


def test_noise_is_shown_as_it_stands() -> None:
    assert pieces(received(b"Downloading...\n" + frame("{}").encode()))[0].kind == "text"


def test_bytes_that_are_mostly_no_text_are_a_table() -> None:
    [piece] = pieces(received(bytes(range(0xF0, 0x100)) + b"A"))
    assert piece.kind == "hex"
    assert piece.text == (
        "00000000  f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 fa fb fc fd fe ff  ················\n"
        "00000010  41                                               A"
    )


def test_the_line_ends_of_a_header_can_be_seen() -> None:
    assert with_line_ends("A: 1\r\nContent-Length: 2\n\n") == "A: 1\\r\\n\nContent-Length: 2\\n\n\\n"


def test_only_a_canonical_header_is_left_out() -> None:
    assert without_length(received(frame("{}").encode())) == "{}"
    assert without_length(received(b"content-length: 2\r\n\r\n{}")) == "content-length: 2\r\n\r\n{}"
    assert without_length(received(b"\xff\xfe\xfd\xfc")) == r"\xff\xfe\xfd\xfc"


def test_a_log_in_lines_names_conversations_only_when_there_are_several() -> None:
    start = Entry(0.0, "", "event", "check hex")
    one = Entry(0.001, "c1", "sent", frame("{}"))
    two = Entry(12.5, "c2", "stderr", "a\x1b[0m\nb", omitted=1500)
    assert wire_lines([start, one]) == ["   0.000 · check hex", "   0.001 → {}"]
    assert wire_lines([one, two])[1:] == [
        r"  12.500 c2 ! a\x1b[0m",
        "              b … (1 500 more bytes)",
    ]


def test_what_is_no_base64_is_shown_all_the_same() -> None:
    assert pieces(Entry(0.0, "c1", "received", base64="<abcd>")) == [Piece("text", "<abcd>")]
