"""From the first message to ready (chapter 03). How a plugin ends is in `endings`."""

from ...case import Broken, plugin_case
from ...connection import show
from ...oracles.shapes import misfit
from ...plugins.refusals import check_refusal, expect_refusal
from ...plugins.subject import PluginSubject
from ...plugins.talk import Talk, initialize_params
from ...wire.codes import INVALID_REQUEST, METHOD_NOT_FOUND, NOT_INITIALIZED
from ...wire.messages import Json
from .messages import NOWHERE

#: Capabilities as hosts declare them today.
_CAPABILITIES = ("meta", "log", "services", "events", "hooks", "channels", "memory", "state", "locks")


@plugin_case(
    "lifecycle/initialize",
    "LIF-04",
    why="A host refuses a plugin whose answer it cannot read, and the plugin never becomes ready.",
    mend="Answer with protocolVersion and plugin at least, each of the type that the table InitializeResult gives.",
)
def initialize(plugin: PluginSubject) -> None:
    """A plugin answers initialize with who it is.

    Sent: initialize.
    Expected: a result of the type InitializeResult.
    """
    answer = plugin.launch().initialize()
    if not answer.has("result"):
        raise Broken("initialize was refused", expected="a result", got=show(answer))
    problem = misfit("InitializeResult", answer.result)
    if problem:
        raise Broken("the answer is no InitializeResult", expected="InitializeResult", got=problem)


def expect_not_initialized(talk: Talk, method: str) -> None:
    """Sends a request that is not allowed now; it is answered with NotInitialized."""
    id = talk.request(method)
    check_refusal(talk.expect_answer(id, rule="LIF-01"), id, NOT_INITIALIZED, rule="LIF-01")


@plugin_case(
    "lifecycle/before-initialize",
    "LIF-01",
    why="A request that is served before the limits are settled is served under none.",
    mend="Answer every request but initialize and ping with NotInitialized until initialize was answered.",
)
def before_initialize(plugin: PluginSubject) -> None:
    """Before initialize, requests are refused, and initialize still works.

    Sent: a request for a method that is not there, and shutdown; then initialize.
    Expected: NotInitialized for both, and a result for initialize.
    """
    talk = plugin.launch()
    for method in (NOWHERE, "shutdown"):
        with plugin.checks(method.rpartition("/")[2]):
            expect_not_initialized(talk, method)
    talk.ready().expect_alive()


@plugin_case(
    "lifecycle/before-initialized",
    "LIF-01",
    why="Until the host has said initialized it may still refuse the plugin; nothing must have happened by then.",
    mend="Become ready on initialized, not on initialize.",
)
def before_initialized(plugin: PluginSubject) -> None:
    """Between initialize and initialized, requests are refused.

    Sent: initialize, a request for a method that is not there, shutdown, and then initialized.
    Expected: NotInitialized for both, and then a plugin that is ready.
    """
    talk = plugin.launch()
    talk.initialize()
    for method in (NOWHERE, "shutdown"):
        with plugin.checks(method.rpartition("/")[2]):
            expect_not_initialized(talk, method)
    talk.notify("initialized")
    id = talk.new_id()
    expect_refusal(talk, {"jsonrpc": "2.0", "id": id, "method": NOWHERE}, id, METHOD_NOT_FOUND, rule="LIF-01")


@plugin_case(
    "lifecycle/second-initialize",
    "LIF-01",
    why="A second initialize that is carried out changes limits and configuration under requests that are in flight.",
    mend="Answer initialize with InvalidRequest once it was answered with a result, and change nothing.",
)
def second_initialize(plugin: PluginSubject) -> None:
    """A second initialize is refused and changes nothing.

    Sent: initialize again, before and after initialized.
    Expected: InvalidRequest, and a plugin that is as ready as before.
    """
    with plugin.checks("initializing"):
        talk = plugin.launch()
        talk.initialize()
        _refuse_initialize(talk)
        talk.notify("initialized")
        _expect_ready(talk)
    with plugin.checks("ready"):
        talk = plugin.ready()
        _refuse_initialize(talk)
        _expect_ready(talk)


