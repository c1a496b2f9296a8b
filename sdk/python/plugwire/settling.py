"""Requests that give the caller something to hold: what becomes of it when the caller is cancelled before it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class SharedAction:
    """Something that is under way at most once, however many wait for it, and goes on when one of them is cancelled."""

    def __init__(self, action: Callable[[], Coroutine[Any, Any, None]], on_end: Callable[[], None]) -> None:
        self._action = action
        self._on_end = on_end
        self._running: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Until it has ended; raises what it raised. It is begun unless it is under way."""
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._action())
            self._running.add_done_callback(self._forget)
        await asyncio.shield(self._running)

    async def wait_idle(self) -> None:
        """Until it is not under way, whatever became of it."""
        if self._running is not None:
            await asyncio.wait([self._running])

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._running = None
        look(task)
        self._on_end()


async def settled(action: Coroutine[Any, Any, T], undo: Callable[[T], Coroutine[Any, Any, Any]] | None = None) -> T:
    """What ``action`` gives. It runs to its end even if the wait for it is cancelled; then ``undo`` takes it back.

    A cancelled request may have been answered already, and what was given would be held by no one.
    """
    task = asyncio.ensure_future(action)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: _undo(done, undo))
        raise


def _undo(done: asyncio.Future[T], undo: Callable[[T], Coroutine[Any, Any, Any]] | None) -> None:
    if done.cancelled() or done.exception() is not None or undo is None:
        return
    asyncio.ensure_future(undo(done.result())).add_done_callback(look)


def look(done: asyncio.Future[Any]) -> None:
    """Nobody waits for it, and what it might have failed with is of no use to anybody."""
    if not done.cancelled():
        done.exception()
