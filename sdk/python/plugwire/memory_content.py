"""Where the bytes of a memory are in this process: in a mapping of the host's file, or in a copy. Spec 09.

A copy is for those who map no files; its bytes travel over a channel, in chunks.
"""

from __future__ import annotations

import binascii
import mmap
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from .wire import ErrorCode, PlugwireError, RemoteProtocolError, RequestError

if TYPE_CHECKING:
    from .context import Context, Owner

CHUNK = 256 * 1024
"""Bytes of the largest chunk (spec 09, MemoryChunk)."""
_POPULATE = getattr(mmap, "MAP_POPULATE", 0)
"""The pages are there already; to map them one by one, as they are touched, takes three times as long."""
_MOST_AT_ONCE = 256 * 1024 * 1024
"""Bytes that are mapped so; more would hold up the loop."""
_READ_ONLY = "only the creator of a memory writes into it; others read"
_AROUND = 64
"""Characters around the base64 of a chunk."""


class MemoryUnreachable(PlugwireError):
    """The host's file cannot be mapped here."""


class Content(Protocol):
    """The bytes, until they are closed."""

    is_shared: bool
    """Whether others may write into them."""

    @property
    def view(self) -> memoryview: ...

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write within them. Raises TypeError where they are for reading."""

    async def hand_over(self, length: int) -> None:
        """Let the host have the first bytes, before they are committed."""

    def close(self) -> None:
        """Let go of them, as soon as nobody looks at them any more."""


class MappedContent:
    """The committed bytes of the host's file."""

    is_shared = True

    def __init__(self, path: str, length: int) -> None:
        self._mapping = _map(path, length, writable=False) if length else None
        self.view = memoryview(b"" if self._mapping is None else self._mapping)

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        raise TypeError(_READ_ONLY)

    async def hand_over(self, length: int) -> None:
        """They are there."""

    def close(self) -> None:
        with suppress(BufferError):  # an array looks at them; the mapping goes with the last one that does
            self.view.release()
            if self._mapping is not None:
                self._mapping.close()


class NewContent:
    """The host's file, for who made it.

    It is mapped when it is first looked at: pages that are written before need not be cleared, which is most of what a
    mapping costs.
    """

    is_shared = True

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._size = size
        self._mapping: mmap.mmap | None = None
        self._view: memoryview | None = None
        os.close(_open(path, size, writable=True))

    @property
    def view(self) -> memoryview:
        if self._view is None:
            self._mapping = _map(self._path, self._size, writable=True)
            self._view = memoryview(self._mapping)
        return self._view

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        left = memoryview(data).cast("B")
        if self._view is not None:
            self._view[offset : offset + len(left)] = left
            return
        file = _open(self._path, self._size, writable=True)
        try:
            while left:
                written = os.pwrite(file, left, offset)
                left, offset = left[written:], offset + written
        finally:
            os.close(file)

    async def hand_over(self, length: int) -> None:
        """They are there."""

    def close(self) -> None:
        with suppress(BufferError):  # an array looks at them; the mapping goes with the last one that does
            if self._view is not None:
                self._view.release()
            if self._mapping is not None:
                self._mapping.close()


class CopiedContent:
    """Bytes of this process alone."""

    is_shared = False

    def __init__(self, content: bytearray) -> None:
        self.view = memoryview(content).toreadonly()

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        raise TypeError(_READ_ONLY)

    async def hand_over(self, length: int) -> None:
        """Readers have nothing to hand over; the host refuses their commits."""

    def close(self) -> None:
        with suppress(BufferError):
            self.view.release()


class SentContent(CopiedContent):
    """Bytes of this process, which the host gets before each commit."""

    def __init__(self, owner: Owner, size: int, channel: str) -> None:
        self._channel = owner.clients.channels.at(channel)
        self._chunk = CHUNK
        self.view = memoryview(bytearray(size))

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        some = memoryview(data).cast("B")
        self.view[offset : offset + len(some)] = some

    async def hand_over(self, length: int) -> None:
        offset = 0
        while offset < length:
            chunk = self.view[offset : min(offset + self._chunk, length)]
            data = binascii.b2a_base64(chunk, newline=False).decode()
            try:
                await self._channel.send({"offset": offset, "data": data})
            except RequestError as error:
                if error.code != ErrorCode.PAYLOAD_TOO_LARGE or self._chunk < CHUNK:
                    raise
                self._chunk = (error.data["limit"] - _AROUND) // 4 * 3  # frames of this host are small
            else:
                offset += len(chunk)


async def create_content(owner: Owner, answer: dict[str, Any]) -> Content:
    """The bytes of a new memory. Raises MemoryUnreachable."""
    if "path" in answer:
        return NewContent(answer["path"], answer["size"])
    return SentContent(owner, answer["size"], answer["channel"])


async def read_content(owner: Owner, answer: dict[str, Any], context: Context | None) -> Content:
    """The committed bytes of a memory. Raises MemoryUnreachable, or ChannelClosed when they changed under way."""
    if "path" in answer:
        return MappedContent(answer["path"], answer["length"])
    content = bytearray(answer["length"])
    got = 0
    async for item in owner.clients.channels.at(answer["channel"], context=context):
        offset, some = _read_chunk(item)
        if offset != got:
            raise RemoteProtocolError(f"a chunk at {offset} came where one at {got} was expected (MEM-23)")
        if got + len(some) > len(content):
            raise RemoteProtocolError(f"a chunk at {offset} goes past the {len(content)} bytes of the commit (MEM-10)")
        content[got : got + len(some)] = some
        got += len(some)
    if got < len(content):
        raise RemoteProtocolError(f"{got} of {len(content)} bytes came (MEM-23)")
    return CopiedContent(content)


def _read_chunk(item: Any) -> tuple[int, bytes]:
    try:
        return item["offset"], binascii.a2b_base64(item["data"], strict_mode=True)
    except (TypeError, KeyError, ValueError) as error:
        raise RemoteProtocolError(f"what came is no chunk: {error}") from None


def _open(path: str, size: int, *, writable: bool) -> int:
    """A descriptor of the host's file, which has at least so many bytes."""
    access = os.O_RDWR if writable else os.O_RDONLY
    try:
        file = os.open(path, access | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise MemoryUnreachable(
            f"the host's file {path} cannot be opened here: {error.strerror}; a plugin that does not see the host's"
            " files, such as one in a container, says so with Plugin(..., shared_memory=False)"
        ) from error
    if os.fstat(file).st_size < size:  # reading behind its end would end this process
        os.close(file)
        raise MemoryUnreachable(f"the host's file {path} is shorter than the {size} bytes that it should have")
    return file


def _map(path: str, length: int, *, writable: bool) -> mmap.mmap:
    file = _open(path, length, writable=writable)
    try:
        protection = mmap.PROT_READ | mmap.PROT_WRITE if writable else mmap.PROT_READ
        return mmap.mmap(file, length, mmap.MAP_SHARED | (_POPULATE if length <= _MOST_AT_ONCE else 0), protection)
    finally:
        os.close(file)
