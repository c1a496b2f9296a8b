"""Vices of shared memory (chapter 09)."""

import asyncio
import os
import uuid
from typing import Any

from plugwire.wire import ErrorCode, RequestError
from plugwire_host.services.memory import files
from plugwire_host.services.memory.files import MemoryFiles
from plugwire_host.services.memory.ledger import MemoryLedger
from plugwire_host.services.memory.service import MemoryService
from plugwire_host.services.memory.transfers import Download, MemoryTransfers, Upload
from tests.conformance.mutants.rewriting import put, rewrite
from tests.conformance.mutants.vices import vice


@vice("host", "makes-a-memory-of-nothing", kills=("memory/create",), because="MEM-01")
def makes_a_memory_of_nothing() -> None:
    """A size of 0 is refused as late as by the file system."""
    rewrite(MemoryService, "_create", 'params.integer("size", 1, LARGEST)', 'params.integer("size", 0, LARGEST)')


@vice("host", "memory-handle-is-a-uuid", kills=("memory/handle",), because="MEM-02")
def memory_handle_is_a_uuid() -> None:
    good = MemoryLedger.open

    def open_one(self: Any, creator: Any, size: int) -> Any:
        memory = good(self, creator, size)
        del self._memories[memory.handle]
        memory.handle = f"mem_{uuid.uuid4().hex}"
        self._memories[memory.handle] = memory
        return memory

    put(MemoryLedger, "open", open_one)


@vice("host", "keeps-an-old-checksum", kills=("memory/attach",), because="MEM-11")
def keeps_an_old_checksum() -> None:
    rewrite(MemoryLedger, "commit", "memory.checksum = checksum", "memory.checksum = checksum or memory.checksum")


@vice("host", "lets-readers-see-twice", kills=("memory/attach",), because="MEM-10")
def lets_readers_see_twice() -> None:
    """Who attaches again is told the length of its first time."""
    good = MemoryService._attach
    lengths: dict[Any, int] = {}

    def attach(self: Any, call: Any) -> Any:
        answer = good(self, call)
        if answer["size"] == 20:
            answer["length"] = lengths.setdefault(call.participant, answer["length"])
        return answer

    put(MemoryService, "_attach", attach)


@vice("host", "makes-files-for-all-to-read", kills=("memory/file",), because="MEM-03")
def makes_files_for_all_to_read() -> None:
    rewrite(MemoryFiles, "create", "0o600", "0o644")


@vice("host", "sets-no-storage-aside", kills=("memory/storage",), because="MEM-04")
def sets_no_storage_aside() -> None:
    put(files, "_set_aside", os.ftruncate)


@vice("host", "does-not-count-readers", kills=("memory/quota",), because="MEM-05")
def does_not_count_readers() -> None:
    rewrite(MemoryLedger, "attach", "self._check_quota(holder, memory.size)", "pass")


@vice("host", "lets-readers-commit", kills=("memory/who-commits",), because="MEM-06")
def lets_readers_commit() -> None:
    rewrite(MemoryLedger, "commit", "holder is not memory.creator or holder not in", "holder not in")


@vice("host", "lets-a-creator-commit-for-ever", kills=("memory/who-commits",), because="MEM-06")
def lets_a_creator_commit_for_ever() -> None:
    rewrite(MemoryLedger, "commit", " or holder not in memory.holders", "")


@vice("host", "counts-refused-commits", kills=("memory/generation",), because="MEM-07")
def counts_refused_commits() -> None:
    rewrite(
        MemoryLedger,
        "commit",
        "if length > memory.size:",
        "memory.generation += length > memory.size\n    if length > memory.size:",
    )


@vice("host", "gives-out-what-was-not-committed", kills=("memory/nothing-committed",), because="MEM-08")
def gives_out_what_was_not_committed() -> None:
    """Who attaches too early gets the zeros as a first commit."""
    rewrite(
        MemoryLedger,
        "attach",
        "if memory.generation == 0:",
        "memory.generation = memory.generation or 1\n    if memory.generation == 0:",
    )


@vice("host", "knows-generations-to-come", kills=("memory/other-generation",), because="MEM-09")
def knows_generations_to_come() -> None:
    rewrite(MemoryLedger, "attach", "generation != memory.generation", "generation < memory.generation")


@vice("host", "says-denied-of-what-is-not-there", kills=("memory/unknown",), because="MEM-13")
def says_denied_of_what_is_not_there() -> None:
    good = MemoryLedger.commit

    def commit(self: Any, holder: Any, handle: str, *more: Any) -> Any:
        if handle not in self._memories:
            raise RequestError.of(ErrorCode.PERMISSION_DENIED, "it is not yours")
        return good(self, holder, handle, *more)

    put(MemoryLedger, "commit", commit)


