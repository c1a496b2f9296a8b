"""``--trace FILE``: every frame of every plugin, one JSON object a line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.host.cli.support import plugin_run, write_list, write_plugin
from tests.host.support import plugin


def read_trace(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first line, and the others."""
    first, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return first, lines


def test_every_frame_is_written_in_its_order(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    done = plugin_run("call", "liar/ask", "-p", "give=ü", "--trace", "trace", "--", liar, cwd=tmp_path)
    assert (done.code, done.out) == (0, '"ü"\n')
    first, lines = read_trace(tmp_path / "trace")
    assert first == {"trace": "plugwire", "protocolVersion": "1.0", "format": 1}
    assert all(list(line) == ["t", "plugin", "dir", "raw"] and line["plugin"] == "liar" for line in lines)
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    messages = [(line["dir"], json.loads(line["raw"])) for line in lines]
    assert [(direction, message.get("method", "answer")) for direction, message in messages] == [
        ("host>plugin", "initialize"),
        ("plugin>host", "answer"),
        ("host>plugin", "initialized"),
        ("host>plugin", "liar/ask"),
        ("plugin>host", "answer"),
        ("host>plugin", "shutdown"),
        ("plugin>host", "answer"),
        ("host>plugin", "exit"),
    ]
    assert messages[0][1]["params"]["host"]["name"] == "plugin-run"
    assert lines[4]["raw"] == '{"jsonrpc":"2.0","id":2,"result":"\\u00fc"}'


def test_a_body_that_is_no_json_and_stray_output_survive_as_text(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        r"""
        def ask(request):
            raw.write(b"Content-Length: 9\r\n\r\n{\"a\": \xff\x1b}")
            raw.write(b"\x1b[31mstray\n")
            raw.answer(request, None)

        raw.begin()
        raw.serve(ask=ask)
        """,
    )
    done = plugin_run("call", "liar/ask", "--trace", "trace", "--", liar, cwd=tmp_path)
    assert (done.code, done.out) == (0, "null\n")
    text = (tmp_path / "trace").read_text(encoding="utf-8")
    assert "\x1b" not in text
    _, lines = read_trace(tmp_path / "trace")
    told = [(line.get("raw"), line.get("noise")) for line in lines if line["dir"] == "plugin>host"]
    assert ('{"a": \\xff\x1b}', None) in told
    assert (None, "\x1b[31mstray\n") in told


def test_half_a_frame_is_not_lost(tmp_path: Path) -> None:
    done = plugin_run("call", "liar/ask", "--trace", "trace", "--", *plugin("exits_mid_frame"), cwd=tmp_path)
    assert done.code == 4
    _, lines = read_trace(tmp_path / "trace")
    assert lines[-1]["cut"] == 'Content-Length: 41\r\n\r\n{"jsonrpc":"2.0","id":2,"result":"as'


@pytest.mark.parametrize("arguments", [["call", "x/y"], ["doctor"]])
def test_half_a_frame_of_a_start_that_fails_is_not_lost(tmp_path: Path, arguments: list[str]) -> None:
    liar = write_plugin(tmp_path, "raw.read()\nraw.write(b'Content-Length: 99')\nsys.exit(3)\n")
    assert plugin_run(*arguments, "--trace", "trace", "--", liar, cwd=tmp_path).code in (3, 4)
    _, lines = read_trace(tmp_path / "trace")
    assert lines[-1]["cut"] == "Content-Length: 99"


def test_a_plugin_that_is_started_again_begins_with_a_whole_frame(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        import os
        raw.begin()
        raw.read()
        if not os.path.exists("again"):
            open("again", "w").close()
            raw.write(b"Content-Length: 99")
            os._exit(4)
        print("for the second time", file=sys.stderr, flush=True)
        sys.exit(0)
        """,
    )
    done = plugin_run("run", "--trace", "trace", "--", liar, cwd=tmp_path)
    assert "for the second time" in done.err
    _, lines = read_trace(tmp_path / "trace")
    theirs = [line for line in lines if line["dir"] == "plugin>host"]
    assert [line.get("cut", "frame") for line in theirs] == ["frame", "Content-Length: 99", "frame"]


def test_several_plugins_and_framings_are_told_apart(tmp_path: Path) -> None:
    write_list(
        tmp_path,
        f"""\
        [plugins.lines]
        command = {json.dumps(plugin("relay", "service=lines"))}
        framing = "line"
        [plugins.headers]
        command = {json.dumps(plugin("relay", "service=headers"))}
        """,
    )
    params = '{"method": "headers/echo", "params": {"x": 1}}'
    done = plugin_run("call", "lines/call", params, "--trace", "trace", cwd=tmp_path)
    assert (done.code, done.out) == (0, '{"x": 1}\n')
    _, lines = read_trace(tmp_path / "trace")
    for name in ("lines", "headers"):
        theirs = [json.loads(line["raw"]) for line in lines if line["plugin"] == name]
        assert theirs[0]["method"] == "initialize"
        assert theirs[-1]["method"] == "exit"


def test_doctor_writes_a_trace_too(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    done = plugin_run("doctor", "--trace", "trace", "--", liar, cwd=tmp_path)
    assert done.code == 0
    _, lines = read_trace(tmp_path / "trace")
    methods = [json.loads(line["raw"])["method"] for line in lines if line["dir"] == "host>plugin"]
    assert methods[:3] == ["initialize", "initialized", "ping"]
    assert methods[3].startswith("doctor/")
    assert methods[4:] == ["shutdown", "exit"]
