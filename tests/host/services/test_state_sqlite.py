"""The store in a file: what is there after a restart, and which files are refused."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from plugwire.wire import Raw
from plugwire_host.errors import ConfigError
from plugwire_host.services.state.sqlite import SqliteStore, open_store
from plugwire_host.services.state.store import Entry, MemoryStore, StoreError


def entries(store: SqliteStore) -> list[tuple[str, bytes, int, str, int | None]]:
    return [(e.key, bytes(e.value), e.revision, e.owner, e.expires) for e in store.entries()]


def test_without_a_path_nothing_is_written() -> None:
    assert isinstance(open_store(None), MemoryStore)


@pytest.mark.requirement("STA-14")
def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    store.put(Entry("a/b", Raw(' {"ä":1}'.encode()), 1, "p", 1_700_000_000_000))
    store.put(Entry("c", Raw(b"1"), 2, "q"))
    store.put(Entry("c", Raw(b"2"), 3, "r"))
    store.put(Entry("gone", Raw(b"2"), 4, "r"))
    store.delete("gone", 5)
    store.save_token(7)
    store.close()
    again = SqliteStore(path)
    assert (again.revision, again.token) == (5, 7)
    assert entries(again) == [("a/b", ' {"ä":1}'.encode(), 1, "p", 1_700_000_000_000), ("c", b"2", 3, "r", None)]
    again.close()
    assert sorted(os.listdir(tmp_path)) == ["state.db"]


def test_the_file_is_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    SqliteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


WRITER = """
import os, sys
from pathlib import Path
from plugwire.wire import Raw
from plugwire_host.services.state.sqlite import SqliteStore
from plugwire_host.services.state.store import Entry
store = SqliteStore(Path(sys.argv[1]))
for revision in range(store.revision + 1, 10**9):
    store.put(Entry(f"k/{revision % 7}", Raw(b'"%d"' % revision), revision, "p"))
    store.save_token(revision * 2)
    os.write(1, b"%d\\n" % revision)
"""


@pytest.mark.requirement("STA-14")
def test_what_was_answered_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    path, answered = tmp_path / "state.db", 0
    for kills in range(1, 6):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            while answered < kills * 40:
                answered = int(writer.stdout.readline())
            writer.kill()
            rest = writer.stdout.read().split(b"\n")
            answered = int(rest[-2]) if len(rest) > 1 else answered
        store = SqliteStore(path)
        assert store.revision in (answered, answered + 1)
        assert store.token >= answered * 2
        assert sorted(entry[2] for entry in entries(store)) == list(range(store.revision - 6, store.revision + 1))
        store.close()


@pytest.mark.requirement("STA-15")
def test_a_file_belongs_to_one_host_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    store.put(Entry("a", Raw(b"1"), 1, "p"))
    for _ in range(2):
        with pytest.raises(ConfigError, match="another host, or another program, is using it"):
            SqliteStore(path)
    script = f"from pathlib import Path\n{WRITER.split('for', maxsplit=1)[0]}"
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, timeout=30, check=False)
    assert done.returncode == 1
    assert b"is using it; a state file belongs to one host at a time" in done.stderr
    store.put(Entry("a", Raw(b"2"), 2, "p"))
    store.close()
    again = SqliteStore(path)
    assert entries(again) == [("a", b"2", 2, "p", None)]
    again.close()


def sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def made(path: Path) -> Path:
    store = SqliteStore(path)
    store.put(Entry("a", Raw(b'{"x":1}'), 1, "p"))
    store.close()
    return path


def tear(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def make_foreign(path: Path) -> None:
    path.unlink()
    sql(path, "CREATE TABLE x (y)")


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def remove_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


@pytest.mark.requirement("STA-15")
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_bytes(b"hello, this is no database at all" * 50), "file is not a database"),
        (make_foreign, "it is an SQLite database of another program"),
        (tear, "database disk image is malformed"),
        (lambda path: sql(path, "PRAGMA user_version = 2"), "it has the format 2, and this host reads 1; use a newer"),
        (lambda path: sql(path, "UPDATE entries SET value = '{\"x\"'"), "its value for 'a' is no JSON"),
        (lambda path: sql(path, "UPDATE entries SET value = CAST('{' AS BLOB)"), "its value for 'a' is no JSON"),
        (lambda path: sql(path, "UPDATE entries SET key = '../a'"), "it holds the key '../a', which is no key"),
        (lambda path: sql(path, "UPDATE entries SET revision = -1"), "its entry for 'a' is broken"),
        (lambda path: sql(path, "UPDATE entries SET expires = 'x'"), "its entry for 'a' is broken"),
        (
            lambda path: sql(path, "DELETE FROM counters WHERE name > 's'"),
            "its counter 'token' is missing or broken",
        ),
        (lambda path: sql(path, "UPDATE counters SET value = -1"), "its counter 'revision' is missing or broken"),
        (lambda path: sql(path, "DROP TABLE entries"), "no such table: entries"),
        (make_folder, "unable to open database file"),
        (remove_folder, "No such file or directory"),
    ],
)
def test_what_is_no_state_file_is_refused_and_left_alone(
    tmp_path: Path, spoil: Callable[[Path], object], why: str
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    path = made(folder / "state.db")
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(ConfigError) as error:
        SqliteStore(path)
    assert str(error.value).startswith(f"{path}: it cannot be used as a state file: {why}")
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_an_empty_file_becomes_a_state_file(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch()
    SqliteStore(path).close()
    made(path)


@pytest.mark.requirement("STA-13")
def test_what_fails_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.put(Entry("a", Raw(b"1"), 1, "p"))
    attempts: list[Callable[[], None]] = [
        lambda: store.put(Entry("a", Raw(b"2"), 2, "p")),
        lambda: store.delete("a", 2),
        lambda: store.save_token(1),
    ]
    for attempt in attempts:
        store._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="cannot be written: attempt to write a readonly database"):
            attempt()
        store._connection.execute("PRAGMA query_only = OFF")
        assert (store.revision, store.token, entries(store)) == (1, 0, [("a", b"1", 1, "p", None)])
    store._connection.execute("CREATE TEMP TRIGGER no BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StoreError, match="cannot be written: no"):
        store.delete("a", 2)
    store._connection.execute("DROP TRIGGER no")
    store.put(Entry("b", Raw(b"1"), 2, "p"))
    store.delete("a", 3)
    store.close()
    store = SqliteStore(tmp_path / "state.db")
    assert (store.revision, [entry.key for entry in store.entries()]) == (3, ["b"])
    store.close()


@pytest.mark.requirement("STA-13")
def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    store.put(Entry("a", Raw(b"1"), 1, "p"))
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    large = Raw(b'"' + b"x" * 100_000 + b'"')
    with pytest.raises(StoreError, match="cannot be written: database or disk is full"):
        store.put(Entry("b", large, 2, "p"))
    assert (store.revision, entries(store)) == (1, [("a", b"1", 1, "p", None)])
    store.delete("a", 2)
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.put(Entry("b", large, 3, "p"))
    store.close()
    again = SqliteStore(path)
    assert (again.revision, [entry.key for entry in again.entries()]) == (3, ["b"])
    again.close()
