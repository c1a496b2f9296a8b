"""Responses that come to a plugin: stray ones, broken ones, and those that must find their call (MSG-12 to MSG-20)."""

from ...case import Broken, NotDeclared, Skipped, plugin_case
from ...connection import show
from ...plugins.in_flight import SLEEPS, patience_for, reads_while_serving, sleep
from ...plugins.refusals import next_answer
from ...plugins.subject import PluginSubject
from ...plugins.talk import Talk
from ...wire.codes import INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND
from ...wire.messages import Json, Message

#: What the suite, as a host, says that it supports when the plugin shall call it.
CALLED = {"state": True}


def call_out(talk: Talk, key: str) -> tuple[Json, Message]:
    """Has the plugin call `state/get` at us; the id of our request and the plugin's own request."""
    id = talk.request("conformance/call", {"method": "state/get", "params": {"key": key}})
    return id, talk.expect_request("state/get")


@plugin_case(
    "messages/stray-responses",
    "MSG-19",
    "MSG-28",
    why="A response may come late, after its call has ended; a plugin that stumbles over it ends with all it did.",
    mend="Look the id up among the open calls and drop the response when it is not there.",
)
def stray_responses(plugin: PluginSubject) -> None:
    """A response to nothing is ignored.

    Sent: results and errors with ids that the plugin has never used, one twice, and with the id null; then pings.
    Expected: the answer to ping, and nothing else.
    """
    talk = plugin.ready()
    error = {"code": INTERNAL_ERROR, "message": "nothing of yours"}
    kinds: list[tuple[str, dict[str, Json]]] = [
        ("result", {"id": 4711, "result": {}}),
        ("twice", {"id": 4711, "result": {}}),
        ("string-id", {"id": "4711", "result": None}),
        ("error", {"id": 4712, "error": error}),
        ("null-id", {"id": None, "error": error}),
    ]
    for name, members in kinds:
        with plugin.checks(name):
            talk.send_message({"jsonrpc": "2.0", **members})
            talk.expect_alive("MSG-19")
            talk.refuse(lambda message: message.is_response, "an answer to a response", rule="MSG-28")
        talk.taken()


@plugin_case(
    "messages/malformed-responses",
    "MSG-28",
    why="Two peers that answer each other's malformed responses never stop.",
    mend="Take a body without method that has result or error for a response, and answer nothing.",
)
def malformed_responses(plugin: PluginSubject) -> None:
    """A malformed response is never answered.

    Sent: responses with both result and error, with an error that is none, with ids that are none, and without jsonrpc.
    Expected: nothing, and the answer to the ping after each.
    """
    talk = plugin.ready()
    kinds: dict[str, dict[str, Json]] = {
        "both": {"jsonrpc": "2.0", "id": 1, "result": 1, "error": {"code": 1, "message": "x"}},
        "error-null": {"jsonrpc": "2.0", "id": 1, "error": None},
        "error-string": {"jsonrpc": "2.0", "id": 1, "error": "no"},
        "code-string": {"jsonrpc": "2.0", "id": 1, "error": {"code": "1", "message": "x"}},
        "no-message": {"jsonrpc": "2.0", "id": 1, "error": {"code": 1}},
        "no-id": {"jsonrpc": "2.0", "result": 1},
        "id-true": {"jsonrpc": "2.0", "id": True, "result": 1},
        "id-list": {"jsonrpc": "2.0", "id": [1], "result": 1},
        "no-jsonrpc": {"id": 1, "result": 1},
    }
    for name, message in kinds.items():
        with plugin.checks(name):
            talk.send_message(message)
            talk.expect_alive("MSG-28")
            talk.refuse(lambda message: message.is_response, "an answer to a response", rule="MSG-28")
        talk.taken()


@plugin_case(
    "messages/broken-answer-ends-the-call",
    "MSG-20",
    why="A call whose broken answer is dropped never ends, and neither does the request that waits for it.",
    mend="End the call with an error when the response with its id has both or a malformed error.",
    needs=("conformance/call",),
)
def broken_answer_ends_the_call(plugin: PluginSubject) -> None:
    """A broken response ends the call that it is for, with an error.

    Sent: for each of several calls of the plugin, a response with its id that breaks MSG-05 or MSG-06.
    Expected: the plugin's handler gets an error, and says so.
    """
    talk = plugin.ready(capabilities=CALLED)
    kinds: dict[str, dict[str, Json]] = {
        "both": {"result": {"revision": 0}, "error": {"code": 1, "message": "x"}},
        "error-null": {"error": None},
        "error-string": {"error": "no"},
        "error-empty": {"error": {}},
        "code-string": {"error": {"code": "1", "message": "x"}},
        "code-too-large": {"error": {"code": 2**31, "message": "x"}},
        "no-message": {"error": {"code": 1}},
        "message-number": {"error": {"code": 1, "message": 1}},
    }
    for name, members in kinds.items():
        with plugin.checks(name):
            id, request = call_out(talk, name)
            talk.send_message({"jsonrpc": "2.0", "id": request.id, **members})
            answer = talk.expect_answer(id, rule="MSG-20")
            if isinstance(answer.result, dict) and "result" in answer.result:
                expected = "an error, at the caller"
                raise Broken("the broken response was taken for a result", expected=expected, got=show(answer))


