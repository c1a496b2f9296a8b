"""The model of the protocol, read from spec/model/protocol.json into frozen classes.

Owns what the model's parts look like and how they are read. What has to hold between the parts is in `lints`; what is
made of them is in the `emit_*` modules.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from attrs import frozen

MODEL_PATH = Path("spec/model/protocol.json")


class ModelError(Exception):
    """The model cannot be read, or breaks one of its rules."""


@frozen
class StringType:
    pattern: str | None
    min_length: int | None
    max_length: int | None


@frozen
class NumericType:
    whole: bool
    minimum: int | None
    maximum: int | None


@frozen
class BooleanType:
    pass


@frozen
class NullType:
    pass


@frozen
class ArrayType:
    items: str
    max_items: int | None


@frozen
class MapType:
    keys: str
    values: str
    max_members: int | None


@frozen
class EnumType:
    values: tuple[str, ...]
    open: bool


@frozen
class UnionType:
    members: tuple[str, ...]
    tag: str | None


@frozen
class Reference:
    name: str


@frozen
class Member:
    name: str
    shape: "Shape"
    required: bool
    doc: str


@frozen
class ObjectType:
    members: tuple[Member, ...]
    required: tuple[str, ...]
    additional: bool | None


Shape: TypeAlias = (
    StringType
    | NumericType
    | BooleanType
    | NullType
    | ArrayType
    | MapType
    | EnumType
    | UnionType
    | Reference
    | ObjectType
)


@frozen
class NamedType:
    name: str
    shape: Shape
    doc: str


@frozen
class Limit:
    name: str
    default: int
    minimum: int
    maximum: int
    unit: str
    doc: str


@frozen
class State:
    name: str
    doc: str


@frozen
class Trigger:
    name: str
    doc: str


@frozen
class Transition:
    origin: str
    trigger: str
    target: str


@frozen
class Code:
    code: int
    name: str
    data: str | None
    doc: str


@frozen
class Method:
    name: str
    kind: str | None
    direction: str | None
    states: tuple[str, ...]
    gate: str | None
    params: str
    result: str | None
    errors: tuple[str, ...]
    since: str | None
    chapter: str
    requirements: tuple[str, ...]
    doc: str


@frozen
class Model:
    version: str
    reserved_services: tuple[str, ...]
    limits: tuple[Limit, ...]
    states: tuple[State, ...]
    triggers: tuple[Trigger, ...]
    transitions: tuple[Transition, ...]
    codes: tuple[Code, ...]
    methods: tuple[Method, ...]
    types: tuple[NamedType, ...]

    def type_named(self, name: str) -> NamedType:
        """The type of that name; raises ModelError where there is none."""
        for named in self.types:
            if named.name == name:
                return named
        raise ModelError(f"no type is named {name}")

    def sorted_types(self) -> list[NamedType]:
        """All types, each after those that it refers to; raises ModelError for a circle."""
        done: dict[str, NamedType] = {}
        for named in self.types:
            self._visit(named, (), done)
        return list(done.values())

    def _visit(self, named: NamedType, above: tuple[str, ...], done: dict[str, NamedType]) -> None:
        if named.name in above:
            raise ModelError(f"types refer to one another in a circle: {' → '.join((*above, named.name))}")
        if named.name in done:
            return
        for name in references(named.shape):
            self._visit(self.type_named(name), (*above, named.name), done)
        done[named.name] = named


def references(shape: Shape) -> Iterator[str]:
    """The names of the types that a shape refers to, in order."""
    match shape:
        case Reference(name):
            yield name
        case ArrayType(items):
            yield items
        case MapType(keys, values):
            yield from (keys, values)
        case UnionType(members):
            yield from members
        case ObjectType(members):
            for member in members:
                yield from references(member.shape)


def load(root: Path) -> Model:
    """Reads the model under `root`; raises ModelError where it cannot be read."""
    path = root / MODEL_PATH
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_members_once)
        return build(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: {type(error).__name__}: {error}") from error


def build(raw: dict[str, Any]) -> Model:
    """Makes a model of decoded JSON."""
    return Model(
        version=raw["protocolVersion"],
        reserved_services=tuple(raw["reservedServices"]),
        limits=tuple(Limit(**row) for row in raw["limits"]),
        states=tuple(State(**row) for row in raw["states"]),
        triggers=tuple(Trigger(**row) for row in raw["triggers"]),
        transitions=tuple(Transition(row["from"], row["trigger"], row["to"]) for row in raw["transitions"]),
        codes=tuple(Code(row["code"], row["name"], row.get("data"), row["doc"]) for row in raw["codes"]),
        methods=tuple(_method(row) for row in raw["methods"]),
        types=tuple(NamedType(name, _shape(row), row["doc"]) for name, row in raw["types"].items()),
    )


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the member {name!r} occurs twice in one object")
    return dict(pairs)


def _method(row: dict[str, Any]) -> Method:
    return Method(
        name=row["name"],
        kind=row.get("kind"),
        direction=row.get("direction"),
        states=tuple(row.get("states", ())),
        gate=row.get("gate"),
        params=row["params"],
        result=row.get("result"),
        errors=tuple(row.get("errors", ())),
        since=row.get("since"),
        chapter=row["chapter"],
        requirements=tuple(row["requirements"]),
        doc=row["doc"],
    )


def _shape(row: dict[str, Any]) -> Shape:
    if "ref" in row:
        return Reference(row["ref"])
    if "union" in row:
        return UnionType(tuple(row["union"]), row.get("tag"))
    if "enum" in row:
        return EnumType(tuple(row["enum"]), row["open"])
    match row["type"]:
        case "string":
            return StringType(row.get("pattern"), row.get("minLength"), row.get("maxLength"))
        case "integer" | "number" as kind:
            return NumericType(kind == "integer", row.get("minimum"), row.get("maximum"))
        case "boolean":
            return BooleanType()
        case "null":
            return NullType()
        case "array":
            return ArrayType(row["items"], row.get("maxItems"))
        case "map":
            return MapType(row["keys"], row["values"], row.get("maxProperties"))
        case "object":
            return _object(row)
        case other:
            raise ValueError(f"no type is called {other!r}")


def _object(row: dict[str, Any]) -> ObjectType:
    required = tuple(row["required"])
    members = tuple(
        Member(name, _shape(member), name in required, member["doc"]) for name, member in row["properties"].items()
    )
    return ObjectType(members, required, row.get("additionalProperties"))
