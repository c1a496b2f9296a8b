"""The JSON report: its schema, and the way back to a `Report`."""

import json
from importlib.resources import files
from typing import Any

import attrs
import jsonschema_rs
import pytest
from attrs import evolve

from plugwire_conformance import report as model
from plugwire_conformance.reports.json_report import NotAReport, dumps, loads
from tests.conformance.sample import CLEAN, REPORT

SCHEMA = json.loads(files("plugwire_conformance").joinpath("report.schema.json").read_text(encoding="utf-8"))
CLASSES: dict[str, Any] = {
    "subject": model.Subject,
    "case": model.CaseResult,
    "failure": model.Failure,
    "entry": model.Entry,
    "requirement": model.RequirementResult,
    "baseline": model.BaselineResult,
}


def changed(**members: Any) -> str:
    return json.dumps({**json.loads(dumps(CLEAN)), **members})


def without(member: str) -> str:
    value = json.loads(dumps(CLEAN))
    del value[member]
    return json.dumps(value)


@pytest.mark.parametrize("report", [REPORT, CLEAN], ids=["hostile", "clean"])
def test_a_report_comes_back_as_it_was(report: model.Report) -> None:
    back = loads(dumps(report))
    assert back == report
    assert back.subject.role is model.Role.PLUGIN
    assert {type(case.verdict) for case in back.cases} == {model.Verdict}  # which are equal to mere strings


@pytest.mark.parametrize("report", [REPORT, CLEAN], ids=["hostile", "clean"])
def test_a_report_fits_its_schema(report: model.Report) -> None:
    jsonschema_rs.meta.validate(SCHEMA)
    jsonschema_rs.validator_for(SCHEMA).validate(json.loads(dumps(report)))


@pytest.mark.parametrize("place", ["$schema", "cases", "notes", "exit_code"])
def test_the_schema_misses_a_member_that_is_not_there(place: str) -> None:
    assert not jsonschema_rs.validator_for(SCHEMA).is_valid(json.loads(without(place)))


def test_the_schema_has_no_place_for_other_members() -> None:
    assert not jsonschema_rs.validator_for(SCHEMA).is_valid(json.loads(changed(more=1)))


@pytest.mark.parametrize("name", CLASSES)
def test_the_schema_has_just_the_members_of_the_class(name: str) -> None:
    members = [field.name for field in attrs.fields(CLASSES[name])]
    assert list(SCHEMA["$defs"][name]["properties"]) == members
    assert SCHEMA["$defs"][name]["required"] == members


def test_the_schema_has_just_the_members_of_a_report() -> None:
    members = ["$schema", *(field.name for field in attrs.fields(model.Report))]
    assert list(SCHEMA["properties"]) == members
    assert SCHEMA["required"] == members


def test_the_schema_knows_every_verdict_level_and_role() -> None:
    assert SCHEMA["$defs"]["verdict"]["enum"] == list(model.Verdict)
    assert SCHEMA["$defs"]["level"]["enum"] == list(model.Level)
    assert SCHEMA["$defs"]["subject"]["properties"]["role"]["enum"] == list(model.Role)


def test_a_report_is_ascii() -> None:
    assert dumps(REPORT).isascii()
    assert r"\u202e" in dumps(REPORT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "this is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[" * 100_000, "this is no JSON: "),
        ("[]", "this is no report: "),
        ('{"cases": []}', 'this is no report: the member "$schema" '),
        (without("seed"), "this report cannot be read: the member 'seed' is missing @ report"),
        (changed(more=1), "this report cannot be read: unknown members: more @ report"),
        (changed(seed="1"), "this report cannot be read: a value of type int was expected @ report.seed"),
        (changed(seed=True), "this report cannot be read: a value of type int was expected @ report.seed"),
        (changed(seconds="1"), "this report cannot be read: a number was expected @ report.seconds"),
        (changed(cases=[{}]), "this report cannot be read: the member 'id' is missing @ report.cases[0]"),
        (changed(cases=5), "this report cannot be read: "),
    ],
)
def test_what_is_no_report_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(NotAReport) as caught:
        loads(text)
    assert str(caught.value).startswith(message)


def test_an_unknown_verdict_is_refused() -> None:
    value = json.loads(dumps(CLEAN))
    value["cases"][1]["verdict"] = "splendid"
    with pytest.raises(NotAReport, match=r"'splendid' is not a valid Verdict @ report\.cases\[1\]\.verdict"):
        loads(json.dumps(value))


def test_whole_seconds_are_a_number_too() -> None:
    assert loads(changed(seconds=2)) == evolve(CLEAN, seconds=2.0)
