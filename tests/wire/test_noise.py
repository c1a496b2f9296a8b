"""Stray output: what a host warns of and goes on, and a plugin does not bear. Spec 01."""

import pytest

from plugwire.wire import Deviation, Framing, Noise, Peer, RemoteProtocolError, Role, make_reader
from plugwire.wire.framing import Reader
from tests.wire.helpers import LOST, PING, PING_FRAME, header_frame, read_every_way, read_pieces

ROLES = pytest.mark.parametrize("tolerant", [False, True], ids=["plugin", "host"])
OTHER = "a header other than Content-Length"
LF = "a header line ends with LF alone"


def tolerant_reader() -> Reader:
    return make_reader(Framing.HEADER, tolerate_noise=True)


# What a plugin takes as lost is noise to a host

NO_HEADERS = [
    b"X-Other: 40\r\n\r\n",
    b"Content-Length-: 40\r\n\r\n",
    b"Content-Lengt: 40\r\n\r\n",
    b"\r\n",
    b"\n",
    b"\n\n\r\n",
    b"hello\r\n",
    b"Content-Length\r\n\r\n",
    b"Content-Length : 40\r\n\r\n",
    b"Content-Length\t: 40\r\n\r\n",
    b" Content-Length: 40\r\n\r\n"[:-4] + b"x\r\n",
    b"X: y\r\n folded\r\n",
    b"Na\x00me: y\r\n\r\n",
    b"N\xc3\xa4me: y\r\n\r\n",
    b"\x7fName: y\r\n\r\n",
    b": y\r\n\r\n",
    b"\xef\xbb\xbf\r\n",
]


@pytest.mark.requirement("FRM-14", "FRM-16", "FRM-23")
@pytest.mark.parametrize("stray", NO_HEADERS, ids=repr)
def test_what_is_no_header_of_a_frame_loses_the_boundary_for_a_plugin(stray: bytes) -> None:
    assert read_every_way(PING_FRAME + stray + PING_FRAME, tolerant=False) == [PING, LOST]


@pytest.mark.requirement("FRM-19")
@pytest.mark.parametrize("stray", NO_HEADERS, ids=repr)
def test_what_is_no_header_of_a_frame_is_noise_for_a_host(stray: bytes) -> None:
    found = read_every_way(PING_FRAME + stray + PING_FRAME, tolerant=True)
    assert (found[0], found[-1]) == (PING, PING)
    assert b"".join(noise.data for noise in found[1:-1]) == stray
    assert found[1].offset == 62


@pytest.mark.requirement("FRM-16")
@ROLES
@pytest.mark.parametrize(
    "line", [b"no colon", b"Name : y", b" folded", b"\tfolded", b"N\x00: y", b"N\xff: y", b": y"], ids=repr
)
def test_a_line_that_is_no_header_after_the_length_loses_the_boundary(line: bytes, tolerant: bool) -> None:
    stream = b"Content-Length: 40\r\n" + line + b"\r\n\r\n" + PING_FRAME
    assert read_every_way(stream, tolerant=tolerant) == [LOST]


