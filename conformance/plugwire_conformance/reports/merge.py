"""Several reports of one subject made into one: parts of a run, or runs on several machines.

A case that stands in several of them gets its gravest verdict, and its runs are added up: one that failed here and
passed there is flaky.
"""

from collections.abc import Iterable, Sequence
from functools import reduce

from attrs import evolve

from ..report import BaselineResult, CaseResult, Report, RequirementResult, Subject, Verdict
from .outline import EXIT_CODES, subject_name

# A pass goes before a skip: the case was asked once, and the subject held.
_GRAVEST = (Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.PASS, Verdict.SKIP, Verdict.NOT_DECLARED)
_RAN = frozenset({Verdict.FAIL, Verdict.ERROR, Verdict.WARN, Verdict.PASS})
# That one part found nothing to check does not matter when another one did.
_GRAVEST_EXIT = (6, 3, 2, 1, 5, 0, 4)


class DifferentSubjects(ValueError):
    """The reports are not about one subject, or not from one suite."""


def merge(reports: Sequence[Report]) -> Report:
    """One report of all. Raises DifferentSubjects; the message says what differs."""
    merged = reduce(_two, reports)
    if len(reports) == 1:
        return merged
    seeds = ", ".join(str(seed) for seed in dict.fromkeys(report.seed for report in reports))
    return evolve(merged, notes=(*merged.notes, f"merged from {len(reports)} reports; seeds: {seeds}"))


def _two(first: Report, second: Report) -> Report:
    _check(first, second)
    return evolve(
        first,
        subject=_subject(first.subject, second.subject),
        profile=" + ".join(dict.fromkeys([*first.profile.split(" + "), *second.profile.split(" + ")])),
        started=min(first.started, second.started),
        seconds=first.seconds + second.seconds,
        cases=_cases(first.cases, second.cases),
        requirements=_requirements(first.requirements, second.requirements),
        baseline=_baseline(first.baseline, second.baseline),
        exit_code=min(first.exit_code, second.exit_code, key=_GRAVEST_EXIT.index),
        notes=_union(first.notes, second.notes),
    )


def _check(first: Report, second: Report) -> None:
    if not _is_same(first.subject, second.subject):
        both = " and ".join(f"{subject.role} {subject_name(subject)}" for subject in (first.subject, second.subject))
        raise DifferentSubjects(f"these reports are about different subjects: {both}")
    for what, one, other in (("suite", first.suite, second.suite), ("spec", first.spec, second.spec)):
        if one != other:
            raise DifferentSubjects(f"these reports are from different versions of the {what}: {one} and {other}")
    for report in (first, second):
        if report.exit_code not in EXIT_CODES:
            raise DifferentSubjects(f"a report has an exit code that no run has: {report.exit_code}")


def _is_same(first: Subject, second: Subject) -> bool:
    """By name and version; commands differ between machines, and count only where one said no name."""
    if first.role is not second.role:
        return False
    if first.name and second.name:
        return (first.name, first.version) == (second.name, second.version)
    return first.command == second.command


def _subject(first: Subject, second: Subject) -> Subject:
    named, other = (first, second) if first.name else (second, first)
    return evolve(
        named,
        protocol_version=named.protocol_version or other.protocol_version,
        capabilities=_union(named.capabilities, other.capabilities),
    )


def _cases(first: Iterable[CaseResult], second: Iterable[CaseResult]) -> tuple[CaseResult, ...]:
    merged = {case.id: case for case in first}
    for case in second:
        merged[case.id] = _case(merged[case.id], case) if case.id in merged else case
    return tuple(merged.values())


def _case(first: CaseResult, second: CaseResult) -> CaseResult:
    gravest = min(first, second, key=lambda case: _GRAVEST.index(case.verdict))
    other = second if gravest is first else first
    ran = [case for case in (first, second) if case.verdict in _RAN]
    merged = evolve(
        gravest,
        seconds=first.seconds + second.seconds,
        runs=sum(case.runs for case in ran) or gravest.runs,
        failed_runs=sum(case.failed_runs for case in ran),
    )
    return _with_failures_of(merged, other) if other.verdict is merged.verdict else merged


def _with_failures_of(case: CaseResult, other: CaseResult) -> CaseResult:
    """What the other run alone has found comes after, with its wire log."""
    known = {(failure.requirement, failure.check, failure.message) for failure in case.failures}
    new = [found for found in other.failures if (found.requirement, found.check, found.message) not in known]
    merged = evolve(case, known=case.known and other.known, reason=case.reason or other.reason)
    if not new:
        return merged
    moved = tuple(evolve(failure, at=failure.at + len(case.wire)) for failure in new)
    return evolve(merged, failures=case.failures + moved, wire=case.wire + other.wire)


def _requirements(
    first: Iterable[RequirementResult], second: Iterable[RequirementResult]
) -> tuple[RequirementResult, ...]:
    merged = {requirement.id: requirement for requirement in first}
    for requirement in second:
        known = merged.get(requirement.id, requirement)
        merged[requirement.id] = evolve(known, cases=_union(known.cases, requirement.cases))
    return tuple(merged.values())


def _baseline(first: BaselineResult | None, second: BaselineResult | None) -> BaselineResult | None:
    if first is None or second is None:
        return first or second
    files = ", ".join(_union((first.file,), (second.file,)))
    return BaselineResult(files, _union(first.stale, second.stale))


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *second]))
