"""Hooks that run as they should: order, values, stops, observers, and runs that cause runs. With real plugins."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from plugwire import Context
from plugwire.hooks import StopHook
from plugwire.wire import HookStopped
from plugwire_host import CallCycle, DeadlineExceeded, Host, PluginLogged, PluginState, RequestError, StartupFailed
from plugwire_host.config import read_config
from plugwire_host.events import PluginReady, PluginRestarting

from .hooks import adding, explained, link, load, run_by
from .support import Watch, Wire, begun, clock, fails, plugin, run

# Who has links


@pytest.mark.requirement("HOK-08")
def test_the_value_goes_through_the_links_in_their_order() -> None:
    async def main() -> tuple[Any, Any]:
        async with Host() as host:
            await load(host, b=adding("b"), a=adding("a"), runner=link())
            return await host.run_hook("x", []), await run_by(host, "runner", "x", [1])

    assert run(main()) == (["b", "a"], {"value": [1, "b", "a"], "ran": ["b", "a"]})


@pytest.mark.requirement("HOK-09")
@pytest.mark.parametrize("value", [None, [], {"a": 1.5}, "text", False])
def test_without_links_the_value_comes_back_as_it_was(value: Any) -> None:
    async def main() -> Any:
        async with Host() as host:
            await load(host, runner=link())
            assert await host.run_hook("x", value) == value
            return await run_by(host, "runner", "x", value)

    assert run(main()) == {"value": value, "ran": []}


@pytest.mark.requirement("HOK-10")
def test_a_link_changes_the_value_or_leaves_it_and_null_is_a_value() -> None:
    async def main() -> Any:
        async with Host() as host:
            await load(
                host,
                a=link({"name": "x"}),
                b=link({"name": "x"}, does={"x": ["answer", {"value": None}]}),
                c=link({"name": "x"}),
                runner=link(),
            )
            return await run_by(host, "runner", "x", 7)

    assert run(main()) == {"value": None, "ran": ["a", "b", "c"]}


@pytest.mark.requirement("HOK-03")
def test_the_application_has_links_like_a_plugin() -> None:
    async def main() -> Any:
        async with Host() as host:

            @host.hook("x")
            async def last(value: list[str], ctx: Context) -> list[str]:
                return [*value, f"host for {ctx.caller}"]

            @host.hook("y", after=("a",))
            def never(value: list[str]) -> None:
                value.append("it has a copy of its own")

            does = {"x": ["add", "a"], "y": ["add", "a"]}
            await load(host, a=link({"name": "x"}, {"name": "y"}, does=does), r=link())
            return await run_by(host, "r", "x", []), await run_by(host, "r", "y", []), await explained(host, "y")

    assert run(main()) == (
        {"value": ["host for r", "a"], "ran": ["host", "a"]},
        {"value": ["a"], "ran": ["a", "host"]},
        [("a", "before host (host says so)"), ("host", "after a (host says so)")],
    )


@pytest.mark.requirement("HOK-13")
def test_a_value_keeps_its_bytes_on_every_hop() -> None:
    # The plugin escapes what the host would write as it is.
    odd = b'{"name":"x","value":"\\u00e9"}'

    async def main() -> tuple[Any, list[Any]]:
        wire = Wire()
        async with Host(trace=wire) as host:
            changing = link({"name": "x"}, does={"x": ["answer", {"value": "é"}]})
            await load(host, a=changing, b=link({"name": "x"}), runner=link())
            outcome = await run_by(host, "runner", "x", "è")
            return outcome, [wire.sent(name) for name in ("a", "b", "runner")]

    outcome, (to_a, to_b, to_runner) = run(main())
    assert outcome == {"value": "é", "ran": ["a", "b"]}
    assert any(b'"params":{"name":"x","value":"\\u00e8"}' in body for body in to_a)
    assert any(b'"params":' + odd in body for body in to_b)
    assert any(b'"result":{"value":"\\u00e9","ran":["a","b"]}' in body for body in to_runner)


@pytest.mark.requirement("HOK-17")
def test_a_link_is_told_who_runs_the_hook() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            await load(host, a=link({"name": "x"}, does={"x": ["tell"]}, meta=True), runner=link())
            by_plugin = (await run_by(host, "runner", "x", 0))["value"]
            return [by_plugin["from"], (await host.run_hook("x", 0))["from"], 0 < by_plugin["deadlineMs"] <= 5000]

    assert run(main()) == ["runner", "host", True]


# Order


@pytest.mark.requirement("HOK-04", "HOK-05", "HOK-07")
def test_before_and_after_decide_and_then_the_order_of_loading() -> None:
    async def main() -> Any:
        async with Host() as host:
            await load(
                host,
                c=adding("c", after=["spelling"]),
                a=adding("a"),
                b=link({"name": "x"}, does={"x": ["add", "b"]}, name="spelling"),
                first=adding("first", before=["a"]),
            )
            return await host.run_hook("x", []), await explained(host)

    assert run(main()) == (
        ["b", "c", "first", "a"],
        [
            ("b", "before c (c says so)"),
            ("c", "after b (c says so)"),
            ("first", "before a (first says so)"),
            ("a", "after first (first says so)"),
        ],
    )


@pytest.mark.requirement("HOK-05")
def test_of_a_list_of_plugins_the_order_of_loading_is_that_of_the_list(tmp_path: Path) -> None:
    names = ["d", "b", "a", "c"]
    lines = [f"[plugins.{name}]\ncommand = {json.dumps(adding(name))}\n" for name in names]
    (tmp_path / "plugins.toml").write_text("".join(lines), encoding="utf-8")

    async def main() -> Any:
        async with Host(config=read_config(tmp_path / "plugins.toml")) as host:
            return await host.run_hook("x", [])

    assert run(main()) == names


@pytest.mark.requirement("HOK-05")
def test_a_plugin_keeps_its_place_when_it_is_started_again() -> None:
    async def main() -> tuple[Any, Any, Any]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=adding("a"), c=adding("c"))
            await host.launch("b", adding("b"))
            await host.launch("d", adding("d"))
            before = await host.run_hook("x", [])
            pid = host.plugins["b"].pid
            assert pid is not None
            await watch.event(PluginReady, "b")
            os.kill(pid, signal.SIGKILL)
            await watch.event(PluginReady, "b")
            again = await host.run_hook("x", [])
            await host.stop("a")
            without = await host.run_hook("x", [])
            await host.launch("a", adding("a"))
            return before, again, (without, await host.run_hook("x", []))

    all_of_them = ["a", "c", "b", "d"]
    assert run(main()) == (all_of_them, all_of_them, (["c", "b", "d"], all_of_them))


@pytest.mark.requirement("HOK-07", "HOK-25")
def test_a_plugin_can_ask_what_hooks_there_are_and_why_they_run_as_they_do() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            wants = {"name": "x/y:z", "timeoutMs": 70, "onError": "fail", "mode": "observe", "after": ["b"]}
            await load(host, a=link(wants), b=link({"name": "x/y:z"}, {"name": "b"}))
            return [await host.call("hook/explain", {"name": name}) for name in ("x/y:z", "none")] + [
                await host.call("hook/list")
            ]

    assert run(main()) == [
        {
            "links": [
                {
                    "instance": "b",
                    "mode": "change",
                    "timeoutMs": 5000,
                    "onError": "continue",
                    "because": "before a (a says so)",
                },
                {
                    "instance": "a",
                    "mode": "observe",
                    "timeoutMs": 70,
                    "onError": "fail",
                    "because": "after b (a says so)",
                },
            ]
        },
        {"links": []},
        {"hooks": ["b", "x/y:z"]},
    ]


# Starts


@pytest.mark.requirement("HOK-06")
def test_a_plugin_whose_link_has_no_place_does_not_become_ready() -> None:
    cause = "the links of the hook 'x' cannot be put in order: a before b (a says so), b before a (b says so)"

    async def main() -> tuple[StartupFailed, Any, Any]:
        async with Host() as host:
            await load(host, a=adding("a", before=["b"]))
            with pytest.raises(StartupFailed) as caught:
                await host.launch("b", adding("b", before=["a"]))
            return caught.value, host.plugins["b"].state, await host.run_hook("x", [])

    error, state, value = run(main())
    assert (error.report.stage, error.report.cause) == ("hooks", cause)
    assert error.report.hint == "change `before` or `after` of one of them, or leave one of these plugins out"
    assert (state, value) == (PluginState.FAILED, ["a"])


@pytest.mark.requirement("HOK-06")
def test_of_plugins_that_start_side_by_side_the_one_that_closes_the_circle_is_refused(tmp_path: Path) -> None:
    commands = {
        "a": adding("a", before=["b"]),
        "b": adding("b", before=["c"]),
        "c": adding("c", before=["a"]),
        "d": adding("d", before=["a"]),
    }
    lines = [f"[plugins.{name}]\ncommand = {json.dumps(command)}\n" for name, command in commands.items()]
    (tmp_path / "plugins.toml").write_text("".join(lines), encoding="utf-8")

    async def main() -> tuple[dict[str, str], Any, Any]:
        async with Host(config=read_config(tmp_path / "plugins.toml")) as host:
            states = {name: record.state.value for name, record in host.plugins.items()}
            return states, host.plugins["c"].failure, await host.run_hook("x", [])

    states, failure, value = run(main())
    assert states == {"a": "ready", "b": "ready", "c": "failed", "d": "ready"}
    assert "a before b (a says so), b before c (b says so), c before a (c says so)" in failure.report.cause
    assert value == ["d", "a", "b"]


@pytest.mark.requirement("HOK-06")
def test_a_plugin_that_comes_back_with_other_demands_is_refused_until_they_can_be_met(tmp_path: Path) -> None:
    wants = json.dumps({"name": "x", "before": ["b"]})

    async def main() -> list[Any]:
        async with Host() as host:
            watch = Watch(host)
            await host.launch("b", adding("b", before=["a"]))
            await host.launch("a", plugin("link_comes_back_different", str(tmp_path / "seen"), wants))
            await watch.event(PluginReady, "a")
            values = [await host.run_hook("x", [])]
            await watch.event(PluginRestarting, "a")  # because it has ended
            clock().advance(2.0)
            await watch.event(PluginRestarting, "a")  # because it was refused
            values.append(await host.run_hook("x", []))
            await host.stop("b")
            clock().advance(2.0)
            await watch.event(PluginReady, "a")
            return [values, await explained(host)]

    assert run(main()) == [[["b"], ["b"]], [("a", "in the order of loading")]]


def test_a_late_link_of_the_application_that_has_no_place_is_left_out_and_told() -> None:
    async def main() -> tuple[Any, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=adding("a", before=["host"]))

            @host.hook("x", before=("a",))
            async def first(value: list[str]) -> list[str]:
                return ["host", *value]

            return await host.run_hook("x", []), watch.warnings("host")

    assert run(main()) == (
        ["a"],
        [
            "its link for the hook 'x' is left out, it cannot be placed: "
            "host before a (host says so), a before host (a says so)"
        ],
    )


# Stops


@pytest.mark.requirement("HOK-11", "HOK-12")
def test_a_link_that_stops_ends_the_run_and_is_named() -> None:
    async def main() -> tuple[RequestError, RequestError, list[Any]]:
        async with Host() as host:
            watch = Watch(host)
            long = {"stop": {"reason": "é" * 1025}}
            does = {"x": ["answer", {"stop": {"reason": "not now"}}], "y": ["answer", long]}
            await load(host, a=adding("a"), b=link({"name": "x"}, {"name": "y"}, does=does), c=adding("c"))
            await load(host, runner=link())
            first = await fails(host.run_hook("x", []))
            second = await fails(run_by(host, "runner", "y", 1))
            await host.stop("c")
            return first, second, watch.of(PluginLogged, "c")

    first, second, asked_of_c = run(main())
    assert type(first) is HookStopped
    assert str(first) == "HookStopped (-32024): 'b' stopped the hook 'x': not now"
    assert first.data == {"by": "b", "reason": "not now", "hook": "x"}
    assert second.data == {"by": "b", "reason": "é" * 1024, "hook": "y"}
    assert asked_of_c == []


@pytest.mark.requirement("HOK-03", "HOK-11")
def test_the_application_can_stop_a_hook() -> None:
    async def main() -> Any:
        async with Host() as host:

            @host.hook("x")
            def veto(value: Any) -> None:
                raise StopHook("the window is closing")

            await load(host, a=adding("a"))
            return (await fails(run_by(host, "a", "x", []))).data

    assert run(main()) == {"by": "host", "reason": "the window is closing", "hook": "x"}


# Runs under way


@pytest.mark.requirement("HOK-14")
def test_a_run_goes_on_with_the_links_that_there_were_when_it_began() -> None:
    async def main() -> tuple[Any, list[str], Any]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=link({"name": "x"}, does={"x": ["hold"]}), b=adding("b"), d=adding("d"), runner=link())
            under_way = await begun(watch, "a", "holding", run_by(host, "runner", "x", []))
            await host.stop("b")
            await load(host, c=adding("c"))
            host.notify("link@a/release")
            return await under_way, watch.warnings("b"), await explained(host)

    value, warnings, now = run(main())
    assert value == {"value": ["d"], "ran": ["a", "d"]}
    (warning,) = warnings
    assert "its link for the hook 'x' failed, and the value goes on as it was: plugin 'b' did not take" in warning
    assert [instance for instance, _ in now] == ["a", "d", "c"]


@pytest.mark.requirement("HOK-16")
def test_cancelling_a_run_cancels_the_link_that_is_asked() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=link({"name": "x"}, does={"x": ["hold"]}), b=adding("b"), runner=link(meta=True))
            for asked in (host.run_hook("x", []), run_by(host, "runner", "x", [])):
                under_way = await begun(watch, "a", "holding", asked)
                under_way.cancel()
                await watch.log("a", "cancelled")
            await host.stop("b")
            assert watch.of(PluginLogged, "b") == []
            assert watch.warnings("a") == []

    run(main())


@pytest.mark.requirement("HOK-16")
def test_a_runner_that_ends_takes_its_run_with_it() -> None:
    async def main() -> None:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=link({"name": "x"}, does={"x": ["hold"]}), runner=link())
            under_way = await begun(watch, "a", "holding", run_by(host, "runner", "x", []))
            await host.stop("runner")
            await watch.log("a", "cancelled")
            await fails(under_way)

    run(main())


@pytest.mark.requirement("HOK-15")
def test_a_link_has_no_more_time_than_is_left_to_the_run() -> None:
    async def main() -> Any:
        async with Host() as host:
            wants = {"name": "x", "timeoutMs": 60_000}
            await load(host, a=link(wants, does={"x": ["tell"]}, meta=True))
            return (await host.run_hook("x", 0, timeout=2.0))["deadlineMs"]

    assert 0 < run(main()) <= 2000


# Runs that cause runs


@pytest.mark.requirement("HOK-18")
@pytest.mark.parametrize("more", [{"meta": True, "concurrency": 4}, {}], ids=["it says so", "it can only be that"])
def test_a_link_that_runs_its_own_hook_is_refused_at_once(more: dict[str, Any]) -> None:
    async def main() -> RequestError:
        async with Host() as host:
            await load(host, a=link({"name": "x", "onError": "fail"}, does={"x": ["run", "x"]}, **more))
            return await fails(host.run_hook("x", 1))

    error = run(main())
    assert type(error) is CallCycle
    assert str(error) == "CallCycle (-32015): the hook 'x' would run inside itself: host → a → host"
    assert error.data == {"path": ["host", "a", "host"]}


@pytest.mark.requirement("HOK-18")
def test_hooks_that_run_each_other_are_refused_and_those_that_only_follow_are_not() -> None:
    async def main() -> tuple[Any, Any]:
        async with Host() as host:
            around = {"x": ["run", "y"]}
            await load(
                host,
                a=link({"name": "x", "onError": "fail"}, does=around, meta=True, concurrency=4),
                b=link({"name": "y", "onError": "fail"}, {"name": "z"}, does={"y": ["run", "x"], "z": ["keep"]}),
                c=link({"name": "y"}, meta=True),
            )
            error = await fails(host.run_hook("x", 1))
            await host.stop("b")
            return error.data, await host.run_hook("x", 1)

    data, value = run(main())
    assert data == {"path": ["host", "a", "host", "b", "host"]}
    assert value == 1


@pytest.mark.requirement("HOK-18")
def test_the_application_cannot_run_a_hook_inside_itself_either() -> None:
    async def main() -> Any:
        async with Host() as host:

            @host.hook("x", on_error="fail")
            async def again(value: Any, ctx: Context) -> Any:
                return await ctx.run_hook("x", value)

            await load(host, a=link())
            return (await fails(host.run_hook("x", 1))).data, (await fails(run_by(host, "a", "x", 1))).data

    assert run(main()) == ({"path": ["host", "host"]}, {"path": ["host", "host"]})


@pytest.mark.requirement("HOK-16", "HOK-19")
def test_a_runner_without_a_free_slot_for_its_own_link_does_not_wait_for_itself() -> None:
    async def main() -> tuple[Any, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=adding("a"), b=adding("b"))
            return await run_by(host, "a", "x", []), watch.warnings("a")

    outcome, (warning,) = run(main())
    assert outcome == {"value": ["b"], "ran": ["b"]}
    assert warning.endswith("hook/call would wait for itself: a → host → a")


@pytest.mark.requirement("HOK-18", "HOK-22")
def test_an_observer_that_runs_its_own_hook_does_not_go_on_for_ever() -> None:
    async def main() -> str:
        async with Host() as host:
            watch = Watch(host)
            wants = {"name": "x", "mode": "observe"}
            await load(host, a=link(wants, does={"x": ["run", "x"]}, meta=True, concurrency=4))
            assert await host.run_hook("x", 1) == 1
            return (await watch.log("a", "failed to observe")).message

    told = "it failed to observe the hook 'x': the hook 'x' would run inside itself: host → a → host"
    assert run(main()) == told


# Observers


@pytest.mark.requirement("HOK-21", "HOK-23")
def test_an_observer_sees_the_value_at_its_place_and_nobody_waits_for_it() -> None:
    async def main() -> tuple[Any, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            observer = link({"name": "x", "mode": "observe"}, does={"x": ["hold"]})
            stopper = link({"name": "y"}, does={"y": ["answer", {"stop": {"reason": "no"}}]})
            seeing = link({"name": "y", "mode": "observe"}, does={"y": ["hold"]})
            await load(host, a=adding("a"), o=observer, c=adding("c"), s=seeing, t=stopper)
            outcome = await host.run_hook("x", [])
            stopped = await fails(host.run_hook("y", 1))
            assert stopped.code == -32024
            for name in ("o", "s"):
                await watch.log(name, "holding")
                host.notify(f"link@{name}/release")
                # Its answer comes before this one; had it been cancelled, it would have said so by now.
                await run_by(host, name, "none", 1)
            return outcome, [event.message for name in "os" for event in watch.of(PluginLogged, name)]

    assert run(main()) == (["a", "c"], ['given ["a"]', "holding", "given 1", "holding"])


@pytest.mark.requirement("HOK-22")
@pytest.mark.parametrize("result", [{"value": 2}, {"stop": {"reason": "no"}}, {}])
def test_what_an_observer_answers_has_no_effect(result: Any) -> None:
    async def main() -> tuple[Any, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            observer = link({"name": "x", "mode": "observe", "onError": "fail"}, does={"x": ["answer", result]})
            await load(host, o=observer, runner=link())
            outcome = await run_by(host, "runner", "x", 1)
            await run_by(host, "o", "none", 1)
            return outcome, watch.warnings("o")

    assert run(main()) == ({"value": 1, "ran": []}, [])


@pytest.mark.requirement("HOK-23")
def test_an_observer_is_cancelled_with_the_run() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            wants = {"name": "x", "timeoutMs": 600_000}
            observer = link({**wants, "mode": "observe"}, does={"x": ["hold"]})
            await load(host, o=observer, a=link(wants, does={"x": ["hold"]}))
            under_way = await begun(watch, "a", "holding", host.run_hook("x", 1))
            await watch.log("o", "holding")
            under_way.cancel()
            await watch.log("o", "cancelled")
            # And when its time runs out.
            under_way = await begun(watch, "a", "holding", host.run_hook("x", 1, timeout=3.0))
            await watch.log("o", "holding")
            clock().advance(3.1)
            await watch.log("o", "cancelled")
            return await fails(under_way)

    assert type(run(main())) is DeadlineExceeded


def test_an_observer_in_the_plugin_that_runs_the_hook_gets_the_value_when_it_has_a_free_slot() -> None:
    async def main() -> tuple[Any, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, o=link({"name": "x", "mode": "observe"}))
            outcome = await run_by(host, "o", "x", 7)
            await watch.log("o", "given 7")
            return outcome, watch.warnings("o")

    assert run(main()) == ({"value": 7, "ran": []}, [])


@pytest.mark.requirement("HOK-24")
def test_an_observer_that_is_too_slow_is_left_out_and_told_how_often() -> None:
    async def main() -> list[str]:
        async with Host() as host:
            watch = Watch(host)
            wants = {"name": "x", "mode": "observe"}
            await load(host, o=link(wants, does={"x": ["hold"]}, concurrency=256))
            for _ in range(260):
                assert await host.run_hook("x", 1) == 1
            host.notify("link@o/release")
            await run_by(host, "o", "none", 1)
            assert await host.run_hook("x", 1) == 1
            return watch.warnings("o")

    assert run(main()) == [
        "it is left out of runs of the hook 'x': 256 values with 256 bytes wait for it",
        "it was left out of 4 runs of hooks that it observes",
    ]


@pytest.mark.requirement("HOK-24")
def test_what_waits_at_an_observer_is_bounded_in_bytes() -> None:
    async def main() -> list[str]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, o=link({"name": "x", "mode": "observe"}, does={"x": ["hold"]}))
            for _ in range(4):
                assert len(await host.run_hook("x", "x" * 3_000_000)) == 3_000_000
            return watch.warnings("o")

    assert run(main()) == ["it is left out of runs of the hook 'x': 2 values with 6000004 bytes wait for it"]
