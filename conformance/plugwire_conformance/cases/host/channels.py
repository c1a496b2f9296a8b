"""Channels (chapter 08): opening, handles, quotas, and channels that nobody knows."""

import re

from ...case import Broken, expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import INVALID_PARAMS, QUOTA_EXCEEDED
from ...wire.messages import Json
from .channel_members import open_channel
from .told import ask_told, varying_bits

_HANDLE = re.compile("ch_[A-Za-z0-9_-]{22,125}")
_UNKNOWN = "ch_" + "0" * 32
#: So many handles show nearly every character that can stand at a place, also where there are 64 of them.
_HANDLES = 500
#: Bits, less what chance may hide among so many.
_BITS = 127
_MOST_CHANNELS, _MOST_ITEMS, _MOST_BYTES = 1024, 1048576, 268435456


@host_case(
    "channels/open",
    "CHN-01",
    why="A plugin sizes its batches by what it asked for, and relies on what the spec says where it asked for nothing.",
    mend="Make the channel as the params say; take 256 items, 1048576 bytes and no redelivery where they are absent.",
    declares=("channels",),
)
def open_as_asked(host: HostSubject) -> None:
    """A channel is as channel/open asks for, and as the spec says where it asks for nothing.

    Sent: channel/open without params; with each of capacity, maxBytes and redeliver; with the least and with the
    largest values. Expected: the answer says so.
    """
    asked: dict[str, dict[str, Json]] = {
        "nothing": {},
        "capacity": {"capacity": 3},
        "bytes": {"maxBytes": 4096},
        "redeliver": {"redeliver": True},
        "least": {"capacity": 1, "maxBytes": 1024, "redeliver": False},
        "largest": {"capacity": 65536, "maxBytes": 67108864},
    }
    absent = {"capacity": 256, "maxBytes": 1048576, "redeliver": False}
    with host.start(plugin("a")) as run:
        for name, params in asked.items():
            with host.checks(name):
                answer = ask_told(run["a"], "channel/open", params, "CHN-01")
                expect_equal(_without_handle(answer), absent | params, "what the channel is like is another", "CHN-01")


@host_case(
    "channels/handle",
    "CHN-02",
    why="Whoever has the handle may join. A plugin that can guess one reads what is not meant for it.",
    mend="Make the handle of at least 128 bits from the system's source of randomness; "
    "a UUID of version 4 has only 122.",
    declares=("channels",),
)
def handle(host: HostSubject) -> None:
    """The handles of channels look like 128 random bits.

    500 channels are opened, and closed again. Expected: handles of the form that the spec gives, all different, in
    which enough characters vary enough to hold 128 bits.
    """
    with host.start(plugin("a")) as run:
        talk = run["a"]
        handles = []
        for _ in range(_HANDLES):
            handles.append(open_channel(talk, capacity=1, maxBytes=1024))
            talk.request("channel/close", {"channel": handles[-1]})
    strange = next((one for one in handles if not _HANDLE.fullmatch(one)), "")
    if strange:
        raise Broken("a handle has another form", expected=_HANDLE.pattern, got=strange)
    if len(set(handles)) < _HANDLES:
        raise Broken(
            "two channels have one handle", expected=f"{_HANDLES} handles", got=f"{len(set(handles))} different ones"
        )
    if varying_bits(handles) < _BITS:
        got = f"at most {varying_bits(handles):.0f} bits vary, such as in {handles[0]} and {handles[1]}"
        raise Broken("the handles can be guessed", expected="at least 128 bits that vary", got=got)


