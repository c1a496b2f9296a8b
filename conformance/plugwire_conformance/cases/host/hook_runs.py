"""What a run may rely on: its links, its time, its end (chapter 07: runs)."""

from ...case import Broken, TimedOut, expect_equal
from ...connection import show
from ...hosts.given import by_hand, plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import CALL_CYCLE, DEADLINE_EXCEEDED, PLUGIN_CRASHED, PLUGIN_UNAVAILABLE, REQUEST_CANCELLED
from .event_talk import expect_code
from .hook_talk import (
    HOOK,
    MANY_AT_ONCE,
    adds_its_name,
    asked,
    hook_case,
    hook_meta_case,
    is_cancel_of,
    linked,
    run_hook,
    started,
)


@hook_case(
    "hooks/links-at-the-beginning",
    "HOK-14",
    why="A plugin that joins in the middle would see a value halfway, and those before it would not know.",
    mend="Take the list of links when the run begins, and use it to the end.",
)
def links_at_the_beginning(host: HostSubject) -> None:
    """A plugin that becomes ready during a run has no part in it.

    A plugin with a link is killed, and while the host starts it again a run begins; the first link answers when the
    plugin is ready again. Expected, where the host starts plugins again: it is not asked in this run, but in the next
    one.
    """
    late = {"protocolVersion": "1.0", "plugin": {"name": "late", "version": "1"}, "hooks": [{"name": HOOK}]}
    run = host.launch(linked("one"), by_hand("late", settings={"restart": "on-failure"}), plugin("runner"))
    for name in ("one", "late", "runner"):
        run.receive(name)
    run["late"].open(late)
    run["runner"].wait_ready()
    run["late"].die()
    try:
        again = run.receive_again("late")
    except TimedOut:
        return
    adds_its_name(again)
    id = run["runner"].request("hook/run", {"name": HOOK, "value": []})
    call = run["one"].expect_request("hook/call")
    again.open(late)
    adds_its_name(run["one"])
    run["one"].answer(call, {"value": ["one"]})
    first = run["runner"].expect_result(id, rule="HOK-14")
    expect_equal(first.get("value"), ["one"], "a plugin was asked that was not there when the run began", "HOK-14")
    expect_equal(run_hook(run["runner"], [])["value"], ["one", "late"], "the next run ended otherwise", "HOK-08")


@hook_case(
    "hooks/link-ended",
    "HOK-14",
    why="A run must not hang because a plugin has ended that it was going to ask.",
    mend="Let the link of a plugin that has ended fail, and go on as its `onError` says.",
)
def link_ended(host: HostSubject) -> None:
    """A link whose plugin has ended since the run began fails.

    While the first link is asked, the plugin of the second one is killed. Expected: with `continue` the run goes on
    to the third link; with `fail` it ends with PluginCrashed or PluginUnavailable, and the third is not asked.
    """
    for name, on_error in (("continue", "continue"), ("fail", "fail")):
        with host.checks(name):
            two = linked("two", onError=on_error)
            with started(host, "HOK-14", linked("one"), two, linked("three"), plugin("runner")) as run:
                run["one"].reflexes.pop("hook/call")
                id = run["runner"].request("hook/run", {"name": HOOK, "value": []})
                call = run["one"].expect_request("hook/call")
                run["two"].die()
                _wait_until_gone(run["runner"], "two")
                run["one"].answer(call, {"value": ["one"]})
                if on_error == "continue":
                    outcome = run["runner"].expect_result(id, rule="HOK-14")
                    expect_equal(outcome.get("ran"), ["one", "three"], "the run ended otherwise", "HOK-14")
                else:
                    run["runner"].expect_error(id, PLUGIN_CRASHED, PLUGIN_UNAVAILABLE, rule="HOK-14")
                    expect_equal(asked(run["three"]), [], "a link was asked after one that failed", "HOK-20")


