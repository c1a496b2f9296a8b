"""Shared memory (chapter 09): who commits, and which commit a reader gets."""

from ...case import expect_equal, host_case
from ...hosts.subject import HostSubject
from ...wire.codes import INVALID_PARAMS, PERMISSION_DENIED
from ...wire.messages import Json
from .memory_holders import ask_attach, attach, create, expect_conflict, filled, maps


@host_case(
    "memory/who-commits",
    "MEM-06",
    why="A reader could make others take for content what the creator has not finished.",
    mend="Answer memory/commit with PermissionDenied unless it comes from the creator, and its lease goes on.",
    declares=("memory",),
)
def who_commits(host: HostSubject) -> None:
    """Only the creator commits, and only while it has its lease.

    `b` commits a memory of `a`, without a lease and with one; `a` commits after it has released it, and `b` holds it
    still. Expected: PermissionDenied each time, and the generation stays.
    """
    with host.start(maps("a"), maps("b")) as run:
        a, b = run["a"], run["b"]
        made = filled(a, b"content")
        commit = {"memory": made.handle, "length": 3}
        for name in ("stranger", "reader"):
            with host.checks(name):
                b.expect_error(b.request("memory/commit", commit), PERMISSION_DENIED, rule="MEM-06")
            attach(b, made.handle)
        with host.checks("released"):
            made.release()
            a.expect_error(made.ask_commit(3), PERMISSION_DENIED, rule="MEM-06")
        with host.checks("unchanged"):
            told = attach(b, made.handle)
            expect_equal([told["length"], told["generation"]], [7, 1], "length and generation are others", "MEM-06")


@host_case(
    "memory/generation",
    "MEM-07",
    why="Readers tell by the generation whether what they have read is still what was committed.",
    mend="Count up by one with each commit that is taken, and leave all as it is when the length does not fit.",
    declares=("memory",),
)
def generation(host: HostSubject) -> None:
    """Each commit makes the generation greater by one; one that does not fit changes nothing.

    Commits of 10, 0, 10 and 4 bytes of a memory of 10: generations 1 to 4. Then lengths of -1, 11, 1.5 and none:
    InvalidParams. Expected then: the length 4 with generation 4, and 5 for the next commit.
    """
    with host.start(maps("a"), maps("b")) as run:
        made = create(run["a"], 10)
        with host.checks("counts"):
            expect_equal(made.answer["generation"], 0, "the generation of a new memory is another", "MEM-07")
            expect_equal(
                [made.commit(length) for length in (10, 0, 10, 4)], [1, 2, 3, 4], "the generations are others", "MEM-07"
            )
        lengths: dict[str, dict[str, Json]] = {
            "negative": {"length": -1}, "too-long": {"length": 11}, "fraction": {"length": 1.5}, "absent": {},
        }  # fmt: skip
        for name, params in lengths.items():
            with host.checks(name):
                id = run["a"].request("memory/commit", {"memory": made.handle} | params)
                run["a"].expect_error(id, INVALID_PARAMS, rule="MEM-07")
        with host.checks("unchanged"):
            told = attach(run["b"], made.handle)
            expect_equal([told["length"], told["generation"]], [4, 4], "length and generation are others", "MEM-07")
            expect_equal(made.commit(1), 5, "the next generation is another", "MEM-07")


@host_case(
    "memory/nothing-committed",
    "MEM-08",
    why="A reader that comes too early would take zeros, or half of the content, for all of it.",
    mend="Answer memory/attach with Conflict and the revision 0 until the first commit.",
    declares=("memory",),
)
def nothing_committed(host: HostSubject) -> None:
    """Nobody attaches before the first commit.

    `b` and the creator attach to a memory that was not committed, without a generation and with 0. Expected: Conflict
    with 0 as revision; and after a commit, even one of 0 bytes, they can.
    """
    with host.start(maps("a"), maps("b")) as run:
        made = create(run["a"], 10)
        for name, more in (("any", {}), ("generation-0", {"generation": 0})):
            for talk in (run["b"], run["a"]):
                with host.checks(f"{name}-{talk.name}"):
                    expect_conflict(talk, ask_attach(talk, made.handle, **more), 0, "MEM-08")
        made.commit(0)
        with host.checks("committed"):
            expect_equal(attach(run["b"], made.handle, rule="MEM-08")["length"], 0, "the length is another", "MEM-08")


@host_case(
    "memory/other-generation",
    "MEM-09",
    why="A reader attaches again with the generation that it read, to learn whether the bytes were written over.",
    mend="Compare the generation that is asked for with the last commit's, and answer with Conflict unless "
    "they are the same.",
    declares=("memory",),
)
def other_generation(host: HostSubject) -> None:
    """Attaching to a generation that is not the last is answered with Conflict.

    A memory is committed three times. `b` attaches with the generations 3, 2, 0 and 4. Expected: the first can; the
    others get Conflict with 3 as revision. After one more commit 3 gets Conflict with 4.
    """
    with host.start(maps("a"), maps("b")) as run:
        made, b = create(run["a"], 10), run["b"]
        for length in (10, 0, 5):
            made.commit(length)
        with host.checks("last"):
            expect_equal(
                attach(b, made.handle, rule="MEM-09", generation=3)["length"], 5, "the length is another", "MEM-09"
            )
        for generation in (2, 0, 4):
            with host.checks(f"generation-{generation}"):
                expect_conflict(b, ask_attach(b, made.handle, generation=generation), 3, "MEM-09")
        made.commit(6)
        with host.checks("again"):
            expect_conflict(b, ask_attach(b, made.handle, generation=3), 4, "MEM-09")
