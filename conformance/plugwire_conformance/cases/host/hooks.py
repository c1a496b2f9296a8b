"""Runs of hooks: the value on its way through the links (chapter 07)."""

from ...case import Broken, expect_equal
from ...hosts.given import plugin
from ...hosts.subject import HostRun, HostSubject
from ...wire.codes import HOOK_STOPPED
from ...wire.messages import Json, Message, raw_members
from .event_talk import expect_code
from .hook_talk import HOOK, asked, hook_case, linked, run_hook, says, started


@hook_case(
    "hooks/chain",
    "HOK-08",
    why="Each link builds on what the ones before have made of the value.",
    mend="Ask the links one after another, each with the value as the one before has left it, and answer with the "
    "last.",
)
def chain(host: HostSubject) -> None:
    """A value goes through the links one after another.

    Three plugins have a link that adds its name to a list; a fourth one runs the hook. Expected: each is asked with
    what the ones before have added, and the outcome has all three names, in `value` and in `ran`.
    """
    with started(host, "HOK-08", linked("one"), linked("two"), linked("three"), plugin("runner")) as run:
        outcome = run_hook(run["runner"], ["raw"])
        with host.checks("outcome"):
            expected = {"value": ["raw", "one", "two", "three"], "ran": ["one", "two", "three"]}
            expect_equal({name: outcome.get(name) for name in expected}, expected, "the run ended otherwise", "HOK-08")
        with host.checks("what was asked"):
            seen = [asked(run[name]) for name in ("one", "two", "three")]
            expect_equal(
                seen, [[["raw"]], [["raw", "one"]], [["raw", "one", "two"]]], "a link saw another value", "HOK-08"
            )


@hook_case(
    "hooks/kept-and-empty",
    "HOK-08",
    why="Null, false, zero and the empty text are values like any other; a link that sets one means it.",
    mend="Tell a member `value` that is there from one that is not; never ask whether it is true.",
)
def kept_and_empty(host: HostSubject) -> None:
    """A link leaves the value as it is by saying nothing, and may make null, false, 0 or "" of it.

    A link answers `{}`, then with `value` null, false, 0 and "". Expected: the value as it came, and then these;
    `ran` names the link each time.
    """
    with started(host, "HOK-08", linked("link"), plugin("runner")) as run:
        for name, answer, expected in (
            ("kept", {}, ["raw"]),
            ("null", {"value": None}, None),
            ("false", {"value": False}, False),
            ("zero", {"value": 0}, 0),
            ("empty", {"value": ""}, ""),
        ):
            with host.checks(name):
                says(run["link"], result=answer)
                outcome = run_hook(run["runner"], ["raw"])
                expect_equal(
                    [outcome.get("value"), outcome.get("ran")], [expected, ["link"]], "it ended otherwise", "HOK-08"
                )


@hook_case(
    "hooks/own-link",
    "HOK-08",
    why="A plugin that runs a hook has its own say in it like the others.",
    mend="Ask the link of the plugin that runs the hook as well, at its place.",
)
def own_link(host: HostSubject) -> None:
    """A plugin that runs a hook is asked for its own link too.

    A plugin with nothing else to do runs a hook for which it has a link itself. Expected: both links, in their order.
    """
    with started(host, "HOK-08", linked("one"), linked("two")) as run:
        outcome = run_hook(run["one"], [])
        expect_equal(outcome.get("value"), ["one", "two"], "the run ended otherwise", "HOK-08")


@hook_case(
    "hooks/no-link",
    "HOK-09",
    why="A program has hooks for plugins that may not be there.",
    mend="Answer hook/run of a hook without links with the value as it came, and `ran` empty.",
)
def no_link(host: HostSubject) -> None:
    """A run of a hook without links ends with the value as it came.

    Sent: hook/run of a hook that nobody knows. Expected: the same value and an empty `ran`.
    """
    with started(host, "HOK-09", linked("link"), plugin("runner")) as run:
        for value in ({"any": ["thing"]}, None, 0):
            outcome = run_hook(run["runner"], value, hook="nobody.knows", rule="HOK-09")
            expect_equal([outcome.get("value"), outcome.get("ran")], [value, []], "the run ended otherwise", "HOK-09")


