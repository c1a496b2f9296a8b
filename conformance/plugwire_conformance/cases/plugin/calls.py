"""Methods, order, limits and context of calls (chapter 04), as they bind plugins."""

from itertools import takewhile

from ...case import Broken, NotDeclared, Skipped, TimedOut, plugin_case
from ...connection import show
from ...plugins.in_flight import SLEEPS, outlasted, patience_for, reads_while_serving, sleep
from ...plugins.subject import PluginSubject
from ...plugins.talk import LIMITS, Talk
from ...wire.codes import METHOD_NOT_FOUND, OVERLOADED
from ...wire.messages import Json, encode_json, same_id
from .messages import NOWHERE
from .responses import CALLED, call_out

_FIXTURES = "conformance"
_RESERVED = ("event", "hook", "channel", "memory", "state", "lock", "log", "service", "host")
_NOTES = 300
_IN_FLIGHT = 3


@plugin_case(
    "calls/reserved-names",
    "CAL-01",
    why="A host refuses a plugin that provides a service of its own.",
    mend="Choose another name for the service in provides.",
    declares=("provides",),
)
def reserved_names(plugin: PluginSubject) -> None:
    """A plugin provides no service whose name is reserved.

    Sent: initialize.
    Expected: no service in provides with a reserved name or one that begins with $/.
    """
    talk = plugin.ready()
    for provided in talk.info.get("provides", []):
        name = str(provided.get("service"))
        if name in _RESERVED or name.startswith("$"):
            raise Broken("a reserved service is provided", expected=f"none of {', '.join(_RESERVED)}", got=name)


@plugin_case(
    "calls/unknown-methods",
    "CAL-06",
    why="A caller that gets another code takes the method for there and the call for failed.",
    mend="Answer MethodNotFound (-32601) for every method that the plugin does not have.",
)
def unknown_methods(plugin: PluginSubject) -> None:
    """A method that a plugin does not have is answered with MethodNotFound.

    Sent: requests with names that nobody has: of an unknown service, of a service that the plugin provides, without a
    service, of the protocol's own kind, and with characters that names do not have.
    Expected: MethodNotFound for each.
    """
    talk = plugin.ready()
    slug = "".join(plugin.random.choices("bcdfghjklmnpqrstvwxz", k=12))
    provided = [str(one.get("service")) for one in talk.info.get("provides", []) if isinstance(one, dict)]
    names = {
        "unknown-service": f"{slug}/do",
        "unknown-method": f"{provided[0] if provided else 'conformance'}/{slug}",
        "no-service": slug,
        "dollar": f"$/{slug}",
        "rpc": f"rpc.{slug}",
        "reserved-service": f"state/{slug}",
        "slashes": f"/{slug}//",
        "accents": f"{slug}/é漢😀",
    }
    for name, method in names.items():
        with plugin.checks(name):
            talk.expect_error(talk.request(method, {}), METHOD_NOT_FOUND, rule="CAL-06")


@plugin_case(
    "calls/declared-methods",
    "CAL-06",
    why="Callers choose a plugin by what it says that it provides.",
    mend="Provide a handler for each method in provides, or take the method out of it.",
    declares=("provides",),
    profile="full",
)
def declared_methods(plugin: PluginSubject) -> None:
    """Each method that the plugin declares for the suite is there.

    Sent: a request with empty params for each method of the service conformance in provides.
    Expected: any answer but MethodNotFound.
    """
    talk = plugin.ready()
    methods = [name for one in talk.info["provides"] if one.get("service") == _FIXTURES for name in one["methods"]]
    if not methods:
        raise NotDeclared("the plugin does not provide the service conformance")
    for name in methods:
        if name != "note":
            with plugin.checks(name):
                answer = talk.ask(f"{_FIXTURES}/{name}", {})
                if answer.error_code == METHOD_NOT_FOUND:
                    raise Broken(f"{name} is declared and not there", expected="a handler", got=show(answer))


@plugin_case(
    "calls/notifications-in-order",
    "CAL-12",
    why="Notifications tell of one thing after another; mixed up they tell of something that never was.",
    mend="Take notifications off the wire and begin their handlers on one thread, or hand them over through one queue.",
    needs=("conformance/note", "conformance/noted"),
)
def notifications_in_order(plugin: PluginSubject) -> None:
    """Notifications are handled in the order in which they came.

    Sent: 300 notifications conformance/note with rising numbers, then conformance/noted.
    Expected: the numbers in their order.
    """
    talk = plugin.ready()
    for number in range(_NOTES):
        talk.notify("conformance/note", {"value": number})
    values = talk.expect_result(talk.request("conformance/noted"))
    got = values.get("values") if isinstance(values, dict) else None
    if got != list(range(_NOTES)):
        raise Broken("the notifications were handled in another order", expected="0 to 299, rising", got=str(got))


@plugin_case(
    "calls/order-before-the-answer",
    "CAL-11",
    why="A caller that has the answer looks no more for what belongs to it.",
    mend="Write messages to the wire in the order in which the handler sends them, its answer last.",
    needs=("conformance/notify",),
)
def order_before_the_answer(plugin: PluginSubject) -> None:
    """What a handler sends before its answer arrives before it.

    Sent: twenty requests conformance/notify, each of which sends a log/write and then answers.
    Expected: each log/write before the answer to its request.
    """
    talk = plugin.ready(capabilities={"log": True})
    for number in range(20):
        text = f"conformance {number}"
        params = {"method": "log/write", "params": {"level": "info", "message": text}}
        id = talk.request("conformance/notify", params)
        talk.expect_result(id)
        logged = _logged_before(talk, id)
        if text not in logged:
            expected, got = "log/write, and then the answer", f"before it {logged[-1:]}"
            raise Broken("the answer came before the notification", expected=expected, got=got)


