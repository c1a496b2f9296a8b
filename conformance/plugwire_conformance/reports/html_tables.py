"""The two tables of the HTML page: every sentence of the spec, chapter by chapter, and every case, group by group."""

from ..report import CaseResult, Report, RequirementResult
from .html_parts import chip, element_id, wire_log
from .markup import Markup, joined, prose, tag, text
from .outline import (
    OUTCOMES,
    WORDS,
    chapters,
    count_outcomes,
    groups,
    level_of,
    outcome,
    reason_of,
    requirement_outcome,
)

_FOUND = ("fail", "error", "warn", "known")
_OBSERVED = ("pass", *_FOUND)


def requirements(report: Report) -> Markup | None:
    """A part for each chapter; those in which something is broken are open."""
    if not report.requirements:
        return None
    outcomes = {case.id: outcome(case) for case in report.cases}
    known = {case.id for case in report.cases}
    parts = [_chapter(name, found, outcomes, known) for name, found in chapters(report.requirements)]
    heading = tag("h2", "Sentence by sentence", id="requirements-title")
    told = [requirement_outcome(requirement, outcomes) for requirement in report.requirements]
    return tag(
        "section",
        heading,
        tag("p", _coverage(told), class_="lead"),
        *parts,
        id="requirements",
        aria_labelledby="requirements-title",
    )


def _coverage(told: list[str]) -> str:
    observed = sum(name in _OBSERVED for name in told)
    rest = (("excluded", "cannot be seen from outside"), ("no case", "without a case"), ("not run", "not run"))
    others = [(sum(name in ("skip", "not-declared") for name in told), "skipped or not declared")]
    others += [(told.count(name), words) for name, words in rest]
    says = f"Of {len(told)} sentences of the spec {observed} were observed"
    return "; ".join([says, *(f"{number} {words}" for number, words in others if number)]) + "."


def _chapter(name: str, found: list[RequirementResult], outcomes: dict[str, str], known: set[str]) -> Markup:
    told = [requirement_outcome(requirement, outcomes) for requirement in found]
    counts = ", ".join(
        f"{told.count(key)} {WORDS.get(key, key)}"
        for key in (*OUTCOMES, "excluded", "no case", "not run")
        if key in told
    )
    summary = tag("summary", tag("h3", name), " ", tag("span", counts, class_="counts"))
    rows = [_requirement(requirement, verdict, known) for requirement, verdict in zip(found, told, strict=True)]
    return tag("details", summary, tag("ul", *rows, class_="sentences"), open=any(key in _FOUND for key in told))


def _requirement(requirement: RequirementResult, verdict: str, known: set[str]) -> Markup:
    cases = [_case_link(case) if case in known else tag("code", case) for case in requirement.cases]
    return tag(
        "li",
        tag("a", requirement.id, href="#" + element_id("req", requirement.id), class_="req-id"),
        tag(
            "div",
            tag("p", prose(requirement.text)),
            tag("p", "Excluded: ", requirement.excluded, class_="note") if requirement.excluded else None,
            tag("p", *_spaced(cases), class_="note") if cases else None,
        ),
        chip(verdict),
        id=element_id("req", requirement.id),
    )


def _spaced(items: list[Markup]) -> list[Markup]:
    return [item for one in items for item in (Markup(" "), one)][1:]


def _case_link(case: str) -> Markup:
    return tag("a", tag("code", case), href="#" + element_id("case", case))


def all_cases(report: Report) -> Markup | None:
    """A table for each group. The controls of the filter show only where the script runs."""
    if not report.cases:
        return None
    found = groups(report.cases)
    heading = tag("h2", "All cases ", tag("span", str(len(report.cases)), class_="count"), id="cases-title")
    parts = [_group(name, cases) for name, cases in found.items()]
    return tag("section", heading, _filter(report), *parts, id="cases", aria_labelledby="cases-title")


def _filter(report: Report) -> Markup:
    counts = count_outcomes(report.cases)
    field = tag("label", "Filter ", tag("input", type="search", id="filter-text", placeholder="id, title or FRM-12"))
    boxes = [
        tag("label", tag("input", type="checkbox", value=name, checked=True), f" {WORDS[name]} {number}")
        for name, number in counts.items()
    ]
    return tag("form", field, *boxes, tag("output", "", id="filter-count"), id="filter", class_="filter", hidden=True)


def _group(name: str, cases: list[CaseResult]) -> Markup:
    head = joined(*(tag("th", title, scope="col") for title in ("Verdict", "Case", "Demand", "Time")))
    rows = [_row(case) for case in cases]
    caption = tag("caption", text(name, keep=""), " ", tag("span", _counts(cases), class_="counts"))
    table = tag("table", caption, tag("thead", tag("tr", head)), tag("tbody", *rows))
    return tag("div", table, class_="group")


def _counts(cases: list[CaseResult]) -> str:
    return ", ".join(f"{number} {WORDS[name]}" for name, number in count_outcomes(cases).items())


def _row(case: CaseResult) -> Markup:
    found = outcome(case)
    name: Markup = tag("code", case.id)
    if found in _FOUND:
        name = tag("a", name, href="#" + element_id("finding", case.id))
    about = [tag("span", prose(case.title), class_="title")]
    if found in ("skip", "not-declared", "known"):
        about.append(tag("span", reason_of(case), class_="note"))
    if case.flaky:
        about.append(tag("span", f"flaky: failed in {case.failed_runs} of {case.runs} runs", class_="tag"))
    log = None if found in _FOUND else wire_log(case)
    return tag(
        "tr",
        tag("td", chip(found)),
        tag("td", name, " ", *_spaced(about), log),
        tag("td", level_of(case)),
        tag("td", f"{case.seconds:.2f} s" if found not in ("skip", "not-declared") else "", class_="seconds"),
        id=element_id("case", case.id),
        data_outcome=found,
    )
