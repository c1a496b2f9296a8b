"""What becomes of calls when a plugin ends (chapter 04)."""

import signal

from ...case import Broken, TimedOut, expect_equal, host_case
from ...connection import show
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import PLUGIN_CRASHED, PLUGIN_UNAVAILABLE
from ...wire.messages import Json, Message
from ._between import META, always, caused_by, error_data, expect_cancel, expect_no_request, held, room, settle


@host_case(
    "crashes/every-call-answered",
    "CAL-35",
    declares=("services",),
    why="A caller whose callee has died waits for ever unless the host answers in its place.",
    mend="When a plugin ends, answer every call that it had, also those that wait at the host, with -32011.",
)
def every_call_answered(host: HostSubject) -> None:
    """When a plugin ends unasked, each call that it had is answered with PluginCrashed.

    Given: a plugin with two calls of two callers, and two more that wait for it at the host. Done: it is killed by
    SIGKILL. Expected: -32011 for each with its instance name in data; other calls go on.
    """
    callee = plugin("c", "c/ask", capabilities=room(2))
    with host.start(plugin("a"), plugin("b"), callee, plugin("d", "d/hello")) as run:
        a, b, c, d = run["a"], run["b"], run["c"], run["d"]
        of_d, at_d = held(a, d, "d/hello")
        ids = [(probe, held(probe, c, "c/ask")[0]) for probe in (a, b)]
        ids += [(probe, probe.request("c/ask")) for probe in (a, b)]
        settle(a, b)
        c.die()
        for name, (caller, id) in zip(("first", "second", "waiting-1", "waiting-2"), ids, strict=True):
            with host.checks(name):
                data = error_data(caller.expect_error(id, PLUGIN_CRASHED))
                expect_equal(data.get("instance"), c.instance, "data.instance is another")
        with host.checks("others-go-on"):
            d.answer(at_d, "hello")
            expect_equal(a.expect_result(of_d), "hello", "the result is another")


@host_case(
    "crashes/how-it-ended",
    "CAL-35",
    declares=("services",),
    why="Whoever looks for the reason of a crash needs to know whether the plugin gave up or was killed, and by what.",
    mend="Write the exit code or the signal's name into data.status, as `exit code 3` or `signal SIGKILL`.",
)
def how_it_ended(host: HostSubject) -> None:
    """Where PluginCrashed says how the plugin ended, it says what happened.

    Done: a plugin ends with exit code 3 during a call, another one is ended by SIGSEGV.
    Expected: -32011; data.status has the 3, or the signal's name, or is absent.
    """
    with host.start(plugin("a"), plugin("b", "b/ask"), plugin("c", "c/ask")) as run:
        a = run["a"]
        for name, word in (("b", "3"), ("c", "SIGSEGV")):
            id, _ = held(a, run[name], f"{name}/ask")
            run[name].exit(3) if name == "b" else run[name].die(signal.SIGSEGV)
            with host.checks(word):
                status = error_data(a.expect_error(id, PLUGIN_CRASHED)).get("status", word)
                if word not in str(status):
                    raise Broken("data.status says something else", expected=f"a text with {word}", got=repr(status))


@host_case(
    "crashes/while-stopping",
    "CAL-35",
    declares=("services",),
    why="A call that was never handed over can safely be made again somewhere else; its caller has to know that.",
    mend="When you stop a plugin, answer what waits for it with -32010, and in the end whatever it has not answered.",
)
def while_stopping(host: HostSubject) -> None:
    """Calls that wait for a plugin which the host stops are answered with PluginUnavailable.

    Given: a plugin with one call that it does not answer, and one that waits at the host. Done: the host gets SIGTERM;
    the caller takes its time to stop. Expected: -32010 for the one that waits, and an error for the other.
    """
    with host.start(plugin("a"), plugin("b", "b/ask")) as run:
        a, b = run["a"], run["b"]
        for probe in (a, b):
            probe.reflexes.pop("shutdown")
        first, _ = held(a, b, "b/ask")
        second = a.request("b/ask")
        settle(a)
        run.process.signal(signal.SIGTERM)
        with host.checks("waiting"):
            data = error_data(a.expect_error(second, PLUGIN_UNAVAILABLE))
            expect_equal(data.get("instance"), b.instance, "data.instance is another")
        b.answer(b.expect_request("shutdown", rule="LIF-14"))
        with host.checks("in-flight"):
            a.expect_error(first)
        a.answer(a.expect_request("shutdown", rule="LIF-14"))


