"""Bounds of those who wait for a subscription that blocks (chapter 06: flow)."""

from ...case import Broken, Skipped, expect_equal
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import OVERLOADED
from .event_blocking import filled, publishing
from .event_talk import event_case, expect_code, publish_soon, subscribe

_MOST_WAITING = 1024
_MOST_PUBLISHERS = 16
_ALMOST_A_FRAME = 65536


@event_case(
    "events/block-crowd",
    "EVT-28",
    why="Publishers that wait cost the host memory, and a subscriber that hangs makes ever more of them.",
    mend="Let 1024 publishers wait for a subscription, answer further ones with Overloaded, and give their events to "
    "nobody.",
)
def block_crowd(host: HostSubject) -> None:
    """More than 1024 publishers do not wait for one subscription.

    As many requests to publish as may wait, of several plugins, then one more. Expected: Overloaded for the last one
    alone, and no delivery of it to another subscription, which gets all others.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        each = min(300, run["mouth"].limits["maxInFlight"] - 1)
    crowd = [f"crowd{number}" for number in range(-(-_MOST_WAITING // each))] if each > 0 else []
    if not 0 < len(crowd) <= _MOST_PUBLISHERS:
        raise Skipped(f"needs {_MOST_WAITING} requests in flight, and the host allows {each + 1} to each plugin")
    with host.start(plugin("ear"), plugin("eye"), plugin("mouth"), *map(plugin, crowd)) as run:
        filled(run)
        free = subscribe(run["eye"], "all")
        for number in range(_MOST_WAITING):
            publishing(run[crowd[number // each]], "waits")
        for name in crowd:
            run[name].expect_alive()
            run[name].refuse(lambda message: message.is_response, "an answer to one of 1024 publishers", rule="EVT-28")
        answer = run["mouth"].expect_answer(publishing(run["mouth"], "one too many"), rule="EVT-28")
        expect_code(answer, OVERLOADED, "more than 1024 publishers wait", "EVT-28")
        publish_soon(run["mouth"], "all", data="last")
        came = [one.get("data") for one in free.until("last", rule="EVT-28")]
        expect_equal([came.count("waits"), len(came)], [_MOST_WAITING, _MOST_WAITING], "other events came", "EVT-28")


@event_case(
    "events/block-bytes",
    "EVT-28",
    why="A few large events that wait take as much memory as many small ones.",
    mend="Count the events of publishers that wait with what waits for the plugin: 64 MiB in all.",
)
def block_bytes(host: HostSubject) -> None:
    """The events of waiting publishers are within the 64 MiB of the subscriber.

    Requests to publish with almost a whole frame each, until together they have more than 64 MiB. Expected:
    Overloaded for at least one, and nothing but Overloaded.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        size = run["mouth"].limits["maxFrameBytes"] - _ALMOST_A_FRAME
        count = (64 << 20) // size + 2 if size > 0 else 0
        if not 0 < count < run["mouth"].limits["maxInFlight"]:
            raise Skipped(f"needs 64 MiB in flight, and the host takes {size} bytes at a time")
        filled(run)
        ids = [publishing(run["mouth"], "x" * size) for _ in range(count)]
        within = run["mouth"].patience * 2
        answer = run["mouth"].wait_for(lambda message: message.is_response, "Overloaded", within=within, rule="EVT-28")
        expect_code(answer, OVERLOADED, "a publisher was answered otherwise", "EVT-28")
        if answer.id not in ids[(40 << 20) // size :]:
            got = f"the answer came for the request {answer.id} of {ids}"
            raise Broken(
                "a publisher was refused while there was room", expected="40 MiB before", got=got, requirement="EVT-28"
            )
