"""What to do about a start that failed, where what is known of it says more than the one who gave it up could know.

Owns: words. Each hint is one line and never empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from plugwire.wire import Arrival, Deviation, ErrorCode, MessageIgnored, MessageRejected

from .errors import Stage, StartupReport
from .reporting import STDOUT_HINT

LINE_FRAMING = (
    'it writes a message a line: give --framing line, or framing = "line" in plugin.toml; or write a Content-Length '
    "header before each message"
)
SAYS_WHY = "what it wrote usually says why; run the command by hand to see more"
NO_ANSWER_AMONG_THEM = "see the step answers: what it wrote was no answer to initialize"
HEADER_FRAMING = 'it writes Content-Length headers: leave out --framing line, and framing = "line"'
BROKEN_FRAME = (
    "Content-Length counts the bytes of the body in UTF-8, not its characters; and a frame is written whole, with "
    "nothing in between"
)
ONE_ANSWER = "send one answer to each request, with its id just as it came, and either result or error"
GOOD_JSON = f"it wrote what is no message: {BROKEN_FRAME}"

_BY_STAGE: dict[Stage, str] = {
    "executable": "check the spelling; a path that does not begin with / starts at {cwd}",
    "permission": "look at the rights of the file and of its folders with ls -l",
    "architecture": "get the program for this machine",
    "interpreter": "mend the file's first line, or name its interpreter in the command",
    "cwd": "make the folder, or mend cwd",
    "spawn": "see the system's limits",
}
_HEADER_LINES_ONLY = re.compile(rb"(Content-Length: [0-9]+\r\n)+")


def hint_of(report: StartupReport) -> str:
    """The best hint for a start that failed."""
    if report.stray_stdout:
        better = stray_hint(report.stray_stdout)
        if better != STDOUT_HINT and report.hint in ("", STDOUT_HINT):
            return better
    return report.hint or _BY_STAGE.get(report.stage, "plugin-run doctor tries it step by step").format(cwd=report.cwd)


def stray_hint(stray: bytes) -> str:
    """What bytes that are no frame look like."""
    if stray.lstrip().startswith((b"{", b"[{")):
        return LINE_FRAMING
    if _HEADER_LINES_ONLY.fullmatch(stray):
        return HEADER_FRAMING
    if re.match(rb"(?i)content-length *:", stray):
        return BROKEN_FRAME
    return STDOUT_HINT


def oddity_hint(oddities: Iterable[Arrival[Any]]) -> str:
    """How to mend the first of the messages that were no good."""
    for arrival in oddities:
        match arrival:
            case MessageRejected(code=ErrorCode.PARSE_ERROR):
                return GOOD_JSON
            case MessageRejected() if "MSG-27" not in arrival.reason:
                return "mend what it says: chapter 2 of the spec tells what a message looks like"
            case MessageIgnored() | MessageRejected():
                return ONE_ANSWER
            case Deviation():
                return "write frames exactly as FRM-01 says; stricter readers than this one refuse others"
    return ONE_ANSWER
