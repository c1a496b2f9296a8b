"""Mounts an existing jsonrpcserver 5 method table as methods of a plugin (``pip install plugwire[jsonrpcserver]``).

    from jsonrpcserver import Result, Success
    from plugwire import Plugin
    from plugwire.jsonrpcserver_adapter import mount

    def add(a: int, b: int) -> Result:
        return Success(a + b)

    plugin = Plugin("calc", version="1.0")
    mount(plugin, "calc", {"add": add})
    plugin.run()

The functions are called as jsonrpcserver calls them: named params, no checking of types. jsonrpcserver's own
dispatching, its validation of envelopes and its global table take no part.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .plugin import Plugin
from .wire import InvalidParams, RequestError

Validate = Callable[[str, dict[str, Any]], None]


def mount(
    plugin: Plugin,
    service: str,
    methods: Mapping[str, Callable[..., Any]] | Iterable[Callable[..., Any]],
    *,
    validate: Validate | None = None,
) -> None:
    """Serve ``methods``, a jsonrpcserver table or plain functions, as ``service/name``.

    Plain functions run in a thread and async ones as tasks. ``Success`` becomes the result; ``Error``,
    ``InvalidParams`` and a raised ``JsonRpcError`` the error response with the same code, message and data; params that
    the signature does not take are answered with InvalidParams, any other exception with InternalError. ``validate`` is
    called before the function, with its name and the params; what it raises is answered with InvalidParams. Raises
    ImportError without jsonrpcserver, and ValueError for a reserved or taken name.
    """
    reader = _ResultReader()
    table = methods if isinstance(methods, Mapping) else {function.__name__: function for function in methods}
    for name, function in table.items():
        plugin.method(f"{service}/{name}")(_handler(name, function, validate, reader))


def _handler(
    name: str, function: Callable[..., Any], validate: Validate | None, reader: _ResultReader
) -> Callable[..., Any]:
    signature = inspect.signature(function)

    def check(params: dict[str, Any]) -> None:
        try:
            signature.bind(**params)
            if validate is not None:
                validate(name, params)
        except RequestError:
            raise
        except Exception as error:  # a validator raises what its library raises
            problem = {"path": "$", "message": str(error)[:1024] or type(error).__name__}
            raise InvalidParams(f"$: {problem['message']}", data={"problems": [problem]}) from None

    # The one parameter `params` receives them all; it has no type, since jsonrpcserver checks none.
    def in_thread(params: Any) -> Any:
        check(params)
        try:
            return reader.read(name, function(**params))
        except reader.raised as error:
            raise reader.error_of(error) from None

    async def as_task(params: Any) -> Any:
        check(params)
        try:
            return reader.read(name, await function(**params))
        except reader.raised as error:
            raise reader.error_of(error) from None

    handler = as_task if inspect.iscoroutinefunction(function) else in_thread
    handler.__doc__ = inspect.getdoc(function)
    return handler


class _ResultReader:
    """What jsonrpcserver's functions return and raise, as a result or a RequestError."""

    def __init__(self) -> None:
        try:
            from jsonrpcserver import JsonRpcError
            from jsonrpcserver.result import ErrorResult, SuccessResult
            from jsonrpcserver.sentinels import NODATA
        except ImportError as error:
            raise ImportError("jsonrpcserver 5 is missing: pip install plugwire[jsonrpcserver]") from error
        self.raised: type[Exception] = JsonRpcError
        self._success, self._error, self._no_data = SuccessResult, ErrorResult, NODATA

    def read(self, name: str, result: Any) -> Any:
        # An Either: its Right holds a SuccessResult, its Left an ErrorResult.
        inner = getattr(result, "_value", None) or getattr(result, "_error", None)
        if isinstance(inner, self._success):
            return inner.result
        if isinstance(inner, self._error):
            raise self.error_of(inner)
        raise TypeError(f"{name} returned {result!r}, which is neither Success nor Error")

    def error_of(self, error: Any) -> RequestError:
        """``error`` has a code, a message and perhaps data."""
        return RequestError.of(error.code, error.message, None if error.data is self._no_data else error.data)
