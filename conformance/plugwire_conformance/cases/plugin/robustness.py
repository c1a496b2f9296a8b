"""Floods, large messages and bytes that were changed at random: a plugin goes on, or ends in order."""

import random

from ...case import Broken, TimedOut, plugin_case
from ...plugins.boundary import ping
from ...plugins.subject import PluginSubject
from ...plugins.talk import Talk, exit_words
from ...wire.codes import PARSE_ERROR
from ...wire.exact import exact_reader
from ...wire.frames import Framing, encode
from ...wire.messages import encode_json

_ROUNDS = 6
#: Half of them leave every length as it is, so that the change is met inside of a body.
_CHANGES = ("flip", "flip", "other", "other", "drop", "double", "move", "insert")
_LARGE = 1_000_000


@plugin_case(
    "robustness/slow-reader",
    "MSG-17",
    "FRM-03",
    why="A host may be slow. A plugin that drops what does not fit into the pipe, or ends at a full one, "
    "loses answers.",
    mend="Wait, or keep the bytes, when the pipe is full, and go on after a short write; never drop an answer.",
)
def slow_reader(plugin: PluginSubject) -> None:
    """Answers that nobody reads yet are not lost.

    Sent: 800 pings with ids of 120 letters, while nothing is read; then all is read.
    Expected: each is answered once, in whole frames.
    """
    talk = plugin.ready()
    talk.pause_reading()
    ids = [f"{number:04}" + "x" * 116 for number in range(800)]
    for id in ids:
        talk.send_body(ping(id))
    # Enough to fill the pipe, however fast the plugin is: it cannot have written all, so it has to wait.
    talk.process.stdin.wait_until_taken(0.3)
    talk.resume_reading()
    for id in ids:
        talk.expect_answer(id, rule="MSG-17")
    talk.expect_alive("MSG-17")


