"""What loses the frame boundary in header framing, and what a plugin does then (chapter 01)."""

from ...case import Broken, plugin_case
from ...plugins.boundary import expect_ended, expect_lost, ping
from ...plugins.subject import PluginSubject
from ...plugins.talk import LIMITS, exit_words
from ...wire.frames import encode

_END = "Say why on standard error and end the process with a code that is not 0; do not look for the next frame."


#: The length of the body of a plain `ping`, so that a reader that forgives a mistake finds a good frame.
_SIZE = len(ping())


_NO_LENGTH = b"Content-Length: none\r\n\r\n"


def _expect_each_lost(plugin: PluginSubject, blocks: dict[str, bytes], rule: str) -> None:
    """Broken for each header block that a plugin takes as one of a frame; # stands for the length of the body in it."""
    for name, block in blocks.items():
        with plugin.checks(name):
            expect_lost(plugin.ready(), block.replace(b"#", b"%d" % _SIZE) + ping(), rule)


@plugin_case(
    "framing/lost-boundary",
    "FRM-10",
    why="Behind a lost boundary everything is guesswork: a plugin that goes on may take a part of a text for "
    "a command.",
    mend=_END,
)
def lost_boundary(plugin: PluginSubject) -> None:
    """After a lost frame boundary nothing more is dispatched, and the process ends with a code that is not 0.

    Sent: ping; after its answer a header whose length is a word, and good pings behind it. Standard input stays open.
    Expected: the first ping is answered once; the process ends by itself, not with code 0 and not by a signal.
    """
    talk = plugin.ready()
    talk.expect_alive()
    code = expect_lost(talk, _NO_LENGTH + encode(ping()), "FRM-10")
    if code <= 0:
        raise Broken(
            "the process ended another way", expected="an exit code of its own that is not 0", got=exit_words(code)
        )


@plugin_case(
    "framing/lost-boundary-first",
    "FRM-10",
    why="A wrong command line often shows in the first bytes; a plugin that waits for better ones looks like "
    "one that is slow.",
    mend=_END,
)
def lost_boundary_first(plugin: PluginSubject) -> None:
    """The same holds before initialize.

    Sent: to a process that was just started, a header whose length is a word, and a good ping.
    Expected: no answer; the process ends by itself, not with code 0 and not by a signal.
    """
    code = expect_lost(plugin.launch(), _NO_LENGTH + encode(ping()), "FRM-10")
    if code <= 0:
        raise Broken(
            "the process ended another way", expected="an exit code of its own that is not 0", got=exit_words(code)
        )


@plugin_case(
    "framing/odd-length",
    "FRM-12",
    why="What one reader takes as 16 another takes as 0 or as an error. A frame that ends somewhere else for "
    "each hides messages.",
    mend="Check the value against ^[0-9]{1,10}$ in ASCII before it is converted: int() and parseInt take more. " + _END,
)
def odd_length(plugin: PluginSubject) -> None:
    """A length that is not 1 to 10 decimal digits is rejected.

    Sent: a ping whose length has a sign, a point, blanks inside, a prefix, other digits and so on; a good ping
    behind it.
    Expected: neither is answered, and the process ends.
    """
    n = str(_SIZE)
    lengths = {
        "plus-sign": f"+{n}",
        "minus-sign": f"-{n}",
        "decimal-point": f"{n}.0",
        "hexadecimal": f"{_SIZE:#x}",
        "underscore": f"{n[0]}_{n[1:]}",
        "blank-inside": f"{n[0]} {n[1:]}",
        "wide-digits": "".join(chr(0xFF10 + int(digit)) for digit in n),
        "arabic-digits": "".join(chr(0x660 + int(digit)) for digit in n),
        "eleven-digits": n.rjust(11, "0"),
        "nothing": "",
    }
    _expect_each_lost(
        plugin, {name: f"Content-Length: {text}\r\n\r\n".encode() for name, text in lengths.items()}, "FRM-12"
    )


@plugin_case(
    "framing/two-lengths",
    "FRM-13",
    why="Of two lengths one reader takes the first and another the last. What one of them sees, the other does not.",
    mend="Refuse the second Content-Length of a block, whatever its value. " + _END,
)
def two_lengths(plugin: PluginSubject) -> None:
    """Two lengths in one header block are rejected.

    Sent: a ping with two Content-Length, equal or different, also in other letter case; a good ping behind it.
    Expected: neither is answered, and the process ends.
    """
    blocks = {
        "equal": b"Content-Length: #\r\nContent-Length: #\r\n\r\n",
        "second-is-right": b"Content-Length: 7\r\nContent-Length: #\r\n\r\n",
        "first-is-right": b"Content-Length: #\r\nContent-Length: 7\r\n\r\n",
        "other-letter-case": b"Content-Length: #\r\nX-Thread: cotton\r\ncontent-length: #\r\n\r\n",
    }
    _expect_each_lost(plugin, blocks, "FRM-13")


