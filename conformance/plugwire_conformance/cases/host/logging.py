"""What plugins say to people: log/write and standard error (chapter 11)."""

import re

from attrs import evolve

from ...case import Broken, Skipped, host_case
from ...hosts.given import by_hand, plugin
from ...hosts.subject import HostRun, HostSubject
from ...hosts.terminal import on_terminal
from ._raw import ONCE, answer_of

#: More than any pipe holds.
_FLOOD = 2 << 20
_LONG = 2 << 20
#: What a terminal would obey, with a word before it: a title, a cleared screen, a bell, and so on.
_OBEYED: dict[str, str] = {
    "title": "Aldebaran\x1b]0;Betelgeuse\x07",
    "clear-screen": "Capella\x1b[2J\x1b[H",
    "bell": "Deneb\x07!",
    "backspaces": "Electra\x08\x08\x08\x08",
    "carriage-return": "Fomalhaut\rGienah",
    "c1": "Hadar\x9b2J",
    "delete": "Izar\x7f\x7f",
    "shift-out": "Jabbah\x0e",
}


@host_case(
    "logging/unknown-level",
    "LOG-02",
    declares=("log",),
    why="A library with more levels than four would lose what it says under the others.",
    mend="Treat a level that you do not know as info.",
)
def unknown_level(host: HostSubject) -> None:
    """A host takes a level that it does not know as info.

    Sent by a plugin: log/write with the level info, with "notice", with "" and with "INFO". Expected: a report of each,
    as of the first.
    """
    with host.start(plugin("talker")) as run:
        _write(run, "info", "the Almagest")
        _write(run, "error", "the end of it")
        run.expect_told("the end of it", rule="LOG-02")
        if not any("the Almagest" in line for line in run.reports()):
            raise Skipped("the host shows people no records of the level info")
        for place, level in enumerate(("notice", "", "INFO")):
            with host.checks(level or "empty"):
                _write(run, level, f"Tetrabiblos {place}")
                run.expect_told(f"Tetrabiblos {place}", rule="LOG-02")
                same = [_shape(run, "the Almagest"), _shape(run, f"Tetrabiblos {place}")]
                if same[0] != same[1]:
                    raise Broken("it is not told as info", expected=same[0], got=same[1], requirement="LOG-02")


def _write(run: HostRun, level: str, message: str) -> None:
    run["talker"].notify("log/write", {"level": level, "message": message})


def _shape(run: HostRun, message: str) -> str:
    """The line with that message, without what differs between two records."""
    line = next(line for line in run.reports() if message in line)
    return re.sub(r"[0-9]", "0", line.replace(message, "…"))


@host_case(
    "logging/while-starting",
    "LIF-02",
    declares=("log",),
    why="What a plugin says while it starts is what its author needs when it does not.",
    mend="Take log/write as soon as you have sent initialize.",
)
def while_starting(host: HostSubject) -> None:
    """A host takes log/write from the moment when it has sent initialize.

    Sent by a plugin before it answers initialize: a record of the level error. Expected: a report with its text.
    """
    with host.start(by_hand("early")) as run:
        opening = run["early"].expect_opening()
        run["early"].notify("log/write", {"level": "error", "message": "the Almagest"})
        run["early"].answer(opening, answer_of())
        run["early"].expect_notification("initialized")
        run.expect_told("the Almagest", rule="LIF-02")


