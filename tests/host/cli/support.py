"""Real ``plugin-run`` processes in a folder of their own, and plugins for them."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any

from attrs import frozen

from tests.host.support import PLUGINS

WAIT = 60.0
"""Seconds that anything may take that is going to happen."""

HONEST = """\
def ask(request):
    raw.answer(request, request.get("params", {}).get("give"))

raw.begin()
raw.serve(ask=ask)
"""


@frozen
class Done:
    """A process that has ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    def error(self) -> dict[str, Any]:
        """The one line of JSON with an error on standard error."""
        (line,) = [line for line in self.err.splitlines() if line.startswith('{"error"')]
        told = json.loads(line)
        assert list(told) == ["error"]
        error: dict[str, Any] = told["error"]
        return error


def plugin_run(*arguments: str, cwd: Path, stdin: str | bytes = "", **env: str) -> Done:
    """Run it to its end, bounded in time."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**env),
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=WAIT,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "plugwire_host.cli.main", *arguments]


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would change the command line's defaults."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PLUGIN_RUN", "PYTHON"))}
    return {**ours, "LC_ALL": "C.UTF-8", **more}


def write_plugin(folder: Path, source: str = HONEST, name: str = "liar") -> str:
    """An executable in the folder, which writes the wire by hand; its path as a shell would give it."""
    head = f"#!{sys.executable} -SE\nimport sys\nsys.path.insert(0, {str(PLUGINS)!r})\nimport raw\n"
    return write_script(folder, head + dedent(source), name)


def write_script(folder: Path, text: str, name: str = "liar") -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    path.chmod(0o755)
    return f"./{name}"


def write_list(folder: Path, text: str, name: str = "plugins.toml") -> None:
    (folder / name).write_text(dedent(text), encoding="utf-8")


class Running:
    """A ``plugin-run`` that runs, in a ``with``; what it says on standard error can be waited for."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self._process = subprocess.Popen(
            command(*arguments),
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Running":
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=WAIT)

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.put(line)
        self._lines.put("")

    def wait_for(self, text: str) -> str:
        """The next line on standard error that holds a text."""
        while True:
            line = self._lines.get(timeout=WAIT)
            assert line, f"it ended without {text!r}: {''.join(self._said)}"
            self._said.append(line)
            if text in line:
                return line

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> Done:
        """Wait for its end."""
        assert self._process.stdout is not None
        out = self._process.stdout.read()
        code = self._process.wait(timeout=WAIT)
        self._reader.join(timeout=WAIT)
        while line := self._lines.get(timeout=WAIT):
            self._said.append(line)
        return Done(code, out, "".join(self._said))


def is_gone(pid: int) -> bool:
    """Whether there is no such process any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
