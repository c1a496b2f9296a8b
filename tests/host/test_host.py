"""What an application sees of its host: plugins come and go, methods of its own, events, requirements.

It is long because one file holds the whole of the class Host.
"""

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from plugwire import Context
from plugwire_host import (
    ConnectionClosed,
    EventsMissed,
    Host,
    HostError,
    HostEvent,
    InvalidParams,
    MethodNotFound,
    PluginEnded,
    PluginFailed,
    PluginLogged,
    PluginReady,
    PluginState,
    PluginUnavailable,
    RequestError,
    RequirementUnmet,
    StartupFailed,
)

from .support import LIMIT, PLUGINS, Watch, Wire, begun, fails, launch, plugin, relay, run, via

# Life


@pytest.mark.requirement("LIF-03", "LIF-07", "LIF-08", "LIF-11", "LIF-14")
def test_a_plugin_is_launched_called_and_ended() -> None:
    async def main() -> list[Any]:
        wire = Wire()
        async with Host(name="editor", version="3", trace=wire) as host:
            record = await host.launch("a", relay("a"), config={"tone": "warm"})
            assert (record.name, record.state, record.version) == ("a", PluginState.READY, "1")
            assert record.command == tuple(relay("a"))
            assert await host.call("a/echo", {"text": "x"}) == {"text": "x"}
            host.notify("a/note", {"text": "y"})
            assert await host.call("a/journal") == [["a/note", {"text": "y"}]]
        after = host.plugins["a"]
        assert (after.state, after.pid, after.failure) == (PluginState.STOPPED, None, None)
        return [json.loads(body) for body in wire.sent("a")]

    first, *rest = run(main())
    assert (first["id"], first["method"]) == (1, "initialize")
    told = first["params"]
    assert (told["protocolVersion"], told["host"], told["instance"]) == ("1.0", {"name": "editor", "version": "3"}, "a")
    assert told["capabilities"] == {
        "meta": True,
        "log": True,
        "services": True,
        "events": True,
        "hooks": True,
        "channels": True,
        "memory": True,
        "state": True,
        "locks": True,
    }
    assert told["limits"] == {"maxFrameBytes": 4194304, "maxDepth": 128, "maxInFlight": 256}
    assert told["config"] == {"tone": "warm"}
    assert [message["method"] for message in rest] == [
        "initialized",
        "a/echo",
        "a/note",
        "a/journal",
        "shutdown",
        "exit",
    ]


@pytest.mark.parametrize("framing", ["header", "line"])
@pytest.mark.requirement("LIF-04", "LIF-12", "MAN-09")
def test_the_smallest_plugin_starts_in_each_framing(framing: Any) -> None:
    async def main() -> tuple[PluginState, Any]:
        async with Host() as host:
            record = await host.launch("x", plugin("minimal"), framing=framing)
            await host.launch("a", relay("a"), framing=framing)
            return record.state, await host.call("a/echo", {"text": "é\n"})

    assert run(main()) == (PluginState.READY, {"text": "é\n"})


def test_a_host_is_used_inside_async_with() -> None:
    async def main() -> None:
        host = Host()
        assert (host.plugins, host.services) == ({}, [])
        for _ in range(2):
            with pytest.raises(HostError, match="the host is not running: use it inside `async with`"):
                await host.launch("a", relay("a"))
            with pytest.raises(ConnectionClosed, match="the host is not running"):
                await host.call("a/echo")
            with pytest.raises(ConnectionClosed, match="the host is not running"):
                host.notify("a/note")
            async with host:
                pass
        await host.aclose()

    run(main())


