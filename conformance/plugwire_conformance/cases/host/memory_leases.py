"""Shared memory (chapter 09): leases, their ends, and the removal of files."""

import signal
from pathlib import Path

from ...case import Broken, host_case, with_longer_times
from ...hosts.subject import HostRun, HostSubject
from ...wire.codes import INVALID_PARAMS
from .memory_holders import (
    attach,
    create,
    expect_bytes,
    expect_released,
    expect_removed,
    filled,
    maps,
    refuse_attach,
    refuse_released,
    release,
)

#: Milliseconds of a lease that shall end in the case.
_SHORT = 150
#: The same, of one that is used before.
_SOON = 800


@host_case(
    "memory/lease-ends",
    "MEM-14",
    why="Memory that nobody gives back is gone for everybody until the host ends.",
    mend="End a lease with memory/release, with its holder's process and with its time; "
    "count one for each participant.",
    declares=("memory",),
)
def lease_ends(host: HostSubject) -> None:
    """A lease ends with its release, its holder or its time, and with the last one the memory is gone.

    `b` attaches three times and releases once, then `a` releases its own: the memory is gone. A memory of `a` is gone
    when `a` is killed, but not the one on which `b` has a lease. One with a lease of 150 ms is gone when that is over.
    """
    with host.start(maps("a", restart="never"), maps("b")) as run:
        a, b = run["a"], run["b"]
        with host.checks("release"):
            made = filled(a, b"one")
            for _ in range(3):
                attach(b, made.handle)
            release(b, made.handle)
            made.release()
            refuse_attach(b, made.handle, "MEM-14")
        with host.checks("time"):
            made = create(a, 3, leaseMs=_SHORT)
            expect_released(a, made.handle, rule="MEM-14")
            refuse_attach(b, made.handle, "MEM-14")
        with host.checks("holder"):
            kept, gone = filled(a, b"three"), filled(a, b"four")
            attach(b, kept.handle)
            a.die()
            expect_removed(b, gone.path, "MEM-14")
            refuse_attach(b, gone.handle, "MEM-14")
            expect_bytes(
                Path(attach(b, kept.handle, rule="MEM-14")["path"]).read_bytes(), b"three", "the content", "MEM-14"
            )
            release(b, kept.handle)
            refuse_attach(b, kept.handle, "MEM-14")


@host_case(
    "memory/lease-renewed",
    "MEM-15",
    why="A holder that works longer than it thought would lose the memory under its hands, or keep it for ever.",
    mend="When a holder attaches again, set its lease's time to what it names, and to none when it names none.",
    declares=("memory",),
)
def lease_renewed(host: HostSubject) -> None:
    """Attaching again gives a lease the time that is named, and no end when none is.

    Leases of 800 ms are renewed: one without a time, one with an hour; where that takes longer, others of 2400 ms. A
    lease without a time gets one of 150 ms, and so does one of an hour. Expected: the first two go on when another,
    begun later, has ended; the last two end.
    """
    with host.start(maps("a"), maps("b")) as run:
        a = run["a"]
        with_longer_times(lambda times: _expect_renewed(run, times))
        with host.checks("shortened"):
            for more in ({}, {"leaseMs": 3600000}):
                made = filled(a, b"3", **more)
                attach(a, made.handle, rule="MEM-15", leaseMs=_SHORT)
                expect_released(a, made.handle, rule="MEM-15")
                refuse_attach(run["b"], made.handle, "MEM-15")


def _expect_renewed(run: HostRun, times: int) -> None:
    a, lease, renewed = run["a"], _SOON * times, []
    for more in ({}, {"leaseMs": 3600000}):
        made = filled(a, b"1", leaseMs=lease)
        attach(a, made.handle, rule="MEM-15", **more)
        renewed.append(made)
    # Its time is over later than theirs would have been.
    expect_released(a, create(a, 1, leaseMs=lease).handle, times=times)
    for made in renewed:
        refuse_released(a, made.handle, "MEM-15")
        attach(run["b"], made.handle, rule="MEM-15")


@host_case(
    "memory/released",
    "MEM-16",
    why="A holder that is not told goes on to write where nobody will read, or renews what is gone.",
    mend="Send memory/released, with the handle and a reason, to the holder whose lease has ended with its time.",
    declares=("memory",),
)
def released(host: HostSubject) -> None:
    """Who has a lease that ends with its time is told, and nobody else.

    `a` holds a memory without a time, and `b` attaches for 800 ms; where it cannot release one in that time, for
    2400 ms. Expected: `b` gets memory/released with a reason; `a` does not, and `b` not for a lease that it has
    released itself.
    """
    with host.start(maps("a"), maps("b")) as run:
        with_longer_times(lambda times: _expect_told(run, _SOON * times, times))