@plugin_case(
    "robustness/both-ways-at-once",
    "MSG-17",
    needs=("conformance/echo",),
    why="When both ends write and neither reads, both wait for ever. It takes only messages that are larger "
    "than a pipe.",
    mend="Read on while an answer is being written, or write it as fast as the host reads; do not wait for the "
    "next request first.",
)
def both_ways_at_once(plugin: PluginSubject) -> None:
    """Large messages may go both ways at the same time.

    Sent: four conformance/echo of 1 MB each, one behind the other, while the answers are read.
    Expected: each comes back as it went.
    """
    talk = plugin.ready()
    declared = talk.info.get("capabilities", {}).get("concurrency", 1)
    at_once = min(4, declared if isinstance(declared, int) else 1)
    for _ in range(-(-4 // at_once)):
        calls = {talk.request("conformance/echo", {"text": letter * _LARGE}): letter for letter in "abcd"[:at_once]}
        for id, letter in calls.items():
            if talk.expect_result(id, rule="MSG-17") != {"text": letter * _LARGE}:
                raise Broken("a text came back changed", expected=f"{_LARGE} times {letter}", got="another text")


@plugin_case(
    "robustness/large-messages",
    "FRM-11",
    why="What is allowed by maxFrameBytes can be one long name or ten thousand members; neither may end a plugin.",
    mend="Bound nothing but what the spec bounds; answer what you cannot hold with an error, and go on.",
)
def large_messages(plugin: PluginSubject) -> None:
    """Unusually large messages do no harm.

    Sent: ping with a text of 500 kB, with 10 000 members, with as many numbers in a list; requests with a method
    name and with an id of 100 kB; a ping behind each.
    Expected: each is answered, with a result or an error, and the ping behind it.
    """
    bodies = {
        "long-text": ping("large", extra="x" * 500_000),
        "many-members": ping("large", extra={f"m{number}": number for number in range(10_000)}),
        "long-list": ping("large", extra=list(range(10_000))),
        "long-name": ping("large", **{"x" * 100_000: 1}),
        "long-method": encode_json({"jsonrpc": "2.0", "id": "large", "method": "a/" + "x" * 100_000}),
        "long-id": ping("x" * 100_000),
    }
    talk: Talk | None = None
    for name, body in bodies.items():
        with plugin.checks(name):
            # After a check that failed the process may still be busy, or gone.
            one, talk = talk or plugin.ready(), None
            one.send_body(body)
            one.wait_for(lambda message: message.is_response, "an answer", rule="FRM-11")
            one.expect_alive("FRM-11")
            talk = one


@plugin_case(
    "robustness/flood-of-notifications",
    "MSG-18",
    why="Other plugins' events come in bursts. A plugin that starts a thread for each, or answers them, gives "
    "way under them.",
    mend="Handle notifications in order, and ignore those that you do not know without an answer.",
)
def flood_of_notifications(plugin: PluginSubject) -> None:
    """Thousands of notifications that no one knows are ignored.

    Sent: 5000 notifications of an unknown method (500 in line framing), then ping.
    Expected: the ping is answered, and nothing else.
    """
    talk = plugin.ready()
    one = encode(encode_json({"jsonrpc": "2.0", "method": "zz/flood", "params": {"n": 1}}), talk.framing)
    talk.send(one * _flood(talk))
    talk.expect_alive("MSG-18")
    talk.refuse(lambda message: message.is_response, "an answer to a notification", rule="MSG-18")


@plugin_case(
    "robustness/flood-of-bad-bodies",
    "MSG-26",
    "FRM-11",
    why="A broken peer sends nonsense as fast as it can. A plugin that leaks or gives up after some of it "
    "takes others down with it.",
    mend="Answer each with ParseError, and keep nothing of it.",
)
def flood_of_bad_bodies(plugin: PluginSubject) -> None:
    """Hundreds of bodies that are no JSON are each answered.

    Sent: 1000 such bodies (100 in line framing), then ping.
    Expected: as many errors with id null, and the ping is answered.
    """
    talk = plugin.ready()
    many = _flood(talk) // 5
    talk.send(encode(b"{nonsense}", talk.framing) * many)
    talk.expect_alive("FRM-11")
    for _ in range(many):
        talk.expect_error(None, PARSE_ERROR, rule="MSG-26")


def _flood(talk: Talk) -> int:
    """How many messages make a flood: fewer for shell scripts, which take a process or two for each."""
    return 5000 if talk.framing is Framing.HEADER else 500


@plugin_case(
    "robustness/changed-bytes",
    "FRM-10",
    "FRM-11",
    why="Whatever comes, a plugin either goes on or says that it cannot. One that hangs or dies of a signal "
    "tells nobody.",
    mend="Look at the seed and the bytes of the failed check: they come again with --seed. Catch what your "
    "reader raises there.",
)
def changed_bytes(plugin: PluginSubject) -> None:
    """A plugin outlives changed bytes, or ends in order.

    Sent: a good conversation in which some bytes were changed, left out, doubled or moved, by a seed; then a ping,
    then the end of standard input.
    Expected: where the frame boundary is lost, no answer to the ping and the end of the process with a code that is
    not 0; where it is not, an answer to the ping; at the end of standard input the end of the process, not by a signal.
    """
    for number in range(_ROUNDS):
        with plugin.checks(f"round-{number + 1}"):
            _try_changed(plugin, plugin.random)


def _try_changed(plugin: PluginSubject, chance: random.Random) -> None:
    talk = plugin.ready()
    talk.boundary_lost = True
    sent = exact_reader(talk.framing)
    data = _changed(_conversation(talk), chance)
    last = encode(ping("last"), talk.framing)
    frames = sent.feed(data + last)
    talk.send(data + last)
    if any(b'"exit"' in frame.body or b'"shutdown"' in frame.body for frame in frames):
        return
    if not frames or frames[-1].body != ping("last"):
        # The ping is a part of something else now, or behind a lost boundary.
        talk.process.stdin.finish()
        _expect_end(talk, code_is_not_0=True)
        talk.refuse(lambda message: message.id == "last", "an answer to what is no message any more", rule="FRM-10")
    else:
        talk.expect_answer("last", rule="FRM-11")
        talk.process.stdin.finish()
        _expect_end(talk, code_is_not_0=False)


def _expect_end(talk: Talk, *, code_is_not_0: bool) -> None:
    code = talk.process.wait(talk.patience)
    if code is None:
        raise TimedOut("the process goes on", expected="the end of the process", got="running", requirement="FRM-10")
    if code < 0 or (code_is_not_0 and code == 0):
        raise Broken(
            "the process ended another way",
            expected="an exit code of its own",
            got=exit_words(code),
            requirement="FRM-10",
        )
    talk.expect_end(rule="FRM-10")


def _conversation(talk: Talk) -> bytes:
    """Messages of all kinds."""
    messages = [
        {"jsonrpc": "2.0", "id": 10, "method": "ping", "params": {}},
        {
            "jsonrpc": "2.0",
            "id": "elf",
            "method": "zz/none",
            "params": {"text": 'grün 🦀 \\ "', "list": [1, -2.5e3, None, True]},
        },
        {"jsonrpc": "2.0", "method": "zz/told", "params": {"deep": {"er": [[], {}]}}},
        {"jsonrpc": "2.0", "id": 12, "result": {"nobody": "asked"}},
        {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 10}},
        {"jsonrpc": "2.0", "id": 13, "method": "ping", "meta": {"progress": "p"}},
    ]
    return b"".join(encode(encode_json(message), talk.framing) for message in messages)


def _changed(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one to three changes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(changed))
        end = min(len(changed), start + chance.choice((1, 1, 1, 2, 7, 40)))
        change = chance.choice(_CHANGES)
        piece = changed[start:end]
        if change == "flip":
            changed[start] ^= 1 << chance.randrange(8)
        elif change == "other":
            changed[start] = chance.choice(b'"\\{}[]:,0x\r\n\0\xff \t')
        elif change == "double":
            changed[start:start] = piece
        elif change == "insert":
            changed[start:start] = chance.randbytes(len(piece))
        else:
            del changed[start:end]
            if change == "move":
                place = chance.randrange(len(changed) + 1)
                changed[place:place] = piece
    return bytes(changed)
