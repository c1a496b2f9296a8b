"""What the user reads: findings and the summary on standard output, progress and notes on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TextIO

from diagnostics import SEVERITIES, Finding
from plugwire_host import printable

EVERY = 5.0
"""Seconds between two lines of progress where standard error is no terminal."""


@dataclass
class Outcome:
    """All that a review has to say."""

    files: int = 0
    findings: list[Finding] = field(default_factory=list)
    fixed: list[Finding] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """Files that were not reviewed, or not written, with the reason."""
    in_part: list[str] = field(default_factory=list)
    """Files that are too long for all but some of the plugins."""
    missing: dict[str, str] = field(default_factory=dict)
    """Plugins that are not, or not everywhere, part of it, with the reason."""


def print_text(outcome: Outcome) -> None:
    """One line for each finding, which editors understand: ``path:line:column: severity: message [plugin]``."""
    for finding in outcome.fixed:
        print(_line(finding, "fixed"))
    for finding in outcome.findings:
        print(_line(finding, finding.diagnostic.severity))
    print(printable(summary(outcome)))


def print_json(outcome: Outcome) -> None:
    """The same as one JSON document."""
    document = {
        "files": outcome.files,
        "findings": [finding.as_json() for finding in outcome.findings],
        "fixed": [finding.as_json() for finding in outcome.fixed],
        "leftOut": outcome.left_out,
        "missing": outcome.missing,
    }
    if outcome.in_part:
        document["inPart"] = outcome.in_part
    print(json.dumps(document, indent=2))


def summary(outcome: Outcome) -> str:
    """One line."""
    by_severity = Counter(finding.diagnostic.severity for finding in outcome.findings)
    counts = [_count(by_severity[severity], severity) for severity in SEVERITIES if by_severity[severity]]
    # "1 info", "2 infos": it is a severity's name here.
    text = _count(len(outcome.findings), "finding") if outcome.findings else "no findings"
    text += f" in {_count(outcome.files, 'file')}"
    if counts:
        text += f": {', '.join(counts)}"
    if outcome.fixed:
        text += f"; {len(outcome.fixed)} fixed"
    fixable = sum(1 for finding in outcome.findings if finding.diagnostic.edits)
    if fixable:
        text += f"; {fixable} can be fixed with --fix"
    if outcome.in_part:
        text += f"; {_count(len(outcome.in_part), 'file')} only in part"
    if outcome.left_out:
        text += f"; {_count(len(outcome.left_out), 'file')} left out"
    if outcome.missing:
        text += f"; incomplete: {', '.join(sorted(outcome.missing))} failed"
    return text


def _line(finding: Finding, word: str) -> str:
    found = finding.diagnostic
    return printable(f"{finding.path}:{found.line}:{found.column}: {word}: {found.message} [{finding.plugin}]")


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


class Progress:
    """How far the review is: a line that changes on a terminal, else a line every few seconds. And notes between."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._shown = ""
        self._last = time.monotonic()
        self._done = 0
        self._total = 0

    def start(self, total: int) -> None:
        self._done, self._total = 0, total

    def step(self, count: int = 1) -> None:
        """So many more checks are done."""
        self._done += count
        text = f"review: {self._done} of {self._total} checks"
        if self._live:
            self._show(text)
        elif time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            print(text, file=self._stream, flush=True)

    def note(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        print(f"review: {printable(text)}", file=self._stream, flush=True)

    def clear(self) -> None:
        """Take the changing line away."""
        if self._shown:
            self._show("")
            print("\r", end="", file=self._stream, flush=True)

    def _show(self, text: str) -> None:
        # Blanks cover what was longer before.
        print(f"\r{text:<{len(self._shown)}}", end="", file=self._stream, flush=True)
        self._shown = text
