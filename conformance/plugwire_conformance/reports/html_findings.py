"""What did not hold, for the HTML page: each case with the sentence, the bytes, and what its author can change."""

from collections.abc import Iterable

from ..report import CaseResult, Failure, Report
from .html_parts import (
    chip,
    code_block,
    element_id,
    frame_blocks,
    listed,
    wire_log,
)
from .markup import Child, Markup, joined, prose, tag
from .outline import KNOWN, last_before, of_outcome, outcome, sentences
from .visible import clipped, pair_clipped

_MOST = 1500


def findings(report: Report) -> Markup:
    """The sections on everything that is not as it should be, the gravest first."""
    told = sentences(report)
    return joined(
        _section("Failures", "failures", of_outcome(report, "fail"), told),
        _section("Faults of the suite", "errors", of_outcome(report, "error"), told),
        _section("Warnings", "warnings", of_outcome(report, "warn"), told),
        _section("Known failures", "known", of_outcome(report, KNOWN), told),
        _stale(report),
    )


def _section(title: str, name: str, cases: Iterable[CaseResult], told: dict[str, str]) -> Markup | None:
    articles = [_article(case, told) for case in cases]
    if not articles:
        return None
    heading = tag("h2", title, " ", tag("span", str(len(articles)), class_="count"), id=f"{name}-title")
    return tag("section", heading, *articles, id=name, aria_labelledby=f"{name}-title")


def _article(case: CaseResult, told: dict[str, str]) -> Markup:
    flaky = f"flaky: failed in {case.failed_runs} of {case.runs} runs" if case.flaky else ""
    head = tag(
        "p",
        chip(outcome(case)),
        " ",
        tag("code", case.id),
        " ",
        tag("span", case.level, class_="level"),
        " ",
        tag("span", flaky, class_="tag") if flaky else None,
        class_="case-head",
    )
    return tag(
        "article",
        head,
        tag("h3", prose(case.title)),
        _quotes(case, told),
        _reason(case),
        *(_expectation(case, failure) for failure in case.failures),
        _advice(case),
        wire_log(case),
        id=element_id("finding", case.id),
        class_=f"finding {outcome(case)}",
    )


def _reason(case: CaseResult) -> Markup | None:
    if not case.reason:
        return None
    if "\n" in case.reason.strip():
        return code_block(clipped(case.reason, 4 * _MOST), "what went wrong")
    label = tag("span", "In the baseline because: ", class_="note") if case.known else None
    return tag("p", label, clipped(case.reason, _MOST), class_="reason")


def _quotes(case: CaseResult, told: dict[str, str]) -> Markup:
    """The sentences that are broken; all that the case is about where no failure names one."""
    broken = [name for name in dict.fromkeys(failure.requirement for failure in case.failures) if name in told]
    names = broken or [name for name in case.requirements if name in told]
    return joined(
        *(
            tag("blockquote", tag("a", name, href="#" + element_id("req", name)), " ", prose(told[name]))
            for name in names
        )
    )


def _expectation(case: CaseResult, failure: Failure) -> Markup:
    sent = last_before(case, failure.at, "sent")
    expected, got = pair_clipped(failure.expected, failure.got, _MOST)
    rows: list[tuple[str, Child]] = []
    if sent is not None:
        rows.append(("Sent", tag("div", frame_blocks(sent), class_="bytes")))
    rows += [(name, code_block(content, name)) for name, content in (("Expected", expected), ("Got", got)) if content]
    title = (tag("code", failure.check), " ", failure.message) if failure.check else (failure.message,)
    parts = (joined(tag("dt", name), tag("dd", content)) for name, content in rows)
    return tag("div", tag("h4", *title), tag("dl", *parts) if rows else None, class_="broken")


def _advice(case: CaseResult) -> Markup | None:
    rows: list[tuple[str, Child]] = []
    if case.why:
        rows.append(("Why it matters", prose(case.why)))
    if case.mend:
        rows.append(("What to change", prose(case.mend)))
    if case.rerun:
        rows.append(("Run it again", code_block(case.rerun, "command")))
    if not rows:
        return None
    return tag("dl", *(joined(tag("dt", name), tag("dd", content)) for name, content in rows), class_="advice")


def _stale(report: Report) -> Markup | None:
    if report.baseline is None or not report.baseline.stale:
        return None
    stale = report.baseline.stale
    says = f"These entries of {report.baseline.file} are not what happened; plugin-conform baseline update mends them."
    heading = tag("h2", "Stale baseline ", tag("span", str(len(stale)), class_="count"), id="stale-title")
    return tag("section", heading, tag("p", says), listed(stale), id="stale", aria_labelledby="stale-title")
