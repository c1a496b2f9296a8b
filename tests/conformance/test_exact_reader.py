"""The reader of what the suite sends to plugins: it has to see a stream as the spec wants plugins to see it."""

import pytest

from plugwire_conformance.wire.exact import exact_reader
from plugwire_conformance.wire.frames import Framing


def bodies(data: bytes, framing: Framing = Framing.HEADER) -> list[bytes]:
    return [frame.body for frame in exact_reader(framing).feed(data)]


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 2\r\n\r\n",
        b"content-length:2 \t\n\n",
        b"A: Content-Length: 9\r\nX-Content-Length: 7\r\nContent-Length: 02\r\nB:\r\n\r\n",
        b"A: " + b"x" * 4070 + b"\r\nContent-Length: 2\n\n",
    ],
)
def test_headers_that_must_be_accepted_are(header: bytes) -> None:
    assert bodies(header + b"{}" + b"Content-Length: 1\r\n\r\n1") == [b"{}", b"1"]


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: +2\r\n\r\n",
        b"Content-Length: 0x2\r\n\r\n",
        b"Content-Length: 00000000002\r\n\r\n",
        b"Content-Length:\r\n\r\n",
        b"Content-Length : 2\r\n\r\n",
        b"Content-Length: 2\r\ncontent-length: 2\r\n\r\n",
        b"A: 1\r\n\r\n",
        b"\r\n",
        b"text\r\nContent-Length: 2\r\n\r\n",
        b": 1\r\nContent-Length: 2\r\n\r\n",
        b"A: " + b"x" * 4073 + b"\r\nContent-Length: 2\r\n\r\n",
        b"A: " + b"x" * 5000,
    ],
)
def test_behind_a_lost_boundary_there_are_no_frames(header: bytes) -> None:
    reader = exact_reader(Framing.HEADER)
    frames = reader.feed(b"Content-Length: 1\r\n\r\n1" + header + b"{}Content-Length: 1\r\n\r\n2")
    assert [frame.body for frame in frames] == [b"1"]
    assert reader.feed(b"Content-Length: 1\r\n\r\n3") == []


def test_a_frame_that_is_cut_is_taken_when_it_is_whole() -> None:
    reader = exact_reader(Framing.HEADER)
    data = "Content-Length: 4\r\n\r\n🦀".encode()
    assert [frame.body for at in range(len(data)) for frame in reader.feed(data[at : at + 1])] == ["🦀".encode()]
    assert reader.rest == b""


def test_in_line_framing_a_line_that_is_no_object_is_a_body_too() -> None:
    assert bodies(b"{}\r\n\n\r\nhello\n[1]\n{", Framing.LINE) == [b"{}", b"hello", b"[1]"]
