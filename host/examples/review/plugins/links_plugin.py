"""links: do the links between Markdown documents lead somewhere? It asks ``markdown`` what stands in a document.

Links into the web are not followed, and neither are those that begin with a slash: where they start is not known here.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import unquote

from contract import CheckResult, Diagnostic
from plugwire import Context, ErrorCode, Plugin, RequestError

# Without a provider of `markdown` in these versions the host does not start this plugin (CAL-10).
plugin = Plugin("links", version="1.0.0", requires={"markdown": ">=1,<2"})

CANNOT_BE_OPENED = 1
"""The editor's own code (README.md), such as for a document that is too long."""

_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/")
_MARKDOWN = (".md", ".markdown")


class FileResult(TypedDict):
    path: str
    diagnostics: list[Diagnostic]


class CheckAllResult(TypedDict):
    files: list[FileResult]


@plugin.method(idempotent=True)
async def check(path: str, ctx: Context) -> CheckResult:
    """The links of one document that lead nowhere."""
    return {"diagnostics": await _Links(ctx).check(path)}


@plugin.method("links/checkAll", idempotent=True)
async def check_all(paths: list[str], ctx: Context) -> CheckAllResult:
    """As ``check``, for many documents; tells after each how far it has come."""
    links = _Links(ctx)
    files: list[FileResult] = []
    for path in paths:
        files.append({"path": path, "diagnostics": await links.check(path)})
        ctx.progress(len(files), len(paths), path)
    return {"files": files}


class _Links:
    """What is found out in the course of one request.

    Every call to others is made on its behalf, through ``ctx``: when it is cancelled, or its time runs out, the host
    cancels them too.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._anchors: dict[str, set[str] | None] = {}

    async def check(self, path: str) -> list[Diagnostic]:
        found = await self._ctx.call("markdown/links", {"path": path})
        diagnostics = [
            _diagnostic(reference, "undefined-reference", f"there is no definition for [{reference['label']}]")
            for reference in found["undefined"]
        ]
        for link in found["links"]:
            if not _ELSEWHERE.match(link["target"]):
                diagnostics += await self._check_link(path, link)
        return diagnostics

    async def _check_link(self, path: str, link: dict[str, Any]) -> list[Diagnostic]:
        target, _, anchor = link["target"].partition("#")
        if not target and not anchor:
            return [] if link["target"] else [_diagnostic(link, "empty-link", "the link leads nowhere")]
        file = _find(Path(path), unquote(target))
        if file is None:
            hint = await self._elsewhere(path, unquote(target))
            return [_diagnostic(link, "missing-file", f"{unquote(target)} does not exist{hint}")]
        if not anchor or file.suffix not in _MARKDOWN:
            return []
        return await self._check_anchor(link, file, unquote(anchor))

    async def _check_anchor(self, link: dict[str, Any], file: Path, anchor: str) -> list[Diagnostic]:
        anchors = await self._anchors_of(str(file))
        if anchors is None or anchor in anchors or anchor == "top":
            return []
        close = difflib.get_close_matches(anchor, sorted(anchors), n=1)
        hint = f"; did you mean #{close[0]}?" if close else ""
        return [_diagnostic(link, "missing-anchor", f"{file.name} has no heading #{anchor}{hint}")]

    async def _anchors_of(self, file: str) -> set[str] | None:
        """Where links into a document can lead; None for one that the editor does not open, so that nobody knows."""
        if file not in self._anchors:
            try:
                found = await self._ctx.call("markdown/headings", {"path": file})
            except RequestError as error:
                # The editor's refusal comes through `markdown` unchanged. Any other error is one of this request, too.
                if error.code not in (ErrorCode.PERMISSION_DENIED, CANNOT_BE_OPENED):
                    raise
                self._ctx.log.debug("its anchors are not known", path=file, reason=error.message)
                self._anchors[file] = None
            else:
                slugs = {heading["slug"] for heading in found["headings"]}
                self._anchors[file] = slugs | {known["name"] for known in found["anchors"]}
        return self._anchors[file]

    async def _elsewhere(self, path: str, missing: str) -> str:
        """A hint at the only document under review that has the missing file's name."""
        name = Path(missing).name
        # The name is a pattern there; one that would match other names is not worth asking for.
        if not name or any(char in name for char in "*?["):
            return ""
        files = (await self._ctx.call("editor/listFiles", {"pattern": name}))["files"]
        if len(files) != 1:
            return ""
        return f"; did you mean {_from(Path(path), files[0])}?"


def _from(document: Path, file: str) -> str:
    """A file as a link in a document names it."""
    return Path(os.path.relpath(file, document.parent)).as_posix()


def _find(document: Path, target: str) -> Path | None:
    """The file or folder that a link in a document leads to."""
    for name in (target, target.partition("?")[0]):
        file = document.parent / name if name else document
        # Not Path.exists: it raises where a name cannot be one of a file at all, because it is too long or has a NUL.
        if os.path.exists(file):  # noqa: PTH110
            return file.resolve()
    return None


def _diagnostic(place: dict[str, Any], code: str, message: str) -> Diagnostic:
    return {
        "line": place["line"],
        "column": place["column"],
        "length": place["length"],
        "severity": "error",
        "message": message,
        "code": code,
    }


plugin.run()
