"""Shared memory (chapter 09): making memories, their files and handles, and attaching to them."""

import os
import re
import stat
from pathlib import Path

from ...case import Broken, Skipped, expect_equal, host_case
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import INVALID_PARAMS, QUOTA_EXCEEDED
from ...wire.messages import Json
from .memory_holders import Made, ask_attach, attach, create, expect_bytes, filled, maps, release
from .told import told_of, varying_bits

_HANDLE = re.compile("mem_[0-9a-f]{32}")
_UNKNOWN = "mem_" + "0" * 32
_HANDLES = 120
#: Bits, less what chance may hide among so many.
_BITS = 126
#: Above this many the case does not look for a host's bound.
_MOST_ASKED = 4096


@host_case(
    "memory/create",
    "MEM-01",
    why="A plugin maps as many bytes as it asked for, and counts on zeros where it writes nothing.",
    mend="Make a new file of exactly that size, all zeros, for each memory/create; "
    "refuse other sizes with InvalidParams.",
    declares=("memory",),
)
def create_as_asked(host: HostSubject) -> None:
    """memory/create makes a new memory of the size, all of it zero.

    Sizes of 1, 4096 and 100001 bytes, each twice; a memory that takes the place of one that was written and released;
    sizes of 0, -1, 1073741825, 1.5 and "7", and no size, which are refused.
    """
    with host.start(maps("a")) as run:
        talk = run["a"]
        for size in (1, 4096, 100001):
            with host.checks(f"size-{size}"):
                first, second = create(talk, size), create(talk, size)
                if first.handle == second.handle or first.path == second.path:
                    raise Broken("two memories are one", expected="a new one", got=str(second.answer))
                for made in (first, second):
                    _expect_zeros(made, size)
                used = filled(talk, b"\xff" * size)
                used.release()
                _expect_zeros(create(talk, size), size)
        refused: dict[str, dict[str, Json]] = {
            "zero": {"size": 0}, "negative": {"size": -1}, "too-large": {"size": 1073741825},
            "fraction": {"size": 1.5}, "text": {"size": "7"}, "absent": {},
        }  # fmt: skip
        for name, params in refused.items():
            with host.checks(name):
                talk.expect_error(talk.request("memory/create", params), INVALID_PARAMS, rule="MEM-01")


@host_case(
    "memory/handle",
    "MEM-02",
    why="The handle is the right to read. A plugin that can guess one reads what is not meant for it.",
    mend="Make the handle of 128 bits from the system's source of randomness; a UUID of version 4 has only 122.",
    declares=("memory",),
)
def handle(host: HostSubject) -> None:
    """The handles of memories look like 128 random bits.

    120 memories are made and released. Expected: handles of the form that the spec gives, all different, in which
    every place varies enough.
    """
    with host.start(maps("a")) as run:
        handles = []
        for _ in range(_HANDLES):
            made = create(run["a"], 1)
            handles.append(made.handle)
            made.release()
    strange = next((one for one in handles if not _HANDLE.fullmatch(one)), "")
    if strange:
        raise Broken("a handle has another form", expected=_HANDLE.pattern, got=strange)
    if len(set(handles)) < _HANDLES or varying_bits(handles) < _BITS:
        got = f"at most {varying_bits(handles):.0f} bits vary, such as in {handles[0]} and {handles[1]}"
        raise Broken("the handles can be guessed", expected="128 bits that vary", got=got)


@host_case(
    "memory/attach",
    "MEM-02",
    "MEM-10",
    "MEM-11",
    why="The bytes are of use only if whoever gets the reference can read them, and knows how many of them count.",
    mend="Let every participant attach that names the handle, and answer with what the last commit said: "
    "length, checksum.",
    declares=("memory",),
)
def attach_by_handle(host: HostSubject) -> None:
    """Whoever knows the handle may attach, and is told what was committed.

    `a` writes 9 bytes into a memory of 20 and commits them with a checksum; then 4 without one. `b` attaches, twice.
    Expected: a file with these bytes, the size, the length and the generation; the checksum only of the first.
    """
    with host.start(maps("a"), maps("b")) as run:
        made = create(run["a"], 20)
        made.write(b"123456789")
        made.commit(9, checksum="crc32:cbf43926")
        with host.checks("bytes"):
            told = attach(run["b"], made.handle, rule="MEM-02")
            expect_bytes(Path(told["path"]).read_bytes()[:9], b"123456789", "what the reader sees", "MEM-02")
        with host.checks("length"):
            expect_equal(
                [told["size"], told["length"], told["generation"]],
                [20, 9, 1],
                "size, length, generation are others",
                "MEM-10",
            )
        with host.checks("checksum"):
            expect_equal(told.get("checksum"), "crc32:cbf43926", "the checksum is another", "MEM-11")
        made.commit(4)
        with host.checks("second-length"):
            told = attach(run["b"], made.handle)
            expect_equal(
                [told["size"], told["length"], told["generation"]],
                [20, 4, 2],
                "size, length, generation are others",
                "MEM-10",
            )
        with host.checks("no-checksum"):
            expect_equal(told.get("checksum"), None, "the checksum of a commit without one is another", "MEM-11")