def _expect_told(run: HostRun, lease: int, times: int) -> None:
    a, b = run["a"], run["b"]
    made, other = filled(a, b"shared"), filled(a, b"other")
    attach(b, other.handle, leaseMs=lease)
    release(b, other.handle)
    attach(b, made.handle, leaseMs=lease)
    reason = expect_released(b, made.handle, times=times).params.get("reason")
    if not (isinstance(reason, str) and reason):
        raise Broken("memory/released does not say why", expected="a reason", got=str(reason))
    refuse_released(a, made.handle, "MEM-16")
    made.commit(1)
    refuse_released(b, other.handle, "MEM-16")


@host_case(
    "memory/file-removed",
    "MEM-17",
    why="Files of memories take the machine's memory as long as they have a name.",
    mend="Unlink the file before you answer the release that ended the last lease, and unlink all when the host ends.",
    declares=("memory",),
)
def file_removed(host: HostSubject) -> None:
    """The file is removed with the last lease, before the answer, and when the host ends.

    `a` and `b` have leases. `a` releases: the file is there. `b` releases: with the answer it is gone. Of two more
    files, and of a lease that ended with its time, nothing is left when the host has ended.
    """
    with host.start(maps("a"), maps("b")) as run:
        a, b = run["a"], run["b"]
        with host.checks("release"):
            made = filled(a, b"x")
            attach(b, made.handle)
            made.release()
            if not made.path.exists():
                raise Broken(
                    "the file was removed though somebody has a lease", expected="a file", requirement="MEM-17"
                )
            release(b, made.handle)
            if made.path.exists():
                raise Broken("the file is there after the last release", expected="no file", requirement="MEM-17")
        with host.checks("time"):
            short = create(a, 1, leaseMs=_SHORT)
            expect_released(a, short.handle)
            expect_removed(a, short.path, "MEM-17")
        paths = [filled(a, b"z").path, create(b, 5000).path]
        with host.checks("host-ends"):
            run.stop()
            left = [path.name for path in paths if path.exists()]
            if left:
                raise Broken(
                    "files are there after the host has ended", expected="none", got=str(left), requirement="MEM-17"
                )


@host_case(
    "memory/left-behind",
    "MEM-18",
    why="A host that was killed cannot remove its files; nobody would, until the machine is started again.",
    mend="Hold a lock in the folder of each run; before the first memory, remove the runs of your user whose "
    "lock is free.",
    declares=("memory",),
)
def left_behind(host: HostSubject) -> None:
    """A host removes what killed hosts have left, and nothing of one that runs.

    Three hosts: the first makes a memory and is killed; the second makes one and goes on; the third makes its first
    memory after that. Expected: the first one's file is gone, the second one's is there and can be read.
    """
    # All are started before the first is killed: any other host on this machine may remove what it leaves.
    with host.start(maps("a")) as killed, host.start(maps("a")) as alive, host.start(maps("a")) as third:
        kept = filled(alive["a"], b"of a host that runs")
        left = filled(killed["a"], b"of a host that was killed").path
        killed.process.signal(signal.SIGKILL)
        if killed.process.wait(killed["a"].patience) is None:
            raise Broken("the host does not end when it is killed")
        create(third["a"], 1)
        with host.checks("killed"):
            if left.exists():
                raise Broken("what a killed host left behind is there", expected="no file", got=left.name)
        with host.checks("alive"):
            expect_bytes(kept.path.read_bytes(), b"of a host that runs", "a running host's file", "MEM-18")


@host_case(
    "memory/release-without-lease",
    "MEM-19",
    why="A release that is taken twice would take away a lease that somebody still needs.",
    mend="Answer memory/release with InvalidParams unless its sender has a lease on that memory.",
    declares=("memory",),
)
def release_without_lease(host: HostSubject) -> None:
    """Releasing without a lease is answered with InvalidParams.

    `b` releases a memory that it has not attached to; it attaches, releases, and releases once more. Expected: the
    first and the last are refused, and `a` has its lease.
    """
    with host.start(maps("a"), maps("b")) as run:
        a, b = run["a"], run["b"]
        made = filled(a, b"x")
        request = {"memory": made.handle}
        with host.checks("never-attached"):
            b.expect_error(b.request("memory/release", request), INVALID_PARAMS, rule="MEM-19")
        with host.checks("twice"):
            attach(b, made.handle)
            release(b, made.handle, rule="MEM-19")
            b.expect_error(b.request("memory/release", request), INVALID_PARAMS, rule="MEM-19")
        with host.checks("others"):
            made.commit(1, rule="MEM-19")
