"""What the tests of the SDK share."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from plugwire import Plugin
from plugwire.testing import TestHost, connect

T = TypeVar("T")

WAIT = 10.0
"""Seconds that anything may take; reached only when something is wrong."""


def run(conversation: Coroutine[Any, Any, T]) -> T:
    """Runs one conversation to its end, bounded in time."""

    async def bounded() -> T:
        async with asyncio.timeout(WAIT):
            return await conversation

    return asyncio.run(bounded())


@asynccontextmanager
async def ready(plugin: Plugin) -> AsyncIterator[TestHost]:
    """A host whose plugin knows that it is ready, so that it may ask of its own accord."""
    async with connect(plugin) as host:
        await host.call("ping")
        yield host
