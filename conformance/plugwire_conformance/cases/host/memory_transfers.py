"""Shared memory (chapter 09, Without files): chunks over channels, to and from plugins that map no files."""

import base64
import binascii
from collections.abc import Callable
from pathlib import Path

from ...case import Broken, host_case, with_longer_times
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import CHANNEL_CLOSED, INVALID_PARAMS
from ...wire.messages import Json, Message
from .channel_members import PLENTY, Consumer, Producer, concerns, expect_error, refuse_error, says_closed
from .memory_holders import (
    CHUNK,
    Made,
    attach,
    chunk,
    create,
    expect_bytes,
    filled,
    maps,
    pattern,
    release,
    send_chunks,
)
from .told import Told, told_of

#: More than a channel and the credit of a reader hold, so that a host cannot have sent all of it.
_LARGE = 8 << 20
#: Bytes of a memory, bytes that are committed, and the chunks for which there is credit at once.
_READ = ((1, 1, PLENTY), (10, 5, 1), (CHUNK, CHUNK, 1), (900001, 900001, PLENTY), (900001, 900001, 1))


@host_case(
    "memory/without-files",
    "MEM-20",
    why="A plugin in a container gets a path that leads nowhere, and cannot know why.",
    mend="Answer plugins that do not declare memory with a channel in place of the path, and the others with the path.",
    declares=("memory", "channels"),
)
def without_files(host: HostSubject) -> None:
    """Who maps no files gets a channel and no path; who maps files gets a path.

    `a` declares memory, `b` does not, and `c` declares it as false. Each makes a memory and attaches to one of `a`.
    """
    with host.start(maps("a"), plugin("b"), plugin("c", capabilities={"memory": False})) as run:
        made = filled(run["a"], b"content")
        for name, there, absent in (("a", "path", "channel"), ("b", "channel", "path"), ("c", "channel", "path")):
            with host.checks(f"create-{name}"):
                _expect_way(create(run[name], 10, rule="MEM-20").answer, there, absent)
            with host.checks(f"attach-{name}"):
                _expect_way(attach(run[name], made.handle, rule="MEM-20"), there, absent)


@host_case(
    "memory/chunks-written",
    "MEM-21",
    why="A reader would get zeros where the last chunks were still on their way when the commit was answered.",
    mend="Answer memory/commit only when every chunk that came before it is in the file.",
    declares=("memory", "channels"),
)
def chunks_written(host: HostSubject) -> None:
    """When a commit is answered, every chunk that was sent before is written.

    `b`, which maps no files, sends 1.3 MB in chunks of 256 KiB, the last one first, and commits at once; then it
    writes over two bytes in the middle, and commits again. Expected: `a` sees all of it in the file, both times.
    """
    content = pattern(1300000)
    with host.start(maps("a"), plugin("b")) as run:
        made = create(run["b"], len(content), rule="MEM-20")
        producer = Producer(run["b"], made.channel)
        with host.checks("all"):
            last = len(content) - 1000
            producer.push(chunk(last, content[last:]))
            send_chunks(producer, content[:last])
            made.commit(len(content), rule="MEM-21")
            seen = Path(attach(run["a"], made.handle)["path"]).read_bytes()
            expect_bytes(seen, content, "what the reader sees", "MEM-21")
        with host.checks("again"):
            producer.expect_room()
            producer.push(chunk(650000, b"??"))
            made.commit(len(content), rule="MEM-21")
            seen = Path(attach(run["a"], made.handle)["path"]).read_bytes()
            expect_bytes(seen, content[:650000] + b"??" + content[650002:], "what the reader sees", "MEM-21")


