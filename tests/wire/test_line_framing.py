"""Line framing: one body a line. Spec 01."""

import json
from typing import Any

import pytest

from plugwire.wire import Framing, Noise, Peer, Raw, RemoteProtocolError, Role, frame, make_reader
from tests.wire.helpers import LOST, PING, read_every_way, read_pieces

ROLES = pytest.mark.parametrize("tolerant", [False, True], ids=["plugin", "host"])
LINE = PING + b"\n"


def read(stream: bytes, *, tolerant: bool, limit: int = 4194304, trailing: bytes | None = None) -> list[Any]:
    return read_every_way(stream, tolerant=tolerant, framing=Framing.LINE, max_frame_bytes=limit, trailing=trailing)


@pytest.mark.requirement("FRM-24")
def test_a_writer_emits_the_body_and_one_line_end() -> None:
    assert frame(PING, Framing.LINE) == b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'


@pytest.mark.requirement("FRM-24")
def test_line_ends_of_a_forwarded_payload_become_blanks_and_its_value_stays() -> None:
    peer: Peer[str] = Peer(Role.HOST, framing=Framing.LINE)
    _, data = peer.send_request("initialize", Raw(b'{\r\n  "a": "x\\ny",\n  "b": [\n1]\n}'), call="c")
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    assert b"\r" not in data
    assert json.loads(data)["params"] == {"a": "x\ny", "b": [1]}


@pytest.mark.requirement("FRM-09", "FRM-25")
@ROLES
@pytest.mark.parametrize(
    "stream",
    [
        LINE + LINE,
        PING + b"\r\n" + PING + b"\r\n",
        b"\n\n" + LINE + b"\r\n\n" + LINE + b"\n",
        b"  \t\n" + LINE + b" " + PING + b" \t\r\n",
    ],
    ids=repr,
)
def test_lines_are_read_however_they_are_cut(stream: bytes, tolerant: bool) -> None:
    assert read(stream, tolerant=tolerant) == [PING, PING]


@pytest.mark.requirement("FRM-09")
@ROLES
def test_the_bytes_of_a_character_may_come_in_different_pieces(tolerant: bool) -> None:
    body = '{"a":"é€😀\u2028"}'.encode()
    assert read(body + b"\n" + LINE, tolerant=tolerant) == [body, PING]


@pytest.mark.requirement("FRM-26")
@ROLES
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=repr)
def test_a_line_may_be_as_long_as_the_limit_without_its_end(end: bytes, tolerant: bool) -> None:
    under, at, over = (b"[" + b"1" * (size - 2) + b"]" for size in (63, 64, 65))
    assert read(under + end, tolerant=tolerant, limit=64) == [under]
    assert read(at + end, tolerant=tolerant, limit=64) == [at]
    assert read(over + end, tolerant=tolerant, limit=64) == [LOST]
    assert read(LINE + over + end, tolerant=tolerant, limit=64) == [PING, LOST]


@pytest.mark.requirement("FRM-26")
@ROLES
@pytest.mark.parametrize("line", [b" " * 25 + PING, PING + b" " * 25, b" " * 65, PING + b"\r" * 30])
def test_blanks_and_carriage_returns_count_for_the_length_of_a_line(line: bytes, tolerant: bool) -> None:
    assert read(line + b"\n", tolerant=tolerant, limit=64) == [LOST]


@pytest.mark.requirement("FRM-26", "FRM-10")
@ROLES
def test_a_line_that_is_too_long_is_refused_before_it_ends_and_not_kept(tolerant: bool) -> None:
    reader = make_reader(Framing.LINE, tolerate_noise=tolerant, max_frame_bytes=64)
    assert read_pieces(reader, [b"[" + b"1" * 63]) == []
    assert read_pieces(reader, [b"1"]) == [LOST]
    assert len(reader.unread) == 65
    assert read_pieces(reader, [b"]\n", LINE]) == [LOST]


@pytest.mark.requirement("FRM-26")
def test_a_new_limit_is_in_force_from_the_next_line() -> None:
    reader = make_reader(Framing.LINE, tolerate_noise=False, max_frame_bytes=64)
    reader.max_frame_bytes = 40
    assert read_pieces(reader, [LINE]) == [PING]
    reader.max_frame_bytes = 39
    assert read_pieces(reader, [LINE]) == [LOST]


STRAY = [
    b"Downloading...\n",
    b"\x1b[32mINFO\x1b[0m\r\n",
    b"\xef\xbb\xbf" + LINE,
    b"50%" + LINE,
    b"Content-Length: 40\r\n",
    b"\x00\n",
    b'"a string"\n',
    b"null\n",
]


