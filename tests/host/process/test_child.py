"""Child: pipes, exit, group; nothing may be left over."""

import asyncio
import errno
import fcntl
import os
import resource
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from plugwire_host.process import Child, Command
from plugwire_host.process import child as child_module
from plugwire_host.process.group import live_members, signal_group

from .support import Run, let_go, python, read_line, shell, spawn_ready, state_of


@pytest.mark.parametrize(
    ("script", "returncode"), [("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", -9), ("kill -TERM $$", -15)]
)
def test_the_way_a_process_ended_is_its_returncode(run_both_ways: Run, script: str, returncode: int) -> None:
    async def main() -> None:
        child = await Child.spawn(shell(script))
        assert await child.wait_exited() == returncode
        assert child.returncode == returncode
        await let_go(child)

    run_both_ways(main())


def test_what_is_written_is_read_on_the_other_side(run: Run) -> None:
    async def main() -> None:
        child = await Child.spawn(shell("read line; echo out $line; echo err $line >&2"))
        child.stdin.write(b"one\n")
        assert await read_line(child) == b"out one\n"
        assert await asyncio.to_thread(child.stderr.readline) == b"err one\n"
        await let_go(child)

    run(main())


def test_many_may_wait_and_a_cancelled_one_takes_nothing_from_the_others(run_both_ways: Run) -> None:
    async def main() -> None:
        child = await Child.spawn(shell("read line; exit 4"))
        waiting = [asyncio.create_task(child.wait_exited()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        child.stdin.write(b"\n")
        assert await asyncio.gather(*waiting[1:]) == [4, 4]
        assert await child.wait_exited() == 4
        await let_go(child)

    run_both_ways(main())


@pytest.mark.requirement("LIF-17")
def test_a_grandchild_that_holds_the_pipes_open_does_not_delay_the_exit(run_both_ways: Run) -> None:
    async def main() -> None:
        child = await Child.spawn(shell("sleep 600 & exit 0"))
        assert await child.wait_exited() == 0
        assert child.group_alive()
        await let_go(child)

    run_both_ways(main())


def test_a_process_is_a_zombie_until_its_group_was_killed(run_both_ways: Run) -> None:
    async def main() -> None:
        child = await Child.spawn(shell("exit 0"))
        await child.wait_exited()
        assert state_of(child.pid) == "Z"
        assert not child.group_alive()
        child.kill_group()
        assert state_of(child.pid) is None
        child.close_pipes()

    run_both_ways(main())


def test_a_killed_process_is_reaped_when_its_end_is_seen(run_both_ways: Run) -> None:
    async def main() -> None:
        child = await spawn_ready(shell("echo ready; exec sleep 600"))
        child.kill_group()
        assert await child.wait_exited() == -9
        assert state_of(child.pid) is None
        child.close_pipes()

    run_both_ways(main())


def test_kill_group_takes_the_grandchildren_that_outlived_the_child(run: Run) -> None:
    async def main() -> None:
        child = await Child.spawn(shell("sleep 600 & sleep 600 & echo $!; exit 0"))
        grandchild = int(await read_line(child))
        await child.wait_exited()
        assert len(live_members(child.pid)) == 2
        pidfd = os.pidfd_open(grandchild)
        gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(pidfd, gone.set)
        child.kill_group()
        await gone.wait()
        asyncio.get_running_loop().remove_reader(pidfd)
        os.close(pidfd)
        child.close_pipes()

    run(main())


def test_who_has_moved_to_another_group_is_not_of_the_group(run: Run) -> None:
    async def main() -> None:
        source = "import subprocess; print(subprocess.Popen(['sleep', '600'], process_group=0).pid)"
        child = await Child.spawn(python(source))
        grandchild = int(await read_line(child))
        await child.wait_exited()
        assert not child.group_alive()
        os.kill(grandchild, signal.SIGKILL)
        await let_go(child)

    run(main())


def test_terminate_group_reaches_the_grandchildren(run: Run) -> None:
    async def main() -> None:
        child = await spawn_ready(
            shell("(trap 'echo grandchild; exit' TERM; echo ready; while :; do sleep 0.01; done)")
        )
        child.terminate_group()
        assert await read_line(child) == b"grandchild\n"
        assert await child.wait_exited() == -15
        await let_go(child)

    run(main())


def test_a_reaped_child_is_never_signalled_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    signalled: list[tuple[int, int]] = []

    async def main() -> None:
        child = await Child.spawn(shell("exit 0"))
        await child.wait_exited()
        await let_go(child)
        monkeypatch.setattr(child_module, "signal_group", lambda *call: signalled.append(call))
        child.terminate_group()
        child.kill_group()

    run(main())
    assert signalled == []


def test_a_child_that_somebody_else_reaped_counts_as_ended_and_is_not_signalled(
    run_both_ways: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    signalled: list[tuple[int, int]] = []

    async def main() -> None:
        child = await Child.spawn(shell("exit 3"))
        os.waitpid(child.pid, 0)
        assert await child.wait_exited() == 255
        monkeypatch.setattr(child_module, "signal_group", lambda *call: signalled.append(call))
        child.kill_group()
        child.close_pipes()

    run_both_ways(main())
    assert signalled == []


def test_a_child_leads_its_own_session_and_group(run: Run) -> None:
    async def main() -> None:
        child = await Child.spawn(python("import os; print(os.getpid(), os.getpgrp(), os.getsid(0))"))
        assert await read_line(child) == b"%d %d %d\n" % (child.pid, child.pid, child.pid)
        await let_go(child)

    run(main())


def test_a_child_inherits_no_descriptor_but_its_three_pipes(run: Run) -> None:
    async def main() -> None:
        ours = os.open("/dev/null", os.O_RDONLY)
        os.set_inheritable(ours, True)
        # One more than the three: the listing itself.
        child = await Child.spawn(python("import os; print(sorted(os.listdir('/proc/self/fd')))"))
        assert await read_line(child) == b"['0', '1', '2', '3']\n"
        os.close(ours)
        await let_go(child)

    run(main())


def test_standard_input_and_output_hold_a_mebibyte(run: Run) -> None:
    async def main() -> list[int]:
        child = await Child.spawn(shell("exit 0"))
        sizes = [fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) for pipe in (child.stdin, child.stdout)]
        await let_go(child)
        return sizes

    assert run(main()) == [1048576, 1048576]


@pytest.mark.requirement("MAN-02")
def test_arguments_reach_the_program_as_they_are(run: Run) -> None:
    async def main() -> None:
        source = "import sys; sys.stdout.write(ascii(sys.argv[1:]) + chr(10))"
        argv = (*python(source).argv, "$HOME; echo `id` *", "", "a\nb", "ä")
        child = await Child.spawn(Command(argv, Path("/"), {"LC_ALL": "C.UTF-8"}))
        assert await read_line(child) == b"['$HOME; echo `id` *', '', 'a\\nb', '\\xe4']\n"
        await let_go(child)

    run(main())


def test_the_environment_and_the_folder_are_those_of_the_command(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        child = await Child.spawn(Command(("/usr/bin/env",), tmp_path, {"TONE": "warm"}))
        assert await asyncio.to_thread(child.stdout.read) == b"TONE=warm\n"
        await let_go(child)
        child = await Child.spawn(Command(("/bin/pwd", "-P"), tmp_path, {}))
        assert await read_line(child) == os.fsencode(tmp_path.resolve()) + b"\n"
        await let_go(child)

    run(main())


@pytest.mark.parametrize(
    ("program", "number"), [("/nowhere/at/all", errno.ENOENT), ("/etc/passwd", errno.EACCES), ("/tmp", errno.EACCES)]
)
def test_a_program_that_cannot_be_run_is_an_os_error_and_leaves_nothing(run: Run, program: str, number: int) -> None:
    async def main() -> None:
        with pytest.raises(OSError, match=os.strerror(number)) as caught:
            await Child.spawn(Command((program,), Path("/"), {}))
        assert caught.value.errno == number

    run(main())


def test_no_descriptors_for_the_pipes_is_an_os_error_and_leaves_nothing(run: Run) -> None:
    async def main() -> None:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        first_free = os.dup(0)
        os.close(first_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (first_free + 3, limits[1]))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                await Child.spawn(shell("exit 0"))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    run(main())


def test_a_child_whose_exit_nobody_can_see_is_killed_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more_threads(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        monkeypatch.delattr(os, "pidfd_open")
        monkeypatch.setattr(threading.Thread, "start", no_more_threads)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            await Child.spawn(shell("exec sleep 600"))

    run(main())


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_spawn_that_is_cancelled_leaves_nothing_or_gives_the_child(run_both_ways: Run, turns: int) -> None:
    async def main() -> bool:
        spawning = asyncio.create_task(Child.spawn(shell("exec sleep 600")))
        for _ in range(turns):
            await asyncio.sleep(0)
        spawning.cancel()
        try:
            child = await spawning
        except asyncio.CancelledError:
            return False
        await let_go(child)
        return True

    assert run_both_ways(main()) is (turns > 0)


def test_a_loop_that_ends_before_the_process_does_not_disturb_the_waiting_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    child = asyncio.run(Child.spawn(shell("read line")))
    child.close_pipes()
    (thread,) = [thread for thread in threading.enumerate() if thread.name == f"wait for {child.pid}"]
    thread.join(30)
    assert not thread.is_alive()
    child.kill_group()
    child._process.wait()


def test_signals_to_a_group_that_is_gone_are_no_error() -> None:
    process = subprocess.Popen(["/bin/true"], start_new_session=True)
    process.wait()
    signal_group(process.pid, signal.SIGTERM)
    assert live_members(process.pid) == frozenset()
