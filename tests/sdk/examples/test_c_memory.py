"""The plugin in C that reads shared memory: what a host shares with it, and what it makes of a host's odd answers."""

import asyncio
import subprocess
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from plugwire_host import Host, RequestError

from .conftest import require_tools
from .driver import WAIT, Conversation
from .subjects import ALIVE, EXAMPLES, INITIALIZED, PING_ALIVE, C, initialize, request

FOLDER = EXAMPLES / "c-memory"
SHARER = [sys.executable, str(Path(__file__).parents[2] / "plugins" / "shares_memory.py"), "python"]
HANDLE = "mem_0123456789abcdef0123456789abcdef"
T = TypeVar("T")


@pytest.fixture(scope="session")
def bytes_binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_tools(C)
    binary = tmp_path_factory.mktemp("c-memory") / "bytes"
    command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-o", str(binary), str(FOLDER / "bytes.c")]
    subprocess.run(command, check=True, timeout=6 * WAIT)
    return binary


# With a host


def with_both(binary: Path, main: Callable[[Host], Awaitable[T]]) -> T:
    """A host with the plugin in C, and one in Python that shares memory."""

    async def bounded() -> T:
        async with asyncio.timeout(3 * WAIT), Host() as host:
            await host.launch("bytes", [str(binary)])
            await host.launch("python", SHARER)
            return await main(host)

    return asyncio.run(bounded())


def test_it_is_built_as_its_manifest_says(tmp_path: Path, bytes_binary: Path) -> None:
    assert (FOLDER / "plugin.toml").read_text("utf-8").splitlines()[4] == 'command = ["./bytes"]'
    assert "-o bytes bytes.c" in (FOLDER / "build.sh").read_text("utf-8")


def test_c_reads_what_python_has_written(bytes_binary: Path) -> None:
    async def main(host: Host) -> list[Any]:
        results = []
        for size in (1, 4096, 1_000_003):
            reference = await host.call("python/write", {"size": size, "seed": 7, "checksum": True})
            results.append(await host.call("bytes/crc32", {"data": reference}))
            results.append(await host.call("python/read", {"data": reference}))
            await host.call("python/release", {"memory": reference["$memory"]})
        return results

    told = with_both(bytes_binary, main)
    assert [(c["bytes"], int(c["crc32"], 16)) for c in told[::2]] == [(p["length"], p["crc"]) for p in told[1::2]]
    assert [c["bytes"] for c in told[::2]] == [1, 4096, 1_000_003]


def test_c_reads_what_the_application_has_committed_and_no_more(bytes_binary: Path) -> None:
    async def main(host: Host) -> list[Any]:
        async with await host.create_memory(100) as memory:
            memory.view[:9] = b"123456789"
            await memory.commit(9)
            nine = await host.call("bytes/crc32", {"data": memory.reference})
            await memory.rewrite()
            return [nine, await host.call("bytes/crc32", {"data": memory.reference})]

    assert with_both(bytes_binary, main) == [{"crc32": "cbf43926", "bytes": 9}, {"crc32": "00000000", "bytes": 0}]


@pytest.mark.requirement("MEM-11")
def test_c_refuses_bytes_that_do_not_fit_their_checksum(bytes_binary: Path) -> None:
    async def main(host: Host) -> tuple[int, str]:
        reference = await host.call("python/write", {"size": 100, "seed": 7, "checksum": True})
        await host.call("python/scribble", {"memory": reference["$memory"]})
        with pytest.raises(RequestError) as caught:
            await host.call("bytes/crc32", {"data": reference})
        return caught.value.code, caught.value.message

    assert with_both(bytes_binary, main) == (1, "the bytes do not fit the checksum of their commit")


def test_c_says_so_when_there_is_nothing_to_read(bytes_binary: Path) -> None:
    async def main(host: Host) -> list[int]:
        codes = []
        uncommitted = await host.call("python/create", {"size": 10})
        for data in (uncommitted, {"$memory": HANDLE}, {"$memory": "../../etc/passwd"}, "mem_", None):
            with pytest.raises(RequestError) as caught:
                await host.call("bytes/crc32", {"data": data})
            codes.append(caught.value.code)
        return codes

    assert with_both(bytes_binary, main) == [-32602] * 5


# By hand


@pytest.fixture
def plugin(bytes_binary: Path) -> Iterator[Conversation]:
    with Conversation([str(bytes_binary)], FOLDER, "header") as conversation:
        conversation.send(initialize(), INITIALIZED)
        assert conversation.read_message()["result"]["capabilities"] == {"memory": True}
        yield conversation


def ask(plugin: Conversation) -> None:
    plugin.send(request("q", "bytes/crc32", data={"$memory": HANDLE}))


def call_of(plugin: Conversation) -> tuple[int, str, Any]:
    """The plugin's next call to the host."""
    message = plugin.read_message()
    return message["id"], message["method"], message["params"]


