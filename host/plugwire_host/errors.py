"""What goes wrong between a host and the programs that it launches.

PlugwireError                   plugwire.wire.errors draws the other branches
└─ HostError
   ├─ ConfigError               a file says something that cannot be used (MAN-04, MAN-07): path, line, problem
   │  └─ ManifestError          that file is a plugin.toml
   ├─ StartupFailed             a plugin did not become ready (LIF-10); ``report`` holds all that is known
   │  ├─ IncompatibleVersion    it speaks another major version (LIF-06)
   │  └─ RequirementUnmet       nobody provides a service that it requires
   └─ PluginExited              a plugin that was ready has ended: plugin, status
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from plugwire.wire.errors import PlugwireError

Stage: TypeAlias = Literal[
    "executable",
    "permission",
    "architecture",
    "interpreter",
    "cwd",
    "spawn",
    "exited",
    "noise",
    "timeout",
    "handshake",
    "version",
    "requires",
    "hooks",
    "protocol",
]
"""How far a launch came."""

_NEVER_RAN: frozenset[Stage] = frozenset({"executable", "permission", "architecture", "interpreter", "cwd", "spawn"})
_STDERR_LINES = 20
_STRAY_BYTES = 200


class HostError(PlugwireError):
    """Something that concerns the host and its plugins rather than one call."""


class ConfigError(HostError):
    """A file cannot be used. ``line`` counts from 1; it is None where no one line is to blame (MAN-04, MAN-07)."""

    def __init__(self, path: Path, line: int | None, problem: str) -> None:
        super().__init__(path, line, problem)
        self.path = path
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        where = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return printable(f"{where}: {self.problem}")


class ManifestError(ConfigError):
    """A plugin.toml cannot be used."""


@frozen(kw_only=True)
class StartupReport:
    """All that is known of a launch that failed (LIF-10).

    ``resolved`` is the file that was run, None when there is none. ``status`` is the exit code or signal in words, None
    for a process that was still running or never ran. ``stderr_tail`` are the last lines of standard error and
    ``stray_stdout`` the first bytes on standard output that are not the protocol's. ``elapsed`` is in seconds.
    """

    plugin: str
    argv: tuple[str, ...]
    resolved: str | None
    cwd: str
    status: str | None = None
    stderr_tail: tuple[str, ...] = ()
    stray_stdout: bytes = b""
    elapsed: float = 0.0
    cause: str
    hint: str = ""
    stage: Stage

    def __str__(self) -> str:
        facts = [
            ("command", shlex.join(self.argv)),
            ("resolved", self.resolved or "not found"),
            ("cwd", self.cwd),
            ("cause", self.cause),
            ("exit", self._exit()),
        ]
        facts += _column("stderr", self.stderr_tail[-_STDERR_LINES:])
        facts += _column("stdout", hexdump(self.stray_stdout[:_STRAY_BYTES]))
        if self.hint:
            facts.append(("hint", self.hint))
        lines = [f"plugin {self.plugin!r} did not start"]
        lines += [f"  {name + ':' if name else '':<10}{printable(fact)}" for name, fact in facts]
        return "\n".join(lines)

    def _exit(self) -> str:
        if self.stage in _NEVER_RAN:
            return "it never ran"
        return f"{self.status or 'still running'} after {self.elapsed:.2f} s"


class StartupFailed(HostError):
    """A plugin did not become ready. Its text is the report, one fact a line, harmless to a terminal."""

    def __init__(self, report: StartupReport) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return str(self.report)


class IncompatibleVersion(StartupFailed):
    """The plugin speaks another major version of the protocol (LIF-05, LIF-06)."""


class RequirementUnmet(StartupFailed):
    """A service that the plugin requires is not there."""


class PluginExited(HostError):
    """A plugin has ended; ``status`` says how, such as ``signal SIGSEGV``."""

    def __init__(self, plugin: str, status: str) -> None:
        super().__init__(plugin, status)
        self.plugin = plugin
        self.status = status

    def __str__(self) -> str:
        return f"plugin {self.plugin!r} has ended: {self.status}"


def printable(text: str) -> str:
    """The text without what a terminal would obey (LOG-06): control characters become their escapes; a tab stays."""
    if text.isprintable():
        return text
    return "".join(
        char if char == "\t" or char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def hexdump(data: bytes) -> list[str]:
    """Lines of 16 bytes in the manner of ``hexdump -C``."""
    lines = []
    for offset in range(0, len(data), 16):
        row = data[offset : offset + 16]
        halves = f"{row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}"
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        lines.append(f"{offset:08x}  {halves}  |{text}|")
    return lines


def _column(name: str, lines: tuple[str, ...] | list[str]) -> list[tuple[str, str]]:
    return [(name if number == 0 else "", line) for number, line in enumerate(lines)]
