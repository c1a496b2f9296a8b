"""What happens to plugins, in lines on standard error: for people, while a command runs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable

from ..errors import StartupFailed
from ..events import HostEvent, PluginEnded, PluginFailed, PluginLogged, PluginReady, PluginRestarting
from ..reporting import STDOUT_HINT
from ..supervision.launching import REPORT_STDERR_LINES
from ..supervision.records import PluginRecord
from .exits import describe, text_of
from .output import say


class Teller:
    """Says what the user wants to hear. ``quiet`` leaves out the lifecycle and records below warning.

    Until ``started`` each plugin's last lines are held back: what stands in the report of a start that fails is said
    once. With ``verbose`` everything is said at once. Without ``reports`` a start that
    fails is only mentioned: what the command prints says more.
    """

    def __init__(self, *, quiet: bool, verbose: bool, as_json: bool, reports: bool) -> None:
        self._quiet = quiet and not verbose
        self._verbose = verbose
        self._as_json = as_json
        self._reports = reports or verbose
        self._starting = True
        self._held: dict[str, deque[str]] = {}

    def tell(self, event: HostEvent) -> None:
        if self._starting and isinstance(event, PluginFailed):
            return  # its report comes
        if isinstance(event, PluginReady):
            self._let_go(event.plugin)
        line = self._line(event)
        if line is None:
            return
        if self._starting and not self._verbose and isinstance(event, PluginLogged) and event.source != "log":
            self._hold(event.plugin, line)
        else:
            say(line)

    def started(self, plugins: Iterable[PluginRecord], *, raised: BaseException | None = None) -> None:
        """Every start has ended, one way or the other: warn of those that failed, but not of what was ``raised``."""
        self._starting = False
        failures = []
        for record in plugins:
            if isinstance(record.failure, StartupFailed):
                failures.append(record.failure)
                self._let_go(record.name, record.failure)
            else:
                self._let_go(record.name)
        failures = [failure for failure in failures if failure is not raised]
        if self._reports or raised is not None:
            for failure in failures:
                self._warn(failure)
        elif failures and not self._as_json:
            names = ", ".join(failure.report.plugin for failure in failures)
            say(f"warning: did not start: {names}; plugin-run doctor says what to mend")

    def _warn(self, failure: StartupFailed) -> None:
        if self._as_json:
            say(json.dumps({"warning": describe(failure)}))
        else:
            first, *rest = text_of(failure)
            say(f"warning: {first}", *rest)

    def _hold(self, plugin: str, line: str) -> None:
        held = self._held.setdefault(plugin, deque())
        held.append(line)
        if len(held) > REPORT_STDERR_LINES:
            say(held.popleft())

    def _let_go(self, plugin: str, failure: StartupFailed | None = None) -> None:
        """Say what was held back, but for what stands in the report of a failure."""
        told = set() if failure is None else {f"{plugin} | {line}" for line in failure.report.stderr_tail}
        for line in self._held.pop(plugin, ()):
            is_stray_output = failure is not None and line.endswith(STDOUT_HINT)
            if line not in told and not is_stray_output:
                say(line)

    def _line(self, event: HostEvent) -> str | None:
        match event:
            case PluginLogged(source="stderr"):
                return f"{event.plugin} | {event.message}"
            case PluginLogged():
                details = " ".join(f"{key}={value}" for key, value in event.data.items())
                return (
                    f"{event.plugin}: {event.level}: {event.message} {details}".rstrip() if self._wants(event) else None
                )
            case PluginReady() if not self._quiet:
                return f"{event.plugin}: ready (pid {event.pid}, version {event.version})"
            case PluginEnded(asked=True) if not self._quiet:
                return f"{event.plugin}: ended ({event.status})"
            case PluginEnded(asked=False):
                return f"{event.plugin}: ended by itself ({event.status})"
            case PluginRestarting() if not self._quiet:
                return f"{event.plugin}: will be started again in {event.delay:.1f} s (restart {event.attempt})"
            case PluginFailed() if not self._quiet:
                return f"{event.plugin}: failed: {event.reason}"
        return None

    def _wants(self, event: PluginLogged) -> bool:
        return self._verbose or event.level in ("warning", "error") or (event.level == "info" and not self._quiet)
