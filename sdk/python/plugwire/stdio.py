"""A plugin's standard input and output as a private pair of pipes. Spec FRM-04.

After ``claim`` the protocol has the only copies of the original descriptors 0 and 1: a stray ``print``, a child process
or a C library that writes to descriptor 1 lands on standard error, and reading descriptor 0 gives the end of file.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from io import FileIO, TextIOWrapper

_FIRST_PRIVATE_DESCRIPTOR = 10


def claim() -> tuple[FileIO, FileIO]:
    """The protocol's read and write end, unbuffered. Raises RuntimeError when they were claimed before."""
    global _claimed
    if _claimed:
        raise RuntimeError("standard input and output are already in use by a plugin")
    _claimed = True
    read_fd, write_fd = _private_copy(0), _private_copy(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    if isinstance(sys.stdout, TextIOWrapper):
        # Line by line from here on. This also empties the buffer: what was printed before goes to standard error, too.
        sys.stdout.reconfigure(line_buffering=True)
    return _as_pipe(read_fd, reading=True), _as_pipe(write_fd, reading=False)


_claimed = False


def _private_copy(fd: int) -> int:
    try:
        import fcntl
    except ImportError:  # Windows
        return os.dup(fd)
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_PRIVATE_DESCRIPTOR)


def _as_pipe(fd: int, *, reading: bool) -> FileIO:
    """An event loop can wait for pipes and sockets, but not for files and most devices (``plugin < requests``)."""
    mode = "r" if reading else "w"
    kind = os.fstat(fd).st_mode
    if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
        return FileIO(fd, mode)
    inner, outer = os.pipe() if reading else reversed(os.pipe())
    source, sink = (fd, outer) if reading else (outer, fd)
    # Not a daemon when it writes: the last answers must reach the file before the process ends.
    threading.Thread(target=_copy, args=(source, sink), daemon=reading).start()
    return FileIO(inner, mode)


def _copy(source: int, sink: int) -> None:
    try:
        while data := os.read(source, 65536):
            view = memoryview(data)
            while view:
                view = view[os.write(sink, view) :]
    except OSError:
        pass  # nobody reads, or the disk is full: the other end sees that this one is closed
    finally:
        os.close(source)
        os.close(sink)


def is_terminal() -> bool:
    """Whether a person started this plugin by hand."""
    return os.isatty(0)


def end_process_within(seconds: float, code: int) -> None:
    """Let no thread and no task of the plugin keep the process (LIF-15): then it ends, whatever still runs."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()
