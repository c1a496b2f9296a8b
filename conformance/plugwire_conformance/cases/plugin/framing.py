"""Single frames that a plugin must take (chapter 01). What loses the boundary is in lost_boundary.py."""

from ...case import plugin_case
from ...plugins.bodies import Bodies
from ...plugins.boundary import ping
from ...plugins.subject import PluginSubject
from ...plugins.talk import LIMITS, Talk

_HEADER_BYTES = 4096


def _expect_taken(plugin: PluginSubject, talk: Talk, headers: dict[str, bytes], rule: str) -> None:
    """Broken for each header block that is not taken; # stands for the length of the body in it."""
    for name, header in headers.items():
        with plugin.checks(name):
            id = talk.new_id()
            body = ping(id)
            talk.send(header.replace(b"#", b"%d" % len(body)) + body)
            talk.expect_answer(id, rule=rule)


@plugin_case(
    "framing/name-in-any-case",
    "FRM-05",
    why="Libraries for HTTP headers change the letter case. A plugin that knows one spelling hangs with a "
    "host that uses another.",
    mend="Compare the name of a header without regard to letter case.",
)
def name_in_any_case(plugin: PluginSubject) -> None:
    """Content-Length is known in any letter case.

    Sent: pings whose header is written content-length, CONTENT-LENGTH and so on.
    Expected: each is answered.
    """
    headers = {
        "lower": b"content-length: #\r\n\r\n",
        "upper": b"CONTENT-LENGTH: #\r\n\r\n",
        "one-capital": b"Content-length: #\r\n\r\n",
        "mixed": b"coNTent-lENgth: #\r\n\r\n",
    }
    _expect_taken(plugin, plugin.ready(), headers, "FRM-05")


@plugin_case(
    "framing/blanks-around-length",
    "FRM-05",
    why="Writers differ in the blanks around a header's value. A plugin that wants just one blank hangs with "
    "some of them.",
    mend="Take what stands behind the colon, and strip spaces and tabs from both ends.",
)
def blanks_around_length(plugin: PluginSubject) -> None:
    """Any spaces and tabs may stand around the length.

    Sent: pings whose length has no blank before it, or several, or tabs, or blanks behind it.
    Expected: each is answered.
    """
    headers = {
        "none": b"Content-Length:#\r\n\r\n",
        "two": b"Content-Length:  #\r\n\r\n",
        "tab": b"Content-Length:\t#\r\n\r\n",
        "behind": b"Content-Length: # \r\n\r\n",
        "tab-behind": b"Content-Length: #\t\r\n\r\n",
        "many": b"Content-Length: \t \t #\t \t  \r\n\r\n",
    }
    _expect_taken(plugin, plugin.ready(), headers, "FRM-05")


@plugin_case(
    "framing/other-headers",
    "FRM-06",
    why="Libraries add headers such as Content-Type. A plugin that expects the length in the first line reads "
    "nonsense.",
    mend="Read header lines up to the empty one, take the value of Content-Length and leave the others alone.",
)
def other_headers(plugin: PluginSubject) -> None:
    """Other headers are ignored, wherever they stand.

    Sent: pings with other headers before and behind Content-Length, some of them with similar names or without a value.
    Expected: each is answered.
    """
    length = b"Content-Length: #\r\n"
    headers = {
        "before": b"X-Thread: cotton\r\n" + length + b"\r\n",
        "behind": length + b"X-Thread: cotton\r\n\r\n",
        "content-type": b"Content-Type: application/json; charset=utf-8\r\n" + length + b"\r\n",
        "other-charset": length + b"Content-Type: application/json; charset=latin1\r\n\r\n",
        "several": b"A: 1\r\nB: 2\r\n" + length + b"C: 3\r\nD: 4\r\n\r\n",
        "same-twice": b"A: 1\r\nA: 1\r\n" + length + b"\r\n",
        "longer-name": b"X-Content-Length: 3\r\n" + length + b"Content-Length-Hint: 5\r\n\r\n",
        "no-value": b"Empty:\r\n" + length + b"\r\n",
        "colons-in-value": length + b"Trace: a:b: Content-Length: 3\r\n\r\n",
        "odd-name": b"!#$%&'*+.^_`|~(),/;<=>?@[]{}\": 1\r\n".replace(b"#", b"-") + length + b"\r\n",
        "wide-letters-in-value": "Author: Zoë 🦀\r\n".encode() + length + b"\r\n",
    }
    _expect_taken(plugin, plugin.ready(), headers, "FRM-06")


