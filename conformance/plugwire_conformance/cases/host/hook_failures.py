"""Links that fail (chapter 07)."""

import json

from ...case import Skipped, expect_equal
from ...hosts.given import Given, plugin
from ...hosts.subject import HostRun, HostSubject
from ...wire.codes import DEADLINE_EXCEEDED, INTERNAL_ERROR, PAYLOAD_TOO_LARGE, PLUGIN_CRASHED, REQUEST_CANCELLED
from ...wire.messages import Json, encode_json, raw_members
from .event_talk import expect_code, expect_told
from .hook_talk import HOOK, asked, hook_case, linked, run_hook, says, started

_STOP = {"reason": "no"}
#: A hook whose links have little time, so that what is not in time elsewhere is so for another reason.
_LATE = "text.late"
#: Results that are no HookAnswer.
_NONSENSE: tuple[tuple[str, Json], ...] = (
    ("null", None),
    ("a text", "value"),
    ("a list", [{"value": 1}]),
    ("both", {"value": 1, "stop": _STOP}),
    ("a stop that is a text", {"stop": "no"}),
    ("a stop without a reason", {"stop": {}}),
    ("a reason that is no text", {"stop": {"reason": 7}}),
)


@hook_case(
    "hooks/failure-continues",
    "HOK-19",
    why="One plugin's mistake must not take away what all others do for the user.",
    mend="Where a link with `onError` `continue` fails, go on with the value as it was before it.",
)
def failure_continues(host: HostSubject) -> None:
    """After a link that fails the value goes on as it was.

    The second of three links, with `onError` `continue` or without, answers with an error, with results that are no
    HookAnswer (one of them with both `value` and `stop`), not in time, and at last its plugin ends. Expected each
    time: an outcome with the names of the first and the third.
    """
    with started(
        host, "HOK-19", linked("one", HOOK, _LATE), _bad(), linked("three", HOOK, _LATE), plugin("runner")
    ) as run:
        with host.checks("an error"):
            says(run["bad"], error={"code": 77, "message": "It broke."})
            _expect_others(run)
        for name, result in _NONSENSE:
            with host.checks(name):
                says(run["bad"], result=result)
                _expect_others(run)
        run["bad"].reflexes.pop("hook/call")
        with host.checks("not in time"):
            _expect_others(run, _LATE)
            _answer_late(run)
        with host.checks("ended"):
            id = run["runner"].request("hook/run", {"name": HOOK, "value": []})
            run["bad"].expect_request("hook/call", rule="HOK-08")
            run["bad"].die()
            outcome = run["runner"].expect_result(id, rule="HOK-19")
            expect_equal(outcome.get("ran"), ["one", "three"], "the run ended otherwise", "HOK-19")


def _answer_late(run: HostRun) -> None:
    """So that the plugin has a free slot again."""
    run["bad"].answer_error(run["bad"].expect_request("hook/call"), REQUEST_CANCELLED)


def _bad(**more: Json) -> Given:
    """A plugin with a link that has a minute, and one that has 300 ms."""
    times = {HOOK: 60_000, _LATE: 300}
    return plugin("bad", hooks=[{"name": hook, "timeoutMs": time, **more} for hook, time in times.items()])


def _expect_others(run: HostRun, hook: str = HOOK) -> None:
    outcome = run_hook(run["runner"], [], hook=hook, rule="HOK-19")
    expected = [["one", "three"], ["one", "three"]]
    expect_equal([outcome.get("value"), outcome.get("ran")], expected, "the run ended otherwise", "HOK-19")


@hook_case(
    "hooks/failure-reported",
    "HOK-19",
    why="A link that fails each time, and is passed over each time, looks as if it worked.",
    mend="Tell people of each link that has failed: which plugin, which hook.",
)
def failure_reported(host: HostSubject) -> None:
    """A link that fails is reported.

    A link answers with an error. Expected: a line for people that names the plugin.
    """
    with started(host, "HOK-19", linked("magpie"), plugin("runner")) as run:
        says(run["magpie"], error={"code": 77, "message": "The feathers broke."})
        run_hook(run["runner"], [], rule="HOK-19")
        expect_told(run, "hook", "link", "feathers", HOOK, about="magpie", rule="HOK-19")


