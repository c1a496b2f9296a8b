"""style: blanks, tabs and line ends. Its handlers are plain functions, which the SDK runs in threads.

In a thread a handler may block, and it calls with ``call_blocking``. Several requests are worked on at the same time,
so what they share has to be safe in threads; here they share nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from contract import CheckResult, Diagnostic, Edit, OpenFile, WillSave
from plugwire import Context, Plugin, RequestError


@dataclass(frozen=True)
class Config:
    """The plugin's configuration in plugins.toml. The SDK refuses one that does not fit, before the plugin starts."""

    line_ends: Literal["lf", "crlf", "keep"] = "lf"


# `python` is asked where the strings are; the plugin starts without it too.
plugin = Plugin("style", version="1.0.0", config=Config, requires={"python": ">=1,<2"}, optional=("python",))

_LINE_END = re.compile(r"(\r\n|\r|\n)")


@dataclass(frozen=True)
class Line:
    """One line; the last one has no end, and no text either where the document ends as it should."""

    number: int
    text: str
    end: str


@plugin.method(idempotent=True)
def check(path: str, ctx: Context) -> CheckResult:
    """Line ends of another kind, blanks at a line's end, tabs in Python, and how the document ends."""
    file: OpenFile = ctx.call_blocking("editor/openFile", {"path": path})
    return {"diagnostics": problems(path, split(file["text"]), ctx)}


# The edits of other plugins may have brought in what `check` would have found.
@plugin.hook("document.willSave")
def tidy(value: WillSave, ctx: Context) -> WillSave | None:
    """The text without what `check` offers to mend."""
    path, text = value["path"], value["text"]
    if text != ctx.call_blocking("editor/openFile", {"path": path})["text"]:
        # A link before this one has changed it, so nobody knows where its strings are: they have to stay as they are.
        lines = split(text)
        edits = _edits([*line_ends(lines, ctx.config.line_ends), *text_end(lines)])
    else:
        edits = _edits(problems(path, split(text), ctx))
    return {"path": path, "text": apply(text, edits)} if edits else None


def problems(path: str, lines: list[Line], ctx: Context) -> list[Diagnostic]:
    """Everything that is wrong in a text that the editor has open."""
    diagnostics = [*line_ends(lines, ctx.config.line_ends), *text_end(lines)]
    if path.endswith(".py"):
        known = lines_that_end_in_a_string(path, ctx)
        inside = known or set()
        # Where nobody knows what is a string, an edit might change one.
        may_edit = known is not None
        diagnostics += trailing_blanks([line for line in lines if line.number not in inside], may_edit)
        diagnostics += tabs([line for line in lines if line.number - 1 not in inside])
    elif not path.endswith(".md"):
        # In Markdown, blanks at a line's end may be a line break; that is for those who read Markdown.
        diagnostics += trailing_blanks(lines, True)
    return diagnostics


def _edits(diagnostics: list[Diagnostic]) -> list[Edit]:
    return [edit for diagnostic in diagnostics for edit in diagnostic.get("edits", [])]


def apply(text: str, edits: list[Edit]) -> str:
    """The text after the edits; of two that overlap, only the one that begins later."""
    starts, at = [0], 0
    for line in split(text):
        at += len(line.text) + len(line.end)
        starts.append(at)
    free = len(text)
    for edit in sorted(edits, key=lambda edit: (edit["line"], edit["column"]), reverse=True):
        start = starts[edit["line"] - 1] + edit["column"] - 1
        if start + edit["length"] <= free:
            text = text[:start] + edit["text"] + text[start + edit["length"] :]
            free = start
    return text


def split(text: str) -> list[Line]:
    """Not ``splitlines``, for which a form feed ends a line as well."""
    parts = [*_LINE_END.split(text), ""]
    return [Line(number, *parts[at : at + 2]) for number, at in enumerate(range(0, len(parts), 2), 1)]


def lines_that_end_in_a_string(path: str, ctx: Context) -> set[int] | None:
    """What stands at the ends of these lines belongs to a string; None where `python` cannot say."""
    try:
        strings = ctx.call_blocking("python/strings", {"path": path})["strings"]
    except RequestError as error:
        ctx.log.info("without the service python, blanks are not taken away", path=path, reason=str(error))
        return None
    return {number for string in strings for number in range(string["line"], string["endLine"])}


def line_ends(lines: list[Line], wanted: str) -> Iterator[Diagnostic]:
    """One diagnostic for the document, with an edit for each line: they are right together or not at all."""
    end = {"lf": "\n", "crlf": "\r\n"}.get(wanted)
    wrong = [line for line in lines if end and line.end and line.end != end]
    if end and wrong:
        first = wrong[0]
        names = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
        message = f"{len(wrong)} of {sum(bool(line.end) for line in lines)} lines do not end with {names[end]}"
        edits = [_edit(line, len(line.text), len(line.end), end) for line in wrong]
        yield _diagnostic(first, len(first.text), message, "line-ends", edits)


def text_end(lines: list[Line]) -> Iterator[Diagnostic]:
    """A document ends with one line end."""
    last = lines[-1]
    written = [line.number for line in lines if line.text.strip()]
    if last.text.strip():
        edit = _edit(last, len(last.text), 0, lines[0].end or "\n")
        yield _diagnostic(last, len(last.text), "the last line has no end", "no-line-end", [edit])
    elif written and written[-1] < len(lines) - 1:
        blank = lines[written[-1] :]
        edit = _edit(blank[0], 0, sum(len(line.text) + len(line.end) for line in blank), "")
        yield _diagnostic(blank[0], 0, "blank lines at the end", "blank-end", [edit])


def trailing_blanks(lines: list[Line], may_edit: bool) -> Iterator[Diagnostic]:
    """Blanks and tabs that nobody sees."""
    for line in lines:
        size = len(line.text.rstrip(" \t"))
        if size < len(line.text):
            edits = [_edit(line, size, len(line.text) - size, "")] if may_edit else []
            yield _diagnostic(line, size, "blanks at the line's end", "trailing-blanks", edits)


def tabs(lines: list[Line]) -> Iterator[Diagnostic]:
    """One diagnostic where some lines are indented with tabs and others with blanks; nobody knows the width."""
    indented = [line for line in lines if line.text.strip() and line.text[0] in " \t"]
    with_tabs = [line for line in indented if "\t" in line.text[: len(line.text) - len(line.text.lstrip())]]
    if with_tabs and len(with_tabs) < len(indented):
        message = f"{len(with_tabs)} of {len(indented)} indented lines are indented with tabs"
        yield _diagnostic(with_tabs[0], 0, message, "tabs", [])


def _edit(line: Line, at: int, length: int, text: str) -> Edit:
    return {"line": line.number, "column": at + 1, "length": length, "text": text}


def _diagnostic(line: Line, at: int, message: str, code: str, edits: list[Edit]) -> Diagnostic:
    found: Diagnostic = {
        "line": line.number,
        "column": at + 1,
        "severity": "warning",
        "message": message,
        "code": code,
    }
    if edits:
        found["edits"] = edits
    return found


plugin.run()
