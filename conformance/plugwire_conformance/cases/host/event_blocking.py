"""Publishers that wait for those who have subscribed with `block` (chapter 06: flow)."""

from ...case import expect_equal
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostRun, HostSubject
from ...wire.codes import DEADLINE_EXCEEDED, REQUEST_CANCELLED
from ...wire.messages import Json
from .event_talk import Subscription, event_case, expect_unanswered, publish, publish_soon, subscribe


def filled(run: HostRun, name: str = "ear", topic: str = "all") -> Subscription:
    """A subscription that blocks: its first event is on the way, its second one takes the only place in its buffer."""
    heard = subscribe(run[name], topic, policy="block", window=1, buffer=1)
    publish(run["mouth"], topic, data=1)
    heard.expect(1)
    publish(run["mouth"], topic, data=2)
    return heard


def publishing(probe: ProbeTalk, data: Json, *, topic: str = "all", **members: Json) -> Json:
    return probe.request("event/publish", {"topic": topic, "data": data}, **members)


@event_case(
    "events/block",
    "EVT-26",
    why="Who subscribes with block wants every event; that works only when the publisher slows down.",
    mend="Hold the answer to event/publish back until there is room for the event in each subscription that blocks.",
)
def block(host: HostSubject) -> None:
    """With block a request to publish is answered when every subscription has taken the event.

    Two subscriptions with `block`, a window of one and a buffer of one. Expected: the first two events are answered
    at once. The third one is not: not after the one subscriber has acknowledged, but when the other one has as well.
    Then each gets every event.
    """
    with host.start(plugin("ear"), plugin("eye"), plugin("mouth")) as run:
        heard = filled(run)
        other = subscribe(run["eye"], "all", policy="block", window=1, buffer=2)
        third = publishing(run["mouth"], 3)
        expect_unanswered(run["mouth"], third, "an answer before the event was taken", "EVT-26")
        heard.ack(1)
        expect_equal(run["mouth"].expect_result(third, rule="EVT-26").get("subscribers"), 2, "another number", "EVT-06")
        other.expect(3)
        fourth, fifth = publishing(run["mouth"], 4), publishing(run["mouth"], 5)
        heard.expect(2)
        heard.ack(2)
        run["mouth"].expect_result(fourth, rule="EVT-26")
        heard.expect(3)
        heard.ack(3)
        run["mouth"].expect_result(fifth, rule="EVT-26")
        sixth = publishing(run["mouth"], 6)
        heard.expect(4)
        heard.ack(4)
        heard.expect(5)
        run["ear"].expect_alive()
        expect_unanswered(run["mouth"], sixth, "an answer before the second subscriber had taken the event", "EVT-26")
        other.ack(1)
        run["mouth"].expect_result(sixth, rule="EVT-26")
        other.expect(4)
        heard.ack(5)
        heard.expect(6)


@event_case(
    "events/block-order",
    "EVT-26",
    why="Events that overtake each other while they wait tell a wrong story.",
    mend="Let the publishers wait in one row for each subscription.",
)
def block_order(host: HostSubject) -> None:
    """Subscriptions that block take events in the order in which they were published.

    Three events wait, of two publishers. Expected: they are taken, answered and delivered in this order.
    """
    with host.start(plugin("ear"), plugin("mouth"), plugin("hand")) as run:
        heard = filled(run)
        waiting = []
        for data, name in ((3, "mouth"), (4, "hand"), (5, "mouth")):
            waiting.append((run[name], publishing(run[name], data)))
            expect_unanswered(*waiting[-1], "an answer before the event was taken", "EVT-26")
        for seq, (probe, id) in enumerate(waiting, 1):
            heard.ack(seq)
            heard.expect(seq + 1)
            probe.expect_result(id, rule="EVT-26")
        heard.ack(4)
        heard.expect(5, rule="EVT-26")


