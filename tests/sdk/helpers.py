"""What the tests of the SDK share."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

WAIT = 10.0
"""Seconds that anything may take; reached only when something is wrong."""


def run(conversation: Coroutine[Any, Any, T]) -> T:
    """Runs one conversation to its end, bounded in time."""

    async def bounded() -> T:
        async with asyncio.timeout(WAIT):
            return await conversation

    return asyncio.run(bounded())
