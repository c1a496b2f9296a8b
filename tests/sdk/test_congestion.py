"""A connection knows when the other end leaves unread what it is sent, and says when that is over."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from plugwire.connection import Connection
from plugwire.wire import Peer, Role

LIMIT = 10.0

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop, uvloop.new_event_loop]


def run(loop_factory: Callable[[], asyncio.AbstractEventLoop], main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(asyncio.wait_for(main, LIMIT))


async def connect() -> tuple[Connection[None], int, int]:
    """A connection, and the ends of its pipes that are ours to read and to close."""
    theirs, write_end = os.pipe()
    read_end, quiet = os.pipe()
    connection: Connection[None] = Connection(
        Peer(Role.HOST), on_arrival=lambda arrival: None, on_closed=lambda reason: None
    )
    await connection.open(os.fdopen(read_end, "rb", 0), os.fdopen(write_end, "wb", 0))
    return connection, theirs, quiet


async def drain(theirs: int, size: int) -> None:
    """Read so many bytes without blocking the loop."""
    os.set_blocking(theirs, False)
    loop = asyncio.get_running_loop()
    while size > 0:
        readable = asyncio.Event()
        loop.add_reader(theirs, readable.set)
        await readable.wait()
        loop.remove_reader(theirs)
        size -= len(os.read(theirs, 65536))


@pytest.mark.parametrize("loop_factory", LOOPS)
def test_a_full_pipe_is_congestion_until_it_is_read(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def main() -> None:
        connection, theirs, quiet = await connect()
        told = asyncio.Event()
        sent = 0
        assert not connection.congested
        while not connection.congested:
            connection.send(b"x" * 65536)
            sent += 65536
        connection.when_drained(told.set)
        await asyncio.sleep(0)
        assert not told.is_set()
        await drain(theirs, sent)
        await told.wait()
        assert not connection.congested
        connection.close()
        await connection.wait_closed()
        os.close(theirs)
        os.close(quiet)

    run(loop_factory, main())


@pytest.mark.parametrize("loop_factory", LOOPS)
def test_who_asks_without_need_is_called_at_once(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def main() -> None:
        connection, theirs, quiet = await connect()
        told = asyncio.Event()
        connection.when_drained(told.set)
        assert not told.is_set()
        await told.wait()
        connection.close()
        await connection.wait_closed()
        os.close(theirs)
        os.close(quiet)

    run(loop_factory, main())