@host_case(
    "logging/stderr-is-read",
    "LOG-03",
    why="A plugin that waits until somebody reads its standard error stands still, and nobody sees why.",
    mend="Read standard error at all times, from the start of the process on, whatever you do with it.",
)
def stderr_is_read(host: HostSubject) -> None:
    """A host reads a plugin's standard error at all times.

    A plugin writes 2 MiB to its standard error before it answers initialize, and as much when it is ready. Expected:
    all of it is read; the plugin becomes ready, and its ping is answered.
    """
    line = b"all is well".ljust(127) + b"\n"
    with host.start(by_hand("talker")) as run:
        probe = run["talker"]
        opening = probe.expect_opening()
        for name in ("while-starting", "ready"):
            with host.checks(name):
                probe.write_stderr(line * (_FLOOD // len(line)))
                if not probe.wait_until_taken(stderr=True):
                    raise Broken("standard error is not read", expected="room in its pipe", got="none in time")
                if name == "while-starting":
                    probe.answer(opening, answer_of())
                    probe.expect_notification("initialized", rule="LOG-03")
        probe.expect_alive("LOG-03")


@host_case(
    "logging/stderr-is-told",
    "LOG-04",
    why="Standard error is where every library says what is wrong.",
    mend="Forward each line of standard error as a record of that plugin, also the last one without an end.",
)
def stderr_is_told(host: HostSubject) -> None:
    """A host forwards each line of a plugin's standard error, with the plugin's name.

    Written by a plugin to its standard error: two lines, one with CR LF, one with bytes that are no UTF-8, and, before
    the process ends, one without an end. Expected: a report of each with the name.
    """
    lines = {
        "line": (b"from Aldebaran\n", "from Aldebaran"),
        "second-line": (b"to Betelgeuse\n", "to Betelgeuse"),
        "cr-lf": (b"Capella and on\r\n", "Capella and on"),
        "no-utf-8": (b"caf\xe9 Deneb\n", "Deneb"),
        "without-an-end": (b"and Electra", "and Electra"),
    }
    with host.start(plugin("teller", settings=ONCE)) as run:
        run["teller"].write_stderr(b"".join(written for written, _ in lines.values()))
        run["teller"].wait_until_taken(stderr=True)
        run["teller"].exit(0)
        for name, (_, word) in lines.items():
            with host.checks(name):
                run.expect_told("teller", word, rule="LOG-04")


@host_case(
    "logging/long-line",
    "LOG-05",
    why="A plugin that writes a picture to its standard error would fill the host's memory, and everybody's screen.",
    mend="Cut a line of standard error at some length, and tell how many bytes you have left out.",
)
def long_line(host: HostSubject) -> None:
    """A host cuts a long line of standard error, and tells that it has.

    Written by a plugin to its standard error: a line of 2 MiB, and a short one. Expected: a report of the short one; of
    the long one less than the whole, and a number that says how much is missing.
    """
    with host.start(plugin("teller")) as run:
        before = len(run.reports())
        run["teller"].write_stderr(b"Q" * _LONG + b"\nand Aldebaran\n")
        run.expect_told("teller", "and Aldebaran", rule="LOG-04")
        told = " ".join(run.reports()[before:])
        missing = _LONG - told.count("Q")
        if missing <= 0:
            raise Broken("the line was forwarded whole", expected="a part of it", got=f"{_LONG} bytes")
        rest = re.sub("QQQQ+", "…", told)
        if not any(_counts(float(number), missing) for number in re.findall(r"[0-9]+(?:[.][0-9]+)?", rest)):
            raise Broken("nothing is told of the rest", expected=f"a number such as {missing}", got=rest[-300:])


def _counts(number: float, missing: int) -> bool:
    """Whether a number may stand for so many bytes, in a usual unit; or for the line, where all of it is missing."""
    near = any(abs(number * unit - missing) <= 0.6 * unit for unit in (1, 1000, 1024, 1_000_000, 1 << 20))
    return near or (missing == _LONG and number == 1)


@host_case(
    "logging/control-characters",
    "LOG-06",
    why="A text that a terminal obeys can hide lines, forge others, and with some terminals run commands.",
    mend="Write control characters of a plugin's text as escapes wherever a terminal may show them.",
)
def control_characters(host: HostSubject) -> None:
    """A host sends no control characters of a plugin's text to a terminal.

    The host runs on a terminal. Sent by a plugin, each with escape sequences, a bell, backspaces and the like in it:
    log records, lines of standard error, noise, and its version. Expected on the terminal: the words, and none of
    these.
    """
    host.settings = evolve(host.settings, command=on_terminal(host.settings.command))
    bad = "".join(_OBEYED.values())
    with host.start(by_hand("teller")) as run:
        probe = run["teller"]
        probe.answer(
            probe.expect_opening(), {"protocolVersion": "1.0", "plugin": {"name": bad, "version": _OBEYED["title"]}}
        )
        probe.expect_notification("initialized")
        for text in _OBEYED.values():
            probe.write_stderr(f"stderr {text}\n".encode())
            probe.send(f"noise {text}\n".encode())
            for level in ("info", "error"):
                probe.notify("log/write", {"level": level, "message": f"log {text}", "data": {text: text}})
        probe.write_stderr(b"and Zaniah\n")
        probe.expect_alive()
        probe.send(b"and Yildun\n")
        run.expect_told("and Zaniah", rule="LOG-04")
        run.expect_told("and Yildun", rule="FRM-19")
        shown = run.shown
        for name, text in _OBEYED.items():
            with host.checks(name):
                if text.encode() in shown:
                    raise Broken("the terminal gets a plugin's control characters", expected="escapes", got=repr(text))
