"""The wire: what both ends of a connection share, without I/O. Spec 01–03 and 05.

    bytes → framing → codec → peer → arrivals

It deliberately does no I/O, has no clock, logs nothing and calls nothing back. ``Peer`` is all that a driver needs; see
``plugwire.connection`` for the asyncio one.
"""

from ._codes import PROTOCOL_VERSION, ErrorCode, State
from .codec import ErrorObject, Meta, Raw, RequestId
from .errors import (
    CallCycle,
    ChannelClosed,
    Conflict,
    ConnectionClosed,
    DeadlineExceeded,
    FrameTooLarge,
    HookStopped,
    InvalidParams,
    LocalProtocolError,
    LockLost,
    MethodNotFound,
    Overloaded,
    PluginCrashed,
    PluginUnavailable,
    PlugwireError,
    ProtocolError,
    QuotaExceeded,
    RemoteProtocolError,
    RequestCancelled,
    RequestError,
)
from .framing import Deviation, Framing, Noise, frame
from .messages import (
    NEED_DATA,
    Arrival,
    CancelRequested,
    MessageIgnored,
    MessageRejected,
    NotificationReceived,
    RequestReceived,
    ResponseReceived,
)
from .peer import Limits, Peer, Role
from .readers import make_reader

__all__ = [
    "NEED_DATA",
    "PROTOCOL_VERSION",
    "Arrival",
    "CallCycle",
    "CancelRequested",
    "ChannelClosed",
    "Conflict",
    "ConnectionClosed",
    "DeadlineExceeded",
    "Deviation",
    "ErrorCode",
    "ErrorObject",
    "FrameTooLarge",
    "Framing",
    "HookStopped",
    "InvalidParams",
    "Limits",
    "LocalProtocolError",
    "LockLost",
    "MessageIgnored",
    "MessageRejected",
    "Meta",
    "MethodNotFound",
    "Noise",
    "NotificationReceived",
    "Overloaded",
    "Peer",
    "PluginCrashed",
    "PluginUnavailable",
    "PlugwireError",
    "ProtocolError",
    "QuotaExceeded",
    "Raw",
    "RemoteProtocolError",
    "RequestCancelled",
    "RequestError",
    "RequestId",
    "RequestReceived",
    "ResponseReceived",
    "Role",
    "State",
    "frame",
    "make_reader",
]
