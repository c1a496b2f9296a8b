"""``plugin-conform run -- CMD``: checks a plugin."""

from typing import Any

import click

from ..report import Role
from .suite import run_suite, suite_options


@click.command("run")
@click.option(
    "--framing",
    type=click.Choice(["header", "line"]),
    default="header",
    show_default=True,
    help="How the plugin frames.",
)
@suite_options
def command(framing: str, **options: Any) -> None:
    """Check a plugin. COMMAND starts it, and stands after --.

    Each case starts the plugin anew, talks with it as a host does, and ends it. Nothing is written but where you say.
    """
    run_suite(Role.PLUGIN, framing=framing, **options)
