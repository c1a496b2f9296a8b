"""How plugins end, asked and unasked, and what that means for the others (chapter 03)."""

import signal

from ...case import Broken, TimedOut, expect_equal, host_case
from ...connection import show
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostRun, HostSubject
from ...process.group import group_lives
from ._between import held, room
from ._raw import ONCE

#: A host may give each step some seconds.
_STEPS = 4
_LAST_WORDS = 200
#: More restarts than any budget for half a minute allows.
_RESTARTS = 20


@host_case(
    "ending/in-order",
    "LIF-14",
    why="A plugin that is killed at once loses what it had in hand; one that is only asked may stay for ever.",
    mend="Send shutdown and exit, close the plugin's input, send SIGTERM to its process group, then SIGKILL; "
    "wait a bounded time after each.",
)
def in_order(host: HostSubject) -> None:
    """A host ends a plugin step by step: shutdown and exit, the end of its input, SIGTERM, SIGKILL.

    The host is asked to end by SIGTERM. One plugin does as it is told; one does not answer shutdown and takes no notice
    of exit, but ends with its input; one takes no notice of anything, and has started another process. Expected: the
    first gets shutdown and then exit, and no signal; the second no signal; the third gets shutdown, the end of its
    input and SIGTERM, in this order, and is then gone, with its child.
    """
    names = ("polite", "slow", "stubborn")
    with host.start(*(plugin(name) for name in names)) as run:
        for name in names:
            run[name].catch(signal.SIGTERM)
        for name in names[1:]:
            run[name].reflexes.pop("shutdown")
        run["slow"].stay_on_exit()
        run["stubborn"].stay_at_end()
        run["stubborn"].start_child(120)
        run.ask_to_stop()
        with host.checks("polite"):
            run["polite"].wait_gone(rule="LIF-14")
            _expect_goodbye(run["polite"])
        with host.checks("ends-with-its-input"):
            _expect_shutdown(run["slow"])
            run["slow"].wait_gone(_STEPS * run["slow"].patience, rule="LIF-14")
            _expect_signals(run["slow"], [])
        with host.checks("takes-no-notice"):
            _expect_all_steps(run["stubborn"])


def _expect_shutdown(probe: ProbeTalk) -> None:
    probe.expect_request("shutdown", rule="LIF-14")


def _expect_goodbye(probe: ProbeTalk) -> None:
    asked = [message.method for from_subject, message in probe.history if from_subject and not message.is_response]
    expect_equal(asked[-2:], ["shutdown", "exit"], "the last two messages are others", rule="LIF-14")
    _expect_signals(probe, [])


def _expect_signals(probe: ProbeTalk, signals: list[int]) -> None:
    expect_equal(probe.signals, signals, f"the signals that {probe.name} has seen are others", rule="LIF-14")


def _expect_all_steps(probe: ProbeTalk) -> None:
    limit = _STEPS * probe.patience
    _expect_shutdown(probe)
    probe.expect_end(within=limit, rule="LIF-14")
    _expect_signals(probe, [])
    probe.wait_gone(limit, rule="LIF-14")
    _expect_signals(probe, [int(signal.SIGTERM)])
    if group_lives(probe.pid, probe.patience):
        raise Broken(
            "a process that the plugin started lives on", expected="no process of its group", got="one that runs"
        )


@host_case(
    "ending/host-is-killed",
    "LIF-14",
    why="Plugins of a host that has crashed would run for ever, each with an open pipe that another plugin holds.",
    mend="Let no plugin inherit the pipes of another one: create them with close-on-exec.",
)
def host_is_killed(host: HostSubject) -> None:
    """When a host is killed, the input of each plugin ends.

    Three plugins are ready; the host is killed by SIGKILL. The third takes no notice and lives on. Expected: the end of
    the input of each.
    """
    names = ("one", "two", "three")
    with host.start(*(plugin(name) for name in names)) as run:
        run["three"].stay_at_end()
        run.process.signal(signal.SIGKILL)
        for name in reversed(names):
            with host.checks(name):
                run[name].expect_end(rule="LIF-14")


@host_case(
    "ending/output-closed",
    "LIF-17",
    declares=("services",),
    why="A plugin that closes its output can never answer; its callers would wait for ever.",
    mend="Take the end of a plugin's standard output as the end of the connection, and answer the calls that it had.",
)
def output_closed(host: HostSubject) -> None:
    """A host takes the end of a plugin's standard output for the end of the connection, though its process lives.

    Sent: a plugin calls another one, which closes its standard output. Expected at the caller: an error.
    """
    with host.start(plugin("a"), plugin("b", "b/do", settings=ONCE)) as run:
        id, _ = held(run["a"], run["b"], "b/do")
        run["b"].stay_at_end()
        run["b"].close_stdout()
        _expect_outcome(run["a"], id)