@pytest.mark.requirement("CAL-40")
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a", "there is a plugin 'a' already"),
        ("host", "the instance name 'host' stands for the application itself"),
        ("Bad Name", "an instance name is 1 to 64 of"),
        ("x" * 65, "an instance name is 1 to 64 of"),
        ("", "an instance name is 1 to 64 of"),
    ],
)
def test_a_name_that_is_taken_or_not_allowed_is_refused(name: str, problem: str) -> None:
    async def main() -> None:
        async with Host() as host:
            await host.launch("a", relay("a"))
            with pytest.raises(ValueError, match=problem):
                await host.launch(name, relay("b"))
            assert list(host.plugins) == ["a"]
            assert await host.call("a/echo") == {}

    run(main())


def test_a_plugin_may_be_launched_again_after_it_was_stopped_or_failed() -> None:
    async def main() -> list[PluginState]:
        async with Host() as host:
            states = []
            with pytest.raises(StartupFailed):
                await host.launch("a", plugin("exits_at_once", "1"))
            states.append(host.plugins["a"].state)
            states.append((await host.launch("a", relay("a"))).state)
            await host.stop("a")
            await host.stop("a")
            states.append(host.plugins["a"].state)
            error = await fails(host.call("a/echo"))
            assert type(error) is PluginUnavailable
            assert error.data == {"instance": "a", "reason": "it is being stopped"}
            states.append((await host.launch("a", relay("a"))).state)
            assert await host.call("a/echo") == {}
            with pytest.raises(KeyError):
                await host.stop("b")
            return states

    assert [state.value for state in run(main())] == ["failed", "ready", "stopped", "ready"]


@pytest.mark.requirement("LIF-19")
def test_one_plugin_is_stopped_and_the_others_go_on() -> None:
    async def main() -> tuple[Any, list[HostEvent]]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"))
            await host.stop("a")
            return await host.call("b/echo", {"x": 1}), list(watch.events)

    result, events = run(main())
    assert result == {"x": 1}
    assert events[-1] == PluginEnded("a", "exit code 0", asked=True)


def test_two_who_stop_the_same_plugin_both_wait_for_its_end() -> None:
    async def main() -> None:
        async with Host() as host:
            await host.launch("a", relay("a"))
            first = asyncio.ensure_future(host.stop("a"))
            await asyncio.sleep(0)
            await host.stop("a")
            assert host.plugins["a"].state is PluginState.STOPPED
            await first

    run(main())


# Launches that do not come to their end. F24


@pytest.mark.parametrize("how", ["cancel", "stop", "close"])
def test_a_launch_that_is_given_up_leaves_nothing(how: str) -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            launching = await begun(watch, "a", "thinking", host.launch("a", plugin("mute"), start_timeout=LIMIT))
            if how == "cancel":
                launching.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await launching
            else:
                await (host.stop("a") if how == "stop" else host.aclose())
                with pytest.raises(HostError, match="plugin 'a' was stopped while it was starting"):
                    await launching
            assert host.plugins["a"].state is PluginState.STOPPED
            if how != "close":
                await host.launch("a", relay("a"))

    run(main())


def test_a_launch_may_be_cancelled_at_any_step() -> None:
    async def main() -> None:
        async with Host() as host:
            for turns in range(12):
                launching = asyncio.ensure_future(host.launch("a", plugin("mute")))
                for _ in range(turns):
                    await asyncio.sleep(0)
                launching.cancel()
                await asyncio.wait([launching])
                assert launching.cancelled()
                assert "a" not in host.plugins or host.plugins["a"].state is PluginState.STOPPED

    run(main())


