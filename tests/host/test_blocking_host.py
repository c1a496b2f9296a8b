"""The host for programs without a loop: the same calls, errors and events, from any thread."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from plugwire import Context
from plugwire_host import (
    BlockingHost,
    ConfigError,
    ConnectionClosed,
    DeadlineExceeded,
    HostEvent,
    MethodNotFound,
    PluginCrashed,
    PluginEnded,
    PluginLogged,
    PluginReady,
    PluginState,
    RequirementUnmet,
    StartupFailed,
)

from .support import LIMIT, SOON, plugin, relay, via


def wait(event: threading.Event) -> None:
    assert event.wait(LIMIT)


def when_logged(host: BlockingHost, text: str) -> threading.Event:
    """Set when a plugin's log holds a text."""
    logged = threading.Event()
    host.on(PluginLogged, lambda event: logged.set() if text in event.message else None)
    return logged


def test_a_program_without_a_loop_launches_calls_and_ends_plugins() -> None:
    told: list[Any] = []
    with BlockingHost(name="editor") as host:
        record = host.launch("a", relay("a", "meta"), priority=1)
        assert (record.name, record.state) == ("a", PluginState.READY)
        assert host.call("a/echo", {"text": "x"}, timeout=LIMIT) == {"text": "x"}
        assert host.call("a/progress", progress=told.append) == "told"
        host.notify("a/note", {"text": "y"})
        assert host.call("a/journal") == [["a/note", {"text": "y"}]]
        assert [entry["service"] for entry in host.services] == ["a"]
        host.stop("a")
        assert host.plugins["a"].state is PluginState.STOPPED
    assert told == [{"done": 1, "total": 3}, {"done": 2, "total": 3}, {"done": 3, "total": 3}]


def test_errors_are_those_of_the_host() -> None:
    with BlockingHost() as host:
        with pytest.raises(StartupFailed, match="no disk"):
            host.launch("x", plugin("exits_at_once", "3", "no disk"))
        with pytest.raises(RequirementUnmet, match="it requires spell"):
            host.launch("y", relay("y", "requires=spell:"))
        host.launch("a", relay("a"))
        with pytest.raises(ValueError, match="there is a plugin 'a' already"):
            host.launch("a", relay("a"))
        with pytest.raises(MethodNotFound):
            host.call("b/echo")
        with pytest.raises(DeadlineExceeded):
            host.call("a/hold", timeout=SOON)
        with pytest.raises(TypeError, match="params are an object"):
            host.call("a/echo", [1])
        with pytest.raises(TypeError, match="params are an object"):
            host.notify("a/echo", [1])
        with pytest.raises(KeyError):
            host.stop("b")
        assert host.call("a/echo", {"x": 1}) == {"x": 1}


def test_two_threads_call_at_once() -> None:
    with BlockingHost() as host, ThreadPoolExecutor(2) as threads:
        host.launch("a", relay("a", "concurrency=2"))
        host.launch("b", relay("b"))
        held = when_logged(host, "holding")
        first = threads.submit(host.call, "a/hold")
        wait(held)
        assert threads.submit(host.call, "a/echo", {"x": 1}).result(LIMIT) == {"x": 1}
        assert not first.done()
        host.notify("a/release")
        assert first.result(LIMIT) == "released"


def test_methods_of_the_application_run_and_may_call_on() -> None:
    names: list[str] = []
    host = BlockingHost()

    @host.method("editor/before", version="2.0")
    def before(text: str, ctx: Context) -> Any:
        names.append(threading.current_thread().name)
        return ctx.call_blocking("b/echo", {"text": text})

    with host:

        @host.method("editor/after")
        async def after(ctx: Context) -> Any:
            names.append(threading.current_thread().name)
            return await ctx.call("b/echo", {"text": "y"})

        host.launch("a", relay("a"))
        host.launch("b", relay("b"))
        assert host.call("a/call", via("editor/before", text="x")) == {"text": "x"}
        assert host.call("a/call", via("editor/after")) == {"text": "y"}
        assert (host.services[0]["service"], host.services[0]["version"]) == ("editor", "2.0")
        with pytest.raises(ValueError, match="editor/after has a handler already"):
            host.method("editor/after")(print_nothing)
    assert names[0] not in ("MainThread", "plugwire-host")
    assert names[1] == "plugwire-host"


