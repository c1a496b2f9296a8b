"""A report as TAP version 14: a test point for each case, with what is known of it in a block of YAML.

A known failure is a TODO, which harnesses count as expected. Nothing checked is a bail-out, never a pass.
"""

import json
from collections.abc import Iterator
from typing import Any

from ..report import CaseResult, Report, Verdict
from .outline import (
    conclusion,
    outcome,
    reason_of,
    sentences,
    subject_name,
    was_anything_checked,
)
from .visible import clipped, one_line, pair_clipped, visible

_MOST = 2000


def dumps(report: Report) -> str:
    """The report as TAP, with a line end after it."""
    lines = ["TAP version 14", *(f"# {one_line(line)}" for line in _remarks(report)), f"1..{len(report.cases)}"]
    told = sentences(report)
    for number, case in enumerate(report.cases, start=1):
        lines += [_point(number, case), *_block(case, told)]
    if report.exit_code == 3 or not was_anything_checked(report):
        lines.append(f"Bail out! {conclusion(report)}")
    return "\n".join(lines) + "\n"


def _remarks(report: Report) -> Iterator[str]:
    yield f"{report.subject.role} {subject_name(report.subject)}"
    yield f"spec {report.spec}, suite {report.suite}, profile {report.profile}, seed {report.seed}"
    yield from report.notes
    if report.baseline is not None:
        yield from (f"stale in {report.baseline.file}: {entry}" for entry in report.baseline.stale)


def _point(number: int, case: CaseResult) -> str:
    failed = case.verdict in (Verdict.FAIL, Verdict.ERROR) or case.known
    return f"{'not ok' if failed else 'ok'} {number} - {_escaped(case.id)}{_directive(case)}"


def _directive(case: CaseResult) -> str:
    match outcome(case):
        case "skip" | "not-declared":
            return f" # SKIP {_escaped(reason_of(case))}"
        case "known":
            return f" # TODO {_escaped(reason_of(case))}"
        case _:
            return ""


def _escaped(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("#", "\\#")


def _block(case: CaseResult, told: dict[str, str]) -> list[str]:
    """The YAML block; JSON scalars are YAML, and leave no doubt about any text."""
    if outcome(case) in ("pass", "skip", "not-declared") and not case.flaky:
        return []
    lines = [*_pairs("  ", _facts(case))]
    if case.failures:
        lines.append("  failures:")
    for failure in case.failures:
        facts: dict[str, Any] = {"message": failure.message, "check": failure.check}
        facts |= {"requirement": failure.requirement, "sentence": told.get(failure.requirement, "")}
        facts |= dict(zip(("expected", "got"), pair_clipped(failure.expected, failure.got, _MOST), strict=True))
        first, *rest = _pairs("      ", facts)
        lines += [f"    - {first.lstrip()}", *rest]
    return ["  ---", *lines, "  ..."]


def _facts(case: CaseResult) -> dict[str, Any]:
    facts: dict[str, Any] = {"title": case.title, "severity": outcome(case), "level": case.level}
    facts |= {"requirements": list(case.requirements), "reason": case.reason, "why": case.why, "mend": case.mend}
    facts |= {"rerun": case.rerun, "flaky": f"failed in {case.failed_runs} of {case.runs} runs" if case.flaky else ""}
    return facts


def _pairs(indent: str, facts: dict[str, Any]) -> list[str]:
    return [f"{indent}{name}: {_scalar(value)}" for name, value in facts.items() if value]


def _scalar(value: Any) -> str:
    text = visible(clipped(value, 2 * _MOST)) if isinstance(value, str) else value
    return json.dumps(text, ensure_ascii=False)
