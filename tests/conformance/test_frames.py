"""The suite's own reader finds the frames in anything, and says which are not as they must be written."""

import pytest

from plugwire_conformance.wire.frames import Frame, Framing, HeaderReader, LineReader, encode, reader

PING = b'{"method":"ping"}'
GOOD = b"Content-Length: 17\r\n\r\n" + PING


def test_a_body_is_written_in_the_one_canonical_way() -> None:
    assert encode(PING) == b'Content-Length: 17\r\n\r\n{"method":"ping"}'
    assert encode(PING, Framing.LINE) == b'{"method":"ping"}\n'


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_frames_are_found_however_the_stream_is_cut(size: int) -> None:
    stream, header_reader, found = GOOD * 3, HeaderReader(), []
    for start in range(0, len(stream), size):
        found += header_reader.feed(stream[start : start + size])
    assert found == [Frame(PING, b"Content-Length: 17\r\n\r\n")] * 3
    assert header_reader.rest == b""


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 17\r\n\r\n",
        b"Content-Length:17\r\n\r\n",
        b"Content-Length: 017\r\n\r\n",
        b"Content-Length: 17\n\n",
        b"Content-Length: 17 \r\n\r\n",
        b"Content-Type: x\r\nContent-Length: 17\r\n\r\n",
        b"Content-Length: 17\r\nContent-Type: x\r\n\r\n",
    ],
)
def test_a_header_of_another_form_is_read_and_told(header: bytes) -> None:
    assert HeaderReader().feed(header + PING) == [Frame(PING, header, canonical=False)]


def test_a_body_directly_after_its_header_line_is_read_and_told() -> None:
    frames = HeaderReader().feed(b"Content-Length: 17\r\n" + PING + GOOD)
    assert frames == [
        Frame(PING, b"Content-Length: 17\r\n", canonical=False),
        Frame(PING, b"Content-Length: 17\r\n\r\n"),
    ]


@pytest.mark.parametrize("noise", [b"Loading...\n", b"\x1b[31mred", b"\xff\xfe\n\n", b"a: b, and so on\nno header\n"])
def test_noise_comes_with_the_frame_that_follows(noise: bytes) -> None:
    assert HeaderReader().feed(noise + GOOD) == [Frame(PING, b"Content-Length: 17\r\n\r\n", noise)]


def test_what_is_no_whole_frame_is_kept_as_the_rest() -> None:
    header_reader = HeaderReader()
    assert header_reader.feed(GOOD + GOOD[:-1]) == [Frame(PING, b"Content-Length: 17\r\n\r\n")]
    assert header_reader.rest == GOOD[:-1]


def test_lines_are_read_and_other_lines_are_noise() -> None:
    line_reader = LineReader()
    assert line_reader.feed(b'hello\n{"a":1}\r\n[1]\n{"b"') == [
        Frame(b'{"a":1}', b"\n", b"hello\n", canonical=False),
        Frame(b"[1]", b"\n"),
    ]
    assert line_reader.rest == b'{"b"'


def test_there_is_a_reader_for_each_framing() -> None:
    assert isinstance(reader(Framing.HEADER), HeaderReader)
    assert isinstance(reader(Framing.LINE), LineReader)