@vice("host", "keeps-the-leases-of-the-dead", kills=("memory/lease-ends",), because="MEM-14")
def keeps_the_leases_of_the_dead() -> None:
    put(MemoryService, "left", lambda self, participant, reason: None)


@vice("host", "counts-a-lease-for-each-attach", kills=("memory/lease-ends",), because="MEM-14")
def counts_a_lease_for_each_attach() -> None:
    """A reader has to release as often as it has attached."""
    attach, release = MemoryLedger.attach, MemoryLedger.release
    counts: dict[Any, int] = {}

    def attached(self: Any, holder: Any, handle: str, generation: Any) -> Any:
        counts[holder, handle] = counts.get((holder, handle), 0) + 1
        return attach(self, holder, handle, generation)

    def released(self: Any, holder: Any, handle: str) -> Any:
        memory = self._memories.get(handle)
        if memory is not None and holder is not memory.creator and counts.get((holder, handle), 0) > 1:
            counts[holder, handle] -= 1
            return memory
        return release(self, holder, handle)

    put(MemoryLedger, "attach", attached)
    put(MemoryLedger, "release", released)


@vice("host", "never-makes-a-lease-endless", kills=("memory/lease-renewed",), because="MEM-15")
def never_makes_a_lease_endless() -> None:
    rewrite(
        MemoryService,
        "_attach",
        "self._set_time(memory, reader, lease_ms)",
        "lease_ms is None or self._set_time(memory, reader, lease_ms)",
    )


@vice("host", "tells-every-holder-of-a-lease", kills=("memory/released",), because="MEM-16")
def tells_every_holder_of_a_lease() -> None:
    rewrite(
        MemoryService,
        "_run_out",
        "holder.send_notification(",
        "for holder in (holder, *memory.holders): holder.send_notification(",
    )


@vice("host", "removes-files-later", kills=("memory/file-removed",), because="MEM-17")
def removes_files_later() -> None:
    rewrite(
        MemoryService,
        "_remove",
        "self._free(self._files.remove(memory.path))",
        "self._loop.call_later(0.2, lambda: self._free(self._files.remove(memory.path)))",
    )


@vice("host", "leaves-what-is-left-behind", kills=("memory/left-behind",), because="MEM-18")
def leaves_what_is_left_behind() -> None:
    put(files, "sweep", lambda root: None)


@vice("host", "releases-without-a-lease", kills=("memory/release-without-lease",), because="MEM-19")
def releases_without_a_lease() -> None:
    rewrite(
        MemoryLedger,
        "release",
        'raise invalid("$.memory", f"there is no lease on {handle} to release")',
        "return memory",
    )


@vice("host", "gives-a-path-to-everybody", kills=("memory/without-files",), because="MEM-20")
def gives_a_path_to_everybody() -> None:
    rewrite(
        MemoryService,
        "_attach",
        '{"channel": self._transfers.send(memory, reader)}',
        '{"path": memory.path, "channel": self._transfers.send(memory, reader)}',
    )


@vice("host", "commits-before-it-has-written", kills=("memory/chunks-written",), because="MEM-21")
def commits_before_it_has_written() -> None:
    """Chunks are written a little later, and the commit waits for none."""
    take = Upload._take

    def later(self: Any, item: Any) -> None:
        asyncio.get_running_loop().call_later(0.05, take, self, item)

    async def not_at_all(self: Any) -> None:
        pass

    put(Upload, "_take", later)
    put(Upload, "wait_written", not_at_all)


@vice("host", "reads-any-base64", kills=("memory/wrong-chunk",), because="MEM-22")
def reads_any_base64() -> None:
    rewrite(Upload, "_read", "strict_mode=True", "strict_mode=False")


@vice("host", "writes-past-the-end", kills=("memory/wrong-chunk",), because="MEM-22")
def writes_past_the_end() -> None:
    rewrite(Upload, "_read", "if offset + len(content) > self.memory.size:", "if False:")


@vice("host", "numbers-no-chunks", kills=("memory/chunks-read",), because="MEM-23")
def numbers_no_chunks() -> None:
    """Every chunk says that it is the first."""
    rewrite(Download, "_read_next", '"offset": self._read', '"offset": 0')


@vice("host", "goes-on-with-other-bytes", kills=("memory/stale-chunks",), because="MEM-24")
def goes_on_with_other_bytes() -> None:
    put(MemoryTransfers, "committed", lambda self, memory: None)


@vice("host", "ends-a-lease-and-sends-on", kills=("memory/stale-chunks",), because="MEM-24")
def ends_a_lease_and_sends_on() -> None:
    """What was begun is closed in order when the lease ends."""
    rewrite(
        MemoryTransfers,
        "end",
        'download.abandon(f"the lease on {memory.handle} is over: {why}")',
        "download._end.close()",
    )
