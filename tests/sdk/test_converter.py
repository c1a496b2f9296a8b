"""Typed values: what is accepted, what is refused and in which words."""

import datetime
import enum
import pathlib
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, NewType, NotRequired, Optional, TypedDict, Union

import attrs
import pytest

from plugwire import InvalidParams
from plugwire.binding import structure
from plugwire.types.converter import make_converter


@dataclass
class Place:
    line: int
    column: int = 0


@dataclass
class Edit:
    place: Place
    places: list[Place] = field(default_factory=list)
    named: dict[str, Place] = field(default_factory=dict)


@dataclass
class Tree:
    name: str
    children: "list[Tree]" = field(default_factory=list)
    parent: "Tree | None" = None


@attrs.define
class Size:
    width: int
    scale: float = 1.0


class Options(TypedDict):
    depth: int
    note: NotRequired[str]


class Loose(TypedDict, total=False):
    depth: int


class Colour(enum.Enum):
    RED = "red"
    ONE = 1


@dataclass
class Cat:
    kind: Literal["cat"]
    lives: int


@dataclass
class Dog:
    kind: Literal["dog"]
    tricks: list[str]


@dataclass
class Even:
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError(f"{self.number} is odd")


class Pair(NamedTuple):
    left: int
    right: str


class Opaque:
    pass


@dataclass
class HoldsOpaque:
    inner: Opaque


UserId = NewType("UserId", int)

ACCEPTED: list[tuple[Any, Any, Any]] = [
    (str, "a", "a"),
    (int, 12, 12),
    (float, 1.5, 1.5),
    (float, 3, 3.0),
    (bool, True, True),
    (None, None, None),
    (Any, {"a": [1]}, {"a": [1]}),
    (UserId, 7, 7),
    (typing.Annotated[int, "a note"], 7, 7),
    (Place, {"line": 1, "column": 2}, Place(1, 2)),
    (Place, {"line": 1}, Place(1, 0)),
    (Edit, {"place": {"line": 1}, "named": {"a b": {"line": 2}}}, Edit(Place(1), [], {"a b": Place(2)})),
    (Tree, {"name": "a", "children": [{"name": "b"}]}, Tree("a", [Tree("b")])),
    (Tree, {"name": "a", "parent": {"name": "b"}}, Tree("a", [], Tree("b"))),
    (Size, {"width": 1, "scale": 2}, Size(1, 2.0)),
    (Options, {"depth": 1}, {"depth": 1}),
    (Options, {"depth": 1, "note": "x"}, {"depth": 1, "note": "x"}),
    (Loose, {}, {}),
    (Literal["a", 1, None], "a", "a"),
    (Literal["a", 1, None], 1, 1),
    (Literal["a", 1, None], None, None),
    (Literal[Colour.RED], "red", Colour.RED),
    (Colour, "red", Colour.RED),
    (Colour, 1, Colour.ONE),
    (Optional[int], None, None),  # noqa: UP045
    (Optional[int], 3, 3),  # noqa: UP045
    (Union[int, str], "3", "3"),  # noqa: UP007
    (int | str, 3, 3),
    (int | float, 3, 3),
    (float | None, 3, 3.0),
    (bool | int, True, True),
    (Colour | None, "red", Colour.RED),
    (list[int] | str, [1], [1]),
    (list[int] | str, "a", "a"),
    (datetime.date | str, "2024-02-29", datetime.date(2024, 2, 29)),
    (datetime.date | str, "tomorrow", "tomorrow"),
    (Cat | Dog, {"kind": "dog", "tricks": ["sit"]}, Dog("dog", ["sit"])),
    (Place | dict[str, int], {"other": 1}, {"other": 1}),
    (list[int], [1, 2], [1, 2]),
    (list[list[int]], [[1], []], [[1], []]),
    (list, [1, "a"], [1, "a"]),
    (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
    (dict, {"a": 1}, {"a": 1}),
    (typing.Sequence[str], ["a"], ["a"]),
    (typing.Mapping[str, int], {"a": 1}, {"a": 1}),
    (set[int], [1, 2, 1], {1, 2}),
    (frozenset[int], [1], frozenset({1})),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[int, ...], [1, 2], (1, 2)),
    (Pair, [1, "a"], Pair(1, "a")),
    (datetime.datetime, "2024-02-29T10:00:00+01:00", datetime.datetime.fromisoformat("2024-02-29T10:00:00+01:00")),
    (datetime.date, "2024-02-29", datetime.date(2024, 2, 29)),
    (datetime.time, "10:30", datetime.time(10, 30)),
    (bytes, "AP8=", b"\x00\xff"),
    (bytes | None, "AP8=", b"\x00\xff"),
    (pathlib.Path, "a/b", pathlib.Path("a/b")),
    (Even, {"number": 2}, Even(2)),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), ACCEPTED)
