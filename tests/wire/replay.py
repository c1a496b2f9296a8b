"""Plays a transcript with real peers at both ends of each connection, byte for byte."""

import json
from collections.abc import Iterator
from typing import Any

from plugwire.wire import ErrorObject, LocalProtocolError, MessageRejected, Meta, Peer, RemoteProtocolError, Role, frame
from plugwire.wire.codec import UNSET
from tests.wire.helpers import LOST, plain
from tests.wire.transcript import HOST, EndOfStream, Exit, Message, OddBody, RawBytes, Said, Step, Transcript

IGNORED = "ignored"
REJECTED = "rejected"
FAILED = "failed"


class Mismatch(AssertionError):
    """The peers and the transcript disagree; the message names the line."""


class _End:
    """One end of one connection, with what its peer has to say unasked."""

    def __init__(self, peer: Peer[int]) -> None:
        self.peer = peer
        self.replies: list[bytes] = []
        self.sent: dict[int, int] = {}  # our open requests: id → line of the transcript, which stands for the call
        self.is_over = False

    def produce(self, message: Message) -> bytes:
        """The bytes of a message, asked for through the peer's own methods."""
        if self.replies:
            return self.replies.pop(0)
        told = json.loads(message.body)
        method, params = told.get("method"), told.get("params", UNSET)
        if method == "$/cancelRequest":
            return self.peer.send_cancel(params["id"])
        if method is not None and "id" in told:
            request_id, data = self.peer.send_request(method, params, call=message.line, meta=_meta(told))
            self.sent[request_id] = message.line
            return data
        if method is not None:
            return self.peer.send_notification(method, params)
        if "error" not in told:
            return self.peer.send_result(told["id"], told["result"])
        error = told["error"]
        return self.peer.send_error(told["id"], ErrorObject(error["code"], error["message"], error.get("data", UNSET)))

    def take(self, data: bytes, *, byte_by_byte: bool) -> list[Any]:
        """What arrives with some bytes; a reply that is due is kept to be said next."""
        pieces = [data[place : place + 1] for place in range(len(data))] if byte_by_byte else [data]
        arrived: list[Any] = []
        try:
            for piece in pieces:
                self.peer.receive_data(piece)
                for arrival in self.peer.arrivals():
                    if isinstance(arrival, MessageRejected) and arrival.reply is not None:
                        self.replies.append(arrival.reply)
                    arrived.append(_simple(arrival))
        except RemoteProtocolError:
            arrived.append(LOST)
            self.is_over = True
        return arrived

    def take_end(self) -> list[Any]:
        """What arrives with the end of the stream."""
        self.is_over = True
        try:
            noise = self.peer.receive_eof()
        except RemoteProtocolError:
            return [LOST]
        return [] if noise is None else [_simple(noise)]


def replay(transcript: Transcript, *, byte_by_byte: bool = False) -> None:
    """Raises Mismatch where a sender's peer writes other bytes, or a receiver's peer reports anything else."""
    ends: dict[tuple[str, str], _End] = {}  # (plugin, "host" or the plugin) → that end
    for plugin in transcript.plugins:
        framing = transcript.framing(plugin)
        ends[plugin, HOST] = _End(Peer(Role.HOST, framing=framing))
        ends[plugin, plugin] = _End(Peer(Role.PLUGIN, framing=framing))
    for step in transcript.steps:
        try:
            if isinstance(step.what, Exit):
                _exit(step, ends[step.plugin, HOST])
            else:
                sender, receiver = ends[step.plugin, step.what.sender], ends[step.plugin, step.what.receiver]
                _say(step, step.what, sender, receiver, byte_by_byte)
        except (Mismatch, LocalProtocolError, KeyError, ValueError, TypeError) as error:
            raise Mismatch(f"{transcript.name}, line {step.what.line}: {error}") from error
    for (plugin, name), end in ends.items():
        if end.replies:
            raise Mismatch(f"{transcript.name}: {name} has not said {end.replies[0]!r}")
        if end.peer.unread and not end.is_over:
            raise Mismatch(f"{transcript.name}: {name} has not understood {end.peer.unread!r} (connection of {plugin})")


