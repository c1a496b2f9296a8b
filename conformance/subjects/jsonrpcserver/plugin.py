"""The fixture methods on jsonrpcserver, which parses and dispatches JSON-RPC and leaves the transport to its users.

Owns: the handlers, the lifecycle, and frames on asyncio's streams. Messages, ids and errors are jsonrpcserver's own; it
makes no requests, and knows no cancel.
"""

import asyncio
import contextvars
import json
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from jsonrpcserver import Error, InvalidParams, JsonRpcError, Result, Success, async_dispatch

VERSION = re.compile(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})")
LARGEST_HEADER = 4096

Handler = Callable[..., Awaitable[Result]]
methods: dict[str, Handler] = {}
state = "created"
largest_body = 4194304
stopping = asyncio.Event()
values: list[Any] = []
running: set[asyncio.Task[None]] = set()
answering: contextvars.ContextVar[asyncio.Task[Any] | None] = contextvars.ContextVar("answering")


class BoundaryLostError(Exception):
    """Nobody can know where the next frame begins."""


async def read_body(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame's body; None at the end. Raises BoundaryLostError."""
    lengths = []
    size = 0
    while line := await reader.readline():
        size += len(line)
        if size > LARGEST_HEADER or not line.endswith(b"\n"):
            raise BoundaryLostError("the header is too large, or cut off")
        if not line.strip(b"\r\n"):
            return await read_exactly(reader, lengths)
        name, colon, value = line.partition(b":")
        if not colon or re.fullmatch(b"[!-~]+", name) is None:
            raise BoundaryLostError(f"{line!r} is no header")
        if name.lower() == b"content-length":
            lengths.append(value.strip(b" \t\r\n"))
    if size:
        raise BoundaryLostError("the stream ends inside a header")
    return None


async def read_exactly(reader: asyncio.StreamReader, lengths: list[bytes]) -> bytes:
    if len(lengths) != 1 or re.fullmatch(b"[0-9]{1,10}", lengths[0]) is None or int(lengths[0]) > largest_body:
        raise BoundaryLostError(f"the frame's length is {lengths!r}")
    try:
        return await reader.readexactly(int(lengths[0]))
    except asyncio.IncompleteReadError:
        raise BoundaryLostError("the stream ends inside a body") from None


def write_body(body: str) -> None:
    encoded = body.encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%b" % (len(encoded), encoded))
    sys.stdout.buffer.flush()


def method(name: str) -> Callable[[Handler], Handler]:
    """Serve a method of the fixture, in the state `ready` only."""

    def register(handler: Handler) -> Handler:
        async def serve(**params: Any) -> Result:
            if state != "ready":
                return Error(-32002, "the connection is not ready")
            return await handler(params)

        methods[f"conformance/{name}"] = serve
        return handler

    return register


async def initialize(protocolVersion: Any = None, limits: Any = None, **_: Any) -> Result:  # noqa: N803
    global state, largest_body
    if state != "created":
        return Error(-32600, "initialize was sent before")
    if not isinstance(protocolVersion, str) or VERSION.fullmatch(protocolVersion) is None:
        return InvalidParams("protocolVersion is two numbers such as 1.0")
    if not protocolVersion.startswith("1."):
        return Error(-32017, "this plugin speaks version 1", {"supported": ["1.0"]})
    if not isinstance(limits, dict) or not isinstance(limits.get("maxFrameBytes"), int):
        return InvalidParams("limits.maxFrameBytes is an integer")
    largest_body = limits["maxFrameBytes"]
    state = "initializing"
    provided = ["echo", "sleep", "fail", "error", "repeat", "note", "noted", "notify"]
    return Success(
        {
            "protocolVersion": "1.0",
            "plugin": {"name": "fixture-jsonrpcserver", "version": "1.0.0"},
            "capabilities": {"concurrency": 16},
            "provides": [{"service": "conformance", "version": "1.0", "methods": provided}],
        }
    )


async def initialized(**_: Any) -> Result:
    global state
    if state == "initializing":
        state = "ready"
    return Success()


async def ping(**_: Any) -> Result:
    return Success()


async def answers_of_others() -> None:
    await asyncio.gather(*(running - {answering.get()}))


async def shutdown(**_: Any) -> Result:
    global state
    if state != "ready":
        return Error(-32002, "the connection is not ready")
    state = "stopping"
    stopping.set()
    await answers_of_others()
    return Success()


async def leave(**_: Any) -> Result:
    if state == "stopping":
        await answers_of_others()
    sys.exit(0 if state == "stopping" else 1)


methods |= {
    "initialize": initialize,
    "initialized": initialized,
    "ping": ping,
    "shutdown": shutdown,
    "exit": leave,
}


@method("echo")
async def echo(params: dict[str, Any]) -> Result:
    return Success(params)


@method("sleep")
async def sleep(params: dict[str, Any]) -> Result:
    try:
        async with asyncio.timeout(params["ms"] / 1000):
            await stopping.wait()
    except TimeoutError:
        return Success()
    return Error(-32800, "the plugin is asked to end")


@method("fail")
async def fail(_params: dict[str, Any]) -> Result:
    raise RuntimeError("this handler always fails")


@method("error")
async def error(params: dict[str, Any]) -> Result:
    raise JsonRpcError(**params)


@method("repeat")
async def repeat(params: dict[str, Any]) -> Result:
    return Success({"text": params["text"] * params["times"]})


@method("note")
async def note(params: dict[str, Any]) -> Result:
    values.append(params["value"])
    return Success()


@method("noted")
async def noted(_params: dict[str, Any]) -> Result:
    told = {"values": list(values)}
    values.clear()
    return Success(told)


@method("notify")
async def notify(params: dict[str, Any]) -> Result:
    write_body(json.dumps({"jsonrpc": "2.0", "method": params["method"], "params": params.get("params", {})}))
    return Success()


async def answer(body: bytes) -> None:
    answering.set(asyncio.current_task())  # handlers run in tasks of the library's
    # The library takes bytes for UTF-16 and repairs what is not UTF-8, unless they are decoded for it.
    response = await async_dispatch(body, methods, deserializer=lambda body: json.loads(body.decode()))
    if (size := len(response.encode())) > largest_body:
        data = {"size": size, "limit": largest_body}
        too_large = {"code": -32016, "message": "the result is too large for one frame", "data": data}
        response = json.dumps({"jsonrpc": "2.0", "id": json.loads(response)["id"], "error": too_large})
    if response:
        write_body(response)


async def serve() -> int:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while (body := await read_body(reader)) is not None:
            task = asyncio.create_task(answer(body))
            running.add(task)
            task.add_done_callback(running.discard)
    except (BoundaryLostError, ValueError) as error:  # the stream raises ValueError for a line that does not end
        print(f"fixture-jsonrpcserver: {error}", file=sys.stderr)
        return 2
    return 0 if state == "stopping" else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(serve()))
