"""Threads for handlers that are plain functions, so that they may block."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_MOST = 32


class HandlerThreads:
    """At most 32 threads, made as needed; below that, one is left for notifications while every request has its own."""

    def __init__(self, name: str, concurrency: int = _MOST) -> None:
        self._name = name
        self._workers = min(concurrency + 1, _MOST)
        self._pool: ThreadPoolExecutor | None = None

    async def run(self, function: Callable[[], Any]) -> Any:
        """What ``function`` returns or raises."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix=f"{self._name}-handler")
        loop = asyncio.get_running_loop()
        result, error = await loop.run_in_executor(self._pool, _outcome, function)
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """Let go of them; one that is blocked stays as it is."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    # A future cannot carry a StopIteration, and whoever waits for it would wait for ever.
    try:
        return function(), None
    except BaseException as error:
        return None, error