def _exit(step: Step, host: _End) -> None:
    _compare([] if host.is_over else host.take_end(), list(_noticed(step)))


def _say(step: Step, said: Said, sender: _End, receiver: _End, byte_by_byte: bool) -> None:
    if receiver.is_over:
        raise Mismatch(f"{said.receiver} does not listen any more")
    # What is expected is settled before the receiver's peer has seen anything.
    expected = [*_noticed(step), *_expected(step, said, receiver)]
    if isinstance(said, EndOfStream):
        arrived = receiver.take_end()
    else:
        arrived = receiver.take(_bytes_of(said, sender), byte_by_byte=byte_by_byte)
    _compare(arrived, expected)


def _bytes_of(said: Message | OddBody | RawBytes, sender: _End) -> bytes:
    if isinstance(said, RawBytes):
        return said.data
    data = frame(said.body, sender.peer.framing)
    if isinstance(said, Message):
        if _json(json.loads(said.body)) != said.body:
            raise Mismatch("not as a writer emits it: no blanks, nothing escaped that need not be")
        produced = sender.produce(said)
        if produced != data:
            raise Mismatch(f"{said.sender} writes {produced!r}")
    return data


def _compare(arrived: list[Any], expected: list[Any]) -> None:
    if arrived != expected:
        raise Mismatch(f"what arrives is {arrived}, not {expected}")


def _noticed(step: Step) -> Iterator[Any]:
    effects = step.effects
    yield from (("Noise", data) for data in effects.warns)
    yield from ["Deviation"] * effects.deviations
    if effects.is_ignored:
        yield IGNORED
    if effects.is_the_end:
        yield LOST


def _expected(step: Step, said: Said, receiver: _End) -> Iterator[Any]:
    """What a message itself is to its receiver."""
    effects = step.effects
    if isinstance(said, EndOfStream | RawBytes) or effects.is_ignored or effects.is_the_end:
        return
    if effects.failed_call is not None:
        yield (FAILED, receiver.sent.pop(effects.failed_call))
    elif isinstance(said, OddBody):
        yield REJECTED
    else:
        yield _arrival(json.loads(said.body), receiver)


def _arrival(told: dict[str, Any], receiver: _End) -> Any:
    if told.get("method") == "$/cancelRequest":
        return ("CancelRequested", told["params"]["id"])
    if "method" in told:
        params = _json(told["params"]) if "params" in told else None
        if "id" in told:
            return ("RequestReceived", told["id"], told["method"], params, plain(_meta(told)))
        return ("NotificationReceived", told["method"], params)
    call = receiver.sent.pop(told["id"])
    if "result" in told:
        return ("ResponseReceived", call, _json(told["result"]))
    error = told["error"]
    data = _json(error["data"]) if "data" in error else UNSET
    return ("ResponseReceived", call, ("ErrorObject", error["code"], error["message"], data))


def _simple(arrival: Any) -> Any:
    """An arrival in plain form, without the texts that differ between implementations."""
    match plain(arrival):
        case ("MessageIgnored", *_):
            return IGNORED
        case ("MessageRejected", *_):
            return REJECTED
        case ("Deviation", *_):
            return "Deviation"
        case ("Noise", data, _):
            return ("Noise", data)
        case ("ResponseReceived", call, ("RemoteProtocolError", _)):
            return (FAILED, call)
        case told:
            return told


def _meta(told: dict[str, Any]) -> Meta | None:
    if "meta" not in told:
        return None
    names = {"from": "sender", "deadlineMs": "deadline_ms"}
    return Meta(**{names.get(name, name): value for name, value in told["meta"].items()})


def _json(value: Any) -> bytes:
    """JSON as every writer emits it, made without the code under test."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
