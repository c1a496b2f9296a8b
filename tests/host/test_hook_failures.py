"""Links that fail, each in its way: what the run makes of it, what is said of it, and that the value is never lost."""

import asyncio
from typing import Any

import pytest

from plugwire_host import DeadlineExceeded, Host, InvalidParams, PluginLogged, RequestError, StartupFailed

from .hooks import adding, liar, link, load, run_by
from .support import Watch, begun, clock, fails, run

NO_ANSWER = "the link of 'b' for the hook 'x' cannot be understood: "

# A link, and what its failure is called: by code, and by the last words of the message.
FAILURES = {
    "its own error": (
        lambda **wants: link({"name": "x", **wants}, does={"x": ["refuse", 7, "no ink", {}]}),
        7,
        "no ink",
    ),
    "null": (lambda **wants: liar("link_answers_nonsense", None, **wants), -32603, "its result is no HookAnswer"),
    "text": (lambda **wants: liar("link_answers_nonsense", "x", **wants), -32603, "its result is no HookAnswer"),
    "list": (lambda **wants: liar("link_answers_nonsense", [1], **wants), -32603, "its result is no HookAnswer"),
    "bad stop": (
        lambda **wants: liar("link_answers_nonsense", {"stop": "x"}, **wants),
        -32603,
        "its result is no HookAnswer",
    ),
    "stop without a reason": (
        lambda **wants: liar("link_answers_nonsense", {"stop": {}}, **wants),
        -32603,
        "its stop has no reason",
    ),
    "reason that is no text": (
        lambda **wants: liar("link_answers_nonsense", {"stop": {"reason": 1}}, **wants),
        -32603,
        "its stop has no reason",
    ),
    "both": (lambda **wants: liar("link_answers_with_both", **wants), -32603, "its result has both value and stop"),
    "crash": (lambda **wants: liar("link_crashes", **wants), -32011, "the call may have been read"),
}
EVERY = pytest.mark.parametrize(("make", "code", "words"), FAILURES.values(), ids=FAILURES)


@pytest.mark.requirement("HOK-10", "HOK-19")
@EVERY
def test_after_a_link_that_fails_the_value_goes_on_as_it_was(make: Any, code: int, words: str) -> None:
    async def main() -> tuple[Any, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=adding("a"), b=make(), c=adding("c"), runner=link())
            outcome = await run_by(host, "runner", "x", [])
            return outcome, watch.warnings("b")

    outcome, (warning, *_) = run(main())
    assert outcome == {"value": ["a", "c"], "ran": ["a", "c"]}
    assert warning.startswith("its link for the hook 'x' failed, and the value goes on as it was: ")
    assert warning.endswith(words)


@pytest.mark.requirement("HOK-10", "HOK-20")
@EVERY
def test_a_link_that_may_fail_the_run_fails_it_and_none_is_asked_after_it(make: Any, code: int, words: str) -> None:
    async def main() -> tuple[RequestError, list[Any]]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=adding("a"), b=make(onError="fail"), c=adding("c"), runner=link())
            error = await fails(run_by(host, "runner", "x", []))
            await host.stop("c")
            return error, watch.of(PluginLogged, "c")

    error, asked = run(main())
    assert error.code == code
    assert error.message.endswith(words)
    assert asked == []


@pytest.mark.requirement("HOK-22")
@EVERY
def test_an_observer_that_fails_is_told_of_and_changes_nothing(make: Any, code: int, words: str) -> None:
    async def main() -> tuple[Any, str]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, b=make(onError="fail", mode="observe"), c=adding("c"), runner=link())
            outcome = await run_by(host, "runner", "x", [])
            return outcome, (await watch.log("b", "it failed to observe the hook 'x': ")).message

    outcome, warning = run(main())
    assert outcome == {"value": ["c"], "ran": ["c"]}
    assert warning.endswith(words)


