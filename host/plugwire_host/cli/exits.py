"""The exit codes of ``plugin-run``, and how an error is told: for people, or as one JSON line with ``--json``."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import click

from plugwire.wire import (
    CallCycle,
    DeadlineExceeded,
    InvalidParams,
    Overloaded,
    PluginCrashed,
    PluginUnavailable,
    PlugwireError,
    RequestError,
)

from ..errors import ConfigError, StartupFailed
from .output import say

OK = 0
UNEXPECTED = 1
USAGE = 2
NOT_STARTED = 3
PROTOCOL = 4
ANSWERED_ERROR = 5
TIMEOUT = 6
DIED = 7
BAD_CONFIG = 8
INTERRUPTED = 130

_PROTOCOL_STAGES = frozenset({"noise", "handshake", "version", "protocol"})
_NAMES = {
    UNEXPECTED: "unexpected",
    USAGE: "usage",
    NOT_STARTED: "start_failed",
    PROTOCOL: "protocol_violation",
    ANSWERED_ERROR: "error_response",
    TIMEOUT: "timeout",
    DIED: "plugin_died",
    BAD_CONFIG: "bad_config",
    INTERRUPTED: "interrupted",
}
# The message of these says all that stands in their data.
_SAYS_IT_ALL = (CallCycle, DeadlineExceeded, Overloaded, PluginCrashed, PluginUnavailable)


def exit_code(error: BaseException) -> int:
    """The exit code that stands for an error."""
    match error:
        case click.ClickException():
            return USAGE
        case ConfigError():
            return BAD_CONFIG
        case StartupFailed():
            return PROTOCOL if error.report.stage in _PROTOCOL_STAGES else NOT_STARTED
        case DeadlineExceeded():
            return TIMEOUT
        case PluginCrashed():
            return PROTOCOL if "broke the protocol" in str(_member(error, "status")) else DIED
        case PluginUnavailable():
            return NOT_STARTED
        case RequestError():
            return PROTOCOL if _member(error, "violation") is not None else ANSWERED_ERROR
        case KeyboardInterrupt():
            return INTERRUPTED
        case _:
            return UNEXPECTED


def describe(error: BaseException) -> dict[str, Any]:
    """An error as the object of ``--json``: always ``code``, ``message``, ``plugin`` and ``hint``; None is unknown."""
    described: dict[str, Any] = {"code": _NAMES[exit_code(error)], "message": str(error), "plugin": None, "hint": None}
    match error:
        case click.ClickException():
            ctx = error.ctx if isinstance(error, click.UsageError) else None
            hint = f"see {ctx.command_path if ctx is not None else 'plugin-run'} --help"
            described.update(message=error.format_message(), hint=hint)
        case StartupFailed(report=report):
            described.update(plugin=report.plugin, message=report.cause, hint=report.hint, stage=report.stage)
            described.update(command=list(report.argv), resolved=report.resolved, cwd=report.cwd, status=report.status)
            described.update(stderr=list(report.stderr_tail), stdout=report.stray_stdout.decode("latin-1"))
        case RequestError():
            plugin = _member(error, "instance")
            described.update(message=error.message, plugin=plugin if isinstance(plugin, str) else None)
            described.update(rpcCode=error.code, data=error.data)
        case KeyboardInterrupt():
            described.update(message="interrupted")
        case _ if not isinstance(error, PlugwireError | OSError | ValueError):
            described.update(message=f"{type(error).__name__}: {error}")
    return described


def text_of(error: BaseException) -> list[str]:
    """An error in lines for people."""
    match error:
        case StartupFailed(report=report):
            return str(report).splitlines()  # its facts are escaped already
        case InvalidParams():
            problems = _member(error, "problems")
            return [str(error), *(_problems(problems, error.message) if isinstance(problems, list) else _data(error))]
        case RequestError():
            return [str(error), *_data(error)]
        case PlugwireError() | OSError() | ValueError():
            return [str(error) or type(error).__name__]
        case _:
            return [f"{type(error).__name__}: {error}"]


def _problems(problems: list[Any], message: str) -> list[str]:
    """What the message does not say already."""
    told = [f"{p.get('path')}: {p.get('message')}" if isinstance(p, dict) else str(p) for p in problems]
    return [] if told == [message] else [f"  {line}" for line in told]


def _data(error: RequestError) -> list[str]:
    if error.data is None or isinstance(error, _SAYS_IT_ALL):
        return []
    return [f"  data: {json.dumps(error.data, ensure_ascii=False)}"]


def _member(error: RequestError, name: str) -> Any:
    return error.data.get(name) if isinstance(error.data, dict) else None


def leave(error: BaseException, *, as_json: bool) -> NoReturn:
    """Tell an error on standard error and end with its code."""
    code = exit_code(error)
    if as_json:
        say(json.dumps({"error": describe(error)}))
    elif isinstance(error, click.ClickException):
        error.show()
    elif code == INTERRUPTED:
        say("interrupted")
    else:
        first, *rest = text_of(error)
        say(f"error: {first}", *rest)
    raise SystemExit(code)
