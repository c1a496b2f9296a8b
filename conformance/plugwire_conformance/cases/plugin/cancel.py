"""Cancel, as it binds plugins (chapter 04)."""

from ...case import Broken, plugin_case
from ...connection import show
from ...plugins.in_flight import SLEEPS, outlasted, patience_for, sleep
from ...plugins.subject import PluginSubject
from ...report import Level
from ...wire.codes import METHOD_NOT_FOUND, REQUEST_CANCELLED
from ...wire.messages import Json, Message
from .messages import NOWHERE
from .responses import CALLED, call_out

_MS = 700
_STORM = 100


def _check_ending(answer: Message) -> None:
    if not answer.has("result") and answer.error_code != REQUEST_CANCELLED:
        raise Broken("a cancelled request has another outcome", expected="its result, or -32800", got=show(answer))


@plugin_case(
    "cancel/answered",
    "CAL-20",
    "MSG-17",
    why="A caller that cancels still waits for the one answer; without it, the request stays open for ever.",
    mend="Answer a cancelled request once, with RequestCancelled (-32800) or with its result.",
    needs=("conformance/sleep",),
)
def answered(plugin: PluginSubject) -> None:
    """A cancelled request is answered, once.

    Sent: conformance/sleep for 700 ms, and its cancel, twice; then a ping after the answer.
    Expected: null or RequestCancelled (a second answer is seen by everywhere/one-answer).
    """
    talk = plugin.ready()
    id = talk.request("conformance/sleep", {"ms": _MS})
    talk.notify("$/cancelRequest", {"id": id})
    talk.notify("$/cancelRequest", {"id": id})
    _check_ending(talk.expect_answer(id, rule="CAL-20"))
    talk.notify("$/cancelRequest", {"id": id})
    # Whatever else it would do at the end of the sleep has had its time when this one is over.
    talk.expect_result(talk.request("conformance/sleep", {"ms": _MS}), rule="CAL-20")


@plugin_case(
    "cancel/soon",
    "CAL-20",
    why="Work that nobody waits for any more keeps a slot of the plugin and the machine busy.",
    mend="Let handlers look for a cancel, or end what they wait for, and read on while a handler runs.",
    needs=("conformance/sleep",),
    level=Level.SHOULD,
)
def soon(plugin: PluginSubject) -> None:
    """A cancelled request stops soon.

    Sent: conformance/sleep for a minute, and its cancel.
    Expected: an answer long before the minute is over.
    """
    talk = plugin.ready()
    id = talk.request("conformance/sleep", {"ms": int(60_000 * max(1.0, plugin.settings.timeout_scale))})
    talk.notify("$/cancelRequest", {"id": id})
    _check_ending(talk.expect_answer(id, rule="CAL-20"))


@plugin_case(
    "cancel/not-in-flight",
    "CAL-21",
    why="A cancel and an answer often cross on their way, so plugins get cancels for what is over.",
    mend="Drop a cancel for an id that is not in flight, of whatever type it is.",
)
def not_in_flight(plugin: PluginSubject) -> None:
    """A cancel of what is not in flight is ignored.

    Sent: before initialize and when ready, cancels with ids that were never used, were answered, and are none.
    Expected: no answer to them, and the conversation goes on.
    """
    kinds: dict[str, Json] = {
        "unknown": {"id": 4711},
        "string": {"id": "4711"},
        "true": {"id": True},
        "null": {"id": None},
        "fraction": {"id": 1.5},
        "list": {"id": []},
        "object": {"id": {}},
        "absent": {},
    }
    talk = plugin.launch()
    talk.notify("$/cancelRequest", {"id": 1})
    with plugin.checks("initialize"):
        talk.ready()
        talk.notify("$/cancelRequest", {"id": 1})
        talk.expect_alive("CAL-21")
    for name, params in kinds.items():
        with plugin.checks(name):
            talk.notify("$/cancelRequest", params)
            talk.expect_alive("CAL-21")
            talk.refuse(lambda message: message.is_response, "an answer to a cancel", rule="CAL-21")
        talk.taken()


@plugin_case(
    "cancel/before-the-request",
    "CAL-21",
    why="A plugin that remembers cancels ends a later request that happens to have the same id.",
    mend="Look for the id among the requests in flight when the cancel comes, and keep nothing.",
)
def before_the_request(plugin: PluginSubject) -> None:
    """A cancel that comes before its request has no effect on it.

    Sent: a cancel for an id, and then a request with that id, for a method that is not there.
    Expected: MethodNotFound.
    """
    talk = plugin.ready()
    for id in (900, "nine"):
        talk.notify("$/cancelRequest", {"id": id})
        talk.request(NOWHERE, id=id)
        talk.expect_error(id, METHOD_NOT_FOUND, rule="CAL-21")


