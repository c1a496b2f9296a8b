"""JUnit XML, read back as a build service reads it."""

from xml.etree import ElementTree

import pytest

from plugwire_conformance.reports import junit
from tests.conformance.sample import CLEAN, REPORT


@pytest.fixture
def root() -> ElementTree.Element:
    return ElementTree.fromstring(junit.dumps(REPORT))


def find_test(root: ElementTree.Element, name: str) -> ElementTree.Element:
    [found] = [test for test in root.iter("testcase") if test.get("name") == name]
    return found


def properties(test: ElementTree.Element) -> list[tuple[str | None, str | None]]:
    return [(item.get("name"), item.get("value")) for item in test.findall("./properties/property")]


def test_the_totals_are_those_of_all_groups(root: ElementTree.Element) -> None:
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "11", "failures": "3", "errors": "1", "skipped": "3"}
    for name, total in counts.items():
        assert sum(int(suite.get(name, "")) for suite in root) == int(total or "")


def test_each_group_is_a_suite(root: ElementTree.Element) -> None:
    names = ["framing", "requests", "limits", "cancel", "progress", "channels", "everywhere"]
    assert [suite.get("name") for suite in root] == names


def test_a_failure_says_all_that_is_needed_to_mend_it(root: ElementTree.Element) -> None:
    failure = find_test(root, "requests/unknown-method").find("failure")
    assert failure is not None
    assert failure.get("message") == "no answer came"
    assert failure.text == (
        "an unknown method is answered with MethodNotFound\n\n"
        "no answer came\n"
        "[MSG-12] A method MUST be known.\n"
        "expected: an error with the code -32601\n"
        "got: nothing in 2.0 s\n\n"
        "why: A peer that waits for this id hangs for ever.\n"
        "mend: Answer a request whose method you do not have with the code -32601.\n"
        "rerun: plugin-conform run --only requests/unknown-method --keep-traces t -- node dist/plugin.js"
    )


def test_a_test_carries_its_requirements_and_its_level(root: ElementTree.Element) -> None:
    assert properties(find_test(root, "requests/unknown-method")) == [
        ("requirement", "MSG-12"),
        ("level", "MUST"),
        ("verdict", "fail"),
        ("flaky", "failed in 1 of 20 runs"),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("cancel/answers-once", "known", "the library answers twice, version 2 will not"),
        ("progress/steps", "not-declared", "the plugin does not provide conformance/progress"),
    ],
)
def test_what_is_not_counted_is_skipped_with_the_reason(
    root: ElementTree.Element, name: str, kind: str, message: str
) -> None:
    test = find_test(root, name)
    skipped = test.find("skipped")
    assert skipped is not None
    assert (skipped.get("type"), skipped.get("message")) == (kind, message)
    assert test.find("failure") is None


def test_a_fault_of_the_suite_is_an_error_that_says_its_last_line_first(root: ElementTree.Element) -> None:
    error = find_test(root, "everywhere/schema-valid").find("error")
    assert error is not None
    assert (error.get("message") or "").startswith("KeyError: 'result' <script>")
    assert (error.text or "").startswith("Traceback (most recent call last):\n")


def test_a_warning_is_a_test_that_passed_with_output(root: ElementTree.Element) -> None:
    test = find_test(root, "framing/reports-deviation")
    assert [child.tag for child in test] == ["properties", "system-out"]
    assert "lower-case: nothing was said on standard error" in (test.findtext("system-out") or "")


def test_what_xml_cannot_hold_is_spelled_out(root: ElementTree.Element) -> None:
    failure = find_test(root, "framing/bad-length").find("failure")
    assert failure is not None
    shown = r"]]>&amp;" + "\"' " + r"\x00\x08\x7f\x85\ufeff\ufffe \u202etfel\u202c \ud800 \udcff"
    assert shown in (failure.get("message") or "")
    assert shown in (failure.text or "")


def test_a_long_text_is_cut() -> None:
    assert len(junit.dumps(REPORT)) < 60_000


def test_a_clean_report_has_no_failures() -> None:
    root = ElementTree.fromstring(junit.dumps(CLEAN))
    assert [child.tag for child in root.iter() if child.tag in ("failure", "error", "skipped", "system-out")] == []
