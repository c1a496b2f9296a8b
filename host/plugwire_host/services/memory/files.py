"""The files behind shared memory: where they are, who may open them, and that nothing of them stays. Spec MEM-03, -04,
-17 and -18.

    /dev/shm/plugwire-UID/RUN/lock      held by flock as long as the host of this run lives
                              /FILE     one a memory

Blocking, in any thread: ``create`` and what ``remove`` gives back take a quarter of a second a gigabyte and belong into
one of their own; the others take microseconds.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM})
"""The errors of a file system that is full, or too small."""

_LOCK = "lock"
_MODE = 0o700
_ATTEMPTS = 100
"""How often another name is tried, before something else must be wrong."""


class MemoryFiles:
    """The files of one host. Its folder is made with the first file, and is gone after ``close``."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or _shared_root()
        self._folder: Path | None = None
        self._lock = -1
        self._closed = False
        self._starting = threading.Lock()
        self._changing = threading.Lock()

    def create(self, size: int) -> str:
        """The path of a new file of ``size`` zeros, with its storage set aside. Raises OSError, as without room."""
        self._start()
        with self._changing:
            if self._folder is None:
                raise OSError("the host has closed")
            path = self._folder / secrets.token_hex(16)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _set_aside(file, size)
        except BaseException:
            self.remove(str(path))()
            raise
        finally:
            os.close(file)
        return str(path)

    def remove(self, path: str) -> Callable[[], None]:
        """Take a file's name away; the result, to be called once, frees its storage."""
        try:
            file = _open(path)
        except OSError:  # somebody else has removed it
            return lambda: None
        with suppress(FileNotFoundError):
            Path(path).unlink()
        return partial(os.close, file)

    def read(self, path: str, offset: int, size: int) -> bytes:
        """That many bytes of a file. Raises OSError, also when there are fewer."""
        file = _open(path)
        try:
            content = os.pread(file, size, offset)
        finally:
            os.close(file)
        if len(content) < size:
            raise OSError(f"{path} ends {size - len(content)} bytes too soon")
        return content

    def write(self, path: str, offset: int, content: bytes) -> None:
        """Put bytes into a file. Raises OSError."""
        file = _open(path)
        try:
            left = memoryview(content)
            while left:
                written = os.pwrite(file, left, offset)
                left, offset = left[written:], offset + written
        finally:
            os.close(file)

    def close(self) -> None:
        """Remove everything. Idempotent."""
        with self._changing:
            self._closed = True
            folder, self._folder = self._folder, None
            lock, self._lock = self._lock, -1
        if folder is not None:
            _remove_run(folder, lock)

    def _start(self) -> None:
        """Clear away what others have left, and make the folder of this run; once."""
        with self._starting:
            if self._folder is not None or self._closed:
                return
            sweep(self.root)
            folder, lock = _make_run(self.root)
            with self._changing:
                if not self._closed:
                    self._folder, self._lock = folder, lock
                    return
        _remove_run(folder, lock)  # it was closed in the meantime


def sweep(root: Path) -> None:
    """Remove the runs of this user's hosts that have ended without doing so; whoever lives holds its lock."""
    for parent in root.glob(f"plugwire-{os.getuid()}*"):
        with suppress(OSError):  # such as when another host sweeps, too
            if parent.name.split("-")[1] == str(os.getuid()) and _is_ours(parent):
                for run in parent.iterdir():
                    _sweep_run(run)
                parent.rmdir()


def _sweep_run(run: Path) -> None:
    try:
        lock = os.open(run / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        # No lock yet, or no lock any more: an empty folder is taken away, and whoever was making it makes another.
        with suppress(OSError):
            run.rmdir()
        return
    if _hold(lock):
        _remove_run(run, lock)
    else:
        os.close(lock)


def _make_run(root: Path) -> tuple[Path, int]:
    """A folder of our own, and its lock, which we hold."""
    for _ in range(_ATTEMPTS):
        try:
            run = _make_parent(root) / secrets.token_hex(16)
            run.mkdir(_MODE)
            lock = os.open(run / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # another host's sweep found it empty
            continue
        # Between the two another sweep may have held the lock; then the folder has gone from under us.
        if _hold(lock) and _is_file_at(lock, run / _LOCK):
            return run, lock
        os.close(lock)
    raise OSError(f"no folder for shared memory can be made in {root}")


def _make_parent(root: Path) -> Path:
    """Where the runs of this user stand: under another name when somebody else has taken the usual one."""
    usual = root / f"plugwire-{os.getuid()}"
    try:
        usual.mkdir(_MODE)
    except FileExistsError:
        if not _is_ours(usual):
            other = root / f"{usual.name}-{secrets.token_hex(8)}"
            other.mkdir(_MODE)
            return other
    return usual


def _is_ours(folder: Path) -> bool:
    """A real folder of this user's, which nobody else can enter."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) == _MODE


def _hold(lock: int) -> bool:
    import fcntl  # not on every system

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _open(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)


def _is_file_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def _remove_run(run: Path, lock: int) -> None:
    """The files first and the lock last: if we are killed in between, the next sweep goes on."""
    with suppress(OSError):
        for path in run.iterdir():
            if path.name != _LOCK:
                path.unlink()
        (run / _LOCK).unlink()
        run.rmdir()
        run.parent.rmdir()  # unless other hosts are there
    os.close(lock)


def _set_aside(file: int, size: int) -> None:
    """Without it, writing to a mapping where there is no room would end the writer with SIGBUS (MEM-04)."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
        return
    zeros = bytes(1 << 20)
    with closing(os.fdopen(os.dup(file), "wb", buffering=0)) as whole:
        for begin in range(0, size, len(zeros)):
            whole.write(zeros[: size - begin])


def _shared_root() -> Path:
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK | os.X_OK):
        return shared
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