@pytest.mark.requirement("LIF-10", "LIF-17")
def test_a_plugin_that_ends_after_initialize_while_others_start_did_not_start(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = write_list(
        tmp_path,
        short={"command": plugin("exits_after_initialize", "3", str(pipe))},
        long={"command": plugin("slow_to_start", str(pipe))},
        needs={"command": relay("a", "requires=liar:", "wants=spell:")},
    )

    async def main() -> tuple[StartupFailed, list[str]]:
        async with Host.from_config(path) as host:
            failure = host.plugins["short"].failure
            assert isinstance(failure, StartupFailed)
            return failure, [entry["instance"] for entry in host.services if entry["service"] == "liar"]

    error, providers = run(main())
    assert error.report.stage == "exited"
    assert error.report.cause == "it ended (exit code 3) as soon as it answered initialize"
    assert error.report.stderr_tail == ("no more of this",)
    assert providers == ["long"]


def test_a_plugin_that_ends_right_after_initialize_has_not_started_or_has_ended() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            for _ in range(5):
                status = None
                try:
                    await host.launch("a", plugin("exits_after_initialize", "3"), restart="never")
                except StartupFailed as error:
                    status = error.report.status
                assert (status or (await watch.event(PluginEnded, "a")).status) == "exit code 3"

    run(main())


# The application's own methods


@pytest.mark.requirement("CAL-02", "CAL-16")
def test_plugins_call_methods_of_the_application() -> None:
    async def main() -> list[Any]:
        async with Host() as host:

            @host.method("editor/open")
            async def open_file(path: str, ctx: Context) -> dict[str, Any]:
                return {"opened": path, "for": ctx.caller}

            @host.method("editor/thread")
            def thread(ctx: Context) -> Any:
                assert threading.current_thread() is not threading.main_thread()
                return ctx.call_blocking("b/echo", {"from": "thread"})

            @host.method("editor/ask")
            async def ask(ctx: Context) -> Any:
                return await ctx.call("b/echo", {"from": "coroutine"})

            await launch(host, a=relay("a"), b=relay("b"))
            return [
                await host.call("a/call", {"method": "editor/open", "params": {"path": "x"}}),
                await host.call("a/call", via("editor/thread")),
                await host.call("a/call", via("editor/ask")),
                await host.call("editor/open", {"path": "y"}),
            ]

    assert run(main()) == [
        {"opened": "x", "for": "a"},
        {"from": "thread"},
        {"from": "coroutine"},
        {"opened": "y", "for": "host"},
    ]


@pytest.mark.requirement("ERR-03")
def test_what_fails_in_a_method_of_the_application_is_an_error_for_its_caller(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def main() -> list[RequestError]:
        async with Host() as host:

            @host.method("editor/fail")
            async def fail(number: int) -> object:
                if number == 1:
                    raise RequestError("not today", code=42, data=[1])
                if number == 2:
                    return object()
                raise KeyError(number)

            await host.launch("a", relay("a"))
            numbers: list[Any] = [1, 2, 3, "four"]
            asked = [{"method": "editor/fail", "params": {"number": number}} for number in numbers]
            return [await fails(host.call("a/call", params)) for params in asked]

    own, unfit, failed, invalid = run(main())
    assert (own.code, own.message, own.data) == (42, "not today", [1])
    assert unfit.code == -32603
    assert (failed.code, failed.message) == (-32603, "KeyError: 3")
    assert type(invalid) is InvalidParams
    assert "KeyError: 3" in capfd.readouterr().err


@pytest.mark.requirement("ERR-03", "MSG-17")
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StopIteration("no more"), "RuntimeError: coroutine raised StopIteration"),
        (SystemExit("enough"), "SystemExit: enough"),
    ],
)
def test_whatever_a_plain_function_of_the_application_raises_is_an_answer(error: BaseException, message: str) -> None:
    async def main() -> RequestError:
        async with Host() as host:

            @host.method("editor/fail")
            def fail() -> None:
                raise error

            await host.launch("a", relay("a"))
            return await fails(host.call("a/call", {"method": "editor/fail"}))

    answer = run(main())
    assert (answer.code, answer.message) == (-32603, message)


@pytest.mark.requirement("MSG-17")
@pytest.mark.parametrize(("message", "data"), [("not today", object()), ("not \ud800today", None)])
def test_an_error_that_json_cannot_hold_is_told_with_its_code(message: str, data: object) -> None:
    async def main() -> list[RequestError]:
        async with Host() as host:

            @host.method("editor/fail")
            async def fail() -> None:
                raise RequestError(message, code=42, data=data)

            await host.launch("a", relay("a"))
            calls = [host.call("a/call", {"method": "editor/fail"}), host.call("editor/fail")]
            return [await fails(call) for call in calls]

    for error in run(main()):
        assert (error.code, error.message, error.data) == (42, message.replace("\ud800", "?"), None)


