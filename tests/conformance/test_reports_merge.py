"""Several reports become one."""

from typing import Any

import pytest
from attrs import evolve

from plugwire_conformance.report import BaselineResult, CaseResult, Failure, Report, Verdict
from plugwire_conformance.reports.merge import DifferentSubjects, merge
from tests.conformance.sample import BAD_LENGTH, CANCEL, CLEAN, REQUIREMENTS, UNKNOWN_METHOD, passed

PASSED = passed("framing/bad-length", BAD_LENGTH.title, "FRM-12")


def report_of(*cases: CaseResult, **members: Any) -> Report:
    return evolve(CLEAN, cases=cases, **members)


def merged_case(*cases: CaseResult) -> CaseResult:
    [case] = merge([report_of(case) for case in cases]).cases
    return case


def with_verdict(verdict: Verdict) -> CaseResult:
    return evolve(PASSED, verdict=verdict)


def test_parts_of_a_run_are_put_together() -> None:
    one = report_of(PASSED, seconds=1.0, started="2026-01-02T00:00:00Z", requirements=REQUIREMENTS[:2])
    two = report_of(UNKNOWN_METHOD, seconds=2.0, started="2026-01-01T00:00:00Z", requirements=REQUIREMENTS[1:4], seed=2)
    merged = merge([one, two])
    assert [case.id for case in merged.cases] == ["framing/bad-length", "requests/unknown-method"]
    assert [requirement.id for requirement in merged.requirements] == ["FRM-01", "FRM-02", "FRM-05", "FRM-08"]
    assert (merged.seconds, merged.started) == (3.0, "2026-01-01T00:00:00Z")
    assert merged.notes == ("merged from 2 reports; seeds: 1, 2",)


def test_one_report_stays_as_it_is() -> None:
    assert merge([CLEAN]) == CLEAN


@pytest.mark.parametrize(
    ("one", "other", "gravest"),
    [
        ("pass", "fail", "fail"),
        ("fail", "error", "fail"),
        ("warn", "error", "error"),
        ("pass", "warn", "warn"),
        ("skip", "pass", "pass"),
        ("not-declared", "skip", "skip"),
        ("pass", "pass", "pass"),
    ],
)
def test_a_case_has_its_gravest_verdict_in_either_order(one: str, other: str, gravest: str) -> None:
    for pair in ((one, other), (other, one)):
        assert merged_case(*(with_verdict(Verdict(name)) for name in pair)).verdict == gravest


def test_a_case_that_failed_here_and_passed_there_is_flaky() -> None:
    case = merged_case(PASSED, BAD_LENGTH)
    assert (case.runs, case.failed_runs, case.flaky) == (2, 1, True)
    assert case.failures == BAD_LENGTH.failures
    assert case.wire == BAD_LENGTH.wire


def test_what_was_skipped_is_no_run() -> None:
    case = merged_case(with_verdict(Verdict.SKIP), BAD_LENGTH)
    assert (case.runs, case.failed_runs, case.flaky) == (1, 1, False)


def test_failures_of_both_are_kept_each_with_its_place_in_the_log() -> None:
    other = evolve(BAD_LENGTH, failures=(BAD_LENGTH.failures[0], Failure("FRM-12", "new", check="blank", at=2)))
    case = merged_case(BAD_LENGTH, other)
    assert [(failure.check, failure.at) for failure in case.failures] == [("hex", 5), ("plus-sign", 9), ("blank", 12)]
    assert case.wire == BAD_LENGTH.wire * 2


def test_a_failure_is_known_only_when_it_is_known_everywhere() -> None:
    assert merged_case(CANCEL, CANCEL).known
    assert not merged_case(CANCEL, evolve(CANCEL, known=False)).known
    assert merged_case(CANCEL, evolve(CANCEL, verdict=Verdict.PASS, known=False, failures=())).known


@pytest.mark.parametrize(
    ("codes", "merged"), [((0, 4), 0), ((0, 1), 1), ((5, 1), 1), ((1, 3), 3), ((3, 6), 6), ((4, 4), 4), ((0, 5), 5)]
)
def test_the_gravest_exit_code_counts(codes: tuple[int, int], merged: int) -> None:
    for pair in (codes, codes[::-1]):
        assert merge([report_of(PASSED, exit_code=code) for code in pair]).exit_code == merged


def test_profiles_and_baselines_are_named_once() -> None:
    one = report_of(PASSED, profile="core", baseline=BaselineResult("a.toml", ("x: y",)))
    two = report_of(PASSED, profile="full", baseline=BaselineResult("a.toml", ("x: y", "z: y")))
    merged = merge([one, two, one, report_of(PASSED)])
    assert merged.profile == "core + full"
    assert merged.baseline == BaselineResult("a.toml", ("x: y", "z: y"))


def test_the_command_of_one_subject_may_differ() -> None:
    other = evolve(CLEAN, subject=evolve(CLEAN.subject, command=("C:\\greeter.exe",), capabilities=("events",)))
    assert merge([CLEAN, other]).subject == evolve(CLEAN.subject, capabilities=("events",))


def test_one_that_did_not_start_is_known_by_its_command() -> None:
    silent = evolve(CLEAN, subject=evolve(CLEAN.subject, name="", version="", protocol_version=""), exit_code=3)
    assert merge([silent, CLEAN]).subject == CLEAN.subject


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "other"}, "these reports are about different subjects: plugin greeter 1.2.0 and plugin other 1.2.0"),
        ({"version": "2"}, "these reports are about different subjects: plugin greeter 1.2.0 and plugin greeter 2"),
        ({"role": "host"}, "these reports are about different subjects: plugin greeter 1.2.0 and host greeter 1.2.0"),
        (
            {"name": "", "version": "", "command": ("./other",)},
            "these reports are about different subjects: plugin greeter 1.2.0 and plugin ./other",
        ),
    ],
)
def test_different_subjects_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DifferentSubjects) as caught:
        merge([CLEAN, evolve(CLEAN, subject=evolve(CLEAN.subject, **changes))])
    assert str(caught.value) == message


def test_different_suites_and_specs_are_refused() -> None:
    with pytest.raises(DifferentSubjects, match=r"different versions of the suite: 0\.1\.0 and 9"):
        merge([CLEAN, evolve(CLEAN, suite="9")])
    with pytest.raises(DifferentSubjects, match=r"different versions of the spec: 1\.0 and 2"):
        merge([CLEAN, evolve(CLEAN, spec="2")])
