"""Finds the ids that the tests name, and the reasons why some have no test."""

import ast
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path


def read_untested(path: Path) -> dict[str, str]:
    """The ids that no test names, each with the reason."""
    return {name: str(reason) for name, reason in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def marked_ids(files: Iterable[Path]) -> dict[str, list[str]]:
    """The ids in `requirement` markers, each with the places that name it."""
    places: dict[str, list[str]] = {}
    for path in files:
        for name, line in ids_in_source(path.read_text(encoding="utf-8")):
            places.setdefault(name, []).append(f"{path.name}:{line}")
    return places


def ids_in_source(source: str) -> Iterator[tuple[str, int]]:
    """The ids in the `requirement` markers of one file: decorators, pytestmark, and marks of a parameter."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.requirement":
            for argument in node.args:
                # Anything but a literal is kept as it stands, and so is found to be no id.
                yield str(argument.value) if isinstance(argument, ast.Constant) else ast.unparse(argument), node.lineno
