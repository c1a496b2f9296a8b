"""The end of a process, rung by rung. F05, F17, F23."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from plugwire_host.process import Child, StopReport, stop
from plugwire_host.process import child as child_module
from plugwire_host.process.group import signal_group

from .support import LIMIT, SOON, Run, let_go, shell, spawn_ready, state_of

IGNORES_EVERYTHING = "trap '' TERM; echo ready; exec sleep 600"


async def stop_child(
    child: Child, say_goodbye: Callable[[], Awaitable[None]] | None = None, grace: float = LIMIT
) -> StopReport:
    report = await stop(child, say_goodbye=say_goodbye, end_input=child.stdin.close, grace=grace)
    assert not child.group_alive()
    assert state_of(child.pid) is None
    child.close_pipes()
    return report


def goodbye_to(child: Child) -> Callable[[], Awaitable[None]]:
    async def say_goodbye() -> None:
        child.stdin.write(b"bye\n")

    return say_goodbye


@pytest.mark.requirement("LIF-14")
def test_who_leaves_when_asked_is_not_pressed_further(run_both_ways: Run) -> None:
    async def main() -> StopReport:
        child = await spawn_ready(shell("trap 'exit 9' TERM; echo ready; read line; exit 0"))
        return await stop_child(child, goodbye_to(child))

    assert run_both_ways(main()) == StopReport(0, "asked", False)


@pytest.mark.requirement("LIF-14")
def test_who_leaves_at_the_end_of_input_is_not_terminated(run_both_ways: Run) -> None:
    async def main() -> StopReport:
        child = await spawn_ready(shell("trap 'exit 9' TERM; echo ready; cat >/dev/null; exit 3"))
        return await stop_child(child)

    assert run_both_ways(main()) == StopReport(3, "input closed", False)


@pytest.mark.requirement("LIF-14")
def test_a_goodbye_that_is_not_followed_is_followed_by_the_end_of_input(run: Run) -> None:
    async def main() -> StopReport:
        child = await spawn_ready(shell("echo ready; cat >/dev/null"))
        return await stop_child(child, goodbye_to(child), grace=1.0)

    assert run(main()) == StopReport(0, "input closed", False)


@pytest.mark.requirement("LIF-14")
def test_who_does_not_read_is_terminated(run_both_ways: Run) -> None:
    async def main() -> StopReport:
        return await stop_child(await spawn_ready(shell("echo ready; exec sleep 600")), grace=SOON)

    assert run_both_ways(main()) == StopReport(-15, "terminated", False)


@pytest.mark.requirement("LIF-14")
@pytest.mark.parametrize("script", [IGNORES_EVERYTHING, "echo ready; kill -STOP $$"])
def test_who_ignores_everything_or_is_stopped_is_killed(run_both_ways: Run, script: str) -> None:
    async def main() -> StopReport:
        child = await spawn_ready(shell(script))
        return await stop_child(child, goodbye_to(child), grace=SOON)

    assert run_both_ways(main()) == StopReport(-9, "killed", False)


@pytest.mark.requirement("LIF-14")
def test_the_rungs_come_in_order(run: Run) -> None:
    rungs: list[str] = []

    async def main() -> None:
        child = await spawn_ready(shell(IGNORES_EVERYTHING))

        async def say_goodbye() -> None:
            rungs.append("goodbye")

        def end_input() -> None:
            rungs.append("end input")
            child.stdin.close()

        terminate, kill = child.terminate_group, child.kill_group

        def terminate_group() -> None:
            rungs.append("terminate")
            terminate()

        def kill_group() -> None:
            rungs.append("kill")
            kill()

        child.terminate_group = terminate_group  # type: ignore[method-assign]
        child.kill_group = kill_group  # type: ignore[method-assign]
        await stop(child, say_goodbye=say_goodbye, end_input=end_input, grace=SOON)
        child.close_pipes()

    run(main())
    assert rungs[:4] == ["goodbye", "end input", "terminate", "kill"]


def test_who_has_already_ended_is_let_go(run_both_ways: Run) -> None:
    async def main() -> StopReport:
        child = await Child.spawn(shell("exit 5"))
        await child.wait_exited()
        return await stop_child(child)

    assert run_both_ways(main()) == StopReport(5, "asked", False)


def test_stopping_twice_gives_the_same_end(run: Run) -> None:
    async def main() -> list[StopReport]:
        child = await spawn_ready(shell("echo ready; read line; exit 2"))
        return [await stop_child(child), await stop_child(child)]

    assert run(main()) == [StopReport(2, "input closed", False), StopReport(2, "asked", False)]


def test_grandchildren_that_stay_behind_are_killed_and_told(run_both_ways: Run) -> None:
    async def main() -> StopReport:
        child = await spawn_ready(shell("(trap '' TERM; sleep 600) & echo ready; read line; exit 0"))
        return await stop_child(child)

    assert run_both_ways(main()) == StopReport(0, "input closed", True)


def test_what_was_killed_is_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    still_there = [True, True, True, False]

    async def main() -> StopReport:
        child = await spawn_ready(shell("sleep 600 & echo ready; read line; exit 0"))
        monkeypatch.setattr(child, "group_alive", lambda: still_there.pop(0))
        report = await stop(child, say_goodbye=None, end_input=child.stdin.close, grace=LIMIT)
        child.close_pipes()
        return report

    assert run(main()) == StopReport(0, "input closed", True)
    assert still_there == []


def test_a_grace_of_zero_kills_without_delay_and_still_reaps(run_both_ways: Run) -> None:
    async def main() -> StopReport:
        return await stop_child(await spawn_ready(shell(IGNORES_EVERYTHING)), grace=0.0)

    assert run_both_ways(main()) == StopReport(-9, "killed", False)


def test_grandchildren_are_told_when_the_child_had_to_be_killed_too(run: Run) -> None:
    async def main() -> StopReport:
        child = await spawn_ready(shell("trap '' TERM; sleep 600 & echo ready; exec sleep 600"))
        return await stop_child(child, grace=1.0)

    assert run(main()) == StopReport(-9, "killed", True)


def test_a_goodbye_that_fails_is_no_answer(run: Run) -> None:
    async def fail() -> None:
        raise ConnectionError("nobody there")

    async def main() -> StopReport:
        return await stop_child(await spawn_ready(shell("echo ready; read line; exit 6")), fail)

    assert run(main()) == StopReport(6, "input closed", False)


def test_a_goodbye_without_answer_is_cancelled_after_its_time(run: Run) -> None:
    ended: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def main() -> StopReport:
        report = await stop_child(await spawn_ready(shell("echo ready; read line; exit 7")), hang, grace=1.0)
        assert ended == ["cancelled"]
        return report

    assert run(main()) == StopReport(7, "input closed", False)


def test_a_goodbye_that_swallows_its_cancellation_is_left_behind(run: Run) -> None:
    async def main() -> StopReport:
        release = asyncio.Event()

        async def cling() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await release.wait()

        report = await stop_child(await spawn_ready(shell("echo ready; read line; exit 8")), cling, grace=1.0)
        release.set()
        return report

    assert run(main()) == StopReport(8, "input closed", False)


def test_a_goodbye_without_answer_ends_with_the_process(run: Run) -> None:
    async def main() -> StopReport:
        child = await spawn_ready(shell("echo ready; read line; exit 0"))

        async def say_goodbye() -> None:
            child.stdin.write(b"bye\n")
            await asyncio.Event().wait()

        return await stop_child(child, say_goodbye)

    assert run(main()) == StopReport(0, "asked", False)


def test_a_process_that_outlives_even_the_kill_is_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> StopReport:
        child = await spawn_ready(shell(IGNORES_EVERYTHING))
        with monkeypatch.context() as patch:
            patch.setattr(child_module, "signal_group", lambda group, number: None)
            report = await stop(child, say_goodbye=None, end_input=child.stdin.close, grace=SOON)
        signal_group(child.pid, 9)
        await let_go(child)
        return report

    assert run(main()) == StopReport(None, "not reaped", False)


@pytest.mark.parametrize("rung", ["goodbye", "end of input"])
def test_a_cancelled_stop_kills_at_once(run_both_ways: Run, rung: str) -> None:
    async def main() -> int:
        child = await spawn_ready(shell(IGNORES_EVERYTHING))
        reached = asyncio.Event()

        async def hang() -> None:
            reached.set()
            await asyncio.Event().wait()

        stopping = asyncio.create_task(
            stop(child, say_goodbye=hang if rung == "goodbye" else None, end_input=reached.set, grace=LIMIT)
        )
        await reached.wait()
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        returncode = await child.wait_exited()
        assert state_of(child.pid) is None
        child.close_pipes()
        return returncode

    assert run_both_ways(main()) == -9


def test_twenty_are_stopped_at_once(run_both_ways: Run) -> None:
    async def main() -> list[StopReport]:
        children = await asyncio.gather(*(spawn_ready(shell(IGNORES_EVERYTHING)) for _ in range(20)))
        return await asyncio.gather(*(stop_child(child, goodbye_to(child), grace=SOON) for child in children))

    assert run_both_ways(main()) == [StopReport(-9, "killed", False)] * 20
