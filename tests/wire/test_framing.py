"""Header framing: where a frame ends, what is tolerated, what is noise and what loses the boundary. Spec 01."""

import tracemalloc

import pytest

from plugwire.wire import Deviation, Framing, Noise, Peer, RemoteProtocolError, Role, frame, make_reader
from plugwire.wire.framing import Reader
from tests.wire.helpers import LOST, PING, PING_FRAME, header_frame, read_every_way, read_pieces

ROLES = pytest.mark.parametrize("tolerant", [False, True], ids=["plugin", "host"])
CASE = "Content-Length in another letter case"
BLANKS = "blanks round the length"
OTHER = "a header other than Content-Length"
LF = "a header line ends with LF alone"


def strict_reader() -> Reader:
    return make_reader(Framing.HEADER, tolerate_noise=False)


def tolerant_reader() -> Reader:
    return make_reader(Framing.HEADER, tolerate_noise=True)


# Writing


@pytest.mark.requirement("FRM-01", "FRM-03")
def test_a_writer_emits_the_one_canonical_header_and_the_body_in_one_piece() -> None:
    assert frame(PING, Framing.HEADER) == b'Content-Length: 40\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"ping"}'
    assert frame(b"", Framing.HEADER) == b"Content-Length: 0\r\n\r\n"
    assert frame(b" " * 1000, Framing.HEADER) == b"Content-Length: 1000\r\n\r\n" + b" " * 1000


@pytest.mark.requirement("FRM-01", "FRM-02")
def test_a_peer_counts_bytes_and_not_characters() -> None:
    peer: Peer[str] = Peer(Role.PLUGIN)
    peer.receive_data(header_frame(b'{"jsonrpc":"2.0","id":1,"method":"ping"}'))
    peer.next_arrival()
    assert peer.send_result(1, "é€😀") == (
        b'Content-Length: 45\r\n\r\n{"jsonrpc":"2.0","id":1,"result":"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"}'
    )


# Accepted by both


@pytest.mark.requirement("FRM-09")
@ROLES
def test_canonical_frames_are_read_however_they_are_cut(tolerant: bool) -> None:
    assert read_every_way(PING_FRAME + PING_FRAME, tolerant=tolerant) == [PING, PING]


@pytest.mark.requirement("FRM-09")
@ROLES
def test_the_bytes_of_a_character_may_come_in_different_pieces(tolerant: bool) -> None:
    body = '{"a":"é€😀"}'.encode()
    assert read_every_way(header_frame(body) + PING_FRAME, tolerant=tolerant) == [body, PING]


@pytest.mark.requirement("FRM-09")
@ROLES
def test_a_thousand_frames_may_come_at_once(tolerant: bool) -> None:
    reader = make_reader(Framing.HEADER, tolerate_noise=tolerant)
    assert read_pieces(reader, [PING_FRAME * 1000]) == [PING] * 1000
    assert reader.unread == b""


@ROLES
def test_a_length_of_0_is_an_empty_body(tolerant: bool) -> None:
    assert read_every_way(b"Content-Length: 0\r\n\r\n" + PING_FRAME, tolerant=tolerant) == [b"", PING]


@pytest.mark.requirement("FRM-12")
@ROLES
def test_leading_zeros_are_digits_like_others(tolerant: bool) -> None:
    assert read_every_way(b"Content-Length: 0000000040\r\n\r\n" + PING, tolerant=tolerant) == [PING]


