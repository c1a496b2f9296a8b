"""Why a command will not run: each cause by itself, and nothing said against what runs."""

import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugwire_host.process import Child, Command, Diagnosis, binary, explain

from .support import Run, command, let_go, shell

ELF_64 = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)


@pytest.fixture(autouse=True)
def no_interpreters_of_the_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(binary, "_BINFMT_MISC", tmp_path / "binfmt_misc")


@pytest.fixture
def as_nobody(tmp_path: Path) -> Iterator[None]:
    """Without the rights of root, to whom every file is readable."""
    if os.geteuid() != 0:
        yield
        return
    for folder in tmp_path.parents:
        if folder.stat().st_mode & 0o055 != 0o055:
            folder.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def file(path: Path, content: bytes, mode: int = 0o755) -> str:
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def at(folder: Path, *argv: str, path: str = "/usr/bin:/bin") -> Command:
    return Command(argv, folder, {"PATH": path})


def elf(machine: int, loader: bytes = b"") -> bytes:
    """A header with one segment, which names the loader."""
    header = ELF_64 + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1 if loader else 0, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(loader), len(loader), 1) + loader


@pytest.mark.parametrize("run_it", [command(sys.executable, "-c", ""), shell("exit 0"), command("sh"), command("env")])
def test_nothing_is_said_against_what_runs(run_it: Command) -> None:
    assert explain(run_it) is None


def test_a_missing_folder(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    assert explain(at(tmp_path / "tolls", "sh")) == Diagnosis(
        "cwd", f"the folder {tmp_path}/tolls does not exist", "did you mean 'tools'?"
    )


def test_a_file_for_a_folder(tmp_path: Path) -> None:
    file(tmp_path / "tools", b"")
    assert explain(at(tmp_path / "tools", "sh")) == Diagnosis(
        "cwd", f"{tmp_path}/tools is not a folder, so nothing can run in it", "name a folder as cwd"
    )


def test_a_folder_that_may_not_be_entered(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    tmp_path.chmod(0o600)
    request.getfixturevalue("as_nobody")
    found = explain(at(tmp_path, "sh"))
    assert found == Diagnosis("cwd", f"the folder {tmp_path} may not be entered", f"chmod +x {tmp_path}")


def test_a_folder_that_may_not_even_be_looked_at_is_left_to_the_system(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o600)
    tmp_path.chmod(0o755)
    request.getfixturevalue("as_nobody")
    assert explain(at(tmp_path / "closed" / "inner", "sh")) is None


def test_a_program_in_a_folder_that_may_not_be_entered(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "closed").mkdir(0o600)
    tmp_path.chmod(0o755)
    request.getfixturevalue("as_nobody")
    assert explain(at(tmp_path, "./closed/todo")) == Diagnosis(
        "permission",
        f"the folder {tmp_path}/closed may not be entered",
        "let this user read and run it: chmod a+rx, on the folders above it too",
    )


def test_a_missing_program_with_a_similar_one_beside_it(tmp_path: Path) -> None:
    file(tmp_path / "greeter.py", b"#!/bin/sh\n")
    assert explain(at(tmp_path, "./greater.py")) == Diagnosis(
        "executable", f"{tmp_path}/greater.py does not exist", "did you mean 'greeter.py'?"
    )


def test_a_missing_program_in_path(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    file(tmp_path / "bin" / "python3", b"")
    assert explain(at(tmp_path, "pyhton3", path=f"{tmp_path}/bin:/nowhere")) == Diagnosis(
        "executable", "'pyhton3' is in none of the 2 folders of PATH", "did you mean 'python3'?"
    )
    assert explain(at(tmp_path, "zzz", path="/nowhere")) == Diagnosis(
        "executable",
        "'zzz' is in none of the 1 folders of PATH",
        "give the path of the program, or add its folder to PATH",
    )


def test_a_program_in_the_folder_given_without_a_slash(tmp_path: Path) -> None:
    file(tmp_path / "todo", b"#!/bin/sh\n")
    assert explain(at(tmp_path, "todo", path="/nowhere")) == Diagnosis(
        "executable",
        "'todo' is in none of the 1 folders of PATH",
        f"there is one in {tmp_path}: write it as ./todo",
    )


def test_a_line_for_a_shell(tmp_path: Path) -> None:
    assert explain(at(tmp_path, "python3 todo.py", "-v", path="/nowhere")) == Diagnosis(
        "executable",
        "'python3 todo.py' is in none of the 1 folders of PATH",
        'a command is a list of arguments: ["python3", "todo.py", "-v"]',
    )


def test_a_folder_for_a_program(tmp_path: Path) -> None:
    (tmp_path / "todo").mkdir()
    assert explain(at(tmp_path, "./todo")) == Diagnosis(
        "executable",
        f"{tmp_path}/todo is a folder, not a program",
        "name the program in it, or a plugin.toml with --with",
    )


def test_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "todo").symlink_to("gone")
    assert explain(at(tmp_path, "./todo")) == Diagnosis(
        "executable",
        f"{tmp_path}/todo is a link to gone, which does not exist",
        "mend the link, or name the program itself",
    )


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("todo", ""),
        ("todo.py", ', or run it as ["python3", "{}"]'),
        ("todo.js", ', or run it as ["node", "{}"]'),
        ("todo.pl", ', or run it as ["perl", "{}"]'),
    ],
)
def test_a_program_that_is_not_executable(tmp_path: Path, name: str, more: str) -> None:
    path = file(tmp_path / name, b"#!/bin/sh\n", 0o644)
    assert explain(at(tmp_path, f"./{name}")) == Diagnosis(
        "permission", f"{path} is not executable", f"chmod +x {path}" + more.format(path)
    )


