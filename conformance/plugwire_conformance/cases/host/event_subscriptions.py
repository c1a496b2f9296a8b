"""Beginning and end of subscriptions (chapter 06: subscribing)."""

from ...case import Broken, expect_equal
from ...connection import show
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import INVALID_PARAMS, QUOTA_EXCEEDED
from .event_talk import Subscription, event_case, expect_code, publish, publish_soon, subscribe

_MOST = 1024


@event_case(
    "events/numbers",
    "EVT-11",
    why="A number that is used twice lets an event of an ended subscription pass as one of a new one.",
    mend="Count the subscriptions of the whole host, and use no number again.",
)
def numbers(host: HostSubject) -> None:
    """Each subscription has a number that no other has had.

    Two plugins subscribe in turn, one ends its subscriptions and makes new ones. Expected: seven different numbers.
    """
    with host.start(plugin("ear"), plugin("eye")) as run:
        made = [subscribe(run[name], "a.b") for name in ("ear", "eye", "ear")]
        for subscription in (made[2], made[0]):
            subscription.end()
        made += [subscribe(run[name], "a.b") for name in ("ear", "ear", "eye", "eye")]
        given = [one.number for one in made]
        expect_equal(len(set(given)), len(given), f"a number was given twice: {given}", "EVT-11")


@event_case(
    "events/answer-first",
    "EVT-11",
    why="A plugin knows its subscription by the number in the answer; an event before that belongs to nothing.",
    mend="Send the answer to event/subscribe before the first event/deliver, retained events and replays included.",
)
def answer_first(host: HostSubject) -> None:
    """No event of a subscription comes before the answer to event/subscribe.

    Three events are retained; meanwhile another plugin publishes without a pause, and a third one subscribes ten
    times, with a replay. Expected: of each subscription the answer comes first.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        ear, mouth = run["ear"], run["mouth"]
        for number in range(3):
            publish(mouth, f"kept.{number}", data=number, retain=True)
        made = []
        for _ in range(10):
            for other in range(20):
                publish_soon(mouth, "kept.live", data=other)
            made.append(subscribe(ear, "kept.*", replay=5))
        publish(mouth, "kept.live", data="last")
        for subscription in made:
            subscription.until("last", rule="EVT-11")
        for subscription in made:
            _check_answer_came_first(ear, subscription)


def _check_answer_came_first(ear: ProbeTalk, subscription: Subscription) -> None:
    for from_subject, message in ear.history:
        if not from_subject:
            continue
        if isinstance(message.result, dict) and message.result.get("subscription") == subscription.number:
            return
        if message.method == "event/deliver" and message.params.get("subscription") == subscription.number:
            raise Broken(
                "an event came before the answer", expected="the answer first", got=show(message), requirement="EVT-11"
            )


@event_case(
    "events/subscription-quota",
    "EVT-12",
    why="Without a bound a plugin that forgets to unsubscribe slows the host down for everybody.",
    mend="Allow each plugin 1024 subscriptions at a time, and answer a further one with QuotaExceeded.",
)
def subscription_quota(host: HostSubject) -> None:
    """A plugin may have 1024 subscriptions, and a further one is answered with QuotaExceeded.

    One plugin subscribes 1024 times, once more, and once more after it has ended one. Expected: results,
    QuotaExceeded, a result. Another plugin may subscribe meanwhile.
    """
    with host.start(plugin("ear"), plugin("eye")) as run:
        ear = run["ear"]
        at_once = max(1, min(128, ear.limits["maxInFlight"]))
        made = 0
        while made < _MOST:
            ids = [ear.request("event/subscribe", {"topic": f"t.{n}"}) for n in range(made, min(_MOST, made + at_once))]
            last = [ear.expect_result(id, rule="EVT-12") for id in ids][-1]
            made += len(ids)
        answer = ear.ask("event/subscribe", {"topic": "one.more"})
        expect_code(answer, QUOTA_EXCEEDED, "more than 1024 subscriptions were given", "EVT-12")
        with host.checks("another plugin"):
            subscribe(run["eye"], "one.more")
        with host.checks("after one has ended"):
            Subscription(ear, last["subscription"]).end()
            ear.expect_result(ear.request("event/subscribe", {"topic": "one.more"}), rule="EVT-12")


@event_case(
    "events/foreign-subscription",
    "EVT-13",
    why="Numbers are easy to guess; no plugin may deafen another one.",
    mend="Look the number up among the sender's own subscriptions.",
)
def foreign_subscription(host: HostSubject) -> None:
    """A plugin cannot end what is not its own.

    Sent: event/unsubscribe with the number of another plugin's subscription, with one that has ended, and with one
    that never was. Expected: InvalidParams for each, and the other plugin still gets its events.
    """
    with host.start(plugin("ear"), plugin("thief")) as run:
        heard, ended = subscribe(run["ear"], "mine"), subscribe(run["thief"], "other")
        ended.end()
        for name, number in (
            ("another's", heard.number),
            ("ended", ended.number),
            ("never made", heard.number + 100000),
        ):
            with host.checks(name):
                answer = run["thief"].ask("event/unsubscribe", {"subscription": number})
                expect_code(answer, INVALID_PARAMS, "a subscription was ended that is not the sender's", "EVT-13")
        with host.checks("what belongs to another plugin stays"):
            expect_equal(publish(run["thief"], "mine", data="still"), 1, "the subscription has gone", "EVT-13")
            heard.expect("still", rule="EVT-13")


@event_case(
    "events/unsubscribe",
    "EVT-14",
    why="After the answer a plugin has let go of all that handles the events; a late one meets nothing.",
    mend="Take the subscription off, with all that waits for it, before you answer event/unsubscribe.",
)
def unsubscribe(host: HostSubject) -> None:
    """After the answer to event/unsubscribe nothing of the subscription comes.

    Many events wait for a plugin that does not read for a while; it unsubscribes and reads on. Expected: no delivery
    after the answer. Then it subscribes again: what is published now comes once, with the new number.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        ear, mouth = run["ear"], run["mouth"]
        old = subscribe(ear, "busy")
        ear.pause_reading()
        for number in range(400):
            publish_soon(mouth, "busy", data=[number, "x" * 4000])
        publish(mouth, "busy", data="last of all")
        id = ear.request("event/unsubscribe", {"subscription": old.number})
        mouth.expect_alive()
        ear.resume_reading()
        ear.expect_result(id, rule="EVT-14")
        before = len([message for message in ear.taken() if message.method == "event/deliver"])
        new = subscribe(ear, "busy")
        expect_equal(
            publish(mouth, "busy", data="again"), 1, f"the subscription goes on, after {before} deliveries", "EVT-14"
        )
        new.expect("again", rule="EVT-14")
        _check_nothing_after(ear, id, old)


