"""The one converter between JSON values and typed Python values: cattrs, made strict. Spec ERR-05.

cattrs coerces by default ("12" → 12, "no" → True, "abc" → ["a", "b", "c"]); here a value has the type that was asked
for, or it is refused with the path at which it stands. Importing this module costs what importing cattrs costs, so the
SDK does it with the first call that needs it.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import types
from collections.abc import Callable
from pathlib import Path
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import attrs
import cattrs
from cattrs.cols import (
    homogenous_tuple_structure_factory,
    is_any_set,
    is_frozenset,
    is_mapping,
    is_namedtuple,
    is_sequence,
    list_structure_factory,
    mapping_structure_factory,
    namedtuple_structure_factory,
)
from cattrs.errors import IterableValidationError, IterableValidationNote

from .problems import Mismatch, ParamProblem, expected, place, problems_of, shown

__all__ = ["ParamProblem", "make_converter", "place", "problems_of"]

_Hook: TypeAlias = Callable[[Any, Any], Any]
_NULL: type = type(None)
_UNMISTAKABLE = frozenset({int, float, bool, _NULL})


def make_converter() -> cattrs.Converter:
    """A strict converter: no coercion, no unknown members. ``structure`` raises; see ``problems_of``."""
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    _register_values(converter)
    _register_containers(converter)
    converter.register_structure_hook_factory(_is_union, lambda annotation: _union(annotation, converter))
    return converter


def _register_values(converter: cattrs.Converter) -> None:
    for plain in (str, bool, int):
        converter.register_structure_hook(plain, _exactly(plain))
    converter.register_structure_hook_func(
        lambda annotation: annotation is None or annotation is _NULL, _exactly(_NULL)
    )
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(Path, lambda value, _: Path(_string(value)))
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook(bytes, _bytes)
    converter.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode())
    for moment in (datetime.datetime, datetime.date, datetime.time):
        converter.register_structure_hook(moment, _iso_format(moment))
        converter.register_unstructure_hook(moment, lambda value: value.isoformat())
    converter.register_structure_hook_func(_is_literal, _literal)
    converter.register_structure_hook_func(
        lambda annotation: isinstance(annotation, type) and issubclass(annotation, enum.Enum), _enum
    )


def _register_containers(converter: cattrs.Converter) -> None:
    """cattrs' own hooks for containers, each looking at values of the right JSON type only."""

    def guard(applies: Callable[[Any], bool], wanted: type, make: Callable[[Any], _Hook]) -> None:
        converter.register_structure_hook_factory(applies, lambda annotation: _guarded(make(annotation), wanted))

    def is_collection(annotation: Any) -> bool:
        return annotation not in (str, bytes) and not _is_tuple(annotation) and is_sequence(annotation)

    def is_object(annotation: Any) -> bool:
        return not is_typeddict(annotation) and is_mapping(annotation)

    guard(is_collection, list, lambda annotation: list_structure_factory(annotation, converter))
    guard(_is_tuple, list, lambda annotation: _tuple(annotation, converter))
    guard(is_namedtuple, list, lambda annotation: namedtuple_structure_factory(annotation, converter))
    guard(is_any_set, list, lambda annotation: _set(annotation, converter))
    guard(is_object, dict, lambda annotation: mapping_structure_factory(annotation, converter))
    guard(is_typeddict, dict, lambda annotation: converter.gen_structure_typeddict(_settled(annotation)))
    converter.register_unstructure_hook_factory(
        is_typeddict, lambda annotation: converter.gen_unstructure_typeddict(_settled(annotation))
    )
    guard(_is_class, dict, converter.gen_structure_attrs_fromdict)


def _settled(typeddict: Any) -> Any:
    """With ``from __future__ import annotations`` Python makes the class before it can see a ``NotRequired``."""
    hints = get_type_hints(typeddict, include_extras=True)
    for marker, ours, theirs in (
        (NotRequired, "__optional_keys__", "__required_keys__"),
        (Required, "__required_keys__", "__optional_keys__"),
    ):
        marked = {name for name, hint in hints.items() if get_origin(hint) is marker}
        setattr(typeddict, ours, getattr(typeddict, ours) | marked)
        setattr(typeddict, theirs, getattr(typeddict, theirs) - marked)
    return typeddict


def _guarded(inner: _Hook, wanted: type) -> _Hook:
    def structure(value: Any, annotation: Any) -> Any:
        if type(value) is not wanted:
            raise expected(wanted, value)
        return inner(value, annotation)

    return structure


# Values