@host_case(
    "channels/open-by-name",
    "CHN-03",
    "CHN-01",
    why="Two plugins that agree on a name would each sit at a channel of their own, and wait for the other for ever.",
    mend="Look the name up among the open channels first; "
    "answer with the channel that is there, and with what it is like.",
    declares=("channels",),
)
def open_by_name(host: HostSubject) -> None:
    """Who opens a name that is open gets the channel that is there, and is an opener of it, too.

    `a` opens a name. `b` opens it with other params: it gets the same handle, and what the channel is like. `b` may
    close it. After that the name stands for a new channel, and without a name every channel is a new one.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        first = ask_told(a, "channel/open", {"name": "jobs/all", "capacity": 3, "redeliver": True})
        with host.checks("same"):
            second = ask_told(b, "channel/open", {"name": "jobs/all", "capacity": 9, "maxBytes": 2048})
            expect_equal(second, first, "the channel of the name is another", "CHN-03")
        with host.checks("opener"):
            b.expect_result(b.request("channel/close", {"channel": first["channel"]}), rule="CHN-03")
        with host.checks("after-close"):
            third = ask_told(b, "channel/open", {"name": "jobs/all", "capacity": 9})
            _expect_another(third, first, "CHN-01")
            expect_equal(third["capacity"], 9, "the capacity of a new channel is another", "CHN-01")
        with host.checks("without-name"):
            _expect_another(ask_told(b, "channel/open", {}), ask_told(a, "channel/open", {}), "CHN-01")


@host_case(
    "channels/open-quota",
    "CHN-05",
    why="One plugin that opens channels without end takes the host's memory, and every other plugin goes down with it.",
    mend="Count what each opener has open: answer with QuotaExceeded above 1024 channels, a capacity of "
    "1048576 or 268435456 bytes.",
    declares=("channels",),
)
def open_quota(host: HostSubject) -> None:
    """An opener gets as many channels as the spec allows, and QuotaExceeded for one more.

    Sent by three plugins: 1024 small channels; 16 of the largest capacity; 4 of the most bytes. Each then opens one
    more of the smallest, which is refused, and who has 1024 gets one of them again by its name.
    """
    kinds = {
        "channels": {"count": _MOST_CHANNELS, "capacity": 1, "maxBytes": 1024},
        "items": {"count": _MOST_ITEMS // 65536, "capacity": 65536, "maxBytes": 1024},
        "bytes": {"count": _MOST_BYTES // 67108864, "capacity": 1, "maxBytes": 67108864},
    }
    with host.start(*map(plugin, kinds)) as run:
        for name, kind in kinds.items():
            with host.checks(name):
                size = {"capacity": kind["capacity"], "maxBytes": kind["maxBytes"]}
                _open_many(run[name], kind["count"], size)
                least = {"capacity": 1, "maxBytes": 1024}
                run[name].expect_error(run[name].request("channel/open", least), QUOTA_EXCEEDED, rule="CHN-05")
        with host.checks("again"):
            talk = run["channels"]
            talk.expect_result(talk.request("channel/open", {"name": "channels7"}), rule="CHN-05")


@host_case(
    "channels/unknown",
    "CHN-06",
    why="A plugin with a handle of yesterday has to learn that it is of no use.",
    mend="Answer every request that names a channel which is not known with InvalidParams.",
    declares=("channels",),
)
def unknown(host: HostSubject) -> None:
    """A request that names an unknown channel is answered with InvalidParams.

    Sent with a handle that nobody was given: channel/join, channel/send, channel/leave, channel/close.
    """
    requests: dict[str, dict[str, Json]] = {
        "join": {"role": "consumer"},
        "send": {"seq": 1, "items": [1]},
        "leave": {"role": "consumer"},
        "close": {},
    }
    with host.start(plugin("a")) as run:
        for name, params in requests.items():
            with host.checks(name):
                id = run["a"].request(f"channel/{name}", {"channel": _UNKNOWN} | params)
                run["a"].expect_error(id, INVALID_PARAMS, rule="CHN-06")


def _without_handle(answer: Json) -> Json:
    return {key: value for key, value in answer.items() if key in ("capacity", "maxBytes", "redeliver")}


def _expect_another(one: Json, other: Json, rule: str) -> None:
    if one["channel"] == other["channel"]:
        raise Broken("two channels are one", expected="a new channel", got=str(one["channel"]), requirement=rule)


def _open_many(talk: ProbeTalk, count: int, size: dict[str, Json]) -> None:
    ids = [talk.request("channel/open", size | {"name": f"{talk.name}{number}"}) for number in range(count)]
    for id in ids:
        talk.expect_result(id, rule="CHN-05")
