"""The entry point of ``plugin-run``: commands are imported when they are used, so that ``--help`` comes at once."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import version

import click

from .exits import leave
from .output import let_go_of_streams, prepare_streams

_COMMANDS = {
    "run": ("run", "Stay up with the plugins until Ctrl-C."),
    "call": ("call", "Make one call; its JSON result goes to stdout."),
    "info": ("info", "Show what each plugin says of itself."),
    "list": ("list_plugins", "Start the plugins and show how each of them is."),
    "events": ("events", "Show what plugins publish, as it happens."),
    "doctor": ("doctor", "Check each plugin step by step, and say what to mend."),
    "hooks": ("hooks", "Show the hooks of the plugins, and the order of their links."),
    "state": ("state", "Read and write a state file while no host runs on it."),
    "completion": ("completion", "Print the completion script of a shell."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"{__package__}.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ok, 1 unexpected, 2 usage, 3 could not start, 4 protocol violation, 5 the plugin answered "
    "with an error, 6 timeout, 7 died during the call, 8 bad config, 130 interrupted.",
)
@click.version_option(version("plugwire"), prog_name="plugin-run")
def cli() -> None:
    """Launch plugins and call them. Data goes to stdout, everything else to stderr."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    prepare_streams()
    ours = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    as_json = "--json" in ours
    try:
        # Not click's own way out, which knows nothing of our exit codes; but when nobody reads our standard output any
        # more, it ends us with code 1, and there is no one to tell.
        raise SystemExit(cli(prog_name="plugin-run", standalone_mode=False))
    except click.Abort:
        leave(KeyboardInterrupt(), as_json=as_json)
    except click.ClickException as error:
        leave(error, as_json=as_json)
    finally:
        let_go_of_streams()


if __name__ == "__main__":
    main()
