"""Generated from spec/model/protocol.json by sdk/codegen; do not edit."""

from enum import Enum, IntEnum

PROTOCOL_VERSION = "1.0"

MAX_FRAME_BYTES = 4194304  # The largest body of one frame, in either direction.
MAX_DEPTH = 128  # The deepest nesting of arrays and objects in one body.
MAX_IN_FLIGHT = 256  # How many requests one end may have open towards the other.
MAX_HEADER_BYTES = 4096  # The largest header block of one frame.
MAX_NOISE_BYTES = 65536  # How much stray output a host quarantines on one connection before it closes it.

RESERVED_SERVICES: frozenset[str] = frozenset(
    {"event", "hook", "channel", "memory", "state", "lock", "log", "service", "host"}
)


class ErrorCode(IntEnum):
    """The codes of error responses."""

    PARSE_ERROR = -32700  # The body is not JSON as chapter 2 defines it.
    INVALID_REQUEST = -32600  # The body is JSON, but no valid message.
    METHOD_NOT_FOUND = -32601  # No such method, or none that this end offers.
    INVALID_PARAMS = -32602  # The params do not fit the method.
    INTERNAL_ERROR = -32603  # The handler failed for a reason of its own.
    REQUEST_CANCELLED = -32800  # The request was cancelled before it had a result.
    NOT_INITIALIZED = -32002  # The method may not be used in this state of the connection.
    PLUGIN_UNAVAILABLE = -32010  # A provider is known but is not ready, or it stopped before it took the call.
    PLUGIN_CRASHED = -32011  # The callee ended before it answered.
    DEADLINE_EXCEEDED = -32012  # The time for the call ran out.
    OVERLOADED = -32013  # A bounded queue is full; the request was not taken.
    PERMISSION_DENIED = -32014  # The caller has no grant for this.
    CALL_CYCLE = -32015  # The call would wait for itself.
    PAYLOAD_TOO_LARGE = -32016  # The message does not fit into one frame.
    UNSUPPORTED_PROTOCOL_VERSION = -32017  # The plugin does not speak the host's major version.
    UNREACHABLE = -32018  # The callee lives behind a link that is down.
    CHANNEL_CLOSED = -32020  # The channel is closed.
    LOCK_LOST = -32021  # The lock is no longer held, or its token is stale.
    CONFLICT = -32022  # The value has another revision than the one named.
    QUOTA_EXCEEDED = -32023  # A quota of the plugin is used up.
    HOOK_STOPPED = -32024  # A plugin of the hook's chain stopped it.


class State(Enum):
    """How far the conversation on a connection has come."""

    CREATED = "created"  # Nothing was said yet.
    INITIALIZING = "initializing"  # `initialize` was sent and not yet followed by `initialized`.
    READY = "ready"  # Every method may be used.
    STOPPING = "stopping"  # `shutdown` was sent; what is in flight is answered.
    EXITED = "exited"  # The conversation is over.


class Direction(Enum):
    """Who may send a method to whom."""

    HOST_TO_PLUGIN = "hostToPlugin"
    PLUGIN_TO_HOST = "pluginToHost"
    BOTH = "both"


TRANSITIONS: dict[tuple[State, str], State] = {
    (State.CREATED, "initialize"): State.INITIALIZING,
    (State.INITIALIZING, "initializeRefused"): State.CREATED,
    (State.INITIALIZING, "initialized"): State.READY,
    (State.READY, "shutdown"): State.STOPPING,
    (State.CREATED, "exit"): State.EXITED,
    (State.INITIALIZING, "exit"): State.EXITED,
    (State.READY, "exit"): State.EXITED,
    (State.STOPPING, "exit"): State.EXITED,
    (State.CREATED, "endOfInput"): State.EXITED,
    (State.INITIALIZING, "endOfInput"): State.EXITED,
    (State.READY, "endOfInput"): State.EXITED,
    (State.STOPPING, "endOfInput"): State.EXITED,
}

METHOD_STATES: dict[str, frozenset[State]] = {
    "initialize": frozenset({State.CREATED}),
    "initialized": frozenset({State.INITIALIZING}),
    "shutdown": frozenset({State.READY}),
    "exit": frozenset({State.CREATED, State.INITIALIZING, State.READY, State.STOPPING}),
    "ping": frozenset({State.CREATED, State.INITIALIZING, State.READY, State.STOPPING}),
    "$/cancelRequest": frozenset({State.CREATED, State.INITIALIZING, State.READY, State.STOPPING}),
    "$/progress": frozenset({State.READY, State.STOPPING}),
    "service/list": frozenset({State.READY}),
    "service/changed": frozenset({State.READY, State.STOPPING}),
    "event/publish": frozenset({State.READY}),
    "event/subscribe": frozenset({State.READY}),
    "event/unsubscribe": frozenset({State.READY}),
    "event/deliver": frozenset({State.READY, State.STOPPING}),
    "event/ack": frozenset({State.READY}),
    "event/ended": frozenset({State.READY, State.STOPPING}),
    "event/topics": frozenset({State.READY}),
    "hook/run": frozenset({State.READY}),
    "hook/call": frozenset({State.READY}),
    "hook/explain": frozenset({State.READY}),
    "hook/list": frozenset({State.READY}),
    "channel/open": frozenset({State.READY}),
    "channel/join": frozenset({State.READY}),
    "channel/send": frozenset({State.READY, State.STOPPING}),
    "channel/deliver": frozenset({State.READY, State.STOPPING}),
    "channel/credit": frozenset({State.READY, State.STOPPING}),
    "channel/ack": frozenset({State.READY, State.STOPPING}),
    "channel/leave": frozenset({State.READY}),
    "channel/close": frozenset({State.READY}),
    "channel/closed": frozenset({State.READY, State.STOPPING}),
    "memory/create": frozenset({State.READY}),
    "memory/attach": frozenset({State.READY}),
    "memory/commit": frozenset({State.READY}),
    "memory/release": frozenset({State.READY}),
    "memory/released": frozenset({State.READY, State.STOPPING}),
    "state/get": frozenset({State.READY}),
    "state/put": frozenset({State.READY}),
    "state/delete": frozenset({State.READY}),
    "state/increment": frozenset({State.READY}),
    "state/list": frozenset({State.READY}),
    "state/watch": frozenset({State.READY}),
    "state/unwatch": frozenset({State.READY}),
    "state/ack": frozenset({State.READY}),
    "state/changed": frozenset({State.READY, State.STOPPING}),
    "state/unwatched": frozenset({State.READY, State.STOPPING}),
    "lock/acquire": frozenset({State.READY}),
    "lock/renew": frozenset({State.READY}),
    "lock/release": frozenset({State.READY}),
    "lock/lost": frozenset({State.READY, State.STOPPING}),
    "log/write": frozenset({State.INITIALIZING, State.READY, State.STOPPING}),
}

