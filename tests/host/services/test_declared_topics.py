"""What publishers declare: who could match, which data fits, and schemas that cannot be used."""

from typing import Any

import pytest

from plugwire.wire import InvalidParams, Raw
from plugwire_host.services.events.declared import DeclaredTopics
from plugwire_host.services.events.schema_size import parts_of


class Desk:
    """Declared topics, and what people were told."""

    def __init__(self, *topics: dict[str, Any]) -> None:
        self.warnings: list[tuple[str, str]] = []
        self.topics = DeclaredTopics(lambda *told: self.warnings.append(told))
        self.topics.replace("a", "a", topics)

    def check(self, topic: str, data: str, publisher: str = "a") -> str | None:
        """What is wrong with the data, if anything."""
        try:
            self.topics.check(publisher, topic, Raw(data.encode()))
        except InvalidParams as error:
            (problem,) = error.data["problems"]
            return f"{problem['path']}: {problem['message']}"
        return None


SAVED = {"topic": "document.*.saved", "description": "d", "schema": {"properties": {"bytes": {"type": "integer"}}}}


@pytest.mark.requirement("EVT-34")
def test_what_is_declared_is_listed_with_its_publisher_while_it_is_there() -> None:
    desk = Desk(SAVED, {"topic": "x", "other": 1})
    desk.topics.replace("b", "bee", [{"topic": "y.>"}])
    assert desk.topics.describe() == [
        {
            "topic": "document.*.saved",
            "from": "a",
            "description": "d",
            "schema": {"properties": {"bytes": {"type": "integer"}}},
        },
        {"topic": "x", "from": "a"},
        {"topic": "y.>", "from": "bee"},
    ]
    desk.topics.replace("a", "a", [])
    desk.topics.remove("c")
    assert desk.topics.describe() == [{"topic": "y.>", "from": "bee"}]


@pytest.mark.requirement("EVT-35")
@pytest.mark.parametrize(
    ("pattern", "could"),
    [("document.1.saved", True), ("document.>", True), ("*.*.saved", True), ("document.saved", False), ("x.y", False)],
)
def test_a_pattern_could_match_what_overlaps_it(pattern: str, could: bool) -> None:
    assert Desk(SAVED, {"topic": "x"}).topics.could_match(pattern) is could


def test_the_nearest_topic_is_found_for_one_that_is_misspelt() -> None:
    desk = Desk({"topic": "document.saved"}, {"topic": "user.left"})
    assert (desk.topics.nearest("docment.saved"), desk.topics.nearest("z")) == ("document.saved", None)


@pytest.mark.requirement("EVT-36")
def test_data_that_does_not_fit_is_refused_with_its_place() -> None:
    desk = Desk(SAVED, {"topic": "document.>", "schema": {"type": "object"}}, {"topic": "free"})
    assert desk.check("document.1.saved", '{"bytes":1}') is None
    assert desk.check("document.1.saved", '{"bytes":"x"}') == '$.data.bytes: "x" is not of type "integer"'
    # Each pattern that matches counts, and nobody else's.
    assert desk.check("document.1.saved", "[]") == '$.data: [] is not of type "object"'
    assert desk.check("document.1.opened", '{"bytes":"x"}') is None
    assert desk.check("document.1.saved", "[]", publisher="b") is None
    assert desk.check("free", "[]") is None
    assert desk.warnings == []


LOOP = {"$defs": {"x": {"items": {"$ref": "#/$defs/x"}}}, "$ref": "#/$defs/x"}
EXPLOSION: dict[str, Any] = {
    "$ref": "#/$defs/0",
    "$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(40)} | {"40": {}},
}
CHAIN: dict[str, Any] = {
    "$ref": "#/$defs/0",
    "$defs": {str(n): {"$ref": f"#/$defs/{n + 1}"} for n in range(900)} | {"900": {}},
}


@pytest.mark.requirement("EVT-37", "EVT-40")
@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "nothing"}, "\"nothing\" is not valid under any of the schemas listed in the 'anyOf' keyword"),
        ({"pattern": "("}, '"(" is not a "regex"'),
        ({"$schema": "http://example.invalid/"}, "Unknown meta-schema: 'http://example.invalid/'."),
        ({"$ref": "http://example.invalid/x"}, "it refers to http://example.invalid/x; only pointers"),
        ({"items": {"$ref": "file:///etc/passwd"}}, "it refers to file:///etc/passwd; only pointers"),
        ({"$ref": "#/$defs/gone"}, "it refers to #/$defs/gone, which is not there"),
        ({"items": {"$dynamicRef": "#x"}}, "it has $dynamicRef, which is not followed here"),
        (LOOP, "#/$defs/x refers to itself"),
        ({"items": {"$ref": "#"}}, "# refers to itself"),
        (EXPLOSION, "it has more than 1024 parts when its references are followed"),
        (CHAIN, "its references go too deep"),
        ({"anyOf": [{}] * 2000}, "it has more than 1024 parts when its references are followed"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_a_schema_that_cannot_be_used_is_told_of_once_and_takes_anything(schema: dict[str, Any], why: str) -> None:
    desk = Desk({"topic": "x", "schema": schema})
    assert [desk.check("x", '{"a":[1]}') for _ in range(3)] == [None] * 3
    ((who, told),) = desk.warnings
    assert who == "a"
    assert told.startswith(f"the schema that it declares for x cannot be used: {why}")


@pytest.mark.requirement("EVT-40")
def test_data_that_is_too_much_work_for_a_schema_does_not_fit() -> None:
    many = {"items": {"anyOf": [{"type": "string"}] * 1000}}
    desk = Desk({"topic": "x", "schema": many}, {"topic": "y", "schema": {"items": {"type": "integer"}}})
    large = "[" + "1," * 200_000 + "1]"
    assert desk.check("x", large) == "$.data: 400003 bytes are too many to be checked by the schema"
    assert desk.check("y", large) is None


def test_the_pattern_of_a_schema_takes_linear_time() -> None:
    desk = Desk({"topic": "x", "schema": {"pattern": "^(a+)+$"}})
    assert desk.check("x", '"' + "a" * 200_000 + '!"') is not None


@pytest.mark.parametrize(
    ("schema", "parts"),
    [
        (True, 1),
        ({}, 1),
        ({"type": "object", "required": ["a", "b"]}, 1),
        ({"properties": {"a": {}, "b": {"items": {}}}}, 4),
        ({"enum": [{"a": {}}] * 50, "const": {"properties": {}}}, 1),
        ({"$id": "https://example.invalid/x", "anyOf": [{}, {}]}, 4),
        ({"$defs": {"x": {"items": {}}}, "items": {"$ref": "#/$defs/x"}}, 6),
        ({"$defs": {"a/b": {}}, "prefixItems": [{}, {}], "not": {"$ref": "#/$defs/a~1b"}}, 6),
    ],
)
def test_the_parts_of_a_schema_are_counted_with_references_followed(schema: Any, parts: int) -> None:
    assert parts_of(schema, 100) == parts
