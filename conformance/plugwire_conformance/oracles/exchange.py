"""Who asked what and who was answered, read off the history of a conversation: what the oracles about answers need.

What a case sent may be broken on purpose, so the reading is generous: whatever could be taken for an id counts as one,
and whatever is not surely valid may be answered with an error without id.
"""

import re
from collections import Counter
from collections.abc import Iterator

from attrs import Factory, define

from ..connection import Connection
from ..wire.messages import Json, Message, is_valid_id

#: An id as it is told apart: its type and its value.
Key = tuple[str, str]
_ID_IN_TEXT = re.compile(rb'"id"\s*:\s*("(?:[^"\\]|\\.)*"|[^,}\s]+)')
#: The smallest `maxDepth` there is.
_SURELY_FLAT = 14


def key(id: Json) -> Key:
    """The id with its type: 1, "1", 1.0 and true are four keys."""
    return type(id).__name__, repr(id)


def is_request(message: Message) -> bool:
    """A request that nobody can call bad."""
    return message.is_request and is_surely_valid(message)


def is_surely_valid(message: Message) -> bool:
    """A request or a notification that breaks no sentence of chapter 02."""
    value = message.value
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0" or not message.method:
        return False
    if not isinstance(value.get("params", {}), dict) or ("id" in value and not is_valid_id(value["id"])):
        return False
    return (
        message.frame.body.count(b"{") + message.frame.body.count(b"[") <= _SURELY_FLAT or _depth(value) <= _SURELY_FLAT
    )


def is_plain_response(message: Message) -> bool:
    """A response of ours that breaks no sentence of chapter 02."""
    value = message.value
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0" or not message.is_response:
        return False
    if ("result" in value) == ("error" in value) or ("error" in value and not _is_error(value["error"])):
        return False
    return value.get("id") is None or is_valid_id(value["id"])


@define
class Asked:
    """What one side has asked and the other not yet answered, while a history is read from its beginning."""

    open: Counter[Key] = Factory(Counter)
    answered: set[Key] = Factory(set)
    #: Bodies that may be answered with an error whose id is null.
    doubtful: int = 0

    def ask(self, message: Message) -> None:
        """Takes note of what may be answered."""
        if message.frame.noise:
            self.doubtful += message.frame.noise.count(b"\n") + 1
        if not is_surely_valid(message) and not is_plain_response(message):
            self.doubtful += 1
        self.open.update(_ids(message))

    def answer(self, message: Message) -> None:
        """Takes note of a response."""
        found = key(message.id)
        self.answered.add(found)
        if self.open[found] > 0:
            self.open[found] -= 1


def readable(connection: Connection) -> bool:
    """Whether all that we sent are frames; else nobody can say what was asked."""
    return not connection.boundary_lost and not connection.sent_rest


def answers(connection: Connection) -> Iterator[tuple[Message, Asked]]:
    """Each response of the subject, with what we had asked when it came."""
    asked = Asked()
    for from_subject, message in connection.history:
        if not from_subject:
            asked.ask(message)
        elif message.is_response:
            yield message, asked
            asked.answer(message)


def _ids(message: Message) -> list[Key]:
    if message.problem:
        return [_key_of_text(found) for found in _ID_IN_TEXT.findall(message.frame.body)]
    parts = message.value if isinstance(message.value, list) else [message.value]
    return [
        key(value)
        for part in parts
        if isinstance(part, dict) and not _is_response(part)
        for name, value in part.items()
        if name.casefold() == "id"
    ]


def _is_response(value: dict[str, Json]) -> bool:
    return "method" not in value and ("result" in value or "error" in value)


def _is_error(value: Json) -> bool:
    return isinstance(value, dict) and type(value.get("code")) is int and isinstance(value.get("message"), str)


def _key_of_text(text: bytes) -> Key:
    if text.startswith(b'"'):
        return "str", repr(text[1:-1].decode("utf-8", "replace"))
    return "int", text.decode("utf-8", "replace")


def _depth(value: Json) -> int:
    level, parts = 0, [value]
    while parts:
        inner = [part for part in parts if isinstance(part, dict | list)]
        level += bool(inner)
        parts = [child for part in inner for child in (part.values() if isinstance(part, dict) else part)]
    return level