@pytest.mark.requirement("FRM-27", "FRM-19")
@pytest.mark.parametrize("stray", STRAY, ids=repr)
def test_a_line_that_begins_with_no_bracket_is_noise_to_a_host(stray: bytes) -> None:
    assert read(LINE + stray + LINE, tolerant=True) == [PING, Noise(stray, 41), PING]
    assert read(stray + b"  \n" + LINE, tolerant=True) == [Noise(stray, 0), PING]


@pytest.mark.requirement("FRM-11")
@pytest.mark.parametrize("stray", STRAY, ids=repr)
def test_a_line_that_begins_with_no_bracket_is_a_bad_body_to_a_plugin(stray: bytes) -> None:
    assert read(stray + LINE, tolerant=False) == [stray.strip(b"\r\n"), PING]


@pytest.mark.requirement("FRM-22")
@pytest.mark.parametrize("stray", [*STRAY, b"unfinished"], ids=repr)
def test_a_host_may_be_told_to_reject_noise(stray: bytes) -> None:
    peer: Peer[str] = Peer(Role.HOST, framing=Framing.LINE, tolerate_noise=False)
    peer.receive_data(b"\n" + stray)
    with pytest.raises(RemoteProtocolError):
        peer.next_arrival()
    peer.receive_data(LINE)
    with pytest.raises(RemoteProtocolError):
        peer.next_arrival()


@ROLES
def test_lines_that_begin_with_a_bracket_are_bodies_whatever_follows(tolerant: bool) -> None:
    assert read(b"[1/3] Downloading\n{oops\n  {}\n", tolerant=tolerant) == [b"[1/3] Downloading", b"{oops", b"{}"]


@pytest.mark.requirement("FRM-21", "FRM-27")
@pytest.mark.parametrize("piece", [1024, 65535, 65536, 200000])
def test_a_host_bears_65536_bytes_of_stray_lines_and_no_more(piece: int) -> None:
    noise = (b"x" * 32767 + b"\n") * 2
    stream = noise + LINE + b"x\n" + LINE
    pieces = [stream[start : start + piece] for start in range(0, len(stream), piece)]
    reader = make_reader(Framing.LINE, tolerate_noise=True)
    assert read_pieces(reader, pieces) == [Noise(noise[:32768], 0), Noise(noise[:32768], 32768), PING, LOST]


@pytest.mark.requirement("FRM-21", "FRM-27")
def test_a_stray_line_without_an_end_is_bounded_too() -> None:
    reader = make_reader(Framing.LINE, tolerate_noise=True)
    assert read_pieces(reader, [b"x" * 65536]) == []
    assert read_pieces(reader, [b"x"]) == [LOST]
    at_once = make_reader(Framing.LINE, tolerate_noise=True)
    assert read_pieces(at_once, [b" x" * 40000]) == [LOST]


@pytest.mark.requirement("FRM-18")
@ROLES
@pytest.mark.parametrize("rest", [b"", b" \t", b"\r"], ids=repr)
def test_the_stream_may_end_between_lines(rest: bytes, tolerant: bool) -> None:
    reader = make_reader(Framing.LINE, tolerate_noise=tolerant)
    assert read_pieces(reader, [LINE + rest]) == [PING]
    assert reader.receive_eof() is None


@pytest.mark.requirement("FRM-18")
@ROLES
@pytest.mark.parametrize("begun", [PING, b"{", b" [", PING + b"\r"], ids=repr)
def test_a_line_without_its_end_at_the_end_is_no_message(begun: bytes, tolerant: bool) -> None:
    reader = make_reader(Framing.LINE, tolerate_noise=tolerant)
    assert read_pieces(reader, [LINE + begun]) == [PING]
    with pytest.raises(RemoteProtocolError):
        reader.receive_eof()


@pytest.mark.requirement("FRM-18", "FRM-27")
def test_a_stray_line_without_its_end_at_the_end_is_noise_to_a_host_only() -> None:
    host, plugin = (make_reader(Framing.LINE, tolerate_noise=tolerant) for tolerant in (True, False))
    assert read_pieces(host, [LINE + b"50%"]) == read_pieces(plugin, [LINE + b"50%"]) == [PING]
    assert host.receive_eof() == Noise(b"50%", 41)
    with pytest.raises(RemoteProtocolError):
        plugin.receive_eof()