ACCEPTED: list[tuple[bytes, list[str]]] = [
    (b"content-length: 40\r\n\r\n", [CASE]),
    (b"CONTENT-LENGTH: 40\r\n\r\n", [CASE]),
    (b"cOnTeNt-LeNgTh: 40\r\n\r\n", [CASE]),
    (b"Content-Length:40\r\n\r\n", [BLANKS]),
    (b"Content-Length:  40\r\n\r\n", [BLANKS]),
    (b"Content-Length:\t40\r\n\r\n", [BLANKS]),
    (b"Content-Length: \t \t40\r\n\r\n", [BLANKS]),
    (b"Content-Length: 40 \r\n\r\n", [BLANKS]),
    (b"Content-Length: 40 \t \r\n\r\n", [BLANKS]),
    (b"Content-Length: 40\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n", [OTHER]),
    (b"Content-Type: application/json\r\nContent-Length: 40\r\n\r\n", [OTHER]),
    (b"Content-Length: 40\r\nContent-Type: text/plain; charset=latin-1\r\n\r\n", [OTHER]),
    (b"A: 1\r\nB:\r\nContent-Length: 40\r\nC: x:y\r\n\r\n", [OTHER]),
    (b"Content-Length: 40\r\nX: \xff\x00\xc3\xa9\r\n\r\n", [OTHER]),
    (b"X-Content-Length: 5\r\nContent-Length: 40\r\n\r\n", [OTHER]),
    (b"X-Note: Content-Length: 5\r\nContent-Length: 40\r\n\r\n", [OTHER]),
    (b"Content-Length: 40\r\nX-Content-Length: 5\r\n\r\n", [OTHER]),
    (b"Content-Length: 40\n\n", [LF]),
    (b"Content-Length: 40\r\n\n", [LF]),
    (b"Content-Length: 40\n\r\n", [LF]),
]
HEADERS = pytest.mark.parametrize(("header", "kinds"), ACCEPTED, ids=[repr(header)[2:-1] for header, _ in ACCEPTED])


@pytest.mark.requirement("FRM-05", "FRM-06", "FRM-07", "FRM-08")
@ROLES
@HEADERS
def test_a_header_that_leaves_no_doubt_is_accepted_and_reported(
    header: bytes, kinds: list[str], tolerant: bool
) -> None:
    found = read_every_way(header + PING, tolerant=tolerant)
    assert found[-1] == PING
    assert [deviation.kind for deviation in found[:-1]] == kinds


@pytest.mark.requirement("FRM-08")
@ROLES
def test_each_kind_of_deviation_is_told_once_with_its_offset(tolerant: bool) -> None:
    second = b"content-length:40\n\r\n" + PING
    third = b"X: y\r\nContent-Length: 40\r\n\r\n" + PING
    found = read_every_way(PING_FRAME + second + third + second + third, tolerant=tolerant)
    assert found == [
        PING,
        Deviation(LF, 62),
        Deviation(CASE, 62),
        Deviation(BLANKS, 62),
        PING,
        Deviation(OTHER, 122),
        PING,
        PING,
        PING,
    ]


@pytest.mark.requirement("FRM-08")
@ROLES
def test_the_offset_of_a_deviation_is_that_of_its_line(tolerant: bool) -> None:
    stream = b"Content-Length: 40\r\nX: y\r\nZ: y\n\r\n" + PING
    assert read_every_way(stream, tolerant=tolerant) == [Deviation(OTHER, 20), Deviation(LF, 26), PING]


# Lost to both

BAD_LENGTHS = [
    b"-1", b"+5", b"5.0", b"0x10", b"1_0", b"1e1", "５".encode(), "٥".encode(), b"5 5", b"5,5", b"5;", b"", b" ", b"4O",
    b"0b1", b"\x005", b"5\x00", b"5\xa0", b"12345678901", b"00000000040", b"99999999999999999999", b"NaN", b"infinity",
    b"40\r",
]  # fmt: skip


@pytest.mark.requirement("FRM-12", "FRM-10")
@ROLES
@pytest.mark.parametrize("length", BAD_LENGTHS, ids=repr)
def test_a_length_that_is_not_1_to_10_digits_loses_the_boundary(length: bytes, tolerant: bool) -> None:
    stream = PING_FRAME + b"Content-Length: " + length + b"\r\n\r\n" + PING + PING_FRAME
    assert read_every_way(stream, tolerant=tolerant) == [PING, LOST]


@pytest.mark.requirement("FRM-13")
@ROLES
@pytest.mark.parametrize(
    "second", [b"Content-Length: 40", b"Content-Length: 5", b"content-length:40", b"CONTENT-LENGTH: x"]
)
def test_two_lengths_lose_the_boundary_even_if_they_are_equal(second: bytes, tolerant: bool) -> None:
    adjacent = b"Content-Length: 40\r\n" + second + b"\r\n\r\n" + PING_FRAME
    apart = b"Content-Length: 40\r\nX: y\r\n" + second + b"\r\n\r\n" + PING_FRAME
    assert read_every_way(adjacent, tolerant=tolerant) == [LOST]
    assert read_every_way(apart, tolerant=tolerant) == [LOST]


