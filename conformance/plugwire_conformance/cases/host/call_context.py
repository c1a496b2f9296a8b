"""What a host tells a callee of a call beside its params, and what it takes as its cause (chapter 04)."""

from ...case import Broken, expect_equal, host_case
from ...connection import show
from ...hosts.given import plugin
from ...hosts.subject import HostRun, HostSubject
from ...wire.codes import DEADLINE_EXCEEDED
from ...wire.messages import Json
from ._between import META, expect_cancel, held, meta_of

_TRACE = {
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
}


@host_case(
    "calls/no-meta",
    "CAL-15",
    declares=("services",),
    why="A plugin that has never heard of meta may refuse a message with a member that it does not know.",
    mend="Leave meta away on what you send to a plugin that does not declare the capability meta.",
)
def no_meta(host: HostSubject) -> None:
    """A plugin that does not declare meta is not sent any.

    Sent: a request with everything that meta may have, to a plugin that declares meta: false, and to one that declares
    nothing. Expected: both get the request without meta.
    """
    quiet = plugin("quiet", "quiet/ask", capabilities={"meta": False})
    with host.start(plugin("a", capabilities=META), quiet, plugin("silent", "silent/ask")) as run:
        for name in ("quiet", "silent"):
            with host.checks(name):
                meta = {"deadlineMs": 5000, "progress": "p", **_TRACE}
                members = {"meta": meta} if run["a"].capabilities.get("meta") else {}
                _, request = held(run["a"], run[name], f"{name}/ask", {"x": 1}, **members)
                if request.has("meta"):
                    raise Broken(f"{name} was sent meta", expected="no member meta", got=show(request))


@host_case(
    "calls/from",
    "CAL-16",
    declares=("services", "meta"),
    why="A callee decides by `from` what it does for whom; a plugin that can choose it can be anyone.",
    mend="Set meta.from yourself, from the connection on which the request came, and drop what stood there.",
)
def sender(host: HostSubject) -> None:
    """A host says itself who called, whatever the caller says.

    Sent: requests without meta, with meta that says nothing of from, and with `from` set to host, to the callee's name
    and to nobody's. Expected: each time meta.from is the caller's own instance name.
    """
    with host.start(
        plugin("a", capabilities=META), plugin("b", "b/ask", capabilities={"concurrency": 9} | META)
    ) as run:
        a, b = run["a"], run["b"]
        claims: dict[str, dict[str, Json]] = {
            "no-meta": {},
            "no-from": {"meta": {"deadlineMs": 5000}},
            "host": {"meta": {"from": "host"}},
            "callee": {"meta": {"from": b.instance}},
            "nobody": {"meta": {"from": "nobody"}},
        }
        for name, members in claims.items():
            with host.checks(name):
                _, request = held(a, b, "b/ask", **members)
                expect_equal(meta_of(request).get("from"), a.instance, "meta.from is another")


@host_case(
    "calls/trace-context",
    "CAL-19",
    declares=("services", "meta"),
    why="Whoever looks for the way of one request through many programs loses it at the host.",
    mend="Copy traceparent and tracestate from the caller's meta into the callee's, character by character.",
)
def trace_context(host: HostSubject) -> None:
    """A host hands traceparent and tracestate on as they are.

    Sent: requests with both, with one of them, and with none. Expected: the callee gets exactly these.
    """
    with host.start(
        plugin("a", capabilities=META), plugin("b", "b/ask", capabilities={"concurrency": 9} | META)
    ) as run:
        parent = {"traceparent": _TRACE["traceparent"]}
        for name, context in {"both": _TRACE, "traceparent": parent, "none": {}}.items():
            with host.checks(name):
                _, request = held(run["a"], run["b"], "b/ask", meta=dict(context))
                got = {key: value for key, value in meta_of(request).items() if key in _TRACE}
                expect_equal(dict(sorted(got.items())), context, "the trace context is another")


