"""A document that is too long to be sent as a text: plugins see its bytes in shared memory.

Only `copies` takes it so. Owns: the memory, from when a plugin asks for it until all of them have read. Does not own:
a text, lines or edits; such a document is read and never changed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from documents import Unreadable
from plugwire import Memory
from plugwire_host import Host

LARGEST_SHARED = 256 * 1024 * 1024
"""Bytes of the largest file that is shared. As many as two of them are in memory at a time, one for each worker."""


class LargeDocument:
    """A file, and while it is shared a memory with its bytes."""

    def __init__(self, path: Path, shown: str) -> None:
        """Raises Unreadable."""
        self.path = path
        self.shown = shown
        self.version = 1
        self._sharing = asyncio.Lock()
        self._memory: Memory | None = None
        try:
            self._size = path.stat().st_size
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from None
        if self._size > LARGEST_SHARED:
            raise Unreadable(f"it has more than {LARGEST_SHARED} bytes")

    def offset(self, line: int, column: int) -> int | None:
        """Nobody here knows its lines, so every place may be one. As ``Document.offset``."""
        return 0

    async def share(self, host: Host) -> dict[str, str]:
        """A reference to a memory with the file's bytes. Raises Unreadable, or RequestError where there is no room."""
        async with self._sharing:
            if self._memory is None:
                self._memory = await self._load(host)
            return self._memory.reference

    async def _load(self, host: Host) -> Memory:
        memory = await host.create_memory(self._size)
        try:
            if await asyncio.to_thread(_read_into, self.path, memory.view) != self._size:
                raise Unreadable("it was changed while it was read")
            await memory.commit()
        except OSError as error:
            await memory.release()
            raise Unreadable(error.strerror or str(error)) from None
        except BaseException:
            await memory.release()
            raise
        return memory

    async def close(self) -> None:
        """Nobody here needs the memory any more; whoever reads it keeps it until then."""
        memory, self._memory = self._memory, None
        if memory is not None:
            await memory.release()


def _read_into(path: Path, view: memoryview) -> int:
    """How many bytes the file has, if they fit; else one more."""
    at = 0
    with path.open("rb", buffering=0) as file:
        while at < len(view) and (count := file.readinto(view[at:])):
            at += count
        return at + len(file.read(1) or b"")
