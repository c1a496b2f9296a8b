"""One conversation with one plugin, as a host would have it, and with frames that no host would send.

Blocking, and with its own few lines for frames: it shares no mistake with an SDK. Every wait ends after WAIT seconds
with a failed test. A conversation always ends the plugin's whole process group.
"""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

WAIT = 10.0

Framing = Literal["header", "line"]
Json = dict[str, Any]

# The only header block that a plugin may write.
CANONICAL = re.compile(rb"Content-Length: (0|[1-9][0-9]*)\r\n\r\n")


def encode(body: bytes, framing: Framing) -> bytes:
    """The canonical frame of one body."""
    return body + b"\n" if framing == "line" else b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def to_body(message: Json) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def exact(value: Any) -> str:
    """A value as text, in which 1, 1.0, "1" and true are four values. Members are sorted."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"the plugin sent {name}, which is no JSON")


class Conversation:
    """A running plugin. What is sent may fail to arrive because it has ended: wait_end tells how."""

    def __init__(self, command: Sequence[str], cwd: Path, framing: Framing) -> None:
        self.framing = framing
        self._received = b""
        self._output_ended = False
        # A file and not a pipe: nobody has to read it while something else is awaited.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            list(command),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self._stdin.fileno(), False)
        os.set_blocking(self._stdout.fileno(), False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(WAIT)
        self._stdin.close()
        self._stdout.close()
        self._stderr.close()

    def send(self, *messages: Json) -> None:
        """Sends messages in one write."""
        self.send_bodies(*[to_body(message) for message in messages])

    def send_bodies(self, *bodies: bytes) -> None:
        self.send_bytes(b"".join(encode(body, self.framing) for body in bodies))

    def send_bytes(self, data: bytes) -> None:
        """Sends bytes as they are, taking in what the plugin writes meanwhile."""
        deadline = time.monotonic() + WAIT
        rest = memoryview(data)
        while rest:
            readers = [] if self._output_ended else [self._stdout]
            readable, writable, _ = select.select(readers, [self._stdin], [], max(0.0, deadline - time.monotonic()))
            if readable:
                self._receive()
            if writable:
                try:
                    rest = rest[os.write(self._stdin.fileno(), rest) :]
                except BrokenPipeError:
                    return
            assert readable or writable, f"the plugin took no input for {WAIT} s"

    def close_input(self) -> None:
        self._stdin.close()

    def _receive(self) -> None:
        data = os.read(self._stdout.fileno(), 65536)
        self._received += data
        self._output_ended = not data

    def _wait_received(self, deadline: float) -> None:
        readable, _, _ = select.select([self._stdout], [], [], max(0.0, deadline - time.monotonic()))
        assert readable, f"the plugin was silent for {WAIT} s, after {self._received[:200]!r}; {self.read_stderr()}"
        self._receive()

    def _take_body(self) -> bytes | None:
        """The next whole body that has come, or None. Anything but a canonical frame fails the test."""
        if self.framing == "line":
            line, end, rest = self._received.partition(b"\n")
            if not end:
                return None
            assert b"\r" not in line
            self._received = rest
            return line
        header = CANONICAL.match(self._received)
        if header is None:
            assert len(self._received) < 64, f"no frame of FRM-01: {self._received[:200]!r}"
            return None
        end_at = header.end() + int(header[1])
        if len(self._received) < end_at:
            return None
        body, self._received = self._received[header.end() : end_at], self._received[end_at:]
        return body

    def read_message(self) -> Json:
        """The next message; its `jsonrpc` is checked and left out."""
        deadline = time.monotonic() + WAIT
        while (body := self._take_body()) is None:
            assert not self._output_ended, f"the plugin's output ended; {self.read_stderr()}"
            self._wait_received(deadline)
        message = json.loads(body.decode("utf-8", "strict"), parse_constant=_refuse_constant)
        assert isinstance(message, dict)
        assert message.pop("jsonrpc") == "2.0"
        return message

    def read_answer(self) -> str:
        """The next response as exact text; of an error its code and data, for the message is free."""
        message = self.read_message()
        assert "method" not in message, message
        assert ("result" in message) != ("error" in message), message
        if "error" in message:
            error = message.pop("error")
            assert type(error["code"]) is int
            assert isinstance(error["message"], str)
            assert error["message"]
            message |= {name: error[name] for name in ("code", "data") if name in error}
        return exact(message)

    def wait_end(self) -> int:
        """The exit code, after which the plugin must not have said anything more. Negative: a signal's number."""
        deadline = time.monotonic() + WAIT
        while not self._output_ended:
            self._wait_received(deadline)
        code = self._process.wait(max(0.0, deadline - time.monotonic()))
        assert self._received == b""
        return code

    def read_stderr(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")
