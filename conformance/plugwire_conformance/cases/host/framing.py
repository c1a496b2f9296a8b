"""Header framing as a host reads and writes it, where no boundary is lost (chapter 01)."""

import re

from ...case import Broken, host_case
from ...connection import Connection
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...report import Level
from ._between import room
from ._raw import expect_pong, framed_ping, ping

_NAMES = {
    "lower-case": b"content-length: 50\r\n\r\n",
    "upper-case": b"CONTENT-LENGTH: 50\r\n\r\n",
    "mixed-case": b"cOnTeNt-LeNgTh: 50\r\n\r\n",
    "no-blank": b"Content-Length:50\r\n\r\n",
    "two-blanks": b"Content-Length:  50\r\n\r\n",
    "tab": b"Content-Length:\t50\r\n\r\n",
    "blank-after": b"Content-Length: 50 \r\n\r\n",
    "tabs-after": b"Content-Length: 50\t\t\r\n\r\n",
}
_OTHERS = {
    "after": b"Content-Length: 50\r\nContent-Type: application/json\r\n\r\n",
    "before": b"Content-Type: application/json; charset=utf-8\r\nContent-Length: 50\r\n\r\n",
    "both": b"X-One: 1\r\nContent-Length: 50\r\nX-Two: content-length: 7\r\n\r\n",
    "empty-value": b"X-Empty:\r\nContent-Length: 50\r\n\r\n",
    "look-alike": b"X-Content-Length: 7\r\nContent-Length: 50\r\n\r\n",
}
_LINE_ENDS = {
    "lf": b"Content-Length: 50\n\n",
    "lf-then-cr-lf": b"Content-Length: 50\n\r\n",
    "cr-lf-then-lf": b"Content-Length: 50\r\n\n",
    "other-header": b"X-One: 1\nContent-Length: 50\r\n\r\n",
}
_MANY = 1000
#: Bodies beyond this are not sent only to see that they are taken.
_LARGE = 1 << 26


def _accepts(host: HostSubject, headers: dict[str, bytes], rule: str) -> None:
    with host.start(plugin("a")) as run:
        for name, header in headers.items():
            with host.checks(name):
                id = run["a"].new_id()
                run["a"].send(header + ping(id))
                expect_pong(run["a"], id, rule)


@host_case(
    "framing/header-name",
    "FRM-05",
    why="Plugins in many languages write the header with a library of their own: other letter cases and blanks "
    "are usual.",
    mend="Compare the name Content-Length without regard to letter case, and strip spaces and tabs from its value.",
)
def header_name(host: HostSubject) -> None:
    """A host takes Content-Length in any letter case, and with any blanks round the value.

    Sent by a plugin: pings whose headers differ in that from the canonical one. Expected: an answer to each.
    """
    _accepts(host, _NAMES, "FRM-05")


@host_case(
    "framing/other-headers",
    "FRM-06",
    why="Many libraries for language servers send Content-Type as well; such a plugin would never get an answer.",
    mend="Read header lines up to the blank one, and ignore all but Content-Length, wherever it stands among them.",
)
def other_headers(host: HostSubject) -> None:
    """A host ignores other headers, before and after Content-Length.

    Sent by a plugin: pings with more headers. Expected: an answer to each.
    """
    _accepts(host, _OTHERS, "FRM-06")


@host_case(
    "framing/lf",
    "FRM-07",
    why="A shell script's echo ends a line with LF; a host that waits for CR LF waits for ever.",
    mend="Take LF as the end of a header line, and drop a CR before it.",
)
def line_ends(host: HostSubject) -> None:
    """A host takes LF alone as the end of a header line.

    Sent by a plugin: pings whose header lines, or some of them, end with LF. Expected: an answer to each.
    """
    _accepts(host, _LINE_ENDS, "FRM-07")


