"""Writes the golden files anew: ``python -m tests.conformance.make_golden``. Then read the difference."""

from collections.abc import Callable
from pathlib import Path

from plugwire_conformance.report import Report
from plugwire_conformance.reports import badge, json_report, junit, tap, terminal
from tests.conformance.sample import CLEAN, REPORT

FOLDER = Path(__file__).parent / "golden"
MADE: dict[str, tuple[Callable[[Report], str], Report]] = {
    "report.json": (json_report.dumps, REPORT),
    "junit.xml": (junit.dumps, REPORT),
    "report.tap": (tap.dumps, REPORT),
    "terminal.txt": (terminal.render, REPORT),
    "badge.json": (badge.endpoint, REPORT),
    "badge.svg": (badge.svg, CLEAN),
}


def read(name: str) -> str:
    """A golden file, with its line ends as they are."""
    return (FOLDER / name).read_bytes().decode()


if __name__ == "__main__":
    for name, (make, report) in MADE.items():
        (FOLDER / name).write_bytes(make(report).encode())