@host_case(
    "memory/wrong-chunk",
    "MEM-22",
    why="A chunk past the end would change what does not belong to its sender, or make the memory grow.",
    mend="Check offset, base64 and length before you write; "
    "else close the channel with an error and refuse each commit.",
    declares=("memory", "channels"),
)
def wrong_chunk(host: HostSubject) -> None:
    """A chunk that does not fit is not written; its channel is closed with an error, and commits are refused.

    Into a memory of 3000 bytes (300000 for the long one), which was committed once, goes a chunk that reaches past the
    end, one that begins behind it or before the start, one of 262145 bytes, text that is not base64 or lacks its
    padding, and things that are no chunk. Expected: the file is as it was; channel/closed with an error;
    InvalidParams for every commit.
    """
    wrong: dict[str, Json] = {
        "past-the-end": chunk(2998, b"????"),
        "behind-the-end": chunk(3001, b""),
        "before-the-start": chunk(-1, b"????"),
        "too-long": chunk(0, b"?" * (CHUNK + 1)),
        "no-base64": {"offset": 0, "data": "????"},
        "no-padding": {"offset": 0, "data": "Pz8"},
        "no-offset": {"data": "Pz8/"},
        "no-data": {"offset": 0},
        "no-object": "Pz8/",
    }
    with host.start(maps("a"), plugin("b")) as run:
        for name, item in wrong.items():
            with host.checks(name):
                content = pattern(300000 if name == "too-long" else 3000)
                made = create(run["b"], len(content), rule="MEM-20")
                producer = Producer(run["b"], made.channel)
                send_chunks(producer, content)
                made.commit(len(content), rule="MEM-21")
                path = Path(attach(run["a"], made.handle)["path"])
                producer.expect_room()
                producer.push(item)
                _expect_refused(made, producer)
                expect_bytes(path.read_bytes(), content, "the file", "MEM-22")
                release(run["a"], made.handle)
                made.release()


@host_case(
    "memory/chunks-read",
    "MEM-23",
    why="A reader that puts the chunks together by their order would have a file with holes.",
    mend="Send the committed bytes from the first to the last in chunks of at most 262144 bytes, then close "
    "the channel.",
    declares=("memory", "channels"),
)
def chunks_read(host: HostSubject) -> None:
    """Who maps no files gets the committed bytes as chunks in order, without gaps, and then the end.

    Memories of 1, 262144 and 900001 bytes, one of which 5 of 10 bytes are committed, and one of which 0 are; the
    reader takes them with plenty of credit, and one by one. Expected: their bytes, and channel/closed without an error.
    """
    with host.start(maps("a"), plugin("b")) as run:
        for size, length, items in _READ:
            with host.checks(f"{length}-of-{size}-{'one-by-one' if items == 1 else 'at-once'}"):
                content = pattern(size)
                made = filled(run["a"], content)
                made.commit(length)
                reader = _Reader(run["b"], made.handle, items)
                refuse_error(reader.take_all("MEM-23", one_by_one=items == 1), "MEM-23")
                expect_bytes(reader.content, content[:length], "what the reader got", "MEM-23")
        with host.checks("0-of-10"):
            made = create(run["a"], 10)
            made.commit(0)
            channel = attach(run["b"], made.handle)["channel"]
            join = {"channel": channel, "role": "consumer", "credit": {"items": 5, "bytes": 5000}}
            answer = run["b"].ask("channel/join", join)
            # There is nothing in it: it may be over already.
            if answer.error_code != CHANNEL_CLOSED:
                run["b"].wait_for(lambda m: says_closed(m, channel, "consumer"), "channel/closed", rule="MEM-23")
            run["b"].refuse(lambda m: m.method == "channel/deliver", "a chunk of nothing", rule="MEM-23")


@host_case(
    "memory/stale-chunks",
    "MEM-24",
    why="A reader would put together a file of which one half is of yesterday.",
    mend="When there is another commit, or the reader's lease ends, close the channel with an error and send no more.",
    declares=("memory", "channels"),
)
def stale_chunks(host: HostSubject) -> None:
    """The channel is closed with an error when there is another commit, or the lease ends, before all was sent.

    `b`, which maps no files, takes one chunk of 8 MiB. Then the creator commits again and writes over all of it; or
    `b` releases; or its lease ends with its time, which is 800 ms. Expected: when `b` gives more credit,
    channel/closed with an error. Right is also a host that had sent all bytes before: then they are the old ones.
    """
    content = pattern(_LARGE)
    with host.start(maps("a"), plugin("b")) as run:
        made = create(run["a"], _LARGE)

        def commit_again() -> None:
            made.commit(0)
            made.write(bytes(_LARGE))
            made.commit(_LARGE)

        def wait_for_the_end(times: int) -> None:
            run["b"].wait_for(_is_released, "memory/released", within=run["b"].patience * times, rule="MEM-14")

        with host.checks("commit"):
            _expect_stale(made, content, run["b"], commit_again)
            run["b"].ask("memory/release", {"memory": made.handle})
        with host.checks("release"):
            _expect_stale(made, content, run["b"], lambda: release(run["b"], made.handle))
        with host.checks("time"):
            # Where no chunk comes before the lease is over, once more with a longer one.
            with_longer_times(
                lambda times: _expect_stale(
                    made, content, run["b"], lambda: wait_for_the_end(times), leaseMs=800 * times
                )
            )


