"""What may be wrong in a Python text: its syntax, what pyflakes finds, and two rules of our own.

Edits are offered only where they cannot change what the program does. A line with ``# noqa`` is left alone.
"""

from __future__ import annotations

import ast
import re
import sys
import threading
import warnings
from collections.abc import Iterator

from pyflakes import messages
from pyflakes.checker import Checker

from contract import Diagnostic, Edit

_LINE_END = re.compile(r"(\r\n|\r|\n)")
_NOQA = re.compile(r"#\s*noqa\b", re.IGNORECASE)
_ERRORS = (messages.UndefinedName, messages.UndefinedLocal, messages.UndefinedExport, messages.DuplicateArgument)
_IMPORTED_FOR_EFFECT = {"antigravity", "readline", "rlcompleter", "this"}

# Warnings are caught in a place that all threads share.
_one_at_a_time = threading.Lock()


class Source:
    """A text, its lines with their ends, and its tree; ``problem`` says why there is no tree."""

    def __init__(self, text: str) -> None:
        parts = [*_LINE_END.split(text), ""]
        self.lines = ["".join(parts[at : at + 2]) for at in range(0, len(parts), 2)]
        self.tree: ast.Module | None = None
        self.problems: list[Diagnostic] = []
        with _one_at_a_time, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.tree = ast.parse(text)
            except SyntaxError as error:
                place = (error.lineno or 1, max(error.offset or 1, 1))
                self.problems.append(self._diagnostic(place, "error", error.msg, "syntax"))
            except (ValueError, RecursionError, MemoryError) as error:
                message = f"this cannot be parsed: {str(error) or 'it is nested too deeply'}"
                self.problems.append(self._diagnostic((1, 1), "error", message, "syntax"))
        for warning in caught:
            self.problems.append(self._diagnostic((warning.lineno, 1), "warning", str(warning.message), "syntax"))

    def place(self, line: int, byte: int) -> tuple[int, int]:
        """The place of a node: Python counts its column from 0, in bytes of UTF-8."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return line, len(text.encode()[:byte].decode(errors="ignore")) + 1

    def is_silenced(self, line: int) -> bool:
        return line <= len(self.lines) and _NOQA.search(self.lines[line - 1]) is not None

    @staticmethod
    def _diagnostic(place: tuple[int, int], severity: str, message: str, code: str) -> Diagnostic:
        return _diagnostic(place, severity, message, code)


def check(source: Source, *, is_package: bool = False) -> list[Diagnostic]:
    """Everything that is found, but not on lines that are silenced.

    In a package's ``__init__.py`` no import is taken away: others may import the name from there.
    """
    found = list(source.problems)
    if source.tree is not None:
        for rule in (pyflakes_messages, comparisons_with_none, mutable_defaults):
            found += rule(source, source.tree)
    for diagnostic in found:
        if is_package and diagnostic.get("code") == messages.UnusedImport.__name__:
            diagnostic.pop("edits", None)
    return [diagnostic for diagnostic in found if not source.is_silenced(diagnostic["line"])]


def pyflakes_messages(source: Source, tree: ast.Module) -> Iterator[Diagnostic]:
    for message in Checker(tree).messages:
        if isinstance(message, messages.UnusedImport) and _is_offered_again(tree, message):
            continue
        severity = "error" if isinstance(message, _ERRORS) else "warning"
        text = message.message % message.message_args
        found = _diagnostic(source.place(message.lineno, message.col), severity, text, type(message).__name__)
        if isinstance(message, messages.UnusedImport):
            edit = _without_import(source, tree, message.lineno)
            if edit is not None:
                found["edits"] = [edit]
        yield found


def _is_offered_again(tree: ast.Module, message: messages.UnusedImport) -> bool:
    """Is it ``import x as x``? That says: others may import x from here."""
    name = message.message_args[0].rpartition(".")[2]
    statement = next((node for node in tree.body if node.lineno == message.lineno), None)
    names = statement.names if isinstance(statement, ast.Import | ast.ImportFrom) else []
    return any(alias.asname == alias.name == name for alias in names)


def _without_import(source: Source, tree: ast.Module, line: int) -> Edit | None:
    """The edit that takes an import away, where it surely has no effect but its name.

    That is: a statement of the module's own, with one name, alone on its lines, from the standard library. Importing
    anything else may register something somewhere.
    """
    statement = next((node for node in tree.body if node.lineno == line), None)
    if isinstance(statement, ast.Import):
        module = statement.names[0].name
    elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        module = statement.module
    else:
        return None
    top = module.partition(".")[0]
    end = statement.end_lineno or line
    before = source.lines[line - 1].encode()[: statement.col_offset]
    behind = source.lines[end - 1].encode()[statement.end_col_offset :]
    is_safe = top in sys.stdlib_module_names and top not in _IMPORTED_FOR_EFFECT
    if len(statement.names) != 1 or not is_safe or before.strip() or behind.strip():
        return None
    return {"line": line, "column": 1, "length": sum(map(len, source.lines[line - 1 : end])), "text": ""}


def comparisons_with_none(source: Source, tree: ast.Module) -> Iterator[Diagnostic]:
    """``x == None`` asks x; ``x is None`` is what is meant.

    The edit is offered where the answer is used as a condition. Elsewhere the asking may be the point: tables of data
    answer ``column == None`` with another table.
    """
    conditions = _conditions(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            if isinstance(operator, ast.Eq | ast.NotEq) and (_is_none(left) or _is_none(right)):
                wrong, better = ("==", "is") if isinstance(operator, ast.Eq) else ("!=", "is not")
                place = source.place(left.lineno, left.col_offset)
                found = _diagnostic(place, "warning", f"compare with None by `{better}`", "none-comparison")
                edit = _operator_edit(source, left, right, (wrong, better))
                if edit is not None and node in conditions:
                    found["edits"] = [edit]
                yield found


def _operator_edit(source: Source, left: ast.expr, right: ast.expr, change: tuple[str, str]) -> Edit | None:
    """Replaces an operator that stands between two operands, on one line, among blanks and parentheses."""
    if left.end_lineno != right.lineno or left.end_col_offset is None:
        return None
    line, column = source.place(right.lineno, left.end_col_offset)
    between = source.lines[line - 1].encode()[left.end_col_offset : right.col_offset].decode()
    wrong, better = change
    if between.strip(" ()") != wrong:
        return None
    at = between.index(wrong)
    # `x==None` needs blanks to become words.
    before = "" if between[:at].endswith((" ", ")")) else " "
    behind = "" if between[at + 2 :].startswith((" ", "(")) else " "
    return {"line": line, "column": column + at, "length": 2, "text": f"{before}{better}{behind}"}


def _conditions(tree: ast.Module) -> set[ast.expr]:
    """The expressions of which only the truth is used."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
            found.append(node.test)
        elif isinstance(node, ast.comprehension):
            found += node.ifs
    conditions: set[ast.expr] = set()
    while found:
        node = found.pop()
        conditions.add(node)
        if isinstance(node, ast.BoolOp):
            found += node.values
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            found.append(node.operand)
    return conditions


def mutable_defaults(source: Source, tree: ast.Module) -> Iterator[Diagnostic]:
    """A list, dict or set as a default is one for all calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                if isinstance(default, ast.List | ast.Dict | ast.Set):
                    place = source.place(default.lineno, default.col_offset)
                    message = "all calls share this default: make it None, and a new one inside"
                    yield _diagnostic(place, "warning", message, "mutable-default")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _diagnostic(place: tuple[int, int], severity: str, message: str, code: str) -> Diagnostic:
    found: Diagnostic = {
        "line": place[0],
        "column": place[1],
        "severity": "error" if severity == "error" else "warning",
        "message": message,
        "code": code,
    }
    return found