@pytest.mark.requirement("HOK-20")
def test_the_error_of_a_link_comes_to_the_runner_as_it_was() -> None:
    async def main() -> RequestError:
        async with Host() as host:
            does = {"x": ["refuse", 7, "no ink", {"path": ["é", 1.5], "by": None}]}
            await load(host, b=link({"name": "x", "onError": "fail"}, does=does), runner=link())
            return await fails(run_by(host, "runner", "x", 1))

    error = run(main())
    assert (error.code, error.message, error.data) == (7, "no ink", {"path": ["é", 1.5], "by": None})


@pytest.mark.requirement("HOK-15", "HOK-19", "HOK-20")
@pytest.mark.parametrize("policy", ["continue", "fail"])
def test_a_link_that_does_not_answer_fails_when_its_time_is_over(policy: str) -> None:
    async def main() -> tuple[Any, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            silent = liar("link_never_answers", timeoutMs=3000, onError=policy)
            await load(host, b=silent, c=adding("c"), runner=link())
            under_way = await begun(watch, "b", "given a value", run_by(host, "runner", "x", []))
            clock().advance(3.1)
            outcome = await (under_way if policy == "continue" else fails(under_way))
            return outcome, watch.warnings("b")

    outcome, warnings = run(main())
    if policy == "continue":
        assert outcome == {"value": ["c"], "ran": ["c"]}
        (warning,) = warnings
        assert warning.endswith("plugin 'b' did not answer within 3 s (hook/call)")
    else:
        assert type(outcome) is DeadlineExceeded
        assert outcome.data == {"instance": "b", "timeoutMs": 3000}
        assert warnings == []


@pytest.mark.requirement("HOK-15")
@pytest.mark.parametrize("time_of_the_link", [2000, 2010, 60_000])
def test_a_run_whose_own_time_is_over_ends_with_it(time_of_the_link: int) -> None:
    async def main() -> RequestError:
        async with Host() as host:
            watch = Watch(host)
            await load(host, b=liar("link_never_answers", timeoutMs=time_of_the_link), c=adding("c"))
            under_way = await begun(watch, "b", "given a value", host.run_hook("x", [], timeout=2.0))
            clock().advance(2.1)
            error = await fails(under_way)
            await host.stop("c")
            assert watch.of(PluginLogged, "c") == []
            return error

    assert type(run(main())) is DeadlineExceeded


@pytest.mark.requirement("HOK-19")
def test_a_value_that_does_not_fit_into_a_frame_is_a_failure_of_the_link() -> None:
    async def main() -> tuple[int, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, b=link({"name": "x"}))
            return len(await host.run_hook("x", "x" * 5_000_000)), watch.warnings("b")

    size, (warning,) = run(main())
    assert size == 5_000_000
    assert warning.endswith("does not fit into a frame of at most 4194304 bytes")


@pytest.mark.requirement("HOK-19")
def test_a_link_whose_plugin_is_killed_while_others_run_hurts_no_other_run() -> None:
    async def main() -> Any:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=adding("a"), b=liar("link_never_answers"), runner=link())
            runs = [asyncio.ensure_future(host.run_hook("x", [number])) for number in range(20)]
            await watch.log("b", "given a value")
            await host.stop("b")
            return await asyncio.gather(*runs)

    assert run(main()) == [[number, "a"] for number in range(20)]


@pytest.mark.requirement("HOK-14", "HOK-19")
def test_a_link_whose_plugin_is_being_stopped_is_not_asked_any_more() -> None:
    async def main() -> tuple[Any, list[str]]:
        async with Host() as host:
            watch = Watch(host)
            await load(host, a=adding("a"), b=liar("link_ignores_shutdown"))
            stopping = asyncio.ensure_future(host.stop("b"))
            await watch.log("b", "asked to shut down")
            value = await host.run_hook("x", [])
            await host.call("link@a/ask", {"name": "none", "value": 1})
            host.kill()
            await stopping
            return value, watch.warnings("b")

    value, (warning, *_) = run(main())
    assert value == ["a"]
    assert warning.endswith("plugin 'b' did not take hook/call: it is being stopped")


