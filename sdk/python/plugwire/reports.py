"""What a plugin tells besides its answers: log records and progress. Spec LOG-01 and CAL-25 to CAL-26.

Owns: what is left out when the host does not keep up, and that telling never fails the one who tells. Does not own:
when progress may be sent (requests.py).
"""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .wire import LocalProtocolError, RequestId

if TYPE_CHECKING:
    from .runtime import Runtime

LOSSY_BACKLOG = 8 * 1024 * 1024
"""Bytes not yet taken by the host above which log records and progress are left out rather than queued."""
_LONGEST_MESSAGE = 65536


class Reports:
    """Log records and progress of one connection. All methods belong to the loop's thread."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._left_out = 0

    def log(self, level: str, message: str, data: dict[str, Any]) -> None:
        """A log record; on standard error where the host takes none, or not this one."""
        params: dict[str, Any] = {"level": level, "message": message[:_LONGEST_MESSAGE]}
        if data:
            params["data"] = data
        if not self._runtime.terms.takes_log or not self._send("log/write", params):
            StandardErrorLog.write_log(level, message, data)

    def progress(self, token: RequestId, value: dict[str, Any]) -> None:
        self._send("$/progress", {"token": token, "value": value})

    def _send(self, method: str, params: dict[str, Any]) -> bool:
        """False for what cannot be sent at all."""
        connection = self._runtime.connection
        if connection.closed:
            return False
        if connection.backlog > LOSSY_BACKLOG:
            self._left_out += 1
            return True
        if self._left_out:
            left_out, self._left_out = self._left_out, 0
            self.log("warning", f"{left_out} log records or progress were left out", {})
        try:
            data = self._runtime.peer.send_notification(method, params)
        except (LocalProtocolError, TypeError, ValueError, OverflowError, RecursionError):
            return False
        connection.send(data)
        return True


class StandardErrorLog:
    """Log records while there is no host."""

    @staticmethod
    def write_log(level: str, message: str, data: dict[str, Any]) -> None:
        print_to_stderr(" ".join([f"{level}: {message}", *(f"{name}={value!r}" for name, value in data.items())]))


def print_to_stderr(line: str) -> None:
    """Standard error belongs to people; the host forwards it (LOG-04). Where nobody reads it, nothing is lost."""
    with suppress(OSError, ValueError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def print_exception(error: BaseException) -> None:
    print_to_stderr("".join(traceback.format_exception(error)).rstrip("\n"))