METHOD_DIRECTIONS: dict[str, Direction] = {
    "initialize": Direction.HOST_TO_PLUGIN,
    "initialized": Direction.HOST_TO_PLUGIN,
    "shutdown": Direction.HOST_TO_PLUGIN,
    "exit": Direction.HOST_TO_PLUGIN,
    "ping": Direction.BOTH,
    "$/cancelRequest": Direction.BOTH,
    "$/progress": Direction.BOTH,
    "service/list": Direction.PLUGIN_TO_HOST,
    "service/changed": Direction.HOST_TO_PLUGIN,
    "event/publish": Direction.PLUGIN_TO_HOST,
    "event/subscribe": Direction.PLUGIN_TO_HOST,
    "event/unsubscribe": Direction.PLUGIN_TO_HOST,
    "event/deliver": Direction.HOST_TO_PLUGIN,
    "event/ack": Direction.PLUGIN_TO_HOST,
    "event/ended": Direction.HOST_TO_PLUGIN,
    "event/topics": Direction.PLUGIN_TO_HOST,
    "hook/run": Direction.PLUGIN_TO_HOST,
    "hook/call": Direction.HOST_TO_PLUGIN,
    "hook/explain": Direction.PLUGIN_TO_HOST,
    "hook/list": Direction.PLUGIN_TO_HOST,
    "channel/open": Direction.PLUGIN_TO_HOST,
    "channel/join": Direction.PLUGIN_TO_HOST,
    "channel/send": Direction.PLUGIN_TO_HOST,
    "channel/deliver": Direction.HOST_TO_PLUGIN,
    "channel/credit": Direction.BOTH,
    "channel/ack": Direction.PLUGIN_TO_HOST,
    "channel/leave": Direction.PLUGIN_TO_HOST,
    "channel/close": Direction.PLUGIN_TO_HOST,
    "channel/closed": Direction.HOST_TO_PLUGIN,
    "memory/create": Direction.PLUGIN_TO_HOST,
    "memory/attach": Direction.PLUGIN_TO_HOST,
    "memory/commit": Direction.PLUGIN_TO_HOST,
    "memory/release": Direction.PLUGIN_TO_HOST,
    "memory/released": Direction.HOST_TO_PLUGIN,
    "state/get": Direction.PLUGIN_TO_HOST,
    "state/put": Direction.PLUGIN_TO_HOST,
    "state/delete": Direction.PLUGIN_TO_HOST,
    "state/increment": Direction.PLUGIN_TO_HOST,
    "state/list": Direction.PLUGIN_TO_HOST,
    "state/watch": Direction.PLUGIN_TO_HOST,
    "state/unwatch": Direction.PLUGIN_TO_HOST,
    "state/ack": Direction.PLUGIN_TO_HOST,
    "state/changed": Direction.HOST_TO_PLUGIN,
    "state/unwatched": Direction.HOST_TO_PLUGIN,
    "lock/acquire": Direction.PLUGIN_TO_HOST,
    "lock/renew": Direction.PLUGIN_TO_HOST,
    "lock/release": Direction.PLUGIN_TO_HOST,
    "lock/lost": Direction.HOST_TO_PLUGIN,
    "log/write": Direction.PLUGIN_TO_HOST,
}

METHOD_IS_REQUEST: dict[str, bool] = {
    "initialize": True,
    "initialized": False,
    "shutdown": True,
    "exit": False,
    "ping": True,
    "$/cancelRequest": False,
    "$/progress": False,
    "service/list": True,
    "service/changed": False,
    "event/subscribe": True,
    "event/unsubscribe": True,
    "event/deliver": False,
    "event/ack": False,
    "event/ended": False,
    "event/topics": True,
    "hook/run": True,
    "hook/call": True,
    "hook/explain": True,
    "hook/list": True,
    "channel/open": True,
    "channel/join": True,
    "channel/deliver": False,
    "channel/credit": False,
    "channel/ack": False,
    "channel/leave": True,
    "channel/close": True,
    "channel/closed": False,
    "memory/create": True,
    "memory/attach": True,
    "memory/commit": True,
    "memory/release": True,
    "memory/released": False,
    "state/get": True,
    "state/put": True,
    "state/delete": True,
    "state/increment": True,
    "state/list": True,
    "state/watch": True,
    "state/unwatch": True,
    "state/ack": False,
    "state/changed": False,
    "state/unwatched": False,
    "lock/acquire": True,
    "lock/renew": True,
    "lock/release": True,
    "lock/lost": False,
    "log/write": False,
}
