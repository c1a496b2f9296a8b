"""Commands: what is run, and where it is found."""

import os
from pathlib import Path

import pytest

from plugwire_host.process import Command, build_command, describe_status, resolve_executable


def program(path: Path, mode: int = 0o755) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_env_is_added_to_the_environment_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONE", "cold")
    monkeypatch.setenv("KEPT", "yes")
    command = build_command(["x"], env={"TONE": "warm"})
    assert (command.env["TONE"], command.env["KEPT"]) == ("warm", "yes")


def test_the_folder_is_absolute_and_the_present_one_where_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert build_command(["x"]).cwd == tmp_path
    assert build_command(["x"], cwd=Path("tools")).cwd == tmp_path / "tools"


@pytest.mark.requirement("MAN-02")
@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        ([], "a command needs at least the name of a program"),
        ([""], "a command needs at least the name of a program"),
        (["a\0b"], "an argument of a command cannot hold a NUL character"),
        (["a", "\0"], "an argument of a command cannot hold a NUL character"),
        ("rm -rf", "a command is a list of arguments, not a line for a shell"),
    ],
)
def test_a_command_that_no_system_could_run_is_refused(argv: list[str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        build_command(argv)


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "\0")])
def test_a_variable_that_no_system_could_set_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="cannot be set in the environment"):
        build_command(["x"], env={name: value})


def test_the_environment_is_not_shown() -> None:
    assert "secret" not in repr(Command(("x",), Path("/"), {"TOKEN": "secret"}))


def test_a_name_with_a_slash_is_taken_from_the_folder_of_the_command(tmp_path: Path) -> None:
    program(tmp_path / "tool")
    assert resolve_executable(Command(("./tool",), tmp_path, {})) == tmp_path / "tool"
    assert resolve_executable(Command(("tool",), tmp_path, {"PATH": "/nowhere"})) is None


def test_a_name_is_looked_up_in_the_path_of_the_command(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        program(folder / "tool")
    assert resolve_executable(Command(("tool",), tmp_path, {"PATH": f"{first}:{second}"})) == first / "tool"
    assert resolve_executable(Command(("tool",), tmp_path, {"PATH": "second:first"})) == second / "tool"


def test_what_exec_would_pass_over_is_passed_over(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "tool").mkdir(parents=True)
    second.mkdir()
    program(second / "tool")
    path = {"PATH": f"{first}:{second}"}
    assert resolve_executable(Command(("tool",), tmp_path, path)) == second / "tool"
    (second / "tool").unlink()
    assert resolve_executable(Command(("tool",), tmp_path, path)) == first / "tool"


def test_exec_finds_the_same_file(tmp_path: Path) -> None:
    found = resolve_executable(Command(("sh",), tmp_path, {"PATH": os.defpath}))
    assert found is not None
    assert found.name == "sh"


@pytest.mark.parametrize(
    ("returncode", "text"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (255, "exit code 255"),
        (-9, "signal SIGKILL"),
        (-11, "signal SIGSEGV"),
        (-40, "signal 40"),
    ],
)
def test_a_status_is_told_in_words(returncode: int, text: str) -> None:
    assert describe_status(returncode) == text
