"""Where the repository's tests find things, and how they run a tool."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 60.0


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, bounded in time, with its output as text."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT)


def run_python(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs this Python, which leaves no bytecode behind."""
    return run(sys.executable, "-B", *arguments, cwd=cwd)