@plugin_case(
    "messages/answers-of-another-type",
    "MSG-12",
    why='Taking "1" for 1 ends a call with the answer to another one.',
    mend="Compare ids by JSON type and value when looking for the call of a response.",
    needs=("conformance/call",),
)
def answers_of_another_type(plugin: PluginSubject) -> None:
    """A response whose id looks like that of a call but is of another type is not its answer.

    Sent: while a call of the plugin is open, responses with its id as a string, with .0, and as true where it is 1 (or
    as a number where it is a string); then the true answer.
    Expected: the call ends with the true answer.
    """
    talk = plugin.ready(capabilities=CALLED)
    id, request = call_out(talk, "typed")
    for look_alike in _look_alikes(request.id):
        body = b'{"jsonrpc":"2.0","id":%b,"result":{"value":"wrong","revision":1}}' % look_alike
        talk.send_body(body)
    talk.answer(request, {"value": "right", "revision": 2})
    result = talk.expect_result(id, rule="MSG-12")
    if not isinstance(result, dict) or result.get("result") != {"value": "right", "revision": 2}:
        raise Broken("another answer was taken for that of the call", expected="the value right", got=str(result))


def _look_alikes(id: Json) -> list[bytes]:
    if isinstance(id, int):
        return [b'"%d"' % id, b"%d.0" % id, *([b"true"] if id == 1 else [b"false"] if id == 0 else [])]
    return [id.encode()] if str(id).isdecimal() else [b'"%b "' % str(id).encode()]


@plugin_case(
    "messages/answers-in-another-order",
    "MSG-13",
    why="Hosts answer when they can; a plugin that takes answers in the order of its requests mixes them up.",
    mend="Find the call of a response by its id, never by its place.",
    needs=("conformance/call",),
)
def answers_in_another_order(plugin: PluginSubject) -> None:
    """Answers find their calls by id, in whatever order they come.

    Sent: three requests that make the plugin call us; the calls are answered last one first.
    Expected: each request gets the answer to its own call.
    """
    if int(plugin.info.get("capabilities", {}).get("concurrency", 1)) < 3:
        raise NotDeclared("the plugin works on fewer than 3 requests at a time")
    talk = plugin.ready(capabilities=CALLED)
    calls = {key: call_out(talk, key) for key in ("one", "two", "three")}
    for key, (_, request) in reversed(calls.items()):
        talk.answer(request, {"value": key, "revision": 1})
    for key, (id, _) in calls.items():
        result = talk.expect_result(id)
        wanted = {"result": {"value": key, "revision": 1}}
        if result != wanted:
            raise Broken("a call got the answer to another one", expected=str(wanted), got=str(result))


@plugin_case(
    "messages/id-in-flight",
    "MSG-15",
    why="A second request with the same id can end or replace the first, whose caller then waits for ever.",
    mend="Answer a request whose id is in flight with InvalidRequest, and leave the first alone.",
    needs=("conformance/sleep",),
)
def id_in_flight(plugin: PluginSubject) -> None:
    """A request whose id is in flight is refused, and the first one is served.

    Sent: conformance/sleep, and with the same id a request for a method that is not there; where the sleep is over
    before, once more with a longer one.
    Expected: InvalidRequest at once, and null when the sleep is over.
    """
    talk = plugin.ready()
    if not reads_while_serving(talk):
        raise Skipped(
            "the plugin reads one request after the other, so none of them is in flight when it reads the next"
        )
    for ms in SLEEPS:
        id = sleep(talk, ms)
        talk.request("conformance-probe/nowhere", id=id)
        first = next_answer(talk, "MSG-15", within=patience_for(talk, ms))
        second = next_answer(talk, "MSG-15", within=patience_for(talk, ms))
        if not first.has("result"):
            break
    if first.error_code != INVALID_REQUEST:
        what = (
            "the second request was carried out" if first.error_code == METHOD_NOT_FOUND else "no InvalidRequest came"
        )
        raise Broken(what, expected="InvalidRequest", got=show(first))
    if not second.has("result"):
        raise Broken("the first request was disturbed", expected="null", got=show(second))