@plugin_case(
    "framing/line-feed-alone",
    "FRM-07",
    why="Shell scripts and text streams write LF alone. A plugin that waits for CR LF waits for ever.",
    mend="End a header line at LF, and drop one CR before it.",
)
def line_feed_alone(plugin: PluginSubject) -> None:
    """A header line may end with LF alone.

    Sent: pings with LF for CR LF in all lines of the header, in the first or in the last.
    Expected: each is answered.
    """
    headers = {
        "both-lines": b"Content-Length: #\n\n",
        "first-line": b"Content-Length: #\n\r\n",
        "empty-line": b"Content-Length: #\r\n\n",
        "with-other-headers": b"X-Thread: cotton\nContent-Length: #\r\nX-Colour: red\n\n",
    }
    _expect_taken(plugin, plugin.ready(), headers, "FRM-07")


@plugin_case(
    "framing/longest-header",
    "FRM-15",
    "FRM-06",
    why="A header block of 4096 bytes is allowed. A plugin with a smaller buffer loses the connection to a "
    "talkative host.",
    mend="Give the header block room for 4096 bytes, its empty line included.",
)
def longest_header(plugin: PluginSubject) -> None:
    """A header block of 4096 bytes is read.

    Sent: a ping with other headers so that the block, with the empty line at its end, has 4096 bytes; in one line
    and in many.
    Expected: it is answered.
    """
    talk = plugin.ready()
    length = b"Content-Length: %d\r\n" % len(ping(10))
    room = _HEADER_BYTES - len(length) - len(b"\r\n")
    lines = b"A: 12345\r\n" * (room // 10)
    blocks = {
        "one-line": b"A: " + b"x" * (room - 5) + b"\r\n" + length,
        "many-lines": lines[10:] + b"A: " + b"x" * (room % 10 + 5) + b"\r\n" + length,
    }
    for id, (name, block) in enumerate(blocks.items(), 10):
        assert len(block) == _HEADER_BYTES - 2
        with plugin.checks(name):
            talk.send(block + b"\r\n" + ping(id))
            talk.expect_answer(id, rule="FRM-15")


@plugin_case(
    "framing/empty-body",
    "FRM-11",
    "MSG-26",
    why="A length of 0 is a frame. A plugin that drops it in silence, or ends, treats a mistake that it could "
    "name as none or as fatal.",
    mend="Hand the empty body to the parser like any other, and answer with ParseError and id null.",
)
def empty_body(plugin: PluginSubject) -> None:
    """A frame with an empty body is answered with ParseError.

    Sent: Content-Length: 0, then ping.
    Expected: ParseError (-32700) with id null, and the ping is answered.
    """
    Bodies(plugin).expect_parse_error(b"", "FRM-11")


@plugin_case(
    "framing/error-inside",
    "FRM-11",
    why="One bad message must not cost the plugin its life, and all other callers their answers.",
    mend="Answer the bad body with an error and read on; only a lost frame boundary ends the process.",
)
def error_inside(plugin: PluginSubject) -> None:
    """An error inside a frame does not end the connection.

    Sent: bodies that are no JSON, no message, or a request for a method that does not exist; a ping behind each.
    Expected: each is answered with an error, and each ping.
    """
    bodies = Bodies(plugin)
    for name, body in {
        "no-json": b'{"jsonrpc":',
        "no-text": b"\xff\xfe\xfd",
        "no-object": b"5",
        "no-message": b"{}",
        "no-method": b'{"jsonrpc":"2.0","id":"sample"}',
        "bad-params": b'{"jsonrpc":"2.0","id":"sample","method":"ping","params":[]}',
        "unknown-method": b'{"jsonrpc":"2.0","id":"sample","method":"zz/none"}',
    }.items():
        with plugin.checks(name):
            bodies.expect_survived(body, "FRM-11")


@plugin_case(
    "framing/largest-body",
    "FRM-17",
    why="What is not above maxFrameBytes is allowed; a plugin that stops before loses calls that the host let through.",
    mend="Read maxFrameBytes from the limits of initialize, and refuse only what is above it.",
)
def largest_body(plugin: PluginSubject) -> None:
    """A body of just maxFrameBytes is read.

    Sent: a ping that was made so long, with maxFrameBytes 4096 and 1048576.
    Expected: it is answered.
    """
    for limit in (4096, 1048576):
        with plugin.checks(str(limit)):
            talk = plugin.ready(limits=LIMITS | {"maxFrameBytes": limit})
            talk.send_body(body_of(limit))
            talk.expect_answer("inside", rule="FRM-17")


def body_of(size: int) -> bytes:
    """A ping of that many bytes."""
    return ping(extra="x" * (size - len(ping(extra=""))))
