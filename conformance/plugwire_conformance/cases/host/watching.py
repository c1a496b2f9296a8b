"""Watches: who is told of which changes (chapter 10)."""

from ...case import Broken, TimedOut, expect_equal
from ...connection import show
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import CONFLICT, INVALID_PARAMS, QUOTA_EXCEEDED
from ...wire.messages import Json, Message
from .state_talk import put, state_case


def changes(probe: ProbeTalk, watch: int, count: int, rule: str) -> list[dict[str, Json]]:
    """The next changes that a watch is told of, as many as that."""
    found: list[dict[str, Json]] = []
    while len(found) < count:
        told = probe.wait_for(lambda message: _is_of(message, watch), f"changes of the watch {watch}", rule=rule)
        found += told.params["changes"]
    return found


def watch(probe: ProbeTalk, prefix: str, **more: Json) -> dict[str, int]:
    return dict(probe.ask_result("state/watch", {"prefix": prefix, **more}))


def _is_of(message: Message, watch: int) -> bool:
    return message.method == "state/changed" and message.params.get("watch") == watch


@state_case(
    "watching/every-change",
    "STA-16",
    why="A plugin that keeps a copy of what it watches has a wrong copy for ever when it misses one change.",
    mend="Send each change of a key with that prefix once, in the order of revisions, and none from before the answer.",
)
def every_change(host: HostSubject) -> None:
    """A watch is sent each change of the keys with its prefix, in order and once.

    One plugin watches a prefix, and everything; another one puts, increments and deletes, inside it and outside.
    Expected: the changes with revisions, values and deletions as they were; none of other keys, none from before.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        before = put(b, "in/x", 0)
        one, all_of_them = watch(a, "in/"), watch(a, "")
        expect_equal(
            (one["revision"], all_of_them["revision"]), (before, before), "the counter is not as it should be", "STA-16"
        )
        put(b, "in/x", 1)
        put(b, "out", 2)
        put(b, "inner", 3)
        b.ask_result("state/increment", {"key": "in/x"})
        b.ask_result("state/delete", {"key": "in/x"})
        wanted = [
            {"key": "in/x", "revision": before + 1, "value": 1},
            {"key": "out", "revision": before + 2, "value": 2},
            {"key": "inner", "revision": before + 3, "value": 3},
            {"key": "in/x", "revision": before + 4, "value": 2},
            {"key": "in/x", "revision": before + 5, "deleted": True},
        ]
        expect_equal(
            changes(a, all_of_them["watch"], 5, "STA-16"),
            wanted,
            "what a watch of everything got is not as it should be",
            "STA-16",
        )
        inside = [change for change in wanted if change["key"] == "in/x"]
        expect_equal(
            changes(a, one["watch"], 3, "STA-16"), inside, "what the watch of in/ got is not as it should be", "STA-16"
        )


@state_case(
    "watching/from-a-revision",
    "STA-16",
    "STA-17",
    why="To know all keys and miss nothing a plugin lists them and watches from there; a gap between would be silent.",
    mend="Begin with the changes from fromRevision on; where that cannot be, answer Conflict with a revision that can.",
)
def from_a_revision(host: HostSubject) -> None:
    """A watch begins at the revision that it asks for, or is refused with one that would do.

    Sent: three puts, a watch from the second one on, and a watch from a revision that is far ahead.
    Expected: the second and third change; Conflict with a revision from which a watch then begins.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        revisions = [put(a, "k", number) for number in range(3)]
        told = changes(a, watch(a, "k", fromRevision=revisions[1])["watch"], 2, "STA-16")
        expect_equal(
            [change["value"] for change in told],
            [1, 2],
            "the changes from the second on are not as they should be",
            "STA-16",
        )
        with host.checks("ahead"):
            ahead = {"prefix": "k", "fromRevision": revisions[2] + 2}
            answer = a.expect_error(a.request("state/watch", ahead), CONFLICT, rule="STA-17")
            data = answer.value["error"].get("data") or {}
            call = a.request("state/watch", {"prefix": "k", "fromRevision": data.get("revision", 0)})
            a.expect_result(call, rule="STA-17")


@state_case(
    "watching/kept-changes",
    "STA-17",
    "STA-18",
    why="A plugin that was away for a while goes on from where it was, if so much is still kept.",
    mend="Keep the last 4096 changes, or as many as have 8 MiB; say with Conflict where what is kept begins.",
)
def kept_changes(host: HostSubject) -> None:
    """The last 4096 changes can still be asked for; older ones are refused with the first that can.

    Sent: 4100 increments, a watch from the first of the last 4096, and one from revision 1.
    Expected: the first one begins there; the other gets Conflict, or, where more is kept, begins.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        last = _increment_often(a, 4100)
        first = last - 4095
        number = a.expect_result(a.request("state/watch", {"prefix": "n", "fromRevision": first}), rule="STA-18")[
            "watch"
        ]
        told = changes(a, number, 1, "STA-18")
        expect_equal(told[0]["revision"], first, "the first change of the watch is not as it should be", "STA-18")
        with host.checks("older"):
            answer = a.ask("state/watch", {"prefix": "n", "fromRevision": 1})
            if answer.has("error"):
                data = answer.value["error"].get("data") or {}
                if answer.error_code != CONFLICT or not 1 < data.get("revision", 0) <= first:
                    expected = f"Conflict with a revision of at most {first}"
                    raise Broken(
                        "it was refused another way", expected=expected, got=show(answer), requirement="STA-17"
                    )


@state_case(
    "watching/unacknowledged",
    "STA-19",
    why="A plugin that cannot keep up would be buried under changes, or the host's memory would be.",
    mend="Stop at 1024 unacknowledged changes, and go on from what is kept when state/ack says how far the plugin is.",
)
def unacknowledged(host: HostSubject) -> None:
    """A watch is not sent more than 1024 changes that are not yet acknowledged.

    A plugin watches and acknowledges nothing while 1500 changes happen; then it acknowledges 1000 of them.
    Expected: at most 1024 changes before, the rest after, without a gap.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        number = watch(a, "n")["watch"]
        last = _increment_often(b, 1500)
        a.expect_alive()
        told = [change for message in a.taken(lambda one: _is_of(one, number)) for change in message.params["changes"]]
        if len(told) > 1024:
            got = f"{len(told)} changes"
            raise Broken("the watch was sent too many changes", expected="at most 1024", got=got, requirement="STA-19")
        a.notify("state/ack", {"watch": number, "revision": told[-1]["revision"]})
        told += changes(a, number, 1500 - len(told), "STA-19")
        expect_equal(
            [change["revision"] for change in told],
            list(range(last - 1499, last + 1)),
            "the revisions are not as they should be",
            "STA-19",
        )


