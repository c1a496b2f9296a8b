"""python: what is wrong in a Python document, and where its strings are."""

from __future__ import annotations

import ast
from typing import TypedDict

import python_rules
from contract import CheckResult, Latest
from plugwire import Context, Plugin
from python_rules import Source

plugin = Plugin("python", version="1.0.0")
sources = Latest(Source)


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


def _docstrings(tree: ast.Module) -> list[ast.expr]:
    """The strings that stand alone as statements: docstrings, and those that document a name above them."""
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return [node.value for node in statements if isinstance(node.value, ast.Constant)]


def _string(source: Source, node: ast.expr, docstring: bool) -> String:
    line, column = source.place(node.lineno, node.col_offset)
    end_line, end_column = source.place(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return {"line": line, "column": column, "endLine": end_line, "endColumn": end_column, "docstring": docstring}


plugin.run()
