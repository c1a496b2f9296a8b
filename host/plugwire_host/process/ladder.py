"""The end of a process, in named rungs, each with a bounded time. Spec LIF-14.

asked → input closed → terminated → killed → not reaped
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias

from attrs import frozen

from .child import Child

Rung: TypeAlias = Literal["asked", "input closed", "terminated", "killed", "not reaped"]

_POLL = 0.01  # nothing tells when a process ends that is not our child
_REAP = 2.0  # a killed process is gone at once, but not within a grace of zero


@frozen
class StopReport:
    """How a process ended: its ``returncode`` (None only when it could not be reaped), the ``rung`` that did it, and
    whether other processes of its group had to be killed (``leftover``)."""

    returncode: int | None
    rung: Rung
    leftover: bool


async def stop(
    child: Child,
    *,
    say_goodbye: Callable[[], Awaitable[None]] | None,
    end_input: Callable[[], None],
    grace: float = 2.0,
) -> StopReport:
    """End a process and all of its group. Each rung takes at most ``grace`` seconds and ends with the process.

    With a grace of zero the process is killed without delay; what was killed is still waited for.

    ``say_goodbye`` is cancelled when its time is over; what it raises is taken as no answer. ``end_input`` closes our
    write end. A process that has already ended gives the rung "asked". Cancelling kills the group at once; the child is
    reaped as soon as its end is seen.
    """
    try:
        rung = await _climb(child, say_goodbye, end_input, grace)
        leftover = child.others_alive()
        if rung is None:
            child.kill_group()
            rung = "killed" if await _exits(child, max(grace, _REAP)) else "not reaped"
    finally:
        child.kill_group()
    if leftover:
        await _wait_group_gone(child, max(grace, _REAP))
    return StopReport(child.returncode, rung, leftover)


async def _climb(
    child: Child, say_goodbye: Callable[[], Awaitable[None]] | None, end_input: Callable[[], None], grace: float
) -> Rung | None:
    """The rung at which the process ended; None when it did not care for any."""
    if child.exited.is_set():
        return "asked"
    # Who has not answered will not end by itself either: its exit is awaited only after a goodbye that was said.
    if say_goodbye is not None and await _said(child, say_goodbye, grace) and await _exits(child, grace):
        return "asked"
    end_input()
    if await _exits(child, grace):
        return "input closed"
    child.terminate_group()
    return "terminated" if await _exits(child, grace) else None


async def _said(child: Child, say_goodbye: Callable[[], Awaitable[None]], grace: float) -> bool:
    """Say goodbye; False when it failed or took too long, True also when the process ended meanwhile."""
    goodbye = asyncio.ensure_future(say_goodbye())
    exited = asyncio.ensure_future(child.exited.wait())
    try:
        await asyncio.wait({goodbye, exited}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        return child.exited.is_set() or (goodbye.done() and not goodbye.cancelled() and goodbye.exception() is None)
    finally:
        exited.cancel()
        goodbye.cancel()
        # A goodbye that swallows its cancellation is left behind rather than waited for.
        await asyncio.wait({goodbye, exited}, timeout=_POLL)
        if goodbye.done() and not goodbye.cancelled():
            goodbye.exception()


async def _exits(child: Child, grace: float) -> bool:
    try:
        await asyncio.wait_for(child.exited.wait(), grace)
    except TimeoutError:
        return child.exited.is_set()
    return True


async def _wait_group_gone(child: Child, grace: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace
    while child.group_alive() and loop.time() < deadline:  # noqa: ASYNC110 - see _POLL
        await asyncio.sleep(_POLL)
