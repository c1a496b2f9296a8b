"""Where values are kept: what a store promises, and the one that keeps nothing. Spec STA-13 to STA-15."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from attrs import frozen

from plugwire.wire import Raw

from ...errors import HostError


@frozen
class Entry:
    """A value under a key. ``owner`` is the instance that wrote it last, ``expires`` milliseconds since 1970."""

    key: str
    value: Raw
    revision: int
    owner: str
    expires: int | None = None

    @property
    def size(self) -> int:
        return len(self.key) + len(self.value)


@frozen
class Change:
    """What has happened to a key; no value when it was deleted."""

    key: str
    revision: int
    value: Raw | None

    @property
    def size(self) -> int:
        return len(self.key) + (0 if self.value is None else len(self.value))


class StoreError(HostError):
    """A store has not stored what it was given, and nothing has changed (STA-13)."""


class StateStore(Protocol):
    """What lasts of the values. It decides nothing: table.py does.

    Each method that writes returns when what it wrote is safe from the end of this process, and raises StoreError, with
    nothing changed, when it cannot write.
    """

    revision: int
    """The revision of the last change that was written."""
    token: int
    """The last token that was written (LCK-06)."""

    def entries(self) -> Iterable[Entry]:
        """What is there at the start."""

    def put(self, entry: Entry) -> None: ...

    def delete(self, key: str, revision: int) -> None: ...

    def save_token(self, token: int) -> None: ...

    def close(self) -> None: ...


class MemoryStore:
    """Keeps nothing beyond the end of the process."""

    def __init__(self) -> None:
        self.revision = 0
        self.token = 0

    def entries(self) -> Iterable[Entry]:
        return ()

    def put(self, entry: Entry) -> None:
        self.revision = entry.revision

    def delete(self, key: str, revision: int) -> None:
        self.revision = revision

    def save_token(self, token: int) -> None:
        self.token = token

    def close(self) -> None:
        pass
