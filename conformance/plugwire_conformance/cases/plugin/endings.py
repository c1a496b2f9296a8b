"""How a plugin ends, and that it says so while it lives (chapter 03)."""

from ...case import Broken, plugin_case
from ...connection import show
from ...plugins.subject import PluginSubject
from ...plugins.talk import Talk
from ...wire.codes import METHOD_NOT_FOUND
from .lifecycle import expect_not_initialized
from .messages import NOWHERE

#: Longer than any case waits.
_LONG = 600_000


@plugin_case(
    "lifecycle/clean-end",
    "LIF-13",
    "LIF-15",
    why="A host that cannot end a plugin in order has to kill it, and loses what it had in hand.",
    mend="Answer shutdown with null, then end the process with code 0 on exit.",
)
def clean_end(plugin: PluginSubject) -> None:
    """A plugin answers shutdown with null and ends with code 0 on exit.

    Sent: initialize, initialized, shutdown, and after its answer exit.
    Expected: null, and exit code 0.
    """
    plugin.ready().shut_down()


@plugin_case(
    "lifecycle/after-shutdown",
    "LIF-01",
    why="What is begun after shutdown is cut off by exit.",
    mend="Answer every request after shutdown with NotInitialized, but ping.",
)
def after_shutdown(plugin: PluginSubject) -> None:
    """After shutdown, requests are refused.

    Sent: shutdown, then a request for a method that is not there, and shutdown again; then exit.
    Expected: NotInitialized for both, and exit code 0.
    """
    talk = plugin.ready()
    talk.expect_result(talk.request("shutdown"), rule="LIF-13")
    for method in (NOWHERE, "shutdown"):
        with plugin.checks(method.rpartition("/")[2]):
            expect_not_initialized(talk, method)
    talk.notify("exit")
    talk.expect_exit(0, rule="LIF-15")


@plugin_case(
    "lifecycle/shutdown-with-a-request-in-flight",
    "LIF-13",
    why="A caller whose request is dropped at shutdown learns of it only when the process is gone, as a crash.",
    mend="On shutdown cancel or finish what is in flight, answer it, and only then answer shutdown.",
    needs=("conformance/sleep",),
)
def shutdown_in_flight(plugin: PluginSubject) -> None:
    """On shutdown a plugin answers what it has in flight first.

    Sent: conformance/sleep for ten minutes, and shutdown.
    Expected: an answer to the first, then null for shutdown; and exit code 0 on exit.
    """
    talk = plugin.ready()
    slow = talk.request("conformance/sleep", {"ms": _LONG})
    end = talk.request("shutdown")
    first = talk.wait_for(lambda message: message.is_response, "an answer to the request in flight", rule="LIF-13")
    if first.id != slow:
        expected = "the answer to the request in flight"
        raise Broken("shutdown was answered before the request in flight", expected=expected, got=show(first))
    talk.expect_result(end, rule="LIF-13")
    talk.notify("exit")
    talk.expect_exit(0, rule="LIF-15")


def _in_state(plugin: PluginSubject, state: str) -> Talk:
    """A process of the plugin in that state."""
    talk = plugin.launch()
    if state != "created":
        talk.initialize()
    if state in ("ready", "stopping"):
        talk.notify("initialized")
        talk.expect_alive()
    if state == "stopping":
        talk.expect_result(talk.request("shutdown"), rule="LIF-13")
    return talk


@plugin_case(
    "lifecycle/exit-without-shutdown",
    "LIF-15",
    why="By the code a host tells an end in order from one that was cut short.",
    mend="End the process on exit in every state; with code 1 unless shutdown was answered before.",
)
def exit_without_shutdown(plugin: PluginSubject) -> None:
    """On exit without shutdown a plugin ends with code 1.

    Sent: exit, as the first message, after initialize, and when ready.
    Expected: exit code 1 each time.
    """
    for state in ("created", "initializing", "ready"):
        with plugin.checks(state):
            talk = _in_state(plugin, state)
            talk.notify("exit")
            talk.expect_exit(1, rule="LIF-15")


@plugin_case(
    "lifecycle/exit-while-busy",
    "LIF-15",
    why="A plugin that finishes its work first keeps a host waiting that has no more use for it, and is killed.",
    mend="End the process on exit whatever else is going on; threads must not keep it alive.",
    needs=("conformance/sleep",),
)
def exit_while_busy(plugin: PluginSubject) -> None:
    """On exit a plugin ends although a request is in flight.

    Sent: conformance/sleep for ten minutes, then exit.
    Expected: exit code 1.
    """
    talk = plugin.ready()
    talk.request("conformance/sleep", {"ms": _LONG})
    talk.notify("exit")
    talk.expect_exit(1, rule="LIF-15")


@plugin_case(
    "lifecycle/end-of-input",
    "LIF-16",
    why="When the host dies, the end of standard input is all that a plugin sees; one that goes on stays for ever.",
    mend="End the process when reading standard input meets its end; with code 0 only after shutdown.",
)
def end_of_input(plugin: PluginSubject) -> None:
    """When its standard input ends, a plugin ends.

    Done: standard input is closed, at once, after initialize, when ready, and after shutdown.
    Expected: the end of the process, with code 1, after shutdown with 0.
    """
    for state, code in {"created": 1, "initializing": 1, "ready": 1, "stopping": 0}.items():
        with plugin.checks(state):
            talk = _in_state(plugin, state)
            talk.process.stdin.finish()
            talk.expect_exit(code, rule="LIF-16")


@plugin_case(
    "lifecycle/end-of-input-while-busy",
    "LIF-16",
    why="A plugin that waits for its work to end first outlives its host, by minutes or for ever.",
    mend="End the process at the end of standard input whatever else is going on; threads must not keep it alive.",
    needs=("conformance/sleep",),
)
def end_of_input_while_busy(plugin: PluginSubject) -> None:
    """When its standard input ends, a plugin ends although a request is in flight.

    Done: conformance/sleep for ten minutes is sent, then standard input is closed.
    Expected: exit code 1.
    """
    talk = plugin.ready()
    talk.request("conformance/sleep", {"ms": _LONG})
    talk.process.stdin.finish()
    talk.expect_exit(1, rule="LIF-16")


@plugin_case(
    "lifecycle/ping",
    "LIF-18",
    why="A host that gets no answer to ping takes the plugin for hung, and ends it.",
    mend="Answer ping with null in every state, before initialize and after shutdown too.",
)
def ping(plugin: PluginSubject) -> None:
    """Ping is answered in every state.

    Sent: ping before initialize, before initialized, when ready and after shutdown.
    Expected: null, or MethodNotFound, which counts as alive too.
    """
    for state in ("created", "initializing", "ready", "stopping"):
        with plugin.checks(state):
            talk = _in_state(plugin, state)
            answer = talk.expect_answer(talk.request("ping", {}), rule="LIF-18")
            alive = (answer.has("result") and answer.result is None) or answer.error_code == METHOD_NOT_FOUND
            if not alive:
                raise Broken("ping was answered another way", expected="null", got=show(answer))
