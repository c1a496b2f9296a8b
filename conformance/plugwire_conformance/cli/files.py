"""Reports as files of the command line: reading one, and writing what was made of it."""

import os
import sys
import tempfile
from pathlib import Path

import click

from ..report import Report
from ..reports.visible import visible


def wrong(message: str) -> click.UsageError:
    """What is wrong with the use of a command; the message may hold what a subject said."""
    return click.UsageError(visible(message, keep=""))


def read_report(path: str) -> Report:
    """The report in a file; ``-`` is standard input. Raises UsageError, which names the file."""
    from ..reports import json_report

    try:
        text = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return json_report.loads(text.decode("utf-8-sig"))
    except OSError as error:
        raise wrong(f"{path}: the file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise wrong(f"{path}: this is no JSON: it is not in UTF-8") from None
    except json_report.NotAReport as error:
        raise wrong(f"{path}: {error}") from None


def write(text: str, path: str) -> None:
    """Write a file, all of it or none; ``-`` is standard output. Raises UsageError, which names the file."""
    content = text.encode("utf-8", "backslashreplace")
    try:
        if path == "-":
            hand_over(content)
        else:
            _replace(Path(path), content)
    except OSError as error:
        raise wrong(f"{path}: the file cannot be written: {error.strerror}") from None


def hand_over(content: bytes) -> None:
    """Write to standard output. That nobody reads it to its end ends us, quietly."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


def _replace(target: Path, content: bytes) -> None:
    """A reader of the file sees it as it was or as it will be; a pipe or a device is just written to."""
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    number, name = tempfile.mkstemp(dir=target.resolve().parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(target.resolve())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