@host_case(
    "calls/guessed-cause",
    "CAL-18",
    declares=("services",),
    why="Plugins that know nothing of meta are in chains too; without the guess a cancel or a deadline ends there.",
    mend="Take what a plugin with concurrency 1 is serving as the parent of a request that it sends without one.",
)
def guessed_cause(host: HostSubject) -> None:
    """What a plugin with concurrency 1 sends while it serves a request counts as made because of it.

    Given: a calls b, which serves one request at a time and says nothing of meta; b calls c. Done: a cancels; and in a
    second chain, a gave its call 500 ms. Expected: c gets a cancel; and b is answered with an error in that time.
    """
    with host.start(plugin("a"), plugin("b", "b/ask"), plugin("c", "c/ask", capabilities={"concurrency": 9})) as run:
        a, b, c = run["a"], run["b"], run["c"]
        with host.checks("cancel"):
            id, of_a = held(a, b, "b/ask")
            _, of_b = held(b, c, "c/ask")
            a.notify("$/cancelRequest", {"id": id})
            expect_cancel(c, of_b)
            b.answer(of_a)
        a.expect_answer(id)
        if not a.capabilities.get("meta"):
            return
        with host.checks("deadline"):
            id, of_a = held(a, b, "b/ask", meta={"deadlineMs": 500})
            b.expect_error(b.request("c/ask"))
            a.expect_error(id, DEADLINE_EXCEEDED)


@host_case(
    "calls/giving-back",
    "CAL-18",
    declares=("services",),
    why="A plugin whose work was cancelled still has to give back locks and memory, and must not be refused that.",
    mend="Take no parent for a request to the host's own services when what the plugin serves was cancelled.",
)
def giving_back(host: HostSubject) -> None:
    """A plugin whose request was cancelled can still use the host's own services.

    Given: a calls b, which serves one request at a time, and cancels. Sent by b, before it has answered: service/list,
    and where the host has them, state/get and lock/release. Expected: each is answered as it would be at any time.
    """
    with host.start(plugin("a"), plugin("b", "b/ask")) as run:
        a, b = run["a"], run["b"]
        token = b.ask_result("lock/acquire", {"name": "things"})["token"] if b.capabilities.get("locks") else 0
        id, of_a = held(a, b, "b/ask")
        a.notify("$/cancelRequest", {"id": id})
        expect_cancel(b, of_a, rule="CAL-23")
        wanted: dict[str, Json] = {"service/list": {}}
        wanted |= {"state/get": {"key": "things"}} if b.capabilities.get("state") else {}
        wanted |= {"lock/release": {"name": "things", "token": token}} if token else {}
        for method, params in wanted.items():
            with host.checks(method):
                b.ask_result(method, params)


@host_case(
    "calls/named-cause",
    "CAL-29",
    declares=("services", "meta"),
    why="A plugin that serves many requests at a time says which one a call is for; the wrong one would be cut short.",
    mend="Look up meta.parent among the requests that this plugin has open, and take no more time than is left to it.",
)
def named_cause(host: HostSubject) -> None:
    """A call gets the time of the request that it names as its parent, and of no other.

    Given: b serves two requests of a, one with 90 s and one with 30 s, and calls c for each, with 100 s.
    Expected: c sees no more than 90 s and more than 30 s for the one, and no more than 30 s for the other.
    """
    both = {"concurrency": 2} | META
    b, c = plugin("b", "b/ask", capabilities=both), plugin("c", "c/ask", capabilities=both)
    with host.start(plugin("a", capabilities=META), b, c) as run:
        for name, least, most in (("long", 30_001, 90_000), ("short", 0, 30_000)):
            with host.checks(name):
                left = _time_of_child(run, most)
                if not (type(left) is int and least <= left <= most):
                    raise Broken("the callee has another time", expected=f"{least} to {most} ms", got=repr(left))


def _time_of_child(run: HostRun, limit: int) -> Json:
    """Leaves both requests open; what c is told of the time left."""
    _, of_a = held(run["a"], run["b"], "b/ask", meta={"deadlineMs": limit})
    _, of_b = held(run["b"], run["c"], "c/ask", meta={"parent": of_a.id, "deadlineMs": 100_000})
    return meta_of(of_b).get("deadlineMs")