@pytest.mark.requirement("FRM-17")
@ROLES
@pytest.mark.parametrize("length", [b"4194305", b"2147483648", b"4294967301", b"9999999999"])
def test_a_length_above_the_limit_is_refused_as_soon_as_it_is_read(length: bytes, tolerant: bool) -> None:
    reader = make_reader(Framing.HEADER, tolerate_noise=tolerant)
    assert read_pieces(reader, [b"Content-Length: " + length + b"\r\n"]) == [LOST]


@pytest.mark.requirement("FRM-17")
@ROLES
@pytest.mark.parametrize("length", [b"4194304", b"4194305", b"9999999999"])
def test_no_memory_is_set_aside_for_an_announced_length(length: bytes, tolerant: bool) -> None:
    reader = make_reader(Framing.HEADER, tolerate_noise=tolerant)
    tracemalloc.start()
    try:
        read_pieces(reader, [b"Content-Length: " + length + b"\r\n\r\n", b"{"])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 65536
    assert len(reader.unread) < 32


@pytest.mark.requirement("FRM-17")
@ROLES
def test_the_limit_itself_is_no_excess(tolerant: bool) -> None:
    under, at, over = (header_frame(b" " * size) for size in (63, 64, 65))
    assert read_every_way(under, tolerant=tolerant, max_frame_bytes=64) == [b" " * 63]
    assert read_every_way(at, tolerant=tolerant, max_frame_bytes=64) == [b" " * 64]
    assert read_every_way(over, tolerant=tolerant, max_frame_bytes=64) == [LOST]
    slowly = b"content-length:65\r\n\r\n" + b" " * 65
    assert read_every_way(slowly, tolerant=tolerant, max_frame_bytes=64) == [LOST]


@pytest.mark.requirement("FRM-15")
@ROLES
@pytest.mark.parametrize(("size", "outcome"), [(4095, "read"), (4096, "read"), (4097, "lost"), (4098, "lost")])
def test_a_header_block_may_have_4096_bytes_with_its_blank_line(size: int, outcome: str, tolerant: bool) -> None:
    head, end = b"Content-Length: 40\r\nX: ", b"\r\n\r\n"
    block = head + b"y" * (size - len(head) - len(end)) + end
    expected = [Deviation(OTHER, 20), PING] if outcome == "read" else [LOST]
    assert read_every_way(block + PING, tolerant=tolerant) == expected


@pytest.mark.requirement("FRM-15")
@pytest.mark.parametrize("block", [b"X: y\r\n" * 10000, b"X" * 1048576, b"X: " + b"y" * 5000])
def test_a_flood_of_headers_is_refused_by_a_plugin_before_it_ends(block: bytes) -> None:
    reader = strict_reader()
    assert read_pieces(reader, [block[:4097]]) == [LOST]
    assert read_every_way(block[:5000] + PING_FRAME, tolerant=False) == [LOST]


@pytest.mark.requirement("FRM-15")
@ROLES
def test_a_flood_of_headers_after_the_length_is_refused_before_it_ends(tolerant: bool) -> None:
    stream = b"Content-Length: 40\r\n" + b"X: y\r\n" * 700
    assert read_every_way(stream, tolerant=tolerant) == [LOST]
    assert read_every_way(b"Content-Length: 40\r\nX: " + b"y" * 4100, tolerant=tolerant) == [LOST]


@pytest.mark.requirement("FRM-15")
@ROLES
def test_a_length_with_thousands_of_blanks_is_a_header_block_too_large(tolerant: bool) -> None:
    assert read_every_way(b"Content-Length: 40" + b" " * 5000 + b"\r\n\r\n" + PING, tolerant=tolerant) == [LOST]


@pytest.mark.requirement("FRM-12")
@ROLES
@pytest.mark.parametrize("end", [b"\r\r", b"\r\r\n\r\r\n", b"\r"], ids=repr)
def test_a_carriage_return_alone_ends_no_header_line_and_nobody_waits_for_more(end: bytes, tolerant: bool) -> None:
    reader = make_reader(Framing.HEADER, tolerate_noise=tolerant)
    assert read_pieces(reader, [b"Content-Length: 40" + end + b"{"]) == [LOST]
    assert read_every_way(b"Content-Length: 40" + end + PING + PING_FRAME, tolerant=tolerant) == [LOST]


