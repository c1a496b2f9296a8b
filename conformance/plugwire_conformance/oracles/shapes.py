"""The methods of the protocol with the types of their params and results, and whether a value is of a type.

The types are those of `protocol.schema.json`, which is generated from the model of the spec.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
from attrs import frozen

from ..wire import codes
from ..wire.messages import Json


@frozen
class Method:
    """`gate` is the capability of the host without which a plugin may not use it. Empty `result`: a notification."""

    params: str
    result: str = ""
    gate: str = ""


METHODS: dict[str, Method] = {
    "initialize": Method("InitializeParams", "InitializeResult"),
    "initialized": Method("Empty"),
    "shutdown": Method("Empty", "Nothing"),
    "exit": Method("Empty"),
    "ping": Method("Empty", "Nothing"),
    "$/cancelRequest": Method("CancelParams"),
    "$/progress": Method("ProgressParams", gate="meta"),
    "service/list": Method("Empty", "ServiceListResult", "services"),
    "service/changed": Method("ServiceChangedParams"),
    "event/publish": Method("PublishParams", "PublishResult", "events"),
    "event/subscribe": Method("SubscribeParams", "SubscribeResult", "events"),
    "event/unsubscribe": Method("SubscriptionName", "UnsubscribeResult", "events"),
    "event/deliver": Method("DeliverParams"),
    "event/ack": Method("AckParams", gate="events"),
    "event/ended": Method("EndedParams"),
    "event/topics": Method("Empty", "TopicsResult", "events"),
    "hook/run": Method("HookValue", "HookOutcome", "hooks"),
    "hook/call": Method("HookValue", "HookAnswer"),
    "hook/explain": Method("HookName", "HookOrder", "hooks"),
    "hook/list": Method("Empty", "HookList", "hooks"),
    "channel/open": Method("ChannelOpenParams", "ChannelOpenResult", "channels"),
    "channel/join": Method("ChannelJoinParams", "ChannelJoinResult", "channels"),
    "channel/send": Method("ChannelSendParams", "Nothing", "channels"),
    "channel/deliver": Method("ChannelDeliverParams"),
    "channel/credit": Method("ChannelCreditParams", gate="channels"),
    "channel/ack": Method("ChannelAckParams", gate="channels"),
    "channel/leave": Method("ChannelLeaveParams", "Nothing", "channels"),
    "channel/close": Method("ChannelCloseParams", "Nothing", "channels"),
    "channel/closed": Method("ChannelClosedParams"),
    "memory/create": Method("MemoryCreateParams", "MemoryCreateResult", "memory"),
    "memory/attach": Method("MemoryAttachParams", "MemoryAttachResult", "memory"),
    "memory/commit": Method("MemoryCommitParams", "MemoryCommitResult", "memory"),
    "memory/release": Method("MemoryReleaseParams", "Nothing", "memory"),
    "memory/released": Method("MemoryReleasedParams"),
    "state/get": Method("StateGetParams", "StateGetResult", "state"),
    "state/put": Method("StatePutParams", "StateChangeResult", "state"),
    "state/delete": Method("StateDeleteParams", "StateChangeResult", "state"),
    "state/increment": Method("StateIncrementParams", "StateIncrementResult", "state"),
    "state/list": Method("StateListParams", "StateListResult", "state"),
    "state/watch": Method("StateWatchParams", "StateWatchResult", "state"),
    "state/unwatch": Method("StateUnwatchParams", "Nothing", "state"),
    "state/ack": Method("StateAckParams", gate="state"),
    "state/changed": Method("StateChangedParams"),
    "state/unwatched": Method("StateUnwatchedParams"),
    "lock/acquire": Method("LockAcquireParams", "LockAcquireResult", "locks"),
    "lock/renew": Method("LockRenewParams", "LockRenewResult", "locks"),
    "lock/release": Method("LockToken", "Nothing", "locks"),
    "lock/lost": Method("LockLostParams"),
    "log/write": Method("LogParams", gate="log"),
}

#: The codes of chapter 05, and the type of the data that comes with them.
CODES: dict[int, str] = {
    codes.PARSE_ERROR: "",
    codes.INVALID_REQUEST: "",
    codes.METHOD_NOT_FOUND: "",
    codes.INVALID_PARAMS: "InvalidParamsData",
    codes.INTERNAL_ERROR: "",
    codes.REQUEST_CANCELLED: "",
    codes.NOT_INITIALIZED: "",
    codes.PLUGIN_UNAVAILABLE: "PluginUnavailableData",
    codes.PLUGIN_CRASHED: "PluginCrashedData",
    codes.DEADLINE_EXCEEDED: "DeadlineExceededData",
    codes.OVERLOADED: "OverloadedData",
    codes.PERMISSION_DENIED: "",
    codes.CALL_CYCLE: "CallCycleData",
    codes.PAYLOAD_TOO_LARGE: "PayloadTooLargeData",
    codes.UNSUPPORTED_PROTOCOL_VERSION: "UnsupportedProtocolVersionData",
    codes.UNREACHABLE: "",
    codes.CHANNEL_CLOSED: "ChannelClosedData",
    codes.LOCK_LOST: "",
    codes.CONFLICT: "ConflictData",
    codes.QUOTA_EXCEEDED: "",
    codes.HOOK_STOPPED: "HookStoppedData",
}


def misfit(definition: str, value: Json) -> str:
    """Why a value is not of that type of the protocol; empty when it is."""
    try:
        error = next(_validator(definition).iter_errors(value), None)
    except ValueError:
        return ""  # a number beyond what the validator can take, of which no type says anything
    if error is None:
        return ""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
    return f"{place.lstrip('.') or 'the whole'}: {error.message}"


@cache
def _validator(definition: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": _definitions()})


@cache
def _definitions() -> dict[str, Any]:
    text = files("plugwire_conformance").joinpath("protocol.schema.json").read_text("utf-8")
    definitions: dict[str, Any] = json.loads(text)["$defs"]
    return definitions
