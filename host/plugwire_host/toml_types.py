"""The values that plugin.toml and plugins.toml may hold, each checked where it stands. Spec chapter 12.

Owns: one named type for each rule, and the converter that knows them. The schemas of spec/model hold the same rules.
"""

from __future__ import annotations

import datetime
import difflib
import math
import re
from collections.abc import Callable
from typing import Any, NewType, TypeAlias

import attrs
from cattrs import Converter
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from plugwire.types.converter import make_converter
from plugwire.types.problems import expected, shown

InstanceName = NewType("InstanceName", str)
Label = NewType("Label", str)
ProtocolVersion = NewType("ProtocolVersion", str)
ServiceName = NewType("ServiceName", str)
ServiceVersion = NewType("ServiceVersion", str)
VersionRange = NewType("VersionRange", str)
MethodName = NewType("MethodName", str)
Sentence = NewType("Sentence", str)
FilePath = NewType("FilePath", str)
Argument = NewType("Argument", str)
VariableName = NewType("VariableName", str)
CommandLine = NewType("CommandLine", list[str])
Environment = NewType("Environment", dict[str, str])
Seconds = NewType("Seconds", float)
Priority = NewType("Priority", int)
JsonTable = NewType("JsonTable", dict[str, Any])
Methods = NewType("Methods", dict[str, Any])
_JsonValue = NewType("_JsonValue", object)
_Hook: TypeAlias = Callable[[Any, Any], Any]

INSTANCE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}"
_COMPARISON = rf" *(==|!=|>=|<=|>|<) *{_VERSION} *"
_MAX_SECONDS = 2147483
_MAX_ARGUMENTS = 1024
_MAX_METHODS = 4096

_TEXTS: dict[Any, tuple[str, str]] = {
    InstanceName: (INSTANCE_NAME.pattern, "a name of 1 to 64 of a-z 0-9 . _ - that begins with a letter or digit"),
    Label: (r"[\s\S]{1,64}", "a string of 1 to 64 characters"),
    ProtocolVersion: (r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})", 'a version such as "1.0"'),
    ServiceName: (r"[a-z][A-Za-z0-9._-]{0,63}", 'the name of a service such as "spell"'),
    ServiceVersion: (_VERSION, 'a version such as "1.2.0"'),
    VersionRange: (rf"{_COMPARISON}(,{_COMPARISON})*", 'a range of versions such as ">=1,<2"'),
    MethodName: (r"[A-Za-z][A-Za-z0-9._/-]{0,127}", 'the name of a method such as "check"'),
    Sentence: (r"[\s\S]{0,4096}", "a string of at most 4096 characters"),
    FilePath: (r"[\s\S]{1,4096}", "a path of 1 to 4096 characters"),
    Argument: (r"[^\0]*", "a string without a NUL character"),
    VariableName: (r"[^=\0]+", "the name of a variable"),
}


def _make_converter() -> Converter:
    converter = make_converter()
    for kind, (pattern, wanted) in _TEXTS.items():
        converter.register_structure_hook(kind, _text(re.compile(pattern), wanted))
    for kind, hook in {
        CommandLine: _command_line(converter),
        Methods: _methods(converter),
        _JsonValue: _json_value(converter),
        JsonTable: _delegate(converter, dict[str, _JsonValue]),
        Environment: _delegate(converter, dict[VariableName, Argument]),
        Seconds: _seconds,
        Priority: _priority,
    }.items():
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_factory(attrs.has, lambda shape: _closed(converter, shape))
    return converter


def _command_line(converter: Converter) -> _Hook:
    arguments = _delegate(converter, list[Argument])

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise ValueError(f"expected a list of strings, got {shown(value)}")
        if not 1 <= len(value) <= _MAX_ARGUMENTS:
            raise ValueError(f"expected a list of 1 to {_MAX_ARGUMENTS} strings, got one of {len(value)}")
        if value[0] == "":
            raise ValueError('expected a list that begins with a program, got one that begins with ""')
        return arguments(value, _)

    return structure


def _methods(converter: Converter) -> _Hook:
    """Methods by name, also where the file gives nothing but names."""
    names = _delegate(converter, list[MethodName])
    table = _delegate(converter, dict[MethodName, MethodDescription])

    def structure(value: Any, _: Any) -> Any:
        if type(value) not in (list, dict):
            raise ValueError(f"expected a list of names or a table of methods, got {shown(value)}")
        if len(value) > _MAX_METHODS:
            raise ValueError(f"expected at most {_MAX_METHODS} methods, got {len(value)}")
        if type(value) is list:
            return {name: {} for name in names(value, _)}
        table(value, _)
        return value

    return structure


def _json_value(converter: Converter) -> _Hook:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is list:
            return converter.structure(value, list[_JsonValue])
        if type(value) is dict:
            return converter.structure(value, dict[str, _JsonValue])
        if isinstance(value, datetime.date | datetime.time) or (type(value) is float and not math.isfinite(value)):
            raise ValueError(f"expected a value that JSON has too, got {shown(value)}")
        return value

    return structure


def _text(pattern: re.Pattern[str], wanted: str) -> Callable[[Any, Any], str]:
    def structure(value: Any, _: Any) -> str:
        if type(value) is str and pattern.fullmatch(value):
            return value
        raise ValueError(f"expected {wanted}, got {shown(value)}")

    return structure


def _delegate(converter: Converter, annotation: Any) -> _Hook:
    return lambda value, _: converter.structure(value, annotation)


def _seconds(value: Any, _: Any) -> float:
    if type(value) in (int, float) and 0 < value <= _MAX_SECONDS:
        return float(value)
    raise ValueError(f"expected a number of seconds above 0 and at most {_MAX_SECONDS}, got {shown(value)}")


def _priority(value: Any, _: Any) -> int:
    if type(value) is int and -(1 << 31) <= value < 1 << 31:
        return value
    raise ValueError(f"expected an integer within 32 bits, got {shown(value)}")


def _closed(converter: Converter, shape: type) -> _Hook:
    """Structure a table with known keys; an unknown one is told together with those that there are."""
    inner: _Hook = make_dict_structure_fn(shape, converter, _cattrs_forbid_extra_keys=False)
    known = [field.name for field in attrs.fields(shape)]

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise expected(dict, value)
        unknown = [_unknown_key(key, known) for key in value if key not in known]
        if unknown:
            raise IterableValidationError("unknown keys", unknown, shape)
        return inner(value, shape)

    return structure


def _unknown_key(key: str, known: list[str]) -> ValueError:
    near = did_you_mean(key, known)
    error = ValueError(f"unknown key{near}" if near else f"unknown key; expected one of {', '.join(known)}")
    error.__notes__ = [IterableValidationNote("", key, str)]
    return error


def did_you_mean(name: str, names: list[str]) -> str:
    """The end of a sentence; empty where nothing is near."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


@attrs.frozen
class MethodDescription:
    """What a manifest says of a method."""

    description: Sentence | None = None
    idempotent: bool | None = None
    params: JsonTable | None = None
    result: JsonTable | None = None


CONVERTER = _make_converter()
