"""What came of each subject: the table on the terminal, and INTEROP.md."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import frozen

from plugwire_conformance.report import CaseResult, Report, Verdict

_ASKED = (Verdict.PASS, Verdict.FAIL, Verdict.WARN)
_LEGEND = """Each cell has how many
cases of a group passed, of those that could be asked; `–` stands where none could, because the subject does not declare
what they are about. A number after `†` counts failures that are known; the reasons are below."""


@frozen
class Subject:
    """What is checked. `sources` are copied where something is to be built; `folder`, within them, is where it runs."""

    name: str
    language: str
    command: tuple[str, ...]
    sources: Path
    needs: tuple[str, ...] = ()
    build: tuple[tuple[str, ...], ...] = ()
    library: str = ""
    version: str = ""
    role: str = "plugin"
    framing: str = "header"
    profile: str = "core"
    baseline: str = ""
    #: Cases that are not asked, since what comes of them changes from run to run; subject.toml says why.
    skip: tuple[str, ...] = ()
    folder: str = "."

    def missing(self) -> list[str]:
        """The tools that are not installed."""
        return [tool for tool in self.needs if shutil.which(tool) is None]


@frozen
class Outcome:
    """What came of one subject: a report, or the reason why there is none."""

    subject: Subject
    report: Report | None = None
    reason: str = ""
    failed: bool = False
    seconds: float = 0.0
    details: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        if self.report is None:
            return f"{'FAILED' if self.failed else 'skipped'}: {self.reason}"
        if self.failed:
            return "DEVIATES"
        return "as known" if any(case.known for case in self.report.cases) else "conformant"


def deviations(report: Report) -> tuple[str, ...]:
    """Each failure that is not known, and each entry of the baseline that is stale."""
    bad = [case for case in report.cases if case.verdict in (Verdict.FAIL, Verdict.ERROR) and not case.known]
    stale = report.baseline.stale if report.baseline else ()
    return (*(_told(case) for case in bad), *(f"stale: {entry}" for entry in stale))


def _told(case: CaseResult) -> str:
    checks = list(dict.fromkeys(failure.check for failure in case.failures if failure.check))
    message = case.failures[0].message if case.failures else case.reason
    variants = f" ({', '.join(checks)})" if checks else ""
    return f"{case.id}{variants}: {message}"


def tally(cases: Iterable[CaseResult]) -> tuple[int, int, int]:
    """How many passed, were asked, and are known to fail or warn."""
    asked = [case for case in cases if case.verdict in _ASKED]
    return sum(case.verdict is Verdict.PASS for case in asked), len(asked), sum(case.known for case in asked)


def table(outcomes: Sequence[Outcome]) -> str:
    """One line for each subject, and under it what deviates."""
    rows = [("subject", "library", "passed", "known", "seconds", "")]
    for outcome in outcomes:
        subject = outcome.subject
        library = f"{subject.library} {subject.version}".strip() or f"none ({subject.language})"
        passed, asked, known = tally(outcome.report.cases) if outcome.report else (0, 0, 0)
        numbers = (f"{passed} of {asked}", str(known), f"{outcome.seconds:.0f}") if outcome.report else ("", "", "")
        rows.append((subject.name, library, *numbers, outcome.verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = []
    for row, details in zip(rows, [(), *(outcome.details for outcome in outcomes)], strict=True):
        left = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[2:5], widths[2:], strict=True)]
        lines += ["  ".join([*left, *right, row[5]]).rstrip(), *(f"    {line}" for line in details)]
    return "\n".join(lines)


def interop(outcomes: Sequence[Outcome]) -> str:
    """The document: a matrix of subjects and groups of cases, and what is known to fail, with the reasons."""
    reports = [(outcome.subject, outcome.report) for outcome in outcomes if outcome.report is not None]
    lines = ["# Interoperability", "", "<!-- Written by `conformance/subjects/run.py --write`. -->", ""]
    lines += [f"What `plugin-conform` {reports[0][1].suite} finds in programs that nobody wrote for it. " + _LEGEND, ""]
    for title, role in (("Plugins", "plugin"), ("Hosts", "host")):
        shown = [(subject, report) for subject, report in reports if subject.role == role]
        if shown:
            lines += [f"## {title}", "", *_matrix(shown), ""]
    for subject, report in reports:
        known = [case for case in report.cases if case.known]
        if known:
            lines += [f"## {subject.library} {subject.version}", ""]
            lines += [f"- `{case.id}`: {case.reason}" for case in known]
            lines += [""]
    return "\n".join(lines)


def _matrix(shown: Sequence[tuple[Subject, Report]]) -> list[str]:
    groups = list(dict.fromkeys(case.group for _, report in shown for case in report.cases))
    head = ["subject", "library", "language", *groups]
    rows = [head, ["---"] * len(head)]
    for subject, report in shown:
        library = f"{subject.library} {subject.version}" if subject.library else "none"
        cells = [_cell([case for case in report.cases if case.group == group]) for group in groups]
        rows.append([subject.name, library, subject.language, *cells])
    return [f"| {' | '.join(row)} |" for row in rows]


def _cell(cases: Sequence[CaseResult]) -> str:
    passed, asked, known = tally(cases)
    return f"{passed}/{asked}{f' †{known}' if known else ''}" if asked else "–"
