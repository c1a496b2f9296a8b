"""The limit in Python: two processes that block, a header, a length, msgspec, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

import msgspec

TEXT = "x" * 60


class Message(msgspec.Struct, omit_defaults=True):
    jsonrpc: str
    id: int
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"")
    result: msgspec.Raw = msgspec.Raw(b"")


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Message).decode
_decode_params = msgspec.json.Decoder(dict[str, Any]).decode


def write(fd: int, message: Message) -> None:
    body = _encode(message)
    os.write(fd, b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


def read(fd: int, buffer: bytes) -> tuple[Message | None, bytes]:
    """One message and what came after it; None at the end of the stream."""
    while True:
        end = buffer.find(b"\r\n\r\n")
        if end >= 0:
            length = int(buffer[16:end])
            if len(buffer) >= end + 4 + length:
                return _decode(buffer[end + 4 : end + 4 + length]), buffer[end + 4 + length :]
        data = os.read(fd, 65536)
        if not data:
            return None, b""
        buffer += data


def serve() -> None:
    """The child: answers each request with its own text."""
    buffer = b""
    while True:
        request, buffer = read(0, buffer)
        if request is None:
            return
        text = _decode_params(request.params)["text"]
        write(1, Message("2.0", request.id, result=msgspec.Raw(_encode({"text": text}))))


class BareHost:
    """The parent, with its child."""

    def __enter__(self) -> Self:
        self._child = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._child.wait(10)
        self._child.stdout.close()

    def calls(self, count: int) -> float:
        """Seconds of one call, of ``count`` one after the other."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        stdin, stdout, buffer = self._child.stdin.fileno(), self._child.stdout.fileno(), b""
        for warm in (True, False):
            start = time.perf_counter()
            for number in range(count // 10 if warm else count):
                params = msgspec.Raw(_encode({"text": TEXT}))
                write(stdin, Message("2.0", number + 1, "bench/echo", params))
                answer, buffer = read(stdout, buffer)
                assert answer is not None
                _decode_params(answer.result)
        return (time.perf_counter() - start) / count


if __name__ == "__main__":
    serve()
