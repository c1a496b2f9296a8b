"""Chapter 01: what is forgiven, and what loses the frame boundary."""

import pytest

from .conftest import Start
from .driver import Conversation, encode, to_body
from .subjects import ALIVE, ALL, BASH, HEADER_FRAMED, INITIALIZED, LIMITS, PING_ALIVE, Subject, initialize, request

PING = b'{"jsonrpc":"2.0","id":"alive","method":"ping"}'  # 46 bytes
FRAME = b"Content-Length: 46\r\n\r\n" + PING

FORGIVEN = {
    "lower case": b"content-length: 46\r\n\r\n",
    "upper case": b"CONTENT-LENGTH: 46\r\n\r\n",
    "mixed case": b"cOnTeNt-LeNgTh: 46\r\n\r\n",
    "no blank": b"Content-Length:46\r\n\r\n",
    "many blanks": b"Content-Length:  \t 46\r\n\r\n",
    "trailing blanks": b"Content-Length: 46 \t \r\n\r\n",
    "another header before": b"Content-Type: application/json; charset=utf-8\r\nContent-Length: 46\r\n\r\n",
    "another header after": b"Content-Length: 46\r\nX-Trace: a:b\r\n\r\n",
    "an empty header": b"X-Empty:\r\nContent-Length: 46\r\n\r\n",
    "bytes above ASCII in a value": b"X-Name: \xc3\xa9\xff\r\nContent-Length: 46\r\n\r\n",
    "LF only": b"Content-Length: 46\n\n",
    "LF and CR LF": b"X-A: 1\nContent-Length: 46\r\n\n",
    "leading zeros": b"Content-Length: 0000000046\r\n\r\n",
    "a block of 4096 bytes": b"X: %s\r\nContent-Length: 46\r\n\r\n" % (b"a" * 4069),
}

LOSING = {
    "a plus": b"Content-Length: +46\r\n\r\n",
    "a minus": b"Content-Length: -1\r\n\r\n",
    "a decimal": b"Content-Length: 46.0\r\n\r\n",
    "hexadecimal": b"Content-Length: 0x2e\r\n\r\n",
    "an underscore": b"Content-Length: 4_6\r\n\r\n",
    "an exponent": b"Content-Length: 46e0\r\n\r\n",
    "arabic digits": b"Content-Length: \xd9\xa4\xd9\xa6\r\n\r\n",
    "full-width digits": b"Content-Length: \xef\xbc\x94\xef\xbc\x96\r\n\r\n",
    "a blank inside": b"Content-Length: 4 6\r\n\r\n",
    "a comma": b"Content-Length: 46,46\r\n\r\n",
    "a semicolon": b"Content-Length: 46;\r\n\r\n",
    "no value": b"Content-Length:\r\n\r\n",
    "11 digits": b"Content-Length: 00000000046\r\n\r\n",
    "21 digits": b"Content-Length: 100000000000000000000\r\n\r\n",
    "a CR in the value": b"Content-Length: 46\r\r\n\r\n",
    "twice the same": b"Content-Length: 46\r\nContent-Length: 46\r\n\r\n",
    "twice another": b"Content-Length: 46\r\ncontent-length: 47\r\n\r\n",
    "another header only": b"Content-Type: application/json\r\n\r\n",
    "a lookalike": b"X-Content-Length: 46\r\n\r\n",
    "a lookalike with a hyphen": b"Content-Length-: 46\r\n\r\n",
    "a blank line": b"\r\n",
    "no colon": b"Content-Length 46\r\n\r\n",
    "a blank before the colon": b"Content-Length : 46\r\n\r\n",
    "a folded line": b"Content-Length: 46\r\n folded: 1\r\n\r\n",
    "a line that begins with a tab": b"\tX: 1\r\nContent-Length: 46\r\n\r\n",
    "a NUL in a name": b"X\0: 1\r\nContent-Length: 46\r\n\r\n",
    "a byte above ASCII in a name": b"X\xe9: 1\r\nContent-Length: 46\r\n\r\n",
    "a byte order mark": b"\xef\xbb\xbfContent-Length: 46\r\n\r\n",
    "stray text": b"Listening on port 8080\n",
    "above the limit, before the block ends": b"Content-Length: 4194305\r\n",
    "far above the limit": b"Content-Length: 9999999999\r\n",
    "a long line": b"X: " + b"a" * 4094,
    "many headers": b"X: 1\r\n" * 700,
}