@pytest.mark.requirement("HOK-15", "HOK-19")
def test_a_link_of_the_application_that_does_not_end_fails_when_its_time_is_over() -> None:
    async def main() -> tuple[Any, list[str], list[str]]:
        async with Host() as host:
            watch = Watch(host)
            ended: list[str] = []
            begun_here = asyncio.Event()

            @host.hook("x", timeout=3.0)
            async def endless(value: Any) -> None:
                begun_here.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    ended.append("cancelled")

            await load(host, a=adding("a"))
            under_way = asyncio.ensure_future(host.run_hook("x", []))
            await begun_here.wait()
            clock().advance(3.1)
            return await under_way, ended, watch.warnings("host")

    value, ended, (warning,) = run(main())
    assert (value, ended) == (["a"], ["cancelled"])
    assert warning.endswith("the host did not answer within 3 s (hook/call)")


def test_a_run_that_is_under_way_when_the_host_closes_ends() -> None:
    async def main() -> RequestError:
        async with Host() as host:
            watch = Watch(host)
            seeing = link({"name": "x", "mode": "observe"}, does={"x": ["hold"]})
            await load(host, o=seeing, a=link({"name": "x", "onError": "fail"}, does={"x": ["hold"]}))
            under_way = await begun(watch, "a", "holding", host.run_hook("x", 1))
        return await fails(under_way)

    assert run(main()).code in (-32800, -32010, -32011)


# What nobody can declare or ask for


@pytest.mark.requirement("HOK-01")
def test_a_plugin_with_two_links_for_one_hook_is_refused() -> None:
    async def main() -> StartupFailed:
        async with Host() as host:
            with pytest.raises(StartupFailed) as caught:
                await host.launch("a", link({"name": "x"}, {"name": "y"}, {"name": "x", "mode": "observe"}))
            return caught.value

    report = run(main()).report
    assert (report.stage, report.cause) == ("handshake", "it declares two links for the hook 'x'")
    assert report.hint == "declare each hook once, with all that its link wants"


@pytest.mark.parametrize(
    ("wants", "where"),
    [
        ({"name": "../../x"}, "$.hooks[0].name"),
        ({"name": 1}, "$.hooks[0].name"),
        ({}, "$.hooks[0]"),
        ({"name": "x", "timeoutMs": 0}, "$.hooks[0].timeoutMs"),
        ({"name": "x", "timeoutMs": 2**40}, "$.hooks[0].timeoutMs"),
        ({"name": "x", "before": "a"}, "$.hooks[0].before"),
        ({"name": "x", "after": [1]}, "$.hooks[0].after[0]"),
        ({"name": "x", "onError": "ignore"}, "$.hooks[0].onError"),
        ({"name": "x", "mode": "Observe"}, "$.hooks[0].mode"),
    ],
)
def test_a_link_that_is_none_is_refused_with_the_place(wants: Any, where: str) -> None:
    async def main() -> str:
        async with Host() as host:
            with pytest.raises(StartupFailed) as caught:
                await host.launch("a", link(wants))
            return caught.value.report.cause

    assert run(main()).startswith(f"its answer to initialize is wrong at {where}: ")


@pytest.mark.parametrize(
    ("method", "params", "path"),
    [
        ("hook/run", None, "$.name"),
        ("hook/run", {"value": 1}, "$.name"),
        ("hook/run", {"name": "x"}, "$.value"),
        ("hook/run", {"name": "../../x", "value": 1}, "$.name"),
        ("hook/run", {"name": "x" * 257, "value": 1}, "$.name"),
        ("hook/run", {"name": ["x"], "value": 1}, "$.name"),
        ("hook/explain", {}, "$.name"),
        ("hook/explain", {"name": -1}, "$.name"),
    ],
)
def test_bad_params_are_refused_with_their_path(method: str, params: Any, path: str) -> None:
    async def main() -> RequestError:
        async with Host() as host:
            return await fails(host.call(method, params))

    error = run(main())
    assert type(error) is InvalidParams
    assert error.data["problems"][0]["path"] == path