@host_case(
    "crashes/delivered",
    "CAL-36",
    declares=("services",),
    why="Whether a payment may be made again depends on whether the first one can have been begun.",
    mend="Note for each call whether it was written, and whether its callee has reported progress or called for it.",
)
def delivered(host: HostSubject) -> None:
    """PluginCrashed says how far the call had come.

    Given, each with a plugin of its own: a call that waits at the host, one that was handed over, one for which the
    plugin reports progress, and one for which it calls another plugin. Done: the plugins end.
    Expected: data.delivered is no, maybe, started and started.
    """
    plugins = [plugin(name, f"{name}/ask", capabilities=META) for name in ("busy", "steps", "caller")]
    with host.start(plugin("a", capabilities=META), *plugins, plugin("z", "z/ask")) as run:
        a, busy, steps, caller = run["a"], run["busy"], run["steps"], run["caller"]
        calls = {"maybe": (busy, held(a, busy, "busy/ask")[0]), "no": (busy, a.request("busy/ask"))}
        if a.capabilities.get("meta"):
            calls["started-progress"] = (steps, _report(a, steps))
        id, request = held(a, caller, "caller/ask")
        held(caller, run["z"], "z/ask", **caused_by(caller, request))
        calls["started-call"] = (caller, id)
        settle(a)
        for probe in (busy, steps, caller):
            probe.exit(1)
        for name, (_, id) in calls.items():
            with host.checks(name):
                data = error_data(a.expect_error(id, PLUGIN_CRASHED, rule="CAL-35"))
                expect_equal(data.get("delivered"), name.partition("-")[0], "data.delivered is another")


def _report(a: ProbeTalk, callee: ProbeTalk) -> Json:
    """A call for which its callee has reported progress."""
    id, request = held(a, callee, "steps/ask", meta={"progress": 1})
    callee.notify("$/progress", {"token": request.member("meta")["progress"], "value": {"done": 1}})
    a.expect_notification("$/progress", rule="CAL-27")
    return id


@host_case(
    "crashes/not-twice",
    "CAL-37",
    declares=("services",),
    why="A plugin that dies in the middle of a payment may have made it; the host must not make it a second time.",
    mend="Answer the calls of a plugin that has ended; never hand them to its successor, or to another provider.",
)
def not_twice(host: HostSubject) -> None:
    """A call that its callee may have begun is not made again.

    Given: two providers of one service, one of which has a call and ends. Expected: the other one does not get the
    call, and neither does the first when the host starts it again; the caller is told of the end.
    """
    shop = [{"service": "shop", "version": "1", "methods": ["pay"]}]
    with host.start(plugin("a"), plugin("b", provides=shop), plugin("c", provides=shop)) as run:
        a, b, c = run["a"], run["b"], run["c"]
        id = a.request(f"shop@{b.instance}/pay")
        b.expect_request("shop/pay")
        c.reflexes["shop/pay"] = always("made by c")
        b.die()
        answer = a.expect_answer(id, rule="CAL-35")
        with host.checks("other-provider"):
            if answer.error_code != PLUGIN_CRASHED:
                raise Broken("the call was made again", expected=str(PLUGIN_CRASHED), got=show(answer))
        with host.checks("started-again"):
            try:
                again = run.receive_again("b")
            except TimedOut:
                return
            again.wait_ready()
            settle(again)
            expect_no_request(again, "shop/pay")


@host_case(
    "crashes/of-the-caller",
    "CAL-38",
    declares=("services",),
    why="Work for a plugin that has died keeps others waiting, and its result goes nowhere.",
    mend="When a plugin ends, cancel what it has called: at the callee, and what waits at the host there.",
)
def of_the_caller(host: HostSubject) -> None:
    """When a plugin ends, the calls that it made are cancelled.

    Given: a plugin has a call at another one, which works on one request at a time, and a second call that waits; a
    third plugin has one that waits behind it. Done: the first plugin is killed. Expected: a cancel of the call in
    flight; when it was answered, the next one is that of the third plugin.
    """
    with host.start(plugin("a"), plugin("b"), plugin("c", "c/ask")) as run:
        a, b, c = run["a"], run["b"], run["c"]
        _, request = held(a, c, "c/ask", {"n": 1})
        a.request("c/ask", {"n": 2})
        settle(a)
        id = b.request("c/ask", {"n": 3})
        a.die()
        with host.checks("in-flight"):
            expect_cancel(c, request)
        c.answer(request)
        following: Message = c.expect_request("c/ask")
        with host.checks("waiting"):
            if following.params != {"n": 3}:
                raise Broken("a call of the dead plugin was made", expected="the call of b", got=show(following))
            c.answer(following, "three")
            expect_equal(b.expect_result(id), "three", "the result is another")