def _logged_before(talk: Talk, id: Json) -> list[Json]:
    """The texts that the plugin had logged when it answered that request."""
    said = [message for from_plugin, message in talk.history if from_plugin]
    before = takewhile(lambda message: not (message.is_response and same_id(message.id, id)), said)
    logs = [message.params for message in before if message.method == "log/write"]
    return [params.get("message") for params in logs if isinstance(params, dict)]


@plugin_case(
    "calls/above-max-in-flight",
    "CAL-14",
    why="Without a bound, a host that asks faster than the plugin answers fills its memory.",
    mend="Count the requests that are open, and answer one above maxInFlight with Overloaded at once.",
    needs=("conformance/sleep",),
)
def above_max_in_flight(plugin: PluginSubject) -> None:
    """A request above maxInFlight is answered with Overloaded, ping and shutdown are not.

    Sent: with a limit of three, three requests conformance/sleep, a short fourth, and a ping; later one more, and
    shutdown. Where one of the three is over before the fourth is answered, longer ones in another process.
    Expected: Overloaded for the fourth alone; the answers to all others; and when they are through, a free place.
    """
    if not reads_while_serving(plugin.ready()):
        raise Skipped("the plugin reads one request after the other, so it never has more than one")
    for ms in SLEEPS:
        talk = plugin.ready(limits=LIMITS | {"maxInFlight": _IN_FLIGHT})
        slow = [sleep(talk, ms) for _ in range(_IN_FLIGHT)]
        fourth = sleep(talk, 1)
        answer = talk.expect_answer(fourth, rule="CAL-14")
        if answer.error_code == OVERLOADED or all(outlasted(talk, id, by=fourth) for id in slow):
            break
    if answer.error_code != OVERLOADED:
        raise Broken("a request too many was taken", expected="Overloaded (-32013)", got=show(answer))
    answer = talk.ask("ping")
    if answer.error_code == OVERLOADED:
        raise Broken("ping was refused", expected="null", got=show(answer))
    for id in slow:
        talk.expect_result(id, within=patience_for(talk, ms), rule="CAL-14")
    talk.expect_result(sleep(talk, 1), rule="CAL-14")
    talk.expect_result(talk.request("shutdown"), rule="CAL-14")


@plugin_case(
    "calls/parent",
    "CAL-17",
    why="Along parents a host cancels, passes deadlines on and sees circles; without one, a call outlives its reason.",
    mend="Set meta.parent of every request that a handler sends to the id of the request that it serves, as it came.",
    needs=("conformance/call",),
    declares=("meta",),
)
def parent(plugin: PluginSubject) -> None:
    """A call that a handler makes names the request that it is made for.

    Sent: conformance/call with ids that are a number and a string, by a host that declares meta.
    Expected: the plugin's request has meta.parent with just that id.
    """
    talk = plugin.ready(capabilities={**CALLED, "meta": True})
    ids: dict[str, Json] = {"number": 41, "string": "42", "zero": 0, "empty": ""}
    for name, id in ids.items():
        with plugin.checks(name):
            talk.request("conformance/call", {"method": "state/get", "params": {"key": name}}, id=id)
            request = talk.expect_request("state/get")
            talk.answer(request, {"revision": 0})
            talk.expect_answer(id)
            meta = request.member("meta")
            if not isinstance(meta, dict) or not same_id(meta.get("parent"), id):
                wanted = f'meta with "parent": {encode_json(id).decode()}'
                raise Broken("the call does not name its parent", expected=wanted, got=show(request))


@plugin_case(
    "calls/unknown-meta",
    "MSG-07",
    why="A newer host knows more to say in meta.",
    mend="Read the members of meta that the plugin knows, and leave the others alone.",
    declares=("meta",),
)
def unknown_meta(plugin: PluginSubject) -> None:
    """Members of meta that a plugin does not know are ignored.

    Sent: a request for a method that is not there, with all members of meta and some that no version knows.
    Expected: MethodNotFound.
    """
    talk = plugin.ready()
    meta: dict[str, Json] = {
        "from": "host",
        "deadlineMs": 60000,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "vendor=value",
        "x-more": [1],
    }
    talk.expect_error(talk.request(NOWHERE, {}, meta=meta), METHOD_NOT_FOUND, rule="MSG-07")


@plugin_case(
    "calls/late-answers",
    "CAL-39",
    why="A cancelled call may be answered all the same; that must hurt nobody.",
    mend="Forget a call that is no longer waited for, and drop its answer without a word.",
    needs=("conformance/call",),
)
def late_answers(plugin: PluginSubject) -> None:
    """The answer to a call that nobody waits for any more is dropped.

    Sent: conformance/call, whose request to us stays open; its cancel; after it was answered, the answer to the call
    (twice), and another conformance/call.
    Expected: nothing for the late answers; the other call gets its own answer.
    """
    talk = plugin.ready(capabilities=CALLED)
    id, request = call_out(talk, "late")
    talk.notify("$/cancelRequest", {"id": id})
    try:
        talk.expect_answer(id)
    except TimedOut:
        raise Skipped("the plugin does not end a call that was cancelled, so no answer is late") from None
    for _ in range(2):
        talk.answer(request, {"value": "late", "revision": 1})
    talk.expect_alive("CAL-39")
    talk.refuse(
        lambda message: message.is_response and not same_id(message.id, id), "an answer to a late answer", rule="CAL-39"
    )
    id, request = call_out(talk, "next")
    talk.answer(request, {"value": "next", "revision": 2})
    result = talk.expect_result(id, rule="CAL-39")
    if result != {"result": {"value": "next", "revision": 2}}:
        raise Broken("a late answer went to another call", expected="the answer of the second call", got=str(result))
