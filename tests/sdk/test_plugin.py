"""A plugin as its host sees it: handlers, answers, errors, the lifecycle."""

import asyncio
import threading
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from plugwire import ConnectionClosed, Context, InvalidParams, MethodNotFound, Plugin, RequestError
from plugwire.testing import connect

from .helpers import WAIT, run


def make_plugin(**options: Any) -> Plugin:
    return Plugin("demo", version="1.2.0", **options)


# Handlers


def test_a_coroutine_a_coroutine_that_never_waits_and_a_plain_function_all_answer() -> None:
    plugin = make_plugin()

    @plugin.method
    async def waits(name: str) -> str:
        await asyncio.sleep(0)
        return f"waited for {name}"

    @plugin.method
    async def at_once(name: str) -> str:
        return f"at once {name}"

    @plugin.method
    def plain(name: str) -> str:
        return f"{name} in {threading.current_thread().name.rpartition('_')[0]}"

    async def conversation() -> None:
        async with connect(plugin) as host:
            assert await host.call("demo/waits", {"name": "Ada"}) == "waited for Ada"
            assert await host.call("demo/at_once", {"name": "Ada"}) == "at once Ada"
            assert await host.call("demo/plain", {"name": "Ada"}) == "Ada in demo-handler"

    run(conversation())


def test_a_plain_function_that_blocks_keeps_no_one_waiting() -> None:
    plugin = make_plugin()
    entered, release = threading.Event(), threading.Event()

    @plugin.method
    def blocks() -> bool:
        entered.set()
        return release.wait(WAIT)

    @plugin.method
    async def quick() -> str:
        return "quick"

    @plugin.method
    def frees() -> bool:
        assert entered.wait(WAIT)
        release.set()
        return True

    async def conversation() -> None:
        async with connect(plugin) as host:
            blocked = asyncio.ensure_future(host.call("demo/blocks"))
            assert await host.call("demo/quick") == "quick"
            assert await host.call("demo/frees") is True
            assert await blocked is True

    run(conversation())


def test_handlers_see_who_called_and_the_configuration() -> None:
    plugin = make_plugin()

    @plugin.method
    async def who(ctx: Context) -> list[Any]:
        return [ctx.caller, ctx.method, ctx.config, plugin.config, ctx.wants_progress, ctx.time_left()]

    async def conversation() -> None:
        async with connect(plugin, config={"tone": "warm"}) as host:
            answer = await host.call("demo/who", caller="editor")
        assert answer == ["editor", "demo/who", {"tone": "warm"}, {"tone": "warm"}, False, None]

    run(conversation())


@pytest.mark.parametrize(
    "name",
    [
        "event/x",
        "hook/x",
        "channel/x",
        "memory/x",
        "state/x",
        "lock/x",
        "log/write",
        "service/list",
        "host/x",
        "$/x",
    ],
)
@pytest.mark.requirement("CAL-01")
def test_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is reserved"):
        make_plugin().method(name)(lambda: None)


@pytest.mark.parametrize("name", ["/x", "demo/", "Demo/x", "my plugin/x", "demo@other/x", "demo/ x", "demo/$x", "9/x"])
def test_a_name_that_the_protocol_does_not_allow_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a method's name is service/method"):
        make_plugin().method(name)(lambda: None)


def test_a_taken_name_is_refused() -> None:
    plugin = make_plugin()
    plugin.method("demo/x")(lambda: None)
    plugin.notification("service/changed")(lambda: None)
    with pytest.raises(ValueError, match="demo/x has a handler already"):
        plugin.method("x")(lambda: None)
    with pytest.raises(ValueError, match="service/changed has a handler already"):
        plugin.notification("service/changed")(lambda: None)


@pytest.mark.parametrize("name", ["exit", "initialized", "$/progress", "$/cancelRequest"])
def test_a_notification_of_the_protocols_own_cannot_be_handled(name: str) -> None:
    with pytest.raises(ValueError, match="is handled by the protocol itself"):
        make_plugin().notification(name)(lambda: None)


