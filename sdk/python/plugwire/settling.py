"""Requests that give the caller something to hold: what becomes of it when the caller is cancelled before it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


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
    asyncio.ensure_future(undo(done.result())).add_done_callback(_look)


def _look(done: asyncio.Future[Any]) -> None:
    """Nobody waits for it, and what it might have failed with is of no use to anybody."""
    if not done.cancelled():
        done.exception()