def _refuse_initialize(talk: Talk) -> None:
    id = talk.new_id()
    message = {"jsonrpc": "2.0", "id": id, "method": "initialize", "params": initialize_params()}
    expect_refusal(talk, message, id, INVALID_REQUEST, rule="LIF-01")


def _expect_ready(talk: Talk) -> None:
    talk.expect_error(talk.request(NOWHERE), METHOD_NOT_FOUND, rule="LIF-01")


@plugin_case(
    "lifecycle/early-notifications",
    "LIF-02",
    why="A notification that comes at the wrong time must not start anything, nor end the plugin.",
    mend="Drop notifications that the table does not allow in the present state.",
)
def early_notifications(plugin: PluginSubject) -> None:
    """Notifications out of place are ignored.

    Sent: initialized and others before initialize; a delivery before initialized; initialized a second time.
    Expected: no answer, initialized before initialize makes nothing ready, and the conversation goes on as usual.
    """
    talk = plugin.launch()
    event = {"subscription": 1, "seq": 1, "topic": "a.b", "from": "host"}
    with plugin.checks("created"):
        talk.notify("initialized")
        talk.notify("event/deliver", event)
        talk.notify("service/changed", {"service": "a", "version": "1", "instance": "b", "state": "available"})
        expect_not_initialized_after(talk, talk.request(NOWHERE))
    with plugin.checks("initializing"):
        talk.initialize()
        talk.notify("event/deliver", event)
        expect_not_initialized_after(talk, talk.request(NOWHERE))
    with plugin.checks("ready"):
        talk.notify("initialized")
        talk.notify("initialized")
        talk.expect_error(talk.request(NOWHERE), METHOD_NOT_FOUND, rule="LIF-02")


def expect_not_initialized_after(talk: Talk, id: Json) -> None:
    """The notifications before this request have changed no state."""
    check_refusal(talk.expect_answer(id, rule="LIF-02"), id, NOT_INITIALIZED, rule="LIF-02")


@plugin_case(
    "lifecycle/unknown-capabilities",
    "LIF-11",
    "MSG-07",
    why="Newer hosts declare more; a plugin that stumbles over that cannot start there.",
    mend="Read the capabilities that the plugin knows and leave the others alone, whatever their values are.",
)
def unknown_capabilities(plugin: PluginSubject) -> None:
    """Capabilities and members of initialize that a plugin does not know are ignored.

    Sent: initialize with unknown capabilities of every JSON type, and unknown members elsewhere; then initialized.
    Expected: a plugin that is ready.
    """
    odd: dict[str, Json] = {"teleport": True, "x-list": [1], "x-object": {"a": None}, "x-number": 3.5, "x-null": None}
    with plugin.checks("capabilities"):
        plugin.ready(capabilities=odd).expect_alive("LIF-11")
    with plugin.checks("members"):
        host = {"name": "h", "version": "1", "x-more": {}}
        limits = {"maxFrameBytes": 4194304, "maxDepth": 128, "maxInFlight": 256, "x-more": "much"}
        plugin.ready(host=host, limits=limits, **{"x-more": odd}).expect_alive("MSG-07")


@plugin_case(
    "lifecycle/capabilities-that-are-false",
    "LIF-12",
    why="A host may say false for what another host leaves out; a plugin that looks for the key alone calls in vain.",
    mend="Use a feature when its capability is true, not when its key is there.",
)
def capabilities_that_are_false(plugin: PluginSubject) -> None:
    """A capability that is false is not declared.

    Sent: initialize with every capability as false, initialized, and a ping.
    Expected: an answer, and no message of any of these features.
    """
    talk = plugin.ready(capabilities=dict.fromkeys(_CAPABILITIES, False))
    talk.expect_alive("LIF-12")
    talk.refuse(lambda message: bool(message.method), "what the host does not support", rule="LIF-12")
