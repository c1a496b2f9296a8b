"""Every test of the host leaves as many descriptors and child processes as it found."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import uvloop

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def loops_are_warm() -> None:
    """The first loop of a process opens descriptors that all later ones share."""
    uvloop.run(asyncio.sleep(0))


@pytest.fixture(autouse=True)
def nothing_stays_behind(request: pytest.FixtureRequest, loops_are_warm: None) -> Iterator[None]:
    """Descriptors and child processes; ``support.run`` looks at tasks. The folders below have rules of their own."""
    if request.path.parent != HERE:
        yield
        return
    descriptors = len(os.listdir("/proc/self/fd"))
    children = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) == children
    assert len(os.listdir("/proc/self/fd")) == descriptors