def test_a_coroutine_of_the_application_cannot_block_the_loop_on_itself() -> None:
    async def main() -> RequestError:
        async with Host() as host:

            @host.method("editor/block")
            async def block(ctx: Context) -> Any:
                return ctx.call_blocking("a/echo")

            await host.launch("a", relay("a"))
            return await fails(host.call("a/call", via("editor/block")))

    assert "would wait for itself on the event loop" in run(main()).message


@pytest.mark.requirement("CAL-11", "CAL-26")
def test_what_a_method_of_the_application_tells_arrives_before_its_answer() -> None:
    async def main() -> tuple[list[Any], list[Any]]:
        told: list[Any] = []
        async with Host() as host:

            @host.method("editor/count")
            async def count(ctx: Context) -> str:
                ctx.progress(1, 2)
                ctx.notify("a/note", {"from": "coroutine"})
                ctx.log.info("counted")
                return "counted"

            @host.method("editor/slowly")
            def slowly(ctx: Context) -> str:
                ctx.progress(2, 2)
                ctx.notify("a/note", {"from": "thread"})
                return "counted"

            await host.launch("a", relay("a", "meta"))
            for name in ("count", "slowly"):
                assert await host.call("a/call", via(f"editor/{name}"), progress=told.append) == "counted"
            return told, await host.call("a/journal")

    told, journal = run(main())
    assert told == [{"done": 1, "total": 2}, {"done": 2, "total": 2}]
    assert journal == [["a/note", {"from": "coroutine"}], ["a/note", {"from": "thread"}]]


@pytest.mark.requirement("CAL-23")
def test_a_cancel_reaches_a_method_of_the_application_and_what_it_called() -> None:
    async def main() -> bool:
        async with Host() as host:
            watch = Watch(host)
            ended = asyncio.Event()

            @host.method("editor/ask")
            async def ask(ctx: Context) -> Any:
                try:
                    return await ctx.call("b/hold")
                finally:
                    ended.set()

            await launch(host, a=relay("a"), b=relay("b"))
            call = await begun(watch, "b", "holding", host.call("a/call", via("editor/ask")))
            call.cancel()
            await watch.log("b", "cancelled b/hold")
            await ended.wait()
            return call.cancelled()

    run(main())


@pytest.mark.requirement("CAL-26", "CAL-39")
def test_a_thread_that_goes_on_after_a_cancel_is_not_heard() -> None:
    async def main() -> list[bytes]:
        wire = Wire()
        entered, cancelled, told = threading.Event(), threading.Event(), threading.Event()
        async with Host(trace=wire) as host:

            @host.method("editor/slowly")
            def slowly(ctx: Context) -> str:
                entered.set()
                assert cancelled.wait(LIMIT)
                ctx.progress(1, 2)
                told.set()
                return "too late"

            await host.launch("a", relay("a", "meta"))
            calls = [
                asyncio.ensure_future(host.call("a/call", via("editor/slowly"), progress=print)),
                asyncio.ensure_future(host.call("editor/slowly", progress=print)),
            ]
            assert await asyncio.to_thread(entered.wait, LIMIT)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
            cancelled.set()
            assert await asyncio.to_thread(told.wait, LIMIT)
            assert await host.call("a/echo", {"x": 1}) == {"x": 1}
        return wire.sent("a")

    assert [body for body in run(main()) if b"$/progress" in body or b"too late" in body] == []


