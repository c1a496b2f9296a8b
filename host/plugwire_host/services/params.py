"""The params of requests to the host's services, checked as they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from plugwire.wire import InvalidParams, Raw
from plugwire.wire.codec import MalformedJson, decode_items, decode_members, decode_value

ValueT = TypeVar("ValueT")

RESOURCE_NAME = re.compile(r"(?=.{1,256}\Z)[A-Za-z0-9_][A-Za-z0-9._:@-]*(/[A-Za-z0-9_][A-Za-z0-9._:@-]*)*")
"""The names of what plugins share: the model's ResourceName."""


class Required:
    """Stands for a default where there is none."""


REQUIRED = Required()


class Params:
    """The members of one params object. What is not as the model says raises InvalidParams with the path.

    Each method takes the member's name; without a ``default`` the member has to be there. Values that the host only
    hands on stay raw.
    """

    def __init__(self, raw: Raw | None, path: str = "$") -> None:
        self._path = path
        try:
            self._members = {} if raw is None else decode_members(raw)
        except MalformedJson as error:
            raise invalid(path, f"expected an object: {error}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def text(
        self,
        name: str,
        *,
        most: int = 256,
        pattern: re.Pattern[str] | None = None,
        default: ValueT | Required = REQUIRED,
    ) -> str | ValueT:
        """A string of at most ``most`` characters that the pattern matches as a whole."""
        if name not in self._members:
            return self._default(name, default)
        value = self._value(name)
        if not isinstance(value, str) or len(value) > most:
            raise self.wrong(name, f"expected a string of at most {most} characters")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.wrong(name, f"{value[:80]!r} is no name that is allowed here")
        return value

    def integer(self, name: str, least: int, most: int, *, default: ValueT | Required = REQUIRED) -> int | ValueT:
        """An integer within the two bounds."""
        if name not in self._members:
            return self._default(name, default)
        value = self._value(name)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(name, f"expected an integer from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        """True or false; false when it is absent."""
        if name not in self._members:
            return False
        value = self._value(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "expected true or false")
        return value

    def choice(self, name: str, options: Sequence[str], *, default: ValueT | Required = REQUIRED) -> str | ValueT:
        """One of some strings."""
        if name not in self._members:
            return self._default(name, default)
        value = self._value(name)
        if value not in options:
            raise self.wrong(name, f"expected one of {', '.join(options)}")
        return str(value)

    def raw(self, name: str) -> Raw | None:
        """The bytes of a value, whatever it is; None when it is absent."""
        return self._members.get(name)

    def items(self, name: str, most: int) -> list[Raw]:
        """A list of at most ``most`` values, the bytes of each."""
        if name not in self._members:
            self._default(name, REQUIRED)
        try:
            items = decode_items(self._members[name])
        except MalformedJson:
            raise self.wrong(name, "expected a list") from None
        if len(items) > most:
            raise self.wrong(name, f"expected a list of at most {most}")
        return items

    def nested(self, name: str) -> Params | None:
        """An object within; None when it is absent."""
        raw = self._members.get(name)
        return None if raw is None else Params(raw, f"{self._path}.{name}")

    def wrong(self, name: str, message: str) -> InvalidParams:
        """The error for a member, to be raised."""
        return invalid(f"{self._path}.{name}", message)

    def _value(self, name: str) -> Any:
        try:
            return decode_value(self._members[name])
        except MalformedJson:
            raise self.wrong(name, "expected a value that can be read") from None

    def _default(self, name: str, default: ValueT | Required) -> ValueT:
        if isinstance(default, Required):
            raise self.wrong(name, "it is missing")
        return default


def invalid(path: str, message: str) -> InvalidParams:
    """InvalidParams with its one problem."""
    return InvalidParams(f"{path}: {message}", data={"problems": [{"path": path, "message": message}]})
