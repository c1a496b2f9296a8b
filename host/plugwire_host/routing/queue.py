"""What waits for a free slot of one plugin: calls and notifications, in the order of their arrival. Spec CAL-13."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from plugwire.wire import Raw

from .call import Call

QUEUE_LIMIT = 1024
"""Messages that wait for one plugin."""
QUEUE_BYTES = 16 * 1024 * 1024
"""Bytes of params that wait for it; one message may be larger than that when nothing else waits."""

Waiting = Call | tuple[str, str, Raw | None]
"""A call, or a notification: its sender, method and params."""


class WaitingMessages:
    """Bounded in number and in bytes: ask ``limit_reached`` before ``append``, which never refuses."""

    def __init__(self) -> None:
        self.bytes = 0
        self._messages: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._messages)

    @property
    def head(self) -> Waiting:
        return self._messages[0]

    def limit_reached(self, params: Raw | None) -> tuple[str, int] | None:
        """What keeps a message out, for people, and the limit; None when there is room for it."""
        if len(self._messages) >= QUEUE_LIMIT:
            return f"{QUEUE_LIMIT} messages wait for it", QUEUE_LIMIT
        if self._messages and self.bytes + _size(params) > QUEUE_BYTES:
            return f"messages of {self.bytes} bytes wait for it", QUEUE_BYTES
        return None

    def append(self, message: Waiting) -> None:
        self._messages.append(message)
        self.bytes += _size(_params(message))

    def popleft(self) -> Waiting:
        message = self._messages.popleft()
        self.bytes -= _size(_params(message))
        return message

    def remove(self, call: Call) -> bool:
        """Whether it was there."""
        try:
            self._messages.remove(call)
        except ValueError:
            return False
        self.bytes -= _size(call.params)
        return True

    def clear(self) -> list[Call]:
        """Nothing waits any more; the calls that did."""
        calls = [message for message in self._messages if isinstance(message, Call)]
        self._messages.clear()
        self.bytes = 0
        return calls


def _params(message: Waiting) -> Raw | None:
    return message.params if isinstance(message, Call) else message[2]


def _size(params: Raw | None) -> int:
    return 0 if params is None else memoryview(params).nbytes