def test_a_call_that_is_open_at_the_close_ends() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            watch = Watch(host)

            @host.method("editor/wait")
            async def wait() -> None:
                await asyncio.Event().wait()

            await host.launch("a", relay("a"))
            calls = [
                await begun(watch, "a", "holding", host.call("a/hold")),
                asyncio.ensure_future(host.call("editor/wait")),
            ]
            await asyncio.sleep(0)
            late = asyncio.ensure_future(host.call("editor/wait"))
        return await asyncio.gather(*calls, late, return_exceptions=True)

    held, waited, late = run(main())
    assert type(held).__name__ == "PluginCrashed"  # it was told to stop, and did, without an answer
    assert type(waited).__name__ == "RequestCancelled"
    assert type(late).__name__ in ("RequestCancelled", "ConnectionClosed")


def test_a_call_that_has_not_begun_at_the_close_ends() -> None:
    async def main() -> RequestError:
        async with Host() as host:

            @host.method("editor/wait")
            async def wait() -> None:
                await asyncio.Event().wait()

            call = asyncio.ensure_future(host.call("editor/wait"))
            await asyncio.sleep(0)
        return await fails(call)

    assert str(run(main())) == "RequestCancelled (-32800): the host has closed"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("editor/open", "editor/open has a handler already"),
        ("log/write", "the service name 'log' is reserved"),
        ("host/x", "the service name 'host' is reserved"),
        ("open", "a method's name is service/method"),
    ],
)
def test_a_method_with_a_bad_or_taken_name_is_refused(name: str, problem: str) -> None:
    host = Host()
    host.method("editor/open")(print_nothing)
    with pytest.raises(ValueError, match=problem):
        host.method(name)(print_nothing)


async def print_nothing() -> None:
    """A handler."""


# What there is


@pytest.mark.requirement("CAL-08")
def test_the_services_that_can_be_called_are_listed_for_the_application_and_for_plugins() -> None:
    async def main() -> tuple[Any, Any]:
        async with Host() as host:
            host.method("editor/close", version="2.1")(print_nothing)
            await launch(host, a=relay("a", "version=1.2"), x=plugin("minimal"))
            host.method("late/close")(print_nothing)
            listed = await host.call("a/call", via("service/list"))
            return listed, host.services

    listed, services = run(main())
    assert listed == {"services": services}
    assert [(entry["service"], entry["version"], entry["instance"]) for entry in services] == [
        ("a", "1.2", "a"),
        ("editor", "2.1", "host"),
        ("late", "1", "host"),
    ]
    assert services[1]["methods"]["close"]["description"] == "A handler."
    assert services[0]["methods"]["echo"] == {}


@pytest.mark.requirement("CAL-08")
def test_methods_may_be_registered_before_the_host_runs() -> None:
    async def main() -> Any:
        host = Host()
        host.method("editor/close", version="2.1")(print_nothing)
        async with host:
            return [(entry["service"], entry["version"]) for entry in host.services]

    assert run(main()) == [("editor", "2.1")]


@pytest.mark.requirement("CAL-09")
def test_plugins_hear_when_a_service_that_they_require_comes_or_goes() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            await launch(host, a=relay("a", "wants=spell:+late:"), b=relay("b"))
            await host.launch("one", relay("spell", "version=1.5"))
            await host.launch("two", relay("other"))
            await host.stop("one")
            host.method("late/close")(print_nothing)
            host.method("late/open")(print_nothing)
            assert await host.call("b/journal") == []
            journal: list[Any] = await host.call("a/journal")
            return journal

    changed = {"service": "spell", "version": "1.5", "instance": "one"}
    assert run(main()) == [
        ["service/changed", {**changed, "state": "available"}],
        ["service/changed", {**changed, "state": "unavailable"}],
        ["service/changed", {"service": "late", "version": "1", "instance": "host", "state": "available"}],
    ]


