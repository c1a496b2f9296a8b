"""Bytes of one body ⇄ one envelope, through msgspec; payloads stay raw. Spec 02.

Owns: strictness of JSON, and the shapes that we write. Does not own: what the members of an envelope mean (peer.py).
``params``, ``result`` and ``error`` of a decoded envelope are slices of the body, so routing never decodes a payload.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from .depth import nests_deeper

__all__ = [
    "UNSET",
    "Envelope",
    "ErrorObject",
    "InvalidEnvelope",
    "MalformedJson",
    "Meta",
    "Raw",
    "RequestId",
    "UnsetType",
    "decode_cancelled_id",
    "decode_envelope",
    "decode_error",
    "decode_items",
    "decode_members",
    "decode_meta",
    "decode_value",
    "encode_error",
    "encode_notification",
    "encode_request",
    "encode_result",
    "encode_value",
    "json_schemas",
]

RequestId: TypeAlias = int | str

# The ranges of spec 04's table of Meta, so that whoever reads a deadline may count on what a clock can take.
_MetaId: TypeAlias = (
    Annotated[int, msgspec.Meta(ge=-(2**53) + 1, le=2**53 - 1)] | Annotated[str, msgspec.Meta(max_length=128)]
)
_Milliseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Sender: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_TraceParent: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
_TraceState: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class MalformedJson(ValueError):
    """The body is not JSON as spec 02 defines it (MSG-26)."""


class InvalidEnvelope(ValueError):
    """The body is JSON, but not of the shape that was asked for (MSG-27)."""


class Envelope(Struct):
    """The members of any message as they came; a member that is absent is UNSET."""

    jsonrpc: Any = UNSET
    id: Any = UNSET
    method: Any = UNSET
    params: Raw | UnsetType = UNSET
    meta: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


class Meta(Struct, rename={"sender": "from", "deadline_ms": "deadlineMs"}):
    """Context of a request (spec 04): ``sender`` is ``from``, ``deadline_ms`` is ``deadlineMs``."""

    sender: _Sender | UnsetType = UNSET
    parent: _MetaId | UnsetType = UNSET
    deadline_ms: _Milliseconds | UnsetType = UNSET
    progress: _MetaId | UnsetType = UNSET
    traceparent: _TraceParent | UnsetType = UNSET
    tracestate: _TraceState | UnsetType = UNSET


class ErrorObject(Struct):
    """The ``error`` of a response."""

    code: int
    message: str
    data: Any = UNSET


class _RawEnvelope(Struct):
    jsonrpc: Raw | UnsetType = UNSET
    id: Raw | UnsetType = UNSET
    method: Raw | UnsetType = UNSET
    params: Raw | UnsetType = UNSET
    meta: Raw | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET


class _ReceivedCancel(Struct):
    id: Any = None


class _ReceivedError(Struct):
    code: int
    message: str
    data: Raw | UnsetType = UNSET


class _Request(Struct):
    jsonrpc: str
    id: RequestId
    method: str
    params: Any = UNSET
    meta: Any = UNSET


class _Notification(Struct):
    jsonrpc: str
    method: str
    params: Any = UNSET


class _Result(Struct):
    jsonrpc: str
    id: RequestId
    result: Any


class _Error(Struct):
    jsonrpc: str
    id: RequestId | None
    error: ErrorObject


_to_json = msgspec.json.Encoder().encode
_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_raw_envelope = msgspec.json.Decoder(_RawEnvelope).decode
_decode_cancel = msgspec.json.Decoder(_ReceivedCancel).decode
_decode_meta = msgspec.json.Decoder(Meta).decode
_decode_error = msgspec.json.Decoder(_ReceivedError).decode
_decode_any = msgspec.json.Decoder().decode
_decode_raw = msgspec.json.Decoder(Raw).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_items = msgspec.json.Decoder(list[Raw]).decode


def decode_envelope(body: bytes, max_depth: int) -> Envelope:
    """One message. Raises MalformedJson or InvalidEnvelope; checks UTF-8, surrogates and depth of the whole body."""
    try:
        envelope = _decode_envelope(body)
        if not body.isascii():
            # msgspec does not look at the bytes of what it keeps raw (MSG-21).
            body.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not isinstance(error, msgspec.ValidationError):
            raise MalformedJson(_reason(error)) from None
        return _decode_unusual(body, max_depth)
    if nests_deeper(body, max_depth):
        raise MalformedJson(f"nested deeper than {max_depth} levels")
    return envelope


def _decode_unusual(body: bytes, max_depth: int) -> Envelope:
    """A body that is no object, or that has a number beyond Python's reach where we look: neither need be bad JSON."""
    try:
        body.decode()
        _decode_raw(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedJson(_reason(error)) from None
    if nests_deeper(body, max_depth):
        raise MalformedJson(f"nested deeper than {max_depth} levels")
    try:
        raw = _decode_raw_envelope(body)
    except msgspec.ValidationError as error:
        raise InvalidEnvelope(str(error)) from None
    return Envelope(
        jsonrpc=_readable(raw.jsonrpc),
        id=_readable(raw.id),
        method=_readable(raw.method),
        params=raw.params,
        meta=raw.meta,
        result=raw.result,
        error=raw.error,
    )


def _readable(raw: Raw | UnsetType) -> Any:
    """A member's value; null, which none of them may be, where the value cannot be held."""
    if raw is UNSET:
        return UNSET
    try:
        return _decode_any(raw)
    except msgspec.DecodeError:
        return None


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def decode_value(raw: Raw | bytes) -> Any:
    """Any JSON value as Python's own types. Raises MalformedJson."""
    try:
        return _decode_any(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedJson(str(error)) from None


def decode_members(raw: Raw | bytes) -> dict[str, Raw]:
    """The members of an object, the bytes of each. Raises MalformedJson for anything else."""
    try:
        return _decode_members(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedJson(str(error)) from None


def decode_items(raw: Raw | bytes) -> list[Raw]:
    """The items of an array, the bytes of each. Raises MalformedJson for anything else."""
    try:
        return _decode_items(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedJson(str(error)) from None


def decode_meta(raw: Raw) -> Meta:
    """``meta`` of a request. Raises InvalidEnvelope."""
    try:
        return _decode_meta(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidEnvelope(f"meta: {error}") from None


def decode_cancelled_id(params: Raw) -> Any:
    """The ``id`` of ``$/cancelRequest``; None where there is none that could be an id (CAL-21)."""
    try:
        return _decode_cancel(params).id
    except (msgspec.DecodeError, RecursionError):
        return None


def decode_error(raw: Raw) -> ErrorObject:
    """``error`` of a response; its data stays raw. Raises InvalidEnvelope."""
    try:
        received = _decode_error(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidEnvelope(f"error: {error}") from None
    if not -(2**31) <= received.code < 2**31:
        raise InvalidEnvelope("error: a code within 32 bits was expected")
    return ErrorObject(received.code, received.message, received.data)


def _encode(message: Any) -> bytes:
    try:
        return _to_json(message)
    except RecursionError:
        raise ValueError("nested too deeply, or holds itself") from None


def encode_value(value: Any) -> Raw:
    """Any value that JSON can hold; NaN and Infinity become null, as in JavaScript. Raises TypeError or ValueError."""
    return Raw(_encode(value))


def encode_request(request_id: RequestId, method: str, params: Any, meta: Any) -> bytes:
    return _encode(_Request("2.0", request_id, method, params, meta))


def encode_notification(method: str, params: Any) -> bytes:
    return _encode(_Notification("2.0", method, params))


def encode_result(request_id: RequestId, result: Any) -> bytes:
    return _encode(_Result("2.0", request_id, result))


def encode_error(request_id: RequestId | None, error: ErrorObject) -> bytes:
    return _encode(_Error("2.0", request_id, error))


def json_schemas(annotations: Sequence[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The JSON Schemas (2020-12) of some annotations, and the ``$defs`` that they share.

    ``{}``, which admits anything, stands for an annotation that has no schema: announcing less is always right.
    """
    speakable = [annotation if _has_schema(annotation) else Any for annotation in annotations]
    # All at once, so that two classes of one name get two definitions.
    schemas, definitions = msgspec.json.schema_components(speakable, ref_template="#/$defs/{name}")
    return list(schemas), definitions


def _has_schema(annotation: Any) -> bool:
    try:
        msgspec.json.schema(annotation)
    except (TypeError, ValueError, AttributeError, NameError, RecursionError):
        return False
    return True
