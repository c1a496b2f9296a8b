"""What the policies do when there is no room (chapter 06: flow)."""

from ...case import Broken, expect_equal
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.messages import Json
from .event_flow import expect_ended, on_the_way
from .event_talk import Subscription, event_case, publish, publish_many, subscribe


@event_case(
    "events/drop-oldest",
    "EVT-23",
    why="Who asks for dropOldest wants to know how things stand now, not how they stood.",
    mend="When there is no room, leave out what has waited longest until there is.",
)
def drop_oldest(host: HostSubject) -> None:
    """With dropOldest, and without a policy, the events that have waited longest are left out.

    A window of one, a buffer of two, and six events. Expected: the first one, which is on the way, then the last two.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        for name, policy in (("asked for", {"policy": "dropOldest"}), ("without a policy", {})):
            with host.checks(name):
                topic = f"fresh.{len(policy)}"
                heard = subscribe(run["ear"], topic, window=1, buffer=2, **policy)
                publish(run["mouth"], topic, data=1)
                heard.expect(1)
                publish_many(run["mouth"], topic, [2, 3, 4, 5, 6])
                heard.ack(1)
                heard.expect(5, rule="EVT-23")
                heard.ack(5)
                heard.expect(6, rule="EVT-23")


@event_case(
    "events/coalesce",
    "EVT-24",
    why="For a value that changes often only the last state of each thing matters.",
    mend="When an event comes whose topic and key another one that waits has too, leave the older one out; no key is a "
    "key as well.",
)
def coalesce(host: HostSubject) -> None:
    """With coalesce an event replaces the one that waits with the same topic and key.

    While nothing can be sent these are published, as topic, key and data. Expected: of two with the same topic and
    key the later one alone; the others untouched; in the order of publishing.
    """
    published = (
        ("one", [("t.a", "k", 1), ("t.a", "k", 2)], [2]),
        ("other keys stay", [("t.a", "k", 3), ("t.a", "l", 4), ("t.a", "k", 5)], [4, 5]),
        ("no key is one key", [("t.a", None, 6), ("t.a", "k", 7), ("t.a", None, 8)], [7, 8]),
        ("other topics stay", [("t.a", "k", 9), ("t.b", "k", 10), ("t.a", "k", 11)], [10, 11]),
    )
    with host.start(plugin("ear"), plugin("mouth")) as run:
        for name, events, expected in published:
            with host.checks(name):
                heard = subscribe(run["ear"], "t.*", policy="coalesce", window=1, buffer=10)
                publish(run["mouth"], "t.first", data=0)
                heard.expect(0)
                for topic, key, data in events:
                    publish(run["mouth"], topic, data=data, **({} if key is None else {"key": key}))
                publish(run["mouth"], "t.last", data="last")
                expect_equal(_acked_until_last(heard), expected, "other events came", "EVT-24")
                heard.end()


@event_case(
    "events/coalesce-without-room",
    "EVT-24",
    why="Many things with a state each can fill a buffer as well.",
    mend="When nothing can be replaced and there is no room, leave out what has waited longest.",
)
def coalesce_without_room(host: HostSubject) -> None:
    """With coalesce and no room the events that have waited longest are left out.

    A window of one, a buffer of two, five events with keys of their own. Expected: the first one, then the last two.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard = subscribe(run["ear"], "t", policy="coalesce", window=1, buffer=2)
        publish(run["mouth"], "t", data=0, key="k0")
        heard.expect(0)
        for number in (1, 2, 3, 4):
            publish(run["mouth"], "t", data=number, key=f"k{number}")
        heard.ack(1)
        heard.expect(3, rule="EVT-24")
        heard.ack(4)
        heard.expect(4, rule="EVT-24")


@event_case(
    "events/disconnect",
    "EVT-25",
    "EVT-18",
    why="Who asks for disconnect cannot work with gaps: it begins anew once it knows.",
    mend="When there is no room end the subscription, tell the plugin with event/ended how many events there were, and "
    "send no more.",
)
def disconnect(host: HostSubject) -> None:
    """With disconnect a subscription without room is ended, and nothing of it comes any more.

    A window of one, a buffer of two, and four events: one on the way, two that wait, and one more. Expected:
    event/ended with `seq` 4 and `missed` 3. Then an acknowledgement and another event: no delivery, and the event
    matches nothing.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard = on_the_way(run, "whole", buffer=2)
        publish_many(run["mouth"], "whole", [2, 3, 4], at_once=1)
        told = expect_ended(heard, "EVT-25")
        with host.checks("numbers"):
            expect_equal([told.get("seq"), told.get("missed")], [4, 3], "event/ended told of other numbers", "EVT-18")
        with host.checks("reason"):
            reason = told.get("reason")
            if not isinstance(reason, str) or not reason:
                raise Broken("event/ended has no reason", expected="a text", got=str(reason), requirement="EVT-25")
        with host.checks("nothing more"):
            heard.ack(1)
            expect_equal(publish(run["mouth"], "whole", data=5), 0, "the subscription is still there", "EVT-25")
            again = subscribe(run["ear"], "whole")
            publish(run["mouth"], "whole", data=6)
            again.expect(6)
            heard.refuse_more("an event of a subscription that was ended", "EVT-25")


def _acked_until_last(heard: Subscription) -> list[Json]:
    came: list[Json] = []
    seq = 1
    while True:
        heard.ack(seq)
        one = heard.next(rule="EVT-24")
        if one.get("data") == "last":
            return came
        came.append(one.get("data"))
        seq = one["seq"]
