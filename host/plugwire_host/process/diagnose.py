"""Why a command will not run, found out before it is run, one fact at a time. Spec LIF-10.

The system's own answer is one number for many mistakes: ENOENT is a missing folder, a missing program, a missing
interpreter and a missing loader alike. Looking executes nothing, and what it cannot decide is left to the system.
"""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from .binary import foreign_to, machine_name, other_system, read_elf, runs_by_binfmt
from .command import Command, has_slash, may, resolve_executable, search_path

DiagnosisStage: TypeAlias = Literal["executable", "permission", "architecture", "interpreter", "cwd"]

_INTERPRETERS = {
    ".py": "python3",
    ".js": "node",
    ".mjs": "node",
    ".pl": "perl",
    ".rb": "ruby",
    ".lua": "lua",
    ".sh": "sh",
}
_HEAD_BYTES = 256  # what Linux reads to find an interpreter


@frozen
class Diagnosis:
    """What stands in the way of a command, and what to do about it. Both are one line; ``hint`` may be empty."""

    stage: DiagnosisStage
    cause: str
    hint: str


_OPEN_IT = "let this user read and run it: chmod a+rx, on the folders above it too"


def explain(command: Command) -> Diagnosis | None:
    """Why the command cannot run; None when nothing is known against it, which is no promise that it will."""
    try:
        return _explain(command)
    except OSError:
        # What may not even be looked at. The system says what it thinks of it.
        return None


def _explain(command: Command) -> Diagnosis | None:
    if found := _bad_folder(command.cwd):
        return found
    path = resolve_executable(command)
    if path is None:
        return _not_found(command)
    if found := _bad_file(path):
        return found
    if os.name == "nt":
        return None
    return _unreadable(path) or _bad_content(command, path)


def _bad_folder(folder: Path) -> Diagnosis | None:
    if not folder.exists():
        return Diagnosis(
            "cwd", f"the folder {folder} does not exist", _did_you_mean(folder.name, _names(folder.parent))
        )
    if not folder.is_dir():
        return Diagnosis("cwd", f"{folder} is not a folder, so nothing can run in it", "name a folder as cwd")
    if not may(folder, os.X_OK):
        return Diagnosis("cwd", f"the folder {folder} may not be entered", f"chmod +x {shlex.quote(str(folder))}")
    return None


def _not_found(command: Command) -> Diagnosis:
    name = command.argv[0]
    split = name.split()
    line = ""
    if len(split) > 1:
        line = f"a command is a list of arguments: {_toml_list([*split, *command.argv[1:]])}"
    if has_slash(name):
        path = command.cwd / name
        if path.parent.is_dir() and not may(path.parent, os.X_OK):
            return Diagnosis("permission", f"the folder {path.parent} may not be entered", _OPEN_IT)
        near = _did_you_mean(path.name, _names(path.parent))
        hint = line or near or f"check the path; it was looked for from the folder {command.cwd}"
        return Diagnosis("executable", f"{path} does not exist", hint)
    if (command.cwd / name).is_file():
        near = f"there is one in {command.cwd}: write it as ./{name}"
    else:
        near = _did_you_mean(name, (entry for folder in search_path(command) for entry in _names(folder)))
    cause = f"{name!r} is in none of the {len(search_path(command))} folders of PATH"
    return Diagnosis("executable", cause, line or near or "give the path of the program, or add its folder to PATH")


def _bad_file(path: Path) -> Diagnosis | None:
    if path.is_symlink() and not path.exists():
        return Diagnosis(
            "executable",
            f"{path} is a link to {path.readlink()}, which does not exist",
            "mend the link, or name the program itself",
        )
    if path.is_dir():
        return Diagnosis(
            "executable", f"{path} is a folder, not a program", "name the program in it, or a plugin.toml with --with"
        )
    if not path.is_file():
        return Diagnosis("executable", f"{path} is not a file", "name a program")
    if may(path, os.X_OK):
        return None
    if path.stat().st_mode & 0o111:
        cause = f"{path} may not be executed by this user, or lies on a file system that allows no programs"
        return Diagnosis("permission", cause, _OPEN_IT)
    return Diagnosis(
        "permission", f"{path} is not executable", f"chmod +x {shlex.quote(str(path))}{_or_run_with(path)}"
    )


