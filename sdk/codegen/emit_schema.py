"""Writes the model's types as JSON Schema, draft 2020-12: one bundle, and a small file per method that points into it.

A method without params or without a result of interest has no file.
"""

import json
from pathlib import Path
from typing import Any

from model import (
    AnyType,
    ArrayType,
    BooleanType,
    EnumType,
    MapType,
    Model,
    NamedType,
    NullType,
    NumericType,
    ObjectType,
    Reference,
    Shape,
    StringType,
    UnionType,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NOTICE = "Generated from spec/model/protocol.json by sdk/codegen; do not edit."
BUNDLE = Path("spec/schema/protocol.schema.json")
MESSAGES = Path("spec/schema/messages")
DULL = ("Empty", "Nothing")


def emit_schemas(model: Model) -> dict[Path, str]:
    """Every schema file with its text."""
    definitions = {named.name: _definition(named) for named in model.types}
    title = f"The types of the plugwire protocol, version {model.version}"
    files = {BUNDLE: _text({"$schema": DIALECT, "$comment": NOTICE, "title": title, "$defs": definitions})}
    for method in model.methods:
        for part, name in (("params", method.params), ("result", method.result)):
            if name is not None and name not in DULL:
                schema = {
                    "$schema": DIALECT,
                    "$comment": NOTICE,
                    "title": f"{part} of {method.name}",
                    "$ref": f"../{BUNDLE.name}#/$defs/{name}",
                }
                files[MESSAGES / f"{_file_stem(method.name)}.{part}.json"] = _text(schema)
    return files


def _file_stem(method: str) -> str:
    return method.replace("$/", "").replace("/", ".")


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _definition(named: NamedType) -> dict[str, Any]:
    return {"description": named.doc, **_schema(named.shape)}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _schema(shape: Shape) -> dict[str, Any]:
    match shape:
        case Reference(name):
            return _reference(name)
        case StringType(pattern, min_length, max_length):
            return _stated({"type": "string", "pattern": pattern, "minLength": min_length, "maxLength": max_length})
        case NumericType(whole, minimum, maximum):
            return _stated({"type": "integer" if whole else "number", "minimum": minimum, "maximum": maximum})
        case BooleanType():
            return {"type": "boolean"}
        case NullType():
            return {"type": "null"}
        case AnyType():
            return {}
        case ArrayType(items, max_items):
            return _stated({"type": "array", "items": _reference(items), "maxItems": max_items})
        case MapType(keys, values, max_members):
            names, members = _reference(keys), _reference(values)
            return {
                "type": "object",
                "propertyNames": names,
                "additionalProperties": members,
                "maxProperties": max_members,
            }
        case EnumType(values, is_open):
            # An open list grows with the protocol: a reader takes any string.
            return {"type": "string", "examples" if is_open else "enum": list(values)}
        case UnionType(members):
            return {"oneOf": [_reference(name) for name in members]}
        case ObjectType():
            return _object(shape)


def _object(shape: ObjectType) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {member.name: {"description": member.doc, **_schema(member.shape)} for member in shape.members},
        "required": list(shape.required),
        "additionalProperties": shape.additional,
    }


def _stated(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if value is not None}
