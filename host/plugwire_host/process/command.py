"""What is run: a list of arguments, a folder and an environment; never a line for a shell. Spec MAN-02."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen


@frozen
class Command:
    """One program with its arguments. ``env`` is the complete environment, not an addition to one."""

    argv: tuple[str, ...]
    cwd: Path
    # Not shown: an environment is long, and may hold what nobody should read in a log.
    env: Mapping[str, str] = field(repr=False, hash=False)


def build_command(argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Command:
    """A command in ``cwd`` (the present folder where absent), with ``env`` added to this process's environment.

    Raises ValueError for what no system could run: an empty list, an empty program name, a NUL, a ``=`` in the name of
    a variable.
    """
    if isinstance(argv, str):
        raise ValueError("a command is a list of arguments, not a line for a shell")
    if not argv or not argv[0]:
        raise ValueError("a command needs at least the name of a program")
    if any("\0" in argument for argument in argv):
        raise ValueError("an argument of a command cannot hold a NUL character")
    added = dict(env or {})
    for name, value in added.items():
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"{name!r} cannot be set in the environment")
    # Absolute, so that it means the same folder whatever this process changes to later.
    folder = Path(os.path.abspath(cwd or "."))  # noqa: PTH100 - resolve() would follow links
    return Command(tuple(argv), folder, {**os.environ, **added})


def resolve_executable(command: Command) -> Path | None:
    """The file that exec would run, or fail on; None when there is none.

    A first argument with a slash is taken from the command's folder; any other is looked up in the PATH of the
    command's own environment, whose relative folders are taken from the command's folder as well.
    """
    existing = None
    for candidate in candidates(command):
        if os.path.isfile(candidate) and may(candidate, os.X_OK):  # noqa: PTH113 - is_file may raise
            return candidate
        if existing is None and os.path.lexists(candidate):
            existing = candidate
    return existing


def candidates(command: Command) -> Iterator[Path]:
    """The places at which the program may stand, in the order in which exec tries them."""
    name = command.argv[0]
    if has_slash(name):
        yield command.cwd / name
        return
    suffixes = command.env.get("PATHEXT", "").split(os.pathsep) if os.name == "nt" else []
    for folder in search_path(command):
        for suffix in ["", *suffixes]:
            yield folder / (name + suffix)


def has_slash(name: str) -> bool:
    return bool(os.path.dirname(name))  # noqa: PTH120 - Path drops a leading "./"


def search_path(command: Command) -> list[Path]:
    """The folders of PATH as the command sees them."""
    return [command.cwd / folder for folder in os.get_exec_path(dict(command.env))]


def may(path: Path, mode: int) -> bool:
    """Whether this process may do that with a file, with the rights that exec and open would use."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
