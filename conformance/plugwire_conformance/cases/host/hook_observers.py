"""Links that only observe (chapter 07: observers)."""

from ...case import Broken, expect_equal
from ...hosts.given import plugin
from ...hosts.subject import HostRun, HostSubject
from ...wire.codes import DEADLINE_EXCEEDED, HOOK_STOPPED, REQUEST_CANCELLED
from ...wire.messages import Message
from .event_talk import MIB, check_frames, expect_told
from .hook_talk import HOOK, asked, hook_case, hook_meta_case, is_cancel_of, linked, run_hook, says, started

_MANY = 72


@hook_case(
    "hooks/observer",
    "HOK-21",
    why="Whoever counts or logs wants the value as it really is at that place, and nobody wants to wait for it.",
    mend="Give an observer the value at its place in the order, and go on at once.",
)
def observer(host: HostSubject) -> None:
    """An observer gets the value as it stands at its place, and nobody waits for it.

    An observer stands between two links that change the value, and never answers. Expected: it is asked with what the
    first one has made, the outcome has what both have made, and `ran` does not name it.
    """
    watch = linked("eye", mode="observe", timeoutMs=60000)
    with started(host, "HOK-21", linked("one"), watch, linked("three"), plugin("runner")) as run:
        run["eye"].reflexes.pop("hook/call")
        outcome = run_hook(run["runner"], [], rule="HOK-21")
        expected = [["one", "three"], ["one", "three"]]
        expect_equal([outcome.get("value"), outcome.get("ran")], expected, "the run ended otherwise", "HOK-21")
        call = run["eye"].expect_request("hook/call", rule="HOK-21")
        expect_equal(call.params.get("value"), ["one"], "the observer saw another value", "HOK-21")


@hook_case(
    "hooks/observer-answers",
    "HOK-22",
    why="A plugin that was let in to look on must not be able to do more.",
    mend="Pay no heed to what an observer answers.",
)
def observer_answers(host: HostSubject) -> None:
    """What an observer answers has no effect on the run.

    An observer answers with a value, with a stop and with an error, while the link after it is still asked. Expected:
    an outcome with that link alone each time, even where the observer has `onError` `fail`.
    """
    watch = linked("eye", mode="observe", onError="fail")
    with started(host, "HOK-22", watch, linked("two"), plugin("runner")) as run:
        run["two"].reflexes.pop("hook/call")
        for name, answer in (
            ("value", {"result": {"value": ["forged"]}}),
            ("stop", {"result": {"stop": {"reason": "no"}}}),
            ("error", {"error": {"code": 77, "message": "It broke."}}),
        ):
            with host.checks(name):
                says(run["eye"], **answer)
                id = run["runner"].request("hook/run", {"name": HOOK, "value": ["raw"]})
                call = run["two"].expect_request("hook/call", rule="HOK-22")
                # After the first answer the observer has been asked and has answered; after the second the host knows.
                run["eye"].expect_alive()
                run["eye"].expect_alive()
                expect_equal(call.params.get("value"), ["raw"], "the link saw another value", "HOK-22")
                run["two"].answer(call, {"value": ["two"]})
                outcome = run["runner"].expect_result(id, rule="HOK-22")
                expect_equal(
                    [outcome.get("value"), outcome.get("ran")], [["two"], ["two"]], "it ended otherwise", "HOK-22"
                )


@hook_case(
    "hooks/observer-failure-reported",
    "HOK-22",
    why="A log with holes that nobody knows of is worse than none.",
    mend="Tell people when an observer fails: which plugin, which hook.",
)
def observer_failure_reported(host: HostSubject) -> None:
    """An observer that fails is reported.

    An observer answers with an error. Expected: a line for people that names the plugin.
    """
    with started(host, "HOK-22", linked("magpie", mode="observe"), plugin("runner")) as run:
        says(run["magpie"], error={"code": 77, "message": "The feathers broke."})
        run_hook(run["runner"], [], rule="HOK-22")
        expect_told(run, "hook", "link", "observ", "feathers", about="magpie", rule="HOK-22")


@hook_case(
    "hooks/observer-left-to-end",
    "HOK-23",
    why="What an observer does, it does for itself; the end of the run is no reason to break it off.",
    mend="Do not cancel the calls of observers when a run is answered with a value or is stopped.",
)
def observer_left_to_end(host: HostSubject) -> None:
    """An observer that has begun is left to end when the run ends.

    An observer is asked and has not answered when the run is answered with a value, and when it is stopped. Expected:
    no $/cancelRequest for it.
    """
    watch = linked("eye", mode="observe", timeoutMs=60000)
    with started(host, "HOK-23", watch, linked("two"), plugin("runner")) as run:
        run["eye"].reflexes.pop("hook/call")
        for name, members in (("answered", {"result": {}}), ("stopped", {"result": {"stop": {"reason": "no"}}})):
            with host.checks(name):
                says(run["two"], **members)
                id = run["runner"].request("hook/run", {"name": HOOK, "value": 1})
                call = run["eye"].expect_request("hook/call", rule="HOK-21")
                answer = run["runner"].expect_answer(id)
                expect_equal(
                    answer.error_code, HOOK_STOPPED if name == "stopped" else None, "the run ended otherwise", "HOK-11"
                )
                run["eye"].expect_alive()
                _refuse_cancel(run, call)
                run["eye"].answer(call, {})


