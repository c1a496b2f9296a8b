"""What a case asks of a plugin's answer to a single message: its code, its id, and whether it came at all."""

from typing import Any

from ..case import Broken
from ..connection import Connection, show
from ..wire.messages import Json, Message, encode_json, same_id


def next_answer(talk: Connection, rule: str = "", *, within: float | None = None) -> Message:
    """The next response, whatever its id: for when one request alone is open."""
    return talk.wait_for(lambda message: message.is_response, "an answer", within=within, rule=rule)


def expect_refusal(talk: Connection, message: Json, id: Json, *codes: int, rule: str) -> Message:
    """Sends a message and expects an error with one of the codes and just that id."""
    talk.send_message(message)
    return check_refusal(next_answer(talk, rule), id, *codes, rule=rule)


def check_refusal(answer: Message, id: Json, *codes: int, rule: str) -> Message:
    """Broken unless the answer is an error with one of the codes and just that id."""
    expected = f"an error with {' or '.join(map(str, codes))} and the id {encode_json(id).decode()}"
    if answer.error_code not in codes:
        raise Broken("the answer has another code", expected=expected, got=show(answer), requirement=rule)
    if not same_id(answer.id, id):
        raise Broken("the answer has another id", expected=expected, got=show(answer), requirement=rule)
    return answer


def param(message: Message, name: str, kind: type, rule: str = "MSG-03") -> Any:
    """A member of the params; Broken where it is absent or of another type."""
    params = message.params
    value = params.get(name) if isinstance(params, dict) else None
    if not isinstance(value, kind):
        what = f"{message.method} without {name}"
        raise Broken(what, expected=f"{name}, of the type that the spec gives", got=show(message), requirement=rule)
    return value
