"""An existing jsonrpcserver method table, served by a plugin."""

import asyncio
import sys
import threading
import warnings
from typing import Any

import pytest

from plugwire import InvalidParams, Plugin, RequestError
from plugwire.jsonrpcserver_adapter import mount
from plugwire.testing import connect

from .helpers import run

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it reads its schema in an old way
    from jsonrpcserver import Error, JsonRpcError, Result, Success
    from jsonrpcserver import InvalidParams as InvalidParamsResult


def add(a: int, b: int = 10) -> Result:
    """Adds two numbers."""
    return Success(a + b)


def nothing() -> Result:
    return Success()


def divide(a: float, b: float) -> Result:
    if b == 0:
        return Error(1, "cannot divide by zero", {"a": a})
    return Success(a / b)


def refuse() -> Result:
    return InvalidParamsResult("not like this")


def error_without_data() -> Result:
    return Error(2, "just so")


def raises_a_json_rpc_error() -> Result:
    raise JsonRpcError(3, "raised", data=[1])


def raises() -> Result:
    raise ValueError("no good")


def returns_something_else() -> Any:
    return 5


async def later(a: int) -> Result:
    await asyncio.sleep(0)
    return Success(a)


async def later_fails() -> Result:
    await asyncio.sleep(0)
    raise JsonRpcError(4, "later")


def where() -> Result:
    return Success(threading.current_thread().name.startswith("calc-handler"))


def names(**names: Any) -> Result:
    return Success(names)


def positional(a: int, /) -> Result:
    return Success(a)


TABLE = {
    function.__name__: function
    for function in (
        *(add, nothing, divide, refuse, error_without_data, raises_a_json_rpc_error, raises),
        *(returns_something_else, later, later_fails, where, names, positional),
    )
}


def call(name: str, params: Any = None, **options: Any) -> Any:
    plugin = Plugin("calc", version="1.0")
    mount(plugin, "calc", TABLE, **options)

    async def conversation() -> Any:
        async with connect(plugin) as host:
            return await host.call(f"calc/{name}", params)

    return run(conversation())


@pytest.mark.parametrize(
    ("name", "params", "result"),
    [
        ("add", {"a": 1, "b": 2}, 3),
        ("add", {"a": 1}, 11),
        ("add", {"a": "x", "b": "y"}, "xy"),
        ("nothing", None, None),
        ("nothing", {}, None),
        ("divide", {"a": 1, "b": 2}, 0.5),
        ("later", {"a": 7}, 7),
        ("where", None, True),
        ("names", {"x": 1, "params": 2}, {"x": 1, "params": 2}),
    ],
)
def test_success_is_the_result(name: str, params: Any, result: Any) -> None:
    assert call(name, params) == result


@pytest.mark.parametrize(
    ("name", "params", "code", "message", "data"),
    [
        ("divide", {"a": 1, "b": 0}, 1, "cannot divide by zero", {"a": 1}),
        ("error_without_data", None, 2, "just so", None),
        ("raises_a_json_rpc_error", None, 3, "raised", [1]),
        ("later_fails", None, 4, "later", None),
        ("refuse", None, -32602, "Invalid params", "not like this"),
        ("raises", None, -32603, "ValueError: no good", None),
        (
            "returns_something_else",
            None,
            -32603,
            "TypeError: returns_something_else returned 5, which is neither Success nor Error",
            None,
        ),
    ],
)
def test_errors_keep_their_code_message_and_data(name: str, params: Any, code: int, message: str, data: Any) -> None:
    with pytest.raises(RequestError) as failed:
        call(name, params)
    assert (failed.value.code, failed.value.message, failed.value.data) == (code, message, data)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("add", {"b": 2}, "missing a required argument: 'a'"),
        ("add", {"a": 1, "c": 2}, "got an unexpected keyword argument 'c'"),
        ("later", {}, "missing a required argument: 'a'"),
        ("positional", {"a": 1}, "'a' parameter is positional only, but was passed as a keyword"),
    ],
)
@pytest.mark.requirement("ERR-05")
def test_params_that_the_signature_does_not_take_are_invalid(name: str, params: Any, message: str) -> None:
    with pytest.raises(InvalidParams) as refused:
        call(name, params)
    assert refused.value.data == {"problems": [{"path": "$", "message": message}]}


def test_a_validator_sees_the_params_first() -> None:
    seen: list[Any] = []

    def validate(name: str, params: dict[str, Any]) -> None:
        seen.append((name, params))
        if params["a"] < 0:
            raise LookupError("a is negative")
        if params["a"] == 0:
            raise RequestError("zero is beyond us", code=9)

    assert call("later", {"a": 1}, validate=validate) == 1
    with pytest.raises(InvalidParams, match="a is negative"):
        call("later", {"a": -1}, validate=validate)
    with pytest.raises(RequestError, match="zero is beyond us") as refused:
        call("later", {"a": 0}, validate=validate)
    assert refused.value.code == 9
    assert seen == [("later", {"a": 1}), ("later", {"a": -1}), ("later", {"a": 0})]


def test_functions_can_be_mounted_under_their_own_names_beside_other_methods() -> None:
    plugin = Plugin("calc", version="1.0")
    mount(plugin, "math", [add, later])

    @plugin.method
    async def hello() -> str:
        return "hello"

    async def conversation() -> None:
        async with connect(plugin) as host:
            assert await host.call("math/add", {"a": 1}) == 11
            assert await host.call("math/later", {"a": 2}) == 2
            assert await host.call("calc/hello") == "hello"
            announced = {entry["service"]: entry["methods"] for entry in host.initialize_result["provides"]}
            assert announced["math"]["add"]["description"] == "Adds two numbers."

    run(conversation())


@pytest.mark.requirement("CAL-01")
def test_a_reserved_or_taken_name_is_refused() -> None:
    plugin = Plugin("calc", version="1.0")
    with pytest.raises(ValueError, match="is reserved"):
        mount(plugin, "state", TABLE)
    mount(plugin, "calc", [add])
    with pytest.raises(ValueError, match="has a handler already"):
        mount(plugin, "calc", [add])


def test_without_jsonrpcserver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonrpcserver", None)
    with pytest.raises(ImportError, match=r"pip install plugwire\[jsonrpcserver\]"):
        mount(Plugin("calc", version="1.0"), "calc", {})
