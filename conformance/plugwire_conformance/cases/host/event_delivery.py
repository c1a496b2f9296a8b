"""Order, numbers, and what was left out (chapter 06: delivery)."""

from ...case import Broken, expect_equal
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.messages import Json
from .event_talk import check_frames, event_case, publish, publish_many, publish_soon, subscribe

_LARGE = "x" * 250_000


@event_case(
    "events/order",
    "EVT-16",
    why="Events tell how something became what it is; out of order, or twice, they tell something else.",
    mend="Give the events of a subscription one way through the host, and send each once.",
)
def order(host: HostSubject) -> None:
    """The events of a subscription come in the order in which they were published, each once.

    A plugin publishes 200 events, by notifications and requests in turn. Expected: all of them, in this order.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard, ids = subscribe(run["ear"], "step.*"), []
        for number in range(200):
            if number % 3:
                publish_soon(run["mouth"], "step.taken", data=number)
            else:
                ids.append(run["mouth"].request("event/publish", {"topic": "step.taken", "data": number}))
        publish_soon(run["mouth"], "step.last", data="last")
        came = [one.get("data") for one in heard.until("last")]
        expect_equal(came, list(range(200)), "the events came in another order, or not each once", "EVT-16")


@event_case(
    "events/one-order",
    "EVT-16",
    why="Two plugins that follow the same events have to come to the same picture.",
    mend="Give each event to all its subscriptions before the next one.",
)
def one_order(host: HostSubject) -> None:
    """Two subscribers get the events of two publishers in the same order.

    Two plugins publish 25 events each by requests, in turn, each after the answer to the one before. Expected: both
    subscribers get the 50 events in this order.
    """
    with host.start(plugin("ear"), plugin("eye"), plugin("mouth"), plugin("hand")) as run:
        heard = [subscribe(run[name], "both") for name in ("ear", "eye")]
        for number in range(50):
            publish(run["hand" if number % 2 else "mouth"], "both", data=number)
        publish(run["mouth"], "both", data="last")
        for name, subscription in zip(("ear", "eye"), heard, strict=True):
            with host.checks(f"subscriber {name}"):
                came = [one.get("data") for one in subscription.until("last")]
                expect_equal(came, list(range(50)), "the events came in another order", "EVT-16")


@event_case(
    "events/seq",
    "EVT-17",
    why="By its number a plugin tells the host how far it has come, and sees what it has missed.",
    mend="Count for each subscription from 1, every event that matches, also those that you leave out.",
)
def seq(host: HostSubject) -> None:
    """Each event has its number in the subscription, from 1, and those that are left out count.

    Two subscriptions begin at different times, and one event matches only one of them. Expected: 1, 2, 3, … in each.
    A third one has room for one event: of five it gets the first and the last, as 1 and 5.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        all_of_it = subscribe(run["ear"], "part.*")
        publish(run["mouth"], "part.one", data=1)
        some = subscribe(run["ear"], "part.two")
        for topic in ("part.two", "part.one", "part.two"):
            publish(run["mouth"], topic, data=topic)
        with host.checks("every event"):
            expect_equal([all_of_it.next().get("seq") for _ in range(4)], [1, 2, 3, 4], "other numbers came", "EVT-17")
        with host.checks("from its beginning"):
            expect_equal([some.next().get("seq") for _ in range(2)], [1, 2], "other numbers came", "EVT-17")
        with host.checks("left out"):
            narrow = subscribe(run["ear"], "narrow", window=1, buffer=1)
            publish(run["mouth"], "narrow", data=1)
            first = narrow.next()
            publish_many(run["mouth"], "narrow", [2, 3, 4, 5])
            narrow.ack(first["seq"])
            got = [first.get("seq"), narrow.expect(5, rule="EVT-17")[0].get("seq")]
            expect_equal(got, [1, 5], "events that were left out were not counted", "EVT-17")


@event_case(
    "events/missed",
    "EVT-18",
    why="A plugin that knows that it has missed something can ask for the whole; one that does not goes on with a "
    "wrong picture.",
    mend="Send `missed` with the next delivery, with the answer to event/unsubscribe and with event/ended: the exact "
    "number.",
)
def missed(host: HostSubject) -> None:
    """What is left out is told exactly.

    A subscription with room for two events and a window of one gets 20 events in batches, and acknowledges now and
    then; then it is ended. Expected: for each delivery `missed` is the gap before it (absent without a gap), and what
    was delivered and missed is 20 in all, the end included.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard = subscribe(run["ear"], "much", window=1, buffer=2)
        publish(run["mouth"], "much", data=1)
        came, number = [heard.next()], 1
        for batch, taken in ((1, 1), (7, 2), (2, 2), (9, 1)):
            publish_many(run["mouth"], "much", list(range(number + 1, number + 1 + batch)))
            number += batch
            for _ in range(taken):
                heard.ack(came[-1]["seq"])
                came.append(heard.next(rule="EVT-18"))
        last = 0
        for one in came:
            _check_gap(one, last)
            last = one["seq"]
        expect_equal(heard.end().get("missed", 0), number - last, "the end told of another number", "EVT-18")


def _check_gap(one: dict[str, Json], last: int) -> None:
    gap = one["seq"] - last - 1
    if one.get("missed", 0) != gap or one.get("missed") == 0:
        told = f"missed {one.get('missed')} at {one['seq']} after {last}"
        raise Broken(
            "another number was left out than was told",
            expected=f"missed {gap or 'absent'}",
            got=told,
            requirement="EVT-18",
        )


@event_case(
    "events/nothing-missed",
    "EVT-18",
    why="A plugin that believes it has missed something fetches everything anew, each time.",
    mend="Leave `missed` out where nothing was left out.",
)
def nothing_missed(host: HostSubject) -> None:
    """Where nothing was left out, nothing is told to be missed.

    50 events for a subscription that reads them all, which then ends. Expected: no `missed`, neither in a delivery
    nor in the answer to event/unsubscribe.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard = subscribe(run["ear"], "calm")
        publish_many(run["mouth"], "calm", list(range(50)))
        came = [heard.next() for _ in range(50)]
        told = [one["missed"] for one in came if "missed" in one]
        expect_equal(told, [], "a delivery told of missed events", "EVT-18")
        expect_equal("missed" in heard.end(), False, "the end told of missed events", "EVT-18")


@event_case(
    "events/slow-subscriber",
    "EVT-19",
    why="One plugin that hangs must not take the others with it.",
    mend="Never wait for a subscriber's pipe: what it does not take waits in its own bounded buffer.",
)
def slow_subscriber(host: HostSubject) -> None:
    """A subscriber that does not read keeps events from nobody else.

    One of two subscribers stops reading; 48 events with a quarter of a MiB each are published, one after another.
    Expected: each request to publish is answered, and the other subscriber gets each event.
    """
    with host.start(plugin("slow"), plugin("ear"), plugin("mouth")) as run:
        check_frames(run["mouth"], len(_LARGE))
        subscribe(run["slow"], "wide")
        heard = subscribe(run["ear"], "wide")
        run["slow"].pause_reading()
        for number in range(48):
            data = [number, _LARGE]
            id = run["mouth"].request("event/publish", {"topic": "wide", "data": data})
            run["mouth"].expect_result(id, rule="EVT-19")
            heard.expect(data, rule="EVT-19")
        run["slow"].resume_reading()
