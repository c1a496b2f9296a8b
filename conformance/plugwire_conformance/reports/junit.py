"""A report as JUnit XML, as build services read it: a test suite for each group of cases, a test for each case.

What XML cannot hold is spelled out. A warning is a test that passed, with what was found in its output.
"""

from collections.abc import Iterable
from xml.etree import ElementTree

from ..report import CaseResult, Failure, Report, Verdict
from .outline import groups, outcome, reason_of, sentences, subject_name
from .visible import clipped, one_line, pair_clipped, visible
from .wire_text import wire_lines

_MOST = 20_000
_FAILING = ("fail", "warn", "known")


def dumps(report: Report) -> str:
    """The report as an XML document, with a line end after it."""
    root = ElementTree.Element("testsuites", _totals(report.cases, "plugin-conform", report.seconds))
    told = sentences(report)
    for name, cases in groups(report.cases).items():
        suite = _add(root, "testsuite", _totals(cases, name, sum(case.seconds for case in cases)))
        suite.set("timestamp", visible(report.started))
        _add_properties(suite, _facts(report))
        for case in cases:
            _add_case(suite, case, told)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _totals(cases: Iterable[CaseResult], name: str, seconds: float) -> dict[str, str]:
    found = [outcome(case) for case in cases]
    return {
        "name": one_line(name),
        "tests": str(len(found)),
        "failures": str(found.count("fail")),
        "errors": str(found.count("error")),
        "skipped": str(sum(found.count(name) for name in ("skip", "not-declared", "known"))),
        "time": f"{seconds:.3f}",
    }


def _facts(report: Report) -> list[tuple[str, str]]:
    subject = report.subject
    return [
        (subject.role, subject_name(subject)),
        ("command", " ".join(subject.command)),
        ("spec", report.spec),
        ("suite", report.suite),
        ("profile", report.profile),
        ("seed", str(report.seed)),
    ]


def _add_case(suite: ElementTree.Element, case: CaseResult, told: dict[str, str]) -> None:
    attributes = {"classname": one_line(case.group), "name": one_line(case.id), "time": f"{case.seconds:.3f}"}
    test = _add(suite, "testcase", attributes)
    properties = [*(("requirement", name) for name in case.requirements), ("level", case.level)]
    properties.append(("verdict", outcome(case)))
    if case.flaky:
        properties.append(("flaky", f"failed in {case.failed_runs} of {case.runs} runs"))
    _add_properties(test, properties)
    if outcome(case) == "fail":
        message = one_line("; ".join(failure.message for failure in case.failures) or case.title)
        _add(test, "failure", {"type": case.level, "message": message}).text = _text(_account(case, told))
    elif case.verdict is Verdict.ERROR:
        _add(test, "error", {"type": "suite", "message": one_line(reason_of(case))}).text = _text(case.reason)
    elif outcome(case) not in ("pass", "warn"):
        _add(test, "skipped", {"type": outcome(case), "message": one_line(reason_of(case))})
    if output := _output(case, told):
        _add(test, "system-out").text = _text("\n".join(output))


def _account(case: CaseResult, told: dict[str, str]) -> str:
    """Everything that a person needs to act on a failure."""
    lines = [case.title]
    for failure in case.failures:
        lines += ["", *_account_of_one(failure, told)]
    rest = (("note", case.reason), ("why", case.why), ("mend", case.mend), ("rerun", case.rerun))
    return "\n".join([*lines, "", *(f"{name}: {text}" for name, text in rest if text)])


def _account_of_one(failure: Failure, told: dict[str, str]) -> list[str]:
    named = f"{failure.check}: " if failure.check else ""
    lines = [f"{named}{failure.message}"]
    if failure.requirement:
        lines.append(f"[{failure.requirement}] {told.get(failure.requirement, '')}".rstrip())
    expected, got = pair_clipped(failure.expected, failure.got, _MOST // 5)
    return lines + [f"{name}: {text}" for name, text in (("expected", expected), ("got", got)) if text]


def _output(case: CaseResult, told: dict[str, str]) -> list[str]:
    account = _account(case, told).splitlines() if outcome(case) in ("warn", "known") else []
    return account + (wire_lines(case.wire) if outcome(case) in _FAILING or case.verdict is Verdict.ERROR else [])


def _text(text: str) -> str:
    return clipped(visible(text), _MOST)


def _add(parent: ElementTree.Element, name: str, attributes: dict[str, str] | None = None) -> ElementTree.Element:
    return ElementTree.SubElement(parent, name, attributes or {})


def _add_properties(parent: ElementTree.Element, properties: Iterable[tuple[str, str]]) -> None:
    element = _add(parent, "properties")
    for name, value in properties:
        _add(element, "property", {"name": name, "value": one_line(value)})