@pytest.mark.requirement("CAL-03", "CAL-04")
def test_of_several_providers_each_caller_gets_the_best_that_fits() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            await host.launch("old", relay("spell", "version=1.0", "meta"))
            await host.launch("new", relay("spell", "version=2.0", "meta"))
            await host.launch("first", relay("words", "meta"))
            await host.launch("preferred", relay("words", "meta"), priority=1)
            await launch(host, any=relay("any"), below=relay("below", "requires=spell:<2"))
            chosen = []
            for caller in ("any", "below"):
                for method in ("spell/note", "spell@old/note", "words/note"):
                    await host.call(f"{caller}/say", {"messages": [{"method": method, "params": {"caller": caller}}]})
            for name, service in [("old", "spell"), ("new", "spell"), ("first", "words"), ("preferred", "words")]:
                notes = await host.call(f"{service}@{name}/journal")
                chosen.append((name, [params["caller"] for _, params in notes]))
            return chosen

    assert run(main()) == [
        ("old", ["any", "below", "below"]),
        ("new", ["any"]),
        ("first", []),
        ("preferred", ["any", "below"]),
    ]


# Requirements


@pytest.mark.requirement("CAL-10")
@pytest.mark.parametrize(
    ("wants", "problem"),
    [
        ("requires=spell:", "it requires spell (any version): no plugin provides it"),
        (
            "requires=words:>=2+spell:>1",
            "it requires words >=2: there is 1.5; it requires spell >1: no plugin provides it",
        ),
    ],
)
def test_a_plugin_whose_requirements_are_not_met_is_refused_with_the_proof(wants: str, problem: str) -> None:
    async def main() -> tuple[RequirementUnmet, list[HostEvent]]:
        async with Host() as host:
            await host.launch("words", relay("words", "version=1.5"))
            watch = Watch(host)
            with pytest.raises(RequirementUnmet) as caught:
                await host.launch("a", relay("a", wants))
            assert host.plugins["a"].state is PluginState.FAILED
            assert type(await fails(host.call("a/echo"))) is MethodNotFound
            return caught.value, list(watch.events)

    error, events = run(main())
    assert (error.report.stage, error.report.cause) == ("requires", problem)
    assert error.report.hint == "add a plugin that provides it, or make it optional"
    assert events == [PluginFailed("a", problem)]


@pytest.mark.requirement("CAL-10")
def test_an_optional_requirement_need_not_be_met() -> None:
    async def main() -> PluginState:
        async with Host() as host:
            return (await host.launch("a", relay("a", "wants=spell:>=9"))).state

    assert run(main()) is PluginState.READY


# The host's list


