"""The model fits its schema and keeps its rules, and each rule is seen to be broken."""

import copy
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import pytest
from chapters import load_chapters
from lints import lint
from reading import build

from tests.repo.repository import ROOT

Json = dict[str, Any]
MODEL = ROOT / "spec/model"


def read(name: str) -> Json:
    result: Json = json.loads((MODEL / name).read_text(encoding="utf-8"))
    return result


def problems(raw: Json) -> list[str]:
    return list(lint(build(raw), load_chapters(ROOT)))


def test_the_model_fits_its_schema() -> None:
    errors = jsonschema_rs.validator_for(read("protocol.schema.json")).iter_errors(read("protocol.json"))
    assert [f"{error.instance_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("name", ["protocol.schema.json", "manifest.schema.json", "plugins.schema.json"])
def test_every_schema_is_a_schema_that_refuses_unknown_members(name: str) -> None:
    schema = read(name)
    jsonschema_rs.meta.validate(schema)
    closed = [part for part in objects(schema) if part.get("type") == "object" and "properties" in part]
    loose = [part for part in closed if part.get("additionalProperties") is not False]
    assert loose == []


def objects(value: object) -> Iterator[Json]:
    """Every object in a schema, at any depth."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(item)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("codes", 0, "severity"), "high"),
        (("types", "Limits", "nullable"), True),
        (("types", "Limits", "properties", "maxDepth", "default"), 3),
        (("methods", 0, "direction"), "sideways"),
        (("methods", 1, "result"), "Nothing"),
        (("limits", 0, "minimum"), "low"),
        (("comment",), "x"),
    ],
)
def test_the_schema_refuses_what_it_does_not_know(where: tuple[str | int, ...], value: object) -> None:
    raw: Any = read("protocol.json")
    part = raw
    for step in where[:-1]:
        part = part[step]
    part[where[-1]] = value
    assert not jsonschema_rs.validator_for(read("protocol.schema.json")).is_valid(raw)


def test_the_model_keeps_its_rules() -> None:
    assert problems(read("protocol.json")) == []


def types(raw: Json) -> Json:
    result: Json = raw["types"]
    return result


def limits(raw: Json) -> Json:
    result: Json = raw["types"]["Limits"]["properties"]
    return result


CYCLE = {"type": "array", "items": "Limits", "maxItems": 1, "doc": "X."}
TWICE = "the transition ('created', 'initialize') occurs 2 times"
BREAKS: list[tuple[str, Callable[[Json], object]]] = [
    (
        "Meta.parent refers to the type Gone, which does not exist",
        lambda raw: types(raw)["Meta"]["properties"]["parent"].update(ref="Gone"),
    ),
    (
        "MethodNames refers to the type Gone, which does not exist",
        lambda raw: types(raw)["MethodNames"].update(items="Gone"),
    ),
    (
        "MethodTable refers to the type Gone, which does not exist",
        lambda raw: types(raw)["MethodTable"].update(values="Gone"),
    ),
    (
        "RequestId refers to the type Gone, which does not exist",
        lambda raw: types(raw)["RequestId"].update(union=["IntegerId", "Gone"]),
    ),
    (
        "method initialize refers to the type Gone, which does not exist",
        lambda raw: raw["methods"][0].update(params="Gone"),
    ),
    ("code ParseError refers to the type Gone, which does not exist", lambda raw: raw["codes"][0].update(data="Gone")),
    (
        "types refer to one another in a circle: Limits → Limits",
        lambda raw: types(raw).update(Limits=CYCLE),
    ),
    ("Limits does not state additionalProperties", lambda raw: types(raw)["Limits"].pop("additionalProperties")),
    (
        "Limits requires gone, which is not one of its members",
        lambda raw: types(raw)["Limits"]["required"].append("gone"),
    ),
    ("Limits.maxDepth does not state both minimum and maximum", lambda raw: limits(raw)["maxDepth"].pop("minimum")),
    (
        "Limits.maxDepth has a range that is not within ±(2^53-1)",
        lambda raw: limits(raw)["maxDepth"].update(maximum=9007199254740992),
    ),
    (
        "Limits.maxDepth has a range that is not within ±(2^53-1)",
        lambda raw: limits(raw)["maxDepth"].update(minimum=513),
    ),
    (
        "Limits.maxDepth has another range than the limit maxDepth",
        lambda raw: limits(raw)["maxDepth"].update(maximum=511),
    ),
    ("StringId states neither maxLength nor pattern", lambda raw: types(raw)["StringId"].pop("maxLength")),
    (
        "MethodName has a pattern that does not match from ^ to $",
        lambda raw: types(raw)["MethodName"].update(pattern="[a-z]"),
    ),
    ("MethodNames states no maxItems", lambda raw: types(raw)["MethodNames"].pop("maxItems")),
    ("MethodTable states no maxProperties", lambda raw: types(raw)["MethodTable"].pop("maxProperties")),
    (
        "Delivery does not list two or more different values",
        lambda raw: types(raw)["Delivery"].update(enum=["no", "no"]),
    ),
    ("RequestId does not state the tag that tells its types apart", lambda raw: types(raw)["RequestId"].pop("tag")),
    (
        "RequestId has types that their JSON type does not tell apart",
        lambda raw: types(raw)["RequestId"].update(union=["StringId", "MethodName"]),
    ),
    ("RequestId lists fewer than two types", lambda raw: types(raw)["RequestId"].update(union=["IntegerId"])),
    ("Config is null; only the type Nothing is", lambda raw: types(raw)["Config"].update(type="null")),
    (
        "Meta.parent may be null; say that it may be absent instead",
        lambda raw: types(raw)["Meta"]["properties"]["parent"].update(ref="Nothing"),
    ),
    (
        "Meta.parent is not a named type",
        lambda raw: types(raw)["Meta"]["properties"].update(parent={"enum": ["a", "b"], "open": True, "doc": "X."}),
    ),
    (
        "method initialize names the error Gone, which does not exist",
        lambda raw: raw["methods"][0].update(errors=["Gone"]),
    ),
    ("method initialize does not state since", lambda raw: raw["methods"][0].pop("since")),
    ("method initialize does not state direction", lambda raw: raw["methods"][0].pop("direction")),
    ("method exit does not state kind", lambda raw: raw["methods"][3].pop("kind")),
    ("method initialize does not state states", lambda raw: raw["methods"][0].pop("states")),
    (
        "method initialize names the state gone, which does not exist",
        lambda raw: raw["methods"][0].update(states=["gone"]),
    ),
    (
        "method initialize is a request without a result, or a notification with one",
        lambda raw: raw["methods"][0].pop("result"),
    ),
    (
        "method $/progress needs the capability services, which PluginCapabilities does not have",
        lambda raw: raw["methods"][6].update(gate="services"),
    ),
    (
        "method other/list belongs to a service that is not reserved",
        lambda raw: raw["methods"][7].update(name="other/list"),
    ),
    (
        "method initialize names the requirement LIF-99, which no chapter has",
        lambda raw: raw["methods"][0].update(requirements=["LIF-99"]),
    ),
    ("method initialize names chapter 99, which does not exist", lambda raw: raw["methods"][0].update(chapter="99")),
    ("the code -32700 occurs 2 times", lambda raw: raw["codes"][1].update(code=-32700)),
    ("the name of a code ParseError occurs 2 times", lambda raw: raw["codes"][1].update(name="ParseError")),
    ("the method ping occurs 2 times", lambda raw: raw["methods"].append(raw["methods"][4])),
    (TWICE, lambda raw: raw["transitions"].append(raw["transitions"][0])),
    (
        "the transition from created on initialize names the state gone, which does not exist",
        lambda raw: raw["transitions"][0].update(to="gone"),
    ),
    (
        "the transition from created on gone has a trigger that does not exist",
        lambda raw: raw["transitions"][0].update(trigger="gone"),
    ),
    ("limit maxDepth has a default outside its range", lambda raw: raw["limits"][1].update(default=513)),
    (
        "the doc of Limits.maxDepth is not one line of plain text that ends with a full stop",
        lambda raw: limits(raw)["maxDepth"].update(doc="no stop"),
    ),
    (
        "the doc of ping makes a demand; demands stand in the chapters, under an id",
        lambda raw: raw["methods"][4].update(doc="It MUST be answered."),
    ),
]


@pytest.mark.parametrize(("problem", "damage"), BREAKS, ids=[problem for problem, _ in BREAKS])
def test_each_rule_is_seen_to_be_broken(problem: str, damage: Callable[[Json], object]) -> None:
    raw = copy.deepcopy(read("protocol.json"))
    damage(raw)
    assert problem in problems(raw)


def toml_of_chapter_12() -> list[Json]:
    text = (ROOT / "spec/12-manifest.md").read_text(encoding="utf-8")
    return [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]


def test_the_examples_of_chapter_12_fit_their_schemas() -> None:
    manifest, plugins = toml_of_chapter_12()
    assert jsonschema_rs.validator_for(read("manifest.schema.json")).is_valid(manifest)
    assert jsonschema_rs.validator_for(read("plugins.schema.json")).is_valid(plugins)


@pytest.mark.parametrize(
    "change",
    [
        {"comand": ["x"]},
        {"name": "Greeter"},
        {"version": 1},
        {"command": "python3 greeter.py"},
        {"command": []},
        {"framing": "lines"},
        {"env": {"A": 1}},
        {"provides": [{"service": "greeter", "methods": ["hello"], "kind": "x"}]},
        {"requires": [{"service": "spell", "version": "^1"}]},
        {"restart": True},
    ],
)
def test_a_manifest_with_a_wrong_key_or_value_is_refused(change: Json) -> None:
    manifest = toml_of_chapter_12()[0] | change
    assert not jsonschema_rs.validator_for(read("manifest.schema.json")).is_valid(manifest)


@pytest.mark.parametrize("key", ["name", "version", "command"])
def test_a_manifest_without_a_required_key_is_refused(key: str) -> None:
    manifest = toml_of_chapter_12()[0]
    del manifest[key]
    assert not jsonschema_rs.validator_for(read("manifest.schema.json")).is_valid(manifest)


@pytest.mark.parametrize(
    "plugins",
    [
        {"pluggins": {}},
        {"host": {"timeout": 1}},
        {"plugins": {"Todo": {"command": ["todo"]}}},
        {"plugins": {"todo": {}}},
        {"plugins": {"todo": {"command": ["todo"], "manifest": "plugin.toml"}}},
        {"plugins": {"todo": {"command": ["todo"], "start_timeout": 0}}},
        {"plugins": {"todo": {"command": ["todo"], "stdout_noise": "ignore"}}},
        {"plugins": {"todo": {"command": ["todo"], "priority": 1.5}}},
        {"plugins": {"todo": {"command": ["todo"], "enable": True}}},
    ],
)
def test_a_list_of_plugins_with_a_wrong_key_or_value_is_refused(plugins: Json) -> None:
    assert not jsonschema_rs.validator_for(read("plugins.schema.json")).is_valid(plugins)


def test_names_and_versions_have_the_patterns_of_the_model_in_a_manifest() -> None:
    model, manifest = read("protocol.json")["types"], read("manifest.schema.json")["$defs"]
    names = ["InstanceName", "ServiceName", "ServiceVersion", "VersionRange", "MethodName"]
    patterns = {name: manifest[name[0].lower() + name[1:]]["pattern"] for name in names}
    assert patterns == {name: model[name]["pattern"] for name in names}
