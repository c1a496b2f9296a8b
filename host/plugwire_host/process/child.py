"""One child process: its three pipes, its exit, and signals to its whole group. Spec LIF-14, LIF-17.

Exit is seen by a pidfd, else by a waiting thread, and never by the end of a pipe: a grandchild may hold a pipe open for
hours after the plugin is gone. The dead child stays a zombie until its group was killed, so that the group's number
cannot meanwhile become somebody else's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from typing import BinaryIO, NamedTuple

from .command import Command
from .group import KILL, TERMINATE, live_members, signal_group

PIPE_BYTES = 1 << 20
"""What a pipe holds where the system lets us choose: a frame of usual size passes without a wait."""

_UNKNOWN_STATUS = 255  # somebody else has reaped our child; asyncio says 255 as well


class Child:
    """A running process that leads its own session and process group.

    Whoever spawns it takes the three pipes and closes them (``close_pipes`` if nobody did). It must in the end call
    ``kill_group``, also for a process that has ended by itself: that takes what is left of the group, and lets go of
    the zombie. All methods belong to the loop's thread.
    """

    def __init__(self, process: subprocess.Popen[bytes], pipes: _Pipes) -> None:
        self.pid = process.pid
        self.stdin, self.stdout, self.stderr = pipes.open_ours()
        self.exited = asyncio.Event()
        self.returncode: int | None = None
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._pidfd: int | None = None
        self._to_be_killed = False
        self._reaped = False

    @classmethod
    async def spawn(cls, command: Command) -> Child:
        """Start a process. Raises OSError as the system gives it; then nothing is left over.

        It never suspends, so a cancellation comes before the process exists or after the caller has it.
        """
        pipes = _Pipes.make()
        try:
            # Not in a thread: that would have to be undone when the caller is cancelled meanwhile.
            process = subprocess.Popen(  # noqa: ASYNC220
                command.argv,
                cwd=command.cwd,
                env=command.env,
                stdin=pipes.stdin[0],
                stdout=pipes.stdout[1],
                stderr=pipes.stderr[1],
                close_fds=True,
                start_new_session=True,
            )
        except BaseException:
            pipes.close_ours()
            raise
        finally:
            pipes.close_theirs()
        child = cls(process, pipes)
        try:
            child._watch()
        except BaseException:
            child.close_pipes()
            child.kill_group()
            process.wait()  # not long: it was just killed
            raise
        return child

    async def wait_exited(self) -> int:
        """Until the process itself has ended, whoever still holds its pipes. Any number may wait."""
        await self.exited.wait()
        assert self.returncode is not None
        return self.returncode

    def terminate_group(self) -> None:
        """Ask every process of the group to end."""
        if not self._reaped:
            signal_group(self.pid, TERMINATE)

    def kill_group(self) -> None:
        """Kill every process of the group, and reap the child now or as soon as its end is seen. Idempotent."""
        if self._reaped:
            return
        signal_group(self.pid, KILL)
        self._to_be_killed = True
        if self.exited.is_set():
            self._reap()

    def group_alive(self) -> bool:
        """Whether anything of the group still runs; a zombie does not."""
        return bool(live_members(self.pid))

    def others_alive(self) -> bool:
        """Whether anything but the child itself still runs in its group."""
        return bool(live_members(self.pid) - {self.pid})

    def close_pipes(self) -> None:
        """Close the pipes of a child that no connection has taken over. Idempotent."""
        for pipe in (self.stdin, self.stdout, self.stderr):
            pipe.close()

    # The exit

    def _watch(self) -> None:
        try:
            self._pidfd = os.pidfd_open(self.pid)
            self._loop.add_reader(self._pidfd, self._on_exit)
        except (AttributeError, NotImplementedError, OSError):
            # No such call on this system, forbidden in this sandbox, no descriptor left, or a loop without readers.
            self._close_pidfd()
            threading.Thread(target=self._wait_in_thread, name=f"wait for {self.pid}", daemon=True).start()

    def _wait_in_thread(self) -> None:
        if hasattr(os, "waitid"):
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:
            # This reaps. Members of the group keep its number reserved, so they can still be killed.
            self._process.wait()
        with contextlib.suppress(RuntimeError):  # the loop was closed
            self._loop.call_soon_threadsafe(self._on_exit)

    def _on_exit(self) -> None:
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            self._close_pidfd()
        self.returncode = self._status()
        self.exited.set()
        if self._to_be_killed:
            self.kill_group()

    def _status(self) -> int:
        """How the child ended, without reaping it where the system allows that."""
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.wait()
        try:
            result = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        except ChildProcessError:
            result = None
        if result is None:
            self._reaped = True
            self._process.returncode = _UNKNOWN_STATUS
            return _UNKNOWN_STATUS
        return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status

    def _reap(self) -> None:
        self._reaped = True
        self._process.poll()

    def _close_pidfd(self) -> None:
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are not 0, 1 or 2, also where our own standard streams are closed: uvloop refuses those."""
    ends = os.pipe()
    if min(ends) > 2:
        return ends
    try:
        import fcntl

        return fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, 3), fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        _close(*ends)


class _Pipes(NamedTuple):
    """Three pipes, each as (read end, write end)."""

    stdin: tuple[int, int]
    stdout: tuple[int, int]
    stderr: tuple[int, int]

    @classmethod
    def make(cls) -> _Pipes:
        made: list[tuple[int, int]] = []
        try:
            for size in (PIPE_BYTES, PIPE_BYTES, None):
                made.append(_pipe())
                if size is not None:
                    _enlarge(made[-1][1], size)
        except BaseException:
            for ends in made:
                _close(*ends)
            raise
        return cls(*made)

    def open_ours(self) -> tuple[BinaryIO, BinaryIO, BinaryIO]:
        """Our three ends as file objects, unbuffered."""
        return (
            os.fdopen(self.stdin[1], "wb", buffering=0),
            os.fdopen(self.stdout[0], "rb", buffering=0),
            os.fdopen(self.stderr[0], "rb", buffering=0),
        )

    def close_ours(self) -> None:
        _close(self.stdin[1], self.stdout[0], self.stderr[0])

    def close_theirs(self) -> None:
        _close(self.stdin[0], self.stdout[1], self.stderr[1])


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _enlarge(pipe: int, size: int) -> None:
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
    except (ImportError, AttributeError, OSError):
        # Not Linux, or the user has used up what all his pipes may hold: it works as well with a small one.
        pass
