"""Shared memory and locks, as far as chapters 09 and 10 bind plugins: the suite is the host that gives them out."""

import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...case import Broken, plugin_case, with_longer_times
from ...connection import show
from ...plugins.refusals import param
from ...plugins.subject import PluginSubject
from ...plugins.talk import Talk
from ...report import Level
from ...wire.messages import Json, Message

_MEMORY = "mem_00112233445566778899aabbccddeeff"
_TEXT = "Words that two plugins share: größer als 漢 😀."
_LOCK = "conformance/lock"
_TOKEN = 7


@contextmanager
def _file(data: bytes) -> Iterator[Path]:
    """A file to map with these bytes in it."""
    with tempfile.TemporaryDirectory(prefix="conform-") as folder:
        path = Path(folder, "memory")
        path.write_bytes(data)
        yield path


def _write(talk: Talk, path: Path) -> Message:
    """Has the plugin write the text into a memory; its commit, which is not answered yet."""
    talk.reflexes["memory/release"] = lambda _: {"result": None}
    talk.request("conformance/write", {"text": _TEXT}, id="write")
    create = talk.expect_request("memory/create")
    size = param(create, "size", int)
    path.write_bytes(bytes(size))
    talk.answer(create, {"memory": _MEMORY, "path": str(path), "size": size, "generation": 0})
    return talk.expect_request("memory/commit")


@plugin_case(
    "memory/written-before-the-commit",
    "MEM-12",
    why="Whoever attaches right after the commit reads bytes that are half written, and takes them for whole.",
    mend="Write first, commit then, and leave committed bytes alone until a smaller length is committed.",
    needs=("conformance/write",),
    declares=("memory",),
)
def written_before_the_commit(plugin: PluginSubject) -> None:
    """A creator has written its bytes when it commits them, and leaves them as they are.

    Sent: conformance/write; the file is read when memory/commit comes, and again when the request was answered.
    Expected: the text, both times.
    """
    talk = plugin.ready(capabilities={"memory": True})
    with _file(b"") as path:
        commit = _write(talk, path)
        first = path.read_bytes()[: param(commit, "length", int)]
        talk.answer(commit, {"generation": 1})
        talk.expect_result("write")
        talk.expect_alive()
        second = path.read_bytes()[: param(commit, "length", int)]
    for when, found in (("at the commit", first), ("after the answer", second)):
        if found != _TEXT.encode():
            raise Broken(f"other bytes {when}", expected=repr(_TEXT.encode()), got=repr(found))


@plugin_case(
    "memory/checksum-of-a-commit",
    "MEM-11",
    why="A reader refuses bytes that do not fit the checksum.",
    mend="Give crc32: and the CRC-32 of the committed bytes in eight hexadecimal digits, or no checksum.",
    needs=("conformance/write",),
    declares=("memory",),
)
def checksum_of_a_commit(plugin: PluginSubject) -> None:
    """A checksum that a creator gives is that of the committed bytes.

    Sent: conformance/write.
    Expected: memory/commit without a checksum, or with the CRC-32 of the first bytes of the file.
    """
    talk = plugin.ready(capabilities={"memory": True})
    with _file(b"") as path:
        commit = _write(talk, path)
        found = path.read_bytes()[: param(commit, "length", int)]
        talk.answer(commit, {"generation": 1})
        talk.expect_result("write")
    wanted = f"crc32:{zlib.crc32(found):08x}"
    if commit.params.get("checksum", wanted) != wanted:
        raise Broken("another checksum", expected=wanted, got=show(commit))


def _read(talk: Talk, path: Path, length: int, checksum: str | None) -> Message:
    """Has the plugin read that file as a memory; its answer."""
    attached: dict[str, Json] = {"path": str(path), "size": path.stat().st_size, "length": length, "generation": 3}
    if checksum:
        attached["checksum"] = checksum
    talk.reflexes["memory/attach"] = lambda _: {"result": attached}
    talk.reflexes["memory/release"] = lambda _: {"result": None}
    return talk.ask("conformance/read", {"memory": _MEMORY})


@plugin_case(
    "memory/within-the-length",
    "MEM-10",
    why="Behind the committed length stands what is being written, or what was there before.",
    mend="Read the first length bytes of the file, as memory/attach gives it, and no more.",
    needs=("conformance/read",),
    declares=("memory",),
)
def within_the_length(plugin: PluginSubject) -> None:
    """A reader takes no more bytes than were committed.

    Sent: conformance/read of a memory with more bytes in its file than were committed; with a checksum that fits,
    without one, and with a length of 0.
    Expected: just the committed text.
    """
    talk = plugin.ready(capabilities={"memory": True})
    data = _TEXT.encode()
    with _file(data + b" and more") as path:
        kinds = {"checksum": (_TEXT, f"crc32:{zlib.crc32(data):08x}"), "none": (_TEXT, None), "nothing": ("", None)}
        for name, (text, checksum) in kinds.items():
            with plugin.checks(name):
                answer = _read(talk, path, len(text.encode()), checksum)
                if not isinstance(answer.result, dict) or answer.result.get("text") != text:
                    raise Broken("another text was read", expected=repr(text), got=show(answer))


