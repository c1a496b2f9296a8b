"""What loses the frame boundary, and what a host does then (chapter 01)."""

from ...case import Broken, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import PARSE_ERROR
from ...wire.frames import encode
from ...wire.messages import encode_json
from ._between import expect_no_request, held
from ._raw import LENGTH, ONCE, expect_cut, framed_ping, ping

#: Lengths of a body of 50 bytes that are no lengths.
_NO_LENGTHS = {
    "plus-sign": b"+50",
    "minus-sign": b"-50",
    "decimal": b"50.0",
    "hexadecimal": b"0x32",
    "exponent": b"5e1",
    "underscore": b"5_0",
    "blank-inside": b"5 0",
    "comma": b"50,50",
    "semicolon": b"50;",
    "letters-after": b"50abc",
    "fullwidth": "５０".encode(),
    "arabic-indic": "٥٠".encode(),
    "eleven-digits": b"00000000050",
    "empty": b"",
}
_TWO_LENGTHS = {
    "equal": b"Content-Length: 50\r\nContent-Length: 50\r\n\r\n",
    "different": b"Content-Length: 50\r\nContent-Length: 7\r\n\r\n",
    "other-case": b"Content-Length: 50\r\ncontent-length: 50\r\n\r\n",
    "apart": b"Content-Length: 50\r\nX-One: 1\r\nContent-Length: 50\r\n\r\n",
}
_LONG_BLOCKS = {
    "one-byte-too-long": b"Content-Length: 50\r\nX-Filled: " + b"x" * (4096 - 34 + 1) + b"\r\n\r\n",
    "many-headers": b"Content-Length: 50\r\n" + b"X-One: 1\r\n" * 1000 + b"\r\n",
}


def _refuses(host: HostSubject, blocks: dict[str, bytes], rule: str) -> None:
    """Each header block, with its body and a frame after it, comes from a plugin of its own."""
    given = [plugin(name, settings=ONCE) for name in blocks]
    with host.start(*given, plugin("witness")) as run:
        for name, block in blocks.items():
            run[name].boundary_lost = True
            run[name].send(block + ping(1) + framed_ping(2))
        for name in blocks:
            with host.checks(name):
                expect_cut(run[name], 2, rule)
                run[name].refuse(lambda message: message.id == 1, "an answer to the frame without a length", rule=rule)
        run["witness"].expect_alive("LIF-19")


@host_case(
    "framing/no-length",
    "FRM-12",
    "FRM-10",
    why="Number parsers differ in what they take: one that reads 0x32 as 0 or as 50 takes a message apart at the "
    "wrong place.",
    mend="Match the value against ^[0-9]{1,10}$ in ASCII before it is made a number; end the connection for "
    "anything else.",
)
def no_length(host: HostSubject) -> None:
    """A host ends the connection at a length that is none.

    Sent by one plugin each: a ping of 50 bytes that is announced as +50, 0x32, 5e1 and so on, and a canonical ping.
    Expected: no answer to either, and the end of the connection; another plugin goes on.
    """
    _refuses(host, {name: b"Content-Length: " + text + b"\r\n\r\n" for name, text in _NO_LENGTHS.items()}, "FRM-12")


@host_case(
    "framing/two-lengths",
    "FRM-13",
    why="Two readers that choose different ones of two lengths see different messages in the same bytes.",
    mend="Remember that a block had its Content-Length; at a second one end the connection, whatever it says.",
)
def two_lengths(host: HostSubject) -> None:
    """A host ends the connection at a second Content-Length in one block, even an equal one.

    Sent by one plugin each: pings with two lengths, and then a canonical ping. Expected: no answer, and the end of the
    connection; another plugin goes on.
    """
    _refuses(host, _TWO_LENGTHS, "FRM-13")


@host_case(
    "framing/header-block-too-long",
    "FRM-15",
    why="A header that never ends fills the host's memory.",
    mend="Count the bytes of a header block while you read it, and end the connection when there are more than 4096.",
)
def header_block_too_long(host: HostSubject) -> None:
    """A host ends the connection at a header block of more than 4096 bytes.

    Sent by one plugin each: a block of 4097 bytes, a thousand headers, and, in a third, a header of 100 kB without an
    end. Expected: no answer, and the end of the connection, in the third without any end of the header.
    """
    _refuses(host, _LONG_BLOCKS, "FRM-15")
    with host.start(plugin("endless", settings=ONCE)) as run, host.checks("endless"):
        run["endless"].boundary_lost = True
        run["endless"].send(b"Content-Length: 50\r\nX-Endless: " + b"x" * 100_000)
        run["endless"].expect_end(rule="FRM-15")