@host_case(
    "ending/process-gone",
    "LIF-17",
    declares=("services",),
    why="A program that the plugin has started may hold its output open for hours after it is gone.",
    mend="Wait for the process as well as for the end of its output, and take whichever comes first.",
)
def process_gone(host: HostSubject) -> None:
    """A host takes the end of a plugin's process for the end of the connection, though its pipes are still open.

    Sent: a plugin calls another one, whose process ends while somebody else holds its pipes. Expected at the caller: an
    error.
    """
    with host.start(plugin("a"), plugin("b", "b/do", settings=ONCE)) as run:
        id, _ = held(run["a"], run["b"], "b/do")
        run["b"].exit(1, pipes_stay=True)
        _expect_outcome(run["a"], id)


def _expect_outcome(caller: ProbeTalk, id: int) -> None:
    answer = caller.expect_answer(id, rule="LIF-17")
    if answer.error_code is None:
        raise Broken("a plugin that is gone has answered", expected="an error", got=show(answer), requirement="LIF-17")


@host_case(
    "ending/last-words",
    "LIF-17",
    declares=("services",),
    why="A plugin that does its work and ends would lose its result, now and then.",
    mend="When a process has ended, read its output to the end before you end the connection.",
)
def last_words(host: HostSubject) -> None:
    """A host takes every whole frame that a plugin wrote before it ended.

    Sent by a plugin, which ends at once: two hundred notifications to another plugin, and the answer to its call.
    Expected there: all of them, and the result.
    """
    with host.start(plugin("a", "a/do", settings=ONCE), plugin("b", "b/tell")) as run:
        id, request = held(run["b"], run["a"], "a/do")
        for number in range(_LAST_WORDS):
            run["a"].notify("b/tell", {"number": number})
        run["a"].answer(request, "done")
        run["a"].exit(0)
        expect_equal(run["b"].expect_result(id, rule="LIF-17"), "done", "the result is another", rule="LIF-17")
        for number in range(_LAST_WORDS):
            told = run["b"].expect_notification("b/tell", rule="LIF-17")
            expect_equal(told.params, {"number": number}, "the notification is another", rule="LIF-17")


@host_case(
    "ending/others-go-on",
    "LIF-19",
    declares=("services",),
    why="One plugin that crashes must not take the others with it.",
    mend="Keep the conversations apart: what fails on one connection ends that one alone.",
)
def others_go_on(host: HostSubject) -> None:
    """The end of one plugin does not disturb the conversations with others.

    Sent: a plugin has a call in flight at a second one; a third one, which has calls in both directions, is killed.
    Then the second one answers. Expected: the result at the first; both get answers to pings.
    """
    capabilities = room(4)
    with host.start(
        plugin("a", "a/do", capabilities=capabilities),
        plugin("b", "b/do", capabilities=capabilities),
        plugin("c", "c/do", settings=ONCE),
    ) as run:
        id, request = held(run["a"], run["b"], "b/do")
        broken_off, _ = held(run["a"], run["c"], "c/do")
        held(run["c"], run["b"], "b/do")
        run["c"].die()
        # With this answer the host knows of the end.
        run["a"].expect_answer(broken_off, rule="LIF-17")
        run["b"].expect_alive("LIF-19")
        run["b"].answer(request, "done")
        expect_equal(run["a"].expect_result(id, rule="LIF-19"), "done", "the result is another", rule="LIF-19")
        run["a"].expect_alive("LIF-19")


@host_case(
    "ending/restart-budget",
    "LIF-20",
    why="A plugin that crashes at once would be started again and again, and keep the machine busy with nothing else.",
    mend="Bound how often a plugin is started again within some time; then leave it alone, and say so.",
)
def restart_budget(host: HostSubject) -> None:
    """A host does not start a plugin again without end.

    A plugin is killed as soon as it is ready, each time that the host starts it. Expected: a time when the host starts
    it no more, after less than twenty restarts, and a report that names it.
    """
    with host.start(plugin("crasher", settings={"restart": "always"})) as run:
        for _ in range(_RESTARTS):
            told = len(run.reports())
            run["crasher"].die()
            if not _comes_back(run):
                break
        else:
            got = f"{_RESTARTS} restarts, and no end"
            raise Broken("the host starts it again without end", expected="a budget", got=got)
        run.expect_more(
            lambda: any("crasher" in line for line in run.reports()[told:]), "a report of it", rule="LIF-20"
        )


def _comes_back(run: HostRun) -> bool:
    try:
        run.receive_again("crasher").wait_ready()
    except TimedOut:
        return False
    return True
