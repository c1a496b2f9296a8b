"""One thread that reads and writes all pipes at once, so that no case and no subject ever waits for another's pipe.

Owns file descriptors that are handed to it, and nothing about what the bytes mean. Callbacks run on its thread and must
be quick.
"""

import contextlib
import fcntl
import os
import selectors
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Callable

_PIECE = 1 << 16
_PATIENCE = 5.0
#: Nothing tells when a pipe has been read, so it is looked at this often.
_GLANCE = 0.0002


class Pump:
    """Starts its thread with the first pipe; `close` ends it."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._jobs: deque[Callable[[], None]] = deque()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._woken)
        self._lock = threading.Lock()
        self._closing = self._closed = False
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._thread.start()

    def do(self, job: Callable[[], None]) -> None:
        """Runs a job on the pump's thread, soon; at once when that has ended."""
        with self._lock:
            if not self._closed:
                self._jobs.append(job)
                # When the pipe is full it is going to wake up anyway.
                with contextlib.suppress(BlockingIOError):
                    os.write(self._wake_write, b"\0")
                return
        job()

    def do_and_wait(self, job: Callable[[], None]) -> None:
        """Runs a job on the pump's thread and waits until it has run."""
        if threading.current_thread() is self._thread:
            job()
            return
        done = threading.Event()
        self.do(job)
        self.do(done.set)
        done.wait(_PATIENCE)

    def close(self) -> None:
        """Ends the thread. Descriptors that are still with it stay open."""
        self._closing = True
        self.do(lambda: None)
        self._thread.join(_PATIENCE)
        with self._lock:
            self._closed = True
            self._selector.close()
            os.close(self._wake_read)
            os.close(self._wake_write)
        for job in self._jobs:
            job()

    def watch(self, descriptor: int, events: int, callback: Callable[[], None]) -> None:
        """On the pump's thread: calls back whenever the descriptor is ready."""
        if not self._closed:
            self._selector.register(descriptor, events, callback)

    def forget(self, descriptor: int) -> None:
        """On the pump's thread: watches it no longer, if it did."""
        if not self._closed and descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def _run(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select():
                # An earlier callback of this round may have ended what this one is about.
                if key.fd in self._selector.get_map():
                    key.data()
            while self._jobs:
                self._jobs.popleft()()

    def _woken(self) -> None:
        try:
            while os.read(self._wake_read, 1024):
                pass
        except BlockingIOError:
            pass


class Source:
    """A descriptor that is read; each piece goes to `take`, and its end to `ended`, once."""

    def __init__(self, pump: Pump, descriptor: int, take: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        self._pump, self._descriptor = pump, descriptor
        self._take, self._ended = take, ended
        self._open = True
        os.set_blocking(descriptor, False)
        pump.do(self._watch)

    def pause(self) -> None:
        """Reads nothing more until `resume`; the writer's pipe fills up."""
        self._pump.do_and_wait(lambda: self._pump.forget(self._descriptor))

    def resume(self) -> None:
        self._pump.do(self._watch)

    def close(self) -> None:
        """Closes the descriptor; `ended` is told if it was not before."""
        self._pump.do_and_wait(self._close)

    def _watch(self) -> None:
        if self._open:
            self._pump.forget(self._descriptor)
            self._pump.watch(self._descriptor, selectors.EVENT_READ, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take(data)
        else:
            self._close()

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._pump.forget(self._descriptor)
            os.close(self._descriptor)
            self._ended()


class Sink:
    """A descriptor that is written; what does not fit into the pipe waits here."""

    def __init__(self, pump: Pump, descriptor: int) -> None:
        self._pump, self._descriptor = pump, descriptor
        self._buffer = bytearray()
        self._empty = threading.Event()
        self._empty.set()
        self._open, self._ending = True, False
        #: The reader of the pipe has gone.
        self.broken = False
        os.set_blocking(descriptor, False)

    def send(self, data: bytes) -> None:
        """Writes the bytes as soon as the pipe takes them; never waits."""
        self._empty.clear()
        self._pump.do(lambda: self._add(data))

    def wait_until_taken(self, seconds: float) -> bool:
        """Waits until all bytes are in the pipe; False when the time is over before, or the reader has gone."""
        return self._empty.wait(seconds) and not self.broken

    def wait_until_read(self, seconds: float) -> bool:
        """Waits until the reader has read every byte; False when it has not in that time, or has gone."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError):  # the pump may close it meanwhile
            while (left := deadline - time.monotonic()) > 0 and self.wait_until_taken(left) and self._open:
                if not struct.unpack("i", fcntl.ioctl(self._descriptor, termios.FIONREAD, b"\0" * 4))[0]:
                    return True
                time.sleep(_GLANCE)
        return False

    def finish(self) -> None:
        """Closes the pipe after what is still to be written."""
        self._pump.do(self._finish)

    @property
    def finished(self) -> bool:
        """The pipe was closed by us, or will be after what is still to be written."""
        return self._ending

    def close(self) -> None:
        """Closes the pipe at once."""
        self._pump.do_and_wait(self._close)

    def _add(self, data: bytes) -> None:
        if self._open:
            self._buffer += data
            self._write()
        else:
            self._empty.set()

    def _finish(self) -> None:
        self._ending = True
        if self._open:
            self._write()

    def _write(self) -> None:
        try:
            while self._buffer:
                del self._buffer[: os.write(self._descriptor, self._buffer[:_PIECE])]
        except BlockingIOError:
            self._pump.forget(self._descriptor)
            self._pump.watch(self._descriptor, selectors.EVENT_WRITE, self._write)
            return
        except OSError:
            self.broken = True
            self._close()
            return
        self._pump.forget(self._descriptor)
        self._empty.set()
        if self._ending:
            self._close()

    def _close(self) -> None:
        if self._open:
            self._open = False
            self._pump.forget(self._descriptor)
            os.close(self._descriptor)
            self._buffer.clear()
            self._empty.set()