@event_case(
    "events/block-holds-nobody-else",
    "EVT-19",
    why="One subscriber's wish to miss nothing must not slow down those who only look on.",
    mend="Give the event to all others at once, and only its answer back later.",
)
def block_holds_nobody_else(host: HostSubject) -> None:
    """While a publisher waits for one subscription, the others get the event, and other topics go on.

    Expected, while a request to publish waits: the same event at another subscriber, and an answer to a request to
    publish on another topic by the same plugin.
    """
    with host.start(plugin("ear"), plugin("eye"), plugin("mouth")) as run:
        heard, free = filled(run), subscribe(run["eye"], ">")
        third = publishing(run["mouth"], 3)
        with host.checks("other subscribers"):
            free.expect(3, rule="EVT-19")
        with host.checks("other topics"):
            run["mouth"].expect_result(publishing(run["mouth"], 1, topic="aside"), rule="EVT-19")
            free.expect(1, rule="EVT-19")
        heard.ack(1)
        run["mouth"].expect_result(third)


@event_case(
    "events/block-given-up",
    "EVT-27",
    why="A publisher that has given up must not be surprised by its event, and a subscriber has to know that one is "
    "missing.",
    mend="When a waiting request ends before its time, take the event back where it was not taken, and count it as "
    "missed.",
)
def block_given_up(host: HostSubject) -> None:
    """An event whose publisher gave up waiting counts as missed.

    Requests to publish wait; one is cancelled, the next one's caller is killed, and a third one is still waited for.
    Expected: RequestCancelled, and at the subscriber the third event with `missed` 2.
    """
    with host.start(plugin("ear"), plugin("eye"), plugin("mouth"), plugin("hand")) as run:
        heard, ended = filled(run), subscribe(run["eye"], "host.plugin.ended")
        cancelled = publishing(run["mouth"], "cancelled")
        expect_unanswered(run["mouth"], cancelled, "an answer before the event was taken", "EVT-26")
        publishing(run["hand"], "its caller ends")
        run["hand"].expect_alive()
        third = publishing(run["mouth"], "waited for")
        run["mouth"].notify("$/cancelRequest", {"id": cancelled})
        run["mouth"].expect_error(cancelled, REQUEST_CANCELLED, rule="EVT-27")
        run["hand"].die()
        ended.next(rule="EVT-38")
        _expect_next_missed(heard, "waited for", 2)
        run["mouth"].expect_result(third)


@event_case(
    "events/block-deadline",
    "EVT-27",
    declares=("events", "meta"),
    why="A publisher with little time must get it back, even when a subscriber hangs.",
    mend="Answer a waiting request with DeadlineExceeded when its time is over, and count the event as missed.",
)
def block_deadline(host: HostSubject) -> None:
    """A request to publish that waits ends with its deadline, and its event counts as missed.

    Sent while there is no room: event/publish with `deadlineMs` 100 in its meta, then another one. Expected:
    DeadlineExceeded for the first one, and at the subscriber the second event with `missed` 1.
    """
    with host.start(plugin("ear"), plugin("mouth", capabilities={"meta": True})) as run:
        heard = filled(run)
        late = publishing(run["mouth"], "late", meta={"deadlineMs": 100})
        run["mouth"].expect_error(late, DEADLINE_EXCEEDED, rule="EVT-27")
        third = publishing(run["mouth"], "waited for")
        expect_unanswered(run["mouth"], third, "an answer before the event was taken", "EVT-27")
        _expect_next_missed(heard, "waited for", 1)
        run["mouth"].expect_result(third)