def write_list(folder: Path, **plugins: dict[str, Any]) -> Path:
    """A plugins.toml; JSON's strings, lists, numbers and booleans are TOML's as well."""
    lines = []
    for name, table in plugins.items():
        lines += [f"[plugins.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    path = folder / "plugins.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.requirement("MAN-08", "CAL-10")
def test_the_plugins_of_a_list_start_side_by_side_and_may_require_each_other(tmp_path: Path) -> None:
    path = write_list(
        tmp_path,
        a={"command": relay("a", "requires=b:>=1")},
        b={"command": relay("b", "requires=a:<2")},
        alone={"command": relay("c", "requires=d:")},
        broken={"command": plugin("exits_at_once", "3", "no disk")},
        missing={"command": ["./missing"]},
        relies={"command": relay("e", "requires=c:")},
        disabled={"command": relay("f"), "enabled": False},
    )

    async def main() -> tuple[dict[str, str], dict[str, str], Any]:
        async with Host.from_config(path) as host:
            records = host.plugins
            states = {name: record.state.value for name, record in records.items()}
            failures = {
                name: record.failure.report.cause
                for name, record in records.items()
                if isinstance(record.failure, StartupFailed)
            }
            return states, failures, await host.call("a/call", via("b/call", "a/echo"), timeout=LIMIT)

    with pytest.raises(RequestError, match="CallCycle"):
        run(main())

    async def calm() -> tuple[dict[str, str], dict[str, str]]:
        async with Host.from_config(path) as host:
            assert await host.call("a/call", via("b/echo", x=1)) == {"x": 1}
            states = {name: record.state.value for name, record in host.plugins.items()}
            failures = {
                n: r.failure.report.cause for n, r in host.plugins.items() if isinstance(r.failure, StartupFailed)
            }
            return states, failures

    states, failures = run(calm())
    assert states == {
        "a": "ready",
        "b": "ready",
        "alone": "failed",
        "broken": "failed",
        "missing": "failed",
        "relies": "failed",
    }
    assert failures.pop("missing").startswith(f"{tmp_path / 'missing'}")
    assert failures == {
        "alone": "it requires d (any version): no plugin provides it",
        "broken": "it ended (exit code 3) before it answered initialize",
        "relies": "it requires c (any version): no plugin provides it",
    }


@pytest.mark.requirement("MAN-08")
def test_a_required_plugin_that_fails_fails_the_host_and_ends_the_others(tmp_path: Path) -> None:
    path = write_list(
        tmp_path,
        a={"command": relay("a")},
        broken={"command": plugin("exits_at_once", "3", "no disk"), "required": True},
    )

    async def main() -> StartupFailed:
        host = Host.from_config(path)
        with pytest.raises(StartupFailed) as caught:
            await host.__aenter__()
        assert host.plugins["a"].state is PluginState.STOPPED
        return caught.value

    error = run(main())
    assert error.report.plugin == "broken"
    assert error.report.stderr_tail == ("no disk",)


@pytest.mark.requirement("MAN-05")
@pytest.mark.parametrize(
    ("provides", "cause"),
    [
        ('service = "relay"\nmethods = []', None),
        ('service = "relay"\nversion = "1.0"\nmethods = ["echo"]', None),
        (
            'service = "spell"\nmethods = []',
            "its manifest promises the service spell, and it provides it not at all",
        ),
        (
            'service = "relay"\nversion = "2.0"\nmethods = []',
            "its manifest promises the service relay 2.0, and it provides it in version 1.0",
        ),
        (
            'service = "relay"\nmethods = ["echo", "sing"]',
            "its manifest promises the service relay, and it provides it without the method sing",
        ),
    ],
)
def test_a_plugin_keeps_what_its_manifest_promises(tmp_path: Path, provides: str, cause: str | None) -> None:
    command = json.dumps(plugin("relay"))
    manifest = f'name = "relay"\nversion = "1"\ncommand = {command}\n[[provides]]\n{provides}\n'
    (tmp_path / "plugin.toml").write_text(manifest, encoding="utf-8")
    path = write_list(tmp_path, relay={"manifest": "plugin.toml"}, b={"command": relay("b")})

    async def main() -> str | None:
        async with Host.from_config(path) as host:
            assert await host.call("b/echo", {"x": 1}) == {"x": 1}
            failure = host.plugins["relay"].failure
            assert failure is None or isinstance(failure, StartupFailed)
            return None if failure is None else failure.report.cause

    assert run(main()) == cause


# Events


def test_events_come_to_callbacks_by_their_kind_until_these_are_taken_off() -> None:
    async def main() -> tuple[list[str], list[str], list[int]]:
        every: list[str] = []
        ready: list[str] = []
        lengths: list[int] = []
        async with Host() as host:
            host.on(HostEvent, lambda event: every.append(type(event).__name__))

            def take_once(event: PluginReady) -> None:
                ready.append(event.plugin)
                off()

            off = host.on(PluginReady, take_once)
            host.on(PluginReady, lambda event: lengths.append(len(event.version)))
            await host.launch("a", relay("a"))
            await host.launch("b", relay("b"))
            off()
        return every, ready, lengths

    every, ready, lengths = run(main())
    assert every == ["PluginReady", "PluginReady", "PluginEnded", "PluginEnded"]
    assert ready == ["a"]
    assert lengths == [1, 1]


def test_a_callback_that_fails_disturbs_nobody() -> None:
    async def main() -> tuple[list[str], list[str]]:
        complaints: list[str] = []
        seen: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))

        def fail(event: PluginReady) -> None:
            raise ValueError(event)

        async with Host() as host:
            host.on(PluginReady, fail)
            host.on(PluginReady, lambda event: seen.append(event.plugin))
            await host.launch("a", relay("a"))
            assert await host.call("a/echo", {"x": 1}) == {"x": 1}
        return complaints, seen

    assert run(main()) == (["a callback for PluginReady failed"], ["a"])


