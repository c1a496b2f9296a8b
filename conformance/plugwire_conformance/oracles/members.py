"""What holds for the members of every message that a subject sends (MSG-01 to MSG-06, MSG-10, MSG-11)."""

from collections.abc import Callable, Iterator

from ..case import Broken
from ..connection import Connection, show
from ..wire.messages import Message, is_valid_id
from . import Oracle

#: Says what is wrong with a message: what, what was expected, and the requirement; None when nothing is.
Look = Callable[[Message], tuple[str, str, str] | None]


def _each(look: Look) -> Callable[[Connection], Iterator[Broken]]:
    def judge(connection: Connection) -> Iterator[Broken]:
        for from_subject, message in connection.history:
            found = look(message) if from_subject and not message.problem else None
            if found:
                yield Broken(found[0], expected=found[1], got=show(message), requirement=found[2])

    return judge


def _object(message: Message) -> tuple[str, str, str] | None:
    if isinstance(message.value, dict):
        return None
    return "a message that is no JSON object", "one JSON object", "MSG-10"


def _version(message: Message) -> tuple[str, str, str] | None:
    if not isinstance(message.value, dict) or message.value.get("jsonrpc") == "2.0":
        return None
    return "a message without jsonrpc 2.0", 'the member jsonrpc with "2.0"', "MSG-01"


def _method(message: Message) -> tuple[str, str, str] | None:
    if not isinstance(message.value, dict) or message.is_response or message.method:
        return None
    return "a message that is neither a response nor has a method", "a method that is a non-empty string", "MSG-02"


def _params(message: Message) -> tuple[str, str, str] | None:
    if not message.has("params") or isinstance(message.params, dict):
        return None
    return "params that are no object", "an object, or no params at all", "MSG-03"


def _outcome(message: Message) -> tuple[str, str, str] | None:
    if not message.is_response or message.has("result") != message.has("error"):
        return None
    return "a response with both result and error", "exactly one of result and error", "MSG-05"


def _error(message: Message) -> tuple[str, str, str] | None:
    if not message.is_response or not message.has("error") or message.has("result"):
        return None
    error = message.member("error")
    if not isinstance(error, dict):
        return "an error that is no object", "an object with code and message", "MSG-06"
    if type(error.get("code")) is not int or not -(2**31) <= error["code"] < 2**31:
        return "an error whose code is no integer of 32 bits", "an integer of 32 bits", "MSG-06"
    if not isinstance(error.get("message"), str):
        return "an error whose message is no string", "a string", "MSG-06"
    return None


def _id(message: Message) -> tuple[str, str, str] | None:
    if not isinstance(message.value, dict):
        return None
    if message.is_response and (not message.has("id") or (message.id is None and message.has("result"))):
        return "a response without the id of a request", "the id of its request", "MSG-13"
    if message.has("id") and not is_valid_id(message.id) and not (message.is_response and message.id is None):
        return "an id that is none", "an integer within ±(2^53−1), or a string of at most 128 characters", "MSG-11"
    return None


MEMBERS = [
    Oracle(
        "everywhere/one-object",
        ("MSG-10",),
        "Every message is one JSON object",
        why="There are no batches: a peer answers an array with an error, and what was in it is lost.",
        mend="Send each message in a frame of its own.",
        judge=_each(_object),
    ),
    Oracle(
        "everywhere/jsonrpc-member",
        ("MSG-01",),
        "Every message says jsonrpc 2.0",
        why="A peer takes a message without it for no message at all.",
        mend='Put "jsonrpc": "2.0" into every request, notification and response.',
        judge=_each(_version),
    ),
    Oracle(
        "everywhere/method-member",
        ("MSG-02",),
        "Every request and notification names its method",
        why="Without a method nobody can say what the message is for, and it is refused.",
        mend="Give every message that is no response a method that is a non-empty string.",
        judge=_each(_method),
    ),
    Oracle(
        "everywhere/params-member",
        ("MSG-03",),
        "Params are an object or absent",
        why="Positional params and null are refused, so the request fails at hosts that keep to the rule.",
        mend="Send an object; leave params out where there is nothing to say.",
        judge=_each(_params),
    ),
    Oracle(
        "everywhere/result-or-error",
        ("MSG-05",),
        "Every response has either a result or an error",
        why="With both, one caller sees a success and another one a failure.",
        mend="Leave error out of a success and result out of a failure; null counts as being there.",
        judge=_each(_outcome),
    ),
    Oracle(
        "everywhere/error-members",
        ("MSG-06",),
        "Every error has an integer code and a message",
        why="Programs decide by the code and people by the message; a caller cannot use an error without them.",
        mend="Send an object with code, an integer of 32 bits, and message, a string.",
        judge=_each(_error),
    ),
    Oracle(
        "everywhere/valid-ids",
        ("MSG-11", "MSG-13"),
        "Every id is an integer or a string that all languages can hold",
        why="Fractions, booleans and huge numbers change on their way, and the answer finds no request.",
        mend="Use integers within ±(2^53−1) or strings of at most 128 characters; answer with the id that came.",
        judge=_each(_id),
    ),
]
