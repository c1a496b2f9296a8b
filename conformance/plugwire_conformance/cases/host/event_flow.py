"""Windows, buffers and what happens when there is no room (chapter 06: flow)."""

from ...case import Broken
from ...connection import show
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostRun, HostSubject
from ...wire.messages import Json, Message
from .event_talk import (
    BLOCK,
    Subscription,
    check_frames,
    event_case,
    publish,
    publish_many,
    subscribe,
)


@event_case(
    "events/window",
    "EVT-20",
    why="A plugin sets a window because it can hold no more; what comes beyond it fills its memory.",
    mend="Count what is on the way unacknowledged in each subscription, and send no more than `window` of it.",
)
def window(host: HostSubject) -> None:
    """With a window no more events are on the way than are not acknowledged.

    A window of three, ten events. Expected: three deliveries; after the first was acknowledged one more; after all
    were, three more. Another subscription, without a window, shows that the host has dealt with all ten.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard, free = subscribe(run["ear"], "paced", window=3), subscribe(run["ear"], "paced")
        publish_many(run["mouth"], "paced", list(range(1, 11)))
        free.expect(*range(1, 11))
        for name, acknowledged, more in (
            ("at first", 0, [1, 2, 3]),
            ("after one", 1, [4]),
            ("after all", 4, [5, 6, 7]),
        ):
            with host.checks(name):
                if acknowledged:
                    heard.ack(acknowledged)
                heard.expect(*more, rule="EVT-20")
                run["ear"].expect_alive()
                heard.refuse_more("more events than the window allows", "EVT-20")


@event_case(
    "events/ack",
    "EVT-21",
    why="A plugin that acknowledges once for many events must not be left waiting for the rest.",
    mend="Take an acknowledgement as one of every event up to its `seq`, and a `seq` beyond what was sent as the last "
    "that was.",
)
def ack(host: HostSubject) -> None:
    """An acknowledgement counts for every event up to its seq, and for none that was not sent.

    A window of two, twenty events. Sent: acks of 2, of 9999, and of 2 again. Expected: after each of the first two
    just two more deliveries, and after the last one none, because it tells nothing new.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard, free = subscribe(run["ear"], "paced", window=2), subscribe(run["ear"], "paced")
        publish_many(run["mouth"], "paced", list(range(1, 21)))
        free.expect(*range(1, 21))
        for name, seq, more in (
            ("at first", 0, [1, 2]),
            ("up to 2", 2, [3, 4]),
            ("too high", 9999, [5, 6]),
            ("again", 2, []),
        ):
            with host.checks(name):
                heard.ack(seq)
                heard.expect(*more, rule="EVT-21")
                run["ear"].expect_alive()
                heard.refuse_more("events that were not asked for", "EVT-21")


@event_case(
    "events/foreign-ack",
    "EVT-21",
    why="A plugin could drown another one by acknowledging in its name.",
    mend="Look the subscription of event/ack up among the sender's own, and ignore what is not there.",
)
def foreign_ack(host: HostSubject) -> None:
    """An acknowledgement of another plugin's subscription is ignored.

    A window of one, three events; another plugin acknowledges the first one, and one of a subscription that never
    was. Expected: no further delivery, until the subscriber itself acknowledges; and the connection of the other goes
    on.
    """
    with host.start(plugin("ear"), plugin("thief")) as run:
        heard, free = subscribe(run["ear"], "paced", window=1), subscribe(run["ear"], "paced")
        publish_many(run["thief"], "paced", [1, 2, 3])
        free.expect(1, 2, 3)
        heard.expect(1)
        for number in (heard.number, heard.number + 100000):
            run["thief"].notify("event/ack", {"subscription": number, "seq": 1})
        run["thief"].expect_alive("EVT-21")
        publish(run["thief"], "paced", data=4)
        free.expect(4)
        heard.refuse_more("an event that another plugin has acknowledged for", "EVT-21")
        heard.ack(1)
        heard.expect(2, rule="EVT-21")


