"""The asyncio driver of one connection: moves bytes between a Peer and a pair of pipes. Spec 01 and LIF-17.

Owns: reading, writing, and the one end of the conversation. Does not own: what an arrival means; whoever opens a
connection passes ``on_arrival`` and ``on_closed``. Reading never waits for writing. A frame is handed to the transport
as it is sent: joining the writes of one turn of the loop was tried and halved the throughput with many calls in flight,
because the two processes then take turns instead of working side by side. Only what nobody waits for is joined
(``send_soon``). All methods belong to the loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, Protocol

from .wire import NEED_DATA, Arrival, ConnectionClosed, MessageRejected, Peer, RemoteProtocolError
from .wire.messages import CallT

WRITE_END_GRACE = 0.5
"""Seconds that whole frames have to arrive after the other end has stopped reading."""
SOON_BYTES = 65536
"""What ``send_soon`` keeps at most for the end of the turn."""
CLOSE_GRACE = 1.0
"""Seconds that the other end has to take what was still queued when the connection was closed."""


class Tap(Protocol):
    """Sees the bytes of a connection as they go by, for a trace."""

    def __call__(self, sent: bool, data: bytes) -> None: ...


class Connection(asyncio.Protocol, Generic[CallT]):
    """One live conversation.

    ``on_arrival`` is called for each arrival in order, on the loop, and must not block. ``on_closed`` is called exactly
    once, with why: a RemoteProtocolError when the other end lost the frame boundary, else a ConnectionClosed; the calls
    that are still open are then in ``peer.outgoing``.
    """

    def __init__(
        self,
        peer: Peer[CallT],
        *,
        on_arrival: Callable[[Arrival[CallT]], None],
        on_closed: Callable[[Exception], None],
        tap: Tap | None = None,
    ) -> None:
        self.peer = peer
        self.closed = False
        self.congested = False
        """Whether the other end leaves unread what was sent: the pipe is full, and so is a buffer of ours."""
        self._on_arrival = on_arrival
        self._on_closed = on_closed
        self._tap = tap
        self._loop = asyncio.get_running_loop()
        self._reading: Any = None
        self._writing: Any = None
        self._write_end_closed = asyncio.Event()
        self._on_drained: list[Callable[[], None]] = []
        self._first: list[Callable[[], None]] = []
        self._soon: list[bytes] = []
        self._soon_bytes = 0

    async def open(self, read_end: Any, write_end: Any) -> None:
        """Talk over two file objects (pipes). The connection owns them from here on."""
        self._writing, _ = await self._loop.connect_write_pipe(lambda: _WriteEnd(self), write_end)
        self._reading, _ = await self._loop.connect_read_pipe(lambda: self, read_end)

    # Writing

    def send(self, data: bytes) -> None:
        """Write whole frames; never waits. On a closed connection they are lost."""
        if self._first:
            self._do_first()
        if not self.closed:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._tap is not None:
            self._tap(True, data)
        self._writing.write(data)

    def send_soon(self, data: bytes) -> None:
        """Write whole frames before this turn of the loop ends, joined with others: for what nobody waits for.

        The order of everything that is sent stays as it is.
        """
        if self.closed:
            return
        if not self._soon:
            self.do_first(self._write_soon)
        self._soon.append(data)
        self._soon_bytes += len(data)
        if self._soon_bytes >= SOON_BYTES:
            self._write_soon()

    def _write_soon(self) -> None:
        if self._soon:
            data = b"".join(self._soon)
            self._soon.clear()
            self._soon_bytes = 0
            self._write(data)

    @property
    def backlog(self) -> int:
        """Bytes that were sent and that the other end has not yet taken out of our hands."""
        size: int = self._writing.get_write_buffer_size()
        return size + self._soon_bytes

    def do_first(self, action: Callable[[], None]) -> None:
        """Call back before the next frame is written, and in any case on the next turn of the loop: to send what was
        gathered, so that nothing that is sent later overtakes it (CAL-11)."""
        if not self._first:
            self._loop.call_soon(self._do_first)
        self._first.append(action)

    def _do_first(self) -> None:
        actions, self._first = self._first, []
        for action in actions:
            action()

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once, on a later turn of the loop, when the connection is not congested; never when it ends."""
        if self.congested:
            self._on_drained.append(callback)
        else:
            self._loop.call_soon(callback)

    def write_end_paused(self, paused: bool) -> None:
        """The loop's word on how full the buffer before the pipe is."""
        self.congested = paused
        if not paused:
            waiting, self._on_drained = self._on_drained, []
            for callback in waiting:
                self._loop.call_soon(callback)

    def end_writing(self) -> None:
        """Send what is queued and close our write end; what the other end still says is read."""
        self._write_soon()
        if self._writing is not None:
            self._writing.close()

    # Reading

    def data_received(self, data: bytes) -> None:
        if self.closed:
            return
        if self._tap is not None:
            self._tap(False, data)
        peer, on_arrival = self.peer, self._on_arrival
        peer.receive_data(data)
        try:
            while (arrival := peer.next_arrival()) is not NEED_DATA:
                if type(arrival) is MessageRejected and arrival.reply is not None:
                    self.send(arrival.reply)
                on_arrival(arrival)
                if self.closed:
                    return
        except RemoteProtocolError as error:
            self.close(error)
        except Exception as error:
            # A mistake of ours in one connection ends that connection, and is seen; it never ends in a dead reader.
            self._loop.call_exception_handler({"message": "an arrival could not be handled", "exception": error})
            self.close(ConnectionClosed(f"internal error: {error!r}"))

    def eof_received(self) -> None:
        self._end_of_input()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_of_input()

    def _end_of_input(self) -> None:
        if self.closed:
            return
        try:
            noise = self.peer.receive_eof()
        except RemoteProtocolError as error:
            self.close(error)
            return
        if noise is not None:
            self._on_arrival(noise)
        self.close(ConnectionClosed("the other end closed the connection"))

    def write_end_lost(self) -> None:
        """The other end no longer reads. What it has already written still counts (LIF-17)."""
        self._write_end_closed.set()
        if not self.closed:
            closed = ConnectionClosed("the other end closed its input")
            self._loop.call_later(WRITE_END_GRACE, self.close, closed)

    # The end

    def close(self, reason: Exception | None = None) -> None:
        """End the conversation; what is queued is still written if the other end takes it. Idempotent."""
        if self.closed:
            return
        self._write_soon()
        self.closed = True
        for transport in (self._reading, self._writing):
            if transport is not None:
                transport.close()
        self._on_closed(reason or ConnectionClosed("the connection was closed"))

    async def wait_closed(self) -> None:
        """After ``close``: until what was queued is written, or the other end has had its time to take it."""
        if self._writing is None:
            return
        try:
            async with asyncio.timeout(CLOSE_GRACE):
                await self._write_end_closed.wait()
        except TimeoutError:
            self._writing.abort()

    def join_memory(self, other: Connection[Any]) -> None:
        """Talk with another connection of this process, without pipes: the in-memory transport."""
        self._writing = self._reading = _MemoryTransport(other)
        self._write_end_closed.set()


class _WriteEnd(asyncio.BaseProtocol):
    """What the loop tells about our write end."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def pause_writing(self) -> None:
        self._connection.write_end_paused(True)

    def resume_writing(self) -> None:
        self._connection.write_end_paused(False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.write_end_lost()


class _MemoryTransport:
    """Hands bytes to another connection on the next turn of the loop, as a pipe would."""

    def __init__(self, other: Connection[Any]) -> None:
        self._other = other
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._on_its_way = 0

    def write(self, data: bytes) -> None:
        if self._open:
            self._on_its_way += len(data)
            self._loop.call_soon(self._hand_over, data)

    def _hand_over(self, data: bytes) -> None:
        self._on_its_way -= len(data)
        self._other.data_received(data)

    def get_write_buffer_size(self) -> int:
        return self._on_its_way

    def close(self) -> None:
        if self._open:
            self._open = False
            self._loop.call_soon(self._other.eof_received)

    abort = close
