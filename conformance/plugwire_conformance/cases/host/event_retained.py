"""Retained events (chapter 06)."""

from ...case import expect_equal
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import QUOTA_EXCEEDED
from .event_talk import MIB, check_frames, event_case, expect_code, publish, subscribe

_OF_ONE_PUBLISHER = 2048
_LARGE = "x" * (4 * MIB - 65536)


@event_case(
    "events/retained",
    "EVT-29",
    why="A plugin that comes later has to know how things stand, without asking everybody.",
    mend="Keep the last event with `retain` of each topic, and give it to each later subscription that matches.",
)
def retained(host: HostSubject) -> None:
    """The last retained event of each topic is given to later subscriptions.

    Published: on one topic two retained events and then one that is not, on another topic a retained one, on a third
    one none that is retained. Expected, for a later subscription of each of two plugins: the second of the first
    topic and the one of the second, and then what is published afterwards.
    """
    with host.start(plugin("ear"), plugin("eye"), plugin("mouth")) as run:
        for topic, data, retain in (("now.a", 1, True), ("now.b", 2, True), ("now.a", 3, True), ("now.a", 4, False)):
            publish(run["mouth"], topic, data=data, retain=retain)
        publish(run["mouth"], "now.c", data=5)
        for name in ("ear", "eye"):
            with host.checks(f"subscription of {name}"):
                heard = subscribe(run[name], "now.*")
                publish(run["mouth"], "now.d", data="last")
                came = [one.get("data") for one in heard.until("last", rule="EVT-29")]
                expect_equal(sorted(came), [2, 3], "other events were kept", "EVT-29")
        with host.checks("other topics"):
            heard = subscribe(run["ear"], "now.b")
            publish(run["mouth"], "now.b", data="last")
            came = [one.get("data") for one in heard.until("last", rule="EVT-29")]
            expect_equal(came, [2], "other events were given", "EVT-29")


@event_case(
    "events/retained-publisher-ended",
    "EVT-29",
    why="How things stand does not change because the one who said so has ended.",
    mend="Keep retained events for the time of the host, whoever published them.",
)
def retained_publisher_ended(host: HostSubject) -> None:
    """A retained event stays when its publisher ends.

    A plugin publishes a retained event and is killed. Expected: a later subscription gets it.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        ended = subscribe(run["ear"], "host.plugin.ended")
        publish(run["mouth"], "now", data="kept", retain=True)
        run["mouth"].die()
        ended.next(rule="EVT-38")
        subscribe(run["ear"], "now").expect("kept", rule="EVT-29")


@event_case(
    "events/retained-cleared",
    "EVT-30",
    why="What is no more has to be told to those who listen, and must not be told to those who come.",
    mend="Deliver an event with `retain` and without `data` like any other, and let go of what is kept of its topic.",
)
def retained_cleared(host: HostSubject) -> None:
    """An event with retain and without data clears what is kept, and is delivered.

    Published: a retained event, and then one with `retain` and without data. Expected: both at a subscription that
    was there; at a later one neither. An event with null as data is kept like any other.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        early = subscribe(run["ear"], "gone.*")
        publish(run["mouth"], "gone.a", data="kept", retain=True)
        publish(run["mouth"], "gone.a", retain=True)
        publish(run["mouth"], "gone.b", data=None, retain=True)
        with host.checks("those who are there"):
            came = [("data" in one, one.get("data")) for one in (early.next(rule="EVT-30") for _ in range(3))]
            expect_equal(
                [list(one) for one in came],
                [[True, "kept"], [False, None], [True, None]],
                "other events came",
                "EVT-30",
            )
        with host.checks("those who come later"):
            late = subscribe(run["ear"], "gone.*")
            publish(run["mouth"], "gone.c", data="last")
            came_later = [[one["topic"], "data" in one] for one in late.until("last", rule="EVT-30")]
            expect_equal(came_later, [["gone.b", True]], "other events were kept", "EVT-30")


@event_case(
    "events/retained-quota",
    "EVT-31",
    why="A plugin that retains an event for every file it sees would fill the host's memory.",
    mend="Keep 2048 events of one publisher and 4096 in all; answer a further one with QuotaExceeded and give it to "
    "nobody.",
)
def retained_quota(host: HostSubject) -> None:
    """No more than 2048 retained events of one publisher are kept, and no more than 4096 in all.

    A plugin retains events on 2048 topics, then one more; it clears one topic and tries again. Another one fills the
    rest, and a third one tries. Expected: results; QuotaExceeded and no delivery; a result; results; QuotaExceeded.
    """
    with host.start(plugin("ear"), plugin("mouth"), plugin("hand"), plugin("late")) as run:
        heard = subscribe(run["ear"], "over.>")
        _retain_many(run["mouth"])
        with host.checks("half of all"):
            _expect_refused(run["mouth"], "over.half")
        with host.checks("another one on a topic that is kept"):
            publish(run["mouth"], "mouth.0", data=1, retain=True)
        with host.checks("after one was cleared"):
            publish(run["mouth"], "mouth.1", retain=True)
            publish(run["mouth"], "over.again", data="kept", retain=True)
        with host.checks("all"):
            _retain_many(run["hand"])
            _expect_refused(run["late"], "over.all")
        with host.checks("delivery"):
            publish(run["mouth"], "over.last", data="last")
            came = [one.get("data") for one in heard.until("last", rule="EVT-31")]
            expect_equal(came, ["kept"], "an event was delivered that was refused", "EVT-31")


@event_case(
    "events/retained-bytes",
    "EVT-31",
    why="A few large events take as much memory as many small ones.",
    mend="Keep 8 MiB of one publisher and 16 MiB in all; count an event that replaces another one only once.",
)
def retained_bytes(host: HostSubject) -> None:
    """No more than 8 MiB of retained events of one publisher are kept, and no more than 16 MiB in all.

    A plugin retains two events of almost 4 MiB, the first one twice, then one of 1 MiB; another one does the same on
    other topics; a third one tries with 1 MiB. Expected: QuotaExceeded for those of 1 MiB alone.
    """
    with host.start(plugin("mouth"), plugin("hand"), plugin("late")) as run:
        check_frames(run["mouth"], len(_LARGE))
        for name in ("mouth", "hand"):
            with host.checks(f"half of all: {name}"):
                for topic in ("a", "a", "b"):
                    publish(run[name], f"{name}.{topic}", data=_LARGE, retain=True)
                _expect_refused(run[name], f"{name}.c", MIB)
        with host.checks("all"):
            _expect_refused(run["late"], "late.a", MIB)


def _retain_many(probe: ProbeTalk) -> None:
    """Retains as many events as one publisher may."""
    at_once = max(1, min(200, probe.limits["maxInFlight"]))
    topics = [f"{probe.name}.{number}" for number in range(_OF_ONE_PUBLISHER)]
    for start in range(0, len(topics), at_once):
        ids = [
            probe.request("event/publish", {"topic": topic, "data": 1, "retain": True})
            for topic in topics[start : start + at_once]
        ]
        for id in ids:
            probe.expect_result(id, rule="EVT-31")


def _expect_refused(probe: ProbeTalk, topic: str, size: int = 1) -> None:
    answer = probe.ask("event/publish", {"topic": topic, "data": "x" * size, "retain": True})
    expect_code(answer, QUOTA_EXCEEDED, "more retained events were taken than are kept", "EVT-31")
