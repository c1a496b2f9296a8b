"""Plugins that end, hang or do not read: what becomes of their calls, and whether they come back. F01 to F05, F13, F17.

It is long because crash, restart and stop are told of the same plugins.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from plugwire_host import (
    Host,
    Overloaded,
    PluginCrashed,
    PluginEnded,
    PluginExited,
    PluginFailed,
    PluginReady,
    PluginRestarting,
    PluginState,
    PluginUnavailable,
    RequestError,
)
from plugwire_host.supervision.restarts import RestartBudget
from plugwire_host.supervision.supervisor import Supervisor

from .support import LIMIT, PLUGINS, SOON, Watch, Wire, begun, fails, launch, plugin, relay, run, via


@pytest.fixture
def quick_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restarts without a wait that anybody would notice, twice."""
    monkeypatch.setattr("plugwire_host.supervision.restarts.BUDGET", 2)
    monkeypatch.setattr("plugwire_host.supervision.restarts.FIRST_DELAY", 0.01)
    monkeypatch.setattr("plugwire_host.supervision.restarts.JITTER", 0.0)


@pytest.fixture
def short_rungs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less patience with plugins that do not end."""
    monkeypatch.setitem(cast(Any, Supervisor.stop).__kwdefaults__, "grace", SOON)


def crashed(error: Exception) -> tuple[str, str, str]:
    assert type(error) is PluginCrashed
    return error.data["instance"], error.data["delivered"], error.data["status"]


# Calls of a plugin that ends


@pytest.mark.requirement("CAL-35", "CAL-36", "LIF-17")
def test_every_caller_of_a_killed_plugin_is_told_and_what_is_known_of_its_call() -> None:
    async def main() -> list[RequestError]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"), b2=relay("b2", "concurrency=2"))
            await host.launch("x", plugin("crashes_on_call", "kill", "stays"), restart="never")
            await host.launch("y", relay("y", "meta", "concurrency=3"), restart="never")
            # One that it has only read, one that told progress, one that has made a call, two that wait for a slot.
            read = await begun(watch, "a", "sent liar/ask", host.call("a/call", via("liar/ask")))
            await watch.log("x", "about to end")
            told = await begun(watch, "y", "holding", host.call("y/hold", progress=lambda value: None))
            called = await begun(watch, "b", "holding", host.call("y/call", via("b/hold")))
            silent = await begun(watch, "y", "holding", host.call("b2/call", via("y/hold")))
            queued = [
                await begun(watch, "b2", "sent y/echo", host.call("b2/call", via("y/echo"))),
                asyncio.ensure_future(host.call("y/echo")),
            ]
            await asyncio.sleep(0)
            record = host.plugins["y"]
            assert (record.in_flight, record.queued) == (3, 2)
            for name in "xy":
                os.kill(pid_of(host, name), signal.SIGKILL)
            return [await fails(call) for call in (read, told, called, silent, *queued)]

    errors = run(main())
    assert [crashed(error) for error in errors] == [
        ("x", "maybe", "signal SIGKILL"),
        ("y", "started", "signal SIGKILL"),
        ("y", "started", "signal SIGKILL"),
        ("y", "maybe", "signal SIGKILL"),
        ("y", "no", "signal SIGKILL"),
        ("y", "no", "signal SIGKILL"),
    ]
    assert errors[0].message == (
        "plugin 'x' ended (signal SIGKILL) before it answered liar/ask; the call may have been read"
    )
    assert errors[1].message.endswith("; the call had begun")
    assert errors[4].message.endswith("; the call was not delivered")


def pid_of(host: Host, name: str) -> int:
    pid = host.plugins[name].pid
    assert pid is not None
    return pid


@pytest.mark.requirement("CAL-38", "LIF-19")
@pytest.mark.parametrize("options", [(), ("concurrency=4",)], ids=["for a request", "for nothing that is known"])
def test_the_calls_that_a_killed_plugin_had_made_are_cancelled(options: tuple[str, ...]) -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a", *options), b=relay("b"), c=relay("c", "concurrency=2"))
            first = await begun(watch, "c", "holding", host.call("a/call", via("b/call", "c/hold")))
            others = await begun(watch, "c", "holding", host.call("c/hold"))
            os.kill(pid_of(host, "a"), signal.SIGKILL)
            error = await fails(first)
            await watch.log("b", "cancelled b/call")
            await watch.log("c", "cancelled c/hold")
            host.notify("c/release")
            assert await others == "released"
            return crashed(error)

    assert run(main()) == ("a", "maybe" if options else "started", "signal SIGKILL")


@pytest.mark.requirement("LIF-17")
def test_whole_frames_that_were_written_before_the_end_still_count() -> None:
    async def main() -> tuple[int, str]:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("x", plugin("crashes_on_call", "3", "answers"), restart="never")
            answer = await host.call("liar/ask")
            await watch.log("x", "about to end")
            return len(answer), (await watch.event(PluginEnded, "x")).status

    assert run(main()) == (900_000, "exit code 3")


@pytest.mark.requirement("FRM-18", "FRM-10")
@pytest.mark.parametrize("code", [0, 7])
def test_half_a_frame_is_no_answer(code: int) -> None:
    async def main() -> tuple[str, str, str]:
        async with Host() as host:
            await host.launch("x", plugin("exits_mid_frame", str(code)), restart="never")
            error = await fails(host.call("liar/ask"))
            assert len(error.data["status"]) <= 128
            return crashed(error)

    instance, delivered, status = run(main())
    assert (instance, delivered) == ("x", "maybe")
    assert status.startswith(f"exit code {code}, broke the protocol: the stream ended inside a frame, after 'Content-")


@pytest.mark.requirement("CAL-36")
@pytest.mark.parametrize(("after", "delivered"), [("", "maybe"), ("progress", "started"), ("child", "started")])
def test_what_a_plugin_did_before_it_ended_tells_whether_it_had_begun(after: str, delivered: str) -> None:
    async def main() -> tuple[str, str, str]:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("r", relay("relay"))
            await host.launch("x", plugin("crashes_on_call", "9", after), restart="never")
            call = asyncio.ensure_future(host.call("liar/ask", progress=lambda value: None))
            if after == "child":
                await watch.log("r", "holding")
                host.notify("liar/end")
            error = await fails(call)
            if after == "child":
                await watch.log("r", "cancelled relay/hold")
            return crashed(error)

    assert run(main()) == ("x", delivered, "exit code 9")


@pytest.mark.requirement("CAL-05", "LIF-19")
def test_who_calls_a_plugin_that_has_just_closed_its_output_is_not_harmed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its process lives on, and for so long nobody but its connection knows.
    monkeypatch.setattr("plugwire_host.supervision.launching.DRAIN", LIMIT)

    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", relay("a"))
            await host.launch("x", plugin("closes_stdout"), restart="never")
            first = asyncio.ensure_future(fails(host.call("liar/ask")))
            errors: list[RequestError] = []
            while not errors or type(errors[-1]) is not PluginUnavailable:
                errors.append(await fails(host.call("liar/ask", timeout=SOON)))
            errors.append(await fails(host.call("a/call", via("liar/ask"))))
            host.notify("liar/ask")
            assert watch.of(PluginEnded, "a") == []
            assert await host.call("a/echo", {"x": 1}) == {"x": 1}
            os.kill(pid_of(host, "x"), signal.SIGKILL)
            return crashed(await first), [error.data for error in errors[-2:]]

    first, unavailable = run(main())
    assert first == ("x", "maybe", "signal SIGKILL")
    assert unavailable == [{"instance": "x", "reason": "it has ended"}] * 2


# Restarts


@pytest.mark.requirement("LIF-20", "CAL-05", "CAL-37")
def test_a_crashed_plugin_comes_back_and_the_call_is_not_sent_again(quick_restarts: None) -> None:
    async def main() -> list[bytes]:
        wire = Wire()
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await host.launch("a", relay("a"))
            await watch.event(PluginReady, "a")
            held = await begun(watch, "a", "holding", host.call("a/hold"))
            os.kill(pid_of(host, "a"), signal.SIGKILL)
            await fails(held)
            restarting = await watch.event(PluginRestarting, "a")
            assert (restarting.delay, restarting.attempt) == (0.01, 1)
            assert host.plugins["a"].state is PluginState.RESTARTING
            error = await fails(host.call("a/echo"))
            assert type(error) is PluginUnavailable
            assert error.data == {"instance": "a", "reason": "it has ended (signal SIGKILL)"}
            await watch.event(PluginReady, "a")
            assert (host.plugins["a"].state, host.plugins["a"].restarts) == (PluginState.READY, 1)
            assert await host.call("a/echo", {"x": 1}) == {"x": 1}
            assert watch.of(PluginFailed, "a") == []
        return wire.sent("a")

    assert len([body for body in run(main()) if b"a/hold" in body]) == 1


@pytest.mark.requirement("LIF-20")
def test_a_plugin_that_keeps_crashing_is_left_alone_and_the_report_says_why(quick_restarts: None) -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("x", plugin("crashes_on_call", "3"))
            for _ in range(3):
                await watch.event(PluginReady, "x")
                assert crashed(await fails(host.call("liar/ask")))[2] == "exit code 3"
            failed = await watch.event(PluginFailed, "x")
            record = host.plugins["x"]
            assert (record.state, record.restarts) == (PluginState.FAILED, 2)
            assert type(record.failure) is PluginExited
            restarts = [(event.delay, event.attempt) for event in watch.of(PluginRestarting, "x")]
            error = await fails(host.call("liar/ask"))
            assert type(error) is PluginUnavailable
            assert (await host.launch("x", relay("x"))).state is PluginState.READY
            return failed.reason, restarts, watch.of(PluginFailed, "x")

    reason, restarts, failures = run(main())
    assert reason == (
        "plugin 'x' has ended: exit code 3; it was restarted 2 times within 180 s and is now left alone: "
        "mend it, then restart it"
    )
    assert restarts == [(0.01, 1), (0.02, 2)]
    assert failures == [PluginFailed("x", reason)]


@pytest.mark.requirement("LIF-20")
def test_a_restart_that_fails_is_tried_again_within_the_budget(quick_restarts: None, tmp_path: Path) -> None:
    # A plugin that starts once: the second time its file is gone.
    source = tmp_path / "once.py"
    source.write_text(f"import os, sys\nos.unlink(__file__)\nsys.path.insert(0, {str(PLUGINS)!r})\nimport relay\n")

    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", [*relay("a")[:3], str(source)])
            os.kill(pid_of(host, "a"), signal.SIGKILL)
            failed = await watch.event(PluginFailed, "a")
            return failed.reason, len(watch.of(PluginRestarting, "a")), len(watch.of(PluginFailed, "a"))

    reason, restarts, failures = run(main())
    assert reason.startswith(
        "plugin 'a' has ended: it ended (exit code 2) before it answered initialize; it was restarted 2 times "
    )
    assert (restarts, failures) == (2, 1)


@pytest.mark.requirement("LIF-20")
def test_the_budget_allows_five_in_three_minutes_ever_later() -> None:
    budget = RestartBudget()
    delays = [budget.next_delay(1000.0 + number) for number in range(6)]
    for delay, about in zip(delays, [0.2, 0.4, 0.8, 1.6, 3.2], strict=False):
        assert delay is not None
        assert about * 0.8 <= delay <= about * 1.2
    assert (delays[5], budget.spent) == (None, 5)
    # A crash long ago does not count.
    assert budget.next_delay(1180.5) is not None
    assert budget.next_delay(1180.5) is None
    assert budget.next_delay(9999.0) is not None
    assert budget.spent == 1


@pytest.mark.requirement("LIF-20")
@pytest.mark.parametrize(
    ("restart", "code", "comes_back"),
    [
        ("on-failure", 0, False),
        ("on-failure", 3, True),
        ("always", 0, True),
        ("always", 3, True),
        ("never", 0, False),
        ("never", 3, False),
    ],
)
def test_the_policy_says_which_end_is_followed_by_a_restart(
    restart: Any, code: int, comes_back: bool, quick_restarts: None
) -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("x", plugin("crashes_on_call", str(code)), restart=restart)
            await watch.event(PluginReady, "x")
            await fails(host.call("liar/ask"))
            assert await watch.event(PluginEnded, "x") == PluginEnded("x", f"exit code {code}", asked=False)
            if comes_back:
                await watch.event(PluginReady, "x")
                return
            while host.plugins["x"].state is PluginState.READY:
                await asyncio.sleep(0)
            record = host.plugins["x"]
            assert record.state is PluginState.STOPPED
            assert str(record.failure) == f"plugin 'x' has ended: exit code {code}"
            assert watch.of(PluginRestarting, "x") == []

    run(main())


@pytest.mark.requirement("CAL-10", "LIF-20")
def test_a_restart_waits_for_what_the_plugin_requires(quick_restarts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugwire_host.supervision.restarts.BUDGET", 1000)
    monkeypatch.setattr("plugwire_host.supervision.restarts.LONGEST_DELAY", 0.05)

    async def main() -> list[str]:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("b", relay("b"), restart="never")
            await host.launch("a", relay("a", "requires=b:"))
            await watch.event(PluginReady, "a")
            await host.stop("b")
            os.kill(pid_of(host, "a"), signal.SIGKILL)
            second = [await watch.event(PluginRestarting, "a") for _ in range(2)][1]
            assert second.attempt == 2
            await host.launch("b", relay("b"))
            await watch.event(PluginReady, "a")
            return [type(event).__name__ for event in watch.of(PluginFailed, "a")]

    assert run(main()) == []


def test_a_restart_is_given_up_when_the_host_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugwire_host.supervision.restarts.FIRST_DELAY", LIMIT)

    async def main() -> tuple[PluginState, int]:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", relay("a"))
            os.kill(pid_of(host, "a"), signal.SIGKILL)
            await watch.event(PluginRestarting, "a")
        return host.plugins["a"].state, len(watch.of(PluginEnded, "a"))

    assert run(main()) == (PluginState.STOPPED, 1)


# The end of the host


@pytest.mark.requirement("CAL-35", "LIF-14")
def test_a_host_that_closes_gives_every_call_its_outcome() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"))
            calls = [
                await begun(watch, "b", "holding", host.call("a/call", via("b/hold"))),
                asyncio.ensure_future(host.call("b/echo")),
            ]
            await asyncio.sleep(0)
            assert host.plugins["b"].queued == 1
        assert all(call.done() for call in calls)
        return await asyncio.gather(*calls, return_exceptions=True)

    held, queued = run(main())
    assert type(held) is PluginCrashed
    assert type(queued) is PluginUnavailable
    assert queued.data == {"instance": "b", "reason": "it is being stopped"}


@pytest.mark.requirement("LIF-14")
def test_plugins_that_ignore_every_request_to_end_are_killed_side_by_side() -> None:
    async def main() -> list[str]:
        async with Host() as host:
            watch = Watch(host)
            # Three rungs of two seconds each; one after the other these six would take longer than the test may.
            names = [f"x{number}" for number in range(6)]
            await launch(host, **{name: plugin("ignores_shutdown") for name in names})
            await host.aclose()
            return [watch.of(PluginEnded, name)[0].status for name in names]

    assert run(main()) == ["signal SIGKILL"] * 6


@pytest.mark.requirement("LIF-14", "LIF-17")
def test_a_grandchild_that_holds_the_pipes_keeps_nobody() -> None:
    async def main() -> tuple[str, bool]:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("x", plugin("leaves_a_grandchild"), restart="never")
            grandchild = psutil.Process(await host.call("liar/ask"))
            error = await fails(host.call("liar/die"))
            await watch.event(PluginEnded, "x")
            await host.stop("x")
            return crashed(error)[2], grandchild.is_running() and grandchild.status() != psutil.STATUS_ZOMBIE

    assert run(main()) == ("exit code 3", False)


@pytest.mark.requirement("LIF-14")
def test_a_stopped_process_is_killed_by_the_close(short_rungs: None) -> None:
    async def main() -> str:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", relay("a"))
            os.kill(pid_of(host, "a"), signal.SIGSTOP)
        return watch.of(PluginEnded, "a")[0].status

    assert run(main()) == "signal SIGKILL"


def test_kill_ends_every_process_without_asking_and_without_a_restart(quick_restarts: None) -> None:
    async def main() -> list[Any]:
        wire = Wire()
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), x=plugin("ignores_shutdown"))
            host.kill()
            ended = [await watch.event(PluginEnded, name) for name in "ax"]
        assert [body for body in wire.sent("a") if b"shutdown" in body] == []
        return [*ended, watch.of(PluginRestarting, "a")]

    assert run(main()) == [
        PluginEnded("a", "signal SIGKILL", asked=True),
        PluginEnded("x", "signal SIGKILL", asked=True),
        [],
    ]


@pytest.mark.parametrize("turns", [0, 1, 2, 5, 9])
def test_a_cancelled_close_still_ends_the_processes(turns: int) -> None:
    async def main() -> None:
        host = Host()
        await host.__aenter__()
        await host.launch("x", plugin("ignores_shutdown"))
        process = psutil.Process(pid_of(host, "x"))
        closing = asyncio.ensure_future(host.aclose())
        for _ in range(turns + 1):
            await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await asyncio.to_thread(process.wait, LIMIT)

    run(main())


# Plugins that do not read


@pytest.mark.requirement("CAL-13", "LIF-19")
def test_a_plugin_that_never_reads_makes_its_callers_overloaded_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("plugwire_host.routing.link.BACKLOG_LIMIT", 100_000)
    monkeypatch.setattr("plugwire_host.routing.router.BACKLOG_LIMIT", 100_000)

    async def main() -> tuple[RequestError, Any, int]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, x=plugin("never_reads"), a=relay("a"))
            await watch.log("x", "reads no more")
            taken = []
            while True:
                call = asyncio.ensure_future(host.call("liar/ask", {"text": "x" * 50_000}))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                if call.done():
                    break
                taken.append(call)
            error = await fails(call)
            answer = await host.call("a/echo", {"x": 1})
            # A notification is dropped and reported, rather than kept.
            host.notify("liar/note")
            assert watch.warnings("host") == ["the notification liar/note was dropped: 'x' does not read fast enough"]
            for waiting in taken:
                waiting.cancel()
            return error, answer, len(taken)

    error, answer, taken = run(main())
    assert type(error) is Overloaded
    assert error.data == {"instance": "x", "limit": 100_000}
    assert error.message == "plugin 'x' is overloaded: it has left 100000 bytes unread"
    assert answer == {"x": 1}
    assert 2 <= taken <= 40


def test_who_does_not_read_the_replies_to_its_bad_messages_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugwire_host.routing.link.BACKLOG_LIMIT", 100_000)

    async def main() -> tuple[str, Any]:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("a", relay("a"))
            await host.launch("x", plugin("floods_with_bad_messages"), restart="never")
            status = (await watch.event(PluginEnded, "x")).status
            return status, await host.call("a/echo", {"x": 1})

    status, answer = run(main())
    assert status.startswith("broke the protocol: it has left 2")
    assert status.endswith(" bytes unread")
    assert answer == {"x": 1}
