"""python: what is wrong in a Python document, and where its strings are. It keeps a program from being broken."""

from __future__ import annotations

import ast
import asyncio
from typing import TypedDict

import python_rules
from contract import CheckResult, Latest, WillSave
from plugwire import Context, Plugin, StopHook
from python_rules import Source

plugin = Plugin("python", version="1.0.0")
sources = Latest(plugin, Source)


class String(TypedDict):
    """From where to where a string goes; the end's column is the one behind it."""

    line: int
    column: int
    endLine: int
    endColumn: int
    docstring: bool


class StringsResult(TypedDict):
    strings: list[String]


@plugin.method(idempotent=True)
async def check(path: str, ctx: Context) -> CheckResult:
    """Mistakes of syntax, what pyflakes finds, and a little more."""
    source = await sources.of(path, ctx)
    return {"diagnostics": python_rules.check(source, is_package=path.endswith("__init__.py"))}


@plugin.method(idempotent=True)
async def strings(path: str, ctx: Context) -> StringsResult:
    """The strings of a document, for those who must not take what stands in them for code; none if it has no syntax."""
    source = await sources.of(path, ctx)
    found: list[String] = []
    if source.tree is not None:
        docstrings = set(_docstrings(source.tree))
        for node in ast.walk(source.tree):
            if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                found.append(_string(source, node, node in docstrings))
    return {"strings": found}


# After `style`, whose mistake this would be too; and where it cannot say anything, nothing is written: `fail`.
@plugin.hook("document.willSave", after=("style",), on_error="fail")
async def will_save(value: WillSave, ctx: Context) -> None:
    """Stop a text that does not compile from taking the place of one that does. The value stays as it is."""
    if not value["path"].endswith(".py"):
        return
    problem = await asyncio.to_thread(_why_no_program, value["text"])
    if problem is not None:
        saved = await ctx.call("editor/openFile", {"path": value["path"], "saved": True})
        if await asyncio.to_thread(_why_no_program, saved["text"]) is None:
            raise StopHook(f"the file compiles, and the new text would not: {problem}")


def _why_no_program(text: str) -> str | None:
    source = Source(text)
    if source.tree is not None:
        return None
    found = source.problems[0]
    return f"{found['message']} in line {found['line']}"


def _docstrings(tree: ast.Module) -> list[ast.expr]:
    """The strings that stand alone as statements: docstrings, and those that document a name above them."""
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return [node.value for node in statements if isinstance(node.value, ast.Constant)]


def _string(source: Source, node: ast.expr, docstring: bool) -> String:
    line, column = source.place(node.lineno, node.col_offset)
    end_line, end_column = source.place(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return {"line": line, "column": column, "endLine": end_line, "endColumn": end_column, "docstring": docstring}


plugin.run()