def _exactly(wanted: type) -> _Hook:
    def structure(value: Any, _: Any) -> Any:
        # Not isinstance: True is an int to Python.
        if type(value) is wanted:
            return value
        raise expected(wanted, value)

    return structure


def _string(value: Any) -> str:
    if type(value) is str:
        return value
    raise expected(str, value)


def _number(value: Any, _: Any) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    raise expected(float, value)


def _bytes(value: Any, _: Any) -> bytes:
    try:
        return base64.b64decode(_string(value), validate=True)
    except Mismatch:
        raise
    except ValueError:
        raise Mismatch("expected bytes in base64") from None


def _iso_format(moment: Any) -> _Hook:
    def structure(value: Any, _: Any) -> Any:
        text = _string(value)
        try:
            return moment.fromisoformat(text)
        except ValueError:
            raise Mismatch(f"expected a {moment.__name__} in ISO 8601, got {shown(value)}") from None

    return structure


def _is_literal(annotation: Any) -> bool:
    origin: Any = get_origin(annotation)
    return origin is Literal


def _literal(value: Any, annotation: Any) -> Any:
    choices = get_args(annotation)
    for choice in choices:
        plain = choice.value if isinstance(choice, enum.Enum) else choice
        if type(plain) is type(value) and plain == value:
            return choice
    raise Mismatch(f"expected one of {', '.join(shown(choice) for choice in choices)}, got {shown(value)}")


def _enum(value: Any, annotation: type[enum.Enum]) -> Any:
    for member in annotation:
        if type(member.value) is type(value) and member.value == value:
            return member
    choices = ", ".join(shown(member.value) for member in annotation)
    raise Mismatch(f"expected one of {choices}, got {shown(value)}")


# Containers


def _is_class(annotation: Any) -> bool:
    cls = get_origin(annotation) or annotation
    return isinstance(cls, type) and (attrs.has(cls) or dataclasses.is_dataclass(cls))


def _is_tuple(annotation: Any) -> bool:
    return annotation is tuple or get_origin(annotation) is tuple


def _set(annotation: Any, converter: cattrs.Converter) -> _Hook:
    members = get_args(annotation) or (Any,)
    inner = homogenous_tuple_structure_factory(tuple[members[0], ...], converter)  # type: ignore[valid-type]
    make: type = frozenset if is_frozenset(annotation) else set
    return lambda value, _: make(inner(value, annotation))


def _tuple(annotation: Any, converter: cattrs.Converter) -> _Hook:
    members = get_args(annotation) or (Any, ...)
    if members[1:] == (...,):
        return homogenous_tuple_structure_factory(annotation, converter)

    def structure(value: Any, _: Any) -> Any:
        if len(value) != len(members):
            raise Mismatch(f"expected an array of {len(members)}, got one of {len(value)}")
        structured, errors = [], []
        for index, (element, member) in enumerate(zip(value, members, strict=True)):
            try:
                structured.append(converter.structure(element, member))
            except Exception as error:
                error.add_note(IterableValidationNote(f"element {index}", index, member))
                errors.append(error)
        if errors:
            raise IterableValidationError("the elements of a tuple", errors, tuple)
        return tuple(structured)

    return structure


# Unions: the first member that takes the value. The hooks are strict, so what one takes is what it asked for.


def _is_union(annotation: Any) -> bool:
    return isinstance(annotation, types.UnionType) or get_origin(annotation) is Union


def _union(annotation: Any, converter: cattrs.Converter) -> _Hook:
    members = get_args(annotation)
    # 3 is an int where `float | int` offers both, and null is nothing else.
    as_it_is = _UNMISTAKABLE.intersection(members)
    others = [member for member in members if member is not _NULL]

    def structure(value: Any, _: Any) -> Any:
        if type(value) in as_it_is:
            return value
        failures = []
        for member in others:
            try:
                return converter.structure(value, member)
            except Exception as error:
                failures.append((member, error))
        raise _closest(failures) or expected(annotation, value)

    return structure


def _closest(failures: list[tuple[Any, Exception]]) -> Exception | None:
    """The failure of the member that the value was most likely meant for, if one stands out."""
    if len(failures) == 1:
        return failures[0][1]
    inside = []
    for member, error in failures:
        problems = problems_of(error, member)
        if all(problem.path != "$" for problem in problems):
            inside.append((len(problems), error))
    inside.sort(key=lambda found: found[0])
    if inside and (len(inside) == 1 or inside[0][0] < inside[1][0]):
        return inside[0][1]
    return None
