"""``plugin-conform report``: make something else of the JSON report of a run."""

import importlib
import sys

import click

from .files import hand_over, read_report, write, wrong

_REPORT = click.argument("report_file", metavar="REPORT.json", type=click.Path())
_OUTPUT = click.option(
    "-o", "--output", default="-", metavar="FILE", type=click.Path(), help="Where to write; - is standard output."
)


@click.group("report")
def report() -> None:
    """Show, convert and merge what `plugin-conform run --json FILE` wrote. A file named - is standard input."""


@report.command("show")
@_REPORT
def show(report_file: str) -> None:
    """Show REPORT.json as the run itself did."""
    from ..reports import terminal
    from .suite import painter

    text = terminal.render(read_report(report_file), painter())
    # A person reads it, so it is in the terminal's encoding; what that does not have is spelled out.
    encoding = sys.stdout.encoding or "utf-8"
    hand_over(text.encode(encoding, "backslashreplace"))


@report.command("html")
@_REPORT
@_OUTPUT
def html(report_file: str, output: str) -> None:
    """Make one page of REPORT.json that needs nothing else."""
    _convert("html", "render", report_file, output)


@report.command("junit")
@_REPORT
@_OUTPUT
def junit(report_file: str, output: str) -> None:
    """Make JUnit XML of REPORT.json."""
    _convert("junit", "dumps", report_file, output)


@report.command("tap")
@_REPORT
@_OUTPUT
def tap(report_file: str, output: str) -> None:
    """Make TAP 14 of REPORT.json."""
    _convert("tap", "dumps", report_file, output)


@report.command("badge")
@_REPORT
@_OUTPUT
@click.option("--svg", is_flag=True, help="A picture, instead of the JSON that a badge service reads.")
def badge(report_file: str, output: str, svg: bool) -> None:
    """Make a badge of REPORT.json.

    \b
    plugin-conform report badge report.json -o badge.json
    plugin-conform report badge report.json --svg -o badge.svg
    """
    _convert("badge", "svg" if svg else "endpoint", report_file, output)


@report.command("merge")
@click.argument("report_files", metavar="REPORT.json...", type=click.Path(), nargs=-1, required=True)
@_OUTPUT
def merge(report_files: tuple[str, ...], output: str) -> None:
    """Make one report of several of the same subject; a case in more than one gets its gravest verdict."""
    from ..reports import json_report
    from ..reports.merge import DifferentSubjects, merge

    if report_files.count("-") > 1:
        raise click.UsageError("standard input can be read only once")
    try:
        merged = merge([read_report(path) for path in report_files])
    except DifferentSubjects as error:
        raise wrong(str(error)) from None
    write(json_report.dumps(merged), output)


def _convert(module: str, function: str, report_file: str, output: str) -> None:
    made = importlib.import_module(f"plugwire_conformance.reports.{module}")
    write(getattr(made, function)(read_report(report_file)), output)