@plugin_case(
    "cancel/id-of-another-type",
    "CAL-21",
    "MSG-12",
    why='A cancel for "5" that ends request 5 takes somebody\'s work away.',
    mend="Compare the ids of cancels by JSON type and value.",
    needs=("conformance/sleep",),
)
def id_of_another_type(plugin: PluginSubject) -> None:
    """A cancel for the id of another type leaves a request alone.

    Sent: conformance/sleep with the id 5 and one with "6"; cancels for "5", 5.0, 6 and true; a ping. Where a sleep is
    over before the ping is answered, the same with longer ones in another process.
    Expected: null for both when the sleep is over.
    """
    for ms in SLEEPS:
        talk = plugin.ready()
        for id in (5, "6"):
            sleep(talk, ms, id=id)
        for another in ("5", 5.0, 6, True):
            talk.notify("$/cancelRequest", {"id": another})
        behind = talk.request("ping", id="behind")
        for id in (5, "6"):
            with plugin.checks(type(id).__name__):
                talk.expect_result(id, within=patience_for(talk, ms), rule="CAL-21")
        talk.expect_answer(behind)
        if plugin.checks.failures or all(outlasted(talk, id, by=behind) for id in (5, "6")):
            return


@plugin_case(
    "cancel/calls-of-the-plugin",
    "CAL-22",
    why="Both ends count ids on their own, so the same id means one request of the host and another of the plugin.",
    mend="Look for the id of a cancel among the host's requests only.",
    needs=("conformance/call",),
)
def calls_of_the_plugin(plugin: PluginSubject) -> None:
    """A cancel from the host does not touch the plugin's own calls.

    Sent: while a call of the plugin to us is open, a cancel with the id of that call, which is no request of ours.
    Expected: the call goes on, and ends with our answer.
    """
    talk = plugin.ready(capabilities=CALLED)
    talk.request("conformance/call", {"method": "state/get", "params": {"key": "kept"}}, id="of-the-host")
    request = talk.expect_request("state/get")
    talk.notify("$/cancelRequest", {"id": request.id})
    talk.expect_alive("CAL-22")
    talk.answer(request, {"value": "kept", "revision": 1})
    result = talk.expect_result("of-the-host", rule="CAL-22")
    if result != {"result": {"value": "kept", "revision": 1}}:
        raise Broken("the plugin's own call was cancelled", expected="the answer that we sent", got=str(result))


@plugin_case(
    "cancel/storm",
    "CAL-20",
    "MSG-17",
    why="Cancels that meet their requests at every possible moment find the races in a plugin.",
    mend="Let one place decide, under a lock, whether a request was answered or cancelled first.",
    needs=("conformance/sleep",),
)
def storm(plugin: PluginSubject) -> None:
    """A hundred requests that are cancelled in all haste are answered once each.

    Sent: a hundred times conformance/sleep for up to 20 ms and its cancel, without a pause.
    Expected: an answer to each, a result or RequestCancelled; and the answer to ping.
    """
    talk = plugin.ready()
    ids = []
    for number in range(_STORM):
        ids.append(talk.request("conformance/sleep", {"ms": number % 20}))
        talk.notify("$/cancelRequest", {"id": ids[-1]})
    for id in ids:
        _check_ending(talk.expect_answer(id, rule="MSG-17"))
    talk.expect_alive()


@plugin_case(
    "cancel/call-that-is-open",
    "CAL-20",
    why="A request that waits for a call in its turn must not be stuck when the caller gives up.",
    mend="Let a cancel reach handlers that wait for an answer of the host.",
    needs=("conformance/call",),
    level=Level.SHOULD,
)
def call_that_is_open(plugin: PluginSubject) -> None:
    """A cancelled request stops soon although a call of its own is open.

    Sent: conformance/call, whose call to us stays unanswered, and the cancel.
    Expected: an answer all the same.
    """
    talk = plugin.ready(capabilities=CALLED)
    id, _ = call_out(talk, "open")
    talk.notify("$/cancelRequest", {"id": id})
    talk.expect_answer(id, rule="CAL-20")
