"""Shared memory: bytes that plugins hand to each other without sending them. Spec 09.

Owns: what an author touches, and one lease a memory however many handlers use it. Does not own: the files, which the
host makes, nor where the bytes are here (memory_content.py).
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from .memory_content import Content, create_content, read_content
from .settling import settled
from .wire import Conflict, PlugwireError, Raw, RequestError
from .wire.codec import decode_value

if TYPE_CHECKING:
    from types import TracebackType

    from .context import Context, Owner

_TIME_TO_RELEASE = 10.0
"""Seconds for giving a lease back, whatever is left to the request that it was taken for."""
_AT_ONCE = 1 << 20
"""Bytes that are summed on the loop; more go to a thread."""


class MemoryReleased(PlugwireError):
    """The memory was released, or its lease has ended."""


class Memory:
    """Bytes that are shared with other plugins until they are released; ``async with`` does that.

        async with await ctx.create_memory(len(pixels)) as memory:
            memory.write(pixels)
            await memory.commit()
            await ctx.call("image/blur", {"image": memory.reference})

    Its creator writes, with ``write`` or into ``view``, and commits; others attach to its ``reference`` and read. To
    write over bytes that were committed, call ``rewrite`` first, so that no reader takes what is half old and half new
    for whole.
    """

    def __init__(self, client: MemoryClient, content: Content, answer: dict[str, Any], lease: dict[str, Any]) -> None:
        self.handle: str = answer["memory"]
        self.size: int = answer["size"]
        """Bytes of the whole memory."""
        self.length: int = answer.get("length", 0)
        """Bytes that are committed."""
        self.generation: int = answer["generation"]
        """Which commit it is; 0 before the first."""
        self._client = client
        self._content: Content | None = content
        self._lease = lease
        self._ended = ""

    @property
    def reference(self) -> dict[str, str]:
        """What to pass in params or results, so that others can attach."""
        return {"$memory": self.handle}

    @property
    def view(self) -> memoryview:
        """The bytes: all of them and writable for the creator, the committed ones and read-only for others.

        Raises MemoryReleased afterwards; a view that was taken before can still be read then.
        """
        return memoryview(self._here().view)

    def write(self, data: bytes | bytearray | memoryview, offset: int = 0) -> None:
        """Write bytes at an offset: what is there already as bytes goes faster so than through ``view``.

        Raises ValueError for bytes past the end, TypeError for anyone but the creator, MemoryReleased afterwards.
        """
        content = self._here()
        size = memoryview(data).nbytes
        if not 0 <= offset <= self.size - size:
            raise ValueError(f"{size} bytes at {offset} do not fit into a memory of {self.size}")
        content.write(data, offset)

    def array(self, dtype: Any, shape: Any = None) -> Any:
        """The bytes as a numpy array of a type, without a copy: as many items as ``shape`` says, or as are whole.

        Needs numpy. Raises ValueError when there are not as many.
        """
        import numpy as np

        items = self.view
        count = len(items) // np.dtype(dtype).itemsize if shape is None else int(np.prod(shape))
        flat = np.frombuffer(items, dtype, count=count)
        return flat if shape is None else flat.reshape(shape)

    async def commit(self, length: int | None = None, *, checksum: bool = False) -> int:
        """Let others read the first ``length`` bytes, or all; the generation that they get.

        ``checksum`` lets each of them check the bytes. Raises RequestError: PermissionDenied for anyone but the
        creator; ValueError for a length that there is not.
        """
        content = self._here()
        length = self.size if length is None else length
        if not 0 <= length <= self.size:
            raise ValueError(f"{length} bytes cannot be committed of {self.size}")
        params: dict[str, Any] = {"memory": self.handle, "length": length}
        if checksum:
            params["checksum"] = await checksum_of(content.view[:length])
        await content.hand_over(length)
        answer = await self._client.ask("memory/commit", params)
        self.generation, self.length = answer["generation"], length
        return self.generation

    async def rewrite(self) -> None:
        """Take the committed bytes back, before they are written over: readers get Conflict from now on (MEM-12)."""
        await self.commit(0)

    async def verify(self) -> None:
        """Ask, after reading, whether the bytes are still those that were attached to.

        Raises Conflict when there was another commit in the meantime: what was read may be torn.
        """
        if self._here().is_shared:  # a copy that is whole stays whole
            params = {"memory": self.handle, "generation": self.generation, **self._lease}
            await self._client.ask("memory/attach", params)

    async def release(self) -> None:
        """Give the bytes up; others that have attached keep them. Does nothing the second time."""
        if self._content is not None:
            self.lose("it was released")
            await self._client.give_back(self)

    def lose(self, why: str) -> None:
        """Let go of the bytes without telling the host."""
        content, self._content = self._content, None
        if content is not None:
            self._ended = why
            content.close()

    def _here(self) -> Content:
        if self._content is None:
            raise MemoryReleased(f"the memory {self.handle} cannot be used any more: {self._ended}")
        return self._content

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.release()


class _Lease:
    """What several handlers of one plugin share: the host counts them as one."""

    def __init__(self) -> None:
        self.users: WeakSet[Memory] = WeakSet()
        self.coming = 0
        self.held = False

    @property
    def unused(self) -> bool:
        return not self.users and not self.coming


class MemoryClient:
    """The memories of one connection."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._leases: dict[str, _Lease] = {}
        self._later: set[asyncio.Future[Any]] = set()

    async def create(self, size: int, *, lease: float | None = None, context: Context | None = None) -> Memory:
        """As ``Collaboration.create_memory``. Raises RequestError: InvalidParams, QuotaExceeded."""
        time = {} if lease is None else {"leaseMs": round(lease * 1000)}
        answer = await settled(self.ask("memory/create", {"size": size, **time}, context), self._undo_create)
        self._lease(answer["memory"]).held = True
        return await self._open(create_content(self._owner, answer), answer, time)

    async def _undo_create(self, answer: dict[str, Any]) -> None:
        await self._release(answer["memory"])

    async def attach(self, reference: str | dict[str, Any], *, context: Context | None = None) -> Memory:
        """As ``Collaboration.attach_memory``. Raises RequestError: InvalidParams, Conflict, QuotaExceeded."""
        handle = _handle_of(reference)
        lease = self._lease(handle)
        lease.coming += 1
        try:
            answer = await self.ask("memory/attach", {"memory": handle}, context)
            lease.held = True
        except BaseException as error:
            lease.coming -= 1
            if not isinstance(error, RequestError):
                lease.held = True  # for all that is known
            self._drop_unused(handle)
            raise
        lease.coming -= 1
        return await self._open(read_content(self._owner, answer, context), {"memory": handle, **answer}, {})

    async def _open(
        self, opening: Coroutine[Any, Any, Content], answer: dict[str, Any], time: dict[str, Any]
    ) -> Memory:
        """The memory of a lease that is there; when its bytes cannot be had, the lease is given back."""
        handle = answer["memory"]
        lease = self._lease(handle)
        lease.coming += 1
        try:
            content = await opening
            memory = Memory(self, content, answer, time)
            if "checksum" in answer and await checksum_of(content.view) != answer["checksum"]:
                memory.lose("its bytes do not fit their checksum")
                message = f"the bytes of {handle} do not fit the checksum of commit {memory.generation}"
                raise Conflict(message, data={"revision": memory.generation})  # MEM-11
            lease.users.add(memory)
        finally:
            lease.coming -= 1
            self._drop_unused(handle)
        return memory

    async def ask(self, method: str, params: dict[str, Any], context: Context | None = None) -> Any:
        """A request of this way. Raises RequestError."""
        return await self._owner.call(method, params, timeout=None, context=context)

    async def give_back(self, memory: Memory) -> None:
        """One user less of its lease."""
        self._lease(memory.handle).users.discard(memory)
        await self._release_unused(memory.handle)

    async def _release_unused(self, handle: str) -> None:
        """End the lease, when nobody here uses it any more. Never fails: where there is no lease, there is none."""
        lease = self._leases.get(handle)
        if lease is not None and lease.unused:
            del self._leases[handle]
            if lease.held:
                await self._release(handle)

    async def _release(self, handle: str) -> None:
        with suppress(PlugwireError):  # it has ended, with its time or with the connection
            await self._owner.call("memory/release", {"memory": handle}, timeout=_TIME_TO_RELEASE)

    def _drop_unused(self, handle: str) -> None:
        lease = self._leases.get(handle)
        if lease is not None and lease.unused:
            self._soon(self._release_unused(handle))

    def _soon(self, giving: Coroutine[Any, Any, None]) -> None:
        """Apart from a handler that has failed or was cancelled."""
        task = self._owner.loop.create_task(giving)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def _lease(self, handle: str) -> _Lease:
        return self._leases.setdefault(handle, _Lease())

    def receive(self, method: str, params: Raw | None) -> None:
        """``memory/released``: a lease has ended with its time (MEM-16)."""
        told = {} if params is None else decode_value(params)
        lease = self._leases.pop(str(told.get("memory")), None)
        for memory in lease.users if lease is not None else ():
            memory.lose(str(told.get("reason", "its lease has ended")))

    def close(self, reason: Exception) -> None:
        """The leases have ended with the connection; what is mapped can still be read."""
        self._leases.clear()


async def checksum_of(content: memoryview) -> str:
    """The checksum of some bytes, as a commit carries it."""
    value = zlib.crc32(content) if len(content) <= _AT_ONCE else await asyncio.to_thread(zlib.crc32, content)
    return f"crc32:{value:08x}"


def _handle_of(reference: str | dict[str, Any]) -> str:
    handle = reference.get("$memory") if isinstance(reference, dict) else reference
    if not isinstance(handle, str):
        raise TypeError(f'a reference to a memory is {{"$memory": handle}} or the handle, and {reference!r} is neither')
    return handle
