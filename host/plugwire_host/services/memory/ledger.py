"""Which memories there are, who holds leases on them, and what was committed. Spec 09.

Pure: no files, no clock, no wire. Holders are whatever objects stand for participants.
"""

from __future__ import annotations

import secrets

from attrs import define, field

from plugwire.wire import Conflict, ErrorCode, QuotaExceeded, RequestError

from ..params import invalid

LARGEST = 1 << 30
"""Bytes of the largest memory (MEM-01)."""
MOST_MEMORIES = 1024
"""Memories that one participant may hold leases on."""
MOST_BYTES = 2 << 30
"""Bytes of these together."""


@define(eq=False)
class Memory:
    """One memory, as long as anybody holds a lease on it."""

    handle: str
    size: int
    creator: object
    path: str = ""
    generation: int = 0
    length: int = 0
    checksum: str | None = None
    spoiled: str = ""
    """Why a chunk of it was refused; what was written is not what its creator sent (MEM-22)."""
    holders: set[object] = field(factory=set)


class MemoryLedger:
    """Every memory by its handle. What is not allowed raises a RequestError with the code of the spec.

    A memory without holders is forgotten at once; whoever ended the last lease sees it in ``holders``, and removes the
    file.
    """

    def __init__(self) -> None:
        self._memories: dict[str, Memory] = {}
        self._held: dict[object, set[Memory]] = {}

    def open(self, creator: object, size: int) -> Memory:
        """A memory with its first lease. Raises QuotaExceeded (MEM-05)."""
        self._check_quota(creator, size)
        memory = Memory(f"mem_{secrets.token_hex(16)}", size, creator)
        self._memories[memory.handle] = memory
        self._add(memory, creator)
        return memory

    def attach(self, holder: object, handle: str, generation: int | None) -> Memory:
        """Lease what was committed, or renew. Raises InvalidParams, Conflict or QuotaExceeded; then nothing changes."""
        memory = self._find(handle)
        if memory.generation == 0:
            raise _conflict(f"nothing was committed to {handle} yet: its creator has to call memory/commit first", 0)
        if generation is not None and generation != memory.generation:
            message = f"{handle} has generation {memory.generation} by now, and {generation} is gone"
            raise _conflict(message, memory.generation)
        if holder not in memory.holders:
            self._check_quota(holder, memory.size)
            self._add(memory, holder)
        return memory

    def has_lease(self, holder: object, handle: str) -> bool:
        memory = self._memories.get(handle)
        return memory is not None and holder in memory.holders

    def commit(self, holder: object, handle: str, length: int, checksum: str | None) -> Memory:
        """Raises InvalidParams, or PermissionDenied for anyone but a creator that has its lease (MEM-06)."""
        memory = self._find(handle)
        if holder is not memory.creator or holder not in memory.holders:
            message = f"only the creator of {handle} may commit, and only while it has its lease"
            raise RequestError.of(ErrorCode.PERMISSION_DENIED, message)
        if memory.spoiled:
            raise invalid("$.memory", f"{memory.spoiled}; create another memory and send its bytes again")
        if length > memory.size:
            raise invalid("$.length", f"expected an integer from 0 to {memory.size}, the size of the memory")
        memory.generation += 1
        memory.length = length
        memory.checksum = checksum
        return memory

    def release(self, holder: object, handle: str) -> Memory:
        """End a lease. Raises InvalidParams when there is none (MEM-19)."""
        memory = self._find(handle)
        if holder not in memory.holders:
            raise invalid("$.memory", f"there is no lease on {handle} to release")
        self._drop(memory, holder)
        return memory

    def leave(self, holder: object) -> list[Memory]:
        """End every lease of a holder; the memories on which it had one."""
        held = list(self._held.get(holder, ()))
        for memory in held:
            self._drop(memory, holder)
        return held

    def _find(self, handle: str) -> Memory:
        memory = self._memories.get(handle)
        if memory is None:
            raise invalid("$.memory", f"there is no memory {handle!r}; it was never there, or nobody had a lease on it")
        return memory

    def _check_quota(self, holder: object, size: int) -> None:
        held = self._held.get(holder, set())
        used = sum(memory.size for memory in held)
        if len(held) >= MOST_MEMORIES or used + size > MOST_BYTES:
            raise QuotaExceeded(
                f"a participant may hold {MOST_MEMORIES} memories of together {MOST_BYTES} bytes, and it has"
                f" {len(held)} of together {used}: release what is no longer needed"
            )

    def _add(self, memory: Memory, holder: object) -> None:
        memory.holders.add(holder)
        self._held.setdefault(holder, set()).add(memory)

    def _drop(self, memory: Memory, holder: object) -> None:
        memory.holders.discard(holder)
        held = self._held[holder]
        held.discard(memory)
        if not held:
            del self._held[holder]
        if not memory.holders:
            del self._memories[memory.handle]


def _conflict(message: str, revision: int) -> Conflict:
    return Conflict(message, data={"revision": revision})