@host_case(
    "framing/leading-zeros",
    "FRM-12",
    why="A plugin that fills its lengths up to a fixed width is within the rules, and would be thrown out.",
    mend="Take every length of 1 to 10 decimal digits.",
)
def leading_zeros(host: HostSubject) -> None:
    """A host takes a length of up to ten digits, also with zeros before it.

    Sent by a plugin: pings of 50 bytes, announced as 050 and 0000000050. Expected: an answer to each.
    """
    headers = {"one": b"Content-Length: 050\r\n\r\n", "ten-digits": b"Content-Length: 0000000050\r\n\r\n"}
    _accepts(host, headers, "FRM-12")


@host_case(
    "framing/deviation-told",
    "FRM-08",
    level=Level.SHOULD,
    why="An author whose plugin works here and hangs elsewhere has nothing to go by.",
    mend="Warn once for each kind of tolerated deviation, with the plugin's name and the byte offset in its output.",
)
def deviation_told(host: HostSubject) -> None:
    """A host tells once of each kind of deviation that it tolerates, with its byte offset.

    Sent by a plugin: a long ping, so that offsets are large numbers, then two pings with a header in lower case, then
    one with another header. Expected: reports with the offset of the first and of the third, and none with that of the
    second.
    """
    with host.start(plugin("deviator")) as run:
        probe = run["deviator"]
        probe.send_body(ping(9001, 123457))
        expect_pong(probe, 9001, "FRM-11")
        first = _deviate(probe, 9002, b"content-length: 50\r\n\r\n")
        second = _deviate(probe, 9003, b"content-length: 50\r\n\r\n")
        third = _deviate(probe, 9004, b"X-Other: 1\r\nContent-Length: 50\r\n\r\n")
        run.expect_told("deviator", str(first), rule="FRM-08")
        run.expect_told("deviator", str(third), rule="FRM-08")
        again = [line for line in run.reports() if re.search(rf"\b{second}\b", line)]
        if again:
            raise Broken("the second of a kind is told, too", expected="one report of a kind", got=again[0])


def _deviate(probe: ProbeTalk, id: int, header: bytes) -> int:
    offset = _written(probe)
    probe.send(header + ping(id))
    expect_pong(probe, id, "FRM-05")
    return offset


def _written(connection: Connection) -> int:
    """How many bytes we have written on that connection."""
    frames = [message.frame for from_subject, message in connection.history if not from_subject]
    return sum(len(frame.noise) + len(frame.header) + len(frame.body) for frame in frames)


@host_case(
    "framing/cut-anywhere",
    "FRM-09",
    why="A pipe gives what is there: half a header, half a character, or many frames at once.",
    mend="Collect bytes until a whole frame is there, decode only whole bodies, and look for the next frame at once.",
)
def cut_anywhere(host: HostSubject) -> None:
    """A host takes frames however the stream is cut.

    Sent by a plugin: a ping byte by byte, each read before the next is written; two pings cut at each place; an id with
    characters of several bytes, cut inside each; a thousand pings at once. Expected: every answer.
    """
    with host.start(plugin("a")) as run:
        probe = run["a"]
        with host.checks("byte-by-byte"):
            _send_pieces(probe, *(bytes([byte]) for byte in framed_ping(7001)))
            expect_pong(probe, 7001, "FRM-09")
        with host.checks("two-pieces"):
            _cut_at_each_place(probe)
        with host.checks("inside-a-character"):
            _cut_characters(probe)
        with host.checks("many-at-once"):
            probe.send(b"".join(framed_ping(id) for id in range(10000, 10000 + _MANY)))
            for id in range(10000, 10000 + _MANY):
                expect_pong(probe, id, "FRM-09")


def _send_pieces(probe: ProbeTalk, *pieces: bytes) -> None:
    for piece in pieces:
        probe.send(piece)
        probe.wait_until_read()


def _cut_at_each_place(probe: ProbeTalk) -> None:
    size = 2 * len(framed_ping(8000))
    for place in range(1, size):
        one, two = 8000 + 2 * place, 8001 + 2 * place
        data = framed_ping(one) + framed_ping(two)
        _send_pieces(probe, data[:place], data[place:])
        expect_pong(probe, one, "FRM-09")
        expect_pong(probe, two, "FRM-09")


