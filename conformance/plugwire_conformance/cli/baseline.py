"""``plugin-conform baseline``: keep the file of known failures as it should be."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .files import read_report, write, wrong

if TYPE_CHECKING:
    from ..report import CaseResult


@click.group("baseline")
def baseline() -> None:
    """Work with a file of known failures, which `plugin-conform run --baseline FILE` lets pass."""


@baseline.command("update")
@click.argument("report_file", metavar="REPORT.json", type=click.Path())
@click.option(
    "-o", "--output", required=True, metavar="FILE", type=click.Path(), help="The baseline; - writes to stdout."
)
@click.option("--warnings", is_flag=True, help="Take in the warnings too.")
def update(report_file: str, output: str, warnings: bool) -> None:
    """Write the baseline with which REPORT.json has nothing new.

    The reasons in FILE are kept, and so is what it says of cases that were not run. Put a reason of your own in the
    place of each new one.

    \b
    plugin-conform run --json report.json -- node dist/plugin.js
    plugin-conform baseline update -o known.toml report.json
    """
    from .. import __version__
    from ..baseline import BaselineError, load, updated
    from ..engine.run import every_case

    report = read_report(report_file)
    try:
        old = load(Path(output)) if output != "-" and Path(output).exists() else None
    except BaselineError as error:
        raise wrong(str(error)) from None
    known = {*every_case(report.subject.role), *(case.id for case in report.cases)}
    text = updated(report.cases, old, suite=__version__, warnings=warnings, every_case=known)
    write(text, output)
    for case in report.cases:
        if line := _left_out(case):
            click.echo(line, err=True)


def _left_out(case: "CaseResult") -> str:
    if not case.flaky:
        return ""
    return f"left out: {case.id} fails only sometimes, in {case.failed_runs} of {case.runs} runs"
