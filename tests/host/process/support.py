"""Real processes for the tests of plugwire_host.process."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

from plugwire_host.process import Child, Command

LIMIT = 30.0
"""Seconds that anything may take that is going to happen."""

SOON = 0.05
"""Seconds that are waited for something that is not going to happen."""

Run: TypeAlias = Callable[[Coroutine[Any, Any, Any]], Any]


def command(*argv: str) -> Command:
    return Command(argv, Path("/"), dict(os.environ))


def shell(script: str) -> Command:
    return command("/bin/sh", "-c", script)


def python(source: str) -> Command:
    """A Python that starts fast: no site, no user settings."""
    return command(sys.executable, "-I", "-S", "-c", source)


async def spawn_ready(what: Command) -> Child:
    """Spawn a program, and wait until it has said a first line."""
    child = await Child.spawn(what)
    assert await read_line(child) == b"ready\n"
    return child


async def read_line(child: Child) -> bytes:
    return await asyncio.to_thread(child.stdout.readline)


async def let_go(child: Child) -> int:
    """The end of a child that a test is done with."""
    child.kill_group()
    returncode = await child.wait_exited()
    child.close_pipes()
    return returncode


def state_of(pid: int) -> str | None:
    """The state letter of a process, None when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return None
