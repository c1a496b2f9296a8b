"""What a peer reports upward: arrivals. They never appear on the wire. Spec 02."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from .codec import ErrorObject, Meta, Raw, RequestId
from .errors import RemoteProtocolError
from .framing import Deviation, Noise

CallT = TypeVar("CallT")


class NeedData(Enum):
    """The type of NEED_DATA."""

    NEED_DATA = "NEED_DATA"


NEED_DATA: Final[Literal[NeedData.NEED_DATA]] = NeedData.NEED_DATA
"""Nothing more to report until more bytes come."""


@dataclass(slots=True)
class RequestReceived:
    """A request, in the incoming table until it is answered. ``params`` is None when absent (MSG-04)."""

    id: RequestId
    method: str
    params: Raw | None
    meta: Meta | None


@dataclass(slots=True)
class NotificationReceived:
    """A notification that is allowed in the present state."""

    method: str
    params: Raw | None


@dataclass(slots=True)
class CancelRequested:
    """The other end asks to stop ``id``, which is in the incoming table (CAL-20)."""

    id: RequestId


Outcome: TypeAlias = Raw | ErrorObject | RemoteProtocolError
"""How a call ended: a result, an error response, or an answer that was neither (MSG-20)."""


@dataclass(slots=True)
class ResponseReceived(Generic[CallT]):
    """The answer to a call; the call has left the outgoing table."""

    call: CallT
    outcome: Outcome


@dataclass(slots=True)
class MessageRejected:
    """A bad message. ``reply`` is the frame that answers it, where one is due (MSG-26, MSG-27)."""

    code: int
    reason: str
    reply: bytes | None


@dataclass(slots=True)
class MessageIgnored:
    """A message that is well formed and has no effect: an unknown response id, a notification out of its state.

    ``answers`` tells a response from the others.
    """

    reason: str
    answers: bool = False


Arrival: TypeAlias = (
    RequestReceived
    | NotificationReceived
    | CancelRequested
    | ResponseReceived[CallT]
    | MessageRejected
    | MessageIgnored
    | Noise
    | Deviation
)
