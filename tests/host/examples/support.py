"""Running the review as its user does, on documents that a test writes, with the plugins that it wants."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

EXAMPLES = Path(__file__).parents[3] / "host" / "examples"
REVIEW = EXAMPLES / "review" / "review.py"
PLUGINS = REVIEW.parent / "plugins"
NO_SDK = EXAMPLES.parents[1] / "sdk" / "examples"

LIMIT = 60.0
"""Seconds that a run may take."""

MANIFESTS = {"prose": NO_SDK / "node-prose" / "plugin.toml", "todo": NO_SDK / "perl-todo" / "plugin.toml"}


def write(folder: Path, **texts: str) -> None:
    """Documents by name, in which ``_`` before the suffix stands for the dot. Their line ends stay as they are."""
    for name, text in texts.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_bytes(text.encode())


def list_plugins(folder: Path, *names: str, **scripts: str) -> Path:
    """A plugins.toml, outside of the folder, with plugins of the review and with others whose source is given.

    ``copies-1`` and ``copies-2`` are two instances of ``copies``.
    """
    place = folder.with_name(f"{folder.name}-plugins")
    place.mkdir(exist_ok=True)
    tables = ["[host]\ncall_timeout = 20.0\n"]
    for name in names:
        key = "manifest" if name in MANIFESTS else "command"
        value = (
            str(MANIFESTS[name])
            if name in MANIFESTS
            else ["python3", str(PLUGINS / f"{name.partition('-')[0]}_plugin.py")]
        )
        tables.append(f"[plugins.{name}]\n{key} = {json.dumps(value)}\n")
    for name, source in scripts.items():
        (place / f"{name}.py").write_text(source, encoding="utf-8")
        tables.append(f'[plugins.{name}]\ncommand = ["python3", "{name}.py"]\nrestart = "never"\n')
    path = place / "plugins.toml"
    path.write_text("".join(tables), encoding="utf-8")
    return path


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-B", str(REVIEW), *map(str, arguments)]


def run_review(
    folder: Path, *arguments: object, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The review, run in a folder."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
    )


def findings(folder: Path, *names: str) -> list[str]:
    """What some plugins of the review say of a folder, as lines of its output without the summary."""
    done = run_review(folder, "--plugins", list_plugins(folder, *names), ".")
    assert notes(done) == []
    lines = done.stdout.splitlines()
    assert done.returncode == (1 if len(lines) > 1 else 0)
    return lines[:-1]


def notes(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines on standard error, without those that only say how far a review is that takes its time."""
    return [line for line in done.stderr.splitlines() if not line.endswith(" checks")]