NOISES: list[tuple[bytes, list[Noise]]] = [
    (b"Downloading...\n", [Noise(b"Downloading...\n", 62)]),
    (b"Downloading...\r\n", [Noise(b"Downloading...\r\n", 62)]),
    (b"one\ntwo\n", [Noise(b"one\n", 62), Noise(b"two\n", 66)]),
    (b"\x1b[32mINFO\x1b[0m ready\n", [Noise(b"\x1b[32mINFO\x1b[0m ready\n", 62)]),
    (b"\n", [Noise(b"\n", 62)]),
    (b"INFO: x\n\n", [Noise(b"INFO: x\n\n", 62)]),
    (b"INFO: x\nnot a header\n", [Noise(b"INFO: x\nnot a header\n", 62)]),
    (b"10%\r20%\r100%\n", [Noise(b"10%\r20%\r100%\n", 62)]),
    (b"\xff\xfe\x00\n", [Noise(b"\xff\xfe\x00\n", 62)]),
    (b"[1,2]\n", [Noise(b"[1,2]\n", 62)]),
    (b"50%", [Noise(b"50%", 62)]),
    (b"\xef\xbb\xbf", [Noise(b"\xef\xbb\xbf", 62)]),
    (b"INFO: ", [Noise(b"INFO: ", 62)]),
    (b"X-", [Noise(b"X-", 62)]),
    (b"INFO: x\nand 50%", [Noise(b"INFO: x\nand 50%", 62)]),
    (b"one\ntwo", [Noise(b"one\n", 62), Noise(b"two", 66)]),
    (b"10%\r20%\r", [Noise(b"10%\r20%\r", 62)]),
    (b"x" * 5000, [Noise(b"x" * 5000, 62)]),
    (b"x" * 5000 + b"\n", [Noise(b"x" * 5000 + b"\n", 62)]),
]
EVERY_NOISE = pytest.mark.parametrize(("stray", "noises"), NOISES, ids=[repr(stray[:20]) for stray, _ in NOISES])


@pytest.mark.requirement("FRM-19", "FRM-20")
@EVERY_NOISE
def test_a_host_tells_noise_between_frames_and_goes_on(stray: bytes, noises: list[Noise]) -> None:
    assert read_every_way(PING_FRAME + stray + PING_FRAME, tolerant=True) == [PING, *noises, PING]


@pytest.mark.requirement("FRM-19", "FRM-20")
@EVERY_NOISE
def test_a_host_tells_noise_before_the_first_frame(stray: bytes, noises: list[Noise]) -> None:
    moved = [Noise(noise.data, noise.offset - 62) for noise in noises]
    assert read_every_way(stray + PING_FRAME, tolerant=True) == [*moved, PING]


@pytest.mark.requirement("FRM-23")
@EVERY_NOISE
def test_a_plugin_takes_noise_as_a_lost_boundary(stray: bytes, noises: list[Noise]) -> None:
    expected = [PING, LOST]
    if stray in (b"INFO: ", b"X-"):
        # Glued to a length these make a header of another name, and so a block without a length: lost all the same.
        assert read_every_way(PING_FRAME + stray + b"Content-Length: 40\r\n\r\n", tolerant=False) == expected
    assert read_every_way(PING_FRAME + stray + PING_FRAME, tolerant=False) == expected


@pytest.mark.requirement("FRM-22")
@EVERY_NOISE
def test_a_host_may_be_told_to_reject_noise(stray: bytes, noises: list[Noise]) -> None:
    peer: Peer[str] = Peer(Role.HOST, tolerate_noise=False)
    peer.receive_data(stray + PING_FRAME)
    with pytest.raises(RemoteProtocolError):
        peer.next_arrival()


@pytest.mark.requirement("FRM-06", "FRM-19")
@pytest.mark.parametrize("line", [b"INFO: x\n", b'{"level":"info"}\n', b"http://127.0.0.1:8080\n"])
def test_lines_that_look_like_headers_right_before_a_length_are_its_headers(line: bytes) -> None:
    found = read_every_way(line + PING_FRAME, tolerant=True)
    assert found == [Deviation(LF, 0), Deviation(OTHER, 0), PING]
    assert read_every_way(line + b"\n" + PING_FRAME, tolerant=True) == [Noise(line + b"\n", 0), PING]


@pytest.mark.requirement("FRM-20")
def test_only_a_whole_canonical_header_on_the_line_of_noise_starts_a_frame() -> None:
    for line in (
        b"< Content-Length: 5\r\n",
        b"see content-length: 5\r\n",
        b"a Content-Length: 5\n",
        b"Content-Length 5\r\n",
    ):
        assert read_every_way(line + PING_FRAME, tolerant=True) == [Noise(line, 0), PING]


