"""Line framing as a host reads and writes it (chapter 01)."""

from ...case import Broken, expect_equal, host_case
from ...hosts.given import by_hand, plugin
from ...hosts.subject import HostSubject
from ...wire.codes import PARSE_ERROR
from ...wire.frames import Framing
from ...wire.messages import encode_json
from ._between import expect_no_request, expect_refused
from ._raw import ONCE, answer_of, expect_cut, expect_pong, ping

_LINE = Framing.LINE
_LARGE = 1 << 26
_NOISE = {
    "told": b"Bartholomew was here\n",
    "text": b"Downloading the model\n",
    "number": b"42\n",
    "string": b'"hello"\n',
    "carriage-returns": b" 10%\r 50%\r100%\n",
    "no-utf-8": b"caf\xe9\n",
}


@host_case(
    "lines/one-line",
    "FRM-24",
    declares=("services",),
    why="A line end inside a body cuts it in two for a plugin that reads line by line.",
    mend="When you forward params to a plugin with line framing, replace the line ends between the tokens.",
)
def one_line(host: HostSubject) -> None:
    """A host writes a body for a plugin with line framing on one line, also one that it got with line ends in it.

    Sent: a plugin with header framing calls one with line framing; its params stand on several lines, with CR LF, CR
    and LF between the tokens. Expected there: one line, with params of the same value.
    """
    body = b'{"jsonrpc":"2.0","id":1,"method":"callee/take","params":{\r\n "a": [1,\n\n2,\r3],\n "b": "x\\ny"\n}}'
    with host.start(plugin("caller"), plugin("callee", "callee/take", framing=_LINE)) as run:
        run["caller"].send_body(body)
        request = run["callee"].expect_request("callee/take", rule="FRM-24")
        expect_equal(request.params, {"a": [1, 2, 3], "b": "x\ny"}, "params are others", rule="FRM-24")
        if b"\r" in request.frame.body:
            raise Broken("there is a CR in the line", expected="neither LF nor CR", got=repr(request.frame.body))


@host_case(
    "lines/line-ends",
    "FRM-25",
    why="A script on another system ends its lines with CR LF, or writes one more line end than it should.",
    mend="Drop a CR at the end of a line, and skip empty lines.",
)
def line_ends(host: HostSubject) -> None:
    """A host takes CR LF as the end of a line, and ignores empty lines.

    Sent by a plugin with line framing: a ping that ends with CR LF, and pings after empty lines. Expected: the answers,
    and no warning's consequence, also under stdout_noise = "fail".
    """
    with host.start(plugin("a", framing=_LINE, settings={"stdout_noise": "fail"})) as run:
        for number, (name, before, end) in enumerate(
            [("cr-lf", b"", b"\r\n"), ("empty-lines", b"\n\n", b"\n"), ("empty-cr-lf", b"\r\n\r\n", b"\r\n")], 11
        ):
            with host.checks(name):
                run["a"].send(before + ping(number) + end)
                expect_pong(run["a"], number, "FRM-25")


@host_case(
    "lines/cut-anywhere",
    "FRM-09",
    why="A pipe gives what is there: half a line, half a character, or many lines at once.",
    mend="Collect bytes until the line's end is there, and look for the next line at once.",
)
def cut_anywhere(host: HostSubject) -> None:
    """A host takes lines however the stream is cut.

    Sent by a plugin with line framing: a ping byte by byte, each read before the next is written; a thousand pings at
    once. Expected: every answer.
    """
    with host.start(plugin("a", framing=_LINE)) as run:
        with host.checks("byte-by-byte"):
            for byte in '{"jsonrpc":"2.0","id":"é😀","method":"ping"}\n'.encode():
                run["a"].send(bytes([byte]))
                run["a"].wait_until_read()
            run["a"].expect_result("é😀", rule="FRM-09")
        with host.checks("many-at-once"):
            run["a"].send(b"".join(ping(id) + b"\n" for id in range(1000, 2000)))
            for id in range(1000, 2000):
                expect_pong(run["a"], id, "FRM-09")


@host_case(
    "lines/largest",
    "FRM-26",
    why="A plugin may rely on the limit that it was told.",
    mend="Take lines of up to maxFrameBytes, their end not counted.",
)
def largest(host: HostSubject) -> None:
    """A host takes a line of exactly maxFrameBytes, its end not counted.

    Sent by a plugin with line framing: pings filled up with blanks to the limit, one that ends with LF and one with CR
    LF. Expected: the answers.
    """
    with host.start(plugin("a", framing=_LINE)) as run:
        size = int(run["a"].limits.get("maxFrameBytes", 0))
        if 4096 <= size <= _LARGE:
            run["a"].send(ping(11, size) + b"\n" + ping(12, size) + b"\r\n")
            expect_pong(run["a"], 11, "FRM-26")
            expect_pong(run["a"], 12, "FRM-26")


