"""Calls that their caller no longer wants (chapter 04)."""

from ...case import Broken, expect_equal, host_case, with_longer_times
from ...connection import show
from ...hosts.given import Given, plugin
from ...hosts.subject import HostRun, HostSubject
from ...wire.codes import DEADLINE_EXCEEDED, REQUEST_CANCELLED
from ...wire.messages import Json, Message
from ._between import META, always, expect_cancel, expect_no_cancel, expect_no_request, held, room, settle

#: Times our patience: a host may wait for a callee that was cancelled before it answers the caller itself (CAL-24).
_BOUND = 2
_STORM = 200


@host_case(
    "cancel/not-in-flight",
    "CAL-21",
    declares=("services",),
    why="Cancels cross with answers all the time; a host that takes one for another call ends good work.",
    mend="Look the id up among the open requests of this plugin, by type and value; do nothing when it is not there.",
)
def not_in_flight(host: HostSubject) -> None:
    """A cancel of what is not in flight is ignored.

    Given: a call with the id 5005 and one with the id "5006" in flight. Sent: cancels for ids that were never used or
    are answered, for "5005", 5006 and values that are no id, and without an id.
    Expected: neither call is cancelled, and both get their results.
    """
    wrong: dict[str, Json] = {
        "unknown": 99_999,
        "answered": 5004,
        "string-for-integer": "5005",
        "integer-for-string": 5006,
    }
    wrong |= {"fraction": 5005.0, "null": None, "true": True, "list": [5005], "object": {"id": 5005}, "empty": ""}
    with host.start(plugin("a"), plugin("b", "b/ask", capabilities=room(4))) as run:
        a, b = run["a"], run["b"]
        id, answered = held(a, b, "b/ask", id=5004)
        b.answer(answered, "four")
        a.expect_result(id)
        calls = [held(a, b, "b/ask", id=5005), held(a, b, "b/ask", id="5006")]
        sent: dict[str, Json] = {name: {"id": id} for name, id in wrong.items()} | {"no-id": {}, "no-params": None}
        for name, params in sent.items():
            with host.checks(name):
                a.notify("$/cancelRequest", params)
                settle(a, b)
                b.refuse(lambda message: message.method == "$/cancelRequest", "a cancel")
                a.refuse(lambda message: message.is_response, "an answer")
        for id, request in calls:
            b.answer(request, f"result of {id}")
            expect_equal(a.expect_result(id), f"result of {id}", "the result is another")


@host_case(
    "cancel/of-another-plugin",
    "CAL-22",
    declares=("services",),
    why="Ids are small numbers that all plugins use; a plugin must not be able to end the work of another one.",
    mend="Look the id up among the requests of the plugin that sent the cancel, never among all.",
)
def of_another_plugin(host: HostSubject) -> None:
    """A cancel applies to requests of its sender only.

    Given: a has a call with the id 5007 in flight, b has none with that id, and c has one. Sent: a cancel of 5007 by b,
    then by c. Expected: nothing, then the end of the call of c; the call of a gets its result.
    """
    callee = plugin("d", "d/ask", capabilities=room(4))
    with host.start(plugin("a"), plugin("b"), plugin("c"), callee) as run:
        a, b, c, d = run["a"], run["b"], run["c"], run["d"]
        _, of_a = held(a, d, "d/ask", id=5007)
        b.notify("$/cancelRequest", {"id": 5007})
        settle(b, d)
        with host.checks("none-with-that-id"):
            expect_no_cancel(d, of_a)
        _, of_c = held(c, d, "d/ask", id=5007)
        c.notify("$/cancelRequest", {"id": 5007})
        expect_cancel(d, of_c, rule="CAL-23")
        settle(c, d)
        with host.checks("one-with-that-id"):
            expect_no_cancel(d, of_a)
        d.answer(of_a, "for a")
        expect_equal(a.expect_result(5007), "for a", "what a is answered is another")