INSIDE = {
    "a header line": b"Content-Len",
    "a header block": b"Content-Length: 46\r\n",
    "the place before a body": b"Content-Length: 46\r\n\r\n",
    "a body": FRAME[:-1],
}

header_framed = pytest.mark.parametrize("header_subject", HEADER_FRAMED, ids=lambda subject: subject.folder)


@pytest.mark.requirement("FRM-05", "FRM-06", "FRM-07", "FRM-15")
@pytest.mark.parametrize("block", FORGIVEN.values(), ids=FORGIVEN)
def test_a_deviation_without_doubt_is_forgiven(header_plugin: Conversation, block: bytes) -> None:
    header_plugin.send_bytes((block + PING) * 2)
    assert [header_plugin.read_answer() for _ in range(2)] == [ALIVE, ALIVE]


@pytest.mark.requirement("FRM-10", "FRM-12", "FRM-13", "FRM-14", "FRM-15", "FRM-16", "FRM-17", "FRM-23")
@pytest.mark.parametrize("block", LOSING.values(), ids=LOSING)
def test_a_lost_boundary_ends_the_plugin_without_another_answer(header_plugin: Conversation, block: bytes) -> None:
    header_plugin.send_bytes(FRAME + block + PING + FRAME)
    assert header_plugin.read_answer() == ALIVE
    assert header_plugin.wait_end() == 2
    assert header_plugin.read_stderr().strip()


@pytest.mark.requirement("FRM-17")
@pytest.mark.parametrize("block", [b"Content-Length: 4194305\r\n", b"Content-Length: +1\n", b"stray\n"])
def test_a_broken_header_is_told_at_its_line_and_not_at_the_block_s_end(
    header_plugin: Conversation, block: bytes
) -> None:
    header_plugin.send_bytes(block)
    assert header_plugin.wait_end() == 2


@pytest.mark.requirement("FRM-18")
@pytest.mark.parametrize("piece", INSIDE.values(), ids=INSIDE)
def test_an_end_of_input_inside_a_frame_is_no_clean_end(header_plugin: Conversation, piece: bytes) -> None:
    header_plugin.send(initialize(), INITIALIZED, request(1, "shutdown"))
    header_plugin.send_bytes(piece)
    header_plugin.close_input()
    header_plugin.read_message()
    assert header_plugin.read_answer() == '{"id":1,"result":null}'
    assert header_plugin.wait_end() == 2
    assert header_plugin.read_stderr().strip()


@pytest.mark.requirement("FRM-11")
def test_a_length_of_zero_is_a_parse_error_and_no_more(header_plugin: Conversation) -> None:
    header_plugin.send_bytes(b"Content-Length: 0\r\n\r\n" + FRAME)
    assert header_plugin.read_answer() == '{"code":-32700,"id":null}'
    assert header_plugin.read_answer() == ALIVE


def test_a_body_may_have_line_ends(header_plugin: Conversation) -> None:
    header_plugin.send_bodies(b'\r\n{"jsonrpc": "2.0",\n\t"id":\r\n1, "method" : "ping"\n}\n ')
    assert header_plugin.read_answer() == '{"id":1,"result":null}'


@pytest.mark.requirement("FRM-09")
def test_frames_may_come_byte_by_byte(subject: Subject, plugin: Conversation) -> None:
    messages = [PING_ALIVE, request("é😀", "ping"), request(1, "ping")]
    for byte in b"".join(encode(to_body(message), subject.framing) for message in messages):
        plugin.send_bytes(bytes([byte]))
    expected = [ALIVE, '{"id":"é😀","result":null}', '{"id":1,"result":null}']
    assert [plugin.read_answer() for _ in range(3)] == expected


