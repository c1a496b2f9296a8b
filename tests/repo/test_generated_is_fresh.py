"""What is generated from the model is checked in, up to date, and clean."""

import json
import shutil
from pathlib import Path

import pytest

from tests.repo.repository import ROOT, run_python

GENERATED_PYTHON = ["sdk/python/plugwire/wire/_codes.py", "sdk/python/plugwire/types/_generated.py"]
GENERATED_ELSEWHERE = [
    *GENERATED_PYTHON,
    "host/plugwire_host/supervision/protocol.schema.json",
    "conformance/plugwire_conformance/protocol.schema.json",
    "conformance/plugwire_conformance/requirements.json",
]


def codegen(*arguments: str) -> tuple[int, str, str]:
    done = run_python(str(ROOT / "sdk/codegen"), *arguments)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the spec and of what is generated from it."""
    shutil.copytree(ROOT / "spec", tmp_path / "spec")
    for name in GENERATED_ELSEWHERE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def replace_in_model(root: Path, old: str, new: str) -> None:
    path = root / "spec/model/protocol.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_everything_generated_is_up_to_date() -> None:
    assert codegen("--check") == (0, "", "")


def test_a_changed_code_makes_the_generated_files_stale_until_they_are_made_again(copy: Path) -> None:
    replace_in_model(copy, '"code": -32013', '"code": -32019')
    stale = "stale: sdk/python/plugwire/wire/_codes.py\nstale: spec/05-errors.md\n"
    assert codegen("--check", "--root", str(copy)) == (1, stale, "")
    assert codegen("--root", str(copy)) == (0, stale, "")
    assert "    OVERLOADED = -32019  # " in (copy / "sdk/python/plugwire/wire/_codes.py").read_text(encoding="utf-8")
    assert codegen("--check", "--root", str(copy)) == (0, "", "")


def test_a_schema_whose_method_is_gone_is_removed(copy: Path) -> None:
    gone = copy / "spec/schema/messages/gone.params.json"
    gone.write_text("{}", encoding="utf-8")
    assert codegen("--check", "--root", str(copy)) == (1, "stale: spec/schema/messages/gone.params.json\n", "")
    assert codegen("--root", str(copy))[0] == 0
    assert not gone.exists()


def test_a_model_that_breaks_a_rule_generates_nothing(copy: Path) -> None:
    replace_in_model(copy, '"code": -32013', '"code": -32014')
    before = {path: path.read_bytes() for path in copy.rglob("*.*") if path.is_file()}
    message = "spec/model/protocol.json: the code -32014 occurs 2 times\n"
    assert codegen("--root", str(copy)) == (1, "", message)
    assert before == {path: path.read_bytes() for path in copy.rglob("*.*") if path.is_file()}


def test_a_member_given_twice_in_the_model_is_refused(copy: Path) -> None:
    replace_in_model(copy, '"protocolVersion": "1.0",', '"protocolVersion": "1.0", "protocolVersion": "1.1",')
    code, _, error = codegen("--check", "--root", str(copy))
    assert code == 1
    assert error.endswith("the member 'protocolVersion' occurs twice in one object\n")


def test_generated_python_is_clean_without_a_formatter() -> None:
    check = run_python("-m", "ruff", "check", "--no-cache", *GENERATED_PYTHON)
    assert (check.returncode, check.stdout) == (0, "All checks passed!\n")
    formatted = run_python("-m", "ruff", "format", "--check", "--no-cache", *GENERATED_PYTHON)
    assert formatted.returncode == 0, formatted.stdout


def test_generated_types_resolve_with_get_type_hints() -> None:
    program = (
        "import json, typing, plugwire.types._generated as types\n"
        "hints = typing.get_type_hints(types.Meta)\n"
        "print(json.dumps({name: str(hint) for name, hint in hints.items()}))\n"
        "[typing.get_type_hints(item) for item in vars(types).values() if typing.is_typeddict(item)]\n"
    )
    done = run_python("-c", program)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "from": "<class 'str'>",
        "parent": "int | str",
        "deadlineMs": "<class 'int'>",
        "progress": "int | str",
        "traceparent": "<class 'str'>",
        "tracestate": "<class 'str'>",
    }
