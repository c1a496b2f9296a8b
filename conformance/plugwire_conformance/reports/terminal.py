"""A report for the terminal: a line for each group, what failed and how to mend it, and one line that sums it up.

Owns: the words and their order. Does not own: colours, which the caller paints, and streams.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from ..report import CaseResult, Failure, Report, Verdict
from .frames import without_length
from .outline import (
    KNOWN,
    OUTCOMES,
    count_outcomes,
    groups,
    last_before,
    level_of,
    of_outcome,
    reason_of,
    sentences,
    subject_name,
    tally,
)
from .visible import counted, one_line, pair_clipped

#: Gives a text a look: "pass", "fail", "error", "warn", "known", "dim" or "strong".
Paint: TypeAlias = Callable[[str, str], str]

_LABEL = 5
_INDENT = " " * 5
_MOST = 400
_WARNINGS = 20
_CHECKS = 6
_ALONE = {"skip": "skipped", "not-declared": "not declared"}


def plain(text: str, _look: str) -> str:
    """The paint of what is no terminal."""
    return text


def render(report: Report, paint: Paint = plain) -> str:
    """The whole report, with a line end after it."""
    lines = [*_head(report, paint), *_group_lines(report, paint)]
    told = sentences(report)
    for case in of_outcome(report, "fail"):
        lines += ["", *_failed(case, told, paint)]
    for case in of_outcome(report, "error"):
        label = paint("ERROR", "error")
        lines += [
            "",
            f"{label} {paint(one_line(case.id), 'strong')}  the suite itself is at fault: {_cut(reason_of(case))}",
        ]
    lines += [*_warned(report, paint), *_stale(report, paint)]
    return "\n".join([*lines, "", *(one_line(note) for note in report.notes), _closing(report, paint)]) + "\n"


def _head(report: Report, paint: Paint) -> Iterator[str]:
    name = paint(one_line(subject_name(report.subject)), "strong")
    facts = f"spec {report.spec}   suite {report.suite}   profile {report.profile}   seed {report.seed}"
    yield f"{report.subject.role}  {name}   {paint(one_line(facts), 'dim')}"


def _group_lines(report: Report, paint: Paint) -> Iterator[str]:
    found = groups(report.cases)
    width = max((len(name) for name in found), default=0)
    counts = {name: count_outcomes(cases) for name, cases in found.items()}
    digits = max((len(_passed(cases)) for cases in found.values()), default=0)
    for name, cases in found.items():
        told = counts[name]
        named = one_line(name).ljust(width)
        if len(told) == 1 and (alone := _ALONE.get(next(iter(told)))):
            amount = counted(len(cases), "case")
            yield f"{named}  {paint(f'{alone} ({amount})', 'dim')}"
            continue
        yield f"{named}  {_passed(cases).rjust(digits)} {paint('pass', 'pass')}{_others(told, paint)}".rstrip()


def _passed(cases: list[CaseResult]) -> str:
    return f"{sum(case.verdict is Verdict.PASS for case in cases)}/{len(cases)}"


def _others(told: dict[str, int], paint: Paint) -> str:
    words = {"fail": "FAIL", "error": "ERROR", "not-declared": "not declared"}
    others = [name for name in OUTCOMES if name in told and name != "pass"]
    return "".join(f"   {paint(f'{told[name]} {words.get(name, name)}', _look(name))}" for name in others)


def _look(name: str) -> str:
    return "dim" if name in _ALONE else name


def _failed(case: CaseResult, told: dict[str, str], paint: Paint) -> Iterator[str]:
    flaky = f"  failed in {case.failed_runs} of {case.runs} runs" if case.flaky else ""
    name = f"{paint('FAIL', 'fail')} {paint(one_line(case.id), 'strong')}"
    yield f"{name}  [{level_of(case)}] {one_line(case.title)}{flaky}"
    sentence_told = ""
    for failure in case.failures[:_CHECKS]:
        named = f"{failure.check}: " if failure.check else ""
        yield f"{_INDENT}{paint('✗'.ljust(_LABEL), 'fail')} {_cut(named + failure.message)}"
        if failure.requirement != sentence_told and failure.requirement in told:
            yield _row("spec", f"{failure.requirement} {told[failure.requirement]}", paint)
            sentence_told = failure.requirement
        yield from _what_happened(case, failure, paint)
    if rest := case.failures[_CHECKS:]:
        yield f"{_INDENT}{' ' * _LABEL} and {len(rest)} more: {_cut(', '.join(_briefly(failure) for failure in rest))}"
    for label, text in (("note", case.reason), ("why", case.why), ("mend", case.mend)):
        if text:
            yield _row(label, text, paint)
    if case.rerun:
        yield f"{_INDENT}{paint('rerun'.ljust(_LABEL), 'dim')} {one_line(case.rerun, 10_000)}"


def _what_happened(case: CaseResult, failure: Failure, paint: Paint) -> Iterator[str]:
    sent = last_before(case, failure.at, "sent")
    if sent is not None:
        yield _row("sent", without_length(sent), paint)
    expected, got = pair_clipped(failure.expected, failure.got, _MOST)
    for label, text in (("want", expected), ("got", got)):
        if text:
            yield _row(label, text, paint)


def _row(label: str, text: str, paint: Paint = plain) -> str:
    return f"{_INDENT}{paint(label.ljust(_LABEL), 'dim')} {_cut(text)}"


def _cut(text: str) -> str:
    return one_line(text, _MOST + 100)


def _warned(report: Report, paint: Paint) -> Iterator[str]:
    """A line for each warning and each known failure."""
    for name, label in (("warn", "WARN "), (KNOWN, "KNOWN")):
        found = of_outcome(report, name)
        for place, case in enumerate(found[:_WARNINGS]):
            if place == 0:
                yield ""
            text = reason_of(case) if case.known else "; ".join(_briefly(failure) for failure in case.failures)
            yield f"{paint(label, _look(name))} {one_line(case.id)}  [{level_of(case)}] {_cut(text or case.title)}"
        if len(found) > _WARNINGS:
            yield f"{_INDENT} and {len(found) - _WARNINGS} more"


def _briefly(failure: Failure) -> str:
    return f"{failure.check}: {failure.message}" if failure.check else failure.message


def _stale(report: Report, paint: Paint) -> Iterator[str]:
    if report.baseline is None or not report.baseline.stale:
        return
    yield ""
    for entry in report.baseline.stale:
        yield f"{paint('STALE', 'warn')} {one_line(report.baseline.file)}: {_cut(entry)}"


def _closing(report: Report, paint: Paint) -> str:
    look = "pass" if report.exit_code == 0 else "fail"
    return f"{tally(report)} · {report.seconds:.1f} s   {paint(f'exit {report.exit_code}', look)}"