@state_case(
    "watching/falls-behind",
    "STA-20",
    why="A plugin that takes a gap for no gap believes for ever what is no longer so.",
    mend="End the watch with state/unwatched, and say up to which revision everything was sent; never leave one out.",
)
def falls_behind(host: HostSubject) -> None:
    """A watch that falls too far behind is ended, and told up to where it has everything.

    A plugin watches and acknowledges nothing while 9000 changes happen.
    Expected: state/unwatched, with the revision of the last change that was sent.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        number = watch(a, "n")["watch"]
        _increment_often(b, 9000)
        a.expect_alive()
        told = [change for message in a.taken(lambda one: _is_of(one, number)) for change in message.params["changes"]]
        ended = a.expect_notification("state/unwatched", rule="STA-20").params
        expect_equal(ended["watch"], number, "the watch that ended is not as it should be", "STA-20")
        expect_equal(
            ended["revision"], told[-1]["revision"], "up to where everything was sent is not as it should be", "STA-20"
        )
        revisions = [change["revision"] for change in told]
        expect_equal(
            revisions,
            list(range(revisions[0], revisions[0] + len(told))),
            "the revisions that were sent are not as they should be",
            "STA-20",
        )


@state_case(
    "watching/unwatch",
    "STA-21",
    why="A plugin that has ended its watch has forgotten what the changes were for.",
    mend="Send nothing for a watch after the answer to state/unwatch; refuse what is no watch of the sender.",
)
def unwatch(host: HostSubject) -> None:
    """After the answer to state/unwatch nothing comes for that watch, and one cannot end another's.

    Sent: unwatch of one of two watches, then a put; unwatch again, and of another plugin's watch; acks for both.
    Expected: the change for the other watch alone; InvalidParams; the other plugin's watch goes on.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        one, two, others = watch(a, "k")["watch"], watch(a, "k")["watch"], watch(b, "k")["watch"]
        a.ask_result("state/unwatch", {"watch": one})
        a.notify("state/ack", {"watch": others, "revision": 0})
        a.notify("state/ack", {"watch": one, "revision": 0})
        put(b, "k", 1)
        changes(a, two, 1, "STA-21")
        a.refuse(lambda message: _is_of(message, one), "a change for a watch that was ended", rule="STA-21")
        for name, number in [("ended", one), ("not-mine", others), ("never-there", 10**9)]:
            with host.checks(name):
                a.expect_error(a.request("state/unwatch", {"watch": number}), INVALID_PARAMS, rule="STA-21")
        with host.checks("the-others-goes-on"):
            changes(b, others, 1, "STA-21")


@state_case(
    "watching/how-many",
    "STA-22",
    why="Each watch costs the host work with every change; without a bound one plugin slows all.",
    mend="Refuse the 257th watch of a plugin with QuotaExceeded, and forget a plugin's watches when it ends.",
)
def how_many(host: HostSubject) -> None:
    """A plugin has 256 watches and not one more, and they end with it.

    A plugin asks for 257 watches, ends one and asks again; then its process ends and is started again.
    Expected: QuotaExceeded for the 257th; a watch after one was ended; nothing for the watches of the dead process.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        calls = [a.request("state/watch", {"prefix": "k"}) for _ in range(256)]
        watches = [a.expect_result(call, rule="STA-22")["watch"] for call in calls]
        a.expect_error(a.request("state/watch", {"prefix": "k"}), QUOTA_EXCEEDED, rule="STA-22")
        with host.checks("others-have-theirs"):
            b.expect_result(b.request("state/watch", {"prefix": "k"}), rule="STA-22")
        with host.checks("room-again"):
            a.ask_result("state/unwatch", {"watch": watches[0]})
            a.expect_result(a.request("state/watch", {"prefix": "k"}), rule="STA-22")
        with host.checks("they-end-with-the-plugin"):
            a.exit(1)
            try:
                again = run.receive_again("a").wait_ready()
            except TimedOut:
                return  # a host need not start a plugin again
            again.expect_result(again.request("state/watch", {"prefix": "none"}), rule="STA-22")
            put(b, "k", 1)
            again.expect_alive()
            again.refuse(lambda message: message.method == "state/changed", "a change for an old watch", rule="STA-22")


def _increment_often(probe: ProbeTalk, times: int) -> int:
    """So many changes of the key n, a few hundred in flight at a time; the revision of the last one."""
    last, open_calls = 0, list[Json]()
    for _ in range(times):
        open_calls.append(probe.request("state/increment", {"key": "n"}))
        if len(open_calls) == 200:
            last = _last(probe, open_calls)
            open_calls = []
    return _last(probe, open_calls) if open_calls else last


def _last(probe: ProbeTalk, calls: list[Json]) -> int:
    return max(int(probe.expect_result(call)["revision"]) for call in calls)
