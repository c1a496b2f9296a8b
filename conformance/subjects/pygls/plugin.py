"""The fixture methods on pygls, a JSON-RPC library for language servers.

Owns: the handlers and the lifecycle. Frames, ids, dispatch and cancel are pygls's own.
"""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from cattrs.preconf.json import JsonConverter, make_converter
from lsprotocol.types import CANCEL_REQUEST, CancelParams
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import JsonRPCProtocol
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage
from pygls.server import JsonRPCServer

VERSION = re.compile(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})")


def json_converter() -> JsonConverter:
    """Params as plain dicts. By itself pygls takes no message without params, and turns objects into named tuples."""

    def notification(told: dict[str, Any], _: Any) -> JsonRPCNotification:
        params = told.get("params", {})
        if told["method"] == CANCEL_REQUEST:
            params = CancelParams(params["id"])  # pygls handles this one, and looks for an attribute
        return JsonRPCNotification(told["method"], told["jsonrpc"], params)

    converter = make_converter()
    converter.register_structure_hook(
        JsonRPCRequestMessage,
        lambda told, _: JsonRPCRequestMessage(told["id"], told["method"], told["jsonrpc"], told.get("params", {})),
    )
    converter.register_structure_hook(JsonRPCNotification, notification)
    return converter


server = JsonRPCServer(JsonRPCProtocol, json_converter)
state = "created"
values: list[Any] = []
running: set[asyncio.Task[Any]] = set()
closing: asyncio.Task[Any] | None = None


def method(name: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Serve a method of the fixture, in the state `ready` only."""

    def register(handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @server.feature(f"conformance/{name}")
        async def serve(params: Any) -> Any:
            if state != "ready":
                raise JsonRpcServerNotInitialized("the connection is not ready")
            task = asyncio.current_task()
            assert task is not None
            running.add(task)
            try:
                return await handler(params)
            except (KeyError, TypeError) as error:
                raise JsonRpcInvalidParams(f"the params do not fit: {error!r}") from None
            finally:
                running.discard(task)

        return handler

    return register


@server.feature("initialize")
def initialize(params: Any) -> dict[str, Any]:
    global state
    if state != "created":
        raise JsonRpcInvalidRequest("initialize was sent before")
    version = params.get("protocolVersion")
    if not isinstance(version, str) or VERSION.fullmatch(version) is None:
        raise JsonRpcInvalidParams("protocolVersion is two numbers such as 1.0")
    if not version.startswith("1."):
        raise JsonRpcException("this plugin speaks version 1", -32017, {"supported": ["1.0"]})
    state = "initializing"
    methods = ["echo", "sleep", "fail", "error", "repeat", "note", "noted", "call", "notify"]
    return {
        "protocolVersion": "1.0",
        "plugin": {"name": "fixture-pygls", "version": "1.0.0"},
        "capabilities": {"concurrency": 16},
        "provides": [{"service": "conformance", "version": "1.0", "methods": methods}],
    }


@server.feature("initialized")
def initialized(_params: Any) -> None:
    global state
    if state == "initializing":
        state = "ready"


@server.feature("ping")
def ping(_params: Any) -> None:
    return None


@server.feature("shutdown")
async def shutdown(_params: Any) -> None:
    global state, closing
    if state != "ready":
        raise JsonRpcServerNotInitialized("the connection is not ready")
    state = "stopping"
    closing = asyncio.current_task()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


@server.feature("exit")
async def leave(_params: Any) -> None:
    if closing is not None:
        await asyncio.wait({closing})
    os._exit(exit_code())  # a thread of pygls's still waits for standard input


def exit_code() -> int:
    return 0 if state == "stopping" else 1


@method("echo")
async def echo(params: Any) -> Any:
    return params


@method("sleep")
async def sleep(params: Any) -> None:
    await asyncio.sleep(params["ms"] / 1000)


@method("fail")
async def fail(_params: Any) -> None:
    raise RuntimeError("this handler always fails")


@method("error")
async def error(params: Any) -> None:
    raise JsonRpcException(params["message"], params["code"], params.get("data"))


@method("repeat")
async def repeat(params: Any) -> dict[str, str]:
    return {"text": params["text"] * params["times"]}


@server.feature("conformance/note")
def note(params: Any) -> None:
    values.append(params["value"])


@method("noted")
async def noted(_params: Any) -> dict[str, Any]:
    told = {"values": list(values)}
    values.clear()
    return told


@method("call")
async def call(params: Any) -> dict[str, Any]:
    try:
        result = await server.protocol.send_request_async(params["method"], params.get("params", {}))
    except JsonRpcException as error:
        told = {"code": error.code, "message": error.message}
        return {"error": told if error.data is None else {**told, "data": error.data}}
    return {"result": result}


@method("notify")
async def notify(params: Any) -> None:
    server.protocol.notify(params["method"], params.get("params", {}))


if __name__ == "__main__":
    server.start_io()
    sys.exit(exit_code())
