"""What was wrong with a value, place by place, in JSON's words. Spec ERR-05.

Reads what cattrs raises; does not decide what is wrong (converter.py).
"""

from __future__ import annotations

import re
import types
from typing import Any, NamedTuple, Union, get_args, get_origin

from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    StructureHandlerNotFoundError,
)

_JSON_NAMES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}
_PLAIN_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


class ParamProblem(NamedTuple):
    """One wrong place: ``path`` from the params as ``$``, and what was expected there."""

    path: str
    message: str


class Mismatch(ValueError):
    """A value that is not what an annotation asks for, in a sentence for the caller."""


def expected(annotation: Any, value: Any) -> Mismatch:
    """The error for a value of another type."""
    return Mismatch(f"expected {name_of(annotation)}, got {shown(value)}")


def problems_of(error: BaseException, annotation: Any, path: str = "$") -> list[ParamProblem]:
    """What a failed ``structure`` found wrong. Raises TypeError where no value would do: that is the author's fault."""
    if isinstance(error, ClassValidationError | IterableValidationError):
        found = []
        noted, bare = error.group_exceptions()
        for inner, note in noted:
            if isinstance(note, AttributeValidationNote):
                found += _problems_of_member(inner, note, path)
            else:
                found += problems_of(inner, note.type, place(path, note.index))
        for inner in bare:
            found += problems_of(inner, annotation, path)
        return found
    if isinstance(error, ForbiddenExtraKeysError):
        return [ParamProblem(place(path, name), "unknown member") for name in sorted(error.extra_fields)]
    if isinstance(error, StructureHandlerNotFoundError):
        raise TypeError(f"params cannot become a {name_of(error.type_)}") from error
    # An author's own class may raise, too; a ValueError of its own is a sentence about the value.
    message = str(error) if isinstance(error, ValueError) else ""
    return [ParamProblem(path, message or f"expected {name_of(annotation)}")]


def _problems_of_member(error: BaseException, note: AttributeValidationNote, path: str) -> list[ParamProblem]:
    here = place(path, note.name)
    if isinstance(error, KeyError) and error.args == (note.name,):
        return [ParamProblem(here, f"the member {note.name!r} is missing")]
    return problems_of(error, note.type, here)


def place(path: str, key: str | int) -> str:
    """The path of a member or an element."""
    if isinstance(key, str) and _PLAIN_NAME.fullmatch(key):
        return f"{path}.{key}"
    return f"{path}[{key!r}]"


def shown(value: Any) -> str:
    """A value for a message: short, and recognisable as JSON."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def name_of(annotation: Any) -> str:
    """A type as a caller knows it."""
    if isinstance(annotation, types.UnionType) or get_origin(annotation) is Union:
        return " or ".join(name_of(part) for part in get_args(annotation))
    return _JSON_NAMES.get(get_origin(annotation) or annotation, getattr(annotation, "__name__", str(annotation)))