def _cut_characters(probe: ProbeTalk) -> None:
    body = '{"jsonrpc":"2.0","id":"éह😀","method":"ping"}'.encode()
    data = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    for place in range(data.index("é".encode()), data.index(b'","method')):
        _send_pieces(probe, data[:place], data[place:])
        probe.expect_result("éह😀", rule="FRM-09")


@host_case(
    "framing/bytes-counted",
    "FRM-02",
    why="A host that counts characters cuts a body short as soon as somebody's name has an accent in it.",
    mend="Encode the body as UTF-8 first, then take the length of the bytes.",
)
def bytes_counted(host: HostSubject) -> None:
    """The length that a host writes counts bytes, not characters.

    Sent by a plugin: a ping whose id has characters of two, three and four bytes, and then a plain one. Expected: both
    answers, whole, and nothing between their frames.
    """
    with host.start(plugin("a")) as run:
        probe = run["a"]
        probe.expect_result(probe.request("ping", id="éह😀" * 20), rule="FRM-02")
        probe.expect_alive("FRM-02")
        noise = [message.frame.noise for from_subject, message in probe.history if from_subject and message.frame.noise]
        if noise:
            raise Broken("there are bytes between the host's frames", expected="frames only", got=repr(noise[0]))


@host_case(
    "framing/contiguous",
    "FRM-03",
    declares=("services",),
    why="A plugin that gets one frame inside another one cannot read anything any more.",
    mend="Write each frame under a lock, or from one task, until its last byte is written.",
)
def contiguous(host: HostSubject) -> None:
    """A host writes one whole frame at a time, whoever else sends.

    Sent: three plugins call a fourth at once, with params of 200 kB, and it pings the host meanwhile. Expected there:
    each request whole, and nothing between the frames.
    """
    callers = [plugin(name) for name in ("one", "two", "three")]
    with host.start(*callers, plugin("callee", "callee/take", capabilities=room(64))) as run:
        callee = run["callee"]
        callee.pause_reading()
        for place in range(4):
            for name in ("one", "two", "three"):
                run[name].request("callee/take", {"from": name, "text": f"{place}" * 200_000})
                callee.send(framed_ping(100 * place + len(name)))
        callee.resume_reading()
        for _ in range(12):
            request = callee.expect_request("callee/take", rule="FRM-03")
            if request.problem or request.frame.noise:
                raise Broken("a frame is not whole", expected="whole frames", got=request.problem or "stray bytes")


@host_case(
    "framing/largest-body",
    "FRM-17",
    why="A plugin may rely on the limit that it was told; a body that keeps within it must not end its connection.",
    mend="Take bodies of up to maxFrameBytes as you told it in initialize.",
)
def largest_body(host: HostSubject) -> None:
    """A host takes a body of exactly maxFrameBytes.

    Sent by a plugin: a ping filled up with blanks to the limit that the host has told. Expected: its answer.
    """
    with host.start(plugin("a")) as run:
        size = int(run["a"].limits.get("maxFrameBytes", 0))
        if 4096 <= size <= _LARGE:
            run["a"].send_body(ping(1, size))
            expect_pong(run["a"], 1, "FRM-17")


@host_case(
    "framing/header-block-size",
    "FRM-15",
    why="Headers within the limit are allowed, however many they are.",
    mend="Refuse a header block only when it has more than 4096 bytes, its blank line counted.",
)
def header_block_size(host: HostSubject) -> None:
    """A host takes a header block of exactly 4096 bytes.

    Sent by a plugin: a ping whose header block is filled up with another header. Expected: its answer.
    """
    with host.start(plugin("a")) as run:
        before, after = b"Content-Length: 50\r\nX-Filled: ", b"\r\n\r\n"
        run["a"].send(before + b"x" * (4096 - len(before) - len(after)) + after + ping(1))
        expect_pong(run["a"], 1, "FRM-15")
