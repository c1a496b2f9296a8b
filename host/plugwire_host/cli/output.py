"""What is written where: data on standard output, everything else on standard error; nothing that a terminal obeys."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

import click

from ..errors import printable


def to_json(value: Any, *, indent: int | None = None) -> str:
    """JSON whose control characters and the like are written as ``\\u`` escapes, which mean the same (LOG-06)."""
    unicode = (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    text = json.dumps(value, ensure_ascii=not unicode, indent=indent)
    if text.isprintable():
        return text
    # Outside of strings JSON holds nothing unprintable but the line ends of an indented text.
    return "".join(char if char == "\n" or char.isprintable() else json.dumps(char)[1:-1] for char in text)


def show(line: str = "") -> None:
    """A line of data for people, on standard output. Raises OSError when nobody takes it."""
    click.echo(printable(line))


def show_json(value: Any, *, indent: int | None = None) -> None:
    """A line of JSON on standard output; several with ``indent``. Raises OSError when nobody takes it."""
    click.echo(to_json(value, indent=indent))


def say(*lines: str) -> None:
    """Lines on standard error. That nobody takes them is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        for line in lines:
            click.echo(printable(line), err=True)


def prepare_streams() -> None:
    """What the terminal's encoding does not have is escaped, rather than the end of us.

    Where a standard stream is closed, /dev/null takes its number, so that no pipe of a plugin gets it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def is_terminal() -> bool:
    """Whether a person reads our standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


def let_go_of_streams() -> None:
    """Write out what is still to be written, so that the interpreter does not complain when it cannot."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
