"""TAP 14, read line by line as a harness does."""

import re

import pytest
import yaml
from attrs import evolve

from plugwire_conformance.report import Report, Verdict
from plugwire_conformance.reports import tap
from tests.conformance.sample import CASES, CLEAN, REPORT

POINT = re.compile(r"(not )?ok (\d+) - (.*)")


def points(report: Report) -> list[str]:
    return [line for line in tap.dumps(report).splitlines() if POINT.match(line)]


def blocks(report: Report) -> list[dict[str, object]]:
    found = re.findall(r"^  ---\n(.*?)^  \.\.\.\n", tap.dumps(report), re.DOTALL | re.MULTILINE)
    return [yaml.safe_load(block) for block in found]


def test_every_case_is_a_point_of_the_plan() -> None:
    lines = tap.dumps(REPORT).splitlines()
    assert lines[0] == "TAP version 14"
    assert "1..11" in lines
    assert [int(POINT.match(line)[2]) for line in points(REPORT)] == list(range(1, 12))  # type: ignore[index]


def test_a_point_says_what_came_of_its_case() -> None:
    assert points(REPORT) == [
        "ok 1 - framing/canonical",
        "not ok 2 - framing/bad-length",
        "ok 3 - framing/name-case",
        "ok 4 - framing/reports-deviation",
        "not ok 5 - requests/unknown-method",
        r"ok 6 - requests/order \# [x]",
        "not ok 7 - limits/large-text",
        "not ok 8 - cancel/answers-once # TODO the library answers twice, version 2 will not",
        "ok 9 - progress/steps # SKIP the plugin does not provide conformance/progress",
        r"ok 10 - channels/credit # SKIP no node \\x1b[31mred\\x1b[0m\\x1b]8;;http://evil.example\\x07link\\x1b]8;;\\x07",
        "not ok 11 - everywhere/schema-valid",
    ]


def test_the_block_of_a_failure_is_yaml() -> None:
    found = blocks(REPORT)[2]
    assert found == {
        "title": "an unknown method is answered with MethodNotFound",
        "severity": "fail",
        "level": "MUST",
        "requirements": ["MSG-12"],
        "why": "A peer that waits for this id hangs for ever.",
        "mend": "Answer a request whose method you do not have with the code -32601.",
        "rerun": "plugin-conform run --only requests/unknown-method --keep-traces t -- node dist/plugin.js",
        "flaky": "failed in 1 of 20 runs",
        "failures": [
            {
                "message": "no answer came",
                "requirement": "MSG-12",
                "sentence": "A method MUST be known.",
                "expected": "an error with the code -32601",
                "got": "nothing in 2.0 s",
            }
        ],
    }


def test_the_block_of_a_hostile_subject_is_yaml_too() -> None:
    assert [block["severity"] for block in blocks(REPORT)] == ["fail", "warn", "fail", "fail", "known", "error"]


@pytest.mark.parametrize("report", [evolve(CLEAN, cases=()), evolve(REPORT, cases=CASES[8:10], exit_code=4)])
def test_nothing_checked_is_no_pass(report: Report) -> None:
    assert tap.dumps(report).splitlines()[-1] == "Bail out! Nothing was checked"


def test_a_subject_that_did_not_start_is_no_pass() -> None:
    assert tap.dumps(evolve(CLEAN, exit_code=3)).splitlines()[-1] == "Bail out! It could not be started"


def test_something_checked_is_no_bail_out() -> None:
    assert "Bail out" not in tap.dumps(CLEAN) + tap.dumps(REPORT)
    assert CLEAN.count(Verdict.PASS) == 2