def print_nothing() -> None:
    """A handler."""


def test_events_come_on_the_hosts_thread_until_they_are_taken_off() -> None:
    seen: list[tuple[str, str]] = []
    host = BlockingHost()
    off = host.on(HostEvent, lambda event: seen.append((type(event).__name__, threading.current_thread().name)))
    with host:
        host.launch("a", relay("a"))
        host.stop("a")
        off()
        host.launch("b", relay("b"))
    assert seen == [("PluginReady", "plugwire-host"), ("PluginEnded", "plugwire-host")]


@pytest.mark.parametrize(
    "use",
    [
        lambda host: host.call("a/echo"),
        lambda host: host.notify("a/note"),
        lambda host: host.launch("a", relay("a")),
        lambda host: host.stop("a"),
        lambda host: host.plugins,
        lambda host: host.services,
        lambda host: host.method("editor/late")(print_nothing),
    ],
)
def test_it_is_used_inside_with(use: Callable[[BlockingHost], Any]) -> None:
    host = BlockingHost()
    with host:
        pass
    with pytest.raises(RuntimeError, match="the host is not running: use it inside `with`"):
        use(host)
    host.close()


def test_before_it_is_entered_it_is_not_running() -> None:
    host = BlockingHost()
    with pytest.raises(RuntimeError, match="the host is not running: use it inside `with`"):
        host.call("a/echo")
    host.close()
    never = BlockingHost()
    never.close()


def test_calls_of_other_threads_end_when_the_host_closes() -> None:
    ended: list[PluginEnded] = []
    with ThreadPoolExecutor(3) as threads:
        with BlockingHost() as host:
            host.on(PluginEnded, ended.append)
            host.launch("a", relay("a"))
            held = when_logged(host, "holding")
            calls = [threads.submit(host.call, "a/hold")]
            wait(held)
            calls += [threads.submit(host.call, "a/echo") for _ in range(2)]
        errors = [call.exception(LIMIT) for call in calls]
    assert type(errors[0]) is PluginCrashed
    for error in errors[1:]:
        assert type(error).__name__ in ("PluginUnavailable", "ConnectionClosed", "RuntimeError"), error
    assert [event.plugin for event in ended] == ["a"]


def test_a_body_that_fails_still_ends_the_plugins() -> None:
    ended: list[PluginEnded] = []
    host = BlockingHost()
    host.on(PluginEnded, ended.append)

    def fail() -> None:
        with host:
            host.launch("a", relay("a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [event.status for event in ended] == ["exit code 0"]


def test_a_list_is_read_at_once_and_its_plugins_start_on_entering(tmp_path: Path) -> None:
    path = tmp_path / "plugins.toml"
    path.write_text(f"[plugins.a]\ncommand = {relay('a')}\n", encoding="utf-8")
    ready: list[PluginReady] = []
    host = BlockingHost.from_config(path)
    host.on(PluginReady, ready.append)
    with host:
        assert host.call("a/echo", {"x": 1}) == {"x": 1}
    assert [event.plugin for event in ready] == ["a"]
    path.write_text("[plugins.a]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="either a command or a manifest was expected"):
        BlockingHost.from_config(path)


def test_a_required_plugin_that_fails_fails_the_entering(tmp_path: Path) -> None:
    path = tmp_path / "plugins.toml"
    command = plugin("exits_at_once", "3", "no disk")
    path.write_text(f"[plugins.x]\nrequired = true\ncommand = {command}\n", encoding="utf-8")
    host = BlockingHost.from_config(path)
    with pytest.raises(StartupFailed, match="no disk"):
        host.__enter__()
    with pytest.raises((RuntimeError, ConnectionClosed)):
        host.call("x/y")
    host.close()


def test_what_the_host_can_do_beside_calls_is_reached_from_any_thread() -> None:
    with BlockingHost() as host:
        # Declared from this thread while the host runs in another.
        @host.hook("document.willSave")
        def tidy(value: str) -> str:
            return value.rstrip()

        assert host.run(lambda inner: inner.run_hook("document.willSave", "text  ")) == "text"
        with pytest.raises(MethodNotFound, match="no one provides"):
            host.run(lambda inner: inner.call("nobody/there"))
    with pytest.raises(RuntimeError, match="the host is not running"):
        host.run(lambda inner: inner.run_hook("document.willSave", "text  "))
