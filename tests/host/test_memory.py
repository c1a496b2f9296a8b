"""Shared memory between real plugins: what they read, what is left when they die, and who maps no files."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from plugwire import Context
from plugwire.memory import MemoryReleased
from plugwire.wire import ChannelClosed, Conflict
from plugwire_host import Host, PluginEnded, RequestError

from .support import LIMIT, PLUGINS, Watch, fails, relay, run

T = TypeVar("T")
MIB = 1 << 20
SHARES = [sys.executable, str(PLUGINS / "shares_memory.py")]


def own_folder() -> Path:
    """The folder of the host that runs in this process, which holds the lock in it."""
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            file = Path(os.readlink(f"/proc/self/fd/{number}"))
            if file.name == "lock" and file.parents[1].name.startswith(f"plugwire-{os.getuid()}"):
                return file.parent
    raise AssertionError("no host here has a folder for memory")


def files() -> list[Path]:
    """The files of its memories."""
    return [path for path in own_folder().iterdir() if path.name != "lock"]


def with_plugins(main: Callable[[Host], Awaitable[T]], *others: str) -> T:
    """A host with two plugins that map memory; each of ``others`` gets copies."""

    async def bounded() -> T:
        async with Host() as host:
            commands = {name: [*SHARES, name] for name in "ab"}
            commands |= {name: [*SHARES, name, "copies"] for name in others}
            await asyncio.gather(*(host.launch(name, command, restart="never") for name, command in commands.items()))
            result = await main(host)
            folder = own_folder()
        assert not folder.exists(), "something of the host has stayed"
        return result

    return run(bounded())


def crc_of(size: int, seed: int) -> int:
    return zlib.crc32((zlib.compress(bytes([seed])) * (size // 8 + 1))[:size])


# Writing and reading


@pytest.mark.requirement("MEM-02", "MEM-07", "MEM-10")
@pytest.mark.parametrize(("writer", "reader"), [("a", "b"), ("a", "copier"), ("copier", "b"), ("copier", "other")])
@pytest.mark.parametrize("size", [1, 4 * MIB + 3])
def test_one_plugin_reads_what_another_has_written(writer: str, reader: str, size: int) -> None:
    async def main(host: Host) -> tuple[Any, Any]:
        whole = await host.call(f"{writer}/write", {"size": size, "seed": 1, "checksum": True})
        part = await host.call(f"{writer}/write", {"size": size, "seed": 2, "length": size // 2})
        return await host.call(f"{reader}/read", {"data": whole}), await host.call(f"{reader}/read", {"data": part})

    whole, part = with_plugins(main, "copier", "other")
    assert whole == {"crc": crc_of(size, 1), "length": size, "generation": 1}
    first = (zlib.compress(b"\2") * (size // 8 + 1))[: size // 2]
    assert part == {"crc": zlib.crc32(first), "length": size // 2, "generation": 1}


@pytest.mark.requirement("MEM-20")
def test_the_application_writes_and_reads_as_plugins_do() -> None:
    async def main(host: Host) -> list[Any]:
        async with await host.create_memory(9) as memory:
            memory.view[:] = b"123456789"
            assert await memory.commit() == 1
            told = [await host.call(f"{name}/read", {"data": memory.reference}) for name in ("b", "copier")]
        reference = await host.call("a/write", {"size": 100, "seed": 3})
        async with await host.attach_memory(reference) as memory:
            told.append(zlib.crc32(memory.view))
        return told

    nine = {"crc": 0xCBF43926, "length": 9, "generation": 1}
    assert with_plugins(main, "copier") == [nine, nine, crc_of(100, 3)]


def test_a_reference_comes_back_as_a_result_on_behalf_of_a_request() -> None:
    async def main(host: Host) -> Any:
        @host.method("editor/render")
        async def render(ctx: Context, size: int) -> dict[str, str]:
            memory = await ctx.create_memory(size)
            memory.view[:] = bytes(size)
            await memory.commit()
            return memory.reference

        return await host.call("b/read", {"data": await host.call("editor/render", {"size": 5})})

    assert with_plugins(main) == {"crc": zlib.crc32(bytes(5)), "length": 5, "generation": 1}


@pytest.mark.requirement("MEM-01", "MEM-04")
def test_a_memory_may_be_as_large_as_a_gibibyte() -> None:
    async def main(host: Host) -> tuple[int, int]:
        async with await host.create_memory(1 << 30) as memory:
            memory.view[-4:] = b"last"
            await memory.commit()
            async with await host.attach_memory(memory.reference) as same:
                assert bytes(same.view[-5:]) == b"\0last"
            [file] = files()
            return file.stat().st_size, file.stat().st_blocks * 512

    assert with_plugins(main) == (1073741824, 1073741824)


@pytest.mark.requirement("MEM-08", "MEM-09", "MEM-12")
def test_a_reader_gets_no_generation_that_is_not_the_last() -> None:
    async def main(host: Host) -> list[Any]:
        reference = await host.call("a/create", {"size": 50})
        memory = reference["$memory"]
        told: list[Any] = [(await fails(host.call("b/keep", {"data": reference}))).args[0]]
        await host.call("a/overwrite", {"memory": memory, "seed": 1})
        await host.call("b/keep", {"data": reference})
        told.append(await host.call("b/again", {"memory": memory}))
        # The writer begins to write over what the reader still has.
        assert await host.call("a/overwrite", {"memory": memory, "seed": 2, "commit": False}) == 3
        torn = await fails(host.call("b/again", {"memory": memory}))
        assert isinstance(torn, Conflict)
        told.append(torn.data)
        # Nobody who comes meanwhile sees a byte of it.
        told.append((await host.call("b/read", {"data": reference}))["length"])
        assert await host.call("a/overwrite", {"memory": memory, "seed": 3}) == 5
        told.append(await host.call("b/read", {"data": reference}))
        return told

    first, *others = with_plugins(main)
    assert first.startswith("nothing was committed to mem_")
    assert others == [
        crc_of(50, 1),
        {"revision": 3},
        0,
        {"crc": crc_of(50, 3), "length": 50, "generation": 5},
    ]


@pytest.mark.requirement("MEM-11")
@pytest.mark.parametrize("reader", ["b", "copier"])
def test_bytes_that_do_not_fit_their_checksum_are_not_given_out(reader: str) -> None:
    async def main(host: Host) -> tuple[int, str]:
        reference = await host.call("a/write", {"size": 3 * MIB, "seed": 1, "checksum": True})
        await host.call(f"{reader}/read", {"data": reference})
        await host.call("a/scribble", {"memory": reference["$memory"]})
        error = await fails(host.call(f"{reader}/keep", {"data": reference}))
        assert isinstance(error, RequestError)
        # It has given its lease back.
        await host.call("a/release", {"memory": reference["$memory"]})
        while files():
            await asyncio.sleep(0)
        return error.code, error.message.replace(reference["$memory"], "M")

    assert with_plugins(main, "copier") == (-32022, "the bytes of M do not fit the checksum of commit 1")


def test_two_handlers_of_one_plugin_share_its_lease() -> None:
    async def main(host: Host) -> tuple[Any, Any]:
        reference = await host.call("a/write", {"size": 50, "seed": 1})
        await host.call("b/keep", {"data": reference})
        reads = await asyncio.gather(*(host.call("b/read", {"data": reference}) for _ in range(20)))
        assert [read["crc"] for read in reads] == [crc_of(50, 1)] * 20
        await host.call("a/release", {"memory": reference["$memory"]})
        assert len(files()) == 1
        kept = await host.call("b/again", {"memory": reference["$memory"]})
        await host.call("b/release", {"memory": reference["$memory"]})
        return kept, files()

    assert with_plugins(main) == (crc_of(50, 1), [])


@pytest.mark.requirement("MEM-24")
def test_a_copy_is_not_made_of_two_generations() -> None:
    async def main(host: Host) -> None:
        async with await host.create_memory(32 * MIB) as memory:
            memory.view[:] = b"a" * (32 * MIB)
            await memory.commit()
            reading = asyncio.ensure_future(host.call("copier/read", {"data": memory.reference}))
            while not host.plugins["copier"].in_flight:
                await asyncio.sleep(0)
            attached = await host.call("b/keep", {"data": memory.reference})
            assert attached == 32 * MIB
            await memory.rewrite()
            memory.view[:] = b"b" * (32 * MIB)
            error = await asyncio.gather(reading, return_exceptions=True)
            whole = {"crc": zlib.crc32(b"a" * (32 * MIB)), "length": 32 * MIB, "generation": 1}
            empty = {"crc": 0, "length": 0, "generation": 2}
            assert isinstance(error[0], ChannelClosed) or error[0] in (whole, empty)

    with_plugins(main, "copier")


# Those who speak the protocol without an SDK


def ask(method: str, **params: Any) -> dict[str, Any]:
    """Params for ``relay/call``."""
    return {"method": f"memory/{method}", "params": params}


@pytest.mark.requirement("MEM-20")
def test_a_plugin_without_the_capability_gets_a_channel_and_no_path() -> None:
    async def main(host: Host) -> list[Any]:
        await host.launch("raw", relay("raw"))
        made = await host.call("raw/call", ask("create", size=10))
        reference = await host.call("a/write", {"size": 100, "seed": 3})
        attached = await host.call("raw/call", ask("attach", memory=reference["$memory"]))
        assert [answer.pop("channel")[:3] for answer in (made, attached)] == ["ch_", "ch_"]
        assert made.pop("memory").startswith("mem_")
        return [made, attached]

    assert with_plugins(main) == [
        {"size": 10, "generation": 0},
        {"size": 100, "length": 100, "generation": 1},
    ]


@pytest.mark.requirement("MEM-06", "MEM-13", "MEM-19")
def test_whoever_breaks_the_rules_is_refused_and_others_go_on() -> None:
    async def main(host: Host) -> list[int]:
        await host.launch("raw", relay("raw"))
        reference = await host.call("a/write", {"size": 100, "seed": 3})
        memory = reference["$memory"]
        codes = []
        for params in (
            ask("commit", memory=memory, length=1),
            ask("release", memory=memory),
            ask("attach", memory="../../x"),
            ask("attach", memory=memory, generation=7),
            ask("attach", memory=memory, generation=-1),
            ask("create", size=1 << 62),
            ask("create"),
            ask("nothing"),
        ):
            error = await fails(host.call("raw/call", params))
            assert isinstance(error, RequestError)
            codes.append(error.code)
        assert (await host.call("b/read", {"data": reference}))["crc"] == crc_of(100, 3)
        return codes

    assert with_plugins(main) == [-32014, -32602, -32602, -32022, -32602, -32602, -32602, -32601]


# The end of a lease


@pytest.mark.requirement("MEM-14", "MEM-17")
@pytest.mark.parametrize("writer", ["a", "copier"])
def test_the_file_of_a_killed_writer_stays_until_its_reader_is_done(writer: str) -> None:
    async def main(host: Host) -> tuple[Any, int]:
        watch = Watch(host)
        shared = await host.call(f"{writer}/write", {"size": 50, "seed": 1})
        await host.call(f"{writer}/create", {"size": 60})
        await host.call("b/keep", {"data": shared})
        assert len(files()) == 2
        os.kill(host.plugins[writer].pid or 0, signal.SIGKILL)
        await watch.event(PluginEnded, writer)
        assert len(files()) == 1
        kept = await host.call("b/again", {"memory": shared["$memory"]})
        await host.call("b/release", {"memory": shared["$memory"]})
        return kept, len(files())

    assert with_plugins(main, "copier") == (crc_of(50, 1), 0)


@pytest.mark.requirement("MEM-14", "MEM-17")
@pytest.mark.parametrize("reader", ["b", "copier"])
def test_the_lease_of_a_killed_reader_is_over(reader: str) -> None:
    async def main(host: Host) -> int:
        watch = Watch(host)
        shared = await host.call("a/write", {"size": 50, "seed": 1})
        await host.call(f"{reader}/keep", {"data": shared})
        await host.call("a/release", {"memory": shared["$memory"]})
        assert len(files()) == 1
        os.kill(host.plugins[reader].pid or 0, signal.SIGKILL)
        await watch.event(PluginEnded, reader)
        return len(files())

    assert with_plugins(main, "copier") == 0


@pytest.mark.requirement("MEM-16")
def test_a_memory_whose_time_is_over_cannot_be_used_by_mistake() -> None:
    async def main(host: Host) -> str:
        memory = await host.create_memory(10, lease=0.01)
        view = memory.view
        while True:
            try:
                assert len(memory.view) == 10
            except MemoryReleased as error:
                view[0] = 1  # what was taken before is still there
                await memory.release()
                return str(error).replace(memory.handle, "M")
            await asyncio.sleep(0)

    assert with_plugins(main) == "the memory M cannot be used any more: its time of 10 ms is over"


@pytest.mark.requirement("MEM-14", "MEM-17")
@pytest.mark.parametrize("option", ["many", "single"])
def test_what_a_cancelled_request_has_made_is_removed(option: str) -> None:
    async def main(host: Host) -> None:
        watch = Watch(host)
        await host.launch("parked", relay("parked"))
        await host.launch("c", [*SHARES, "c", option])
        call = asyncio.ensure_future(host.call("c/hold_in_vain", {"size": 10}))
        await watch.log("c", "mem_")
        await watch.log("parked", "holding")
        assert len(files()) == 1
        call.cancel()
        while files():
            await asyncio.sleep(0)

    with_plugins(main)


# The end of the host

KILLED_HOST = """
import asyncio
from plugwire_host import Host
async def main():
    async with Host() as host:
        made = await host.call("memory/create", {"size": 1000})
        print(made["path"], flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.requirement("MEM-18")
def test_after_a_host_was_killed_the_next_one_clears_up() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED_HOST], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        assert select.select([killed.stdout], [], [], LIMIT)[0]
        left = Path(killed.stdout.readline().strip())
        assert left.stat().st_size == 1000
        killed.kill()
        killed.wait(LIMIT)

    async def main(host: Host) -> bool:
        await host.call("a/create", {"size": 10})
        return left.parent.exists()

    assert with_plugins(main) is False
