"""What the host answers to ``memory/…``, with participants that are lists of what they were sent, and real files."""

import asyncio
import base64
import errno
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from plugwire.wire import Raw, RequestError
from plugwire.wire.codec import decode_value, encode_value
from plugwire_host.routing.call import Call, Outcome, Participant, encode_params
from plugwire_host.routing.registry import Registry
from plugwire_host.routing.router import Router
from plugwire_host.services.channels.service import ChannelService
from plugwire_host.services.memory.files import MemoryFiles
from plugwire_host.services.memory.service import MemoryService

from ..support import clock, run

UNKNOWN = "mem_" + "0" * 32
MIB = 1 << 20


class Person:
    """A participant that keeps what it is sent."""

    ranges: Mapping[str, Any] = {}
    congested = False

    def __init__(self, name: str, *, maps_memory: bool = True) -> None:
        self.name = name
        self.maps_memory = maps_memory
        self.sent: list[tuple[str, Any]] = []
        self._news = asyncio.Event()

    def send_notification(self, method: str, params: Any) -> bool:
        self.sent.append((method, decode_value(encode_value(params))))
        self._news.set()
        return True

    def when_drained(self, callback: Callable[[], None]) -> None:
        raise NotImplementedError

    def deliver(self, call: Call, outcome: Outcome) -> None:
        raise NotImplementedError

    def deliver_progress(self, call: Call, value: Raw) -> None:
        raise NotImplementedError

    async def next_of(self, method: str) -> Any:
        """The params of the next notification of a method."""
        while True:
            for number, (name, params) in enumerate(self.sent):
                if name == method:
                    del self.sent[number]
                    return params
            self._news.clear()
            await self._news.wait()


class World:
    """The two services of one host."""

    def __init__(self, root: Path, files: MemoryFiles | None = None) -> None:
        self.warnings: list[tuple[str, str]] = []
        router = Router(Registry(), default_timeout=60, on_dropped=lambda *told: self.warnings.append(told))
        self.root = root
        self.channels = ChannelService(router)
        self.memory = MemoryService(router, self.channels, files=files or MemoryFiles(root))
        self._services = {**self.channels.requests, **self.memory.requests}

    async def ask(self, who: Person, method: str, **params: Any) -> Any:
        answer = self._services[method](Call(who, 1, method, encode_params(params), None))
        answer = await answer if inspect.isawaitable(answer) else answer
        return None if answer is None else decode_value(encode_value(answer))

    async def refusal(self, who: Person, method: str, **params: Any) -> tuple[int, Any]:
        with pytest.raises(RequestError) as caught:
            await self.ask(who, method, **params)
        return caught.value.code, caught.value.data

    def notify(self, who: Person, method: str, **params: Any) -> None:
        raw = encode_params(params)
        self.channels.notifications[method](cast(Participant, who), raw)

    def leave(self, who: Person) -> None:
        self.memory.left(cast(Participant, who), "exit code 0")
        self.channels.left(cast(Participant, who), "exit code 0")

    def files(self) -> list[Path]:
        """The files of memories that are there."""
        return [path for path in self.root.glob("*/*/*") if path.name != "lock"]


def problems(message: str, path: str = "$.memory") -> tuple[int, Any]:
    return -32602, {"problems": [{"path": path, "message": message}]}


def no_memory(handle: str) -> tuple[int, Any]:
    return problems(f"there is no memory {handle!r}; it was never there, or nobody had a lease on it")


@pytest.mark.requirement("MEM-01", "MEM-07", "MEM-17")
def test_the_life_of_a_memory(tmp_path: Path) -> None:
    async def main() -> None:
        world, writer, reader = World(tmp_path), Person("writer"), Person("reader")
        made = await world.ask(writer, "memory/create", size=100)
        file = Path(made["path"])
        handle = made["memory"]
        assert made == {"memory": handle, "path": str(file), "size": 100, "generation": 0}
        assert file.read_bytes() == bytes(100)
        checksum = "crc32:00000000"
        assert await world.ask(writer, "memory/commit", memory=handle, length=60, checksum=checksum) == {
            "generation": 1
        }
        assert await world.ask(reader, "memory/attach", memory=handle) == {
            "path": str(file), "size": 100, "length": 60, "generation": 1, "checksum": "crc32:00000000",
        }  # fmt: skip
        assert await world.ask(writer, "memory/commit", memory=handle, length=0) == {"generation": 2}
        assert await world.refusal(reader, "memory/attach", memory=handle, generation=1) == (-32022, {"revision": 2})
        assert await world.ask(reader, "memory/attach", memory=handle, generation=2) == {
            "path": str(file), "size": 100, "length": 0, "generation": 2,
        }  # fmt: skip
        assert await world.ask(writer, "memory/release", memory=handle) is None
        assert file.exists()
        assert await world.ask(reader, "memory/release", memory=handle) is None
        assert not file.exists()
        assert await world.refusal(reader, "memory/release", memory=handle) == no_memory(handle)
        world.memory.close()
        assert list(tmp_path.iterdir()) == []

    run(main())


