"""What the tests of the wire share: feeding bytes in every way, making arrivals comparable, and a pair of peers."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, TypeAlias

from plugwire.wire import NEED_DATA, Framing, MessageRejected, Peer, Raw, RemoteProtocolError, Role, make_reader
from plugwire.wire.framing import Reader

LOST = "the frame boundary is lost"
"""Stands at the end of what was read when the reader raised."""

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
"""A body of 40 bytes."""
PING_FRAME = b"Content-Length: 40\r\n\r\n" + PING
INITIALIZE = b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}'
INITIALIZED = b'{"jsonrpc":"2.0","method":"initialized"}'

Pieces: TypeAlias = list[bytes]
_LONG = 1000
"""Bytes from which on not every cut is tried, but some, and every one near the end."""
_NEAR_THE_END = 72


def header_frame(body: bytes) -> bytes:
    """A frame, made without the code under test."""
    return b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


def line_frame(body: bytes) -> bytes:
    return body + b"\n"


def cut(data: bytes, *places: int) -> Pieces:
    """The bytes in pieces that end at these places."""
    edges = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def every_cut(stream: bytes) -> Iterator[Pieces]:
    """Whole, one byte at a time, and in two at every place."""
    yield [stream]
    places = range(1, len(stream))
    if len(stream) <= _LONG:
        yield cut(stream, *places)
        yield from (cut(stream, place) for place in places)
        return
    near_the_end = places[-_NEAR_THE_END:]
    yield cut(stream, *places[:: max(17, len(stream) // 400)], *near_the_end)
    yield from (cut(stream, place) for place in (*places[:: len(stream) // 16], *near_the_end))


def read_pieces(reader: Reader, pieces: Iterable[bytes]) -> list[Any]:
    """All that a reader makes of some pieces; nothing may come after a loss."""
    found: list[Any] = []
    for piece in pieces:
        reader.receive_data(piece)
        try:
            while (item := reader.next_frame()) is not None:
                found.append(item)
        except RemoteProtocolError:
            if LOST not in found:
                found.append(LOST)
    assert LOST not in found[:-1], f"something was read after the loss: {found}"
    return found


def read_every_way(
    stream: bytes,
    *,
    tolerant: bool,
    framing: Framing = Framing.HEADER,
    max_frame_bytes: int = 4194304,
    trailing: bytes | None = None,
) -> list[Any]:
    """What a reader makes of a stream, which is the same however it is cut and whatever follows it.

    ``trailing`` is what follows: by default the beginning of a frame.
    """

    def read(pieces: Iterable[bytes]) -> list[Any]:
        reader = make_reader(framing, tolerate_noise=tolerant, max_frame_bytes=max_frame_bytes)
        return read_pieces(reader, pieces)

    found = read([stream])
    for pieces in every_cut(stream):
        assert read(pieces) == found, f"cut into {[len(piece) for piece in pieces[:3]]}…"
    if trailing is None:
        trailing = b"Content-Length: 7\r\n" if framing is Framing.HEADER else b'{"half": '
    assert read([stream + trailing]) == found
    assert read([stream, trailing]) == found
    return found


# Peers


def request(request_id: object, method: str = "a/b") -> bytes:
    """The body of a request without params."""
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method}, separators=(",", ":")).encode()


def ready_peer(role: Role = Role.PLUGIN, **options: Any) -> Peer[Any]:
    """A peer that has gone through the handshake, with nothing in flight; its own ids begin at 2 if it is a host."""
    peer: Peer[Any] = Peer(role, **options)
    if role is Role.HOST:
        request_id, _ = peer.send_request("initialize", {}, call="initialize")
        give(peer, b'{"jsonrpc":"2.0","id":%d,"result":{}}' % request_id)
        peer.send_notification("initialized")
    else:
        give(peer, INITIALIZE)
        peer.send_result(0, {})
        give(peer, INITIALIZED)
    assert peer.state.value == "ready"
    return peer


def give(peer: Peer[Any], *bodies: bytes) -> list[Any]:
    """Feeds bodies, each in a frame, and returns what arrived."""
    wrap = header_frame if peer.framing is Framing.HEADER else line_frame
    peer.receive_data(b"".join(wrap(body) for body in bodies))
    return list(peer.arrivals())


def give_one(peer: Peer[Any], body: bytes) -> Any:
    """Feeds one body and returns the one thing that arrived."""
    (arrival,) = give(peer, body)
    assert peer.next_arrival() is NEED_DATA
    return arrival


def body_of(data: bytes) -> bytes:
    """The body of one frame in header framing; a second frame, or a wrong length, fails."""
    head, body = data.split(b"\r\n\r\n", 1)
    assert head == b"Content-Length: " + str(len(body)).encode()
    return body


def rejection(arrival: Any) -> tuple[int, Any]:
    """The code and the id of the reply to a bad message."""
    assert isinstance(arrival, MessageRejected), arrival
    assert arrival.reply is not None
    reply = json.loads(body_of(arrival.reply))
    assert list(reply) == ["jsonrpc", "id", "error"]
    assert reply["error"]["code"] == arrival.code
    return int(arrival.code), reply["id"]


def plain(value: Any) -> Any:
    """An arrival as plain tuples, in which payloads are bytes and errors are their text."""
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, RemoteProtocolError):
        return (type(value).__name__, str(value))
    if isinstance(value, Enum) or not (is_dataclass(value) or hasattr(value, "__struct_fields__")):
        return value
    names = [field.name for field in fields(value)] if is_dataclass(value) else value.__struct_fields__
    return (type(value).__name__, *(plain(getattr(value, name)) for name in names))


def arrivals_of(peer: Peer[Any], pieces: Sequence[bytes], react: Callable[[Any], None] | None = None) -> list[str]:
    """The reprs of all that arrives with some pieces, with the loss at the end where there is one."""
    arrived: list[str] = []
    for piece in pieces:
        peer.receive_data(piece)
        try:
            for arrival in peer.arrivals():
                arrived.append(repr(plain(arrival)))
                if react is not None:
                    react(arrival)
        except RemoteProtocolError:
            if LOST not in arrived:
                arrived.append(LOST)
    assert LOST not in arrived[:-1], f"something arrived after the loss: {arrived}"
    return arrived


class ConnectionPair:
    """Two peers back to back: what one sends arrives at the other at once."""

    def __init__(self, framing: Framing = Framing.HEADER) -> None:
        self.host: Peer[Any] = Peer(Role.HOST, framing=framing)
        self.plugin: Peer[Any] = Peer(Role.PLUGIN, framing=framing)

    def other(self, peer: Peer[Any]) -> Peer[Any]:
        return self.plugin if peer is self.host else self.host

    def carry(self, sender: Peer[Any], data: bytes) -> list[Any]:
        """What arrives, in plain form, at the other end."""
        receiver = self.other(sender)
        receiver.receive_data(data)
        return [plain(arrival) for arrival in receiver.arrivals()]

    def shake_hands(self) -> None:
        request_id, data = self.host.send_request("initialize", {"protocolVersion": "1.0"}, call="initialize")
        self.carry(self.host, data)
        self.carry(self.plugin, self.plugin.send_result(request_id, {}))
        self.carry(self.host, self.host.send_notification("initialized"))