def _unreadable(path: Path) -> Diagnosis | None:
    """A binary runs without being readable; a script is read by its interpreter."""
    if may(path, os.R_OK) or path.suffix not in _INTERPRETERS:
        return None
    cause = f"{path} is a script that may not be read, which its interpreter has to do"
    return Diagnosis("permission", cause, f"chmod +r {shlex.quote(str(path))}")


def _bad_content(command: Command, path: Path) -> Diagnosis | None:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        elf = read_elf(path)
    except OSError:
        return None
    if head.startswith(b"#!"):
        return _bad_shebang(command, path, head)
    if runs_by_binfmt(path, head):
        return None
    if elf is not None:
        if machine := foreign_to(elf):
            cause = f"{path} is built for {machine_name(elf.machine)}, this machine is {machine}"
            return Diagnosis("architecture", cause, f"get the program for {machine}")
        if elf.loader and not Path(elf.loader).exists():
            cause = f"{path} needs the loader {elf.loader}, which does not exist"
            return Diagnosis("interpreter", cause, "it was built for another C library; get a static build")
        return None
    return _no_program(path, head)


def _no_program(path: Path, head: bytes) -> Diagnosis | None:
    if system := other_system(head):
        return Diagnosis(
            "architecture", f"{path} is a program for {system}", "use the build that was made for this system"
        )
    if os.uname().sysname != "Linux" and b"\0" in head:
        return None  # a binary of this system, whose format is not known here
    if not head:
        return Diagnosis("interpreter", f"{path} is empty", "was it written, or copied, to its end?")
    if head.startswith(b"\xef\xbb\xbf#!"):
        cause = f"{path} begins with a byte order mark, which hides its #! line"
        return Diagnosis("interpreter", cause, "save it as UTF-8 without a byte order mark")
    name = _INTERPRETERS.get(path.suffix, "python3")
    cause = f"{path} is neither a binary nor does it begin with a #! line"
    return Diagnosis("interpreter", cause, f"let it begin with the line #!/usr/bin/env {name}{_or_run_with(path)}")


def _bad_shebang(command: Command, path: Path, head: bytes) -> Diagnosis | None:
    line = head.partition(b"\n")[0]
    if line.endswith(b"\r"):
        cause = (
            f"the #! line of {path} ends in a Windows line end (CR LF), which becomes part of the interpreter's name"
        )
        return Diagnosis("interpreter", cause, f"give it Unix line ends: sed -i 's/\\r$//' {shlex.quote(str(path))}")
    words = os.fsdecode(line[2:]).split()
    if not words:
        return Diagnosis(
            "interpreter",
            f"the #! line of {path} names no interpreter",
            "begin it with one, such as #!/usr/bin/env python3",
        )
    interpreter = command.cwd / words[0]
    if not interpreter.exists():
        near = _did_you_mean(interpreter.name, _names(interpreter.parent))
        return Diagnosis("interpreter", f"{path} asks for the interpreter {words[0]}, which does not exist", near)
    if interpreter.is_dir() or not may(interpreter, os.X_OK):
        return Diagnosis(
            "interpreter",
            f"{path} asks for the interpreter {words[0]}, which is not executable",
            "name an interpreter that can be run, or make it executable",
        )
    wanted = _wanted_of_env(words)
    if wanted is None or resolve_executable(Command((wanted,), command.cwd, command.env)) is not None:
        return None
    near = _did_you_mean(wanted, (entry for folder in search_path(command) for entry in _names(folder)))
    return Diagnosis("interpreter", f"{path} asks for {wanted!r}, which is in no folder of PATH", near)


def _wanted_of_env(words: list[str]) -> str | None:
    """The program that ``#!/usr/bin/env`` would look for."""
    if Path(words[0]).name != "env":
        return None
    rest = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return rest[0] if rest else None


def _or_run_with(path: Path) -> str:
    name = _INTERPRETERS.get(path.suffix)
    return f", or run it as {_toml_list([name, str(path)])}" if name else ""


def _toml_list(arguments: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{argument}"' for argument in arguments) + "]"


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are all that is wanted, of thousands of files
    except OSError:
        return []


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(set(names)), n=1, cutoff=0.75)
    return f"did you mean {near[0]!r}?" if near else ""