def _refuse_cancel(run: HostRun, call: Message) -> None:
    run["eye"].refuse(lambda message: is_cancel_of(call, message), "$/cancelRequest for an observer", rule="HOK-23")


@hook_case(
    "hooks/observer-cancelled",
    "HOK-23",
    why="When a run is given up, nothing that it has begun should go on.",
    mend="When a run is cancelled, cancel the calls of its observers as well.",
)
def observer_cancelled(host: HostSubject) -> None:
    """An observer is cancelled when the run is cancelled.

    While an observer and the link after it are asked, the run is cancelled. Expected: RequestCancelled, and
    $/cancelRequest at the observer with the id of its hook/call.
    """
    watch = linked("eye", mode="observe", timeoutMs=60000)
    with started(host, "HOK-23", watch, linked("two"), plugin("runner")) as run:
        id, call = _both_asked(run, {})
        run["runner"].notify("$/cancelRequest", {"id": id})
        run["runner"].expect_error(id, REQUEST_CANCELLED, rule="HOK-16")
        run["eye"].wait_for(lambda message: is_cancel_of(call, message), "$/cancelRequest for its call", rule="HOK-23")


@hook_meta_case(
    "hooks/observer-out-of-time",
    "HOK-23",
    why="When the time of a run is over, nothing that it has begun should go on.",
    mend="When a run's time runs out, cancel the calls of its observers as well.",
)
def observer_out_of_time(host: HostSubject) -> None:
    """An observer is cancelled when the time of the run runs out.

    A run with `deadlineMs` 250, an observer and a link that do not answer. Expected: DeadlineExceeded, and
    $/cancelRequest at the observer with the id of its hook/call.
    """
    watch = linked("eye", mode="observe", timeoutMs=60000)
    with started(host, "HOK-23", watch, linked("two"), plugin("runner", capabilities={"meta": True})) as run:
        id, call = _both_asked(run, {"meta": {"deadlineMs": 250}})
        run["runner"].expect_error(id, DEADLINE_EXCEEDED, rule="HOK-15")
        run["eye"].wait_for(lambda message: is_cancel_of(call, message), "$/cancelRequest for its call", rule="HOK-23")


def _both_asked(run: HostRun, meta: dict[str, object]) -> tuple[object, Message]:
    """A run that waits for its link, and the call of its observer."""
    for name in ("eye", "two"):
        run[name].reflexes.pop("hook/call")
    id = run["runner"].request("hook/run", {"name": HOOK, "value": 1}, **meta)
    call = run["eye"].expect_request("hook/call", rule="HOK-21")
    run["two"].expect_request("hook/call")
    return id, call


@hook_case(
    "hooks/observer-bounded",
    "HOK-24",
    why="An observer that hangs would make the host keep every value of every run.",
    mend="Bound what waits at an observer by number and by bytes; beyond that leave it out, count it, and tell people.",
)
def observer_bounded(host: HostSubject) -> None:
    """What waits at an observer is bounded.

    An observer answers nothing while 72 runs with a value of 1 MiB each go by; then it answers whatever it is asked.
    Expected: every run has its outcome; a report that names the observer; and it was left out of some of the runs.
    """
    watch = linked("magpie", mode="observe", timeoutMs=60000)
    with started(host, "HOK-24", watch, plugin("runner")) as run:
        check_frames(run["runner"], MIB)
        run["magpie"].reflexes.pop("hook/call")
        for number in range(_MANY):
            outcome = run_hook(run["runner"], [number, "x" * MIB], rule="HOK-24")
            expect_equal(outcome["value"][0], number, "a run ended otherwise", "HOK-24")
        with host.checks("report"):
            expect_told(run, "hook", "link", "observ", "left out", about="magpie", rule="HOK-24")
        with host.checks("bound"):
            says(run["magpie"], result={})
            for message in run["magpie"].taken():
                if message.method == "hook/call":
                    run["magpie"].answer(message, {})
            _wait_until_asked_no_more(run)
            if sum(value != ["last"] for value in asked(run["magpie"])) >= _MANY:
                got = f"all {_MANY} values with 1 MiB each"
                raise Broken("all that came has waited", expected="fewer values", got=got, requirement="HOK-24")


def _wait_until_asked_no_more(run: HostRun) -> None:
    """Runs the hook until the observer is asked about such a run: then it was asked about all that waited for it."""
    began, magpie = run["magpie"].log.now(), run["magpie"]
    while not any(value == ["last"] for value in asked(magpie)):
        run_hook(run["runner"], ["last"])
        if magpie.log.now() - began > magpie.patience * 4:
            raise Broken(
                "an observer that answers again is left out", expected="hook/call", got="nothing", requirement="HOK-24"
            )
