"""What ``run`` and ``host`` share: their options, the run itself, and where its reports go."""

from __future__ import annotations

import importlib
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import click

from ..report import CaseResult, Report, Role, Verdict
from .exits import NO_START, exit_code
from .files import hand_over, write

#: What makes the file of each option: a module of reports/ and its function.
_MAKERS = {
    "json_file": ("json_report", "dumps"),
    "junit": ("junit", "dumps"),
    "tap": ("tap", "dumps"),
    "html": ("html", "render"),
}
_LARGEST_SEED = 2**31
_OPTIONS = [
    click.option(
        "--profile",
        type=click.Choice(["core", "full"]),
        default="core",
        show_default=True,
        help="full also asks what needs the optional methods of the service conformance.",
    ),
    click.option("--only", multiple=True, metavar="GLOB", help="Ask only these cases. Repeatable."),
    click.option("--skip", multiple=True, metavar="GLOB", help="Leave these cases out. Repeatable."),
    click.option("--require", multiple=True, metavar="CAPABILITY", help="Fail when the subject does not declare it."),
    click.option("--baseline", type=click.Path(path_type=Path), help="What is known to fail."),
    click.option(
        "--timeout-scale",
        type=click.FloatRange(min=0.05),
        default=1.0,
        show_default=True,
        help="For a slow subject or machine: every wait takes so many times as long.",
    ),
    click.option(
        "--repeat", type=click.IntRange(min=1), default=1, help="Ask every case so often, to find what fails at times."
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        help="What is random is the same for the same seed. Printed with each run.",
    ),
    click.option(
        "-j", "--jobs", type=click.IntRange(min=1), help="So many cases at a time. Default: one for each core, and one."
    ),
    click.option("--env", multiple=True, metavar="NAME=VALUE", help="Add to the subject's environment. Repeatable."),
    click.option("--strict", is_flag=True, help="A broken SHOULD is a failure."),
    click.option("--keep-wire", is_flag=True, help="Keep the conversations of cases that passed, too."),
    click.option(
        "--json",
        "json_file",
        type=click.Path(allow_dash=True),
        help="Write the report as JSON; - is stdout.",
    ),
    click.option("--junit", type=click.Path(), help="Write the report as JUnit XML."),
    click.option("--tap", type=click.Path(allow_dash=True), help="Write the report as TAP; - is stdout."),
    click.option("--html", type=click.Path(), help="Write the report as one page."),
    click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED),
]


def suite_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that both commands have."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def run_suite(role: Role, *, framing: str, **options: Any) -> None:
    """Runs the suite as the options say, writes the reports, and ends the process with the exit code."""
    # Imported here: --help must not wait for pytest.
    from ..engine.run import NoStart, run

    settings = make_settings(framing, options)
    try:
        report = run(role, settings, _progress(settings.seed))
    except NoStart as error:
        _tell_no_start(settings.command, error)
        raise SystemExit(NO_START) from None
    report = _compared(report, options["baseline"])
    report = attrs.evolve(report, exit_code=exit_code(report, strict=options["strict"]))
    _write_reports(report, options)
    raise SystemExit(report.exit_code)


def make_settings(framing: str, options: dict[str, Any]) -> Any:
    """The settings that the options stand for; raises UsageError for one that says nothing."""
    from ..settings import Settings
    from ..wire.frames import Framing

    pairs = [tuple(pair.split("=", 1)) for pair in options["env"]]
    if any(len(pair) != 2 for pair in pairs):
        raise click.UsageError("--env wants NAME=VALUE")
    seed = options["seed"] if options["seed"] is not None else random.SystemRandom().randrange(_LARGEST_SEED)
    return Settings(
        command=tuple(options["command"]),
        cwd=str(Path.cwd()),
        framing=Framing(framing),
        profile=options["profile"],
        timeout_scale=options["timeout_scale"],
        seed=seed,
        jobs=options["jobs"] or (os.cpu_count() or 1) + 1,
        repeat=options["repeat"],
        only=options["only"],
        skip=options["skip"],
        require=options["require"],
        env=tuple((name, value) for name, value in pairs),
        keep_wire=options["keep_wire"],
    )


def painter() -> Callable[[str, str], str]:
    """Colours for a terminal; none where the output goes elsewhere, or NO_COLOR is set."""
    from ..reports.terminal import plain

    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return plain
    looks: dict[str, dict[str, Any]] = {
        "pass": {"fg": "green"},
        "fail": {"fg": "red", "bold": True},
        "error": {"fg": "magenta", "bold": True},
        "warn": {"fg": "yellow"},
        "known": {"fg": "blue"},
        "dim": {"dim": True},
        "strong": {"bold": True},
    }
    return lambda text, look: click.style(text, **looks.get(look, {}))


def _compared(report: Report, baseline: Path | None) -> Report:
    if baseline is None:
        return report
    from ..baseline import BaselineError, compare, load
    from ..engine.run import every_case
    from ..report import BaselineResult

    try:
        known = load(baseline)
    except BaselineError as error:
        raise click.UsageError(str(error)) from None
    cases, stale = compare(report.cases, known, every_case(report.subject.role))
    return attrs.evolve(report, cases=cases, baseline=BaselineResult(str(baseline), stale))


def _write_reports(report: Report, options: dict[str, Any]) -> None:
    """Writes the files that were asked for. The terminal gets the usual text, on stderr when data goes to stdout."""
    from ..reports import terminal

    data_on_stdout = False
    for name, (module, function) in _MAKERS.items():
        path = options[name]
        if path is None:
            continue
        text = getattr(importlib.import_module(f"..reports.{module}", __package__), function)(report)
        data_on_stdout = data_on_stdout or path == "-"
        write(text, path)
    if data_on_stdout:
        click.echo(terminal.render(report), nl=False, err=True)
    else:
        hand_over(terminal.render(report, painter()).encode("utf-8", "backslashreplace"))


def _progress(seed: int) -> Callable[[CaseResult], None]:
    """A line on a terminal that says how far the run is; nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda _: None
    counts = dict.fromkeys(Verdict, 0)

    def tell(result: CaseResult) -> None:
        counts[result.verdict] += 1
        told = " ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
        # The line is written over by the next one, and by the report.
        click.echo(f"\r\x1b[2Kseed {seed}  {told}  {result.id}"[:120] + "\r", nl=False, err=True)

    return tell


def _tell_no_start(command: tuple[str, ...], error: Any) -> None:
    from ..reports.visible import visible
    from ..reports.wire_text import wire_lines

    click.echo(f"error: the subject could not be checked: {visible(str(error))}", err=True)
    click.echo(f"  command   {visible(' '.join(command))}", err=True)
    click.echo(f"  cwd       {visible(str(Path.cwd()))}", err=True)
    for line in wire_lines(error.log.entries())[:40]:
        click.echo(f"  {line}", err=True)
    click.echo("  hint      plugin-run doctor checks a plugin step by step and says what to mend", err=True)
