"""The entry point of ``plugin-conform``: commands are imported when they are used, so that ``--help`` comes at once."""

from __future__ import annotations

import importlib

import click

from .. import SPEC_VERSION, __version__
from .exits import OUR_ERROR

_COMMANDS = {
    "run": ("run", "command", "Check a plugin."),
    "host": ("host", "command", "Check a host; the suite plays its plugins."),
    "list": ("list_cases", "command", "Show the cases, with the sentences of the spec that they ask for."),
    "explain": ("explain", "command", "Say what a case sends, what it expects, why, and what to change."),
    "record": ("record", "command", "Run one case and print its conversation."),
    "report": ("report", "report", "Merge reports, and make other kinds of them."),
    "baseline": ("baseline", "baseline", "Write down what is known to fail."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(f"{__package__}.{module}"), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 conformant, 1 failures, 2 usage, 3 the subject could not be started, 4 nothing was checked, "
    "5 the baseline is stale, 6 an error of the suite itself, 130 interrupted.",
)
@click.version_option(__version__, prog_name="plugin-conform", message=f"%(prog)s %(version)s, spec {SPEC_VERSION}")
def cli() -> None:
    """Check whether a plugin or a host conforms to the plugwire protocol, from outside, by what it says and does."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        # Click's own way out would give its codes for what has one of ours.
        raise SystemExit(cli(prog_name="plugin-conform", standalone_mode=False))
    except (click.Abort, KeyboardInterrupt):
        raise SystemExit(130) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except Exception as error:
        # A traceback is for us: whoever runs the suite cannot mend what it tells.
        import traceback

        traceback.print_exc()
        click.echo(f"error: the suite itself failed: {error}. Please report this.", err=True)
        raise SystemExit(OUR_ERROR) from None


if __name__ == "__main__":
    main()
