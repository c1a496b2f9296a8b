"""The members of requests and notifications (chapter 02): what a plugin takes, and what it refuses with which id."""

from ...case import Broken, plugin_case
from ...connection import show
from ...plugins.refusals import check_refusal, expect_refusal, next_answer
from ...plugins.subject import PluginSubject
from ...plugins.talk import Talk
from ...wire.codes import INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR
from ...wire.frames import Framing
from ...wire.messages import LARGEST_SAFE, Json, same_id

#: A method that no plugin has.
NOWHERE = "conformance-probe/nowhere"


def expect_unknown(talk: Talk, message: Json, id: Json, rule: str) -> None:
    """Sends a good request for a method that is not there; it is answered with MethodNotFound and its id."""
    expect_refusal(talk, message, id, METHOD_NOT_FOUND, rule=rule)


@plugin_case(
    "messages/ids",
    "MSG-13",
    "MSG-11",
    why="Hosts in other languages choose other ids; a plugin that changes one leaves its caller waiting for ever.",
    mend="Keep the id of a request as the JSON value that came, integer or string, and answer with that value.",
)
def ids(plugin: PluginSubject) -> None:
    """Any integer within ±(2^53−1) and any string of at most 128 characters comes back as it was.

    Sent: one request after the other for a method that is not there, each with another id.
    Expected: MethodNotFound with the same id, of the same type and value.
    """
    talk = plugin.ready()
    kinds: dict[str, Json] = {
        "zero": 0,
        "negative": -1,
        "largest": LARGEST_SAFE,
        "smallest": -LARGEST_SAFE,
        "empty-string": "",
        "digits-in-string": "17",
        "accents": "é ü 漢 😀",
        "quotes": 'a"b\\c\n',
        "128-characters": "i" * 128,
        "128-wide-characters": "😀" * 128,
    }
    for name, id in kinds.items():
        with plugin.checks(name):
            talk.request(NOWHERE, id=id)
            answer = next_answer(talk, "MSG-17")
            if not same_id(answer.id, id):
                raise Broken("the answer has another id", expected=f"the id {id!r}", got=show(answer))
            if answer.error_code != METHOD_NOT_FOUND:
                expected = "MethodNotFound, for the id is one"
                raise Broken("the id was refused", expected=expected, got=show(answer), requirement="MSG-11")


@plugin_case(
    "messages/bad-ids",
    "MSG-11",
    "MSG-27",
    why="An id that some languages cannot hold comes back changed, and the caller never finds its answer.",
    mend="Refuse a request whose id is no integer within ±(2^53−1) and no string of at most 128 characters.",
)
def bad_ids(plugin: PluginSubject) -> None:
    """What is no id is refused, and the refusal has the id null.

    Sent: requests with ids such as 1.5, true, null and a string of 129 characters.
    Expected: InvalidRequest with id null for each.
    """
    talk = plugin.ready()
    kinds = {
        "fraction": "1.5",
        "decimal-point": "1.0",
        "exponent": "1e2",
        "true": "true",
        "null": "null",
        "array": "[]",
        "object": "{}",
        "too-large": "9007199254740992",
        "too-small": "-9007199254740992",
        "129-characters": '"' + "i" * 129 + '"',
    }
    for name, id in kinds.items():
        with plugin.checks(name):
            talk.send_body(b'{"jsonrpc":"2.0","id":%b,"method":"ping"}' % id.encode())
            check_refusal(next_answer(talk, "MSG-27"), None, INVALID_REQUEST, rule="MSG-11")


@plugin_case(
    "messages/number-and-string-ids",
    "MSG-12",
    why='A host that has sent 7 and "7" gets one answer twice and the other never.',
    mend="Tell ids apart by their JSON type as well as by their value, wherever requests are kept by id.",
)
def number_and_string_ids(plugin: PluginSubject) -> None:
    """The ids 7 and "7" are two ids.

    Sent: two requests in a row, one with the number and one with the string.
    Expected: one answer with each.
    """
    talk = plugin.ready()
    talk.request(NOWHERE, id=7)
    talk.request(NOWHERE, id="7")
    for id in (7, "7"):
        talk.expect_answer(id, rule="MSG-12")