@pytest.mark.requirement("FRM-09")
def test_a_hundred_frames_may_come_in_one_write(plugin: Conversation) -> None:
    plugin.send(*[request(number, "ping") for number in range(100)])
    assert [plugin.read_message()["id"] for _ in range(100)] == list(range(100))


@pytest.mark.requirement("FRM-02", "FRM-17")
@pytest.mark.parametrize("subject", ALL, ids=lambda subject: subject.folder)
def test_the_limit_of_initialize_counts_bytes_from_the_next_frame_on(subject: Subject, start: Start) -> None:
    # An é has two bytes: 4096 bytes are allowed, 4098 are not.
    start_of_body, end_of_body = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"', b'"}}'
    fitting = start_of_body + "é".encode() * 2019 + end_of_body
    assert len(fitting) == 4096
    plugin = start(subject)
    plugin.send(initialize(limits=LIMITS | {"maxFrameBytes": 4096}))
    plugin.send_bodies(fitting, start_of_body + "é".encode() * 2020 + end_of_body, PING)
    plugin.read_message()
    assert plugin.read_answer() == '{"id":1,"result":null}'
    assert plugin.wait_end() == 2


@pytest.mark.requirement("MSG-24")
def test_the_depth_limit_of_initialize_replaces_the_usual_one(subject: Subject, plugin: Conversation) -> None:
    start_of_body, end_of_body = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":', b"}}"
    plugin.send(initialize(limits=LIMITS | {"maxDepth": 512}))
    plugin.send_bodies(start_of_body + b"[" * 510 + b"]" * 510 + end_of_body)
    plugin.send_bodies(start_of_body + b"[" * 511 + b"]" * 511 + end_of_body)
    plugin.read_message()
    assert plugin.read_answer() == '{"id":1,"result":null}'
    assert plugin.read_answer() == '{"code":-32700,"id":null}'


@pytest.mark.requirement("FRM-25")
def test_in_line_framing_cr_lf_and_empty_lines_are_forgiven(start: Start) -> None:
    plugin = start(BASH)
    plugin.send_bytes(b"\n\r\n" + PING + b"\r\n\n\n" + PING + b"\n")
    assert [plugin.read_answer() for _ in range(2)] == [ALIVE, ALIVE]


@pytest.mark.requirement("FRM-25", "FRM-26")
def test_in_line_framing_a_cr_at_the_end_does_not_count(start: Start) -> None:
    plugin = start(BASH)
    plugin.send(initialize(limits=LIMITS | {"maxFrameBytes": 4096}))
    plugin.send_bytes(PING.ljust(4096) + b"\r\n" + PING + b"\n")
    plugin.read_message()
    assert [plugin.read_answer() for _ in range(2)] == [ALIVE, ALIVE]


@pytest.mark.requirement("FRM-26")
def test_in_line_framing_a_line_is_refused_before_its_end(start: Start) -> None:
    plugin = start(BASH)
    plugin.send(initialize(limits=LIMITS | {"maxFrameBytes": 4096}))
    plugin.send_bytes(b"x" * 5000)
    plugin.read_message()
    assert plugin.wait_end() == 2
    assert plugin.read_stderr().strip()


@pytest.mark.requirement("FRM-18")
def test_in_line_framing_a_line_without_an_end_is_no_message(start: Start) -> None:
    plugin = start(BASH)
    plugin.send(initialize(), INITIALIZED, request(1, "shutdown"))
    plugin.send_bytes(PING)
    plugin.close_input()
    plugin.read_message()
    assert plugin.read_answer() == '{"id":1,"result":null}'
    assert plugin.wait_end() == 2


@pytest.mark.requirement("FRM-11")
def test_in_line_framing_a_line_that_is_no_json_is_a_parse_error_and_no_more(start: Start) -> None:
    plugin = start(BASH)
    plugin.send_bytes(b"Content-Length: 46\n  \n" + PING + b"\n")
    assert [plugin.read_answer() for _ in range(3)] == ['{"code":-32700,"id":null}'] * 2 + [ALIVE]
