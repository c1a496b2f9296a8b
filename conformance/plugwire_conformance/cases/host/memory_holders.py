"""What plugins do with shared memory: the plugins that the suite plays towards a host. Owns no case."""

import base64
import time
import zlib
from pathlib import Path

from attrs import frozen

from ...case import Broken, TimedOut
from ...connection import show
from ...hosts.given import Given, plugin
from ...hosts.probe_talk import ProbeTalk
from ...wire.codes import CONFLICT, INVALID_PARAMS
from ...wire.messages import Json, Message
from .channel_members import Producer
from .told import Told, ask_told, told_of

#: Bytes of the largest chunk.
CHUNK = 262144
_GLANCE = 0.01


def maps(name: str, **settings: Json) -> Given:
    """A plugin that can map files."""
    return plugin(name, settings=settings, capabilities={"memory": True})


@frozen
class Made:
    """A memory that a plugin has made. `path` is empty where it got a channel."""

    talk: ProbeTalk
    handle: str
    path: Path
    channel: str
    answer: Told

    def write(self, content: bytes, offset: int = 0) -> None:
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(content)

    def ask_commit(self, length: int, **more: Json) -> Json:
        """The id of a commit."""
        return self.talk.request("memory/commit", {"memory": self.handle, "length": length} | more)

    def commit(self, length: int, rule: str = "MEM-07", **more: Json) -> int:
        """Commits; the generation."""
        return int(told_of(self.talk.expect_result(self.ask_commit(length, **more), rule=rule))["generation"])

    def release(self, rule: str = "MEM-14") -> None:
        release(self.talk, self.handle, rule)


def create(talk: ProbeTalk, size: int, rule: str = "MEM-01", **more: Json) -> Made:
    """A memory that the plugin makes."""
    answer = ask_told(talk, "memory/create", {"size": size} | more, rule)
    return Made(talk, answer["memory"], Path(answer.get("path", "")), answer.get("channel", ""), answer)


def filled(talk: ProbeTalk, content: bytes, **more: Json) -> Made:
    """A memory with that content, committed by a plugin that maps files."""
    memory = create(talk, len(content), **more)
    memory.write(content)
    memory.commit(len(content))
    return memory


def ask_attach(talk: ProbeTalk, handle: str, **more: Json) -> Json:
    """The id of a request to attach."""
    return talk.request("memory/attach", {"memory": handle} | more)


def attach(talk: ProbeTalk, handle: str, rule: str = "MEM-02", **more: Json) -> Told:
    """What the plugin is told that it may read."""
    return told_of(talk.expect_result(ask_attach(talk, handle, **more), rule=rule))


def release(talk: ProbeTalk, handle: str, rule: str = "MEM-14") -> None:
    talk.expect_result(talk.request("memory/release", {"memory": handle}), rule=rule)


def refuse_attach(talk: ProbeTalk, handle: str, rule: str) -> None:
    """Broken unless the memory is there no more."""
    talk.expect_error(ask_attach(talk, handle), INVALID_PARAMS, rule=rule)


def expect_removed(talk: ProbeTalk, path: Path, rule: str) -> None:
    """Waits until the file is gone."""
    deadline = time.monotonic() + talk.patience
    while path.exists():
        _check(deadline, "the file of a memory is there after its last lease", str(path.name), rule)
        time.sleep(_GLANCE)


def expect_released(talk: ProbeTalk, handle: str, rule: str = "MEM-16", *, times: int = 1) -> Message:
    """Waits for `memory/released`, so many times as long as for other messages."""
    within = talk.patience * times
    return talk.wait_for(lambda m: _says_released(m, handle), f"memory/released for {handle}", within=within, rule=rule)


def refuse_released(talk: ProbeTalk, handle: str, rule: str) -> None:
    """Broken when the plugin was told that its lease has ended."""
    talk.expect_alive()
    talk.refuse(lambda m: _says_released(m, handle), "memory/released for a lease that goes on", rule=rule)


def expect_conflict(talk: ProbeTalk, id: Json, revision: int, rule: str) -> None:
    """Broken unless the answer is Conflict with that generation as its revision."""
    answer = talk.expect_error(id, CONFLICT, rule=rule)
    data = answer.member("error").get("data")
    if not isinstance(data, dict) or data.get("revision") != revision:
        expected = f"data.revision {revision}"
        raise Broken("Conflict names another generation", expected=expected, got=show(answer), requirement=rule)


def pattern(size: int, seed: int = 0) -> bytes:
    """So many bytes in which no two places look alike."""
    block = b"".join(zlib.crc32(number.to_bytes(8, "big"), seed).to_bytes(4, "big") for number in range(4096))
    return b"".join((seed + number).to_bytes(4, "big") + block for number in range(size // len(block) + 1))[:size]


def expect_bytes(got: bytes, wanted: bytes, what: str, rule: str) -> None:
    """Broken unless the bytes are the same; says from where on they are not."""
    if got != wanted:
        place = next(
            (n for n, (one, other) in enumerate(zip(got, wanted, strict=False)) if one != other),
            min(len(got), len(wanted)),
        )
        raise Broken(
            f"{what} is another",
            expected=f"{len(wanted)} bytes, at {place} {wanted[place : place + 8].hex()}",
            got=f"{len(got)} bytes, at {place} {got[place : place + 8].hex()}",
            requirement=rule,
        )


def chunk(offset: int, content: bytes) -> dict[str, Json]:
    return {"offset": offset, "data": base64.b64encode(content).decode()}


def send_chunks(producer: Producer, content: bytes, size: int = CHUNK) -> None:
    """Sends the content in chunks, as notifications, under credit."""
    for offset in range(0, len(content), size):
        producer.expect_room()
        producer.push(chunk(offset, content[offset : offset + size]))


def _says_released(message: Message, handle: str) -> bool:
    if not message.is_notification or message.method != "memory/released" or not isinstance(message.params, dict):
        return False
    return bool(message.params.get("memory") == handle)


def _check(deadline: float, message: str, got: str, rule: str) -> None:
    if time.monotonic() > deadline:
        raise TimedOut(message, expected="its end", got=got, requirement=rule)
