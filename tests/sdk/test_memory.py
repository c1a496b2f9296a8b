"""Shared memory as the author of a plugin sees it; the host is a test that answers, the files are real."""

import asyncio
import base64
import gc
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugwire import ConnectionClosed, InvalidParams, Plugin
from plugwire.memory import Memory, MemoryReleased
from plugwire.memory_content import MemoryUnreachable
from plugwire.testing import TestHost, connect
from plugwire.wire import ChannelClosed, Conflict, RemoteProtocolError, RequestError

from .helpers import run

HANDLE = "mem_0123456789abcdef0123456789abcdef"


class Files:
    """A host with one memory. ``calls`` are the calls of the plugin: the last part of the method, and the params."""

    def __init__(self, host: TestHost, folder: Path) -> None:
        self.host = host
        self.file = folder / "file"
        self.generation = 0
        self.length = 0
        self.more: dict[str, Any] = {}
        for method in ("create", "attach", "commit", "release"):
            host.serve(f"memory/{method}", getattr(self, f"_{method}"))

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        return [(call.method.rpartition("/")[2], call.params) for call in self.host.calls]

    def _create(self, params: dict[str, Any]) -> dict[str, Any]:
        self.file.write_bytes(bytes(params["size"]))
        return {"memory": HANDLE, "path": str(self.file), "size": params["size"], "generation": 0}

    def _commit(self, params: dict[str, Any]) -> dict[str, Any]:
        self.generation += 1
        self.length = params["length"]
        self.more = {"checksum": params["checksum"]} if "checksum" in params else {}
        return {"generation": self.generation}

    def _attach(self, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("generation", self.generation) != self.generation:
            raise Conflict("it is another one", data={"revision": self.generation})
        size = self.file.stat().st_size if self.file.exists() else 1
        told = {"path": str(self.file), "size": size, "length": self.length, "generation": self.generation}
        return {**told, **self.more}

    def _release(self, params: dict[str, Any]) -> None:
        return None


def with_host(folder: Path, main: Callable[[Plugin, Files], Awaitable[None]]) -> None:
    """A plugin that is connected to such a host."""

    async def conversation() -> None:
        plugin = Plugin("painter", version="1.0.0")
        async with connect(plugin) as host:
            await host.call("ping")
            await main(plugin, Files(host, folder))

    run(conversation())


@pytest.mark.requirement("MEM-12")
def test_a_creator_writes_and_commits(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        async with await plugin.create_memory(10, lease=1.5) as memory:
            assert memory.reference == {"$memory": HANDLE}
            assert (memory.size, memory.length, memory.generation) == (10, 0, 0)
            memory.view[2:7] = b"hello"
            assert files.file.read_bytes() == b"\0\0hello\0\0\0"
            assert await memory.commit(7, checksum=True) == 1
            assert (memory.length, memory.generation) == (7, 1)
            await memory.rewrite()
            memory.view[:] = b"0123456789"
            await memory.commit()
        assert files.calls == [
            ("create", {"size": 10, "leaseMs": 1500}),
            ("commit", {"memory": HANDLE, "length": 7, "checksum": "crc32:6d5e8ee5"}),
            ("commit", {"memory": HANDLE, "length": 0}),
            ("commit", {"memory": HANDLE, "length": 10}),
            ("release", {"memory": HANDLE}),
        ]

    assert zlib.crc32(b"\0\0hello") == 0x6D5E8EE5
    with_host(tmp_path, main)


@pytest.mark.parametrize("looked_at", [False, True])
def test_bytes_are_written_at_an_offset_whether_or_not_the_memory_is_mapped(tmp_path: Path, looked_at: bool) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        memory = await plugin.create_memory(10)
        if looked_at:
            assert bytes(memory.view) == bytes(10)
        memory.write(b"hello", 2)
        memory.write(bytearray(b"!"), 9)
        memory.write(np.array([0x4142], dtype=np.uint16), 0)  # type: ignore[arg-type]
        memory.write(b"", 10)
        assert files.file.read_bytes() == b"BAhello\0\0!"
        assert bytes(memory.view) == b"BAhello\0\0!"
        memory.write(b"?", 8)
        assert files.file.read_bytes() == b"BAhello\0?!"
        await memory.release()
        with pytest.raises(MemoryReleased, match="it was released"):
            memory.write(b"x")

    with_host(tmp_path, main)


@pytest.mark.parametrize(("size", "offset"), [(11, 0), (1, 10), (1, -1), (0, 11), (1, 2**70)])
def test_nothing_is_written_past_the_ends(tmp_path: Path, size: int, offset: int) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        memory = await plugin.create_memory(10)
        with pytest.raises(ValueError, match=f"{size} bytes at {offset} do not fit into a memory of 10"):
            memory.write(b"x" * size, offset)
        assert files.file.read_bytes() == bytes(10)
        await memory.release()

    with_host(tmp_path, main)


def test_only_the_creator_writes(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        async with await plugin.create_memory(10) as memory:
            await memory.commit()
            reader = await plugin.attach_memory(memory.reference)
            with pytest.raises(TypeError, match="only the creator of a memory writes"):
                reader.write(b"x")
            await reader.release()
        assert files.file.read_bytes() == bytes(10)

    with_host(tmp_path, main)


@pytest.mark.requirement("MEM-10", "MEM-12")
def test_a_reader_sees_what_is_committed_and_cannot_write(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        files.file.write_bytes(b"0123456789")
        files.generation, files.length = 3, 4
        memory = await plugin.attach_memory({"$memory": HANDLE})
        assert bytes(memory.view) == b"0123"
        assert (memory.size, memory.length, memory.generation) == (10, 4, 3)
        with pytest.raises(TypeError, match="read-only"):
            memory.view[0] = 1
        await memory.verify()
        files.generation = 4
        with pytest.raises(Conflict) as caught:
            await memory.verify()
        assert caught.value.data == {"revision": 4}
        await memory.release()
        # Nothing is committed any more, and nothing can be mapped of it.
        files.length = 0
        async with await plugin.attach_memory(HANDLE) as empty:
            assert bytes(empty.view) == b""
            assert empty.array("u1").shape == (0,)
        assert files.calls == [
            ("attach", {"memory": HANDLE}),
            ("attach", {"memory": HANDLE, "generation": 3}),
            ("attach", {"memory": HANDLE, "generation": 3}),
            ("release", {"memory": HANDLE}),
            ("attach", {"memory": HANDLE}),
            ("release", {"memory": HANDLE}),
        ]

    with_host(tmp_path, main)


def test_a_lease_with_a_time_keeps_it_when_it_is_verified(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        memory = await plugin.create_memory(1, lease=2)
        await memory.commit()
        await memory.verify()
        assert files.calls[-1] == ("attach", {"memory": HANDLE, "generation": 1, "leaseMs": 2000})

    with_host(tmp_path, main)


@pytest.mark.requirement("MEM-11")
def test_a_checksum_that_does_not_fit_gives_nothing_to_read(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        files.file.write_bytes(b"123456789")
        files.generation, files.length = 1, 9
        for checksum in ("crc32:cbf43926", "crc32:cbf43927", "md5:1"):
            files.more = {"checksum": checksum}
            if checksum == "crc32:cbf43926":
                memory = await plugin.attach_memory(HANDLE)
                assert bytes(memory.view) == b"123456789"
            else:
                with pytest.raises(Conflict, match="do not fit the checksum of commit 1"):
                    await plugin.attach_memory(HANDLE)
        assert [method for method, _ in files.calls] == ["attach"] * 3, "the first one still uses the lease"

    with_host(tmp_path, main)


def test_a_length_that_there_is_not_is_not_committed(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        memory = await plugin.create_memory(10)
        for length in (-1, 11):
            with pytest.raises(ValueError, match=f"{length} bytes cannot be committed of 10"):
                await memory.commit(length)
        assert files.calls == [("create", {"size": 10})]

    with_host(tmp_path, main)


@pytest.mark.parametrize("reference", [None, 5, {}, {"$memory": 5}, {"$channel": "ch_1"}, ["mem_1"]])
def test_what_is_no_reference_is_said_at_once(tmp_path: Path, reference: Any) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        with pytest.raises(TypeError, match=r'a reference to a memory is \{"\$memory": handle\} or the handle, and '):
            await plugin.attach_memory(reference)
        assert files.calls == []

    with_host(tmp_path, main)


# Arrays


def test_an_array_is_no_copy(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        memory = await plugin.create_memory(26)
        pixels = memory.array(np.uint16, (3, 4))
        pixels[1, 2] = 0x1234
        assert files.file.read_bytes()[12:14] == (0x1234).to_bytes(2, "little")
        assert memory.array("<u4").shape == (6,)
        await memory.commit()
        reader = await plugin.attach_memory(memory.reference)
        assert reader.array(np.uint16, (3, 4))[1, 2] == 0x1234
        assert not reader.array("u1").flags.writeable
        assert np.shares_memory(memory.array("u1"), pixels)
        with pytest.raises(ValueError, match="buffer is smaller"):
            memory.array(np.uint8, 27)

    with_host(tmp_path, main)


def test_what_looks_at_a_memory_outlives_its_release_and_keeps_nothing_else(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        memory = await plugin.create_memory(8)
        memory.view[:] = b"12345678"
        numbers, view = memory.array("u1"), memory.view[2:4]
        await memory.release()
        files.file.unlink()
        assert bytes(numbers) == b"12345678"
        assert bytes(view) == b"34"
        maps = Path("/proc/self/maps")
        assert not maps.exists() or str(files.file) in maps.read_text()
        del numbers, view
        gc.collect()
        assert not maps.exists() or str(files.file) not in maps.read_text()

    with_host(tmp_path, main)


def test_a_released_memory_says_so(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        memory = await plugin.create_memory(8)
        await memory.release()
        await memory.release()
        for use in (memory.commit, memory.rewrite, memory.verify):
            with pytest.raises(MemoryReleased, match="it was released"):
                await use()
        for look in (lambda: memory.view, lambda: memory.array("u1")):
            with pytest.raises(MemoryReleased, match=f"the memory {HANDLE} cannot be used any more: it was released"):
                look()
        assert [method for method, _ in files.calls] == ["create", "release"]

    with_host(tmp_path, main)


# Leases


@pytest.mark.requirement("MEM-16")
def test_a_lease_that_the_host_has_ended_is_over_here_too(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        files.file.write_bytes(b"12")
        files.generation, files.length = 1, 2
        first, second = await plugin.attach_memory(HANDLE), await plugin.attach_memory(HANDLE)
        odd: Any
        for odd in (None, {}, {"memory": []}, {"memory": "mem_" + "0" * 32, "reason": "another"}):
            files.host.notify("memory/released", odd)
        files.host.notify("memory/released", {"memory": HANDLE, "reason": "its time of 5 ms is over"})
        await files.host.call("ping")
        await asyncio.sleep(0)
        for memory in (first, second):
            with pytest.raises(MemoryReleased, match="its time of 5 ms is over"):
                _ = memory.view
            await memory.release()
        assert [method for method, _ in files.calls] == ["attach", "attach"]

    with_host(tmp_path, main)


def test_one_lease_serves_all_who_use_it_here(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        files.file.write_bytes(b"12")
        files.generation, files.length = 1, 2
        first, second = await asyncio.gather(plugin.attach_memory(HANDLE), plugin.attach_memory(HANDLE))
        await first.release()
        third = await plugin.attach_memory(HANDLE)
        await second.release()
        assert bytes(third.view) == b"12"
        assert "release" not in [method for method, _ in files.calls]
        await third.release()
        assert [method for method, _ in files.calls] == ["attach", "attach", "attach", "release"]

    with_host(tmp_path, main)


def test_a_lease_is_not_given_back_while_somebody_here_is_about_to_have_it(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        files.file.write_bytes(b"12")
        files.generation, files.length = 1, 2
        first = await plugin.attach_memory(HANDLE)
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def late(params: dict[str, Any]) -> Any:
            begun.set()
            await go_on.wait()
            return files._attach(params)

        files.host.serve("memory/attach", late)
        second = asyncio.ensure_future(plugin.attach_memory(HANDLE))
        await begun.wait()
        await first.release()
        assert [method for method, _ in files.calls] == ["attach", "attach"]
        go_on.set()
        await (await second).release()
        assert [method for method, _ in files.calls] == ["attach", "attach", "release"]

    with_host(tmp_path, main)


def test_a_lease_that_was_over_already_can_be_given_back(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        def refuse(params: dict[str, Any]) -> None:
            raise InvalidParams("there is no lease on it")

        files.host.serve("memory/release", refuse)
        async with await plugin.create_memory(1):
            pass
        assert [method for method, _ in files.calls] == ["create", "release"]

    with_host(tmp_path, main)


def test_an_attach_that_fails_does_not_end_the_lease_of_others_nor_leave_one(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        files.file.write_bytes(b"12")
        files.generation, files.length = 1, 2
        memory = await plugin.attach_memory(HANDLE)
        files.more = {"checksum": "crc32:00000000"}
        with pytest.raises(Conflict):
            await plugin.attach_memory(HANDLE)
        await asyncio.sleep(0)
        assert [method for method, _ in files.calls] == ["attach", "attach"]
        await memory.release()
        with pytest.raises(Conflict):
            await plugin.attach_memory(HANDLE)
        await until(lambda: len(files.calls) == 5)
        assert [method for method, _ in files.calls] == ["attach", "attach", "release", "attach", "release"]

    with_host(tmp_path, main)


def test_where_the_host_refuses_there_is_nothing_to_give_back(tmp_path: Path) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        def refuse(params: dict[str, Any]) -> None:
            raise InvalidParams("there is no memory")

        for method in ("attach", "create"):
            files.host.serve(f"memory/{method}", refuse)
        with pytest.raises(InvalidParams):
            await plugin.attach_memory(HANDLE)
        with pytest.raises(InvalidParams):
            await plugin.create_memory(1)
        await files.host.call("ping")
        assert [method for method, _ in files.calls] == ["attach", "create"]

    with_host(tmp_path, main)


@pytest.mark.parametrize("method", ["create", "attach"])
def test_a_lease_that_comes_too_late_is_given_back(tmp_path: Path, method: str) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()
        answer = getattr(files, f"_{method}")

        async def late(params: dict[str, Any]) -> Any:
            begun.set()
            with suppress(asyncio.CancelledError):  # too late: it has just been answered
                await go_on.wait()
            return answer(params)

        files.file.write_bytes(b"1")
        files.host.serve(f"memory/{method}", late)
        memory = plugin.create_memory(1) if method == "create" else plugin.attach_memory(HANDLE)
        task = asyncio.ensure_future(memory)
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await until(lambda: len(files.calls) == 2)
        assert files.calls[1] == ("release", {"memory": HANDLE})

    with_host(tmp_path, main)


async def until(condition: Callable[[], bool]) -> None:
    """Turns of the loop, bounded by the whole conversation."""
    while not condition():
        await asyncio.sleep(0)


def test_releasing_at_the_end_of_the_connection_is_no_error(tmp_path: Path) -> None:
    async def conversation() -> None:
        plugin = Plugin("painter", version="1.0.0")
        kept: list[Memory] = []
        async with connect(plugin) as host:
            await host.call("ping")
            files = Files(host, tmp_path)
            kept.append(await plugin.create_memory(2))
            assert files.calls == [("create", {"size": 2})]
        assert bytes(kept[0].view) == b"\0\0"
        await kept[0].release()
        with pytest.raises(ConnectionClosed):
            await plugin.create_memory(2)

    run(conversation())


# Files that cannot be mapped


@pytest.mark.parametrize(
    ("vice", "why"),
    [
        ("missing", r"cannot be opened here: No such file .*says so with Plugin\(\.\.\., shared_memory=False\)"),
        ("link", "cannot be opened here: Too many levels of symbolic links"),
        ("short", "is shorter than the 4096 bytes that it should have"),
    ],
)
def test_a_file_that_is_not_as_the_host_says_does_not_end_the_plugin(tmp_path: Path, vice: str, why: str) -> None:
    async def main(plugin: Plugin, files: Files) -> None:
        files.generation, files.length = 1, 4096
        if vice == "link":
            (tmp_path / "other").write_bytes(bytes(4096))
            files.file.symlink_to(tmp_path / "other")
        elif vice == "short":
            files.file.write_bytes(bytes(4095))
        with pytest.raises(MemoryUnreachable, match=why):
            await plugin.attach_memory(HANDLE)
        await until(lambda: len(files.calls) == 2)
        assert files.calls[1] == ("release", {"memory": HANDLE})

    with_host(tmp_path, main)


# Copies


class Chunks:
    """A host that gives and takes chunks. ``most`` is the largest item of a channel, in bytes."""

    def __init__(self, host: TestHost, most: int = 400_000) -> None:
        self.host = host
        self.most = most
        self.items: list[Any] = []
        host.serve("memory/create", lambda params: {"memory": HANDLE, "channel": "ch_1", "size": params["size"],
                                                    "generation": 0})  # fmt: skip
        host.serve("memory/commit", self._commit)
        host.serve("memory/release", lambda params: None)
        host.serve("channel/join", self._join)
        host.serve("channel/leave", lambda params: None)

    def _join(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"credit": {"items": 1000, "bytes": 1 << 30}, "maxItemBytes": self.most, "redeliver": False}

    def _commit(self, params: dict[str, Any]) -> dict[str, Any]:
        sent = [told for method, told in self.host.notifications if method == "channel/send"]
        self.items = [item for told in sent for item in told["items"]]
        return {"generation": 1}

    def offer(self, chunks: list[Any], length: int, error: str | None = None) -> None:
        """What an attach answers, and what comes after it."""

        def attach(params: dict[str, Any]) -> dict[str, Any]:
            return {"channel": "ch_2", "size": 100, "length": length, "generation": 1}

        def join(params: dict[str, Any]) -> dict[str, Any]:
            self._sending = asyncio.ensure_future(self._send(chunks, error))
            return self._join(params)

        self.host.serve("memory/attach", attach)
        self.host.serve("channel/join", join)

    async def _send(self, chunks: list[Any], error: str | None) -> None:
        await self.host.call("ping")  # the answer to the join goes first
        self.host.notify("channel/deliver", {"channel": "ch_2", "seq": 1, "items": chunks})
        told = {} if error is None else {"error": {"message": error}}
        self.host.notify("channel/closed", {"channel": "ch_2", "role": "consumer", **told})


def with_chunks(main: Callable[[Plugin, Chunks], Awaitable[None]], most: int = 400_000) -> None:
    async def conversation() -> None:
        plugin = Plugin("painter", version="1.0.0", shared_memory=False)
        async with connect(plugin) as host:
            assert host.initialize_result["capabilities"]["memory"] is False
            await host.call("ping")
            await main(plugin, Chunks(host, most))

    run(conversation())


def chunk(offset: int, content: bytes) -> dict[str, Any]:
    return {"offset": offset, "data": base64.b64encode(content).decode()}


@pytest.mark.requirement("MEM-21")
@pytest.mark.parametrize(("most", "pieces"), [(400_000, 3), (4000, 204)])
def test_a_creator_that_maps_no_files_sends_what_it_commits_before_the_commit(most: int, pieces: int) -> None:
    content = bytes(range(256)) * 2344  # 600064 bytes

    async def main(plugin: Plugin, chunks: Chunks) -> None:
        memory = await plugin.create_memory(len(content) + 100)
        memory.write(content[:1000])
        memory.view[1000:2000] = content[1000:2000]
        memory.write(content[2000:], 2000)
        assert await memory.commit(len(content)) == 1
        assert len(chunks.items) == pieces
        assert b"".join(base64.b64decode(item["data"]) for item in chunks.items) == content
        ends = [0]
        for item in chunks.items:
            assert item["offset"] == ends[-1]
            ends.append(ends[-1] + len(base64.b64decode(item["data"])))
        await memory.release()

    with_chunks(main, most)


def test_a_reader_that_maps_no_files_gets_a_copy() -> None:
    async def main(plugin: Plugin, chunks: Chunks) -> None:
        chunks.offer([chunk(0, b"123456"), chunk(6, b""), chunk(6, b"789")], 9)
        async with await plugin.attach_memory(HANDLE) as memory:
            assert bytes(memory.view) == b"123456789"
            assert memory.view.readonly
            await memory.verify()

    with_chunks(main)


@pytest.mark.requirement("MEM-23", "MEM-24")
@pytest.mark.parametrize(
    ("chunks", "error", "raised", "why"),
    [
        ([chunk(0, b"12345")], None, RemoteProtocolError, "5 of 9 bytes came"),
        ([chunk(1, b"12345")], None, RemoteProtocolError, "a chunk at 1 came where one at 0 was expected"),
        ([chunk(0, b"1234567890")], None, RemoteProtocolError, "a chunk at 0 goes past the 9 bytes"),
        ([{"offset": 0, "data": "?"}], None, RemoteProtocolError, "what came is no chunk"),
        ([{"data": ""}], None, RemoteProtocolError, "what came is no chunk"),
        ([5], None, RemoteProtocolError, "what came is no chunk"),
        ([chunk(0, b"12345")], "it was committed again", ChannelClosed, "it was committed again"),
    ],
)
def test_bytes_that_do_not_come_as_they_should_are_not_given_out(
    chunks: list[Any], error: str | None, raised: type[Exception], why: str
) -> None:
    async def main(plugin: Plugin, host: Chunks) -> None:
        host.offer(chunks, 9, error)
        with pytest.raises(raised, match=why):
            await plugin.attach_memory(HANDLE)
        await until(lambda: any(call.method == "memory/release" for call in host.host.calls))

    with_chunks(main)


def test_what_the_host_has_refused_is_told_to_whoever_sends() -> None:
    async def main(plugin: Plugin, chunks: Chunks) -> None:
        def refuse(params: dict[str, Any]) -> None:
            raise RequestError("no", code=-32014)

        chunks.host.serve("channel/join", refuse)
        memory = await plugin.create_memory(10)
        with pytest.raises(RequestError, match="-32014"):
            await memory.commit()
        await memory.release()

    with_chunks(main)
