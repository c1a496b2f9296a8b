"""Reads spec/model/protocol.json into the classes of `model`."""

import json
from pathlib import Path
from typing import Any

from model import (
    AnyType,
    ArrayType,
    BooleanType,
    Code,
    EnumType,
    Limit,
    MapType,
    Member,
    Method,
    Model,
    ModelError,
    NamedType,
    NullType,
    NumericType,
    ObjectType,
    Reference,
    Shape,
    State,
    StringType,
    Transition,
    Trigger,
    UnionType,
)

MODEL_PATH = Path("spec/model/protocol.json")


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
        case "any":
            return AnyType()
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
