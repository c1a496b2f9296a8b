"""From the params of a message to the arguments of a handler, and back to a result."""

import datetime
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pytest

from plugwire import Context, InvalidParams
from plugwire.binding import Binding
from plugwire.wire import Raw

if TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]

CONTEXT: Any = object()


@dataclass
class Place:
    line: int
    column: int = 0


@dataclass
class Page:
    places: list[Place] = field(default_factory=list)


def bind(handler: Callable[..., Any], params: Any = None) -> dict[str, Any]:
    raw = None if params is None else Raw(json.dumps(params).encode())
    return Binding(handler).arguments(raw, CONTEXT)


def problems(handler: Callable[..., Any], params: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidParams) as refused:
        bind(handler, params)
    return [(problem["path"], problem["message"]) for problem in refused.value.data["problems"]]


def test_members_become_arguments_of_the_same_name() -> None:
    def handler(name: str, place: Place, *, count: int = 3) -> None: ...

    assert bind(handler, {"name": "a", "place": {"line": 1}}) == {"name": "a", "place": Place(1, 0)}
    assert bind(handler, {"name": "a", "place": {"line": 1}, "count": 4})["count"] == 4


@pytest.mark.requirement("MSG-04")
def test_absent_params_are_an_empty_object() -> None:
    def optional(name: str = "x") -> None: ...

    def required(name: str) -> None: ...

    assert bind(optional) == {}
    with pytest.raises(InvalidParams):
        bind(required)


def test_a_parameter_without_a_type_takes_anything() -> None:
    def handler(value) -> None: ...  # type: ignore[no-untyped-def]

    assert bind(handler, {"value": [1, {"a": None}]}) == {"value": [1, {"a": None}]}


def test_an_integer_for_a_number_arrives_as_a_float() -> None:
    def handler(ratio: float) -> None: ...

    assert type(bind(handler, {"ratio": 3})["ratio"]) is float


@pytest.mark.requirement("ERR-05")
def test_every_problem_is_told_with_its_path() -> None:
    def handler(name: str, count: int, place: Place, flag: bool = False) -> None: ...

    assert problems(handler, {"count": "1", "place": {"line": "x", "row": 1}, "flag": 0, "extra": 1, "a b": 2}) == [
        ("$.name", "the member 'name' is missing"),
        ("$.count", 'expected integer, got "1"'),
        ("$.place.line", 'expected integer, got "x"'),
        ("$.place.row", "unknown member"),
        ("$.flag", "expected boolean, got 0"),
        ("$['a b']", "unknown member"),
        ("$.extra", "unknown member"),
    ]


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (str, 1, "expected string, got 1"),
        (int, True, "expected integer, got true"),
        (int, 1.5, "expected integer, got 1.5"),
        (bool, 1, "expected boolean, got 1"),
        (float, "1", 'expected number, got "1"'),
        (dict, [], "expected object, got an array"),
        (list, {}, "expected array, got an object"),
    ],
)
def test_plain_types_are_not_coerced(annotation: Any, value: Any, message: str) -> None:
    def handler(value: Any) -> None: ...

    handler.__annotations__["value"] = annotation
    assert problems(handler, {"value": value}) == [("$.value", message)]


def test_a_single_parameter_named_params_receives_the_whole_object() -> None:
    def untyped(params: dict) -> None: ...  # type: ignore[type-arg]

    def typed(params: Place, ctx: Context) -> None: ...

    assert bind(untyped, {"a": 1}) == {"params": {"a": 1}}
    assert bind(untyped) == {"params": {}}
    assert bind(typed, {"line": 4}) == {"params": Place(4, 0), "ctx": CONTEXT}
    assert problems(typed, {"line": "4"}) == [("$.line", 'expected integer, got "4"')]


def test_params_beside_another_parameter_is_a_member_like_others() -> None:
    def handler(params: int, other: int) -> None: ...

    assert bind(handler, {"params": 1, "other": 2}) == {"params": 1, "other": 2}


def test_unknown_members_go_to_keyword_arguments() -> None:
    def any_kind(name: str, **more: Any) -> None: ...

    def numbers(**more: int) -> None: ...

    assert bind(any_kind, {"name": "a", "x": 1, "y": [2]}) == {"name": "a", "x": 1, "y": [2]}
    assert problems(numbers, {"x": 1, "y": "2"}) == [("$.y", 'expected integer, got "2"')]


@pytest.mark.parametrize("params", [{"a": 1, "b": 2}, {"b": 2, "a": 1}])
def test_the_context_may_stand_anywhere_and_is_no_member(params: Any) -> None:
    def first(ctx: Context, a: int, b: int) -> None: ...

    def middle(a: int, where: "Context", b: int) -> None: ...

    def last(a: int, b: int, *, context: Context) -> None: ...

    assert bind(first, params) == {"ctx": CONTEXT, "a": 1, "b": 2}
    assert bind(middle, params) == {"where": CONTEXT, "a": 1, "b": 2}
    assert bind(last, params) == {"context": CONTEXT, "a": 1, "b": 2}
    assert problems(first, {**params, "ctx": 1}) == [("$.ctx", "unknown member")]


