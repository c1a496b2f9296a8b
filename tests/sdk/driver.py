"""A tiny blocking host for one real plugin process. It reads strictly: anything but a canonical frame fails."""

import contextlib
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .helpers import WAIT

HEADER = re.compile(rb"Content-Length: (0|[1-9][0-9]*)\r\n\r\n")
INITIALIZE = {
    "protocolVersion": "1.0",
    "host": {"name": "driver", "version": "1"},
    "instance": "demo",
    "capabilities": {},
    "limits": {"maxFrameBytes": 4194304, "maxDepth": 128, "maxInFlight": 256},
}


def encode(message: dict[str, Any], *, line: bool = False) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return body + b"\n" if line else b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def decode(data: bytes) -> list[dict[str, Any]]:
    """All frames of some bytes, with nothing between them."""
    messages = []
    while data:
        header = HEADER.match(data)
        assert header is not None, f"no frame begins at {data[:60]!r}"
        end = header.end() + int(header[1])
        messages.append(json.loads(data[header.end() : end]))
        data = data[end:]
    return messages


class Driver:
    """The host's end of the pipes, and the process."""

    def __init__(self, process: "subprocess.Popen[bytes]", stdin: int, stdout: int, errors: Path) -> None:
        self.process = process
        self._stdin = stdin
        self._stdout = stdout
        self._errors = errors
        self._unread = b""
        self._last_id = 0

    def send_bytes(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._stdin, data) :]

    def notify(self, method: str, params: Any = None, *, line: bool = False) -> None:
        self.send_bytes(encode({"method": method, "params": params or {}}, line=line))

    def ask(self, method: str, params: Any = None) -> int:
        self._last_id += 1
        self.send_bytes(encode({"id": self._last_id, "method": method, "params": params or {}}))
        return self._last_id

    def call(self, method: str, params: Any = None) -> Any:
        request_id = self.ask(method, params)
        answer = self.receive()
        assert answer["id"] == request_id
        return answer["result"]

    def start(self) -> Any:
        result = self.call("initialize", INITIALIZE)
        self.notify("initialized")
        return result

    def receive(self) -> dict[str, Any]:
        while (header := HEADER.match(self._unread)) is None or len(self._unread) < header.end() + int(header[1]):
            self._unread += self._read()
        end = header.end() + int(header[1])
        (message,) = decode(self._unread[:end])
        self._unread = self._unread[end:]
        return message

    def receive_line(self) -> dict[str, Any]:
        while b"\n" not in self._unread:
            self._unread += self._read()
        line, _, self._unread = self._unread.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def _read(self) -> bytes:
        ready, _, _ = select.select([self._stdout], [], [], WAIT)
        assert ready, f"nothing came within {WAIT} s after {self._unread!r}; stderr: {self.errors()}"
        data = os.read(self._stdout, 65536)
        assert data, f"the plugin hung up after {self._unread!r}; stderr: {self.errors()}"
        return data

    def hang_up(self) -> None:
        os.close(self._stdin)
        self._stdin = -1

    def stop_reading(self) -> None:
        os.close(self._stdout)
        self._stdout = -1

    def wait(self) -> int:
        """The exit code."""
        return self.process.wait(WAIT)

    def errors(self) -> str:
        return self._errors.read_text(encoding="utf-8")

    def close(self) -> None:
        self.process.kill()
        self.process.wait(WAIT)
        for fd in (self._stdin, self._stdout):
            if fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(fd)


@contextlib.contextmanager
def plugin_process(folder: Path, source: str, *, ends: Any = None, **environment: str) -> Iterator[Driver]:
    """Runs ``source``. ``ends`` makes the pipes: our end and the plugin's of its input, then the same of its output."""
    script, errors = folder / "plugin.py", folder / "errors.txt"
    script.write_text(source, encoding="utf-8")
    to_plugin, plugin_in, from_plugin, plugin_out = (ends or pipes)()
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=plugin_in,
            stdout=plugin_out,
            stderr=stderr,
            env=inherited | environment,
        )
    for fd in {plugin_in, plugin_out}:
        os.close(fd)
    driver = Driver(process, to_plugin, from_plugin, errors)
    try:
        yield driver
    finally:
        driver.close()


def pipes() -> tuple[int, int, int, int]:
    plugin_in, to_plugin = os.pipe()
    from_plugin, plugin_out = os.pipe()
    return to_plugin, plugin_in, from_plugin, plugin_out