def test_a_value_of_the_type_is_taken(annotation: Any, value: Any, expected: Any) -> None:
    taken = structure(value, annotation)
    assert taken == expected
    assert type(taken) is type(expected)


REFUSED: list[tuple[Any, Any, list[tuple[str, str]]]] = [
    (str, 1, [("$", "expected string, got 1")]),
    (str, None, [("$", "expected string, got null")]),
    (int, "12", [("$", 'expected integer, got "12"')]),
    (int, True, [("$", "expected integer, got true")]),
    (int, 1.0, [("$", "expected integer, got 1.0")]),
    (float, "1.5", [("$", 'expected number, got "1.5"')]),
    (float, False, [("$", "expected number, got false")]),
    (float, 10**400, [("$", "expected number")]),
    (bool, 1, [("$", "expected boolean, got 1")]),
    (bool, "no", [("$", 'expected boolean, got "no"')]),
    (None, 1, [("$", "expected null, got 1")]),
    (UserId, "7", [("$", 'expected integer, got "7"')]),
    (Place, {}, [("$.line", "the member 'line' is missing")]),
    (Place, {"line": "1"}, [("$.line", 'expected integer, got "1"')]),
    (Place, {"line": 1, "row": 2}, [("$.row", "unknown member")]),
    (Place, {"line": 1, "a b": 2}, [("$['a b']", "unknown member")]),
    (Place, [1, 2], [("$", "expected object, got an array")]),
    (Place, "line", [("$", 'expected object, got "line"')]),
    (Place, None, [("$", "expected object, got null")]),
    (
        Edit,
        {"place": {}, "places": [{"line": 1}, {"line": None}], "named": {"x": 5, "a @ b": {"line": "1"}}},
        [
            ("$.place.line", "the member 'line' is missing"),
            ("$.places[1].line", "expected integer, got null"),
            ("$.named.x", "expected object, got 5"),
            ("$.named['a @ b'].line", 'expected integer, got "1"'),
        ],
    ),
    (Tree, {"name": "a", "children": [{}]}, [("$.children[0].name", "the member 'name' is missing")]),
    (Size, {"width": 1.5}, [("$.width", "expected integer, got 1.5")]),
    (Options, {"depth": "1"}, [("$.depth", 'expected integer, got "1"')]),
    (Options, {}, [("$.depth", "the member 'depth' is missing")]),
    (Options, {"depth": 1, "more": 2}, [("$.more", "unknown member")]),
    (Options, [], [("$", "expected object, got an array")]),
    (Loose, {"depht": 1}, [("$.depht", "unknown member")]),
    (Literal["a", 1], True, [("$", 'expected one of "a", 1, got true')]),
    (Literal["a", 1], "b", [("$", 'expected one of "a", 1, got "b"')]),
    (Colour, "blue", [("$", 'expected one of "red", 1, got "blue"')]),
    (Colour, True, [("$", 'expected one of "red", 1, got true')]),
    (Colour, "RED", [("$", 'expected one of "red", 1, got "RED"')]),
    (Optional[int], "3", [("$", 'expected integer, got "3"')]),  # noqa: UP045
    (Place | None, {"line": "1"}, [("$.line", 'expected integer, got "1"')]),
    (int | str, 1.5, [("$", "expected integer or string, got 1.5")]),
    (int | str, None, [("$", "expected integer or string, got null")]),
    (int | float, True, [("$", "expected integer or number, got true")]),
    (list[int] | str, ["a"], [("$[0]", 'expected integer, got "a"')]),
    (list[int] | str, 5, [("$", "expected array or string, got 5")]),
    (Cat | Dog, {"kind": "dog", "tricks": "sit"}, [("$.tricks", 'expected array, got "sit"')]),
    (Cat | Dog, {"kind": "cow"}, [("$", "expected Cat or Dog, got an object")]),
    (list[int], [1, "2", True], [("$[1]", 'expected integer, got "2"'), ("$[2]", "expected integer, got true")]),
    (list[int], "12", [("$", 'expected array, got "12"')]),
    (list[str], "ab", [("$", 'expected array, got "ab"')]),
    (list[list[int]], [[1], ["a"]], [("$[1][0]", 'expected integer, got "a"')]),
    (list, {}, [("$", "expected array, got an object")]),
    (dict, [], [("$", "expected object, got an array")]),
    (dict[str, int], {"a": "1"}, [("$.a", 'expected integer, got "1"')]),
    (typing.Sequence[str], "ab", [("$", 'expected array, got "ab"')]),
    (set[str], "ab", [("$", 'expected array, got "ab"')]),
    (frozenset[str], "ab", [("$", 'expected array, got "ab"')]),
    (tuple[str, str], "ab", [("$", 'expected array, got "ab"')]),
    (tuple[int, str], [1], [("$", "expected an array of 2, got one of 1")]),
    (tuple[int, str], ["a", 1], [("$[0]", 'expected integer, got "a"'), ("$[1]", "expected string, got 1")]),
    (tuple[int, ...], [1, "a"], [("$[1]", 'expected integer, got "a"')]),
    (Pair, {"left": 1}, [("$", "expected array, got an object")]),
    (datetime.datetime, "soon", [("$", 'expected a datetime in ISO 8601, got "soon"')]),
    (datetime.datetime, 1709197200, [("$", "expected string, got 1709197200")]),
    (datetime.date, "2024-02-30", [("$", 'expected a date in ISO 8601, got "2024-02-30"')]),
    (bytes, "###", [("$", "expected bytes in base64")]),
    (bytes, "ä", [("$", "expected bytes in base64")]),
    (bytes, [1, 2], [("$", "expected string, got an array")]),
    (pathlib.Path, 4, [("$", "expected string, got 4")]),
    (Even, {"number": 3}, [("$", "3 is odd")]),
    (str, {"a": 1}, [("$", "expected string, got an object")]),
    (int, "x" * 100, [("$", 'expected integer, got "' + "x" * 58 + "…")]),
]