def test_bytes_inside_a_body_are_never_noise() -> None:
    body = b'{"text":"x\\nContent-Length: 5\\r\\n"} Content-Length: 5\r\n\r\n'
    assert read_every_way(header_frame(body) + PING_FRAME, tolerant=True) == [body, PING]


@pytest.mark.requirement("FRM-16")
def test_noise_inside_a_header_block_loses_the_boundary_for_a_host_too() -> None:
    assert read_every_way(b"Content-Length: 40\r\nDownloading...\n\r\n" + PING, tolerant=True) == [LOST]


def test_a_length_that_is_too_small_never_makes_a_message_of_what_is_left() -> None:
    stream = b"Content-Length: 37\r\n\r\n" + PING + PING_FRAME
    assert read_every_way(stream, tolerant=False) == [PING[:37], LOST]
    assert read_every_way(stream, tolerant=True) == [PING[:37], Noise(b'g"}', 59), PING]


def test_a_length_that_is_too_large_swallows_and_then_loses_the_boundary() -> None:
    stream = b"Content-Length: 43\r\n\r\n" + PING + PING_FRAME
    assert read_every_way(stream, tolerant=False) == [PING + b"Con", LOST]
    found = read_every_way(stream + PING_FRAME, tolerant=True)
    assert found == [PING + b"Con", Noise(b"tent-Length: 40\r\n\r\n", 65), Noise(PING, 84), PING]


# The bound of noise


@pytest.mark.requirement("FRM-21")
def test_a_host_bears_65536_bytes_of_noise_and_no_more() -> None:
    line = b"x" * 1023 + b"\n"
    found = read_every_way(line * 64 + PING_FRAME, tolerant=True)
    assert found == [*(Noise(line, place * 1024) for place in range(64)), PING]
    assert read_every_way(line * 64 + b"\n" + PING_FRAME, tolerant=True)[-2:] == [Noise(line, 63 * 1024), LOST]


@pytest.mark.requirement("FRM-21")
def test_noise_counts_over_the_whole_connection() -> None:
    reader = tolerant_reader()
    line = b"x" * 32767 + b"\n"
    assert read_pieces(reader, [line, PING_FRAME, line, PING_FRAME, b"\n"]) == [
        Noise(line, 0),
        PING,
        Noise(line, 32830),
        PING,
        LOST,
    ]


@pytest.mark.requirement("FRM-21")
def test_a_line_of_noise_without_an_end_is_bounded_too() -> None:
    reader = tolerant_reader()
    found = read_pieces(reader, [b"x" * 8192] * 9)
    assert found == [LOST]
    assert len(reader.unread) <= 9 * 8192


@pytest.mark.requirement("FRM-20", "FRM-21")
@pytest.mark.parametrize("piece", [1000, 1024, 65536, 65540, 65555, 65558, 70000])
def test_a_header_may_run_into_the_largest_noise(piece: int) -> None:
    stream = b"x" * 65536 + PING_FRAME
    pieces = [stream[start : start + piece] for start in range(0, len(stream), piece)]
    assert read_pieces(tolerant_reader(), pieces) == [Noise(b"x" * 65536, 0), PING]
    assert read_pieces(tolerant_reader(), [b"x", *pieces]) == [LOST]


@pytest.mark.requirement("FRM-21")
def test_header_like_noise_is_bounded_before_a_length_comes() -> None:
    found = read_pieces(tolerant_reader(), [b"INFO: x\n" * 1024] * 9)
    assert found[-1] == LOST
    assert {type(item) for item in found[:-1]} == {Noise}


@pytest.mark.requirement("FRM-19")
@pytest.mark.parametrize("lines", [508, 509, 510, 511, 512, 513, 1100])
def test_header_like_noise_of_any_length_before_a_frame_does_not_cost_the_frame(lines: int) -> None:
    noise = b"INFO: x\n" * lines
    found = read_every_way(noise + PING_FRAME, tolerant=True)
    assert found[-1] == PING
    assert LOST not in found