def _wait_until_gone(runner: ProbeTalk, name: str) -> None:
    """Until the host no longer counts on the links of that plugin."""
    began = runner.log.now()
    while any(one.get("instance") == name for one in runner.ask_result("hook/explain", {"name": HOOK})["links"]):
        if runner.log.now() - began > runner.patience:
            raise Broken(
                "a link of a plugin that has ended is still there", expected="no link", got=name, requirement="HOK-07"
            )


@hook_case(
    "hooks/timeout",
    "HOK-15",
    why="One link that hangs would stop everything that goes through the hook.",
    mend="Give each hook/call the link's `timeoutMs`, cancel it when that is over, and let the link fail.",
)
def timeout(host: HostSubject) -> None:
    """A link has no more time than its timeoutMs.

    A link with `timeoutMs` 200 never answers. Expected: $/cancelRequest for its hook/call, and the run goes on to the
    next link.
    """
    with started(host, "HOK-15", linked("slow", timeoutMs=200), linked("two"), plugin("runner")) as run:
        run["slow"].reflexes.pop("hook/call")
        id = run["runner"].request("hook/run", {"name": HOOK, "value": []})
        call = run["slow"].expect_request("hook/call")
        outcome = run["runner"].expect_result(id, rule="HOK-15")
        expect_equal(outcome.get("ran"), ["two"], "the run ended otherwise", "HOK-15")
        run["slow"].wait_for(lambda message: is_cancel_of(call, message), "$/cancelRequest for its call", rule="HOK-15")


@hook_meta_case(
    "hooks/run-deadline",
    "HOK-15",
    why="Who runs a hook with little time must get it back, whatever the links are allowed.",
    mend="Give a hook/call no more than what is left to its run; answer the run with DeadlineExceeded when that is "
    "over.",
)
def run_deadline(host: HostSubject) -> None:
    """A link has no more time than is left to the run.

    Sent: hook/run with `deadlineMs` 250, to a link that never answers and has a minute. Expected: DeadlineExceeded,
    and $/cancelRequest at the link, long before the minute is over.
    """
    slow = linked("slow", timeoutMs=60000)
    with started(host, "HOK-15", slow, plugin("runner", capabilities={"meta": True})) as run:
        run["slow"].reflexes.pop("hook/call")
        id = run["runner"].request("hook/run", {"name": HOOK, "value": []}, meta={"deadlineMs": 250})
        call = run["slow"].expect_request("hook/call")
        run["runner"].expect_error(id, DEADLINE_EXCEEDED, rule="HOK-15")
        run["slow"].wait_for(lambda message: is_cancel_of(call, message), "$/cancelRequest for its call", rule="HOK-15")


@hook_meta_case(
    "hooks/time-told",
    "HOK-15",
    why="A link plans its work by the time that it is told.",
    mend="Send the lesser of the link's `timeoutMs` and what is left to the run as `meta.deadlineMs`.",
)
def time_told(host: HostSubject) -> None:
    """The time that a link is told is not more than its own, nor than the run's.

    Links with `timeoutMs` 700 and without; runs with and without `deadlineMs` 300. Expected: `meta.deadlineMs` of
    hook/call is at most the lesser of the two, and at most 5000 where the link says nothing.
    """
    given = (
        plugin("link", hooks=[{"name": "short", "timeoutMs": 700}, {"name": "usual"}], capabilities=MANY_AT_ONCE),
        plugin("runner", capabilities={"meta": True}),
    )
    with started(host, "HOK-15", *given) as run:
        run["link"].reflexes.pop("hook/call")
        for name, hook, meta, most in (
            ("the link's", "short", {}, 700),
            ("the run's", "short", {"meta": {"deadlineMs": 300}}, 300),
            ("the usual", "usual", {}, 5000),
        ):
            with host.checks(name):
                id = run["runner"].request("hook/run", {"name": hook, "value": 1}, **meta)
                call = run["link"].expect_request("hook/call")
                told = (call.member("meta") or {}).get("deadlineMs")
                run["link"].answer(call, {})
                run["runner"].expect_answer(id)
                if not isinstance(told, int) or not 0 <= told <= most:
                    raise Broken(
                        "another time was told", expected=f"at most {most}", got=show(call), requirement="HOK-15"
                    )


