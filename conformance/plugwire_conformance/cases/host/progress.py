"""Progress of calls on its way through the host (chapter 04)."""

from ...case import Broken, expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.messages import Json, Message, is_valid_id
from ._between import META, held, meta_of, room, settle


@host_case(
    "progress/translated",
    "CAL-27",
    declares=("services", "meta"),
    why="A caller knows progress by the token that it chose; with another one it cannot say what has come further.",
    mend="Give the callee a token of your own, and send its progress on with the caller's token, of the same type.",
)
def translated(host: HostSubject) -> None:
    """Progress comes back with the caller's own token, and with the value that the callee gave.

    Sent: calls with tokens of every kind; the callee reports three steps with the token that it got.
    Expected: three notifications with the caller's token, of its type, in order, before the answer.
    """
    tokens: dict[str, Json] = {"integer": 3, "zero": 0, "string": "3", "empty": "", "negative": -1, "letters": "é☃"}
    with host.start(plugin("a", capabilities=META), plugin("b", "b/ask", capabilities=room(9))) as run:
        a, b = run["a"], run["b"]
        for name, token in tokens.items():
            with host.checks(name):
                id, request = held(a, b, "b/ask", meta={"progress": token})
                values = [{"done": 1, "total": 2}, {"message": "half – ½"}, {"done": 2.5, "files": ["x", {"y": None}]}]
                for value in values:
                    b.notify("$/progress", {"token": _token(request), "value": value})
                b.answer(request)
                a.expect_result(id)
                expected = [{"token": token, "value": value} for value in values]
                expect_equal(_progress(a), expected, "the progress before the answer is another")


@host_case(
    "progress/one-token-each",
    "CAL-27",
    declares=("services", "meta"),
    why="Two callers choose the same token without knowing of each other, and one would see the progress of the other.",
    mend="Give each call a token of its own, and look the caller up by it.",
)
def one_token_each(host: HostSubject) -> None:
    """Two calls with the same token to the same callee are told apart.

    Given: two callers, each with a call in flight at the same plugin, both with the token 1. The callee reports a step
    for each. Expected: it has got two tokens; each caller gets its own step.
    """
    callers = [plugin(name, capabilities=META) for name in ("a", "b")]
    with host.start(*callers, plugin("c", "c/ask", capabilities=room(2))) as run:
        a, b, c = run["a"], run["b"], run["c"]
        _, of_a = held(a, c, "c/ask", meta={"progress": 1})
        _, of_b = held(b, c, "c/ask", meta={"progress": 1})
        if _token(of_a) == _token(of_b):
            raise Broken("two calls have one token", expected="two tokens", got=f"twice {_token(of_a)!r}")
        c.notify("$/progress", {"token": _token(of_b), "value": {"message": "for b"}})
        c.notify("$/progress", {"token": _token(of_a), "value": {"message": "for a"}})
        for probe, text in ((a, "for a"), (b, "for b")):
            told = probe.expect_notification("$/progress").params
            expect_equal(told, {"token": 1, "value": {"message": text}}, f"what {probe.name} was told is another")


@host_case(
    "progress/not-asked-for",
    "CAL-27",
    declares=("services", "meta"),
    why="A callee that gets a token reports progress, which costs time; a caller that asked for none cannot use it.",
    mend="Send a token to the callee only when the caller has sent one.",
)
def not_asked_for(host: HostSubject) -> None:
    """A call without a token has none at the callee.

    Sent: a call without meta, and one with meta that has no progress. Expected: no meta.progress at the callee.
    """
    with host.start(plugin("a", capabilities=META), plugin("b", "b/ask", capabilities=room(9))) as run:
        for name, members in {"no-meta": {}, "no-token": {"meta": {"deadlineMs": 5000}}}.items():
            with host.checks(name):
                _, request = held(run["a"], run["b"], "b/ask", **members)
                expect_equal(meta_of(request).get("progress"), None, "meta.progress is another")


@host_case(
    "progress/unknown-token",
    "CAL-28",
    declares=("services", "meta"),
    why="Progress that comes too late, or from a plugin that was never called, must disturb nobody.",
    mend="Look a token up among the open calls of the plugin that sends it; ignore it when it is not there.",
)
def unknown_token(host: HostSubject) -> None:
    """Progress with a token that the sender was not given is ignored.

    Sent by a callee: progress with unknown tokens, with its token in another type, with values that are no token, and
    with the token of a call that it has answered; by a third plugin: progress with the callee's token.
    Expected: the caller gets none of it, and then the one step that the callee reports properly.
    """
    with host.start(plugin("a", capabilities=META), plugin("b", "b/ask", capabilities=room(2)), plugin("c")) as run:
        a, b, c = run["a"], run["b"], run["c"]
        id, over = held(a, b, "b/ask", meta={"progress": "over"})
        b.answer(over)
        a.expect_result(id)
        id, request = held(a, b, "b/ask", meta={"progress": "here"})
        token = _token(request)
        other_type = str(token) if type(token) is int else 1
        wrong: dict[str, Json] = {"unknown": 1 << 40, "unknown-string": "here", "other-type": other_type}
        wrong |= {"answered": _token(over), "null": None, "list": [], "true": True, "fraction": 1.5}
        for name, value in wrong.items():
            with host.checks(name):
                b.notify("$/progress", {"token": value, "value": {"message": "wrong"}})
                _refuse_progress(b, a)
        without: dict[str, Json] = {"no-token": {"value": {}}, "no-params": None}
        for name, params in without.items():
            with host.checks(name):
                b.notify("$/progress", params)
                _refuse_progress(b, a)
        with host.checks("another-plugin"):
            c.notify("$/progress", {"token": token, "value": {"message": "wrong"}})
            _refuse_progress(c, a)
        b.notify("$/progress", {"token": token, "value": {"message": "right"}})
        expected = {"token": "here", "value": {"message": "right"}}
        expect_equal(a.expect_notification("$/progress").params, expected, "what the caller was told is another")
        b.answer(request, "done")
        expect_equal(a.expect_result(id), "done", "the result is another")


def _token(request: Message) -> Json:
    token = meta_of(request).get("progress")
    if not is_valid_id(token):
        raise Broken("the callee got no token", expected="meta.progress", got=repr(request.member("meta")))
    return token


def _progress(probe: ProbeTalk) -> list[Json]:
    """Takes the progress that has come."""
    return [message.params for message in probe.taken() if message.method == "$/progress"]


def _refuse_progress(sender: ProbeTalk, caller: ProbeTalk) -> None:
    settle(sender, caller)
    found = _progress(caller)
    if found:
        raise Broken("the caller was told of it", expected="nothing", got=repr(found[0]))
