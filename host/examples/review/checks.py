"""Which plugin looks at which document, and what its answer means.

Four plugins speak the contract `review` (README.md). Two never heard of it: a small adapter sends them what they want
and makes diagnostics of what they say, so a plugin that was written for something else can be used as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from diagnostics import Diagnostic, read_diagnostics
from documents import Document
from plugwire import RequestError
from plugwire_host import Host

Run = Callable[[Host, Document], Awaitable[list[Diagnostic]]]
Progress = Callable[[dict[str, Any]], None]
Place = tuple[int, int]
"""Line and column."""

MARKDOWN = (".md",)
PYTHON = (".py",)


@dataclass(frozen=True)
class Check:
    """One call for one document. ``service`` is who is asked; ``suffixes`` for which documents, None for all."""

    service: str
    suffixes: tuple[str, ...] | None
    run: Run

    def wants(self, document: Document) -> bool:
        return self.suffixes is None or document.path.suffix in self.suffixes


def by_contract(method: str) -> Run:
    """A plugin that speaks the contract: it is told the path, and opens the document itself."""

    async def run(host: Host, document: Document) -> list[Diagnostic]:
        return read_diagnostics(await host.call(method, {"path": str(document.path)}))

    return run


async def check_prose(host: Host, document: Document) -> list[Diagnostic]:
    """``prose/check {text}`` → ``{slips: [{line, column, length, message, suggestion}]}``."""
    result = await host.call("prose/check", {"text": document.text, "language": "markdown"})
    # The contract's reader checks these as well, once they have its shape.
    return read_diagnostics({"diagnostics": [_slip_as_diagnostic(slip) for slip in result["slips"]]})


def _slip_as_diagnostic(slip: dict[str, Any]) -> dict[str, Any]:
    place = {name: slip[name] for name in ("line", "column", "length")}
    edit = {**place, "text": slip["suggestion"]}
    return {**place, "severity": "warning", "message": slip["message"], "edits": [edit]}


async def scan_todo(host: Host, document: Document) -> list[Diagnostic]:
    """``todo/scan {text}`` → ``{items: [{line, column, tag, text}]}``.

    A marker in an example is not a thing to do. What is an example, ``markdown`` knows of code blocks and ``python`` of
    strings; where they do not answer, every marker is shown.
    """
    result = await host.call("todo/scan", {"text": document.text})
    items = result["items"]
    examples = await _examples(host, document) if items else []
    told = [
        {
            "line": item["line"],
            "column": item["column"],
            "length": len(item["tag"]),
            "severity": "info",
            "message": f"{item['tag']}: {item['text']}" if item["text"] else item["tag"],
        }
        for item in items
        if not any(start <= (item["line"], item["column"]) < end for start, end in examples)
    ]
    return read_diagnostics({"diagnostics": told})


async def _examples(host: Host, document: Document) -> list[tuple[Place, Place]]:
    """From where to where the document quotes something."""
    params = {"path": str(document.path)}
    try:
        if document.path.suffix in MARKDOWN:
            code = await host.call("markdown/code", params)
            return [((block["line"], 1), (block["endLine"] + 1, 1)) for block in code["blocks"]]
        if document.path.suffix in PYTHON:
            strings = (await host.call("python/strings", params))["strings"]
            quoted = [string for string in strings if not string["docstring"]]
            return [((s["line"], s["column"]), (s["endLine"], s["endColumn"])) for s in quoted]
    except RequestError:
        pass
    return []


CHECKS = (
    Check("markdown", MARKDOWN, by_contract("markdown/check")),
    Check("python", PYTHON, by_contract("python/check")),
    Check("style", None, by_contract("style/check")),
    Check("prose", MARKDOWN, check_prose),
    Check("todo", None, scan_todo),
)

LINKS = Check("links", MARKDOWN, by_contract("links/check"))
"""Asked about many documents at once, with ``check_links``."""

LINKS_BATCH = 50
"""Documents in one call: one call's time and one answer's size have limits."""


async def check_links(host: Host, documents: list[Document], progress: Progress) -> list[tuple[Document, Diagnostic]]:
    """``links/checkAll {paths}`` → ``{files: [{path, diagnostics}]}``, which tells how far it has come."""
    paths = {str(document.path): document for document in documents}
    result = await host.call("links/checkAll", {"paths": list(paths)}, progress=progress)
    return [(paths[file["path"]], diagnostic) for file in result["files"] for diagnostic in read_diagnostics(file)]