def test_a_program_that_only_others_may_execute(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = file(tmp_path / "todo", b"#!/bin/sh\n", 0o700 if os.geteuid() == 0 else 0o070)
    tmp_path.chmod(0o755)
    request.getfixturevalue("as_nobody")
    assert explain(at(tmp_path, "./todo")) == Diagnosis(
        "permission",
        f"{path} may not be executed by this user, or lies on a file system that allows no programs",
        "let this user read and run it: chmod a+rx, on the folders above it too",
    )


def test_a_script_that_may_not_be_read(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = file(tmp_path / "todo.py", b"#!/bin/sh\n", 0o111)
    tmp_path.chmod(0o755)
    request.getfixturevalue("as_nobody")
    assert explain(at(tmp_path, "./todo.py")) == Diagnosis(
        "permission", f"{path} is a script that may not be read, which its interpreter has to do", f"chmod +r {path}"
    )


def test_a_binary_that_may_not_be_read_is_left_to_the_system(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    file(tmp_path / "todo", b"", 0o111)
    tmp_path.chmod(0o755)
    request.getfixturevalue("as_nobody")
    assert explain(at(tmp_path, "./todo")) is None


@pytest.mark.parametrize(
    ("content", "cause", "hint"),
    [
        (
            b"#!/usr/bin/env python3\r\nprint()\r\n",
            "the #! line of {} ends in a Windows line end (CR LF), which becomes part of the interpreter's name",
            "give it Unix line ends: sed -i 's/\\r$//' {}",
        ),
        (b"#!/nowhere/zzz\n", "{} asks for the interpreter /nowhere/zzz, which does not exist", ""),
        (b"#!/bin/shh -e\n", "{} asks for the interpreter /bin/shh, which does not exist", "did you mean 'sh'?"),
        (
            b"#!/etc/passwd\n",
            "{} asks for the interpreter /etc/passwd, which is not executable",
            "name an interpreter that can be run, or make it executable",
        ),
        (b"#! /usr/bin/env zzz\n", "{} asks for 'zzz', which is in no folder of PATH", ""),
        (b"#!/usr/bin/env -S A=1 zzz -x\n", "{} asks for 'zzz', which is in no folder of PATH", ""),
        (b"#!  \n", "the #! line of {} names no interpreter", "begin it with one, such as #!/usr/bin/env python3"),
        (b"", "{} is empty", "was it written, or copied, to its end?"),
        (
            b"print('hello')\n",
            "{} is neither a binary nor does it begin with a #! line",
            'let it begin with the line #!/usr/bin/env python3, or run it as ["python3", "{}"]',
        ),
        (
            b"\xef\xbb\xbf#!/bin/sh\n",
            "{} begins with a byte order mark, which hides its #! line",
            "save it as UTF-8 without a byte order mark",
        ),
    ],
)
def test_a_script_that_no_interpreter_will_run(tmp_path: Path, content: bytes, cause: str, hint: str) -> None:
    path = file(tmp_path / "todo.py", content)
    assert explain(at(tmp_path, "./todo.py")) == Diagnosis("interpreter", cause.format(path), hint.format(path))


@pytest.mark.parametrize(
    "content", [b"#!/bin/sh", b"#! /bin/sh -e\n", b"#!/usr/bin/env sh\n", b"#!/usr/bin/env -S A=1 sh -e\n"]
)
def test_a_script_whose_interpreter_is_there(tmp_path: Path, content: bytes) -> None:
    file(tmp_path / "todo", content)
    assert explain(at(tmp_path, "./todo")) is None


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the expected names are those of an x86-64 machine")
@pytest.mark.parametrize(
    ("content", "built_for"),
    [
        (elf(183), "built for AArch64, this machine is x86-64"),
        (elf(243), "built for RISC-V, this machine is x86-64"),
        (ELF_64[:5] + b"\x02" + ELF_64[6:] + b"\0\x02\0\x16" + bytes(44), "built for s390x, this machine is x86-64"),
        (elf(9999), "built for machine 9999, this machine is x86-64"),
    ],
)
def test_a_program_for_another_machine(tmp_path: Path, content: bytes, built_for: str) -> None:
    path = file(tmp_path / "todo", content)
    assert explain(at(tmp_path, "./todo")) == Diagnosis(
        "architecture", f"{path} is {built_for}", "get the program for x86-64"
    )


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the header is that of an x86-64 machine")
@pytest.mark.parametrize("content", [elf(62), elf(62, b"/bin/sh\0"), elf(3), elf(62)[:30], ELF_64 + b"\2\0\x3e\0"])
def test_a_program_for_this_machine_is_left_to_the_system(tmp_path: Path, content: bytes) -> None:
    file(tmp_path / "todo", content)
    assert explain(at(tmp_path, "./todo")) is None


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the header is that of an x86-64 machine")
def test_a_program_whose_loader_is_missing(tmp_path: Path) -> None:
    path = file(tmp_path / "todo", elf(62, b"/lib/ld-nowhere.so.1\0"))
    assert explain(at(tmp_path, "./todo")) == Diagnosis(
        "interpreter",
        f"{path} needs the loader /lib/ld-nowhere.so.1, which does not exist",
        "it was built for another C library; get a static build",
    )


@pytest.mark.parametrize(("content", "system"), [(b"MZ\x90\0", "Windows"), (b"\xcf\xfa\xed\xfe\7\0\0\1", "macOS")])
def test_a_program_for_another_system(tmp_path: Path, content: bytes, system: str) -> None:
    path = file(tmp_path / "todo", content)
    assert explain(at(tmp_path, "./todo")) == Diagnosis(
        "architecture", f"{path} is a program for {system}", "use the build that was made for this system"
    )


@pytest.mark.parametrize(
    ("entry", "runs"),
    [
        ("enabled\ninterpreter /q\nflags: F\noffset 0\nmagic 4d5a\n", True),
        ("enabled\ninterpreter /q\nflags: \noffset 0\nmagic 4d00\nmask ff00\n", True),
        ("enabled\ninterpreter /q\nflags: \nextension .exe\n", True),
        ("disabled\ninterpreter /q\nflags: \noffset 0\nmagic 4d5a\n", False),
        ("enabled\ninterpreter /q\nflags: \noffset 1\nmagic 4d5a\n", False),
        ("enabled\ninterpreter /q\nflags: \nextension .jar\n", False),
        ("nonsense", False),
    ],
)
def test_what_the_kernel_has_an_interpreter_for_is_left_to_it(tmp_path: Path, entry: str, runs: bool) -> None:
    (tmp_path / "binfmt_misc").mkdir()
    (tmp_path / "binfmt_misc" / "wine").write_text(entry)
    (tmp_path / "binfmt_misc" / "register").write_text("enabled\nextension .exe\n")
    file(tmp_path / "todo.exe", b"MZ\x90\0")
    assert (explain(at(tmp_path, "./todo.exe")) is None) is runs


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"#!/nowhere/zzz\n", errno.ENOENT),
        (b"#!/bin/sh\r\n", errno.ENOENT),
        (b"print()\n", errno.ENOEXEC),
        (b"\xef\xbb\xbf#!/bin/sh\n", errno.ENOEXEC),
        (elf(183), errno.ENOEXEC),
        (elf(62, b"/lib/ld-nowhere.so.1\0"), errno.ENOENT),
        (b"", errno.ENOEXEC),
    ],
)
def test_the_system_refuses_what_was_spoken_against(run: Run, tmp_path: Path, content: bytes, number: int) -> None:
    file(tmp_path / "todo", content)
    assert explain(at(tmp_path, "./todo")) is not None

    async def main() -> None:
        with pytest.raises(OSError, match=r"\./todo") as caught:
            await let_go(await Child.spawn(at(tmp_path, "./todo")))
        assert caught.value.errno == number

    run(main())