@host_case(
    "lines/too-long",
    "FRM-26",
    why="A line that never ends fills the host's memory.",
    mend="Count the bytes of a line while it comes, and end the connection when there are more than maxFrameBytes.",
)
def too_long(host: HostSubject) -> None:
    """A host ends the connection at a line of more than maxFrameBytes, before its end has come.

    Sent by one plugin each, with line framing: a ping of one byte too many, and another ping; the beginning of a body,
    one byte too long, and no line end. Expected: the end of the connection, and no answer.
    """
    names = ("whole", "without-an-end")
    with host.start(*(plugin(name, framing=_LINE, settings=ONCE) for name in names)) as run:
        size = int(run["whole"].limits.get("maxFrameBytes", 0))
        if not 4096 <= size <= _LARGE:
            return
        run["whole"].boundary_lost = run["without-an-end"].boundary_lost = True
        run["whole"].send(ping(1, size + 1) + b"\n" + ping(2) + b"\n")
        run["without-an-end"].send(b'{"x":"' + b"x" * (size - 4))
        with host.checks("whole"):
            expect_cut(run["whole"], 2, "FRM-26")
        with host.checks("without-an-end"):
            run["without-an-end"].expect_end(rule="FRM-26")


@host_case(
    "lines/noise",
    "FRM-27",
    "FRM-19",
    why="One echo in a script would stop the plugin, or be answered with an error that nobody reads.",
    mend="Skip a line that begins with neither { nor [, and warn of it.",
)
def noise(host: HostSubject) -> None:
    """A host treats a line that begins with neither { nor [ as noise.

    Sent by a plugin with line framing: lines of several kinds, each followed by a ping. Expected: the answers to the
    pings and none to the lines, and a report with the plugin's name and the first bytes.
    """
    with host.start(plugin("chatterer", framing=_LINE)) as run:
        probe = run["chatterer"]
        for name, line in _NOISE.items():
            with host.checks(name):
                id = probe.new_id()
                probe.send(line + ping(id) + b"\n")
                expect_pong(probe, id, "FRM-27")
                probe.refuse(lambda message: message.is_response, "an answer to a line of noise", rule="FRM-27")
        run.expect_told("chatterer", "Bartholomew", rule="FRM-19")


@host_case(
    "lines/noise-forbidden",
    "FRM-22",
    why="Who ships a plugin wants its tests to fail at the first stray line, not its users to see warnings.",
    mend="Let the setting under which noise ends the connection hold for line framing as well.",
)
def noise_forbidden(host: HostSubject) -> None:
    """Under a setting, any noise ends the connection in line framing, too.

    Set: stdout_noise = "fail". Sent by a plugin with line framing: a line of noise and a ping; by another: a line
    before its answer to initialize. Expected: the end of the connection.
    """
    strict = ONCE | {"stdout_noise": "fail"}
    with host.start(plugin("later", framing=_LINE, settings=strict)) as run, host.checks("between-lines"):
        run["later"].send(b"hello\n" + ping(2) + b"\n")
        expect_cut(run["later"], 2, "FRM-22")
    with host.start(by_hand("before", framing=_LINE, settings=strict)) as run, host.checks("before-the-first-line"):
        opening = run["before"].expect_opening()
        run["before"].send(b"Welcome!\n")
        run["before"].answer(opening, answer_of())
        expect_refused(run["before"], rule="FRM-22")


@host_case(
    "lines/bad-line",
    "FRM-11",
    "MSG-26",
    why="A line that is no JSON has an end like any other, so the next one can be read.",
    mend="Answer a line that begins like JSON and is none with ParseError and id null, and go on.",
)
def bad_line(host: HostSubject) -> None:
    """A host answers a line that is no JSON with ParseError, and goes on.

    Sent by a plugin with line framing: `{"jsonrpc":` and `[1,`. Expected for each: -32700 with id null; a ping is
    answered.
    """
    with host.start(plugin("a", framing=_LINE)) as run:
        for line in (b'{"jsonrpc":', b"[1,"):
            run["a"].send(line + b"\n")
            run["a"].expect_error(None, PARSE_ERROR, rule="FRM-11")
            run["a"].expect_alive("FRM-11")


@host_case(
    "lines/end-inside-line",
    "FRM-18",
    declares=("services",),
    why="A plugin that dies while it writes leaves half a line, which may look like a whole message.",
    mend="Drop what is left in the buffer when the stream ends; a message has its LF.",
)
def end_inside_line(host: HostSubject) -> None:
    """A host does not take a line without an end for a message when the stream ends.

    Sent by a plugin with line framing, before it closes its output: a request to another plugin, without LF. Expected:
    the end of the connection, and no request at the other plugin.
    """
    body = encode_json({"jsonrpc": "2.0", "id": 1, "method": "callee/take", "params": {}})
    with host.start(plugin("a", framing=_LINE, settings=ONCE), plugin("callee", "callee/take")) as run:
        run["a"].boundary_lost = True
        run["a"].send(body)
        run["a"].wait_until_read()
        run["a"].close_stdout()
        run["a"].expect_end(rule="FRM-18")
        run["callee"].expect_alive()
        expect_no_request(run["callee"], "callee/take", rule="FRM-18")