@hook_case(
    "hooks/stop",
    "HOK-11",
    why="What was stopped must not happen; and whoever wanted it has to learn who stopped it and why.",
    mend="Answer hook/run with HookStopped and `by`, `reason` and `hook` in its data, and ask no further link.",
)
def stop(host: HostSubject) -> None:
    """A link that answers with stop ends the run.

    The second of three links stops. Expected: HookStopped with the link's instance, its reason and the hook, and the
    third link is not asked. In a run that nobody stops it is.
    """
    with started(host, "HOK-11", linked("one"), linked("two"), linked("three"), plugin("runner")) as run:
        says(run["two"], result={"stop": {"reason": "Not now."}})
        answer = run["runner"].ask("hook/run", {"name": HOOK, "value": ["stopped"]})
        with host.checks("answer"):
            expect_code(answer, HOOK_STOPPED, "a run that was stopped ended otherwise", "HOK-11")
            expected = {"by": "two", "reason": "Not now.", "hook": HOOK}
            expect_equal(_data(answer), expected, "the error says otherwise", "HOK-11")
        with host.checks("links after it"):
            says(run["two"], result={})
            run_hook(run["runner"], ["free"], rule="HOK-11")
            expect_equal(asked(run["three"]), [["free", "one"]], "a link was asked after the stop", "HOK-11")


def _data(answer: Message) -> Json:
    error = answer.member("error")
    return error.get("data") if isinstance(error, dict) else None


@hook_case(
    "hooks/stop-reason",
    "HOK-12",
    why="A plugin that says too much must not make the stop fail: what it wanted to prevent would happen.",
    mend="Take the first 1024 characters of a longer reason; count characters, not bytes.",
)
def stop_reason(host: HostSubject) -> None:
    """Of a long reason the first 1024 characters count.

    A link stops with a reason of 2000 letters that have two bytes each, and with an empty one. Expected: HookStopped,
    with the first 1024 letters, and with an empty reason.
    """
    with started(host, "HOK-12", linked("link"), plugin("runner")) as run:
        for name, reason, expected in (
            ("long", "é" * 2000, "é" * 1024),
            ("just as long", "é" * 1024, "é" * 1024),
            ("empty", "", ""),
        ):
            with host.checks(name):
                says(run["link"], result={"stop": {"reason": reason}})
                answer = run["runner"].ask("hook/run", {"name": HOOK, "value": 1})
                expect_code(answer, HOOK_STOPPED, "the stop was not taken", "HOK-12")
                expect_equal((_data(answer) or {}).get("reason"), expected, "another reason came", "HOK-12")


_VALUES = (
    ("numbers", b"[1.50,1E3,-0,0.1e-7]"),
    ("large numbers", b"[12345678901234567890123,1e400]"),
    ("escapes", b'"\\u00e9\\/\\ud83d\\ude00"'),
    ("blanks", b'{ "z" : 1 ,\t"a" : [ ] }'),
)


@hook_case(
    "hooks/value-bytes",
    "HOK-13",
    why="A host that decodes and encodes values again loses digits of large numbers, the order of members, and time.",
    mend="Cut the bytes of the value out of what came, and write just these into hook/call and into the outcome.",
)
def value_bytes(host: HostSubject) -> None:
    """A value is forwarded with its bytes unchanged.

    Sent: runs with values that are written in unusual ways, through a link that keeps them, and a link that answers
    with the same bytes. Expected: these bytes in both calls and in the outcome.
    """
    with started(host, "HOK-13", linked("keeps"), linked("makes"), plugin("runner")) as run:
        says(run["keeps"], result={})
        run["makes"].reflexes.pop("hook/call")
        for name, value in _VALUES:
            with host.checks(name):
                _send_raw(run, value)


def _send_raw(run: HostRun, value: bytes) -> None:
    runner, makes = run["runner"], run["makes"]
    id = runner.new_id()
    body = b'{"jsonrpc":"2.0","id":%d,"method":"hook/run","params":{"name":"%b","value":%b}}'
    runner.send_body(body % (id, HOOK.encode(), value))
    call = makes.expect_request("hook/call")
    _expect_bytes(raw_members(call.members["params"]).get("value"), value, "the value that a link is asked about")
    makes.send_body(b'{"jsonrpc":"2.0","id":%d,"result":{"value":%b}}' % (call.id, value))
    answer = runner.expect_answer(id)
    _expect_bytes(raw_members(answer.members.get("result", b"")).get("value"), value, "the value of the outcome")


def _expect_bytes(got: bytes | None, expected: bytes, what: str) -> None:
    if got != expected:
        shown = "nothing" if got is None else got.decode()
        raise Broken(f"{what} has other bytes", expected=expected.decode(), got=shown, requirement="HOK-13")
