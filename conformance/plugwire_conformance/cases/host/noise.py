"""Stray output of plugins: what a host quarantines, and where it stops (chapter 01)."""

from ...case import host_case
from ...hosts.given import by_hand, plugin
from ...hosts.subject import HostSubject
from ._between import expect_refused
from ._raw import ONCE, answer_of, expect_cut, expect_pong, framed_ping

_NOISE = {
    "line": b"Downloading the model\n",
    "cr-lf": b"progress: none\r\n\r\n",
    "terminal-colours": b"\x1b[32mINFO\x1b[0m started\n",
    "byte-order-mark": b"\xef\xbb\xbfhello\n",
    "blank-lines": b"\n\n\r\n",
    "several-lines": b"one\ntwo\nthree\n",
    "json-log": b'{"level":"info","message":"started"}\n',
    "headers-without-a-frame": b"Warning: low memory\nSee: the manual\n\n",
    "no-colon": b"Content-Length is what you need\n",
    "long-line": b"x" * 9000 + b"\n",
    "no-utf-8": b"caf\xe9\n",
}
_GLUED = {
    "text": b"Downloading 100%",
    "progress-bar": b"\r 10%\r 50%\r100%",
    "prompt": b"> ",
    "after-a-line": b"one line\nand a half ",
    "looks-like-a-header": b"Progress: 100",
}
_MOST = 65536


@host_case(
    "noise/between-frames",
    "FRM-19",
    why="One print in some library would stop the plugin, and nobody would know why.",
    mend="Skip lines between frames that are no headers of a frame, and look for the next frame after them.",
)
def between_frames(host: HostSubject) -> None:
    """A host goes on after lines of noise between frames.

    Sent by a plugin: noise of many kinds, each followed by a ping. Expected: an answer to each ping.
    """
    with host.start(plugin("a")) as run:
        for name, noise in _NOISE.items():
            with host.checks(name):
                id = run["a"].new_id()
                run["a"].send(noise + framed_ping(id))
                expect_pong(run["a"], id, "FRM-19")


@host_case(
    "noise/before-the-first-frame",
    "FRM-19",
    why="A banner at the start is the commonest stray output of all.",
    mend="Skip noise also before the answer to initialize.",
)
def before_the_first_frame(host: HostSubject) -> None:
    """A host takes a plugin that prints a line before its first frame.

    Sent by a plugin: a line, and then its answer to initialize. Expected: initialized.
    """
    with host.start(by_hand("a")) as run:
        opening = run["a"].expect_opening()
        run["a"].send(b"Welcome!\n")
        run["a"].answer(opening, answer_of())
        run["a"].expect_notification("initialized", rule="FRM-19")


@host_case(
    "noise/told",
    "FRM-19",
    why="Without the plugin's name and the bytes the author cannot find the print that does it.",
    mend="Warn of noise with the plugin's name and its first bytes.",
)
def told(host: HostSubject) -> None:
    """A host warns of noise with the plugin's name, and quotes its first bytes.

    Sent by a plugin named "chatterer": the line `Bartholomew was here`, and a ping. Expected: a report with both.
    """
    with host.start(plugin("chatterer")) as run:
        run["chatterer"].send(b"Bartholomew was here\n")
        run["chatterer"].expect_alive("FRM-19")
        run.expect_told("chatterer", "Bartholomew", rule="FRM-19")


@host_case(
    "noise/glued",
    "FRM-20",
    why="A progress bar has no line end of its own, so the next frame begins on its line.",
    mend="Look for a canonical header inside a line of noise as well.",
)
def glued(host: HostSubject) -> None:
    """A host finds a frame that begins on the line of noise before it.

    Sent by a plugin: noise without a line end, directly followed by a ping. Expected: an answer to each ping.
    """
    with host.start(plugin("a")) as run:
        for name, noise in _GLUED.items():
            with host.checks(name):
                id = run["a"].new_id()
                run["a"].send(noise + framed_ping(id))
                expect_pong(run["a"], id, "FRM-20")


@host_case(
    "noise/within-the-limit",
    "FRM-21",
    why="A plugin that prints a lot while it starts would be thrown out for it.",
    mend="Count the bytes of noise of a connection, and end it only when there are more than 65536.",
)
def within_the_limit(host: HostSubject) -> None:
    """A host goes on after 65536 bytes of noise.

    Sent by a plugin: so many bytes in lines of 64, and a ping. Expected: its answer.
    """
    with host.start(plugin("a")) as run:
        run["a"].send((b"n" * 63 + b"\n") * (_MOST // 64) + framed_ping(1))
        expect_pong(run["a"], 1, "FRM-21")


@host_case(
    "noise/too-much",
    "FRM-21",
    why="What writes noise without end is no plugin; a host that reads on for ever is busy with nothing else.",
    mend="End the connection when there are more than 65536 bytes of noise on it, in lines or in one.",
)
def too_much(host: HostSubject) -> None:
    """A host ends the connection after more than 65536 bytes of noise.

    Sent by one plugin each: 70000 bytes in lines and a ping; the same in two parts with a ping between them; 200000
    bytes without any line end. Expected: the end of the connection, and no answer to the last ping.
    """
    line = b"n" * 99 + b"\n"
    names = ("lines", "in-parts", "one-line")
    with host.start(*(plugin(name, settings=ONCE) for name in names), plugin("witness")) as run:
        run["lines"].send(line * 700 + framed_ping(2))
        run["in-parts"].send(line * 350 + framed_ping(1) + line * 350 + framed_ping(2))
        run["one-line"].send(b"n" * 200_000)
        for name in ("lines", "in-parts"):
            with host.checks(name):
                expect_cut(run[name], 2, "FRM-21")
        with host.checks("one-line"):
            run["one-line"].expect_end(rule="FRM-21")
        run["witness"].expect_alive("LIF-19")


@host_case(
    "noise/forbidden",
    "FRM-22",
    why="Who ships a plugin wants its tests to fail at the first stray byte, not its users to see warnings.",
    mend='Offer a setting for each plugin, in plugins.toml `stdout_noise = "fail"`, under which noise ends it.',
)
def forbidden(host: HostSubject) -> None:
    """Under a setting, any noise ends the connection.

    Set for three plugins: stdout_noise = "fail". Sent by them: a line between two pings; an empty line; a line before
    the answer to initialize. Expected: the end of the connection.
    """
    strict = ONCE | {"stdout_noise": "fail"}
    with host.start(by_hand("before", settings=strict)) as run, host.checks("before-the-first-frame"):
        opening = run["before"].expect_opening()
        run["before"].send(b"Welcome!\n")
        run["before"].answer(opening, answer_of())
        expect_refused(run["before"], rule="FRM-22")
    noise = {"line": b"hello\n", "glued": b"hello "}
    with host.start(*(plugin(name, settings=strict) for name in noise), plugin("witness")) as run:
        for name, data in noise.items():
            run[name].send(data + framed_ping(2))
        for name in noise:
            with host.checks(name):
                expect_cut(run[name], 2, "FRM-22")
        run["witness"].expect_alive("LIF-19")