@host_case(
    "memory/file",
    "MEM-03",
    why="Other users of the machine could read, or change, what plugins hand to each other.",
    mend="Make the file with O_CREAT and O_EXCL and the mode 0600, in a folder of your own with the mode 0700.",
    declares=("memory",),
)
def file(host: HostSubject) -> None:
    """The file is the user's own, and so is its folder.

    Expected of the file: a regular file with the mode 0600, of the user that the host runs as; its folder has the mode
    0700 and the same owner. The umask of the host plays no part in it.
    """
    with host.start(maps("a")) as run:
        made = create(run["a"], 100)
        for name, path, kind, mode in (("file", made.path, "-", 0o600), ("folder", made.path.parent, "d", 0o700)):
            with host.checks(name):
                found = path.lstat()
                got = f"{stat.filemode(found.st_mode)} of user {found.st_uid}"
                if (stat.filemode(found.st_mode)[0], stat.S_IMODE(found.st_mode), found.st_uid) != (
                    kind,
                    mode,
                    os.getuid(),
                ):
                    expected = f"{stat.filemode(mode)} of user {os.getuid()}"
                    raise Broken(f"the {name} of a memory is open to others", expected=expected, got=got)


@host_case(
    "memory/storage",
    "MEM-04",
    why="A plugin that writes into a mapping where there is no room is ended by SIGBUS.",
    mend="Set the storage aside with posix_fallocate, or write zeros, before you answer; "
    "ftruncate alone reserves nothing.",
    declares=("memory",),
)
def storage(host: HostSubject) -> None:
    """The storage of all bytes is set aside before the answer.

    A memory of 4 MiB is made. Expected: its file has blocks for all of it.
    """
    size = 4 << 20
    with host.start(maps("a")) as run:
        found = create(run["a"], size).path.stat()
        if found.st_blocks * 512 < size:
            raise Broken(
                "a memory has less storage than bytes", expected=f"{size} bytes", got=str(found.st_blocks * 512)
            )


@host_case(
    "memory/quota",
    "MEM-05",
    why="One plugin that never releases would take the machine's memory from all others.",
    mend="Count the memories on which each participant has leases; "
    "answer create and attach with QuotaExceeded above a bound.",
    declares=("memory",),
)
def quota(host: HostSubject) -> None:
    """Above a bound of leases, create and attach are answered with QuotaExceeded.

    A plugin makes memories of one byte until it is refused; above 4096 the case is skipped, for the bound is the
    host's. Then it attaches to another plugin's, which is refused, too. That plugin may still make one. When the
    first has released one, it may make one again.
    """
    with host.start(maps("a"), maps("b")) as run:
        talk = run["a"]
        handles = _fill_quota(talk)
        other = filled(run["b"], b"x")
        with host.checks("attach"):
            talk.expect_error(ask_attach(talk, other.handle), QUOTA_EXCEEDED, rule="MEM-05")
        with host.checks("other"):
            create(run["b"], 1, rule="MEM-05")
        with host.checks("released"):
            release(talk, handles[0])
            create(talk, 1, rule="MEM-05")


@host_case(
    "memory/unknown",
    "MEM-13",
    why="A plugin with a handle of yesterday has to learn that it is of no use; and a handle must not become a path.",
    mend="Look handles up among the memories that are there, and answer with InvalidParams for every other one.",
    declares=("memory",),
)
def unknown(host: HostSubject) -> None:
    """A request that names a memory that is not there is answered with InvalidParams.

    Sent with a handle that nobody was given, with that of a memory that was released, and with things that look like
    a path: memory/attach, memory/commit, memory/release.
    """
    with host.start(maps("a")) as run:
        talk = run["a"]
        made = filled(talk, b"x")
        made.release()
        names = {"unknown": _UNKNOWN, "released": made.handle, "path": "../../etc/passwd", "file": str(made.path)}
        for name, text in names.items():
            for method, more in (("attach", {}), ("commit", {"length": 0}), ("release", {})):
                with host.checks(f"{method}-{name}"):
                    id = talk.request(f"memory/{method}", {"memory": text} | more)
                    talk.expect_error(id, INVALID_PARAMS, rule="MEM-13")


def _expect_zeros(made: Made, size: int) -> None:
    expect_equal(
        [made.answer["size"], made.answer["generation"]], [size, 0], "size and generation are others", "MEM-01"
    )
    content = made.path.read_bytes()
    if content != bytes(size):
        got = f"{len(content)} bytes, of which {len(content) - content.count(0)} are not zero"
        raise Broken("the file of a new memory is another", expected=f"{size} zeros", got=got, requirement="MEM-01")


def _fill_quota(talk: ProbeTalk) -> list[str]:
    """The handles of as many memories as the plugin gets."""
    handles: list[str] = []
    while len(handles) < _MOST_ASKED:
        ids = [talk.request("memory/create", {"size": 1}) for _ in range(128)]
        answers = [talk.expect_answer(id) for id in ids]
        handles += [told_of(answer.result)["memory"] for answer in answers if answer.has("result")]
        refused = [(id, answer) for id, answer in zip(ids, answers, strict=True) if not answer.has("result")]
        for _, answer in refused:
            expect_equal(answer.error_code, QUOTA_EXCEEDED, "the code above the bound is another", "MEM-05")
        if refused:
            return handles
    raise Skipped(f"the host's bound is above {_MOST_ASKED} memories")