@hook_case(
    "hooks/cancel",
    "HOK-16",
    why="What nobody waits for any more only holds a plugin up.",
    mend="When hook/run is cancelled, answer RequestCancelled, cancel the hook/call that is open, and ask no further "
    "link.",
)
def cancel(host: HostSubject) -> None:
    """Cancelling a run cancels the call of the link that is asked.

    While the first link is asked, the run is cancelled. Expected: RequestCancelled; $/cancelRequest with the id of
    the link's hook/call; and the second link is not asked, but in the next run.
    """
    with started(host, "HOK-16", linked("one"), linked("two"), plugin("runner")) as run:
        run["one"].reflexes.pop("hook/call")
        id = run["runner"].request("hook/run", {"name": HOOK, "value": ["cancelled"]})
        call = run["one"].expect_request("hook/call")
        run["runner"].notify("$/cancelRequest", {"id": id})
        run["runner"].expect_error(id, REQUEST_CANCELLED, rule="HOK-16")
        run["one"].wait_for(lambda message: is_cancel_of(call, message), "$/cancelRequest for its call", rule="HOK-16")
        run["one"].answer(call, {"value": ["too late"]})
        adds_its_name(run["one"])
        run_hook(run["runner"], ["again"])
        expect_equal(asked(run["two"]), [["again", "one"]], "a link was asked after the run was cancelled", "HOK-16")


@hook_case(
    "hooks/busy-with-the-run",
    "HOK-16",
    why="A plugin that can do one thing at a time and waits for the hook would wait for itself.",
    mend="Let a link fail at once whose plugin has no free slot until the run has ended (CAL-33).",
)
def busy_with_the_run(host: HostSubject) -> None:
    """A link of a plugin that is busy with the run itself fails at once.

    A plugin that serves one request at a time runs a hook while it serves one; it has a link with `onError`
    `continue` for one hook and with `fail` for another. Expected: for the first the outcome without its link, for the
    second CallCycle.
    """
    hooks = [{"name": "goes.on"}, {"name": "fails", "onError": "fail"}]
    given = (plugin("busy", "work/do", hooks=hooks), linked("other", "goes.on", "fails"), plugin("caller"))
    with started(host, "HOK-16", *given) as run:
        run["busy"].reflexes.pop("hook/call")
        id = run["caller"].request("work/do")
        work = run["busy"].expect_request("work/do")
        with host.checks("continue"):
            outcome = run_hook(run["busy"], [], hook="goes.on", rule="HOK-16")
            expect_equal(outcome.get("ran"), ["other"], "the run ended otherwise", "HOK-16")
        with host.checks("fail"):
            answer = run["busy"].expect_answer(
                run["busy"].request("hook/run", {"name": "fails", "value": []}), rule="HOK-16"
            )
            expect_code(answer, CALL_CYCLE, "the link did not fail as a call to itself", "HOK-16")
        run["busy"].answer(work)
        run["caller"].expect_result(id)


@hook_meta_case(
    "hooks/from",
    "HOK-17",
    why="A link may trust some and not others; it has to know for whom it works.",
    mend="Put the instance name of the plugin that runs the hook into `meta.from` of hook/call.",
)
def asked_for(host: HostSubject) -> None:
    """A link is told who runs the hook.

    Two plugins run a hook, one of them with a lie in its meta. Expected: their own instance names as `meta.from`.
    """
    given = (linked("link", capabilities=MANY_AT_ONCE), plugin("runner", capabilities={"meta": True}), plugin("other"))
    with started(host, "HOK-17", *given) as run:
        run["link"].reflexes.pop("hook/call")
        for name, meta in (("runner", {"meta": {"from": "other"}}), ("other", {})):
            with host.checks(name):
                id = run[name].request("hook/run", {"name": HOOK, "value": 1}, **meta)
                call = run["link"].expect_request("hook/call")
                run["link"].answer(call, {})
                run[name].expect_answer(id)
                expect_equal((call.member("meta") or {}).get("from"), name, "somebody else was named", "HOK-17")
