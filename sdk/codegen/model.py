"""The model of the protocol, as frozen classes.

Owns what the model's parts look like. `reading` makes them of spec/model/protocol.json; what has to hold between the
parts is in `lints`; what is made of them is in the `emit_*` modules.
"""

from collections.abc import Iterator
from typing import TypeAlias

from attrs import frozen


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
class AnyType:
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
    | AnyType
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
