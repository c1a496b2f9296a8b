"""Sizes, layers and cleanliness of the repository's own code."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repo.repository import ROOT, run

CODE = ["sdk", "host", "conformance"]
LIBRARIES = ["sdk/python", "host/plugwire_host"]


def python_files(folders: list[str]) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def too_long(source: str) -> Iterator[str]:
    """What is too long in a hand-written file that does not say why."""
    module = ast.parse(source)
    head = ast.get_docstring(module) or ""
    if head.startswith("Generated from ") or "long" in head.replace(".", " ").split():
        return
    if len(source.splitlines()) > 300:
        yield f"{len(source.splitlines())} lines"
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > 50:
                yield f"{node.name}: {lines} lines"


def prints(source: str) -> list[int]:
    """The lines on which print is called."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


def test_files_have_at_most_300_lines_and_functions_50_or_say_why() -> None:
    files = python_files(CODE)
    assert files
    found = {str(path.relative_to(ROOT)): list(too_long(path.read_text(encoding="utf-8"))) for path in files}
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ("x = 1\n" * 300, []),
        ("x = 1\n" * 301, ["301 lines"]),
        ("def run():\n" + "    x = 1\n" * 49, []),
        ("async def run():\n" + "    x = 1\n" * 50, ["run: 51 lines"]),
        ('"""It is long because one table stays whole."""\n' + "x = 1\n" * 301, []),
        ('"""Runs along."""\n' + "x = 1\n" * 300, ["301 lines"]),
        ('"""Generated from a model."""\n' + "x = 1\n" * 301, []),
    ],
)
def test_the_rule_on_sizes_fires(source: str, problems: list[str]) -> None:
    assert list(too_long(source)) == problems


def test_library_code_does_not_print() -> None:
    files = [path for path in python_files(LIBRARIES) if ROOT / "host/plugwire_host/cli" not in path.parents]
    found = {str(path.relative_to(ROOT)): prints(path.read_text(encoding="utf-8")) for path in files}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_rule_on_printing_fires() -> None:
    assert prints("x = 1\nprint(x)\nconsole.print(x)\n") == [2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Checks the layers of the packages in a folder, or of the installed ones where it holds none."""
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command is not None
    return run(command, "--no-cache", "--config", str(ROOT / "pyproject.toml"), cwd=folder)


def test_imports_keep_to_the_layers() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "source", "contract"),
    [
        ("plugwire/wire/x.py", "import plugwire.types", "wire ← types ← the SDK ← the host"),
        ("plugwire/types/x.py", "import plugwire_host", "wire ← types ← the SDK ← the host"),
        ("plugwire_host/process/x.py", "import plugwire_host.services", "process ← routing ← services ← host ← cli"),
        ("plugwire/wire/x.py", "import time", "The wire is pure: no I/O, no clock, no logging"),
        ("plugwire_host/routing/x.py", "import msgspec", "Only the codec imports msgspec"),
        ("plugwire_host/services/x.py", "import rich.table", "Only the command line imports click and rich"),
    ],
)
def test_the_rules_on_imports_fire(tmp_path: Path, file: str, source: str, contract: str) -> None:
    for package in ("sdk/python/plugwire", "host/plugwire_host"):
        shutil.copytree(ROOT / package, tmp_path / Path(package).name)
    for package in ("plugwire/types", "plugwire_host/process", "plugwire_host/routing", "plugwire_host/services"):
        (tmp_path / package).mkdir(exist_ok=True)
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / file).write_text(f"{source}\n", encoding="utf-8")
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
