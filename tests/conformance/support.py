"""What the tests of the suite share: its command line as a process, and subjects to run it on."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conformance.mutants.matrix import subject_command

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 100
REFERENCE = subject_command("plugin", None)


def conform(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs plugin-conform as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "plugwire_conformance", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=cwd,
        check=False,
    )


def report_on(*words: str) -> dict[str, Any]:
    """The JSON report of a run."""
    done = conform(*words[:1], "--json", "-", *words[1:])
    report: dict[str, Any] = json.loads(done.stdout)
    return report