def test_the_context_cannot_be_replaced_by_a_member() -> None:
    def handler(ctx: Context, **more: Any) -> None: ...

    assert bind(handler, {"ctx": "mine", "x": 1}) == {"ctx": CONTEXT, "x": 1}


def positional_only(a: int, /) -> None: ...


def positional_context(ctx: Context, /) -> None: ...


def starred(*names: str) -> None: ...


@pytest.mark.parametrize("handler", [positional_only, positional_context, starred])
def test_a_parameter_without_a_name_to_fill_it_by_is_refused(handler: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=rf"{handler.__name__}: params are named, so .* cannot be filled"):
        Binding(handler)


def test_an_annotation_that_cannot_be_found_is_refused() -> None:
    def handler(name: "Missing") -> None: ...

    with pytest.raises(TypeError, match="an annotation names 'Missing', which its module does not define"):
        Binding(handler)


def test_partial_functions_methods_and_callable_objects_can_be_bound() -> None:
    class Handlers:
        def method(self, place: Place) -> None: ...

        def __call__(self, place: Place) -> None: ...

    def two(place: Place, other: int) -> None: ...

    for handler in (Handlers().method, Handlers(), functools.partial(two, other=1)):
        assert bind(handler, {"place": {"line": 1}}) == {"place": Place(1, 0)}


def test_an_annotation_that_nothing_can_become_is_the_authors_fault() -> None:
    def handler(thing: threading_lock) -> None: ...

    with pytest.raises(Exception, match="threading_lock") as refused:
        bind(handler, {"thing": 1})
    assert not isinstance(refused.value, InvalidParams)


class threading_lock:  # noqa: N801
    pass


# Results


def encoded(handler: Callable[..., Any], result: Any) -> Any:
    return json.loads(bytes(Binding(handler).encode_result(result)))


def test_results_become_json() -> None:
    def untyped():  # type: ignore[no-untyped-def]
        ...

    def pages() -> list[Page]: ...  # type: ignore[empty-body]

    def maybe() -> Place | None: ...

    def plain() -> dict: ...  # type: ignore[type-arg, empty-body]

    def nothing() -> None: ...

    assert encoded(untyped, {"a": [1, None]}) == {"a": [1, None]}
    assert encoded(untyped, Place(1)) == {"line": 1, "column": 0}
    assert encoded(untyped, datetime.date(2024, 2, 29)) == "2024-02-29"
    assert encoded(pages, [Page([Place(1)])]) == [{"places": [{"line": 1, "column": 0}]}]
    assert encoded(maybe, None) is None
    assert encoded(maybe, Place(2)) == {"line": 2, "column": 0}
    assert encoded(plain, {"when": datetime.date(2024, 2, 29)}) == {"when": "2024-02-29"}
    assert encoded(nothing, None) is None


@pytest.mark.parametrize("result", [object(), 1j, "\ud800", {"a": print}])
def test_a_result_that_json_cannot_hold_is_an_error(result: Any) -> None:
    def handler() -> Any: ...

    with pytest.raises((TypeError, ValueError)):
        Binding(handler).encode_result(result)


# What is announced


def test_the_schema_of_plain_parameters() -> None:
    def handler(name: str, ctx: Context, count: int = 1, tone: Literal["warm", "cool"] | None = None) -> list[str]: ...  # type: ignore[empty-body]

    assert Binding(handler).schemas() == (
        {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "count": {"type": "integer"},
                "tone": {"anyOf": [{"enum": ["cool", "warm"]}, {"type": "null"}]},
            },
            "required": ["name"],
            "additionalProperties": False,
        },
        {"type": "array", "items": {"type": "string"}},
    )


def test_the_schema_of_classes_refers_to_definitions() -> None:
    def handler(place: Place, **more: Any) -> Place: ...  # type: ignore[empty-body]

    definitions = {
        "Place": {
            "title": "Place",
            "type": "object",
            "properties": {"line": {"type": "integer"}, "column": {"type": "integer", "default": 0}},
            "required": ["line"],
        }
    }
    assert Binding(handler).schemas() == (
        {
            "type": "object",
            "properties": {"place": {"$ref": "#/$defs/Place"}},
            "required": ["place"],
            "additionalProperties": True,
            "$defs": definitions,
        },
        {"$ref": "#/$defs/Place", "$defs": definitions},
    )


def test_the_schema_of_the_whole_object_is_its_own() -> None:
    def untyped(params):  # type: ignore[no-untyped-def]
        ...

    def typed(params: dict[str, int]) -> None: ...

    assert Binding(untyped).schemas() == ({}, None)
    assert Binding(typed).schemas() == (
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "null"},
    )


def test_what_has_no_schema_is_announced_as_anything() -> None:
    def handler(odd: threading_lock, untyped, when: datetime.date) -> None: ...  # type: ignore[no-untyped-def]

    params, _ = Binding(handler).schemas()
    assert params["properties"] == {"odd": {}, "untyped": {}, "when": {"type": "string", "format": "date"}}