@hook_case(
    "hooks/failure-fails",
    "HOK-20",
    why="Where a link guards something, going on without it is the worst that can happen.",
    mend="Where a link with `onError` `fail` fails, ask no further one, and answer hook/run with the error that a call "
    "would get.",
)
def failure_fails(host: HostSubject) -> None:
    """A failure of a link with onError fail is the failure of the run.

    The first of two links, with `onError` `fail`, gives results that are no HookAnswer; does not answer in time; and
    its plugin ends. Expected: InternalError; DeadlineExceeded; PluginCrashed. The second link is never asked.
    """
    with started(host, "HOK-20", _bad(onError="fail"), linked("two", HOOK, _LATE), plugin("runner")) as run:
        for name, result in _NONSENSE:
            with host.checks(name):
                says(run["bad"], result=result)
                _expect_failure(run, INTERNAL_ERROR)
        run["bad"].reflexes.pop("hook/call")
        with host.checks("not in time"):
            _expect_failure(run, DEADLINE_EXCEEDED, _LATE)
            _answer_late(run)
        with host.checks("ended"):
            id = run["runner"].request("hook/run", {"name": HOOK, "value": []})
            run["bad"].expect_request("hook/call", rule="HOK-08")
            run["bad"].die()
            run["runner"].expect_error(id, PLUGIN_CRASHED, rule="HOK-20")
        with host.checks("links after it"):
            calls = [asked(run["two"], hook) for hook in (HOOK, _LATE)]
            expect_equal(calls, [[], []], "a link was asked after one that failed", "HOK-20")


def _expect_failure(run: HostRun, code: int, hook: str = HOOK) -> None:
    answer = run["runner"].ask("hook/run", {"name": hook, "value": []})
    expect_code(answer, code, "the run ended otherwise", "HOK-20")


@hook_case(
    "hooks/own-error",
    "HOK-20",
    why="Whoever runs a hook understands the errors of its guards; a text of the host's tells it nothing.",
    mend="Answer hook/run with the link's own error: its code, its message, and the bytes of its data.",
)
def own_error(host: HostSubject) -> None:
    """A link's own error is forwarded unchanged.

    A link with `onError` `fail` answers with an error of its own, with data that are written in an unusual way.
    Expected: the same code and message, and the same bytes of data; without data none.
    """
    with started(host, "HOK-20", linked("guard", onError="fail"), plugin("runner")) as run:
        run["guard"].reflexes.pop("hook/call")
        for name, error in (
            ("with data", b'{"code":77,"message":"Not \\u00e9 today.","data":{ "z":1.50,"a":1E3 }}'),
            ("without data", b'{"code":-5,"message":""}'),
        ):
            with host.checks(name):
                id = run["runner"].request("hook/run", {"name": HOOK, "value": []})
                call = run["guard"].expect_request("hook/call")
                run["guard"].send_body(b'{"jsonrpc":"2.0","id":%d,"error":%b}' % (call.id, error))
                answer = run["runner"].expect_error(id, rule="HOK-20")
                _expect_same_error(answer.members["error"], error)


def _expect_same_error(got: bytes, expected: bytes) -> None:
    one, other = raw_members(got), raw_members(expected)
    expect_equal(json.loads(one.get("code", b"null")), json.loads(other["code"]), "another code came", "HOK-20")
    expect_equal(
        json.loads(one.get("message", b"null")), json.loads(other["message"]), "another message came", "HOK-20"
    )
    data = [None if part is None else part.decode() for part in (one.get("data"), other.get("data"))]
    expect_equal(data[0], data[1], "other data came", "HOK-20")


@hook_case(
    "hooks/too-large-for-a-link",
    "HOK-20",
    why="A guard that cannot be shown the value cannot guard.",
    mend="Where the value does not fit into a frame of hook/call, let the link fail: with PayloadTooLarge where the "
    "run fails.",
)
def too_large_for_a_link(host: HostSubject) -> None:
    """A link fails that cannot be handed the value.

    The first link makes a value that just fits into its answer, and so into no hook/call. Expected: where the second
    link has `onError` `fail`, PayloadTooLarge, and it is not asked.
    """
    with started(host, "HOK-20", linked("maker"), linked("guard", onError="fail"), plugin("runner")) as run:
        maker = run["maker"]
        maker.reflexes.pop("hook/call")
        most = maker.limits["maxFrameBytes"]
        if most > 16 << 20:
            raise Skipped(f"needs a frame that is full, and the host's have {most} bytes")
        id = run["runner"].request("hook/run", {"name": HOOK, "value": []})
        call = maker.expect_request("hook/call")
        answer = {"jsonrpc": "2.0", "id": call.id, "result": {"value": ""}}
        text = "x" * (most - len(encode_json(answer)))
        maker.answer(call, {"value": text})
        run["runner"].expect_error(id, PAYLOAD_TOO_LARGE, rule="HOK-20")
        expect_equal(len(asked(run["guard"])), 0, "the link was asked all the same", "HOK-20")