@pytest.mark.parametrize("concurrency", [0, 65537])
def test_a_concurrency_that_cannot_be_announced_is_refused(concurrency: int) -> None:
    with pytest.raises(ValueError, match="concurrency is from 1 to 65536"):
        make_plugin(concurrency=concurrency)


# What is announced


@pytest.mark.requirement("LIF-04")
def test_the_plugin_says_who_it_is_what_it_provides_and_what_it_requires() -> None:
    plugin = Plugin(
        "demo", version="1.2.0rc1", concurrency=4, requires={"spell": ">=1,<2", "color": ""}, optional=("color",)
    )
    plugin.service("extra", "2.1")

    @plugin.method(idempotent=True)
    async def hello(name: str) -> str:
        """Greets.

        At length.
        """
        return name

    @plugin.method("extra/thing")
    async def thing(params: Any) -> None: ...

    async def conversation() -> None:
        async with connect(plugin) as host:
            result = host.initialize_result
        assert result == {
            "protocolVersion": "1.0",
            "plugin": {"name": "demo", "version": "1.2.0rc1"},
            "capabilities": {"meta": True, "concurrency": 4, "memory": True},
            "provides": [
                {
                    "service": "demo",
                    "version": "1.2.0",
                    "methods": {
                        "hello": {
                            "description": "Greets.",
                            "idempotent": True,
                            "params": {
                                "type": "object",
                                "properties": {"name": {"type": "string"}},
                                "required": ["name"],
                                "additionalProperties": False,
                            },
                            "result": {"type": "string"},
                        }
                    },
                },
                {
                    "service": "extra",
                    "version": "2.1",
                    "methods": {"thing": {"params": {}, "result": {"type": "null"}}},
                },
            ],
            "requires": [
                {"service": "spell", "version": ">=1,<2", "optional": False},
                {"service": "color", "optional": True},
            ],
        }

    run(conversation())


def test_a_version_of_a_service_has_one_to_three_numbers() -> None:
    with pytest.raises(ValueError, match="one to three numbers"):
        make_plugin().service("extra", "1.0-beta")


# Errors


async def error_of(plugin: Plugin, method: str, params: Any = None, **options: Any) -> RequestError:
    async with connect(plugin, **options) as host:
        with pytest.raises(RequestError) as failed:
            await host.call(method, params)
        assert await host.call("ping") is None
    return failed.value


@pytest.mark.requirement("CAL-06")
def test_a_method_that_is_not_there_is_not_found() -> None:
    error = run(error_of(make_plugin(), "demo/nothing"))
    assert (type(error), error.code) == (MethodNotFound, -32601)


@pytest.mark.requirement("ERR-05")
def test_wrong_params_are_answered_with_the_path() -> None:
    plugin = make_plugin()

    @plugin.method
    async def hello(name: str) -> str:
        return name

    error = run(error_of(plugin, "demo/hello", {"name": 5}))
    assert (type(error), error.code) == (InvalidParams, -32602)
    assert error.data == {"problems": [{"path": "$.name", "message": "expected string, got 5"}]}


@pytest.mark.requirement("ERR-02")
def test_an_error_of_the_plugins_own_arrives_as_it_is() -> None:
    plugin = make_plugin()

    @plugin.method
    async def fail() -> None:
        raise RequestError("no such colour", code=7, data={"colour": "plaid"})

    error = run(error_of(plugin, "demo/fail"))
    assert (error.code, error.message, error.data) == (7, "no such colour", {"colour": "plaid"})


def raises_value_error() -> None:
    raise ValueError("no good")


async def raises_value_error_at_once() -> None:
    raise ValueError("no good")


async def raises_value_error_later() -> None:
    await asyncio.sleep(0)
    raise ValueError("no good")


