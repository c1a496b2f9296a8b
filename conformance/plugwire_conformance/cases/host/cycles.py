"""Calls that go round (chapter 04): refused when they could never be served, and only then."""

from itertools import pairwise

from ...case import Broken, expect_equal, host_case
from ...connection import show
from ...hosts.given import Given, plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostRun, HostSubject
from ...wire.codes import CALL_CYCLE
from ...wire.messages import Json, Message
from ._between import always, caused_by, error_data, expect_no_request, held, room, settle

_WHY = "A call that waits for itself hangs, and with it every plugin on the way, until some clock ends them all."
_MEND = (
    "When the callee has no free slot, follow who waits for whom from there; when every way leads back to this call, "
    "answer it with -32015 and the instance names in data.path."
)


def _single(*names: str) -> list[Given]:
    """Plugins that work on one request at a time; each has the one method ask."""
    return [plugin(name, f"{name}/ask") for name in names]


@host_case("cycles/round", "CAL-33", declares=("services",), why=_WHY, mend=_MEND)
def round_way(host: HostSubject) -> None:
    """A call to a plugin that waits for that very call is refused with CallCycle, with the way round.

    Given: plugins that work on one request at a time. While one serves a request it calls itself; or another one, which
    calls it; or another one, which calls a third one, which calls it. Expected: the last of these calls is answered
    with -32015 at once, and data.path is the way round by instance names; all the others then get their results.
    """
    ways = {"itself": ["a"], "two": ["b", "c"], "three": ["d", "e", "f"]}
    with host.start(plugin("x"), *_single(*"abcdef")) as run:
        for name, way in ways.items():
            with host.checks(name):
                calls = _follow(run, "x", *way)
                last = run[way[-1]]
                again = last.request(f"{way[0]}/ask", **caused_by(last, calls[-1][3]))
                path = error_data(last.expect_error(again, CALL_CYCLE)).get("path")
                expect_equal(path, [run[one].instance for one in [*way, way[0]]], "data.path is another")
                _finish(calls)


def _follow(run: HostRun, *way: str) -> list[tuple[ProbeTalk, Json, ProbeTalk, Message]]:
    """Each plugin of the way calls the next one: the caller, its id, the callee and the request."""
    calls: list[tuple[ProbeTalk, Json, ProbeTalk, Message]] = []
    for name, following in pairwise(way):
        caller, callee = run[name], run[following]
        cause = caused_by(caller, calls[-1][3]) if calls else {}
        id, request = held(caller, callee, f"{following}/ask", **cause)
        calls.append((caller, id, callee, request))
    return calls


def _finish(calls: list[tuple[ProbeTalk, Json, ProbeTalk, Message]]) -> None:
    """Answers the calls, the last one first; each has to arrive."""
    for caller, id, callee, request in reversed(calls):
        callee.answer(request, "done")
        expect_equal(caller.expect_result(id), "done", "the result is another")


@host_case("cycles/crossed", "CAL-33", declares=("services",), why=_WHY, mend=_MEND)
def crossed(host: HostSubject) -> None:
    """Two plugins that call each other while both are busy: the second of the two calls is refused.

    Given: a and b, which work on one request at a time, each with one of x. Sent: a calls b, which waits as b may still
    finish; then b calls a. Expected: only the call of b is answered with -32015; its path begins and ends with the same
    name and has both. When b answers, it gets the call of a.
    """
    with host.start(plugin("x"), *_single("a", "b")) as run:
        a, b = run["a"], run["b"]
        (of_x,) = _follow(run, "x", "b")
        (to_a,) = _follow(run, "x", "a")
        id = a.request("b/ask", {"of": "a"}, **caused_by(a, to_a[3]))
        settle(a, b)
        a.refuse(lambda message: message.is_response, "an answer to the call that can still be served")
        path = error_data(b.expect_error(b.request("a/ask", **caused_by(b, of_x[3])), CALL_CYCLE)).get("path")
        if not isinstance(path, list) or path[:1] != path[-1:] or set(path) != {a.instance, b.instance}:
            raise Broken("data.path is not the way round", expected="a → b → a, or b → a → b", got=repr(path))
        _finish([of_x])
        request = b.expect_request("b/ask")
        expect_equal(request.params, {"of": "a"}, "the params of the call that waited are others")
        _finish([to_a, (a, id, b, request)])


@host_case(
    "cycles/can-still-end",
    "CAL-33",
    declares=("services", "meta"),
    why="A call that only has to wait for a busy plugin is not lost; refused, it fails for no reason under load.",
    mend="Refuse a call only when every slot of its callee is held by something that waits for this call.",
)
def can_still_end(host: HostSubject) -> None:
    """A call that could be served later waits, though it goes round.

    Given: a works on two requests at a time and has two of x; for one of them it calls b, and b calls a.
    Expected: no answer to the call of b while both are open; when a answers the other one, it gets the call of b.
    """
    both = plugin("a", "a/ask", capabilities=room(2))
    with host.start(plugin("x", capabilities=room(1)), both, *_single("b")) as run:
        a, b = run["a"], run["b"]
        first, second = _follow(run, "x", "a"), _follow(run, "x", "a")
        cause = first[0][3]
        of_a, at_b = held(a, b, "b/ask", meta={"parent": cause.id})
        of_b = b.request("a/ask", {"round": True}, meta={"parent": at_b.id})
        settle(b, a)
        b.refuse(lambda message: message.is_response, "an answer to a call that can still be served")
        expect_no_request(a, "a/ask", rule="CAL-13")
        _finish(second)
        request = a.expect_request("a/ask")
        expect_equal(request.params, {"round": True}, "the params of the call that waited are others")
        _finish([*first, (a, of_a, b, at_b), (b, of_b, a, request)])


@host_case(
    "cycles/free-slot",
    "CAL-34",
    declares=("services", "meta"),
    why="Plugins that ask back while they serve are common; with a free slot nothing hangs.",
    mend="Look for a way round only when the callee has no free slot; otherwise hand the call over.",
)
def free_slot(host: HostSubject) -> None:
    """A call that comes back to a plugin with a free slot is served.

    Given: a works on three requests at a time. Done: x calls a, which calls b, which calls a, which calls c, which
    calls a. Expected: a gets all three, and each call its result.
    """
    three = plugin("a", "a/ask", capabilities=room(3))
    with host.start(plugin("x"), three, *_single("b", "c")) as run:
        _finish(_follow(run, "x", "a", "b", "a", "c", "a"))


@host_case(
    "cycles/caller-is-free",
    "CAL-34",
    declares=("services",),
    why="A plugin that calls on its own account serves nothing; whoever it calls must be able to ask it back.",
    mend="Count what a plugin is serving, not what it has asked for, as its slots.",
)
def caller_is_free(host: HostSubject) -> None:
    """A plugin that has called another one can be called back.

    Given: a and b, which work on one request at a time. Done: a calls b of its own accord, b calls a.
    Expected: a gets the call, and both calls get their results.
    """
    with host.start(*_single("a", "b")) as run:
        run["a"].reflexes["a/ask"] = always("back")
        (call,) = _follow(run, "a", "b")
        answer = run["b"].ask("a/ask")
        if answer.result != "back":
            raise Broken("the call back was not served", expected="the result", got=show(answer))
        _finish([call])
