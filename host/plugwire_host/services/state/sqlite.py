"""Values in an SQLite file. Spec STA-13 to STA-15.

One transaction a change, in the write-ahead log: what was answered survives whatever ends this process. After the end
of the whole machine the last changes may be missing, but never one in the middle.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from plugwire.wire import Raw
from plugwire.wire.codec import MalformedJson, decode_value

from ...errors import ConfigError
from ..params import RESOURCE_NAME
from .store import Entry, MemoryStore, StateStore, StoreError

_APPLICATION = 0x706C7773
"""Says in the head of the file that it is ours."""
_VERSION = 1
_TABLES = """
    CREATE TABLE entries (
        key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL, owner TEXT NOT NULL, expires INTEGER
    );
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    INSERT INTO counters VALUES ('revision', 0), ('token', 0);
"""
_PUT = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM entries WHERE key = ?"
_COUNT = "UPDATE counters SET value = ? WHERE name = ?"
_ALL = "SELECT key, value, revision, owner, expires FROM entries"


def open_store(path: str | Path | None) -> StateStore:
    """The store in a file, or where no file is given one that lasts as long as the process. Raises ConfigError."""
    return MemoryStore() if path is None else SqliteStore(Path(path))


class SqliteStore:
    """A file that belongs to this process until it is closed. Raises ConfigError, and leaves the file as it is, when it
    is in use elsewhere, is not a file of this kind, or cannot be read (STA-15)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        connection = None
        try:
            _create_private(path)
            connection = self._connection = sqlite3.connect(path, timeout=0, isolation_level=None)
            self._claim()
            self.revision = self._counter("revision")
            self.token = self._counter("token")
            for entry in self.entries():
                _check(entry)
                self.revision = max(self.revision, entry.revision)
        except (sqlite3.Error, OSError, ValueError) as error:
            if connection is not None:
                connection.close()
            raise ConfigError(path, None, f"it cannot be used as a state file: {_reason(error)}") from None

    def _claim(self) -> None:
        """Take the file for ourselves alone, and make the tables where it is empty."""
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("BEGIN EXCLUSIVE")
        tables = run("SELECT count(*) FROM sqlite_master").fetchone()[0]
        application, version = run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0]
        if application != _APPLICATION and (application or tables):
            raise ValueError("it is an SQLite database of another program")
        if application == _APPLICATION and version != _VERSION:
            raise ValueError(f"it has the format {version}, and this host reads {_VERSION}; use a newer host")
        if application != _APPLICATION:
            for statement in _TABLES.split(";"):
                run(statement)
            run(f"PRAGMA application_id = {_APPLICATION}")
            run(f"PRAGMA user_version = {_VERSION}")
        run("COMMIT")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")

    def _counter(self, name: str) -> int:
        row = self._connection.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
        if row is None or type(row[0]) is not int or row[0] < 0:
            raise ValueError(f"its counter {name!r} is missing or broken")
        return int(row[0])

    def entries(self) -> Iterator[Entry]:
        for key, value, revision, owner, expires in self._connection.execute(_ALL):
            if type(value) is not bytes:
                raise ValueError(f"its value for {str(key)[:80]!r} is no JSON")
            yield Entry(key, Raw(value), revision, owner, expires)

    def put(self, entry: Entry) -> None:
        # The counter is not written: at the start it is the greatest revision of all that are there.
        self._write(_PUT, (entry.key, bytes(entry.value), entry.revision, entry.owner, entry.expires))
        self.revision = entry.revision

    def delete(self, key: str, revision: int) -> None:
        run = self._connection.execute
        try:
            run("BEGIN IMMEDIATE")
            run(_COUNT, (revision, "revision"))
            run(_DELETE, (key,))
            run("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from None
        self.revision = revision

    def save_token(self, token: int) -> None:
        self._write(_COUNT, (token, "token"))
        self.token = token

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        """One statement, which is a transaction of its own."""
        try:
            self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def _failed(self, error: sqlite3.Error) -> StoreError:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        return StoreError(f"the state file {self._path} cannot be written: {_reason(error)}")

    def close(self) -> None:
        self._connection.close()


def _check(entry: Entry) -> None:
    """An entry is one that a plugin could have put: what is broken shows now, and not in the middle of work."""
    if not (isinstance(entry.key, str) and RESOURCE_NAME.fullmatch(entry.key)):
        raise ValueError(f"it holds the key {str(entry.key)[:80]!r}, which is no key")
    try:
        decode_value(entry.value)
    except MalformedJson:
        raise ValueError(f"its value for {entry.key!r} is no JSON") from None
    numbers = (entry.revision, 0 if entry.expires is None else entry.expires)
    if not (isinstance(entry.owner, str) and all(type(number) is int and number >= 0 for number in numbers)):
        raise ValueError(f"its entry for {entry.key!r} is broken")


def _create_private(path: Path) -> None:
    """Values are nobody else's business. An existing file keeps its mode; and is not opened here, because closing it
    again would take the locks away that SQLite has on it."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _reason(error: Exception) -> str:
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return "another host, or another program, is using it; a state file belongs to one host at a time"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
