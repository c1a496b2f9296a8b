"""Frames that were cut off, that have the wrong length, or that have stray bytes before them (chapter 01)."""

from ...case import Broken, plugin_case
from ...plugins.boundary import INSIDE, expect_ended, expect_lost, ping
from ...plugins.subject import PluginSubject
from ...wire.frames import encode

_END = "Say why on standard error and end the process with a code that is not 0; do not look for the next frame."


#: The length of the body of a plain `ping`, so that a reader that forgives a mistake finds a good frame.
_SIZE = len(ping())


@plugin_case(
    "framing/end-inside-frame",
    "FRM-18",
    why="A host that was killed leaves half a message. A plugin that acts on the half does what nobody asked for.",
    mend="When the input ends before all announced bytes have come, throw them away. " + _END,
)
def end_inside_frame(plugin: PluginSubject) -> None:
    """What is cut off by the end of the stream is not taken as a message.

    Sent: a part of a frame, then the end of standard input: in the header, behind it, and in a body whose first part
    is a whole ping.
    Expected: no answer, and the process ends with a code that is not 0.
    """
    header = b"Content-Length: %d\r\n" % _SIZE
    for name, data in {
        "in-a-name": header[:7],
        "behind-a-line": header,
        "in-the-body": header + b"\r\n" + ping()[:-1],
        "behind-a-whole-message": b"Content-Length: %d\r\n\r\n" % (_SIZE + 5) + ping(),
    }.items():
        with plugin.checks(name):
            talk = plugin.ready()
            talk.boundary_lost = True
            talk.send(data)
            talk.process.stdin.finish()
            code = expect_ended(talk, "FRM-18")
            if code == 0:
                raise Broken("the process ended as if all was well", expected="an exit code that is not 0", got="0")


@plugin_case(
    "framing/stray-bytes",
    "FRM-23",
    why="A host never sends stray bytes; where they come something is broken, and what looks like a frame may "
    "be a part of a text.",
    mend="Tolerate no noise: only hosts do. What is no header line is a lost boundary. " + _END,
)
def stray_bytes(plugin: PluginSubject) -> None:
    """Stray bytes between frames lose the boundary.

    Sent: a line of text, an escape sequence, a byte order mark or zeros, and a good ping behind it.
    Expected: no answer, and the process ends.
    """
    bodies = {
        "text": b"loading...\r\n",
        "escape-sequence": b"\x1b[32mready\x1b[0m\n",
        "byte-order-mark": b"\xef\xbb\xbf",
        "zeros": b"\0" * 16,
    }
    for name, stray in bodies.items():
        with plugin.checks(name):
            expect_lost(plugin.ready(), stray + encode(ping()), "FRM-23")


@plugin_case(
    "framing/wrong-length",
    "FRM-10",
    "FRM-23",
    why="A writer that counts characters announces too little. What is left over of the body must not become "
    "the next message.",
    mend="Take just the announced bytes as the body, and what follows as a header. " + _END,
)
def wrong_length(plugin: PluginSubject) -> None:
    """After a frame with the wrong length nothing is mistaken for a message.

    Sent: a ping whose length is three too small or three too large, and a good ping behind it.
    Expected: ParseError or nothing for the cut body; no ping is answered, and the process ends.
    """
    for name, size in {"too-small": _SIZE - 3, "too-large": _SIZE + 3}.items():
        with plugin.checks(name):
            expect_lost(plugin.ready(), b"Content-Length: %d\r\n\r\n" % size + ping(INSIDE), "FRM-10")
