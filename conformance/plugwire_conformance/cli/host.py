"""``plugin-conform host -- CMD``: checks a host."""

import os
from typing import Any

import click

from ..hosts.given import CONFIG, PLUGIN
from ..report import Role
from .suite import run_suite, suite_options


@click.command("host")
@suite_options
def command(**options: Any) -> None:
    """Check a host. COMMAND starts it, and stands after --.

    Where it says {plugin}, it gets the command line of a plugin that the suite plays; say it more often for cases with
    several plugins. Where it says {config}, it gets the path of a host's list (chapter 12) with all plugins of a case
    and their settings. The host has to stay up until it gets SIGTERM.
    """
    if not any(PLUGIN in word or CONFIG in word for word in options["command"]):
        raise click.UsageError(
            "the command has neither {plugin} nor {config}, so the host would launch nothing of ours"
        )
    if os.name != "posix":
        raise click.UsageError(
            "hosts can be checked on Unix only: the pipes of their plugins are handed over a Unix socket"
        )
    run_suite(Role.HOST, framing="header", **options)