def answer(plugin: Conversation, number: int, **outcome: Any) -> None:
    plugin.send({"jsonrpc": "2.0", "id": number, **outcome})


def test_the_calls_that_it_makes(plugin: Conversation, tmp_path: Path) -> None:
    file = tmp_path / 'é "quoted"'
    file.write_bytes(b"123456789 and more")
    ask(plugin)
    assert call_of(plugin) == (1, "memory/attach", {"memory": HANDLE})
    answer(plugin, 1, result={"path": str(file), "size": 18, "length": 9, "generation": 4})
    assert call_of(plugin) == (2, "memory/attach", {"memory": HANDLE, "generation": 4})
    answer(plugin, 2, result={"path": str(file), "size": 18, "length": 9, "generation": 4})
    assert call_of(plugin) == (3, "memory/release", {"memory": HANDLE})
    answer(plugin, 3, result=None)
    assert plugin.read_answer() == '{"id":"q","result":{"bytes":9,"crc32":"cbf43926"}}'


@pytest.mark.requirement("MEM-12")
def test_bytes_that_were_written_over_meanwhile_are_not_believed(plugin: Conversation, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"123456789")
    ask(plugin)
    call_of(plugin)
    answer(plugin, 1, result={"path": str(tmp_path / "x"), "size": 9, "length": 9, "generation": 1})
    call_of(plugin)
    answer(plugin, 2, error={"code": -32022, "message": "gone", "data": {"revision": 2}})
    assert call_of(plugin)[1] == "memory/release"
    answer(plugin, 3, result=None)
    assert plugin.read_answer() == '{"code":1,"id":"q"}'


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (-32603, {}),
        (-32603, {"path": 5, "length": 1, "generation": 1}),
        (-32603, {"path": "/nowhere", "length": 1, "generation": 1}),
        (-32603, {"path": "/dev/null", "length": 1, "generation": 1}),
        (-32603, {"path": "/dev/null", "length": -1, "generation": 1}),
        (-32603, {"path": "/dev/null\0", "length": 0, "generation": 1}),
        (-32603, {"path": "/" * 5000, "length": 0, "generation": 1}),
        (-32603, {"path": "/proc/self/fd", "length": 9007199254740991, "generation": 1}),
        (-32603, {"channel": "ch_1", "length": 1, "generation": 1}),
        (1, {"path": "/dev/null", "length": 0, "generation": 1, "checksum": "crc32:00000001"}),
    ],
)
def test_an_odd_answer_of_the_host_is_no_reason_to_crash(plugin: Conversation, code: int, result: Any) -> None:
    ask(plugin)
    call_of(plugin)
    answer(plugin, 1, result=result)
    assert call_of(plugin) == (2, "memory/release", {"memory": HANDLE})
    answer(plugin, 2, error={"code": -32602, "message": "no lease"})
    assert plugin.read_answer() == f'{{"code":{code},"id":"q"}}'
    plugin.send(PING_ALIVE)
    assert plugin.read_answer() == ALIVE


@pytest.mark.requirement("MSG-19", "CAL-14")
def test_answers_that_it_does_not_wait_for_and_requests_that_are_too_many(plugin: Conversation) -> None:
    answer(plugin, 1, result={})
    ask(plugin)
    call_of(plugin)
    for number in (0, 2, "1", None):
        answer(plugin, number, result={})  # type: ignore[arg-type]
    ask(plugin)
    assert plugin.read_answer() == '{"code":-32013,"data":{"limit":1},"id":"q"}'
    answer(plugin, 1, error={"code": -32602, "message": "there is no memory"})
    assert plugin.read_answer() == '{"code":-32602,"id":"q"}'
    answer(plugin, 1, result={})
    plugin.send(PING_ALIVE)
    assert plugin.read_answer() == ALIVE


@pytest.mark.requirement("LIF-13")
def test_what_is_under_way_ends_with_a_shutdown(plugin: Conversation) -> None:
    ask(plugin)
    call_of(plugin)
    plugin.send(request(9, "shutdown"), {"jsonrpc": "2.0", "method": "exit"})
    assert plugin.read_answer() == '{"code":-32800,"id":"q"}'
    assert plugin.read_answer() == '{"id":9,"result":null}'
    assert plugin.wait_end() == 0


def test_its_sum_is_that_of_zlib(plugin: Conversation, tmp_path: Path) -> None:
    content = bytes(range(256)) * 33
    (tmp_path / "x").write_bytes(content)
    for round_number, length in enumerate((0, 1, 255, len(content))):
        ask(plugin)
        first = 3 * round_number + 1
        call_of(plugin)
        answer(plugin, first, result={"path": str(tmp_path / "x"), "size": 9000, "length": length, "generation": 1})
        for number in (first + 1, first + 2):
            call_of(plugin)
            answer(plugin, number, result={})
        expected = f"{zlib.crc32(content[:length]):08x}"
        assert plugin.read_message()["result"] == {"crc32": expected, "bytes": length}
