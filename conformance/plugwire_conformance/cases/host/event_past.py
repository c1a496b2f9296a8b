"""Replay, and what holds for all events from before a subscription (chapter 06)."""

from ...case import Broken, expect_equal
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.messages import Json
from .event_talk import MIB, check_frames, event_case, publish, publish_many, subscribe


@event_case(
    "events/replay",
    "EVT-32",
    why="A plugin that was started again wants to know what has just happened.",
    mend="Keep the last 1024 events of all topics, and give the last of them that match, as many as are asked for.",
)
def replay(host: HostSubject) -> None:
    """A subscription with replay gets the last events that match.

    Six events on two topics, then subscriptions with a replay of 2, of 100, and without. Expected: the last two of
    the topic; all of it; none.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        for number in range(1, 7):
            publish(run["mouth"], "was.even" if number % 2 == 0 else "was.odd", data=number)
        for name, pattern, count, expected in (
            ("all", "was.*", 100, [1, 2, 3, 4, 5, 6]),
            ("two", "was.odd", 2, [3, 5]),
            ("as many as there are", "was.even", 3, [2, 4, 6]),
            ("none", "was.none", 0, []),
        ):
            with host.checks(name):
                heard = subscribe(run["ear"], pattern, replay=count)
                publish(run["mouth"], pattern.replace("*", "none"), data=name)
                came = [one.get("data") for one in heard.until(name, rule="EVT-32")]
                expect_equal(came, expected, "other events came", "EVT-32")
                heard.end()


@event_case(
    "events/replay-retained",
    "EVT-32",
    "EVT-33",
    why="An event that comes twice is acted on twice.",
    mend="Put retained events and those of the replay together by their order, each once.",
)
def replay_retained(host: HostSubject) -> None:
    """What is retained and within the replay comes once.

    Published: 1 retained, 2, 3 retained on another topic, 4. Expected, for a subscription with a replay of 3: 1, 2,
    3, 4 in this order; the first because it is retained, the others as the last three.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        for topic, data, retain in (("was.a", 1, True), ("was.b", 2, False), ("was.c", 3, True), ("was.b", 4, False)):
            publish(run["mouth"], topic, data=data, retain=retain)
        heard = subscribe(run["ear"], "was.*", replay=3)
        publish(run["mouth"], "was.d", data="last")
        came = [one.get("data") for one in heard.until("last", rule="EVT-32")]
        expect_equal(came, [1, 2, 3, 4], "other events came, or in another order", "EVT-32")


@event_case(
    "events/replay-bounds",
    "EVT-32",
    why="What is kept for a replay that may never come has to be bounded.",
    mend="Keep the last 1024 events of all topics together, and of these no more than 8 MiB.",
)
def replay_bounds(host: HostSubject) -> None:
    """A replay reaches back 1024 events and 8 MiB.

    Published: 1000 small events, of which a replay of 1000 brings each. Then 1024 on another topic: a replay of the
    first brings none. Then three of almost 4 MiB after a small one: a replay brings not the small one.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        check_frames(run["mouth"], 3 * MIB)
        publish_many(run["mouth"], "old", list(range(1000)))
        _expect_past(run["ear"], run["mouth"], "old", list(range(1000)), "a thousand")
        with host.checks("1024 events"):
            publish_many(run["mouth"], "new", list(range(1024)))
            _expect_past(run["ear"], run["mouth"], "old", [], "more than 1024 events ago")
        with host.checks("8 MiB"):
            publish(run["mouth"], "small", data=1)
            for _ in range(3):
                publish(run["mouth"], "large", data="x" * (3 * MIB))
            _expect_past(run["ear"], run["mouth"], "small", [], "more than 8 MiB ago")


def _expect_past(ear: ProbeTalk, mouth: ProbeTalk, topic: str, expected: list[Json], what: str) -> None:
    heard = subscribe(ear, topic, replay=1000)
    publish(mouth, topic, data=what)
    came = [one.get("data") for one in heard.until(what, rule="EVT-32")]
    expect_equal(came, expected, f"other events were replayed: {what}", "EVT-32")


@event_case(
    "events/past",
    "EVT-33",
    why="A plugin has to tell how things stood from what has just happened.",
    mend="Send what was published before the subscription first, in its order, with `past: true`; everything else "
    "without it.",
)
def past(host: HostSubject) -> None:
    """Events from before the subscription come first, in their order, and carry `past`.

    Retained events on three topics, of which the first is published anew at last; then a subscription, and an event.
    Expected: the three in the order of their publication with `past: true`, then the last one without.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        for topic, data in (("was.a", 0), ("was.c", 1), ("was.b", 2), ("was.a", 3)):
            publish(run["mouth"], topic, data=data, retain=True)
        heard = subscribe(run["ear"], "was.*")
        publish(run["mouth"], "was.b", data="now", retain=True)
        came = heard.until("now", rule="EVT-33")
        with host.checks("order"):
            expect_equal([one.get("data") for one in came], [1, 2, 3], "they came in another order", "EVT-33")
        with host.checks("past"):
            expect_equal(
                [one.get("past") for one in came], [True, True, True], "they do not say that they are past", "EVT-33"
            )
        with host.checks("not past"):
            publish(run["mouth"], "was.d", data="later")
            expect_equal(
                heard.expect("later")[0].get("past", False), False, "a new event says that it is past", "EVT-33"
            )


@event_case(
    "events/past-without-room",
    "EVT-33",
    why="A subscription must not be ended, nor hold anybody up, for what happened before it was there.",
    mend="Leave out the oldest of the past events where there is no room, whatever the policy.",
)
def past_without_room(host: HostSubject) -> None:
    """Past events without room are left out, the oldest first, whatever the policy.

    Ten retained events, and for each policy a subscription with a window of one and a buffer of two. Expected: it is
    not ended; at most three events come, the last two among them, and `missed` tells of the others.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        for number in range(10):
            publish(run["mouth"], f"was.{number}", data=number, retain=True)
        for policy in ("dropOldest", "coalesce", "disconnect", "block"):
            with host.checks(policy):
                heard = subscribe(run["ear"], "was.*", policy=policy, window=1, buffer=2)
                came = [heard.next(rule="EVT-33")]
                while came[-1].get("data") != 9:
                    heard.ack(came[-1]["seq"])
                    came.append(heard.next(rule="EVT-33"))
                _check_left_out(came)
                heard.end()


def _check_left_out(came: list[dict[str, Json]]) -> None:
    data = [one.get("data") for one in came]
    if not 2 <= len(came) <= 3 or data[-2:] != [8, 9]:
        raise Broken(
            "other past events were left out",
            expected="two or three, 8 and 9 last",
            got=str(data),
            requirement="EVT-33",
        )
    told = sum(one.get("missed", 0) for one in came) + len(came)
    expect_equal([came[-1]["seq"], told], [10, 10], "the events that were left out were not told", "EVT-18")
