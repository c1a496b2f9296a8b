"""How frames follow each other in the stream: pieces, many at once, lengths, frames of several threads (chapter 01)."""

import re
import time

from ...case import Broken, plugin_case
from ...connection import show
from ...plugins.boundary import ping
from ...plugins.subject import PluginSubject
from ...plugins.talk import Talk
from ...report import Level
from ...wire.frames import encode

#: Letters whose UTF-8 has two, three and four bytes.
WIDE_ID = "né-温-🦀"


_PAUSE = 0.2


@plugin_case(
    "framing/deviations-reported",
    "FRM-08",
    level=Level.SHOULD,
    why="A writer that is almost right works here and fails elsewhere. Whoever wrote it hears of it only from "
    "readers that tell.",
    mend="When a header is not as FRM-01 has it, say so once per kind, with the byte offset: on standard error "
    "or with log/write.",
)
def deviations_reported(plugin: PluginSubject) -> None:
    """A reader tells of what it tolerates, once of each kind.

    Sent: two pings whose header is written content-length.
    Expected: on standard error or in log/write the byte offset of the first one, and not that of the second.
    """
    talk = plugin.launch()
    seen = _Offset(talk)
    talk.ready(capabilities={"log": True})
    talk.log.add(talk.name, "event", "the header of the next ping is written in small letters")
    first = seen.send_deviating()
    talk.ask("ping")
    second = seen.send_deviating()
    talk.shut_down()
    told = seen.told()
    with plugin.checks("told"):
        if first not in told:
            raise Broken(
                "the deviation was not reported",
                expected=f"a report with the byte offset {first}",
                got=f"{len(told)} other numbers",
            )
    with plugin.checks("told-once"):
        if first in told and second in told:
            raise Broken(
                "the same deviation was reported twice", expected=f"no report with the byte offset {second}", got="one"
            )


class _Offset:
    """Counts what was sent, and finds numbers in what a plugin tells."""

    def __init__(self, talk: Talk) -> None:
        self._talk, self._sent = talk, 0
        write = talk.process.stdin.send

        def count(data: bytes) -> None:
            self._sent += len(data)
            write(data)

        talk.attach(count)

    def send_deviating(self) -> int:
        """Sends a ping with its header in small letters, and waits for the answer; the offset of the header."""
        offset, id = self._sent, self._talk.new_id()
        self._talk.send(encode(ping(id)).replace(b"Content-Length", b"content-length"))
        self._talk.expect_answer(id, rule="FRM-05")
        return offset

    def told(self) -> set[int]:
        """Every number on standard error and in log/write."""
        logs = [show(message) for message in self._talk.taken() if message.method == "log/write"]
        text = self._talk.process.whole_stderr(self._talk.patience).decode("utf-8", "replace")
        return {int(number) for number in re.findall(r"(?<![0-9])[0-9]{1,9}(?![0-9])", "\n".join([text, *logs]))}


@plugin_case(
    "framing/any-cut",
    "FRM-09",
    why="A pipe gives bytes in the pieces that it likes. What works with small messages on a quiet machine "
    "breaks under load.",
    mend="Collect bytes until a frame is whole, and decode a body only when it is; one read is not one message.",
)
def any_cut(plugin: PluginSubject) -> None:
    """Frames are taken however the stream is cut.

    Sent: two pings, one with an id of wide letters, cut in two at each place; byte by byte; and with pauses.
    Expected: both are answered, each time.
    """
    talk = plugin.ready()
    data = encode(ping(WIDE_ID)) + encode(ping(2**20))
    cuts: dict[str, list[tuple[bytes, ...]]] = {
        "every-place": [(data[:place], data[place:]) for place in range(1, len(data))],
        "byte-by-byte": [tuple(data[at : at + 1] for at in range(len(data)))],
    }
    for name, ways in cuts.items():
        with plugin.checks(name):
            for pieces in ways:
                talk.send_pieces(*pieces)
                talk.expect_answer(WIDE_ID, rule="FRM-09")
                talk.expect_answer(2**20, rule="FRM-09")
    with plugin.checks("with-pauses"):
        for piece in (data[:9], data[9:30], data[30:]):
            talk.send(piece)
            time.sleep(_PAUSE)
        talk.expect_answer(2**20, rule="FRM-09")


@plugin_case(
    "framing/many-at-once",
    "FRM-09",
    why="A host that was busy sends many frames at once. A plugin that takes one message of each read loses "
    "the others.",
    mend="After a read take out every frame that is whole, before the next read.",
)
def many_at_once(plugin: PluginSubject) -> None:
    """Many frames that come at once are all taken.

    Sent: 500 pings in one write, and the beginning of another one, whose end comes later.
    Expected: each is answered.
    """
    talk = plugin.ready()
    ids = [talk.new_id() for _ in range(500)]
    last = encode(ping("last"))
    talk.send(b"".join(encode(ping(id)) for id in ids) + last[:30])
    for id in ids:
        talk.expect_answer(id, rule="FRM-09")
    talk.send(last[30:])
    talk.expect_answer("last", rule="FRM-09")


@plugin_case(
    "framing/length-in-bytes",
    "FRM-02",
    why="Counted in characters, the length is right until the first é: from then on every frame is cut at the "
    "wrong place.",
    mend="Encode the body first, then count its bytes, on both ends; write those bytes and no text.",
)
def length_in_bytes(plugin: PluginSubject) -> None:
    """The length counts bytes of UTF-8.

    Sent: pings whose id has letters of two, three and four bytes, then one with a plain id.
    Expected: each is answered, in frames whose length is that of their body.
    """
    talk = plugin.ready()
    for id in (WIDE_ID, "é" * 100, "🦀" * 100, "plain"):
        talk.send_body(ping(id))
        talk.expect_answer(id, rule="FRM-02")
        if talk.rest:
            raise Broken(
                "bytes are left behind the frame",
                expected="a frame of the length of its body",
                got=repr(talk.rest[:80]),
            )


@plugin_case(
    "framing/whole-frames",
    "FRM-03",
    needs=("conformance/repeat",),
    why="Two threads that write at the same time mix their frames; a pipe that is full takes half of one. The "
    "host loses the boundary.",
    mend="Write header and body under one lock, and go on after a short write until all bytes are out.",
)
def whole_frames(plugin: PluginSubject) -> None:
    """A frame's bytes are contiguous.

    Sent: as many conformance/repeat at once as the plugin takes, each for a text of 100 kB or more, and pings between;
    nothing is read before all are sent.
    Expected: each is answered in a whole frame with its own text.
    """
    talk = plugin.ready()
    declared = talk.info.get("capabilities", {}).get("concurrency", 1)
    letters = "abcdefgh"[: declared if isinstance(declared, int) else 1]
    for _ in range(3):
        talk.pause_reading()
        calls = {
            talk.request("conformance/repeat", {"text": letter, "times": 100_000 + n}): (letter, 100_000 + n)
            for n, letter in enumerate(letters)
        }
        pings = [talk.request("ping") for _ in range(20)]
        # A plugin that serves them one by one waits for us to read, and reads no further itself.
        talk.process.stdin.wait_until_read(_PAUSE)
        talk.resume_reading()
        for id, (letter, times) in calls.items():
            if talk.expect_result(id, rule="FRM-03") != {"text": letter * times}:
                raise Broken("a text came back changed", expected=f"{times} times {letter}", got="another text")
        for id in pings:
            talk.expect_answer(id, rule="FRM-03")
