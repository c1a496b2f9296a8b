"""The time that a call has (chapter 04)."""

from ...case import Broken, expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import DEADLINE_EXCEEDED
from ...wire.messages import Json, Message
from ._between import META, error_data, expect_cancel, expect_no_request, held, meta_of, room, settle

_LARGEST = 2**31 - 1


@host_case(
    "deadlines/child",
    "CAL-29",
    declares=("services", "meta"),
    why="A callee that believes it has a minute works on for a caller that gives up after a second.",
    mend="Give a call the smaller of the time that it asks for and the time that is left to its parent.",
)
def child(host: HostSubject) -> None:
    """A call has no more time than the one that it is made for.

    Given: a calls b with 30 s; b calls c for it with 60 s, with 10 s, and without a time of its own.
    Expected: c is told of at most 30 s, at most 10 s, and at most 30 s.
    """
    b, c = plugin("b", "b/ask", capabilities=room(9)), plugin("c", "c/ask", capabilities=room(9))
    with host.start(plugin("a", capabilities=META), b, c) as run:
        _, of_a = held(run["a"], run["b"], "b/ask", meta={"deadlineMs": 30_000})
        asked: dict[str, tuple[dict[str, Json], int]] = {
            "longer": ({"deadlineMs": 60_000}, 30_000),
            "shorter": ({"deadlineMs": 10_000}, 10_000),
            "none": ({}, 30_000),
        }
        for name, (meta, most) in asked.items():
            with host.checks(name):
                _, of_b = held(run["b"], run["c"], "c/ask", meta={"parent": of_a.id, **meta})
                _expect_left(of_b, most)


@host_case(
    "deadlines/exceeded",
    "CAL-30",
    declares=("services", "meta"),
    why="A caller that says how long it can wait must hear in that time, and its callee must not work on for nobody.",
    mend="Start a clock for each call; when it has run out answer with -32012, and send the callee a cancel.",
)
def exceeded(host: HostSubject) -> None:
    """A call whose time has run out is answered with DeadlineExceeded and cancelled at the callee.

    Sent: a call with 500 ms that the callee does not answer. Expected: -32012 for the caller, with the callee's name if
    data tells one; a cancel for the callee.
    """
    with host.start(plugin("a", capabilities=META), plugin("b", "b/ask")) as run:
        a, b = run["a"], run["b"]
        id, request = held(a, b, "b/ask", meta={"deadlineMs": 500})
        with host.checks("answered"):
            data = error_data(a.expect_error(id, DEADLINE_EXCEEDED))
            expect_equal(data.get("instance", b.instance), b.instance, "data.instance is another")
        with host.checks("cancelled"):
            expect_cancel(b, request)


@host_case(
    "deadlines/waiting",
    "CAL-30",
    declares=("services", "meta"),
    why="The time of a call runs while it waits at the host too; otherwise a busy callee keeps its callers for ever.",
    mend="Start the clock of a call when it arrives, and take it out of the queue when the time has run out.",
)
def waiting(host: HostSubject) -> None:
    """A call whose time runs out while it waits at the host is answered, and never reaches the callee.

    Given: a callee that works on one request at a time and has one. Sent: a call with 150 ms, one with 0 ms, and one
    with enough time. Expected: -32012 for the two; the callee gets only the third when it has answered the first.
    """
    with host.start(plugin("a", capabilities=META), plugin("b", "b/ask")) as run:
        a, b = run["a"], run["b"]
        _, first = held(a, b, "b/ask", {"n": 1})
        for name, time in (("150 ms", 150), ("0 ms", 0)):
            with host.checks(name):
                a.expect_error(a.request("b/ask", {"n": 2}, meta={"deadlineMs": time}), DEADLINE_EXCEEDED)
        a.request("b/ask", {"n": 3})
        b.answer(first)
        expect_equal(b.expect_request("b/ask").params, {"n": 3}, "the params of the next request are others")
        settle(a, b)
        expect_no_request(b, "b/ask")


@host_case(
    "deadlines/default",
    "CAL-31",
    declares=("services", "meta"),
    why="A call that nobody bounds waits for ever for a callee that hangs, and everything that waits for it does too.",
    mend="Give a call without deadlineMs a time that you choose, and treat it as any other deadline.",
)
def default(host: HostSubject) -> None:
    """A call without a deadline is given one.

    Sent: a call without meta, and one with meta that has no deadline. Expected: the callee is told of a time left.
    """
    with host.start(plugin("a", capabilities=META), plugin("b", "b/ask", capabilities=room(9))) as run:
        for name, members in {"no-meta": {}, "no-deadline": {"meta": {"progress": 1}}}.items():
            with host.checks(name):
                _, request = held(run["a"], run["b"], "b/ask", **members)
                _expect_left(request, _LARGEST)


@host_case(
    "deadlines/configured",
    "CAL-31",
    declares=("services",),
    why="A call that nobody bounds waits for ever for a callee that hangs, and everything that waits for it does too.",
    mend="End a call that came without a deadline when the call_timeout of the host's list has passed, with -32012.",
)
def configured(host: HostSubject) -> None:
    """A call without a deadline ends when the configured time has passed.

    Given: a plugin whose call_timeout in the host's list is 0.5 s, and which does not answer. Sent: a call without
    meta. Expected: -32012.
    """
    with host.start(plugin("a"), plugin("b", "b/ask", settings={"call_timeout": 0.5})) as run:
        id, _ = held(run["a"], run["b"], "b/ask")
        run["a"].expect_error(id, DEADLINE_EXCEEDED)


@host_case(
    "deadlines/time-left",
    "CAL-32",
    declares=("services", "meta"),
    why="A callee plans with the time that it is told: too much and it works for nobody, none and it cannot plan.",
    mend="Send deadlineMs as the time that is left at the moment when you hand the call over, not as it came.",
)
def time_left(host: HostSubject) -> None:
    """The callee is told of the time that is left when it gets the call.

    Sent: a call with 50 s, and one with the longest time that there is. Then, while the callee is busy, one with 50 s
    that waits until another call with 400 ms has run out of time. Expected: at most 50 s; at most 2147483647 ms; and
    at most 49600 ms.
    """
    callee = plugin("b", "b/ask", capabilities=room(2))
    with host.start(plugin("a", capabilities=META), callee) as run:
        a, b = run["a"], run["b"]
        requests = []
        for name, time in (("50 s", 50_000), ("longest", _LARGEST)):
            with host.checks(name):
                requests.append(held(a, b, "b/ask", meta={"deadlineMs": time})[1])
                _expect_left(requests[-1], time, least=time - 40_000)
        with host.checks("after-waiting"):
            a.request("b/ask", meta={"deadlineMs": 50_000})
            a.expect_error(a.request("b/ask", meta={"deadlineMs": 400}), DEADLINE_EXCEEDED, rule="CAL-30")
            b.answer(requests[0])
            _expect_left(b.expect_request("b/ask"), 49_600)


def _expect_left(request: Message, most: int, *, least: int = 0) -> None:
    """Broken unless the request says that a time within these bounds is left, in milliseconds."""
    left: Json = meta_of(request).get("deadlineMs")
    if type(left) is not int or not least <= left <= most:
        expected = f"meta.deadlineMs from {least} to {most}"
        raise Broken("the callee is told of another time", expected=expected, got=repr(request.member("meta")))