@host_case(
    "cancel/every-depth",
    "CAL-23",
    declares=("services", "meta"),
    why="Who stops a long task wants all of it to stop, not only the plugin that he sees.",
    mend="Keep for each call the calls that were made because of it, and cancel them with it, down to the last.",
)
def every_depth(host: HostSubject) -> None:
    """A cancel reaches every call that was made because of the cancelled one.

    Given: a calls b, which calls c and d for it; c calls e for that. Sent by a: a cancel; b, c, d and e do not react.
    Expected: each of them gets a cancel of its request; a request that b serves for another caller gets none.
    """
    with host.start(*_chain()) as run:
        id, calls = _begin(run)
        _, other = held(run["f"], run["b"], "b/ask")
        run["a"].notify("$/cancelRequest", {"id": id})
        for name, request in calls.items():
            with host.checks(name):
                expect_cancel(run[name], request)
        settle(run["a"], run["b"])
        with host.checks("not-the-other-one"):
            expect_no_cancel(run["b"], other)


@host_case(
    "deadlines/every-depth",
    "CAL-23",
    declares=("services", "meta"),
    why="When nobody waits any more, work that goes on at the far end of a chain only keeps others from theirs.",
    mend="When the time of a call runs out, cancel with it every call that was made because of it, down to the last.",
)
def deadline_at_every_depth(host: HostSubject) -> None:
    """When the time of a call runs out, every call that was made because of it is cancelled.

    Given: a calls b with 1 s, b calls c and d for it, c calls e for that; none of them answers. Where that takes
    longer, once more with 3 s.
    Expected: DeadlineExceeded for a; a cancel for each of b, c, d and e.
    """

    def ask(times: int) -> None:
        with host.start(*_chain()) as run:
            id, calls = _begin(run, deadlineMs=1000 * times)
            run["a"].expect_error(id, DEADLINE_EXCEEDED, within=run["a"].patience * times, rule="CAL-30")
            for name, request in calls.items():
                with host.checks(name):
                    expect_cancel(run[name], request)

    with_longer_times(ask)


def _chain() -> list[Given]:
    callees = [plugin(name, f"{name}/ask", capabilities=room(4)) for name in ("b", "c", "d", "e")]
    return [plugin("a", capabilities=META), plugin("f", capabilities=META), *callees]


def _begin(run: HostRun, **meta: Json) -> tuple[Json, dict[str, Message]]:
    """a → b → c → e and b → d: the id that a has used, and each request at its callee."""
    id, of_b = held(run["a"], run["b"], "b/ask", meta=meta)
    _, of_c = held(run["b"], run["c"], "c/ask", meta={"parent": of_b.id})
    _, of_d = held(run["b"], run["d"], "d/ask", meta={"parent": of_b.id})
    _, of_e = held(run["c"], run["e"], "e/ask", meta={"parent": of_c.id})
    return id, {"b": of_b, "c": of_c, "d": of_d, "e": of_e}


@host_case(
    "cancel/waiting",
    "CAL-24",
    declares=("services",),
    why="What waits at the host can be taken back without asking anybody; a person waits for it.",
    mend="Take a cancelled call out of the queue, answer it with -32800 at once, and never hand it to the callee.",
)
def waiting(host: HostSubject) -> None:
    """A call that waits at the host is answered at once when it is cancelled, and never reaches the callee.

    Given: a callee that works on one request at a time and has one, and two more that wait. Sent: a cancel of the first
    that waits. Expected: -32800; when the callee answers, it gets the other one, and never the cancelled one.
    """
    with host.start(plugin("a"), plugin("b", "b/ask")) as run:
        a, b = run["a"], run["b"]
        _, first = held(a, b, "b/ask", {"n": 1})
        second, third = a.request("b/ask", {"n": 2}), a.request("b/ask", {"n": 3})
        a.notify("$/cancelRequest", {"id": second})
        a.expect_error(second, REQUEST_CANCELLED)
        b.answer(first)
        request = b.expect_request("b/ask")
        expect_equal(request.params, {"n": 3}, "the params of the next request are others")
        b.answer(request, "three")
        expect_equal(a.expect_result(third), "three", "its result is another")
        settle(a, b)
        expect_no_request(b, "b/ask")