@event_case(
    "events/buffer",
    "EVT-22",
    why="Who asks for a small buffer wants fresh events; who asks for a large one wants none to be lost.",
    mend="Let just `buffer` events wait, and do what the policy says with the next one.",
)
def buffer(host: HostSubject) -> None:
    """As many events wait as the subscription asks for, and no more.

    A window of one, a buffer of three and the policy `disconnect`. Published: the event that is on the way, then
    three that wait. Expected: the subscription is there. After one more it is ended.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard = on_the_way(run, "narrow", buffer=3)
        with host.checks("three wait"):
            publish_many(run["mouth"], "narrow", [2, 3, 4])
            _expect_not_ended(run, heard, "the subscription was ended while there was room")
        with host.checks("four do not"):
            publish(run["mouth"], "narrow", data=5)
            expect_ended(heard, "EVT-22")


@event_case(
    "events/buffer-bytes",
    "EVT-22",
    why="A thousand events of a MiB each are a GiB of the host's memory, for one plugin that does not read.",
    mend="Count the bytes that wait too: 8 MiB for a subscription.",
)
def buffer_bytes(host: HostSubject) -> None:
    """No more than 8 MiB wait for a subscription.

    A window of one, a buffer of 1000 and the policy `disconnect`. Published: the event that is on the way, then eight
    of a little less than 1 MiB. Expected: the subscription is there. After one more of these it is ended.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        check_frames(run["mouth"], len(BLOCK))
        heard = on_the_way(run, "large", buffer=1000)
        with host.checks("less than 8 MiB"):
            for _ in range(8):
                publish(run["mouth"], "large", data=BLOCK)
            _expect_not_ended(run, heard, "the subscription was ended while there was room")
        with host.checks("more than 8 MiB"):
            publish(run["mouth"], "large", data=BLOCK)
            expect_ended(heard, "EVT-22")


@event_case(
    "events/plugin-bytes",
    "EVT-22",
    why="A plugin may have a thousand subscriptions; each with 8 MiB would be more than a machine has.",
    mend="Count the bytes that wait for all subscriptions of a plugin together: 64 MiB.",
)
def plugin_bytes(host: HostSubject) -> None:
    """No more than 64 MiB wait for all subscriptions of one plugin.

    Twelve subscriptions with a window of one and the policy `disconnect`, and eight events of a little less than 1
    MiB: for none of them alone too much, for all of them 96 MiB. Expected: some are ended, so that at most eight
    stay.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        check_frames(run["mouth"], len(BLOCK))
        made = [subscribe(run["ear"], "large", policy="disconnect", window=1, buffer=1000) for _ in range(12)]
        publish(run["mouth"], "large", data=1)
        for heard in made:
            heard.expect(1)
        for _ in range(8):
            publish(run["mouth"], "large", data=BLOCK)
        left = publish(run["mouth"], "large", data=2)
        if not isinstance(left, int) or not 1 <= left <= 8:
            got = f"{left} subscriptions are left"
            raise Broken("more than 64 MiB wait for one plugin", expected="1 to 8 of 12", got=got, requirement="EVT-22")


def on_the_way(run: HostRun, topic: str, **more: Json) -> Subscription:
    """A subscription that ends when there is no room, with one event on the way."""
    heard = subscribe(run["ear"], topic, policy="disconnect", window=1, **more)
    publish(run["mouth"], topic, data=1)
    heard.expect(1)
    return heard


def _is_end_of(heard: Subscription, message: Message) -> bool:
    params = message.params
    return message.method == "event/ended" and isinstance(params, dict) and params.get("subscription") == heard.number


def expect_ended(heard: Subscription, rule: str) -> dict[str, Json]:
    what = f"event/ended for the subscription {heard.number}"
    return dict(heard.probe.wait_for(lambda message: _is_end_of(heard, message), what, rule=rule).params)


def _expect_not_ended(run: HostRun, heard: Subscription, what: str) -> None:
    ear: ProbeTalk = run["ear"]
    ear.expect_alive()
    ended = [message for message in ear.taken() if _is_end_of(heard, message)]
    if ended:
        raise Broken(what, expected="no event/ended", got=show(ended[0]), requirement="EVT-22")
