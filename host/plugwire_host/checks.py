"""The steps of an examination, and what one of them has found. Spec 03."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from .errors import Stage
from .process.ladder import Rung

STEPS = (
    "executable",
    "folder",
    "starts",
    "stdout",
    "handshake",
    "version",
    "requires",
    "ping",
    "unknown method",
    "answers",
    "shutdown",
    "leftovers",
)
STEP_OF_STAGE: dict[Stage, str] = {
    "executable": "executable",
    "permission": "executable",
    "architecture": "executable",
    "interpreter": "executable",
    "cwd": "folder",
    "spawn": "starts",
    "exited": "starts",
    "noise": "stdout",
    "timeout": "handshake",
    "handshake": "handshake",
    "protocol": "handshake",
    "requires": "requires",
    "version": "version",
}
ENDED_BY: dict[Rung, str] = {
    "asked": "it ended when asked, but with {}",
    "input closed": "it did not end on shutdown and exit, but when its standard input was closed ({})",
    "terminated": "it did not end on shutdown and exit, nor with its standard input, but on SIGTERM ({})",
    "killed": "it did not end on shutdown and exit, nor with its standard input, nor on SIGTERM; it was killed",
    "not reaped": "it is still there, though it was killed: the system does not let go of it",
}


@frozen
class Check:
    """One step: what was found, and where it failed, the mend."""

    step: str
    verdict: Literal["ok", "FAIL", "warn", "not reached"]
    found: str = ""
    details: tuple[str, ...] = ()
    hint: str = ""