def test_an_iterator_has_the_events_from_its_making_to_the_close() -> None:
    async def main() -> list[HostEvent]:
        async with Host() as host:
            await host.launch("a", relay("a"))
            events = host.events()
            await host.launch("b", relay("b"))
            await host.stop("b")
        assert [event async for event in host.events()] == []
        return [event async for event in events]

    ready, *ended = run(main())
    assert isinstance(ready, PluginReady)
    assert (ready.plugin, ready.version) == ("b", "1")
    assert ended == [PluginEnded("b", "exit code 0", asked=True), PluginEnded("a", "exit code 0", asked=True)]


def test_an_iterator_waits_for_what_comes() -> None:
    async def main() -> HostEvent:
        async with Host() as host:
            waiting = asyncio.ensure_future(anext(aiter(host.events())))
            await asyncio.sleep(0)
            await host.launch("a", relay("a"))
            return await waiting

    assert isinstance(run(main()), PluginReady)


def test_an_iterator_that_is_too_slow_is_told_how_much_it_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugwire_host.events.QUEUE", 3)

    async def main() -> list[HostEvent]:
        async with Host() as host:
            await host.launch("a", relay("a"))
            events = host.events()
            records = [
                {"method": "log/write", "params": {"level": "info", "message": f"number {number}"}}
                for number in range(5)
            ]
            await host.call("a/say", {"messages": records})
        return [event async for event in events]

    assert run(main()) == [
        EventsMissed("a", 3),
        PluginLogged("a", "info", "number 3"),
        PluginLogged("a", "info", "number 4"),
        PluginEnded("a", "exit code 0", asked=True),
    ]


def test_long_records_fill_an_iterator_sooner_than_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugwire_host.events.QUEUE_BYTES", 2000)

    async def main() -> list[HostEvent]:
        async with Host() as host:
            await host.launch("a", relay("a"))
            events = host.events()
            records = [
                {"method": "log/write", "params": {"message": "text " * 199, "data": {"number": number}}}
                for number in range(4)
            ]
            await host.call("a/say", {"messages": records})
        return [event async for event in events]

    assert run(main()) == [
        EventsMissed("a", 3),
        PluginLogged("a", "info", "text " * 199, {"number": 3}),
        PluginEnded("a", "exit code 0", asked=True),
    ]


@pytest.mark.requirement("LOG-02", "LOG-01", "LOG-04")
def test_log_records_become_events_and_an_unknown_level_is_info() -> None:
    async def main() -> list[PluginLogged]:
        params: list[dict[str, Any]] = [
            {"level": "error", "message": "no disk", "data": {"free": 0}},
            {"level": "shout", "message": "hello"},
            {"message": "x" * 70000},
            {"level": "info"},
        ]
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", relay("a"))
            await host.call("a/say", {"messages": [{"method": "log/write", "params": record} for record in params]})
            return watch.of(PluginLogged, "a")

    records = run(main())
    assert records[:2] == [PluginLogged("a", "error", "no disk", {"free": 0}), PluginLogged("a", "info", "hello")]
    assert (records[2].level, len(records[2].message)) == ("info", 65536)
    assert records[3] == PluginLogged("a", "warning", "a log record without a message was dropped")


def test_plugins_are_where_the_tests_think() -> None:
    assert (PLUGINS / "relay.py").is_file()
