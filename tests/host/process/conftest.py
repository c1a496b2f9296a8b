"""Every test here leaves as many descriptors and child processes as it found."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from typing import Any

import psutil
import pytest
import uvloop

from .support import LIMIT, Run


@pytest.fixture(scope="session", autouse=True)
def uvloop_is_warm() -> None:
    """The first loop of a process opens descriptors that all later ones share."""
    uvloop.run(asyncio.sleep(0))


@pytest.fixture(autouse=True)
def nothing_is_left_over(uvloop_is_warm: None) -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    children = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) == children
    assert len(os.listdir("/proc/self/fd")) == before


def _run_on(factory: Any) -> Run:
    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(LIMIT):
                return await coroutine

        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(bounded())

    return run


@pytest.fixture(params=[None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine to its end, in bounded time, on each kind of loop."""
    return _run_on(request.param)


@pytest.fixture(params=["asyncio, pidfd", "asyncio, thread", "uvloop, pidfd", "uvloop, thread"])
def run_both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    """As ``run``, with each of the two ways to see the exit of a process."""
    loop, way = request.param.split(", ")
    if way == "thread":
        monkeypatch.delattr(os, "pidfd_open")
    return _run_on(None if loop == "asyncio" else uvloop.new_event_loop)