@plugin_case(
    "messages/ids-are-free-again",
    "MSG-15",
    why="A host may count from 1 again; a plugin that remembers ids for ever refuses its good requests.",
    mend="Forget an id when its request is answered.",
)
def ids_are_free_again(plugin: PluginSubject) -> None:
    """An id may be used again as soon as its request was answered.

    Sent: three requests with one id, each after the answer to the one before.
    Expected: the usual answer each time.
    """
    talk = plugin.ready()
    for _ in range(3):
        expect_unknown(talk, {"jsonrpc": "2.0", "id": 5, "method": NOWHERE}, 5, "MSG-15")


@plugin_case(
    "messages/batches",
    "MSG-10",
    "MSG-27",
    why="A plugin that carries batches out does more at a time than the host has counted and allowed.",
    mend="Answer an array with one InvalidRequest whose id is null, and carry out nothing of it.",
)
def batches(plugin: PluginSubject) -> None:
    """An array is no message: it is refused as a whole, once, with id null.

    Sent: [request, request], [], [1] and [notification], each followed by a ping.
    Expected: one InvalidRequest with id null for each, and no answer to what is within.
    """
    talk = plugin.ready()
    request = {"jsonrpc": "2.0", "id": 800, "method": "ping"}
    kinds: dict[str, Json] = {
        "requests": [request, request | {"id": 801}],
        "one-request": [request],
        "empty": [],
        "number": [1],
        "notification": [{"jsonrpc": "2.0", "method": NOWHERE}],
    }
    for name, batch in kinds.items():
        with plugin.checks(name):
            expect_refusal(talk, batch, None, INVALID_REQUEST, rule="MSG-10")
            talk.expect_alive("MSG-10")
            talk.refuse(lambda message: message.is_response, "more than one answer to an array", rule="MSG-10")
        talk.taken()


@plugin_case(
    "messages/no-object",
    "MSG-27",
    why="A value that is no object has no id, so its sender learns of it only through an answer with id null.",
    mend="Answer JSON that is no object with InvalidRequest and id null.",
)
def no_object(plugin: PluginSubject) -> None:
    """JSON that is no object is refused with id null.

    Sent: 1, null, "x", true and 1.5 as bodies.
    Expected: InvalidRequest with id null for each; in line framing ParseError will do, too.
    """
    talk = plugin.ready()
    # Chapter 01 says ParseError for such a line, and chapter 02 InvalidRequest.
    codes = (PARSE_ERROR, INVALID_REQUEST) if plugin.settings.framing is Framing.LINE else (INVALID_REQUEST,)
    for name, value in {"number": 1, "null": None, "string": "x", "true": True, "fraction": 1.5}.items():
        with plugin.checks(name):
            expect_refusal(talk, value, None, *codes, rule="MSG-27")
    talk.expect_alive("FRM-11")


@plugin_case(
    "messages/malformed-notifications",
    "MSG-27",
    why="Without an answer the sender of a malformed message never learns that it was dropped.",
    mend="Answer what is no valid message with InvalidRequest, with id null when it has none.",
)
def malformed_notifications(plugin: PluginSubject) -> None:
    """A malformed message without id is refused with id null.

    Sent: messages without id whose method is a number, whose params are a list, and whose jsonrpc is absent.
    Expected: InvalidRequest with id null for each.
    """
    talk = plugin.ready()
    kinds: dict[str, Json] = {
        "method": {"jsonrpc": "2.0", "method": 1},
        "params": {"jsonrpc": "2.0", "method": NOWHERE, "params": []},
        "jsonrpc": {"method": NOWHERE},
        "nothing": {},
    }
    for name, message in kinds.items():
        with plugin.checks(name):
            expect_refusal(talk, message, None, INVALID_REQUEST, rule="MSG-27")


@plugin_case(
    "messages/unknown-notifications",
    "MSG-18",
    "CAL-06",
    why="Hosts send notifications that came with later versions; a plugin must live through them.",
    mend="Drop notifications whose method is not known, without an answer.",
)
def unknown_notifications(plugin: PluginSubject) -> None:
    """A notification that a plugin does not know is dropped.

    Sent: notifications with names that no plugin has, of the protocol's own kind too, and then a ping.
    Expected: no answer to them, and the answer to ping.
    """
    talk = plugin.ready()
    for method in (NOWHERE, "nowhere", "$/nowhere", "rpc.nowhere", "event/nowhere"):
        talk.notify(method, {"value": 1})
    talk.expect_alive("MSG-18")