def _expect_stale(made: Made, content: bytes, talk: ProbeTalk, spoil: Callable[[], None], **more: Json) -> None:
    """The plugin takes one chunk of the content; what comes after it was spoiled is no more of it."""
    made.commit(0)
    made.write(content)
    made.commit(_LARGE)
    reader = _Reader(talk, made.handle, 1, **more)
    reader.take_one("MEM-23")
    spoil()
    reader.consumer.give(PLENTY, PLENTY)
    told = reader.take_all("MEM-24")
    if "error" not in told:
        expect_bytes(reader.content, content, "what came without an error", "MEM-24")


def _is_released(message: Message) -> bool:
    return message.is_notification and message.method == "memory/released"


class _Reader:
    """A plugin that maps no files, and puts together what comes over the channel. `content` is what it got."""

    def __init__(self, talk: ProbeTalk, handle: str, items: int, **more: Json) -> None:
        self._talk = talk
        self._channel = attach(talk, handle, **more)["channel"]
        self.consumer = Consumer(talk, self._channel, items, PLENTY)
        self.content = b""

    def take_one(self, rule: str) -> None:
        """Takes the next chunk; Broken when the end comes first, or it does not follow on."""
        if self._take(rule) is not None:
            raise Broken("the channel was closed before all had come", expected="a chunk", requirement=rule)

    def take_all(self, rule: str, *, one_by_one: bool = False) -> Told:
        """Takes chunks until the end, which is returned."""
        while (told := self._take(rule)) is None:
            if one_by_one:
                self.consumer.give(1)
        return told

    def _take(self, rule: str) -> Told | None:
        message = self._talk.wait_for(self._concerns, "a chunk, or the end of the channel", rule=rule)
        told = told_of(message.params)
        if message.method == "channel/closed":
            return told
        for item in told["items"]:
            self.content += self._bytes_of(told_of(item), rule)
        return None

    def _concerns(self, message: Message) -> bool:
        return concerns(message, "channel/deliver", self._channel) or says_closed(message, self._channel, "consumer")

    def _bytes_of(self, item: Told, rule: str) -> bytes:
        try:
            content = base64.b64decode(item["data"], validate=True)
        except (binascii.Error, TypeError) as error:
            got = str(item)[:200]
            raise Broken(f"a chunk is not base64: {error}", expected="base64", got=got, requirement=rule) from None
        if item["offset"] != len(self.content) or not 0 < len(content) <= CHUNK:
            expected = f"1 to {CHUNK} bytes from {len(self.content)} on"
            got = f"{len(content)} bytes from {item['offset']} on"
            raise Broken("a chunk does not follow on", expected=expected, got=got, requirement=rule)
        return content


def _expect_way(answer: Told, there: str, absent: str) -> None:
    if not isinstance(answer.get(there), str) or absent in answer:
        expected = f"{there} and no {absent}"
        raise Broken("a memory is given in the wrong way", expected=expected, got=str(answer), requirement="MEM-20")


def _expect_refused(made: Made, producer: Producer) -> None:
    """Broken unless the channel is closed with an error, and commits are refused from then on."""
    expect_error(producer.expect_closed("MEM-22"), "MEM-22")
    for length in (1, 0):
        made.talk.expect_error(made.ask_commit(length), INVALID_PARAMS, rule="MEM-22")
