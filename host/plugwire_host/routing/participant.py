"""Who uses the host's services, and what a service is to the router. Spec 06 to 11.

A service sees participants and bytes, never pipes; so another implementation, such as one that talks to a broker, can
stand behind the same methods without their callers noticing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from plugwire.wire import Raw

from .call import Call, Caller


class Participant(Caller, Protocol):
    """A plugin, or the application; the object itself is the identity, and lasts as long as the process does."""

    maps_memory: bool
    """Whether it can map files that the host makes (``capabilities.memory``)."""

    @property
    def congested(self) -> bool:
        """Whether it leaves unread what it was sent: what is not urgent should wait in a bounded queue."""
        ...

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once, on the loop, when it is not congested any more; never when it ends before."""
        ...

    def send_notification(self, method: str, params: Any) -> bool:
        """Send one; params are a JSON object, or the bytes of one. False: it was dropped."""
        ...


@runtime_checkable
class JoiningParticipant(Protocol):
    """A participant for which it is cheaper to be sent many things at once."""

    def send_notifications(self, method: str, params: Sequence[Raw]) -> bool:
        """Send several of one method, joined with others of this turn of the loop. False: all were dropped."""
        ...


Answer = Callable[[Call], Any]
"""What answers a request: with a JSON value or Raw, or an awaitable of one that is cancelled with the call."""

Taker = Callable[[Participant, Raw | None], None]
"""What takes a notification."""


class HostService(Protocol):
    """A reserved service of the host (CAL-01). A RequestError that it raises is the answer of the caller."""

    @property
    def requests(self) -> Mapping[str, Answer]: ...

    @property
    def notifications(self) -> Mapping[str, Taker]: ...

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        """It is ready, and this is its InitializeResult. Once more, for the application, when it declares more."""

    def left(self, participant: Participant, reason: str) -> None:
        """It has ended; whatever it held is let go."""

    def close(self) -> None:
        """The host closes."""