@plugin_case(
    "framing/no-length",
    "FRM-14",
    why="Without a length nobody knows where the body ends. A plugin that guesses 0, or reads to the end, "
    "hangs or misreads.",
    mend="When the header block ends and has no Content-Length, the boundary is lost. Compare whole names. " + _END,
)
def no_length(plugin: PluginSubject) -> None:
    """A header block without Content-Length is rejected.

    Sent: a ping behind headers of other names, some of them similar, and a good frame behind an empty block; a good
    ping behind it.
    Expected: neither is answered, and the process ends.
    """
    blocks = {
        "another-header": b"Content-Type: application/json\r\n\r\n",
        "prefix": b"X-Content-Length: #\r\n\r\n",
        "suffix": b"Content-Length-: #\r\n\r\n",
        "underscore": b"Content_Length: #\r\n\r\n",
        "empty-block": b"\r\nContent-Length: #\r\n\r\n",
    }
    _expect_each_lost(plugin, blocks, "FRM-14")


@plugin_case(
    "framing/long-header",
    "FRM-15",
    why="A header without end fills the memory of a plugin that waits for it.",
    mend="Count the bytes of a header block while it comes, and stop at more than 4096. " + _END,
)
def long_header(plugin: PluginSubject) -> None:
    """A header block of more than 4096 bytes is rejected.

    Sent: a ping with a block of 4097 bytes and of 6 kB; 1 MB of header lines, or of one line, without an empty line.
    Expected: no answer, and the process ends.
    """
    length = b"Content-Length: #\r\n".replace(b"#", b"%d" % _SIZE)
    blocks = {
        "one-byte-more": b"A: " + b"x" * (4096 - len(length) - 6) + b"\r\n" + length + b"\r\n",
        "many-lines": length + b"A: 1\r\n" * 1000 + b"\r\n",
    }
    assert len(blocks["one-byte-more"]) == 4097
    _expect_each_lost(plugin, blocks, "FRM-15")
    for name, data in {"endless-lines": b"A: 12345\r\n" * 100_000, "endless-line": b"A: " + b"x" * 1_000_000}.items():
        with plugin.checks(name):
            talk = plugin.ready()
            talk.boundary_lost = True
            talk.send(data)
            expect_ended(talk, "FRM-15")


@plugin_case(
    "framing/bad-header-line",
    "FRM-16",
    why="Stray text between frames looks like a bad header line. A plugin that skips such lines takes what "
    "follows for a frame.",
    mend="Of each line that is not empty, ask for a name of the bytes ! to ~ right before a colon. " + _END,
)
def bad_header_line(plugin: PluginSubject) -> None:
    """A header line without a proper name and colon is rejected.

    Sent: a ping with a good Content-Length and a line beside it that has no colon, no name, or other bytes in its
    name; a good ping behind it.
    Expected: neither is answered, and the process ends.
    """
    length = b"Content-Length: #\r\n"
    lines = {
        "no-colon": b"cotton\r\n",
        "no-name": b": cotton\r\n",
        "blank-before-colon": b"X-Thread : cotton\r\n",
        "continued-line": b"X-Thread: cotton\r\n and: silk\r\n",
        "wide-letter-in-name": "X-Fädchen: cotton\r\n".encode(),
    }
    blocks = {name: line + length + b"\r\n" for name, line in lines.items()}
    blocks["behind-the-length"] = length + b"cotton\r\n\r\n"
    blocks["blank-before-colon-of-length"] = b"Content-Length : #\r\n\r\n"
    _expect_each_lost(plugin, blocks, "FRM-16")


@plugin_case(
    "framing/above-limit",
    "FRM-17",
    why="A plugin that sets memory aside for what a header announces can be ended with thirty bytes.",
    mend="Compare the length with maxFrameBytes as soon as the header is read, in a type that holds ten digits. "
    + _END,
)
def above_limit(plugin: PluginSubject) -> None:
    """A length above maxFrameBytes is rejected as soon as it is read.

    Sent: a header that announces one byte more than maxFrameBytes, or much more, and no body.
    Expected: the process ends without waiting for it.
    """
    announced = {"one-more-than-4096": (4096, 4097)}
    announced |= {str(length): (4194304, length) for length in (4194305, 2**32 + _SIZE, 9_999_999_999)}
    for name, (limit, length) in announced.items():
        with plugin.checks(name):
            talk = plugin.ready(limits=LIMITS | {"maxFrameBytes": limit})
            talk.boundary_lost = True
            talk.send(b"Content-Length: %d\r\n\r\n" % length)
            expect_ended(talk, "FRM-17")


@plugin_case(
    "framing/body-above-limit",
    "FRM-17",
    why="Who takes what is above the limit works with this host and not with the next one.",
    mend="Compare the length with the maxFrameBytes of initialize, not with a number of your own. " + _END,
)
def body_above_limit(plugin: PluginSubject) -> None:
    """A whole body above maxFrameBytes is not taken.

    Sent: with maxFrameBytes 4096, a ping of 4097 bytes, and a good ping.
    Expected: neither is answered, and the process ends.
    """
    talk = plugin.ready(limits=LIMITS | {"maxFrameBytes": 4096})
    expect_lost(talk, encode(ping(extra="x" * (4097 - len(ping(extra=""))))), "FRM-17")
