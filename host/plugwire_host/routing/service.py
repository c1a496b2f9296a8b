"""What a service of the host is to the router. Spec 06 to 11.

A service sees participants and bytes, never pipes; so another implementation, such as one that talks to a broker, can
stand behind the same methods without their callers noticing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from plugwire.wire import Raw

from .call import Call, Participant

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