@pytest.mark.requirement("ERR-05")
@pytest.mark.parametrize(("annotation", "value", "problems"), REFUSED)
def test_a_value_of_another_type_is_refused_at_its_place(
    annotation: Any, value: Any, problems: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidParams) as refused:
        structure(value, annotation)
    assert refused.value.code == -32602
    assert refused.value.data == {"problems": [{"path": path, "message": message} for path, message in problems]}


def test_the_message_names_the_first_problem_and_counts_the_others() -> None:
    with pytest.raises(InvalidParams) as refused:
        structure(["a", "b", "c"], list[int])
    assert refused.value.message == '$[0]: expected integer, got "a" (and 2 more)'


def test_no_more_than_a_hundred_problems_are_listed() -> None:
    with pytest.raises(InvalidParams) as refused:
        structure(["a"] * 150, list[int])
    assert len(refused.value.data["problems"]) == 100


def test_a_path_longer_than_the_spec_allows_is_cut() -> None:
    with pytest.raises(InvalidParams) as refused:
        structure({"x" * 2000: "a"}, dict[str, int])
    assert len(refused.value.data["problems"][0]["path"]) == 1024


@pytest.mark.parametrize("annotation", [Opaque, HoldsOpaque, list[Opaque], Opaque | None])
def test_a_type_that_nothing_can_become_is_the_authors_fault(annotation: Any) -> None:
    values: dict[Any, Any] = {HoldsOpaque: {"inner": {}}, list[Opaque]: [{}]}
    with pytest.raises(Exception, match="Opaque") as refused:
        structure(values.get(annotation, {}), annotation)
    assert not isinstance(refused.value, InvalidParams)


RESULTS: list[tuple[Any, Any, Any]] = [
    (Place, Place(1, 2), {"line": 1, "column": 2}),
    (list[Size], [Size(1)], [{"width": 1, "scale": 1.0}]),
    (Options, {"depth": 1}, {"depth": 1}),
    (Colour, Colour.RED, "red"),
    (bytes, b"\x00\xff", "AP8="),
    (datetime.date, datetime.date(2024, 2, 29), "2024-02-29"),
    (Optional[Place], None, None),  # noqa: UP045
    (Place | None, Place(1), {"line": 1, "column": 0}),
    (dict[str, Place], {"a": Place(1)}, {"a": {"line": 1, "column": 0}}),
    (tuple[int, str], (1, "a"), [1, "a"]),
    (pathlib.Path, pathlib.Path("a/b"), "a/b"),
    (dict[str, Any], {"when": datetime.date(2024, 2, 29)}, {"when": "2024-02-29"}),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), RESULTS)
def test_a_typed_value_becomes_json(annotation: Any, value: Any, expected: Any) -> None:
    plain = make_converter().unstructure(value, unstructure_as=annotation)
    assert (list(plain) if isinstance(plain, tuple) else plain) == expected
