"""How a process ended, in words."""

from __future__ import annotations

import signal


def describe_status(returncode: int) -> str:
    """``exit code 3``, or ``signal SIGKILL`` for a negative number, as ``Popen.returncode`` has it."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"signal {signal.Signals(-returncode).name}"
    except ValueError:
        return f"signal {-returncode}"
