"""review: reads documents as an editor would, and shows what its plugins say of them.

    python host/examples/review/review.py [--fix] [--json] [--jobs N] [--state FILE] [--journal FILE] PATH…

An example of an application that embeds ``plugwire_host``. The way through it: review.py (here) starts the host with
the plugins of plugins.toml; editor.py holds the documents and serves them to the plugins; session.py asks the plugins,
through checks.py and copies.py; changes.py tells them what has changed; report.py prints. The contract with the plugins
is in README.md.

The exit code is 0 where nothing was found, 1 where something was, 2 for a wrong use and where no plugin started.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from changes import Changes, ask_before_saving, declare, listening
from editor import TOO_LONG, Editor
from plugwire_host import ConfigError, Host, PluginFailed, PluginLogged
from report import Outcome, Progress, print_json, print_text
from session import Session

NOTHING_FOUND, FOUND, NOT_DONE, INTERRUPTED = 0, 1, 2, 130

PLUGINS = Path(__file__).with_name("plugins.toml")

MOST_ROUNDS = 10
"""How often documents are fixed and asked about again. Edits that overlap have to wait for the next round."""


def main() -> int:
    options = parse_arguments()
    use_own_python()
    progress = Progress()
    editor = Editor()
    try:
        editor.open(options.paths)
        outcome = asyncio.run(review(options, editor, progress))
    except FileNotFoundError as error:
        return refuse(progress, f"there is no file or folder {error}")
    except ConfigError as error:
        return refuse(progress, str(error))
    except KeyboardInterrupt:
        # asyncio.run has cancelled `review` and waited for it, so every plugin has ended in order.
        progress.note("interrupted; nothing was written")
        return INTERRUPTED
    if outcome is None:
        return refuse(progress, "no plugin started, so nothing was reviewed")
    print_json(outcome) if options.json else print_text(outcome)
    return FOUND if outcome.findings else NOTHING_FOUND


async def review(options: argparse.Namespace, editor: Editor, progress: Progress) -> Outcome | None:
    """Start the plugins, ask them, fix what is to be fixed, and end them. None when there is no plugin to ask."""
    for path, reason in editor.left_out.items():
        progress.note(f"left out {path}: {reason}")
    host = Host.from_config(options.plugins, name="review", version="1.0.0", state=options.state)
    # All before the plugins start: they may log, fail and open files at once.
    editor.serve(host)
    declare(host)
    listen(host, progress, verbose=options.verbose)
    refused: dict[str, str] = {}
    async with host, listening(host) as changes:
        session = Session(host, editor, progress, jobs=options.jobs, journal=options.journal)
        if not session.has_plugins:
            return None
        outcome = begin(session, editor, progress)
        outcome.findings = await session.review()
        if options.fix:
            refused = await fix(session, editor, changes, outcome)
        outcome.missing = session.missing
    if options.fix:
        # Last of all, so that a review that does not come to its end changes nothing.
        for path, reason in (refused | editor.save(refused)).items():
            progress.note(f"not written: {path}: {reason}")
            outcome.left_out[path] = f"not written: {reason}"
    return outcome


def begin(session: Session, editor: Editor, progress: Progress) -> Outcome:
    """What can be said before anything is found: which documents are reviewed, and which only in part."""
    if not session.reads_large:
        for path, reason in editor.leave_out_large().items():
            progress.note(f"left out {path}: {reason}")
    for large in editor.large:
        progress.note(f"only copies reads {large.shown}: {TOO_LONG}")
    in_part = [large.shown for large in editor.large]
    return Outcome(len(editor.documents) + len(in_part), left_out=dict(editor.left_out), in_part=in_part)


async def fix(session: Session, editor: Editor, changes: Changes, outcome: Outcome) -> dict[str, str]:
    """Apply edits and ask again, until there is nothing to apply; then let plugins have the last word.

    The plugins see the new texts through ``editor/openFile`` although nothing is on the disk yet. The result is the
    documents that shall not be written, with the reason.
    """
    for _ in range(MOST_ROUNDS):
        fixed = editor.fix(outcome.findings)
        if not fixed:
            break
        outcome.fixed += fixed
        names = {finding.path for finding in fixed}
        await session.tell(changes, [document for document in editor.documents if document.shown in names])
        outcome.findings = await session.review()
    changed, refused = await ask_before_saving(session.host, editor.changed)
    if changed:
        # What is said of a text has to be about the text that is written.
        await session.tell(changes, changed)
        outcome.findings = await session.review()
    return refused


def listen(host: Host, progress: Progress, *, verbose: bool) -> None:
    """Tell the user what happens to plugins. What they print and log is told with --verbose, or if it is serious."""

    def on_failed(event: PluginFailed) -> None:
        progress.note(f"the plugin {event.plugin} does not run, and the review goes on without it: {event.reason}")

    def on_logged(event: PluginLogged) -> None:
        if verbose or event.level in ("warning", "error"):
            progress.note(f"{event.plugin}: {event.message}")

    host.on(PluginFailed, on_failed)
    host.on(PluginLogged, on_logged)


def use_own_python() -> None:
    """Let ``python3`` in plugins.toml be the Python that runs this, in which everything is installed.

    Plugins inherit this process's environment, and the first folder of PATH that has the program wins.
    """
    own = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([own, os.environ.get("PATH", os.defpath)])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="review.py", description="Show what the plugins say of documents.")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder with .md and .py files")
    parser.add_argument("--fix", action="store_true", help="apply the edits that the plugins offer")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--jobs", type=positive, default=8, metavar="N", help="calls at a time (8)")
    parser.add_argument("--plugins", type=Path, default=PLUGINS, metavar="FILE", help="another list of plugins")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep here what plugins have found out")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="say here which documents were compared")
    parser.add_argument("--verbose", action="store_true", help="show all that plugins log and print")
    return parser.parse_args()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def refuse(progress: Progress, problem: str) -> int:
    progress.note(problem)
    return NOT_DONE


if __name__ == "__main__":
    sys.exit(main())
