"""Line framing: each body is one line (chapter 01, FRM-24 to FRM-27)."""

from ...case import Broken, plugin_case
from ...plugins.bodies import Bodies
from ...plugins.boundary import expect_ended, expect_lost, ping
from ...plugins.subject import PluginSubject
from ...plugins.talk import LIMITS

_END = "Say why on standard error and end the process with a code that is not 0."
_LIMIT = 4096
_LARGE_LIMIT = 262144


@plugin_case(
    "lines/one-line-each",
    "FRM-24",
    why="A line end inside of a body makes two lines of one message, and neither is one.",
    mend="Write the body as compact JSON, with \\n and \\r in strings escaped, and one LF behind it.",
)
def one_line_each(plugin: PluginSubject) -> None:
    """Each answer is one line.

    Sent: pings whose ids have escaped line ends in them.
    Expected: each is answered, in a line of its own that ends with LF.
    """
    talk = plugin.ready()
    for id in ("one\ntwo", "one\r\ntwo\r", "\n", "plain"):
        talk.send_body(ping(id))
        answer = talk.expect_answer(id, rule="FRM-24")
        if b"\r" in answer.frame.body or not answer.frame.canonical:
            raise Broken("a line end stands in a line", expected="one LF at the end", got=repr(answer.frame.body[:80]))


@plugin_case(
    "lines/carriage-return",
    "FRM-25",
    why="On some systems text streams end their lines with CR LF. A plugin that keeps the CR calls every message bad.",
    mend="Drop one CR at the end of a line.",
)
def carriage_return(plugin: PluginSubject) -> None:
    """A line may end with CR LF.

    Sent: pings whose line ends with CR LF, and with LF.
    Expected: each is answered.
    """
    talk = plugin.ready()
    for end in (b"\r\n", b"\n", b"\r\n"):
        id = talk.new_id()
        talk.send(ping(id) + end)
        talk.expect_answer(id, rule="FRM-25")


@plugin_case(
    "lines/empty-line",
    "FRM-25",
    why="Echoing scripts and people at a keyboard send empty lines. They are no messages, and no reason for an error.",
    mend="Skip a line with nothing in it, or with nothing but its CR.",
)
def empty_line(plugin: PluginSubject) -> None:
    """Empty lines are ignored.

    Sent: empty lines that end with LF and with CR LF, between pings.
    Expected: the pings are answered, and nothing else.
    """
    talk = plugin.ready()
    for lines in (b"\n", b"\r\n", b"\n\n\r\n\n"):
        id = talk.new_id()
        talk.send(lines + ping(id) + b"\n")
        talk.expect_answer(id, rule="FRM-25")
    talk.refuse(lambda message: message.is_response, "an answer to an empty line", rule="FRM-25")


@plugin_case(
    "lines/any-cut",
    "FRM-09",
    why="A pipe gives bytes in the pieces that it likes; one read is not one line.",
    mend="Collect bytes until a line end comes, and decode the line only then.",
)
def any_cut(plugin: PluginSubject) -> None:
    """Lines are taken however the stream is cut.

    Sent: two pings, one with an id of wide letters, cut in two at each place, and byte by byte.
    Expected: both are answered, each time.
    """
    talk = plugin.ready()
    data = ping("né-温-🦀") + b"\n" + ping(2**20) + b"\n"
    cuts: dict[str, list[tuple[bytes, ...]]] = {
        "every-place": [(data[:place], data[place:]) for place in range(1, len(data))],
        "byte-by-byte": [tuple(data[at : at + 1] for at in range(len(data)))],
    }
    for name, ways in cuts.items():
        with plugin.checks(name):
            for pieces in ways:
                talk.send_pieces(*pieces)
                talk.expect_answer("né-温-🦀", rule="FRM-09")
                talk.expect_answer(2**20, rule="FRM-09")