@host_case(
    "cancel/callee-does-not-react",
    "CAL-24",
    declares=("services",),
    why="A caller that has given up must get its answer also when the callee hangs, or its own caller hangs with it.",
    mend="Answer a cancelled call with -32800 yourself, at once or a short time after you have told the callee.",
)
def callee_does_not_react(host: HostSubject) -> None:
    """A cancelled call is answered also when its callee does nothing.

    Sent: a call, and a cancel of it when the callee has it; the callee neither answers nor reacts.
    Expected: the callee gets a cancel; the caller gets -32800 within a bounded time.
    """
    with host.start(plugin("a"), plugin("b", "b/ask")) as run:
        a, b = run["a"], run["b"]
        id, request = held(a, b, "b/ask")
        a.notify("$/cancelRequest", {"id": id})
        with host.checks("told"):
            expect_cancel(b, request, rule="CAL-23")
        with host.checks("answered"):
            a.expect_error(id, REQUEST_CANCELLED, within=a.patience * _BOUND)


@host_case(
    "cancel/late-answer",
    "CAL-39",
    declares=("services",),
    why="An answer that comes too late is nobody's fault; told to anyone it is taken for an answer to something else.",
    mend="Remember that the call is over, and drop what its callee still answers, without a word to either side.",
)
def late_answer(host: HostSubject) -> None:
    """The answer of a callee to a call that is over is dropped.

    Done: a call is cancelled, another one runs out of time; when their caller has its answers, the callee answers with
    a result and with an error. Expected: the caller gets nothing more, the callee neither; both go on.
    """
    with host.start(plugin("a", capabilities=META), plugin("b", "b/ask", capabilities=room(2))) as run:
        a, b = run["a"], run["b"]
        id, request = held(a, b, "b/ask")
        a.notify("$/cancelRequest", {"id": id})
        a.expect_answer(id, within=a.patience * _BOUND, rule="CAL-24")
        b.answer(request, "late")
        if a.capabilities.get("meta"):
            id, request = held(a, b, "b/ask", meta={"deadlineMs": 300})
            a.expect_error(id, DEADLINE_EXCEEDED, rule="CAL-30")
            b.answer_error(request, 1, "late")
        settle(b, a)
        for name, found in (("a", a.taken()), ("b", b.taken())):
            said = [message for message in found if message.method not in ("initialized", "$/cancelRequest")]
            if said:
                raise Broken(f"the host told {name} of a late answer", expected="nothing", got=show(said[0]))
        b.reflexes["b/ask"] = always("in time")
        expect_equal(a.ask_result("b/ask"), "in time", "the result of a later call is another")


@host_case(
    "cancel/storm",
    "CAL-24",
    declares=("services",),
    why="An editor cancels with every key that is pressed; what each cancel leaves behind adds up.",
    mend="Free the slot, the timer and the entry of a call that was cancelled, in whatever order its ends come.",
)
def storm(host: HostSubject) -> None:
    """Many calls that are cancelled at once are each answered, and leave nothing behind.

    Sent: 200 times a call and its cancel, without waiting; the callee answers each cancel with RequestCancelled.
    Expected: an answer to each; and then a call that is served.
    """
    with host.start(plugin("a"), plugin("b", "b/ask", "b/hello", capabilities=room(2))) as run:
        a, b = run["a"], run["b"]

        def give_up(cancel: Message) -> None:
            b.send_message(
                {"jsonrpc": "2.0", "id": cancel.params["id"], "error": {"code": REQUEST_CANCELLED, "message": "ok"}}
            )

        b.reflexes["$/cancelRequest"] = give_up
        ids = []
        for _ in range(_STORM):
            ids.append(a.request("b/ask"))
            a.notify("$/cancelRequest", {"id": ids[-1]})
        for id in ids:
            a.expect_error(id, REQUEST_CANCELLED, within=a.patience * _BOUND)
        b.reflexes["b/hello"] = always("hello")
        expect_equal(a.ask_result("b/hello"), "hello", "the result of a later call is another")
