"""The states of a connection, as the one table of spec 03 (generated into _codes.py), and who may change them.

Rule 1: state changes here and nowhere else. Rule 2: this file does not know which role we play, so the rules are the
same for both ends.
"""

from __future__ import annotations

from ._codes import METHOD_STATES, TRANSITIONS, State
from .errors import LocalProtocolError

_READY_ONLY = frozenset({State.READY})


class Lifecycle:
    """Where a connection stands."""

    __slots__ = ("ready", "state")

    def __init__(self) -> None:
        self.state = State.CREATED
        self.ready = False  # state is READY, without a comparison on the way of every message

    def advance(self, trigger: str) -> None:
        """Follow the table. Raises LocalProtocolError where the table has no such row."""
        following = TRANSITIONS.get((self.state, trigger))
        if following is None:
            raise LocalProtocolError(f"{trigger} is not possible while the connection is {self.state.value}")
        self.state = following
        self.ready = following is State.READY

    def refuse(self) -> None:
        """``initialize`` was answered with an error. By then the conversation may be over (LIF-03 admits ``exit``)."""
        if self.state is State.INITIALIZING:
            self.advance("initializeRefused")

    def end(self) -> None:
        """The stream ended; the same from every state."""
        if self.state is not State.EXITED:
            self.advance("endOfInput")

    def allows(self, method: str) -> bool:
        """Whether a request or notification of this method may be sent now, by whichever end (LIF-01, LIF-02)."""
        return self.state in METHOD_STATES.get(method, _READY_ONLY)