@plugin_case(
    "memory/checksum-of-a-reader",
    "MEM-11",
    why="Bytes that do not fit their checksum were torn or changed, and must not be taken for what was meant.",
    mend="Compute the CRC-32 of the committed bytes when there is a checksum, and fail where they differ.",
    needs=("conformance/read",),
    declares=("memory",),
)
def checksum_of_a_reader(plugin: PluginSubject) -> None:
    """A reader does not use bytes that do not fit their checksum.

    Sent: conformance/read of a memory whose checksum is that of other bytes.
    Expected: an error.
    """
    talk = plugin.ready(capabilities={"memory": True})
    with _file(_TEXT.encode()) as path:
        answer = _read(talk, path, len(_TEXT.encode()), f"crc32:{zlib.crc32(b'other bytes'):08x}")
    if answer.has("result"):
        raise Broken("bytes with a wrong checksum were used", expected="an error", got=show(answer))


def _acquire(talk: Talk, method: str, lease: int, **more: Json) -> Message:
    """Has the plugin take a lock; its request, which is not answered yet."""
    talk.reflexes["lock/release"] = lambda _: {"result": None}
    talk.request(method, {"name": _LOCK, "leaseMs": lease, **more}, id="locked")
    return talk.expect_request("lock/acquire")


@plugin_case(
    "locks/lost-when-told",
    "LCK-14",
    why="Who goes on after a lock was lost works at the same time as its next holder.",
    mend="Take the lock for lost on lock/lost, whatever is left of the lease.",
    needs=("conformance/lock",),
)
def lost_when_told(plugin: PluginSubject) -> None:
    """A plugin takes a lock for lost when it is told so.

    Sent: conformance/lock with a lease of a minute and more; when it holds the lock, lock/lost.
    Expected: the answer that the lock is lost, at once.
    """
    talk = plugin.ready(capabilities={"locks": True})
    lease = int(60_000 * max(1.0, plugin.settings.timeout_scale))
    acquire = _acquire(talk, "conformance/lock", lease)
    talk.answer(acquire, {"token": _TOKEN, "leaseMs": lease})
    talk.expect_alive()
    talk.notify("lock/lost", {"name": _LOCK, "token": _TOKEN, "reason": "the suite says so"})
    talk.expect_result("locked", rule="LCK-14")


@plugin_case(
    "locks/lost-when-the-lease-has-passed",
    "LCK-14",
    why="A host that is busy or gone tells nobody; by then another may hold the lock.",
    mend="Keep the time of the last lock/acquire or lock/renew that was answered, and stop when the lease has passed.",
    needs=("conformance/lock",),
)
def lost_when_the_lease_has_passed(plugin: PluginSubject) -> None:
    """A plugin takes a lock for lost when the lease has passed, told or not.

    Sent: conformance/lock with a lease of 300 ms; it gets the lock, and hears nothing more.
    Expected: the answer that the lock is lost.
    """
    talk = plugin.ready(capabilities={"locks": True})
    talk.answer(_acquire(talk, "conformance/lock", 300), {"token": _TOKEN, "leaseMs": 300})
    talk.expect_result("locked", rule="LCK-14")


@plugin_case(
    "locks/lease-begins-with-the-request",
    "LCK-14",
    why="The host's clock of the lease runs while its answer is on the way; a plugin that starts later ends too late.",
    mend="Take the time before lock/acquire is sent, not when its answer comes.",
    needs=("conformance/lock",),
)
def lease_begins_with_the_request(plugin: PluginSubject) -> None:
    """The time of a lease counts from the request that was answered.

    Sent: conformance/lock with a lease of 1600 ms; the lock is given 1500 ms after it was asked for. Where the answer
    comes late, once more with times that are longer.
    Expected: the answer that the lock is lost, more than half a second before it were by counting from the answer.
    """

    def ask(times: int) -> None:
        lease = 1600 * times
        talk = plugin.ready(capabilities={"locks": True})
        acquire = _acquire(talk, "conformance/lock", lease)
        # Nothing but time can pass here; that the process lives on comes with it.
        talk.process.wait(lease / 1000 - 0.1)
        given = time.monotonic()
        talk.answer(acquire, {"token": _TOKEN, "leaseMs": lease})
        talk.expect_result("locked", within=talk.patience * times, rule="LCK-14")
        held = time.monotonic() - given
        if held > lease / 1000 - 0.5:
            expected, got = "the loss 0.1 s after it", f"{held:.1f} s after it"
            raise Broken("the lease was counted from the answer", expected=expected, got=got)

    with_longer_times(ask)


@plugin_case(
    "locks/renewed-in-time",
    "LCK-15",
    why="A renewal that is sent at the end of the lease comes too late when the machine or the host is busy.",
    mend="Send lock/renew when a third of the lease has passed.",
    needs=("conformance/renew",),
    level=Level.SHOULD,
)
def renewed_in_time(plugin: PluginSubject) -> None:
    """A plugin renews a lock when a third of its lease has passed.

    Sent: conformance/renew with a lease of 2100 ms; where the renewal comes late, once more with a longer lease.
    Expected: lock/renew well before the lease passes: within six sevenths of it after the lock was given.
    """

    def ask(times: int) -> None:
        lease = 2100 * times
        talk = plugin.ready(capabilities={"locks": True})
        acquire = _acquire(talk, "conformance/renew", lease, renewals=1)
        given = time.monotonic()
        talk.answer(acquire, {"token": _TOKEN, "leaseMs": lease})
        renew = talk.expect_request("lock/renew", within=talk.patience * times, rule="LCK-15")
        waited = time.monotonic() - given
        talk.answer(renew, {"leaseMs": lease})
        talk.expect_result("locked")
        if waited > lease / 1000 * 6 / 7:
            expected = f"lock/renew after {lease / 3000:.1f} s"
            raise Broken("the renewal came late", expected=expected, got=f"after {waited:.1f} s")

    with_longer_times(ask)
