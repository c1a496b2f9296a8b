"""Our end of one connection: bytes in, arrivals out; messages in, bytes out. Spec 02 and 03.

Owns: the two tables of open requests, the lifecycle, and what is answered without asking anyone (bad messages,
duplicates, wrong states). Does not own: I/O, time, handlers. Synchronous, without callbacks; the driver writes what
``send_*`` returns, in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic

from . import codec
from ._codes import (
    MAX_DEPTH,
    MAX_FRAME_BYTES,
    MAX_IN_FLIGHT,
    METHOD_DIRECTIONS,
    METHOD_IS_REQUEST,
    METHOD_STATES,
    Direction,
    ErrorCode,
    State,
)
from .checks import check_request, is_id, outcome_of, shortened, shown
from .codec import UNSET, Envelope, ErrorObject, Meta, Raw, RequestId
from .errors import FrameTooLarge, LocalProtocolError
from .framing import Framing, Noise, frame
from .lifecycle import Lifecycle
from .messages import (
    NEED_DATA,
    Arrival,
    CallT,
    CancelRequested,
    MessageIgnored,
    MessageRejected,
    NeedData,
    NotificationReceived,
    RequestReceived,
    ResponseReceived,
)
from .readers import make_reader

_LARGEST_MINTED_ID = 2**31 - 1


class Role(Enum):
    """Which end we are."""

    HOST = "host"
    PLUGIN = "plugin"


@dataclass(slots=True)
class Limits:
    """What one connection allows (spec 01 and 03): bytes of a body, levels of nesting, open requests per direction."""

    frame_bytes: int = MAX_FRAME_BYTES
    depth: int = MAX_DEPTH
    in_flight: int = MAX_IN_FLIGHT


class Peer(Generic[CallT]):
    """One end of a connection.

    ``outgoing`` holds what we asked and still wait for: our id → the caller's own object. ``incoming`` holds what we
    were asked and have not answered: their id → the method.
    """

    def __init__(
        self,
        role: Role,
        *,
        framing: Framing = Framing.HEADER,
        limits: Limits | None = None,
        tolerate_noise: bool | None = None,
    ) -> None:
        self.role = role
        self.framing = framing
        self.limits = limits or Limits()
        self.outgoing: dict[int, CallT] = {}
        self.incoming: dict[RequestId, str] = {}
        self._lifecycle = Lifecycle()
        # FRM-19 and FRM-23: only a host tolerates stray bytes.
        is_host = role is Role.HOST
        tolerant = is_host if tolerate_noise is None else tolerate_noise
        size = self.limits.frame_bytes
        self._reader = make_reader(framing, tolerate_noise=tolerant, from_plugin=is_host, max_frame_bytes=size)
        self._last_id = 0
        self._initialize_id: RequestId | None = None
        self._ours = Direction.HOST_TO_PLUGIN if is_host else Direction.PLUGIN_TO_HOST
        self._theirs = Direction.PLUGIN_TO_HOST if is_host else Direction.HOST_TO_PLUGIN

    @property
    def state(self) -> State:
        return self._lifecycle.state

    @property
    def unread(self) -> bytes:
        """The first bytes that came and belong to no frame yet, for a report of a failed start."""
        return self._reader.unread

    def set_limits(self, limits: Limits) -> None:
        """Take over the limits that ``initialize`` brought."""
        self.limits = limits
        self._reader.max_frame_bytes = limits.frame_bytes

    # Sending

    def send_request(
        self, method: str, params: Any = UNSET, *, call: CallT, meta: Meta | None = None
    ) -> tuple[int, bytes]:
        """The id (MSG-16) and the frame of a request. ``call`` comes back with its answer.

        Raises FrameTooLarge, LocalProtocolError in a wrong state or direction, TypeError or ValueError for params that
        JSON cannot hold; then nothing has changed.
        """
        if not self._lifecycle.ready or method in METHOD_STATES:
            self._check_sending(method, is_request=True)
        request_id = self._unused_id()
        data = self._frame(codec.encode_request(request_id, method, params, UNSET if meta is None else meta))
        if method == "initialize":
            self._lifecycle.advance("initialize")
            self._initialize_id = request_id
        elif method == "shutdown":
            self._lifecycle.advance("shutdown")
        self._last_id = request_id
        self.outgoing[request_id] = call
        return request_id, data

    def send_notification(self, method: str, params: Any = UNSET) -> bytes:
        """The frame of a notification. Raises as ``send_request``."""
        if not self._lifecycle.ready or method in METHOD_STATES:
            self._check_sending(method, is_request=False)
        data = self._frame(codec.encode_notification(method, params))
        if method in ("initialized", "exit"):
            self._lifecycle.advance(method)
        return data

    def send_notifications(self, method: str, params: Iterable[Raw]) -> bytes:
        """The frames of several notifications of one method, joined. Raises as ``send_notification``."""
        self._check_sending(method, is_request=False)
        return b"".join([self._frame(codec.encode_notification(method, each)) for each in params])

    def send_cancel(self, request_id: int) -> bytes:
        """The frame that asks them to stop a call of ours; its answer still comes (CAL-20)."""
        return self._frame(codec.encode_notification("$/cancelRequest", {"id": request_id}))

    def send_result(self, request_id: RequestId, result: Any) -> bytes:
        """The frame of a result. Raises FrameTooLarge and leaves the request open, so that an error can answer it."""
        self._check_open(request_id)
        data = self._frame(codec.encode_result(request_id, result))
        del self.incoming[request_id]
        return data

    def send_error(self, request_id: RequestId, error: ErrorObject) -> bytes:
        """The frame of an error response. Raises FrameTooLarge as ``send_result``."""
        self._check_open(request_id)
        data = self._frame(codec.encode_error(request_id, error))
        if self.incoming.pop(request_id) == "initialize":
            self._lifecycle.refuse()
        return data

    def _check_sending(self, method: str, *, is_request: bool) -> None:
        if not _fits(method, self._ours, is_request):
            kind = "request" if is_request else "notification"
            raise LocalProtocolError(f"{method} is not a {kind} of a {self.role.value}")
        if not self._lifecycle.allows(method):
            raise LocalProtocolError(f"{method} may not be sent while the connection is {self.state.value}")
        if method == "initialized" and self._initialize_id is not None:
            raise LocalProtocolError("initialized may not be sent before initialize is answered (LIF-08)")

    def _check_open(self, request_id: RequestId) -> None:
        if request_id not in self.incoming:
            # MSG-17: exactly one answer.
            raise LocalProtocolError(f"request {request_id!r} is not open: never asked, or answered already")

    def _unused_id(self) -> int:
        candidate = self._last_id
        while True:
            candidate = candidate + 1 if candidate < _LARGEST_MINTED_ID else 1
            if candidate not in self.outgoing:
                return candidate

    def _frame(self, body: bytes) -> bytes:
        if len(body) > self.limits.frame_bytes:
            raise FrameTooLarge(len(body), self.limits.frame_bytes)
        return frame(body, self.framing)

    # Receiving

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came; ``next_arrival`` says what they were."""
        self._reader.receive_data(data)

    def receive_eof(self) -> Noise | None:
        """The stream ended; what stands between frames is returned. Raises RemoteProtocolError inside a frame."""
        self._lifecycle.end()
        return self._reader.receive_eof()

    def next_arrival(self) -> Arrival[CallT] | NeedData:
        """What came next, or NEED_DATA. Raises RemoteProtocolError when the frame boundary is lost (FRM-10)."""
        body = self._reader.next_frame()
        if body is None:
            return NEED_DATA
        if not isinstance(body, bytes):
            return body
        try:
            envelope = codec.decode_envelope(body, self.limits.depth)
        except codec.MalformedJson as error:
            return self._reject(ErrorCode.PARSE_ERROR, str(error), None)
        except codec.InvalidEnvelope as error:
            return self._reject(ErrorCode.INVALID_REQUEST, str(error), None)
        if envelope.method is UNSET:
            return self._receive_response(envelope)
        return self._receive_request(envelope)

    def arrivals(self) -> Iterator[Arrival[CallT]]:
        """Everything that the bytes so far have brought."""
        while (arrival := self.next_arrival()) is not NEED_DATA:
            yield arrival

    def _receive_request(self, envelope: Envelope) -> Arrival[CallT]:
        request_id, method = envelope.id, envelope.method
        try:
            meta = check_request(envelope)
        except codec.InvalidEnvelope as error:
            return self._reject(ErrorCode.INVALID_REQUEST, str(error), request_id if is_id(request_id) else None)
        params = None if envelope.params is UNSET else envelope.params
        if not self._lifecycle.ready or method in METHOD_STATES:
            refused = self._check_received(request_id, method)
            if refused is not None:
                return refused
        if request_id is UNSET:
            return self._receive_notification(method, params)
        if request_id in self.incoming:
            return self._reject(ErrorCode.INVALID_REQUEST, f"id {shown(request_id)} is in flight (MSG-15)", request_id)
        if len(self.incoming) >= self.limits.in_flight and method not in METHOD_STATES:
            limit = self.limits.in_flight
            why = f"more than {limit} requests in flight (CAL-14)"
            return self._reject(ErrorCode.OVERLOADED, why, request_id, {"limit": limit})
        if method in ("initialize", "shutdown"):
            self._lifecycle.advance(method)
        self.incoming[request_id] = method
        return RequestReceived(request_id, method, params, meta)

    def _check_received(self, request_id: Any, method: str) -> Arrival[CallT] | None:
        """Whether a method of the protocol's own, or any method outside READY, may come now (LIF-01, LIF-02)."""
        is_request = request_id is not UNSET
        if not _fits(method, self._theirs, is_request):
            if is_request:
                reason = f"{method} is not a request to a {self.role.value}"
                return self._reject(ErrorCode.METHOD_NOT_FOUND, reason, request_id)
            return MessageIgnored(f"{method} is not a notification to a {self.role.value}")
        if self._lifecycle.allows(method):
            return None
        reason = f"{shortened(method)} may not be sent while the connection is {self.state.value}"
        if not is_request:
            return MessageIgnored(reason)
        code = ErrorCode.INVALID_REQUEST if method == "initialize" else ErrorCode.NOT_INITIALIZED
        return self._reject(code, reason, request_id)

    def _receive_notification(self, method: str, params: Raw | None) -> Arrival[CallT]:
        if method == "$/cancelRequest":
            cancelled = codec.decode_cancelled_id(params) if params is not None else None
            if is_id(cancelled) and cancelled in self.incoming and self.incoming[cancelled] != "initialize":
                return CancelRequested(cancelled)
            return MessageIgnored(f"cancel of an id {shown(cancelled)}, which is not in flight")
        if method in ("initialized", "exit"):
            self._lifecycle.advance(method)
        return NotificationReceived(method, params)

    def _receive_response(self, envelope: Envelope) -> Arrival[CallT]:
        response_id = envelope.id
        # MSG-12: bool and float are no ids, though Python would find them under an equal int.
        if type(response_id) is not int or response_id not in self.outgoing:
            if envelope.result is UNSET and envelope.error is UNSET:
                known = response_id if is_id(response_id) else None
                return self._reject(ErrorCode.INVALID_REQUEST, "neither a method nor an answer (MSG-27)", known)
            return MessageIgnored(f"a response with an id {shown(response_id)}, which is not in flight", answers=True)
        call = self.outgoing.pop(response_id)
        outcome = outcome_of(envelope)
        if response_id == self._initialize_id:
            self._initialize_id = None
            if not isinstance(outcome, Raw):
                self._lifecycle.refuse()
        return ResponseReceived(call, outcome)

    def _reject(self, code: ErrorCode, reason: str, request_id: Any, data: Any = UNSET) -> MessageRejected:
        reply_id = None if request_id is UNSET else request_id
        reply = frame(codec.encode_error(reply_id, ErrorObject(code, reason, data)), self.framing)
        return MessageRejected(code, reason, reply)


def _fits(method: str, direction: Direction, is_request: bool) -> bool:
    """Whether the protocol knows this method as a request, or notification, that goes this way; others may go any."""
    goes_this_way = METHOD_DIRECTIONS.get(method, direction) in (direction, Direction.BOTH)
    return goes_this_way and METHOD_IS_REQUEST.get(method, is_request) == is_request