@event_case(
    "events/block-not-waited-for",
    "EVT-27",
    why="A notification cannot be slowed down; kept without a bound it would fill the host's memory.",
    mend="Where there is no room, count an event that came as a notification as missed at once.",
)
def block_not_waited_for(host: HostSubject) -> None:
    """An event that nobody waits for is missed at once where there is no room.

    Published while there is no room: two events by notifications, then one by a request. Expected: the last one, with
    `missed` 2.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard = filled(run)
        for data in ("noted", "noted too"):
            publish_soon(run["mouth"], "all", data=data)
        third = publishing(run["mouth"], "waited for")
        expect_unanswered(run["mouth"], third, "an answer before the event was taken", "EVT-27")
        _expect_next_missed(heard, "waited for", 2)
        run["mouth"].expect_result(third)


@event_case(
    "events/block-itself",
    "EVT-27",
    why="A plugin that waits until it has itself made room waits for ever.",
    mend="Where an event with hops finds no room in its publisher's own subscription, count it as missed and answer at "
    "once.",
)
def block_itself(host: HostSubject) -> None:
    """A plugin that publishes because of an event does not wait for its own subscription.

    A plugin that has subscribed with `block` publishes three events with `hops` 1 by requests, and acknowledges none.
    Expected: an answer to each; the third one counts as missed.
    """
    with host.start(plugin("mouth")) as run:
        heard = subscribe(run["mouth"], "own", policy="block", window=1, buffer=1)
        for data in (1, 2, 3):
            id = run["mouth"].request("event/publish", {"topic": "own", "data": data, "hops": 1})
            run["mouth"].expect_result(id, rule="EVT-27")
        heard.expect(1)
        heard.ack(1)
        heard.expect(2)
        expect_equal(heard.end().get("missed"), 1, "another number was missed", "EVT-27")


@event_case(
    "events/block-host",
    "EVT-27",
    why="A plugin that listens to the host with block must not be able to stop the host.",
    mend="Let the host itself wait for nobody: what finds no room counts as missed.",
)
def block_host(host: HostSubject) -> None:
    """The host does not wait for those who have subscribed to its own topics.

    A subscription to `host.plugin.ended` with `block`, a window of one and a buffer of one; six plugins are killed
    one after another. Expected: another subscription gets each event. After five the subscriber acknowledges the
    first one and gets the second; after the sixth it acknowledges again and gets this one, with `missed` 3.
    """
    names = [f"short{number}" for number in range(6)]
    with host.start(plugin("ear"), *map(plugin, names)) as run:
        heard = subscribe(run["ear"], "host.plugin.ended", policy="block", window=1, buffer=1)
        free = subscribe(run["ear"], "host.plugin.ended")
        for name in names[:5]:
            run[name].die()
            free.next(rule="EVT-27")
        first = heard.next()
        heard.ack(first["seq"])
        second = heard.next()
        run[names[5]].die()
        free.next(rule="EVT-27")
        heard.ack(second["seq"])
        last = heard.next(rule="EVT-27")
        told = [first["seq"], second["seq"], last["seq"], last.get("missed", 0)]
        expect_equal(told, [1, 2, 6, 3], "other events were missed", "EVT-27")


@event_case(
    "events/block-plugin-ended",
    "EVT-15",
    why="A publisher must not wait for somebody who has gone.",
    mend="When a subscription ends, let go of all that wait for it.",
)
def block_plugin_ended(host: HostSubject) -> None:
    """A publisher no longer waits when the subscription ends.

    Two requests to publish wait; the subscriber ends one subscription, and is killed with the other. Expected: an
    answer to each.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        for name, topic in (("unsubscribed", "one"), ("ended", "two")):
            with host.checks(name):
                heard = filled(run, topic=topic)
                id = publishing(run["mouth"], 3, topic=topic)
                expect_unanswered(run["mouth"], id, "an answer before the event was taken", "EVT-26")
                if name == "ended":
                    run["ear"].die()
                else:
                    heard.end()
                run["mouth"].expect_answer(id, rule="EVT-15")


def _expect_next_missed(heard: Subscription, data: Json, missed: int) -> None:
    """After one on the way and one that waits: the event with that data, with so many missed before it."""
    heard.ack(1)
    heard.expect(2)
    heard.ack(2)
    told = heard.expect(data, rule="EVT-27")[0]
    expect_equal(told.get("missed", 0), missed, "another number was missed", "EVT-27")
