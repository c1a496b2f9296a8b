"""Processes: what to run, why it will not run, running it, its standard error, and its end. Spec LIF-14, LOG-03.

    Command → explain → Child.spawn → StderrDrain … stop → StopReport

It knows nothing of the wire, of JSON or of routing: bytes go in and out of pipes, and processes end with a status.
"""

from .child import Child
from .command import Command, build_command, resolve_executable
from .diagnose import Diagnosis, explain
from .exit_status import describe_status
from .ladder import StopReport, stop
from .stderr import StderrDrain

__all__ = [
    "Child",
    "Command",
    "Diagnosis",
    "StderrDrain",
    "StopReport",
    "build_command",
    "describe_status",
    "explain",
    "resolve_executable",
    "stop",
]
