"""``plugin-run list`` and ``info``: the plugins and what they say of themselves."""

import json
import sys
from pathlib import Path

import pytest

from tests.host.cli.support import plugin_run, write_list, write_plugin, write_script

GREETER = f"""\
#!{sys.executable}
from typing import Literal
from plugwire import Plugin

plugin = Plugin("greeter", version="1.2.0")


@plugin.method
def hello(name: str, tone: Literal["warm", "cool"] = "warm", times: int | None = None) -> list[str]:
    '''Greet somebody.

    At length.
    '''
    return []


@plugin.method
def badge() -> str:
    return "x"


plugin.run()
"""
BAD = """\
raw.begin({"protocolVersion": "1.0", "plugin": {"name": "bad", "version": "0.1"}})
raw.serve()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A list of a plugin that works, one that is not there, and one that provides nothing."""
    write_script(tmp_path, GREETER, "greeter.py")
    write_plugin(tmp_path, BAD, "bad")
    write_list(
        tmp_path,
        """\
        [plugins.greeter]
        command = ["./greeter.py", "two words"]
        [plugins.missing]
        command = ["./nowhere"]
        [plugins.bad]
        command = ["./bad"]
        [plugins.off]
        command = ["./off"]
        enabled = false
        """,
    )
    return tmp_path


def test_list_is_a_table_with_a_line_for_each_plugin(folder: Path) -> None:
    done = plugin_run("list", cwd=folder, COLUMNS="20")
    assert (done.code, done.err) == (
        0,
        "warning: did not start: missing; plugin-run doctor says what to mend\n",
    )
    heads, *rows = done.out.splitlines()
    assert heads.split() == ["plugin", "state", "version", "services", "command"]
    at = [heads.index(head) for head in heads.split()]
    cells = [[row[a:b].strip() for a, b in zip(at, [*at[1:], None], strict=True)] for row in rows]
    assert cells == [
        ["greeter", "ready", "1.2.0", "greeter 1.2.0", f"{folder}/greeter.py 'two words'"],
        ["missing", f"failed: {folder}/nowhere does not exist", "", "", f"{folder}/nowhere"],
        ["bad", "ready", "0.1", "", f"{folder}/bad"],
    ]
    assert all(row == row.rstrip() for row in [heads, *rows])


def test_list_in_json_is_a_list_of_objects(folder: Path) -> None:
    done = plugin_run("list", "--json", cwd=folder)
    assert (done.code, done.err) == (0, "")
    greeter, missing, bad = json.loads(done.out)
    assert list(greeter) == [
        "name",
        "state",
        "command",
        "pid",
        "version",
        "provides",
        "restarts",
        "inFlight",
        "queued",
        "failure",
    ]
    assert (greeter["name"], greeter["state"], greeter["version"], greeter["failure"]) == (
        "greeter",
        "ready",
        "1.2.0",
        None,
    )
    assert greeter["command"] == [f"{folder}/greeter.py", "two words"]
    assert greeter["pid"] > 1
    assert (missing["state"], missing["pid"], missing["provides"]) == ("failed", None, [])
    assert missing["failure"].startswith("plugin 'missing' did not start\n  command:  ")
    assert (bad["state"], bad["provides"]) == ("ready", [])


def test_info_shows_each_method_in_a_line(folder: Path) -> None:
    done = plugin_run("info", cwd=folder)
    assert done.code == 0
    assert done.out == (
        f"greeter  ready  version 1.2.0  {folder}/greeter.py 'two words'\n"
        "  greeter 1.2.0\n"
        '    greeter/hello {name: string, tone?: "cool" | "warm", times?: integer | null} → [string]  Greet somebody.\n'
        "    greeter/badge {} → string\n"
        "\n"
        f"missing  failed  {folder}/nowhere\n"
        f"  {folder}/nowhere does not exist\n"
        "\n"
        f"bad  ready  version 0.1  {folder}/bad\n"
        "  provides no service\n"
    )


def test_info_in_json_holds_what_the_plugin_said(folder: Path) -> None:
    done = plugin_run("info", "--json", cwd=folder)
    (service,) = json.loads(done.out)[0]["provides"]
    assert (service["service"], service["version"]) == ("greeter", "1.2.0")
    assert service["methods"]["badge"]["result"] == {"type": "string"}
    assert service["methods"]["hello"]["description"].startswith("Greet somebody.")


@pytest.mark.parametrize(
    ("method", "line"),
    [
        ("{}", "liar/ask"),
        ('{"params": {"required": 5, "properties": {"x": 1}}}', "liar/ask {x?: any}"),
        ('{"params": {"properties": []}, "result": {"enum": 1}}', "liar/ask {} → any"),
        ('{"result": {"$ref": "#/$defs/Thing"}}', "liar/ask → Thing"),
        ('{"result": {"type": ["string", "null"]}}', "liar/ask → string | null"),
        ('{"result": {"type": "array"}}', "liar/ask → [any]"),
        ('{"result": {"anyOf": [{"type": "array", "items": {"enum": ["ü", 1]}}, {}]}}', 'liar/ask → ["ü" | 1] | any'),
        ('{"description": "\\n  One.\\nTwo."}', "liar/ask  One."),
    ],
)
def test_info_makes_what_it_can_of_schemas_that_are_none(tmp_path: Path, method: str, line: str) -> None:
    liar = write_plugin(
        tmp_path,
        f"""\
        import json
        raw.begin({{
            "protocolVersion": "1.0",
            "plugin": {{"name": "x", "version": "1"}},
            "provides": [{{"service": "liar", "methods": {{"ask": json.loads({method!r})}}}}],
        }})
        raw.serve()
        """,
    )
    done = plugin_run("info", "--with", liar, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[2] == f"    {line}"


def test_the_list_of_the_present_folder_is_the_default(folder: Path) -> None:
    write_list(folder, "[plugins.other]\ncommand = ['./bad']\n", "other.toml")
    assert [record["name"] for record in json.loads(plugin_run("list", "--json", cwd=folder).out)] == [
        "greeter",
        "missing",
        "bad",
    ]
    done = plugin_run("list", "--json", "-c", "other.toml", cwd=folder)
    assert [record["name"] for record in json.loads(done.out)] == ["other"]
    (folder / "inner").mkdir()
    done = plugin_run("list", "--json", "--config", "../other.toml", cwd=folder / "inner")
    assert [record["command"] for record in json.loads(done.out)] == [[f"{folder}/bad"]]


def test_an_executable_a_manifest_and_its_folder_are_plugins(tmp_path: Path) -> None:
    write_plugin(tmp_path / "folder", name="run-me")
    (tmp_path / "folder/plugin.toml").write_text('name = "inner"\nversion = "1"\ncommand = ["./run-me"]\n')
    named = ["--with", "folder", "--with", "folder/plugin.toml", "--with", "folder/run-me"]
    done = plugin_run("list", "--json", *named, cwd=tmp_path)
    assert [(r["name"], r["state"], r["command"]) for r in json.loads(done.out)] == [
        ("inner", "ready", [f"{tmp_path}/folder/run-me"]),
        ("inner-2", "ready", [f"{tmp_path}/folder/run-me"]),
        ("run-me", "ready", [f"{tmp_path}/folder/run-me"]),
    ]


def test_a_script_after_the_dashes_gives_its_name_not_its_interpreters(tmp_path: Path) -> None:
    write_script(tmp_path, GREETER, "greeter.py")
    for interpreter in (sys.executable, "python3"):
        done = plugin_run("doctor", "--json", "--", interpreter, "greeter.py", cwd=tmp_path)
        assert json.loads(done.out)[0]["plugin"] == "greeter"