@pytest.mark.parametrize("handler", [raises_value_error, raises_value_error_at_once, raises_value_error_later])
@pytest.mark.requirement("ERR-03", "ERR-04")
def test_any_other_exception_is_an_internal_error_without_a_stack_trace(
    handler: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin = make_plugin()
    plugin.method("fail")(handler)
    error = run(error_of(plugin, "demo/fail"))
    assert (error.code, error.message, error.data) == (-32603, "ValueError: no good", None)
    assert "Traceback" in capfd.readouterr().err


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("nothing to say")


def stops_iterating() -> Any:
    return next(iter([]))


def leaves() -> None:
    raise SystemExit(3)


async def leaves_at_once() -> None:
    raise SystemExit(3)


async def leaves_later() -> None:
    await asyncio.sleep(0)
    raise SystemExit(3)


async def cancels_itself() -> None:
    raise asyncio.CancelledError


async def cancels_itself_later() -> None:
    await asyncio.sleep(0)
    raise asyncio.CancelledError


async def says_half_a_character() -> None:
    raise RequestError("half \ud800", code=5)


async def holds_what_json_cannot() -> None:
    raise RequestError("held", code=6, data={"thing": object()})


async def has_a_code_beyond_32_bits() -> None:
    raise RequestError("far out", code=2**40)


async def cannot_say_what() -> None:
    raise Mute


@pytest.mark.parametrize(
    ("handler", "code", "message"),
    [
        (stops_iterating, -32603, "RuntimeError: coroutine raised StopIteration"),
        (leaves, -32603, "SystemExit: 3"),
        (leaves_at_once, -32603, "SystemExit: 3"),
        (leaves_later, -32603, "SystemExit: 3"),
        (cancels_itself, -32603, "CancelledError: "),
        (cancels_itself_later, -32603, "CancelledError: "),
        (says_half_a_character, 5, "half ?"),
        (holds_what_json_cannot, 6, "held"),
        (has_a_code_beyond_32_bits, -32603, "RequestError: Error (1099511627776): far out"),
        (cannot_say_what, -32603, "Mute"),
    ],
)
@pytest.mark.requirement("MSG-17", "ERR-03")
def test_a_handler_that_fails_oddly_is_answered_and_the_plugin_goes_on(handler: Any, code: int, message: str) -> None:
    plugin = make_plugin()
    plugin.method("odd")(handler)
    error = run(error_of(plugin, "demo/odd"))
    assert (error.code, error.message) == (code, message)


class Opaque:
    pass


def test_a_parameter_that_nothing_can_become_fails_its_own_method_only() -> None:
    plugin = make_plugin()

    @plugin.method
    async def odd(thing: Opaque) -> None: ...

    error = run(error_of(plugin, "demo/odd", {"thing": {}}))
    assert error.code == -32603


@pytest.mark.parametrize("result", [object(), 1j, "\ud800", [{"a": print}]])
@pytest.mark.requirement("ERR-03")
def test_a_result_that_json_cannot_hold_is_an_internal_error(result: Any) -> None:
    plugin = make_plugin()

    @plugin.method
    async def odd() -> Any:
        return result

    error = run(error_of(plugin, "demo/odd"))
    assert error.code == -32603
    assert error.message.startswith("TypeError: demo/odd returned what JSON cannot hold: ")


@pytest.mark.requirement("ERR-06")
def test_a_result_that_is_too_large_is_replaced_by_an_error() -> None:
    plugin = make_plugin()

    @plugin.method
    async def large() -> str:
        return "x" * 4096

    error = run(error_of(plugin, "demo/large", limits={"maxFrameBytes": 4096}))
    assert (error.code, error.data) == (-32016, {"size": 4132, "limit": 4096})


@pytest.mark.requirement("ERR-06")
def test_an_error_that_is_too_large_is_replaced_by_another() -> None:
    plugin = make_plugin()

    @plugin.method
    async def large() -> str:
        raise RequestError("x" * 4096, code=1)

    error = run(error_of(plugin, "demo/large", limits={"maxFrameBytes": 4096}))
    assert error.code == -32016


# Concurrency


@pytest.mark.requirement("CAL-12")
def test_requests_above_the_concurrency_wait_and_begin_in_order() -> None:
    plugin = make_plugin(concurrency=2)
    begun: list[int] = []
    gates = [asyncio.Event() for _ in range(5)]

    @plugin.method
    async def work(number: int) -> list[int]:
        begun.append(number)
        await gates[number].wait()
        return list(begun)

    async def conversation() -> None:
        async with connect(plugin) as host:
            calls = [asyncio.ensure_future(host.call("demo/work", {"number": number})) for number in range(5)]
            await host.call("ping")
            assert begun == [0, 1]
            gates[1].set()
            assert await calls[1] == [0, 1]
            await host.call("ping")
            assert begun == [0, 1, 2]
            for gate in gates:
                gate.set()
            await asyncio.gather(*calls)
            assert begun == [0, 1, 2, 3, 4]

    run(conversation())


def test_a_long_queue_of_quick_requests_is_worked_off() -> None:
    plugin = make_plugin(concurrency=1)
    gate = asyncio.Event()

    @plugin.method
    async def slow() -> None:
        await gate.wait()

    @plugin.method
    async def quick(number: int) -> int:
        return number

    async def conversation() -> None:
        async with connect(plugin, limits={"maxInFlight": 4000}) as host:
            first = asyncio.ensure_future(host.call("demo/slow"))
            rest = [asyncio.ensure_future(host.call("demo/quick", {"number": number})) for number in range(3000)]
            await host.call("ping")
            gate.set()
            await first
            assert await asyncio.gather(*rest) == list(range(3000))

    run(conversation())


def test_a_request_that_comes_while_another_moves_up_does_not_overtake_it() -> None:
    plugin = make_plugin(concurrency=1)
    begun: list[int] = []

    @plugin.method
    async def work(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)

    async def conversation() -> None:
        async with connect(plugin) as host:
            # All in one write: the first is cancelled before it begins, and the third follows at once.
            first, second = [asyncio.ensure_future(host.call("demo/work", {"number": number})) for number in (1, 2)]
            cancel = {"id": max(host.peer.outgoing, default=1) + 1}
            asyncio.get_running_loop().call_soon(host.notify, "$/cancelRequest", cancel)
            third = asyncio.ensure_future(host.call("demo/work", {"number": 3}))
            with pytest.raises(RequestError, match="before it began"):
                await first
            await asyncio.gather(second, third)
        assert begun == [2, 3]

    run(conversation())


@pytest.mark.requirement("CAL-14")
def test_a_request_above_the_limit_in_flight_is_overloaded() -> None:
    plugin = make_plugin()

    @plugin.method
    async def waits() -> None:
        await asyncio.Event().wait()

    async def conversation() -> None:
        async with connect(plugin, limits={"maxInFlight": 2}) as host:
            waiting = [asyncio.ensure_future(host.call("demo/waits")) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(RequestError) as refused:
                await host.call("demo/waits")
            assert (refused.value.code, refused.value.data) == (-32013, {"limit": 2})
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)

    run(conversation())


# Lifecycle


@dataclass
class Config:
    tone: Literal["warm", "cool"]
    size: int = 1


def test_the_configuration_may_be_a_class() -> None:
    plugin = make_plugin(config=Config)

    @plugin.method
    async def tone(ctx: Context) -> str:
        assert ctx.config == Config("warm", 1)
        config: Config = ctx.config
        return config.tone

    async def conversation() -> None:
        async with connect(plugin, config={"tone": "warm"}) as host:
            assert await host.call("demo/tone") == "warm"

    run(conversation())


@pytest.mark.parametrize(
    ("config", "path", "message"),
    [
        ({"tone": "loud"}, "$.config.tone", 'expected one of "warm", "cool", got "loud"'),
        ({}, "$.config.tone", "the member 'tone' is missing"),
        ({"tone": "warm", "pitch": 1}, "$.config.pitch", "unknown member"),
    ],
)
@pytest.mark.requirement("ERR-05")
def test_a_configuration_that_does_not_fit_is_refused_with_the_path(config: Any, path: str, message: str) -> None:
    async def conversation() -> None:
        with pytest.raises(InvalidParams) as refused:
            async with connect(make_plugin(config=Config), config=config):
                pass
        assert refused.value.code == -32602
        assert refused.value.data == {"problems": [{"path": path, "message": message}]}

    run(conversation())


@pytest.mark.requirement("LIF-05")
def test_a_host_of_another_major_version_is_refused_with_the_versions_that_would_do() -> None:
    async def conversation() -> None:
        with pytest.raises(RequestError) as refused:
            async with connect(make_plugin(), protocol_version="2.0"):
                pass
        assert (refused.value.code, refused.value.data) == (-32017, {"supported": ["1.0"]})

    run(conversation())


@pytest.mark.requirement("LIF-07", "LIF-11")
def test_a_host_of_another_minor_version_with_unknown_capabilities_is_welcome() -> None:
    async def conversation() -> None:
        async with connect(make_plugin(), protocol_version="1.7", capabilities={"teleport": True}) as host:
            assert host.initialize_result["protocolVersion"] == "1.0"

    run(conversation())


@pytest.mark.requirement("LIF-05")
@pytest.mark.parametrize("version", [None, 1, "", "x.1", "1", "1.", "1.0.0", "01.0", "1.0 "])
def test_a_version_that_is_none_is_refused(version: Any) -> None:
    async def conversation() -> None:
        with pytest.raises(InvalidParams) as refused:
            async with connect(make_plugin(), protocol_version=version):
                pass
        assert refused.value.data["problems"][0]["path"] == "$.protocolVersion"

    run(conversation())


@pytest.mark.requirement("LIF-18")
def test_ping_is_answered_with_null_while_handlers_run() -> None:
    plugin = make_plugin(concurrency=1)

    @plugin.method
    async def waits() -> None:
        await asyncio.Event().wait()

    async def conversation() -> None:
        async with connect(plugin) as host:
            waiting = asyncio.ensure_future(host.call("demo/waits"))
            assert await host.call("ping") is None
            waiting.cancel()

    run(conversation())


@pytest.mark.requirement("LIF-13")
def test_shutdown_answers_what_runs_and_what_waits_and_then_itself() -> None:
    plugin = make_plugin(concurrency=2)
    answered: list[str] = []
    entered, release = threading.Event(), threading.Event()

    @plugin.method
    async def tidies() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "tidied up"

    @plugin.method
    def blocks() -> None:
        entered.set()
        release.wait(WAIT)

    @plugin.method
    async def waits_its_turn() -> None: ...

    async def conversation() -> None:
        async with connect(plugin) as host:

            async def call(method: str) -> Any:
                try:
                    return await host.call(method)
                except RequestError as error:
                    return error.code
                finally:
                    answered.append(method)

            calls = [asyncio.ensure_future(call(f"demo/{name}")) for name in ("tidies", "blocks", "waits_its_turn")]
            assert await asyncio.to_thread(entered.wait, WAIT)
            assert await call("shutdown") is None
            assert await asyncio.gather(*calls) == ["tidied up", -32800, -32800]
            assert answered[-1] == "shutdown"
            release.set()
        assert host.exit_code == 0

    run(conversation())


# Notifications


@pytest.mark.requirement("CAL-12")
def test_notifications_are_handled_one_after_the_other_in_order() -> None:
    plugin = make_plugin()
    seen: list[str] = []
    done = asyncio.Event()

    @plugin.notification("demo/slow")
    async def slow(number: int) -> None:
        seen.append(f"begin {number}")
        await asyncio.sleep(0)
        seen.append(f"end {number}")

    @plugin.notification("demo/plain")
    def plain(number: int) -> None:
        seen.append(f"plain {number}")

    @plugin.notification("demo/last")
    async def last() -> None:
        done.set()

    async def conversation() -> None:
        async with connect(plugin) as host:
            host.notify("demo/slow", {"number": 1})
            host.notify("demo/plain", {"number": 2})
            host.notify("demo/slow", {"number": 3})
            host.notify("demo/nobody")
            host.notify("demo/last")
            await done.wait()
        assert seen == ["begin 1", "end 1", "plain 2", "begin 3", "end 3"]

    run(conversation())


async def fails() -> None:
    raise ValueError("no good")


@pytest.mark.parametrize("handler", [fails, cancels_itself, leaves_later, leaves, stops_iterating])
@pytest.mark.requirement("MSG-18")
def test_a_notification_that_fails_is_logged_and_the_next_is_handled(handler: Any) -> None:
    plugin = make_plugin()
    done = asyncio.Event()
    plugin.notification("demo/fails")(handler)

    @plugin.notification("demo/takes")
    async def takes(number: int) -> None:
        done.set()

    async def conversation() -> None:
        async with connect(plugin) as host:
            host.notify("demo/fails")
            host.notify("demo/takes", {"number": "none"})
            host.notify("demo/takes", {"number": 1})
            await done.wait()
            await host.call("ping")
            assert [log["level"] for log in host.logs] == ["error", "error"]
            assert host.logs[0]["message"].startswith("the handler of demo/fails failed: ")
            assert "expected integer" in host.logs[1]["message"]

    run(conversation())


def test_a_plain_notification_is_handled_while_every_request_blocks() -> None:
    plugin = make_plugin(concurrency=1)
    release = threading.Event()

    @plugin.method
    def blocks() -> bool:
        return release.wait(WAIT)

    @plugin.notification("demo/release")
    def frees() -> None:
        release.set()

    async def conversation() -> None:
        async with connect(plugin) as host:
            blocked = asyncio.ensure_future(host.call("demo/blocks"))
            await host.call("ping")
            host.notify("demo/release")
            assert await blocked is True

    run(conversation())


@pytest.mark.requirement("LIF-07")
def test_a_change_of_services_reaches_its_handler_which_need_not_know_every_member() -> None:
    plugin = make_plugin(requires={"spell": ""})
    changes: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    @plugin.notification("service/changed")
    async def changed(service: str, state: str) -> None:
        changes.put_nowait((service, state))

    async def conversation() -> None:
        async with connect(plugin) as host:
            change = {"service": "spell", "version": "1", "instance": "speller", "state": "available"}
            host.notify("service/changed", change)
            assert await changes.get() == ("spell", "available")

    run(conversation())


# The end


def test_outside_a_connection_calls_fail_and_logs_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    plugin = make_plugin()
    with pytest.raises(ConnectionClosed, match="demo is not connected to a host"):
        run(plugin.call("spell/check"))
    plugin.log.warning("early", count=3)
    assert capfd.readouterr().err == "warning: early count=3\n"

    async def conversation() -> None:
        async with connect(plugin):
            pass
        plugin.log.info("late")
        plugin.notify("demo/late")
        with pytest.raises(ConnectionClosed):
            await plugin.call("spell/check")

    run(conversation())
    assert capfd.readouterr().err == "info: late\n"


def test_a_plain_function_sees_that_the_host_is_gone() -> None:
    plugin = make_plugin()
    entered, saw = threading.Event(), threading.Event()

    @plugin.method
    def works(ctx: Context) -> None:
        entered.set()
        while not ctx.cancelled:
            saw.wait(0)
        saw.set()

    async def breaks_off() -> None:
        async with connect(plugin) as host:
            call = asyncio.ensure_future(host.call("demo/works"))
            assert await asyncio.to_thread(entered.wait, WAIT)
            host.connection.close()
            await call

    async def conversation() -> None:
        with pytest.raises(ConnectionClosed):
            await breaks_off()
        assert await asyncio.to_thread(saw.wait, WAIT)

    run(conversation())


def test_one_plugin_may_be_connected_again() -> None:
    plugin = make_plugin()

    @plugin.method
    async def hello() -> str:
        return "hello"

    async def conversation() -> None:
        for _ in range(2):
            async with connect(plugin) as host:
                assert await host.call("demo/hello") == "hello"

    run(conversation())
