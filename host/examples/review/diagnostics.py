"""What plugins say of a document: the contract `review` on the application's side (README.md).

Owns: reading a plugin's answer without believing it. Does not own: whether a place lies in the document (documents.py).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SEVERITIES = ("error", "warning", "info")


class NotADiagnostic(ValueError):
    """A plugin's answer does not fit the contract."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces ``length`` characters from a place on. Lines and columns count from 1, columns in code points."""

    line: int
    column: int
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One remark of one plugin. Its edits belong together: all of them are applied, or none."""

    line: int
    column: int
    severity: str
    message: str
    length: int = 0
    code: str = ""
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic with its document, as the user named it, and the plugin that made it."""

    path: str
    plugin: str
    diagnostic: Diagnostic

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """Findings are shown, and their edits chosen, in this order: the same on every run."""
        found = self.diagnostic
        return (self.path, found.line, found.column, self.plugin, found.message)

    def as_json(self) -> dict[str, Any]:
        told = asdict(self.diagnostic)
        told["edits"] = list(told["edits"])
        return {"path": self.path, "plugin": self.plugin, **told}


def read_diagnostics(result: Any) -> list[Diagnostic]:
    """The diagnostics of ``{"diagnostics": […]}``. Raises NotADiagnostic.

    A plugin is another program, perhaps by somebody else: what it answers is checked here, once, and everything behind
    this function can rely on it.
    """
    return [_diagnostic(told) for told in member(result, "diagnostics", list)]


def _diagnostic(told: Any) -> Diagnostic:
    severity = member(told, "severity", str)
    if severity not in SEVERITIES:
        raise NotADiagnostic(f"a severity is one of {', '.join(SEVERITIES)}, and {severity!r} is not")
    return Diagnostic(
        line=count(told, "line", least=1),
        column=count(told, "column", least=1),
        severity=severity,
        message=member(told, "message", str),
        length=count(told, "length", least=0) if "length" in told else 0,
        code=member(told, "code", str) if "code" in told else "",
        edits=tuple(_edit(edit) for edit in member(told, "edits", list)) if "edits" in told else (),
    )


def _edit(told: Any) -> Edit:
    return Edit(
        line=count(told, "line", least=1),
        column=count(told, "column", least=1),
        length=count(told, "length", least=0),
        text=member(told, "text", str),
    )


def member(told: Any, name: str, kind: type) -> Any:
    """A member of a JSON object. ``type`` and not ``isinstance``: True is an int in Python, but not in JSON."""
    value = told.get(name) if isinstance(told, dict) else None
    if type(value) is not kind:
        raise NotADiagnostic(f"the member {name!r} was expected to be a {kind.__name__}, and it is {value!r:.100}")
    return value


def count(told: Any, name: str, *, least: int) -> int:
    value: int = member(told, name, int)
    if value < least:
        raise NotADiagnostic(f"the member {name!r} is at least {least}, and {value} is less")
    return value
