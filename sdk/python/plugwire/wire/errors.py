"""The errors of the wire and of calls, and whose fault each one is.

PlugwireError
├─ ProtocolError
│  ├─ LocalProtocolError      we broke the rules; nothing was sent
│  │  └─ FrameTooLarge        the message would not fit into one frame
│  └─ RemoteProtocolError     they broke them
├─ RequestError               an error response, in either direction (spec 05)
│  ├─ MethodNotFound · InvalidParams · RequestCancelled
│  ├─ PluginUnavailable · PluginCrashed · DeadlineExceeded · Overloaded · CallCycle
│  └─ ChannelClosed · LockLost · Conflict · QuotaExceeded · HookStopped
└─ ConnectionClosed           the conversation ended; every call that was open ends with this
"""

from __future__ import annotations

from typing import Any

from ._codes import ErrorCode


class PlugwireError(Exception):
    """Anything that this project raises."""


class ProtocolError(PlugwireError):
    """Somebody broke the protocol."""


class LocalProtocolError(ProtocolError):
    """Our own side asked for something that the protocol forbids. Nothing was sent."""


class FrameTooLarge(LocalProtocolError):
    """A message of ``size`` bytes does not fit into a frame of ``limit`` bytes (ERR-06)."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"a message of {size} bytes does not fit into a frame of at most {limit} bytes")
        self.size = size
        self.limit = limit


class RemoteProtocolError(ProtocolError):
    """The other end broke the protocol. From the framing it means that the frame boundary is lost (FRM-10)."""


class ConnectionClosed(PlugwireError):
    """The connection ended before the call had an answer."""


class RequestError(PlugwireError):
    """An error response: ``code`` (spec 05), ``message`` for people, ``data`` for programs.

    A handler raises it to answer with that code; a caller gets it from a call. Where the code has a class of its own,
    ``RequestError.of`` gives that class.
    """

    default_code: int = ErrorCode.INTERNAL_ERROR

    def __init__(self, message: str, *, code: int | None = None, data: Any = None) -> None:
        super().__init__(message)
        self.code = self.default_code if code is None else code
        self.message = message
        self.data = data

    @staticmethod
    def of(code: int, message: str, data: Any = None) -> RequestError:
        """The error for a code, as the most specific class there is."""
        return _BY_CODE.get(code, RequestError)(message, code=code, data=data)

    @property
    def name(self) -> str:
        """The code's name in the spec, such as ``CallCycle``; ``Error`` for a plugin's own codes."""
        try:
            return ErrorCode(self.code).name.title().replace("_", "")
        except ValueError:
            return "Error"

    def __str__(self) -> str:
        return f"{self.name} ({self.code}): {self.message}"


class MethodNotFound(RequestError):
    """No one provides the method."""

    default_code = ErrorCode.METHOD_NOT_FOUND


class InvalidParams(RequestError):
    """The params do not fit; ``data["problems"]`` lists each path and what was expected there (ERR-05)."""

    default_code = ErrorCode.INVALID_PARAMS


class RequestCancelled(RequestError):
    """The call was cancelled."""

    default_code = ErrorCode.REQUEST_CANCELLED


class PluginUnavailable(RequestError):
    """The provider is known but not ready; the call never left the host."""

    default_code = ErrorCode.PLUGIN_UNAVAILABLE


class PluginCrashed(RequestError):
    """The callee ended before it answered; ``data["delivered"]`` is ``no``, ``maybe`` or ``started`` (CAL-36)."""

    default_code = ErrorCode.PLUGIN_CRASHED


class DeadlineExceeded(RequestError):
    """The time for the call ran out."""

    default_code = ErrorCode.DEADLINE_EXCEEDED


class Overloaded(RequestError):
    """A bounded queue is full; the call was not taken."""

    default_code = ErrorCode.OVERLOADED


class CallCycle(RequestError):
    """The call would wait for itself; ``data["path"]`` is the way round (CAL-33)."""

    default_code = ErrorCode.CALL_CYCLE


class ChannelClosed(RequestError):
    """The channel is closed; ``data["error"]`` is what it was closed with, if there was an error (CHN-40)."""

    default_code = ErrorCode.CHANNEL_CLOSED


class LockLost(RequestError):
    """The lock is not, or no longer, held with that token (LCK-10, LCK-13)."""

    default_code = ErrorCode.LOCK_LOST


class Conflict(RequestError):
    """Something else is there than was expected; ``data["revision"]`` is the revision that is (STA-05)."""

    default_code = ErrorCode.CONFLICT


class QuotaExceeded(RequestError):
    """A quota of the caller is used up."""

    default_code = ErrorCode.QUOTA_EXCEEDED


class HookStopped(RequestError):
    """A link stopped the hook; ``data`` has ``by``, the link's instance name, and its ``reason`` (HOK-11)."""

    default_code = ErrorCode.HOOK_STOPPED


_BY_CODE: dict[int, type[RequestError]] = {
    subclass.default_code: subclass
    for subclass in (
        MethodNotFound,
        InvalidParams,
        RequestCancelled,
        PluginUnavailable,
        PluginCrashed,
        DeadlineExceeded,
        Overloaded,
        CallCycle,
        ChannelClosed,
        LockLost,
        Conflict,
        QuotaExceeded,
        HookStopped,
    )
}
