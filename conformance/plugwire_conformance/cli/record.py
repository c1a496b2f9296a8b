"""``plugin-conform record CASE -- CMD``: the conversation of one case."""

from typing import Any

import click

from ..report import Role


@click.command("record")
@click.option(
    "--role", type=click.Choice(["plugin", "host"]), default="plugin", show_default=True, help="What COMMAND is."
)
@click.option(
    "--framing",
    type=click.Choice(["header", "line"]),
    default="header",
    show_default=True,
    help="How the plugin frames.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="What is random is the same for the same seed.",
)
@click.argument("case")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def command(case: str, command: tuple[str, ...], role: str, framing: str, seed: int) -> None:
    """Run one case and print everything that was said: `>` is sent to the subject, `<` came from it."""
    # Imported here: --help must not wait for pytest.
    from ..cases import load
    from ..engine.run import NoStart, run
    from ..reports.wire_text import wire_lines
    from .exits import NO_START, exit_code
    from .suite import make_settings

    if case not in {one.id for one in load(Role(role))}:
        raise click.UsageError(f"there is no case {case} for a {role}; plugin-conform list --role {role} shows all")
    options: dict[str, Any] = {
        "profile": "full",
        "timeout_scale": 1.0,
        "repeat": 1,
        "jobs": 1,
        "env": (),
        "skip": (),
        "require": (),
    }
    settings = make_settings(framing, options | {"command": command, "only": (case,), "seed": seed, "keep_wire": True})
    try:
        report = run(Role(role), settings)
    except NoStart as error:
        click.echo(f"error: the subject could not be checked: {error}", err=True)
        raise SystemExit(NO_START) from None
    result = report.cases[0]
    click.echo(f"# {result.id}: {result.title}\n# {result.verdict.value} {result.reason}".rstrip())
    for line in wire_lines(result.wire):
        click.echo(line)
    raise SystemExit(exit_code(report, strict=False))
