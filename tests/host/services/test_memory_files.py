"""Where the files of memories are, who can open them, and that nothing of them stays; real folders, real processes."""

import errno
import os
import select
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from plugwire_host.services.memory.files import MemoryFiles, sweep

WAIT = 20.0
UID = os.getuid()

# A host that was killed: it makes a file, says so, and waits.
HOLDER = """
import pathlib, sys
from plugwire_host.services.memory.files import MemoryFiles
files = MemoryFiles(pathlib.Path(sys.argv[1]))
print(files.create(4096), flush=True)
sys.stdin.read()
"""


def start_holder(root: Path) -> tuple["subprocess.Popen[str]", Path]:
    """Another host, and the file that it has made."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], WAIT)[0]
    return process, Path(process.stdout.readline().strip())


def kill(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=WAIT)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.requirement("MEM-01", "MEM-03", "MEM-04")
def test_a_file_is_whole_zero_and_for_its_user_alone(tmp_path: Path) -> None:
    files = MemoryFiles(tmp_path)
    path = Path(files.create(100_000))
    assert path.read_bytes() == bytes(100_000)
    assert path.stat().st_blocks * 512 >= 100_000, "its storage is not set aside"
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)
    assert path.parent.parent == tmp_path / f"plugwire-{UID}"
    files.close()


@pytest.mark.requirement("MEM-17")
def test_nothing_stays_of_files_and_folders(tmp_path: Path) -> None:
    files = MemoryFiles(tmp_path)
    first, second = files.create(10), files.create(10)
    free = files.remove(first)
    assert not Path(first).exists()
    free()
    assert Path(second).exists()
    files.close()
    files.close()
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_never_makes_a_memory_makes_no_folder(tmp_path: Path) -> None:
    MemoryFiles(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_removing_a_file_that_somebody_else_has_removed_is_fine(tmp_path: Path) -> None:
    files = MemoryFiles(tmp_path)
    path = files.create(10)
    Path(path).unlink()
    files.remove(path)()
    files.close()


@pytest.mark.requirement("MEM-04")
def test_where_there_is_no_room_there_is_an_error_and_no_file(tmp_path: Path) -> None:
    root = Path("/dev/shm") if Path("/dev/shm").is_dir() else tmp_path
    files = MemoryFiles(root)
    path = Path(files.create(1))
    with pytest.raises(OSError, match=r"space|large") as caught:
        files.create(1 << 50)
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert sorted(found.name for found in path.parent.iterdir()) == sorted(["lock", path.name])
    files.close()


def test_no_file_is_made_after_the_end(tmp_path: Path) -> None:
    files = MemoryFiles(tmp_path)
    files.close()
    with pytest.raises(OSError, match="the host has closed"):
        files.create(1)
    assert list(tmp_path.iterdir()) == []


def test_files_are_made_in_many_threads_at_once_in_one_folder(tmp_path: Path) -> None:
    files = MemoryFiles(tmp_path)
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(files.create(10))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert len(set(made)) == 16
    assert len({Path(path).parent for path in made}) == 1
    files.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("MEM-03")
def test_no_link_is_followed(tmp_path: Path) -> None:
    files = MemoryFiles(tmp_path)
    path = files.create(4)
    secret = tmp_path / "secret"
    secret.write_bytes(b"mine")
    Path(path).unlink()
    Path(path).symlink_to(secret)
    with pytest.raises(OSError, match="symbolic links"):
        files.read(path, 0, 4)
    with pytest.raises(OSError, match="symbolic links"):
        files.write(path, 0, b"own!")
    files.close()
    assert secret.read_bytes() == b"mine"


def test_bytes_are_read_and_written_in_place(tmp_path: Path) -> None:
    files = MemoryFiles(tmp_path)
    path = files.create(10)
    files.write(path, 3, b"abc")
    assert files.read(path, 2, 5) == b"\0abc\0"
    with pytest.raises(OSError, match="ends 3 bytes too soon"):
        files.read(path, 8, 5)
    files.close()


# Other people in a folder that all can write to


@pytest.mark.requirement("MEM-03")
@pytest.mark.parametrize("kind", ["open to others", "a link", "a file"])
def test_a_folder_that_others_have_prepared_is_not_used(tmp_path: Path, kind: str) -> None:
    trap = tmp_path / f"plugwire-{UID}"
    if kind == "open to others":
        trap.mkdir()
        trap.chmod(0o777)
    elif kind == "a link":
        (tmp_path / "elsewhere").mkdir(0o700)
        trap.symlink_to(tmp_path / "elsewhere")
    else:
        trap.write_text("")
    files = MemoryFiles(tmp_path)
    parent = Path(files.create(1)).parent.parent
    assert parent.name.startswith(f"plugwire-{UID}-")
    assert (parent.parent, mode(parent)) == (tmp_path, 0o700)
    files.close()
    assert not parent.exists()
    assert trap.exists()


@pytest.mark.requirement("MEM-03")
@pytest.mark.skipif(UID != 0, reason="only root can make a folder of another user's")
def test_a_folder_of_another_user_is_not_used(tmp_path: Path) -> None:
    trap = tmp_path / "plugwire-0"
    trap.mkdir(0o700)
    os.chown(trap, 12345, 12345)
    files = MemoryFiles(tmp_path)
    assert Path(files.create(1)).parent.parent != trap
    files.close()
    assert list(trap.iterdir()) == []


# Hosts that were killed


@pytest.mark.requirement("MEM-18")
def test_what_a_killed_host_has_left_is_gone_after_the_next_start(tmp_path: Path) -> None:
    killed, left = start_holder(tmp_path)
    living, kept = start_holder(tmp_path)
    kill(killed)
    assert left.exists()
    files = MemoryFiles(tmp_path)
    mine = Path(files.create(1))
    assert not left.parent.exists()
    assert kept.exists(), "a host that lives has lost its file"
    assert {mine.parent, kept.parent} == set((tmp_path / f"plugwire-{UID}").iterdir())
    files.close()
    kill(living)
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("MEM-18")
def test_a_folder_that_was_given_another_name_is_swept_too(tmp_path: Path) -> None:
    trap = tmp_path / f"plugwire-{UID}"
    trap.write_text("")
    process, left = start_holder(tmp_path)
    kill(process)
    sweep(tmp_path)
    assert not left.parent.parent.exists()
    assert list(tmp_path.iterdir()) == [trap]


@pytest.mark.requirement("MEM-18")
def test_the_sweep_takes_nothing_that_is_not_a_run_of_this_user(tmp_path: Path) -> None:
    parent = tmp_path / f"plugwire-{UID}"
    parent.mkdir(0o700)
    strange = parent / "strange"
    strange.mkdir()
    (strange / "precious").write_text("")
    (parent / "half-made").mkdir()
    (parent / "file").write_text("")
    other = tmp_path / f"plugwire-{UID}9"
    (other / "run").mkdir(parents=True)
    (other / "run" / "lock").write_text("")
    sweep(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        f"plugwire-{UID}",
        f"plugwire-{UID}/file",
        f"plugwire-{UID}/strange",
        f"plugwire-{UID}/strange/precious",
        f"plugwire-{UID}9",
        f"plugwire-{UID}9/run",
        f"plugwire-{UID}9/run/lock",
    ]


@pytest.mark.requirement("MEM-18")
def test_hosts_that_start_and_end_at_the_same_time_do_not_hurt_each_other(tmp_path: Path) -> None:
    """Each sweeps while the others make and remove their folders, which are at their most vulnerable just then."""
    failures: list[BaseException] = []

    def live_and_die() -> None:
        try:
            for _ in range(40):
                files = MemoryFiles(tmp_path)
                path = files.create(1)
                sweep(tmp_path)
                assert Path(path).exists()
                files.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=live_and_die) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert failures == []
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