@plugin_case(
    "lines/many-at-once",
    "FRM-09",
    why="A host that was busy sends many lines at once. A plugin that takes one of each read loses the others.",
    mend="After a read take out every line that is whole, before the next read.",
)
def many_at_once(plugin: PluginSubject) -> None:
    """Many lines that come at once are all taken.

    Sent: 200 pings in one write.
    Expected: each is answered.
    """
    talk = plugin.ready()
    ids = [talk.new_id() for _ in range(200)]
    talk.send(b"".join(ping(id) + b"\n" for id in ids))
    for id in ids:
        talk.expect_answer(id, rule="FRM-09")


@plugin_case(
    "lines/longest",
    "FRM-26",
    why="What is not above maxFrameBytes is allowed; a plugin that stops before loses calls that the host let through.",
    mend="Count the line without its end, and refuse only what is above maxFrameBytes.",
)
def longest(plugin: PluginSubject) -> None:
    """A line of just maxFrameBytes is read, its end not counted.

    Sent: with maxFrameBytes 4096, pings of 4096 bytes that end with LF and with CR LF; with 262144, one of that length.
    Expected: each is answered.
    """
    for name, limit, end in (
        ("line-feed", _LIMIT, b"\n"),
        ("carriage-return", _LIMIT, b"\r\n"),
        ("256-KiB", _LARGE_LIMIT, b"\n"),
    ):
        with plugin.checks(name):
            talk = plugin.ready(limits=LIMITS | {"maxFrameBytes": limit})
            talk.send(_of(limit) + end)
            talk.expect_answer("inside", rule="FRM-26")


@plugin_case(
    "lines/too-long",
    "FRM-26",
    "FRM-10",
    why="A line without end fills the memory of a plugin that waits for it.",
    mend="Count the bytes of a line while it comes, and stop at more than maxFrameBytes. " + _END,
)
def too_long(plugin: PluginSubject) -> None:
    """A line above maxFrameBytes is rejected as soon as that is known.

    Sent: with maxFrameBytes 4096, a ping of 4097 bytes and a good ping; and 5000 bytes without a line end.
    Expected: no answer, and the process ends.
    """
    with plugin.checks("whole-line"):
        expect_lost(plugin.ready(limits=LIMITS | {"maxFrameBytes": _LIMIT}), _of(_LIMIT + 1) + b"\n", "FRM-26")
    with plugin.checks("without-end"):
        talk = plugin.ready(limits=LIMITS | {"maxFrameBytes": _LIMIT})
        talk.boundary_lost = True
        talk.send(_of(5000))
        expect_ended(talk, "FRM-26")


@plugin_case(
    "lines/no-message",
    "MSG-26",
    "FRM-27",
    why="A plugin that drops such a line in silence hides from its host that something is wrong.",
    mend="Hand every line that is not empty to the parser, and answer what it refuses as any other bad body.",
)
def no_message(plugin: PluginSubject) -> None:
    """A line that is no message is answered with ParseError.

    Sent: lines of plain text; a ping behind each.
    Expected: ParseError (-32700) with id null for each, and the ping is answered.
    """
    bodies = Bodies(plugin)
    for name, line in {"text": b"loading...", "header": b"Content-Length: 2", "number": b"5x"}.items():
        with plugin.checks(name):
            bodies.expect_parse_error(line, "FRM-27")


@plugin_case(
    "lines/end-inside",
    "FRM-18",
    why="A host that was killed leaves half a line. A plugin that acts on it does what nobody asked for.",
    mend="When the input ends without a line end, throw away what came behind the last one. " + _END,
)
def end_inside(plugin: PluginSubject) -> None:
    """A line without its end is not taken as a message.

    Sent: a ping without a line end, or half a ping, then the end of standard input.
    Expected: no answer, and the process ends with a code that is not 0.
    """
    for name, data in {"whole-message": ping(), "half-a-message": ping()[:20]}.items():
        with plugin.checks(name):
            talk = plugin.ready()
            talk.boundary_lost = True
            talk.send(data)
            talk.process.stdin.finish()
            code = expect_ended(talk, "FRM-18")
            if code == 0:
                raise Broken("the process ended as if all was well", expected="an exit code that is not 0", got="0")


def _of(size: int) -> bytes:
    """A ping of that many bytes."""
    return ping(extra="x" * (size - len(ping(extra=""))))
