"""What holds for every process of a plugin, seen at its end."""

import signal
from collections.abc import Iterator

from ..case import Broken
from ..connection import Connection
from ..plugins.talk import Talk, exit_words
from ..report import Level, Role
from . import Oracle

_SHOWN = 300


def _no_crash(connection: Connection) -> Iterator[Broken]:
    if not isinstance(connection, Talk):
        return
    code = connection.process.exit_code
    if code is not None and code < 0 and -code not in connection.process.signals and -code != signal.SIGPIPE:
        last = connection.process.stderr[-_SHOWN:].decode("utf-8", "backslashreplace")
        yield Broken("the process was ended by a signal", expected="an exit code", got=f"{exit_words(code)}; {last}")


def _nothing_left(connection: Connection) -> Iterator[Broken]:
    if isinstance(connection, Talk) and connection.process.left_some_behind:
        yield Broken(
            "the process ended and left another one behind", expected="no process that it started", got="one runs"
        )


PROCESSES = [
    Oracle(
        "everywhere/no-crash",
        ("LIF-15",),
        "A plugin ends by itself and never by a signal of its own making",
        why="A crash takes every request with it, and the host can only report a signal.",
        mend="Look at standard error for where it happened: an assertion, a null pointer, a stack that is too deep.",
        judge=_no_crash,
        roles=(Role.PLUGIN,),
    ),
    Oracle(
        "everywhere/nothing-left-behind",
        ("LIF-15", "LIF-16"),
        "A plugin that ends leaves no process behind",
        why="What stays behind runs on without anybody who knows of it, and may hold files and ports.",
        mend="End what the plugin has started before it ends itself; a wrapper script does well to use exec.",
        judge=_nothing_left,
        roles=(Role.PLUGIN,),
        level=Level.SHOULD,
    ),
]
