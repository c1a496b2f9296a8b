"""``plugin-run state``: a state file without a host."""

import json
from pathlib import Path

import pytest

from plugwire.wire import Raw
from plugwire_host.services.state.sqlite import SqliteStore
from plugwire_host.services.state.store import Entry
from tests.host.cli.support import plugin_run, write_plugin


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with two values."""
    store = SqliteStore(tmp_path / "state.db")
    store.put(Entry("users/ada", Raw('{"tone": "wärm\\u001b"}'.encode()), 1, "greeter"))
    store.put(Entry("runs", Raw(b"41"), 2, "a", 4_000_000_000_000))
    store.put(Entry("old", Raw(b"1"), 3, "a", 1_000))
    store.close()
    return tmp_path / "state.db"


def test_a_value_is_printed_as_json(tmp_path: Path, file: Path) -> None:
    done = plugin_run("state", "get", "--store", "state.db", "users/ada", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, '{"tone": "wärm\\u001b"}\n', "")
    done = plugin_run("state", "get", "--json", "--store", str(file), "runs", cwd=tmp_path)
    assert json.loads(done.out) == {
        "key": "runs",
        "revision": 2,
        "value": 41,
        "by": "a",
        "expiresMs": 4_000_000_000_000,
    }


def test_keys_are_listed_and_what_has_had_its_time_is_gone(tmp_path: Path, file: Path) -> None:
    done = plugin_run("state", "list", "--store", "state.db", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out == 'runs  2  41\nusers/ada  1  {"tone": "wärm\\u001b"}\n'
    done = plugin_run("state", "list", "--store", "state.db", "--json", "users/", cwd=tmp_path)
    assert [json.loads(line)["key"] for line in done.out.splitlines()] == ["users/ada"]
    assert plugin_run("state", "list", "--store", "state.db", "none", cwd=tmp_path).out == ""


def test_a_value_that_is_put_is_there_for_the_next_host(tmp_path: Path) -> None:
    first = plugin_run("state", "put", "--store", "state.db", "a/b", '{"x": [1]}', cwd=tmp_path)
    second = plugin_run("state", "put", "--json", "--store", "state.db", "c", "null", cwd=tmp_path)
    assert (first.code, first.out, second.code, second.out) == (0, "1\n", 0, '{"revision": 2}\n')
    store = SqliteStore(tmp_path / "state.db")
    assert [(e.key, bytes(e.value), e.owner) for e in store.entries()] == [
        ("a/b", b'{"x": [1]}', "host"),
        ("c", b"null", "host"),
    ]
    store.close()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["get", "--store", "state.db", "none"], 1, "error: nothing is under the key none"),
        (
            ["get", "--store", "none.db", "runs"],
            2,
            "Error: Invalid value for '--store': File 'none.db' does not exist.",
        ),
        (["list", "--store", "none.db"], 2, "Error: Invalid value for '--store': File 'none.db' does not exist."),
        (["get", "runs"], 2, "Error: Missing option '--store'."),
        (["get", "--store", "state.db", "../x"], 2, "Error: Invalid value for 'KEY': segments of A-Z a-z 0-9"),
        (["put", "--store", "state.db", "k", "text"], 2, "Error: VALUE: JSON was expected, such as 5 or '\"text\"'"),
        (["put", "--store", "state.db", "k", "NaN"], 2, "Error: VALUE: JSON was expected"),
        (["put", "--store", "other/state.db", "k", "1"], 8, "error: other/state.db: it cannot be used as a state file"),
        (["list", "--store", "text"], 8, "error: text: it cannot be used as a state file: file is not a database"),
        (["list", "--store", "."], 2, "Error: Invalid value for '--store': File '.' is a directory."),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, file: Path, arguments: list[str], code: int, message: str) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    done = plugin_run("state", *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_a_host_runs_on_is_refused(tmp_path: Path, file: Path) -> None:
    store = SqliteStore(file)
    done = plugin_run("state", "put", "--json", "--store", "state.db", "runs", "1", cwd=tmp_path)
    assert (done.code, done.out) == (8, "")
    error = done.error()
    assert error["code"] == "bad_config"
    assert error["message"] == (
        "state.db: it cannot be used as a state file: another host, or another program, is using it; "
        "a state file belongs to one host at a time"
    )
    assert store.revision == 3
    store.close()


def test_a_host_takes_its_file_from_the_list_of_plugins(tmp_path: Path, file: Path) -> None:
    (tmp_path / "plugins.toml").write_text('[host]\nstate = "state.db"\n[plugins.a]\ncommand = ["./liar"]\n')
    write_plugin(tmp_path)
    done = plugin_run("call", "state/get", '{"key": "runs"}', cwd=tmp_path)
    assert (done.code, json.loads(done.out)) == (0, {"value": 41, "revision": 2})
    file.write_text("no database " * 100)
    done = plugin_run("call", "state/get", '{"key": "runs"}', cwd=tmp_path)
    assert done.code == 8
    assert "state.db: it cannot be used as a state file: file is not a database" in done.err
