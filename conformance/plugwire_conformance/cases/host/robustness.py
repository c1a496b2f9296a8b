"""Plugins that do not read, that write nonsense, or too much: what must not become anybody else's trouble."""

from ...case import Broken, TimedOut, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.frames import encode
from ._between import room
from ._raw import ONCE

_CALLS, _SIZE = 150, 100_000
#: Their answers are more than any pipe holds.
_PINGS = 10_000
_FUZZED, _FRAMES = 6, 25
_SAMPLES = (
    b'{"jsonrpc":"2.0","id":7,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":"a","method":"service/list","params":{}}',
    b'{"jsonrpc":"2.0","method":"log/write","params":{"level":"info","message":"x"}}',
    b'{"jsonrpc":"2.0","id":8,"result":null}',
    b'{"jsonrpc":"2.0","id":9,"error":{"code":-32603,"message":"x","data":[1,2]}}',
    b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7}}',
    b'{"jsonrpc":"2.0","id":10,"method":"nobody/none","params":{"a":{"b":[1e5,"\xc3\xa9"]}},"meta":{"deadlineMs":5}}',
)


@host_case(
    "robustness/never-reads",
    "LIF-18",
    declares=("services",),
    why="A host that waits for one plugin's pipe stands still for all of them.",
    mend="Never wait for a pipe: keep what it does not take, bound that, and refuse calls, or end the plugin, "
    "beyond it.",
)
def never_reads(host: HostSubject) -> None:
    """A host serves others while a plugin does not read.

    A plugin stops reading; another one sends it calls of 15 MB altogether. Expected: the caller and a third one get
    answers to their pings.
    """
    with host.start(plugin("a"), plugin("b", "b/take", capabilities=room(256)), plugin("c")) as run:
        run["b"].pause_reading()
        for _ in range(_CALLS):
            run["a"].request("b/take", {"text": "x" * _SIZE})
        run["a"].expect_alive("LIF-18")
        run["c"].expect_alive("LIF-18")


@host_case(
    "robustness/unread-answers",
    "MSG-17",
    why="A plugin that writes much before it reads would never see its answers; a host that waits for it stands still.",
    mend="Go on reading while answers wait to be written, and write them when there is room.",
)
def unread_answers(host: HostSubject) -> None:
    """A host takes many requests of a plugin that does not read meanwhile, and answers all of them.

    A plugin sends ten thousand pings with long ids and reads nothing until the host has taken all. Expected: another
    plugin's ping is answered meanwhile; then all of its own.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        run["a"].pause_reading()
        ids = [f"{number:0120}" for number in range(_PINGS)]
        run["a"].send(b"".join(encode(b'{"jsonrpc":"2.0","id":"%b","method":"ping"}' % id.encode()) for id in ids))
        if not run["a"].wait_until_read():
            raise TimedOut(
                "the host does not read", expected="all pings taken", got="some are left", requirement="MSG-17"
            )
        run["b"].expect_alive("LIF-18")
        run["a"].resume_reading()
        for id in ids:
            run["a"].expect_result(id, rule="MSG-17")


@host_case(
    "robustness/mutated-bytes",
    "LIF-19",
    why="Whatever a plugin writes, it must not end the host: the others have done nothing.",
    mend="Catch what goes wrong in reading one plugin's bytes at its connection, and end that one alone.",
)
def mutated_bytes(host: HostSubject) -> None:
    """A host survives whatever bytes a plugin sends, and other plugins notice nothing.

    Sent by six plugins: good frames in which bytes were changed, left out, doubled or swapped, at random by the seed.
    Expected: the host runs, and the ping of a seventh is answered.
    """
    names = [f"fuzzed{place}" for place in range(_FUZZED)]
    with host.start(*(plugin(name, settings=ONCE) for name in names), plugin("witness")) as run:
        for name in names:
            run[name].boundary_lost = True
            for _ in range(_FRAMES):
                run[name].send(_mutated(host))
        for name in names:
            run[name].wait_until_taken()
        run["witness"].expect_alive("LIF-19")
        for name in names:
            run[name].close_stdout()
            run[name].expect_end(rule="FRM-18")
        run["witness"].expect_alive("LIF-19")
        if run.process.exit_code is not None:
            raise Broken("the host has ended", expected="that it runs", got=f"exit code {run.process.exit_code}")


def _mutated(host: HostSubject) -> bytes:
    data = bytearray(encode(host.random.choice(_SAMPLES)))
    for _ in range(host.random.randint(1, 3)):
        place = host.random.randrange(len(data))
        match host.random.randrange(4):
            case 0:
                data[place] = host.random.randrange(256)
            case 1:
                del data[place : place + host.random.randint(1, 9)]
            case 2:
                data[place:place] = data[place : place + host.random.randint(1, 9)]
            case 3:
                data[place] ^= 1 << host.random.randrange(8)
    return bytes(data)