@pytest.mark.requirement("MEM-01", "MEM-07", "MEM-13", "MEM-19")
@pytest.mark.parametrize(
    ("method", "params", "path"),
    [
        ("create", {}, "$.size"),
        ("create", {"size": 0}, "$.size"),
        ("create", {"size": -1}, "$.size"),
        ("create", {"size": 1073741825}, "$.size"),
        ("create", {"size": 10**400}, "$.size"),
        ("create", {"size": 1.0}, "$.size"),
        ("create", {"size": "1"}, "$.size"),
        ("create", {"size": True}, "$.size"),
        ("create", {"size": 1, "leaseMs": 0}, "$.leaseMs"),
        ("create", {"size": 1, "leaseMs": 2147483648}, "$.leaseMs"),
        ("attach", {}, "$.memory"),
        ("attach", {"memory": 5}, "$.memory"),
        ("attach", {"memory": {"$memory": UNKNOWN}}, "$.memory"),
        ("attach", {"memory": "../../x"}, "$.memory"),
        ("attach", {"memory": UNKNOWN}, "$.memory"),
        ("attach", {"memory": UNKNOWN, "generation": -1}, "$.generation"),
        ("attach", {"memory": UNKNOWN, "leaseMs": -1}, "$.leaseMs"),
        ("commit", {"memory": UNKNOWN, "length": 0}, "$.memory"),
        ("commit", {"memory": "x" * 257, "length": 0}, "$.memory"),
        ("commit", {"memory": UNKNOWN}, "$.length"),
        ("commit", {"memory": UNKNOWN, "length": -1}, "$.length"),
        ("commit", {"memory": UNKNOWN, "length": 1073741825}, "$.length"),
        ("commit", {"memory": UNKNOWN, "length": 0, "checksum": "md5:0"}, "$.checksum"),
        ("commit", {"memory": UNKNOWN, "length": 0, "checksum": "crc32:0000000G"}, "$.checksum"),
        ("release", {"memory": UNKNOWN}, "$.memory"),
        ("release", {"memory": ""}, "$.memory"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    tmp_path: Path, method: str, params: dict[str, Any], path: str
) -> None:
    async def main() -> tuple[int, Any]:
        world = World(tmp_path)
        refused = await world.refusal(Person("a"), f"memory/{method}", **params)
        world.memory.close()
        return refused

    code, data = run(main())
    assert (code, [problem["path"] for problem in data["problems"]]) == (-32602, [path])


def test_params_may_be_missing_altogether(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(tmp_path)
        for method in world.memory.requests:
            with pytest.raises(RequestError, match="InvalidParams"):
                world.memory.requests[method](Call(Person("a"), 1, method, None, None))
        world.memory.close()

    run(main())


@pytest.mark.requirement("MEM-06")
def test_a_reader_does_not_commit(tmp_path: Path) -> None:
    async def main() -> None:
        world, writer, reader = World(tmp_path), Person("a"), Person("b")
        handle = (await world.ask(writer, "memory/create", size=1))["memory"]
        assert (await world.refusal(reader, "memory/commit", memory=handle, length=1))[0] == -32014
        world.memory.close()

    run(main())


# Leases


@pytest.mark.requirement("MEM-14", "MEM-16")
def test_a_lease_ends_with_its_time_and_its_holder_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        world, writer, reader = World(tmp_path), Person("writer"), Person("reader")
        made = await world.ask(writer, "memory/create", size=1, leaseMs=5000)
        handle, file = made["memory"], Path(made["path"])
        await world.ask(writer, "memory/commit", memory=handle, length=1)
        await world.ask(reader, "memory/attach", memory=handle, leaseMs=2000)
        clock().advance(3)
        assert await reader.next_of("memory/released") == {
            "memory": handle, "reason": "its time of 2000 ms is over",
        }  # fmt: skip
        assert file.exists()
        assert writer.sent == []
        assert await world.refusal(reader, "memory/release", memory=handle) == problems(
            f"there is no lease on {handle} to release"
        )
        clock().advance(3)
        assert (await writer.next_of("memory/released"))["memory"] == handle
        assert not file.exists()
        assert await world.refusal(writer, "memory/commit", memory=handle, length=1) == no_memory(handle)
        world.memory.close()

    run(main())


@pytest.mark.requirement("MEM-15")
def test_attaching_again_gives_the_lease_another_time(tmp_path: Path) -> None:
    async def main() -> None:
        world, writer, reader = World(tmp_path), Person("writer"), Person("reader")
        handle = (await world.ask(writer, "memory/create", size=1))["memory"]
        await world.ask(writer, "memory/commit", memory=handle, length=1)
        await world.ask(reader, "memory/attach", memory=handle, leaseMs=1000)
        await world.ask(reader, "memory/attach", memory=handle, leaseMs=6000)
        clock().advance(3)
        await asyncio.sleep(0)
        assert reader.sent == []
        await world.ask(reader, "memory/attach", memory=handle)
        clock().advance(5)
        await asyncio.sleep(0)
        assert reader.sent == []
        # One lease, however often it has attached.
        await world.ask(reader, "memory/release", memory=handle)
        assert (await world.refusal(reader, "memory/release", memory=handle))[0] == -32602
        # The creator renews in the same way.
        await world.ask(writer, "memory/attach", memory=handle, leaseMs=1)
        clock().advance(1)
        assert (await writer.next_of("memory/released"))["memory"] == handle
        assert world.files() == []
        world.memory.close()

    run(main())


@pytest.mark.requirement("MEM-14")
def test_the_leases_of_who_has_ended_are_over(tmp_path: Path) -> None:
    async def main() -> None:
        world, writer, reader = World(tmp_path), Person("writer"), Person("reader")
        first = await world.ask(writer, "memory/create", size=1, leaseMs=5000)
        second = await world.ask(writer, "memory/create", size=1)
        await world.ask(writer, "memory/commit", memory=second["memory"], length=1)
        await world.ask(reader, "memory/attach", memory=second["memory"])
        world.leave(writer)
        assert [str(path) for path in world.files()] == [second["path"]]
        assert not Path(first["path"]).exists()
        # Another plugin of the same name is somebody else.
        assert (await world.refusal(Person("writer"), "memory/commit", memory=second["memory"], length=1))[0] == -32014
        world.leave(reader)
        assert world.files() == []
        clock().advance(10)
        await asyncio.sleep(0)
        assert writer.sent == []
        world.memory.close()

    run(main())


# Making files


@pytest.mark.requirement("MEM-17")
def test_a_file_for_a_call_that_was_cancelled_meanwhile_does_not_stay(tmp_path: Path) -> None:
    async def main() -> None:
        world, writer = World(tmp_path), Person("writer")
        for turns in range(4):
            asked = asyncio.ensure_future(world.ask(writer, "memory/create", size=MIB))
            for _ in range(turns):
                await asyncio.sleep(0)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
        # All of its share is there again.
        held = [await world.ask(writer, "memory/create", size=1) for _ in range(1024)]
        assert len(held) == 1024
        while len(world.files()) > 1024:
            await asyncio.sleep(0)
        world.memory.close()
        assert list(tmp_path.iterdir()) == []

    run(main())


class Full(MemoryFiles):
    """A file system with one vice."""

    def __init__(self, root: Path, number: int) -> None:
        super().__init__(root)
        self._number = number

    def create(self, size: int) -> str:
        raise OSError(self._number, "no")


@pytest.mark.requirement("MEM-04")
def test_where_there_is_no_room_it_is_said_how_to_make_some(tmp_path: Path) -> None:
    async def main() -> tuple[RequestError, RequestError]:
        refused = []
        for number in (errno.ENOSPC, errno.EACCES):
            world = World(tmp_path, Full(tmp_path, number))
            for _ in range(2000):
                with pytest.raises(RequestError) as caught:
                    await world.ask(Person("a"), "memory/create", size=4096)
            refused.append(caught.value)
            world.memory.close()
        return refused[0], refused[1]

    full, broken = run(main())
    assert str(full) == (
        f"QuotaExceeded (-32023): there is no room for 4096 bytes in {tmp_path}: release memories that are no longer"
        " needed, make a smaller one, or give that file system more space"
    )
    assert str(broken) == "InternalError (-32603): the file of a memory could not be made: [Errno 13] no"


@pytest.mark.requirement("MEM-05")
def test_the_share_of_one_is_not_the_share_of_another(tmp_path: Path) -> None:
    async def main() -> None:
        world, greedy, modest = World(tmp_path), Person("greedy"), Person("modest")
        handles = [(await world.ask(greedy, "memory/create", size=1))["memory"] for _ in range(1024)]
        assert (await world.refusal(greedy, "memory/create", size=1))[0] == -32023
        other = (await world.ask(modest, "memory/create", size=1))["memory"]
        await world.ask(modest, "memory/commit", memory=other, length=1)
        assert (await world.refusal(greedy, "memory/attach", memory=other))[0] == -32023
        await world.ask(greedy, "memory/release", memory=handles[0])
        await world.ask(greedy, "memory/attach", memory=other)
        world.memory.close()

    run(main())


# Without files


class Copier(Person):
    """A participant that maps no files: it sends and takes chunks."""

    def __init__(self, name: str, world: World) -> None:
        super().__init__(name, maps_memory=False)
        self._world = world
        self._seq: dict[str, int] = {}

    async def produce(self, channel: str) -> None:
        await self._world.ask(self, "channel/join", channel=channel, role="producer")

    def send(self, channel: str, *chunks: Any) -> None:
        seq = self._seq.setdefault(channel, 1)
        self._world.notify(self, "channel/send", channel=channel, seq=seq, items=list(chunks))
        self._seq[channel] = seq + len(chunks)

    async def consume(self, channel: str, items: int = 1000) -> None:
        credit = {"items": items, "bytes": 1 << 30}
        await self._world.ask(self, "channel/join", channel=channel, role="consumer", credit=credit)

    async def gather(self, channel: str) -> tuple[bytes, Any]:
        """What comes until the end, and the error of the end."""
        content = bytearray()
        while True:
            while not self.sent:
                self._news.clear()
                await self._news.wait()
            method, params = self.sent.pop(0)
            assert params["channel"] == channel
            if method == "channel/closed":
                return bytes(content), params.get("error")
            assert method == "channel/deliver"
            for item in params["items"]:
                assert item["offset"] == len(content)
                content += base64.b64decode(item["data"])


def chunk(offset: int, content: bytes) -> dict[str, Any]:
    return {"offset": offset, "data": base64.b64encode(content).decode()}


@pytest.mark.requirement("MEM-20", "MEM-21")
def test_chunks_that_were_sent_before_a_commit_are_there_with_it(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(tmp_path)
        writer, reader = Copier("writer", world), Person("reader")
        made = await world.ask(writer, "memory/create", size=1000)
        handle, channel = made["memory"], made["channel"]
        assert made == {"memory": handle, "channel": channel, "size": 1000, "generation": 0}
        await writer.produce(channel)
        writer.send(channel, *(chunk(100 * part, b"%d" % part * 100) for part in range(5)))
        # The commit overtakes nothing, however many turns the chunks need.
        assert await world.ask(writer, "memory/commit", memory=handle, length=500) == {"generation": 1}
        attached = await world.ask(reader, "memory/attach", memory=handle)
        expected = b"".join(b"%d" % part * 100 for part in range(5))
        assert Path(attached["path"]).read_bytes()[:500] == expected
        # And once more for the next generation.
        writer.send(channel, chunk(500, b"x"), chunk(3, b""), chunk(1000, b""))
        assert await world.ask(writer, "memory/commit", memory=handle, length=501) == {"generation": 2}
        assert Path(attached["path"]).read_bytes()[:501] == expected + b"x"
        world.leave(writer)
        world.leave(reader)
        assert world.files() == []
        world.memory.close()

    run(main())


@pytest.mark.requirement("MEM-22")
@pytest.mark.parametrize(
    ("item", "why"),
    [
        (chunk(-1, b"x"), "$.chunk.offset: expected an integer from 0 to 10"),
        (chunk(10, b"x"), "$.chunk.data: 1 bytes at 10 go past the end, which is 10"),
        (chunk(0, b"x" * 11), "$.chunk.data: 11 bytes at 0 go past the end, which is 10"),
        (chunk(10**30, b""), "$.chunk.offset: expected an integer from 0 to 10"),
        ({"offset": 0}, "$.chunk.data: it is missing"),
        ({"offset": 0, "data": "eA"}, "$.chunk.data: expected base64: Incorrect padding"),
        ({"offset": 0, "data": "????"}, "$.chunk.data: expected base64: Only base64 data is allowed"),
        ({"offset": 0, "data": "é"}, "$.chunk.data: expected base64: string argument should contain only ASCII"),
        ({"offset": 0, "data": "A" * 349532}, "$.chunk.data: expected a string of at most 349528 characters"),
        (chunk(0, b"x" * 262145), "$.chunk.data: expected at most 262144 bytes, and these are 262145"),
        ({"offset": "0", "data": ""}, "$.chunk.offset: expected an integer from 0 to 10"),
        (["x"], "$.chunk: expected an object: "),
        (None, "$.chunk: expected an object: "),
    ],
)
def test_a_chunk_that_does_not_fit_spoils_the_memory(tmp_path: Path, item: Any, why: str) -> None:
    async def main() -> None:
        world = World(tmp_path)
        writer = Copier("writer", world)
        made = await world.ask(writer, "memory/create", size=10)
        handle, channel = made["memory"], made["channel"]
        await writer.produce(channel)
        writer.send(channel, chunk(0, b"good"), item, chunk(4, b"bad"))
        code, data = await world.refusal(writer, "memory/commit", memory=handle, length=4)
        told = data["problems"][0]["message"]
        assert code == -32602
        assert why in told
        assert told.endswith("; create another memory and send its bytes again")
        closed = await writer.next_of("channel/closed")
        assert (closed["channel"], closed["role"]) == (channel, "producer")
        assert why in closed["error"]["message"]
        assert world.files()[0].read_bytes() == b"good" + bytes(6)
        assert (await world.refusal(writer, "memory/commit", memory=handle, length=4))[0] == -32602
        # Another one is as good as new.
        other = await world.ask(writer, "memory/create", size=10)
        assert await world.ask(writer, "memory/commit", memory=other["memory"], length=1) == {"generation": 1}
        world.memory.close()

    run(main())


def test_a_commit_does_not_wait_for_a_channel_that_has_ended(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(tmp_path)
        writer = Copier("writer", world)
        made = await world.ask(writer, "memory/create", size=10)
        await writer.produce(made["channel"])
        writer.send(made["channel"], chunk(0, b"all"))
        await world.ask(writer, "channel/close", channel=made["channel"])
        assert await world.ask(writer, "memory/commit", memory=made["memory"], length=3) == {"generation": 1}
        assert world.files()[0].read_bytes()[:3] == b"all"
        # Breaking the channel's rules is another matter.
        broken = await world.ask(writer, "memory/create", size=10)
        await writer.produce(broken["channel"])
        world.notify(writer, "channel/send", channel=broken["channel"], seq=7, items=[chunk(0, b"x")])
        code, _ = await world.refusal(writer, "memory/commit", memory=broken["memory"], length=1)
        assert code == -32602
        world.memory.close()

    run(main())


@pytest.mark.requirement("MEM-20", "MEM-23")
def test_committed_bytes_come_in_their_order_and_then_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(tmp_path)
        writer, reader = Person("writer"), Copier("reader", world)
        size = 3 * MIB + 17
        made = await world.ask(writer, "memory/create", size=size)
        content = bytes(range(251)) * (size // 251 + 1)
        Path(made["path"]).write_bytes(content[:size])
        for length in (size, 1, 0):
            await world.ask(writer, "memory/commit", memory=made["memory"], length=length)
            attached = await world.ask(reader, "memory/attach", memory=made["memory"])
            channel = attached.pop("channel")
            assert attached["length"] == length
            assert "path" not in attached
            await reader.consume(channel)
            assert await reader.gather(channel) == (content[:length], None)
            await world.ask(reader, "memory/release", memory=made["memory"])
        world.memory.close()

    run(main())


@pytest.mark.requirement("MEM-23", "MEM-24")
def test_bytes_that_are_on_their_way_already_are_whole_whatever_is_committed_then(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(tmp_path)
        writer, reader = Person("writer"), Copier("reader", world)
        made = await world.ask(writer, "memory/create", size=9)
        Path(made["path"]).write_bytes(b"123456789")
        await world.ask(writer, "memory/commit", memory=made["memory"], length=9)
        channels = [(await world.ask(reader, "memory/attach", memory=made["memory"]))["channel"] for _ in range(2)]
        await asyncio.sleep(0)
        await world.ask(writer, "memory/commit", memory=made["memory"], length=0)
        Path(made["path"]).write_bytes(b"987654321")
        await reader.consume(channels[0])
        assert await reader.gather(channels[0]) == (b"123456789", None)
        # Who gives its lease back before it has taken them does not take nothing for all.
        await reader.consume(channels[1], items=0)
        await world.ask(reader, "memory/release", memory=made["memory"])
        content, error = await reader.gather(channels[1])
        assert (content, error["message"]) == (b"", f"the lease on {made['memory']} is over: it was released")
        world.memory.close()

    run(main())


@pytest.mark.requirement("MEM-24")
@pytest.mark.parametrize("event", ["commit", "release", "time", "truncated"])
def test_bytes_that_are_not_whole_any_more_end_with_an_error(tmp_path: Path, event: str) -> None:
    async def main() -> str:
        world = World(tmp_path)
        writer, reader = Person("writer"), Copier("reader", world)
        made = await world.ask(writer, "memory/create", size=8 * MIB)
        handle = made["memory"]
        await world.ask(writer, "memory/commit", memory=handle, length=8 * MIB)
        lease = {"leaseMs": 5000} if event == "time" else {}
        channel = (await world.ask(reader, "memory/attach", memory=handle, **lease))["channel"]
        await reader.consume(channel, items=2)
        await reader.next_of("channel/deliver")
        if event == "commit":
            await world.ask(writer, "memory/commit", memory=handle, length=0)
        elif event == "release":
            await world.ask(reader, "memory/release", memory=handle)
        elif event == "time":
            clock().advance(6)
        else:
            Path(made["path"]).write_bytes(b"")
            world.notify(reader, "channel/credit", channel=channel, role="consumer", items=1000, bytes=1 << 30)
        closed = await reader.next_of("channel/closed")
        world.memory.close()
        message: str = closed["error"]["message"]
        return message.replace(handle, "M").replace(made["path"], "F")

    assert (
        run(main())
        == {
            "commit": "M was committed again: attach once more",
            "release": "the lease on M is over: it was released",
            "time": "the lease on M is over: its time of 5000 ms is over",
            "truncated": "the bytes of M cannot be read: F ends 262144 bytes too soon",
        }[event]
    )


@pytest.mark.requirement("MEM-05")
def test_who_never_takes_its_bytes_has_no_more_than_its_share_of_channels(tmp_path: Path) -> None:
    async def main() -> None:
        world = World(tmp_path)
        writer, lazy, other = Person("writer"), Copier("lazy", world), Copier("other", world)
        handle = (await world.ask(writer, "memory/create", size=MIB))["memory"]
        await world.ask(writer, "memory/commit", memory=handle, length=MIB)
        for _ in range(15):
            await world.ask(lazy, "memory/attach", memory=handle)
        created = await world.ask(lazy, "memory/create", size=1)
        assert (await world.refusal(lazy, "memory/create", size=1))[0] == -32023
        assert (await world.refusal(lazy, "memory/attach", memory=handle))[0] == -32023
        # A refusal leaves no lease behind, and ends none.
        second = (await world.ask(writer, "memory/create", size=1))["memory"]
        await world.ask(writer, "memory/commit", memory=second, length=1)
        assert (await world.refusal(lazy, "memory/attach", memory=second))[0] == -32023
        assert (await world.refusal(lazy, "memory/release", memory=second))[0] == -32602
        await world.ask(other, "memory/attach", memory=handle)
        await world.ask(lazy, "memory/release", memory=created["memory"])
        last = (await world.ask(lazy, "memory/attach", memory=handle))["channel"]
        await lazy.consume(last)
        assert await lazy.gather(last) == (bytes(MIB), None)
        # Its lease is over with a refusal only if it had none before.
        await world.ask(lazy, "memory/release", memory=handle)
        world.leave(lazy)
        world.leave(other)
        world.leave(writer)
        assert world.files() == []
        world.memory.close()

    run(main())


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path) -> Iterator[None]:
    yield
    assert list(tmp_path.glob("plugwire-*")) == []
