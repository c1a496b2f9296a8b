"""What makes an envelope a valid request, notification or answer, whatever the state. Spec 02.

Owns: the rules on one message alone. Does not own: what is in flight, and the lifecycle (peer.py).
"""

from __future__ import annotations

from typing import Any

from .codec import UNSET, Envelope, ErrorObject, InvalidEnvelope, Meta, Raw, decode_error, decode_meta
from .errors import RemoteProtocolError

_LARGEST_ID = 2**53 - 1
_LONGEST_ID = 128
_OPEN_BRACE = ord("{")
_SHOWN = 80


def is_id(value: Any) -> bool:
    """MSG-11. ``type`` and not ``isinstance``: True is an int to Python and no id to us."""
    if type(value) is int:
        return -_LARGEST_ID <= value <= _LARGEST_ID
    return type(value) is str and len(value) <= _LONGEST_ID


def check_request(envelope: Envelope) -> Meta | None:
    """The ``meta`` of a valid request or notification. Raises InvalidEnvelope (MSG-27)."""
    request_id, method, params = envelope.id, envelope.method, envelope.params
    if request_id is not UNSET and not is_id(request_id):
        raise InvalidEnvelope("an id is a string or an integer (MSG-11)")
    if envelope.jsonrpc != "2.0":
        raise InvalidEnvelope('jsonrpc: "2.0" was expected (MSG-01)')
    if type(method) is not str or not method:
        raise InvalidEnvelope("method: a string was expected (MSG-02)")
    if params is not UNSET and memoryview(params)[0] != _OPEN_BRACE:
        raise InvalidEnvelope("params: an object was expected (MSG-03)")
    return None if envelope.meta is UNSET else decode_meta(envelope.meta)


def outcome_of(envelope: Envelope) -> Raw | ErrorObject | RemoteProtocolError:
    """What an answer says; a RemoteProtocolError when it is no valid one (MSG-20)."""
    result, error = envelope.result, envelope.error
    if envelope.jsonrpc != "2.0":
        return RemoteProtocolError('an answer without jsonrpc: "2.0" (MSG-01)')
    if error is UNSET:
        if result is UNSET:
            return RemoteProtocolError("an answer with neither result nor error (MSG-05)")
        return result
    if result is not UNSET:
        return RemoteProtocolError("an answer with both result and error (MSG-05)")
    try:
        return decode_error(error)
    except InvalidEnvelope as invalid:
        return RemoteProtocolError(f"an answer with an invalid error (MSG-06): {invalid}")


def shown(value: Any) -> str:
    """An id from the wire, or what stood in its place, short enough for any report and any reply."""
    if type(value) is str:
        return ascii(shortened(value))
    return str(value) if is_id(value) else f"of the type {type(value).__name__}"


def shortened(text: str) -> str:
    """The beginning of a text from the wire, short enough for any report and any reply."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