@host_case(
    "framing/body-too-long",
    "FRM-17",
    why="A host that believes a length sets aside gigabytes, or waits for ever for a body that nobody sends.",
    mend="Compare the length with maxFrameBytes as soon as the header is read, and end the connection when it is "
    "above.",
)
def body_too_long(host: HostSubject) -> None:
    """A host ends the connection at a length above maxFrameBytes, without waiting for the body.

    Sent by one plugin each: the header of a body of one byte more than the limit, of 2^31, of 2^32 + 50 and of ten
    nines, and nothing else. Expected: the end of the connection.
    """
    names = ("one-byte-too-many", "2-to-the-31", "2-to-the-32", "ten-nines")
    with host.start(*(plugin(name, settings=ONCE) for name in names), plugin("witness")) as run:
        limit = int(run["witness"].limits.get("maxFrameBytes", 1 << 30))
        for name, size in zip(names, (limit + 1, 1 << 31, (1 << 32) + LENGTH, 9_999_999_999), strict=True):
            run[name].boundary_lost = True
            run[name].send(b"Content-Length: %d\r\n\r\n" % size)
        for name in names:
            with host.checks(name):
                run[name].expect_end(rule="FRM-17")
        run["witness"].expect_alive("LIF-19")


@host_case(
    "framing/end-inside-frame",
    "FRM-18",
    declares=("services",),
    why="A plugin that dies while it writes leaves half a message, which may look like a whole one.",
    mend="Drop what is left in the buffer when the stream ends; a message is only what its length says.",
)
def end_inside_frame(host: HostSubject) -> None:
    """A host does not take the beginning of a frame for a message when the stream ends.

    Sent by one plugin each, before it closes its output: a whole request to another plugin in a frame that is announced
    one byte longer; half of a frame. Expected: the end of the connection, and no request at the other plugin.
    """
    body = encode_json({"jsonrpc": "2.0", "id": 1, "method": "callee/take", "params": {}})
    ends = {"one-byte-missing": b"Content-Length: %d\r\n\r\n%b" % (len(body) + 1, body), "half": encode(body)[:-9]}
    with host.start(*(plugin(name, settings=ONCE) for name in ends), plugin("callee", "callee/take")) as run:
        for name, data in ends.items():
            run[name].boundary_lost = True
            run[name].send(data)
            run[name].wait_until_read()
            run[name].close_stdout()
        for name in ends:
            with host.checks(name):
                run[name].expect_end(rule="FRM-18")
        run["callee"].expect_alive()
        expect_no_request(run["callee"], "callee/take", rule="FRM-18")


@host_case(
    "framing/calls-in-flight",
    "FRM-10",
    declares=("services",),
    why="A caller would wait for ever for a plugin whose connection the host has given up.",
    mend="When you end a connection, answer every call that was open there, as after a crash.",
)
def calls_in_flight(host: HostSubject) -> None:
    """A host gives every call in flight its outcome when the callee loses the frame boundary.

    Sent: a plugin calls another one, which answers with a frame without a length, and with the right answer after it.
    Expected: an error for the caller.
    """
    with host.start(plugin("caller"), plugin("callee", "callee/do", settings=ONCE)) as run:
        id, request = held(run["caller"], run["callee"], "callee/do")
        run["callee"].boundary_lost = True
        run["callee"].send(b"Content-Length: x\r\n\r\n")
        run["callee"].answer(request, "too late")
        answer = run["caller"].expect_answer(id, rule="FRM-10")
        if answer.error_code is None:
            raise Broken("what came after the loss was taken", expected="an error", got=repr(answer.result))


@host_case(
    "framing/empty-body",
    "FRM-11",
    "MSG-26",
    why="A host that ends the connection, or drops the empty frame, leaves the author without a word of what is wrong.",
    mend="Take a length of 0 as a whole frame with an empty body, and answer it with ParseError and id null.",
)
def empty_body(host: HostSubject) -> None:
    """A host answers an empty body with ParseError, and goes on.

    Sent by a plugin: a frame of length 0, and a ping. Expected: -32700 with id null, and the answer to the ping.
    """
    with host.start(plugin("a")) as run:
        run["a"].send(b"Content-Length: 0\r\n\r\n")
        run["a"].expect_error(None, PARSE_ERROR, rule="FRM-11")
        run["a"].expect_alive("FRM-11")
