"""Writes the Python of the model: the wire's codes and states, and the TypedDicts of the messages.

The text comes out as `ruff format` would leave it, so making it needs no formatter.
"""

import keyword
import re
import textwrap
from collections.abc import Iterable

from model import (
    AnyType,
    ArrayType,
    BooleanType,
    EnumType,
    MapType,
    Method,
    Model,
    ModelError,
    NamedType,
    NullType,
    NumericType,
    ObjectType,
    Reference,
    Shape,
    StringType,
    UnionType,
)

WIDTH = 120
NOTICE = "Generated from spec/model/protocol.json by sdk/codegen; do not edit."


def emit_codes(model: Model) -> str:
    """The text of plugwire/wire/_codes.py."""
    blocks = [
        f'"""{NOTICE}"""\n\nfrom enum import Enum, IntEnum',
        "\n".join(_constants(model)),
        "\n".join(_error_codes(model)),
        "\n".join(_states(model)),
        "\n".join(_directions()),
        "\n".join(_tables(model)),
    ]
    head, constants, *classes, tables = blocks
    return f"{head}\n\n{constants}\n\n\n" + "\n\n\n".join(classes) + f"\n\n\n{tables}\n"


def emit_types(model: Model) -> str:
    """The text of plugwire/types/_generated.py."""
    text = f'"""{NOTICE}"""\n\nfrom typing import Any, Literal, NotRequired, TypeAlias, TypedDict'
    after_class = False
    for named in model.sorted_types():
        definition = _definition(named)
        is_class = definition.startswith("class ")
        text += ("\n\n\n" if is_class or after_class else "\n\n") + definition
        after_class = is_class
    return text + "\n"


def _constants(model: Model) -> Iterable[str]:
    yield f'PROTOCOL_VERSION = "{model.version}"'
    yield ""
    for limit in model.limits:
        yield from _commented("", f"{_upper(limit.name)} = {limit.default}", limit.doc)
    yield ""
    yield from _collection(
        "", "RESERVED_SERVICES: frozenset[str] = frozenset({", [f'"{name}"' for name in model.reserved_services], "})"
    )


def _error_codes(model: Model) -> Iterable[str]:
    yield "class ErrorCode(IntEnum):"
    yield '    """The codes of error responses."""'
    yield ""
    for code in model.codes:
        yield from _commented("    ", f"{_upper(code.name)} = {code.code}", code.doc)


def _states(model: Model) -> Iterable[str]:
    yield "class State(Enum):"
    yield '    """How far the conversation on a connection has come."""'
    yield ""
    for state in model.states:
        yield from _commented("    ", f'{_upper(state.name)} = "{state.name}"', state.doc)


def _directions() -> Iterable[str]:
    yield "class Direction(Enum):"
    yield '    """Who may send a method to whom."""'
    yield ""
    for name in ("hostToPlugin", "pluginToHost", "both"):
        yield f'    {_upper(name)} = "{name}"'


def _tables(model: Model) -> Iterable[str]:
    yield "TRANSITIONS: dict[tuple[State, str], State] = {"
    for row in model.transitions:
        yield f'    (State.{_upper(row.origin)}, "{row.trigger}"): State.{_upper(row.target)},'
    yield "}"
    yield ""
    yield "METHOD_STATES: dict[str, frozenset[State]] = {"
    for method in model.methods:
        states = [f"State.{_upper(name)}" for name in method.states]
        yield from _collection("    ", f'"{method.name}": frozenset({{', states, "}),")
    yield "}"
    yield ""
    yield "METHOD_DIRECTIONS: dict[str, Direction] = {"
    for method in model.methods:
        yield f'    "{method.name}": Direction.{_upper(_direction(method))},'
    yield "}"
    yield ""
    # A method that may be sent as either is in this table not at all.
    yield "METHOD_IS_REQUEST: dict[str, bool] = {"
    for method in model.methods:
        if method.kind != "either":
            yield f'    "{method.name}": {method.kind == "request"},'
    yield "}"


def _direction(method: Method) -> str:
    if method.direction is None:
        raise ModelError(f"method {method.name} states no direction")
    return method.direction


def _definition(named: NamedType) -> str:
    match named.shape:
        case ObjectType(members) if members:
            if any(keyword.iskeyword(member.name) or not member.name.isidentifier() for member in members):
                return _functional(named, named.shape)
            return _class(named, named.shape)
        case shape:
            return f"{_comment('', named.doc)}\n{named.name}: TypeAlias = {_annotation(shape)}"


def _class(named: NamedType, shape: ObjectType) -> str:
    lines = [f"class {named.name}(TypedDict):", f'    """{named.doc}"""', ""]
    return "\n".join(lines + [f"    {name}: {text}" for name, text in _fields(shape)])


def _functional(named: NamedType, shape: ObjectType) -> str:
    lines = [_comment("", named.doc), f"{named.name} = TypedDict(", f'    "{named.name}",', "    {"]
    lines += [f'        "{name}": {text},' for name, text in _fields(shape)]
    return "\n".join([*lines, "    },", ")"])


def _fields(shape: ObjectType) -> Iterable[tuple[str, str]]:
    for member in shape.members:
        text = _annotation(member.shape)
        yield member.name, text if member.required else f"NotRequired[{text}]"


def _annotation(shape: Shape) -> str:
    match shape:
        case Reference(name):
            return name
        case NumericType(whole):
            return "int" if whole else "float"
        case BooleanType():
            return "bool"
        case NullType():
            return "None"
        case AnyType():
            return "Any"
        case ArrayType(items):
            return f"list[{items}]"
        case MapType(keys, values):
            return f"dict[{keys}, {values}]"
        case EnumType(values, open=False):
            quoted = ", ".join(f'"{value}"' for value in values)
            return f"Literal[{quoted}]"
        case StringType() | EnumType():
            return "str"
        case UnionType(members):
            return " | ".join(members)
        case ObjectType():
            return "dict[str, Any]"


def _upper(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def _commented(indent: str, statement: str, doc: str) -> Iterable[str]:
    """The statement with its comment behind it, or before it where the line would be too long."""
    line = f"{indent}{statement}  # {doc}"
    if len(line) <= WIDTH:
        yield line
    else:
        yield _comment(indent, doc)
        yield f"{indent}{statement}"


def _comment(indent: str, doc: str) -> str:
    return textwrap.fill(doc, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _collection(indent: str, head: str, items: list[str], tail: str) -> Iterable[str]:
    """The items on one line if they fit, and otherwise one to a line."""
    line = f"{indent}{head}{', '.join(items)}{tail}"
    if len(line) <= WIDTH:
        yield line
        return
    # ruff breaks the call before the set in it.
    call, brace = head[:-1], head[-1]
    yield f"{indent}{call}"
    inner = f"{indent}    {brace}{', '.join(items)}}}"
    if len(inner) <= WIDTH:
        yield inner
    else:
        yield f"{indent}    {brace}"
        yield from (f"{indent}        {item}," for item in items)
        yield f"{indent}    }}"
    yield f"{indent}{tail[1:]}"
