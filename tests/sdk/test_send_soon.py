"""What nobody waits for is joined, and the order of everything stays as it is."""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

from plugwire.connection import Connection
from plugwire.wire import Peer, Raw, Role

from .helpers import run


class Pipe:
    """A connection into a pipe that the test reads; ``writes`` are what was handed to the pipe, one entry each."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

        def tap(sent: bool, data: bytes) -> None:
            self.writes.append(data)

        self.connection: Connection[None] = Connection(
            Peer(Role.HOST), on_arrival=lambda arrival: None, on_closed=lambda reason: None, tap=tap
        )
        self.theirs, self._write_end = os.pipe()
        self._read_end, self.quiet = os.pipe()

    async def open(self) -> Connection[None]:
        await self.connection.open(os.fdopen(self._read_end, "rb", 0), os.fdopen(self._write_end, "wb", 0))
        return self.connection

    def close(self) -> None:
        self.connection.close()
        for end in (self.theirs, self.quiet):
            os.close(end)


def test_what_is_sent_soon_in_one_turn_is_one_write() -> None:
    async def main() -> list[bytes]:
        pipe = Pipe()
        connection = await pipe.open()
        for data in (b"a", b"b"):
            connection.send_soon(data)
        assert (pipe.writes, connection.backlog) == ([], 2)
        await asyncio.sleep(0)
        connection.send_soon(b"c")
        await asyncio.sleep(0)
        assert connection.backlog == 0
        pipe.close()
        return pipe.writes

    assert run(main()) == [b"ab", b"c"]


def test_what_is_sent_at_once_does_not_overtake_it() -> None:
    async def main() -> list[bytes]:
        pipe = Pipe()
        connection = await pipe.open()
        connection.send_soon(b"a")
        connection.send(b"b")
        connection.send(b"c")
        connection.send_soon(b"d")
        await asyncio.sleep(0)
        pipe.close()
        return pipe.writes

    assert run(main()) == [b"a", b"b", b"c", b"d"]


def test_a_long_turn_does_not_pile_up_more_than_64_kib() -> None:
    async def main() -> list[int]:
        pipe = Pipe()
        connection = await pipe.open()
        for _ in range(130):
            connection.send_soon(b"x" * 1024)
        sizes = [len(data) for data in pipe.writes]
        connection.send_soon(b"")
        pipe.close()
        return sizes

    assert run(main()) == [65536, 65536]


def closing(how: str) -> Coroutine[Any, Any, tuple[list[bytes], bytes]]:
    async def main() -> tuple[list[bytes], bytes]:
        pipe = Pipe()
        connection = await pipe.open()
        connection.send_soon(b"last")
        getattr(connection, how)()
        connection.send_soon(b"too late") if how == "close" else None
        await asyncio.sleep(0)
        received = os.read(pipe.theirs, 100)
        pipe.close()
        return pipe.writes, received

    return main()


def test_the_end_of_a_connection_writes_what_was_to_be_sent_soon() -> None:
    assert run(closing("close")) == ([b"last"], b"last")
    assert run(closing("end_writing")) == ([b"last"], b"last")


def test_several_notifications_are_the_frames_of_each() -> None:
    host: Peer[None] = Peer(Role.HOST)
    plugin: Peer[None] = Peer(Role.PLUGIN)
    _, data = host.send_request("initialize", call=None)
    plugin.receive_data(data)
    list(plugin.arrivals())
    host.receive_data(plugin.send_result(1, None))
    list(host.arrivals())
    plugin.receive_data(host.send_notification("initialized"))
    list(plugin.arrivals())
    bodies = [Raw(b'{"a":1}'), Raw(b'{"b":[ 2 ]}')]
    joined = host.send_notifications("event/deliver", bodies)
    assert joined == b"".join(host.send_notification("event/deliver", body) for body in bodies)
    assert joined.startswith(
        b'Content-Length: 59\r\n\r\n{"jsonrpc":"2.0","method":"event/deliver","params":{"a":1}}Content-Length: '
    )
