"""JSON and JSON-RPC as chapter 02 wants them: strict reading of what a subject sends, and plain writing.

`Message.value` is the decoded JSON; `Message.problem` says what is wrong with a body that breaks chapter 02.
"""

import json
import re
from decimal import Decimal
from functools import cached_property
from typing import Any

from attrs import define, field

from .frames import Frame

Json = Any
#: Numbers with more digits than this are kept as Decimal, which reads them in linear time.
_MANY_DIGITS = 4000
LARGEST_SAFE = 2**53 - 1
_ID_CHARACTERS = 128
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """A body that is no JSON by MSG-21 to MSG-23; the message says why."""


@define(eq=False)
class Message:
    """A message that came from a subject, or that was sent to it."""

    frame: Frame
    #: Seconds since the case began.
    time: float = 0.0
    value: Json = field(init=False, default=None)
    problem: str = field(init=False, default="")

    def __attrs_post_init__(self) -> None:
        try:
            self.value = decode(self.frame.body)
        except NotJson as error:
            self.problem = str(error)

    def member(self, name: str) -> Json:
        """A member of the message; None where it is absent or the message is no object."""
        return self.value.get(name) if isinstance(self.value, dict) else None

    def has(self, name: str) -> bool:
        return isinstance(self.value, dict) and name in self.value

    @property
    def id(self) -> Json:
        return self.member("id")

    @property
    def method(self) -> str:
        """The method's name; empty for a response."""
        method = self.member("method")
        return method if isinstance(method, str) else ""

    @property
    def params(self) -> Json:
        return self.member("params") if self.has("params") else {}

    @property
    def result(self) -> Json:
        return self.member("result")

    @property
    def error_code(self) -> Json:
        """The code of an error response; None for anything else."""
        error = self.member("error")
        return error.get("code") if isinstance(error, dict) else None

    @property
    def is_request(self) -> bool:
        return self.has("method") and self.has("id")

    @property
    def is_notification(self) -> bool:
        return self.has("method") and not self.has("id")

    @property
    def is_response(self) -> bool:
        return not self.has("method") and (self.has("result") or self.has("error"))

    @cached_property
    def members(self) -> dict[str, bytes]:
        """The bytes of each member's value, as they were sent."""
        return raw_members(self.frame.body)


def decode(body: bytes) -> Json:
    """The JSON value of a body; raises NotJson where MSG-21, MSG-22 or MSG-23 is broken."""
    if body.startswith(b"\xef\xbb\xbf"):
        raise NotJson("a byte order mark (MSG-21)")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start} (MSG-21)") from None
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=_integer)
    except NotJson:
        raise
    except RecursionError:
        raise NotJson("nested too deeply to be read") from None
    except ValueError as error:
        raise NotJson(f"no JSON: {error} (MSG-22)") from None
    if "\\u" in text and _has_lone_surrogate(value):
        raise NotJson("an escaped surrogate without its partner (MSG-23)")
    return value


def encode_json(value: Json) -> bytes:
    """The value as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def raw_members(body: bytes) -> dict[str, bytes]:
    """The bytes of each member's value of a JSON object; empty for anything else. The last of two with one name
    counts.
    """
    text = body.decode("utf-8", "surrogateescape")
    decoder = json.JSONDecoder()
    position = _skip(text, 0)
    members: dict[str, bytes] = {}
    if not text.startswith("{", position):
        return members
    position = _skip(text, position + 1)
    while position < len(text) and text[position] != "}":
        name, position = decoder.raw_decode(text, position)
        start = _skip(text, _skip(text, position) + 1)
        _, position = decoder.raw_decode(text, start)
        members[name] = text[start:position].encode("utf-8", "surrogateescape")
        position = _skip(text, position)
        if text.startswith(",", position):
            position = _skip(text, position + 1)
    return members


def same_id(one: Json, other: Json) -> bool:
    """Whether two ids are of the same type and value (MSG-12): 1, "1", true and 1.0 are four things."""
    return type(one) is type(other) and bool(one == other)


def is_valid_id(value: Json) -> bool:
    """Whether a value may be an id (MSG-11)."""
    if isinstance(value, str):
        return len(value) <= _ID_CHARACTERS
    return type(value) is int and abs(value) <= LARGEST_SAFE


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _refuse(constant: str) -> Json:
    raise NotJson(f"{constant} is no JSON (MSG-22)")


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _MANY_DIGITS else Decimal(digits)


def _has_lone_surrogate(value: Json) -> bool:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if _LONE_SURROGATE.search(part):
                return True
        elif isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part
    return False
