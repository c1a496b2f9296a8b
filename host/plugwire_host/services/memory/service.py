"""``memory/…``: bytes that plugins share without sending them. Spec 09.

Owns: leases in time, and the ends of memories. Does not own: who may do what (ledger.py), the files
(files.py), nor the way of bytes to those who map no files (transfers.py).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from plugwire.wire import ErrorCode, QuotaExceeded, RequestError

from ...routing.call import Call, Participant
from ...routing.service import Answer, Taker
from ..params import Params
from .files import NO_ROOM, MemoryFiles
from .ledger import LARGEST, Memory, MemoryLedger
from .transfers import MemoryTransfers, Upload

if TYPE_CHECKING:
    from ...routing.router import Router
    from ..channels.service import ChannelService

_LONGEST = 2**31 - 1
_GENERATIONS = 2**53 - 1
_CHECKSUM = re.compile("crc32:[0-9a-f]{8}")

Lease = tuple[Memory, Participant]


class MemoryService:
    """Makes memories, and removes them with their last lease."""

    def __init__(self, router: Router, channels: ChannelService, *, files: MemoryFiles | None = None) -> None:
        self._loop = router.loop
        self._files = files or MemoryFiles()
        self._ledger = MemoryLedger()
        self._transfers = MemoryTransfers(channels, self._files)
        self._timers: dict[Lease, asyncio.TimerHandle] = {}
        self._closed = False
        self.requests: dict[str, Answer] = {
            "memory/create": self._create,
            "memory/attach": self._attach,
            "memory/commit": self._commit,
            "memory/release": self._release,
        }
        self.notifications: dict[str, Taker] = {}

    # What participants ask for

    def _create(self, call: Call) -> Any:
        params = Params(call.params)
        size = params.integer("size", 1, LARGEST)
        return self._make(call.participant, size, _lease_of(params))

    async def _make(self, creator: Participant, size: int, lease_ms: int | None) -> dict[str, Any]:
        memory = self._ledger.open(creator, size)
        try:
            memory.path = await self._make_file(size)
            where = {"path": memory.path} if creator.maps_memory else {"channel": self._transfers.receive(memory)}
        except BaseException:
            if creator in memory.holders:  # it may have ended meanwhile
                self._ledger.release(creator, memory.handle)
            self._remove(memory)
            raise
        self._set_time(memory, creator, lease_ms)
        return {"memory": memory.handle, **where, "size": size, "generation": 0}

    async def _make_file(self, size: int) -> str:
        making = self._loop.run_in_executor(None, self._files.create, size)
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            making.add_done_callback(self._discard)
            raise
        except OSError as error:
            raise self._no_file(error, size) from error

    def _no_file(self, error: OSError, size: int) -> RequestError:
        """Why a file could not be made, and the mend (MEM-04)."""
        if error.errno not in NO_ROOM:
            return RequestError(f"the file of a memory could not be made: {error}", code=ErrorCode.INTERNAL_ERROR)
        return QuotaExceeded(
            f"there is no room for {size} bytes in {self._files.root}: release memories that are no longer needed, make"
            " a smaller one, or give that file system more space"
        )

    def _discard(self, making: asyncio.Future[str]) -> None:
        """A file that nobody waits for any more."""
        if making.exception() is None:
            self._free(self._files.remove(making.result()))

    def _attach(self, call: Call) -> dict[str, Any]:
        params = Params(call.params)
        generation = params.integer("generation", 0, _GENERATIONS, default=None)
        lease_ms = _lease_of(params)
        reader, handle = call.participant, params.text("memory")
        renewed = self._ledger.has_lease(reader, handle)
        memory = self._ledger.attach(reader, handle, generation)
        try:
            where = {"path": memory.path} if reader.maps_memory else {"channel": self._transfers.send(memory, reader)}
        except RequestError:
            if not renewed:
                self._ledger.release(reader, handle)
            raise
        self._set_time(memory, reader, lease_ms)
        answer = {**where, "size": memory.size, "length": memory.length, "generation": memory.generation}
        return answer if memory.checksum is None else {**answer, "checksum": memory.checksum}

    def _commit(self, call: Call) -> Any:
        params = Params(call.params)
        handle = params.text("memory")
        length = params.integer("length", 0, LARGEST)
        checksum = params.text("checksum", pattern=_CHECKSUM, default=None)
        upload = self._transfers.upload_of(handle)
        if upload is None or upload.memory.creator is not call.participant:
            return self._commit_now(call.participant, handle, length, checksum)
        return self._commit_written(upload, handle, length, checksum)

    async def _commit_written(self, upload: Upload, handle: str, length: int, checksum: str | None) -> dict[str, int]:
        await upload.wait_written()
        return self._commit_now(upload.memory.creator, handle, length, checksum)

    def _commit_now(self, holder: object, handle: str, length: int, checksum: str | None) -> dict[str, int]:
        memory = self._ledger.commit(holder, handle, length, checksum)
        self._transfers.committed(memory)
        return {"generation": memory.generation}

    def _release(self, call: Call) -> None:
        holder = call.participant
        self._ended(self._ledger.release(holder, Params(call.params).text("memory")), holder, "it was released")

    # Leases

    def _set_time(self, memory: Memory, holder: Participant, lease_ms: int | None) -> None:
        self._stop_clock(memory, holder)
        if lease_ms is not None:
            self._timers[memory, holder] = self._loop.call_later(
                lease_ms / 1000, self._run_out, memory, holder, f"its time of {lease_ms} ms is over"
            )

    def _stop_clock(self, memory: Memory, holder: Participant) -> None:
        timer = self._timers.pop((memory, holder), None)
        if timer is not None:
            timer.cancel()

    def _run_out(self, memory: Memory, holder: Participant, reason: str) -> None:
        self._ledger.release(holder, memory.handle)
        self._ended(memory, holder, reason)
        holder.send_notification("memory/released", {"memory": memory.handle, "reason": reason})  # MEM-16

    def _ended(self, memory: Memory, holder: Participant, why: str) -> None:
        """A lease is over; with the last one goes the file (MEM-17)."""
        self._stop_clock(memory, holder)
        self._transfers.end(memory, holder, why)
        if not memory.holders:
            self._remove(memory)

    def _remove(self, memory: Memory) -> None:
        if memory.path:
            self._free(self._files.remove(memory.path))

    def _free(self, storage: Callable[[], None]) -> None:
        """In a thread, as it may take a while; at the end, when nobody waits for anything, at once."""
        if self._closed:
            storage()
        else:
            self._loop.run_in_executor(None, storage)

    # Participants

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        """Nothing is made before it is asked for."""

    def left(self, participant: Participant, reason: str) -> None:
        for memory in self._ledger.leave(participant):
            self._ended(memory, participant, reason)

    def close(self) -> None:
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._files.close()


def _lease_of(params: Params) -> int | None:
    return params.integer("leaseMs", 1, _LONGEST, default=None)
