"""The badge says no more than what was found."""

import json
from xml.etree import ElementTree

import pytest
from attrs import evolve

from plugwire_conformance.report import BaselineResult, Report
from plugwire_conformance.reports import badge
from tests.conformance.sample import BAD_LENGTH, CANCEL, CASES, CLEAN, MARKUP, REPORT, REPORTS_DEVIATION

PASSED = CLEAN.cases
STALE = BaselineResult("known.toml", ("framing/name-case: it passes now",))


@pytest.mark.parametrize(
    ("report", "message", "color"),
    [
        (CLEAN, "conformant · core", "brightgreen"),
        (evolve(CLEAN, profile="full"), "conformant · full", "brightgreen"),
        (evolve(CLEAN, cases=(*PASSED, REPORTS_DEVIATION)), "conformant · core", "brightgreen"),
        (evolve(CLEAN, cases=(*PASSED, REPORTS_DEVIATION), exit_code=1), "when strict: 1 warning", "red"),
        (evolve(CLEAN, cases=(*PASSED, CANCEL)), "1 known failure · core", "yellow"),
        (evolve(CLEAN, cases=(*PASSED, BAD_LENGTH), exit_code=1), "1 failure", "red"),
        (REPORT, "3 failures", "red"),
        (evolve(CLEAN, cases=(*PASSED, CASES[10]), exit_code=6), "not determined", "lightgrey"),
        (evolve(CLEAN, cases=CASES[8:10], exit_code=4), "nothing was checked", "lightgrey"),
        (evolve(CLEAN, cases=(), exit_code=3), "it could not be started", "red"),
        (evolve(CLEAN, baseline=STALE, exit_code=5), "stale baseline", "yellow"),
    ],
)
def test_the_message_follows_the_verdicts(report: Report, message: str, color: str) -> None:
    value = json.loads(badge.endpoint(report))
    assert (value["schemaVersion"], value["label"]) == (1, "plugwire 1.0")
    assert (value["message"], value["color"], value.get("isError", False)) == (message, color, color == "red")
    picture = ElementTree.fromstring(badge.svg(report))
    assert picture.get("aria-label") == f"plugwire 1.0: {message}"


def test_the_picture_holds_no_markup_of_the_report() -> None:
    picture = ElementTree.fromstring(badge.svg(evolve(CLEAN, spec=MARKUP)))
    tags = {element.tag.rpartition("}")[2] for element in picture.iter()}
    assert tags == {"svg", "title", "clipPath", "rect", "g", "text"}
