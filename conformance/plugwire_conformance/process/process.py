"""A program under test: started in a session of its own, its three pipes pumped, ended with all that it started."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from .group import group_lives
from .pump import Pump, Sink, Source

#: A subject that hangs has this long to say where, after SIGQUIT, before it is killed.
_DUMP_SECONDS = 0.3
#: What a program started has this long to end after the program itself.
_FAREWELL_SECONDS = 1.0
#: What was killed is gone at once, but for a process that the system itself keeps.
_END_SECONDS = 10
_KEPT_OF_STDERR = 1 << 23


class CannotStart(Exception):
    """The program could not be started at all; the message says why."""


@frozen
class Listener:
    """Who is told what comes from a program. Called on the pump's thread."""

    on_stdout: Callable[[bytes], None]
    on_stdout_end: Callable[[], None]
    on_stderr: Callable[[bytes], None]
    on_exit: Callable[[int], None]


class Process:
    """`exit_code` is None while it runs, and negative for a signal."""

    def __init__(
        self, pump: Pump, command: Sequence[str], listener: Listener, *, cwd: Path, env: Mapping[str, str]
    ) -> None:
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=dict(env),
                start_new_session=True,
            )
        except OSError as error:
            raise CannotStart(f"{command[0]}: {error.strerror}") from error
        self._listener = listener
        self._gone = threading.Event()
        self._killed = False
        self.exit_code: int | None = None
        #: The signals that we sent; it was not itself that ended by one of these.
        self.signals: set[int] = set()
        #: It had ended, and some process that it had started was still there.
        self.left_some_behind = False
        self.stderr = bytearray()
        assert self._child.stdin
        assert self._child.stdout
        assert self._child.stderr
        self.stdin = Sink(pump, _own(self._child.stdin))
        self.stdout = Source(pump, _own(self._child.stdout), listener.on_stdout, listener.on_stdout_end)
        self._stderr_ended = threading.Event()
        self._errors = Source(pump, _own(self._child.stderr), self._take_stderr, self._stderr_ended.set)
        threading.Thread(target=self._wait, name="waiter", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None when it still runs after so many seconds."""
        self._gone.wait(seconds)
        return self.exit_code

    def whole_stderr(self, seconds: float) -> bytes:
        """What came on standard error, up to its end if that comes within so many seconds."""
        self._stderr_ended.wait(seconds)
        return bytes(self.stderr)

    def signal(self, number: int, *, group: bool = False) -> None:
        """Sends a signal to the process, or to all of its group; nothing happens when it is gone."""
        if self.exit_code is None:
            self.signals.add(int(number))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if group:
                os.killpg(self.pid, number)
            elif self.exit_code is None:
                self._child.send_signal(number)

    def kill(self, *, dump: bool = False) -> None:
        """Ends it with its group. With `dump` it may first say where it hangs, as Go and Java programs do on
        SIGQUIT.
        """
        if self._killed:
            return
        self._killed = True
        if dump and self.exit_code is None:
            self.signal(signal.SIGQUIT)
            self._gone.wait(_DUMP_SECONDS)
        self.left_some_behind = self.exit_code is not None and group_lives(self.pid, _FAREWELL_SECONDS)
        self.signal(signal.SIGKILL, group=True)
        self._child.kill()
        self._gone.wait(_END_SECONDS)
        self.stdin.close()
        self.stdout.close()
        self._errors.close()

    def _take_stderr(self, data: bytes) -> None:
        self.stderr += data
        del self.stderr[:-_KEPT_OF_STDERR]
        self._listener.on_stderr(data)

    def _wait(self) -> None:
        self.exit_code = self._child.wait()
        self._gone.set()
        self._listener.on_exit(self.exit_code)


def _own(stream: object) -> int:
    """A copy of the stream's descriptor; the stream itself is closed, so that the pump alone decides."""
    descriptor = os.dup(stream.fileno())  # type: ignore[attr-defined]
    stream.close()  # type: ignore[attr-defined]
    return descriptor