@ROLES
def test_line_ends_the_wrong_way_round_shift_the_body_and_are_not_waited_for(tolerant: bool) -> None:
    found = read_every_way(b"Content-Length: 40\n\r\n\r" + PING, tolerant=tolerant, trailing=b"")
    assert found[:2] == [Deviation(LF, 0), b"\r" + PING[:39]]


# The end of the stream


@pytest.mark.requirement("FRM-18")
@ROLES
@pytest.mark.parametrize("whole", [b"", PING_FRAME], ids=["at once", "after a frame"])
def test_the_stream_may_end_between_frames(whole: bytes, tolerant: bool) -> None:
    reader = make_reader(Framing.HEADER, tolerate_noise=tolerant)
    read_pieces(reader, [whole])
    assert reader.receive_eof() is None


@pytest.mark.requirement("FRM-18")
@ROLES
@pytest.mark.parametrize(
    "begun",
    [
        PING_FRAME[:-1],
        b"Content-Length: 40\r\n\r\n{",
        b"Content-Length: 40\r\n\r\n",
        b"Content-Length: 40\r\n\r",
        b"Content-Length: 40\r\n",
        b"Content-Length: 40\r",
        b"content-length:4",
        b"Content-Length:",
        b"X: y\r\nContent-Length: 40\r\n",
        b"X: y\r\nContent-Length: 40\r\n\r\n{",
    ],
    ids=repr,
)
def test_the_end_inside_a_frame_is_a_loss_and_no_message(begun: bytes, tolerant: bool) -> None:
    reader = make_reader(Framing.HEADER, tolerate_noise=tolerant)
    found = read_pieces(reader, [PING_FRAME, begun])
    assert [item for item in found if not isinstance(item, Deviation)] == [PING]
    assert reader.unread == begun
    with pytest.raises(RemoteProtocolError):
        reader.receive_eof()


@pytest.mark.requirement("FRM-18", "FRM-19")
@pytest.mark.parametrize(
    "rest", [b"C", b"Content-Le", b"50%", b"Traceback (most recent call last):", b"INFO: x\r\n", b"\r"]
)
def test_an_unfinished_line_at_the_end_is_noise_to_a_host_and_a_loss_to_a_plugin(rest: bytes) -> None:
    host, plugin = tolerant_reader(), strict_reader()
    assert read_pieces(host, [PING_FRAME, rest]) == [PING]
    assert host.receive_eof() == Noise(rest, 62)
    assert read_pieces(plugin, [PING_FRAME, rest]) == [PING]
    with pytest.raises(RemoteProtocolError):
        plugin.receive_eof()


@pytest.mark.requirement("FRM-10", "FRM-18")
def test_after_the_loss_a_peer_dispatches_nothing_more() -> None:
    peer: Peer[str] = Peer(Role.PLUGIN)
    peer.receive_data(PING_FRAME + b"Content-Length: x\r\n\r\n" + PING_FRAME)
    assert peer.next_arrival() is not None
    for more in (b"", PING_FRAME, PING_FRAME):
        peer.receive_data(more)
        with pytest.raises(RemoteProtocolError):
            peer.next_arrival()
    assert list(peer.incoming) == [1]


def test_what_lost_the_boundary_is_quoted_without_control_characters() -> None:
    reader = strict_reader()
    reader.receive_data(b"\x1b[31mred\x07\n")
    with pytest.raises(RemoteProtocolError, match=r"\\x1b\[31mred\\x07") as caught:
        reader.next_frame()
    assert str(caught.value).isprintable()


def test_what_has_not_become_a_frame_can_be_looked_at() -> None:
    reader = strict_reader()
    for place in range(len(PING_FRAME)):
        reader.receive_data(PING_FRAME[place : place + 1])
        assert reader.unread == PING_FRAME[: place + 1]
        if place < len(PING_FRAME) - 1:
            assert reader.next_frame() is None
    assert reader.next_frame() == PING
    assert reader.unread == b""