def _check_nothing_after(ear: ProbeTalk, id: object, old: Subscription) -> None:
    answered = False
    for from_subject, message in ear.history:
        if from_subject and message.is_response and message.id == id:
            answered = True
        if answered and message.method == "event/deliver" and message.params.get("subscription") == old.number:
            raise Broken(
                "an event came after the end of its subscription",
                expected="nothing",
                got=show(message),
                requirement="EVT-14",
            )


@event_case(
    "events/plugin-ended",
    "EVT-15",
    why="What is kept for a plugin that has gone is kept for ever, and those who wait for it wait for ever.",
    mend="End all subscriptions of a plugin with its connection, and let go of those who wait for them.",
)
def plugin_ended(host: HostSubject) -> None:
    """When a plugin ends, its subscriptions end.

    A plugin subscribes to a topic and is killed. Expected: soon a request to publish there is answered with 0.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        subscribe(run["ear"], "left")
        expect_equal(publish(run["mouth"], "left"), 1, "the number of subscriptions is another one", "EVT-06")
        run["ear"].die()
        _wait_until_nobody_listens(run["mouth"], "left")


def _wait_until_nobody_listens(mouth: ProbeTalk, topic: str) -> None:
    began = mouth.log.now()
    while publish(mouth, topic) != 0:
        if mouth.log.now() - began > mouth.patience:
            raise Broken(
                "the subscription of a plugin that has ended goes on",
                expected="0 subscriptions",
                got="1",
                requirement="EVT-15",
            )
