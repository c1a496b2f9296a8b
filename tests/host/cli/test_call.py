"""``plugin-run call``: params in, the result out."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.host.cli.support import WAIT, command, environment, plugin_run, write_list, write_plugin
from tests.host.support import plugin

ECHO = """\
raw.begin()
raw.serve(ask=lambda request: raw.answer(request, request.get("params", "no params")))
"""


@pytest.mark.parametrize(
    ("arguments", "params"),
    [
        ([], '"no params"'),
        (['{"name": "Ada", "deep": {"list": [1, null]}}'], '{"name": "Ada", "deep": {"list": [1, null]}}'),
        (["-p", "name=Ada"], '{"name": "Ada"}'),
        (["-p", "n=1", "-p", "yes=true", "-p", 'list=["a"]'], '{"n": 1, "yes": true, "list": ["a"]}'),
        (["-p", "text=[1", "-p", 'quoted="1"', "-p", "empty="], '{"text": "[1", "quoted": "1", "empty": ""}'),
        (["-p", "equation=a=b", "-p", "no=NaN"], '{"equation": "a=b", "no": "NaN"}'),
        (['{"a": 1, "b": 1}', "-p", "b=2"], '{"a": 1, "b": 2}'),
        (["--params", "@params.json"], '{"from": "a file, größer"}'),
        (["--params", "-"], '{"from": "standard input"}'),
        (["--params", "-", "-p", "more=1"], '{"from": "standard input", "more": 1}'),
        (["{}"], "{}"),
    ],
)
def test_params_are_given_as_json_as_pairs_and_from_a_file(tmp_path: Path, arguments: list[str], params: str) -> None:
    (tmp_path / "params.json").write_text('{"from": "a file, größer"}', encoding="utf-8")
    liar = write_plugin(tmp_path, ECHO)
    done = plugin_run("call", "liar/ask", *arguments, "--", liar, cwd=tmp_path, stdin='{"from": "standard input"}')
    assert (done.code, done.out, done.err) == (0, f"{params}\n", "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["{"], "PARAMS: a JSON object was expected: Expecting property name"),
        (["[1]"], "PARAMS: a JSON object was expected (params have names, not positions)"),
        (['{"x": NaN}'], "PARAMS: a JSON object was expected: NaN is no JSON"),
        (['{"x": ' + "[" * 100_000], "PARAMS: a JSON object was expected: it is nested too deeply"),
        (['{"x": "\\ud800"}'], "PARAMS: UTF-8 was expected, got '\\ud800'"),
        (["-p", "x"], "-p x: KEY=VALUE was expected"),
        (["-p", "=1"], "-p =1: KEY=VALUE was expected"),
        (["{}", "--params", "-"], "give PARAMS or --params, not both"),
        (["--params", "params.json"], "--params params.json: @FILE or - was expected"),
        (["--params", "@nowhere.json"], "--params @nowhere.json: No such file or directory"),
        (["--params", "-"], "--params -: UTF-8 was expected"),
        (["{}", "{}"], "Got unexpected extra argument"),
        (["--timeout", "soon"], "'soon' is not a valid float"),
        (["--trace", "nowhere/trace"], "--trace nowhere/trace: No such file or directory"),
    ],
)
def test_params_that_are_none_are_a_mistake_in_the_usage(tmp_path: Path, arguments: list[str], problem: str) -> None:
    done = plugin_run("call", "liar/ask", *arguments, "--", "./liar", cwd=tmp_path, stdin=b"\xff")
    assert (done.code, done.out) == (2, "")
    assert problem in done.err
    assert "Try 'plugin-run call --help' for help." in done.err


@pytest.mark.parametrize(
    "result",
    [
        "null",
        "true",
        "0",
        "-1.5",
        '""',
        '"grüße, 世界 🎉"',
        "[]",
        '{"a": [{"b": {"c": [[], null]}}]}',
        "12345678901234567890",
    ],
)
def test_the_result_is_printed_as_json_whatever_it_is(tmp_path: Path, result: str) -> None:
    liar = write_plugin(tmp_path)
    for more in [(), ("--json",)]:
        done = plugin_run("call", "liar/ask", f'{{"give": {result}}}', *more, "--", liar, cwd=tmp_path)
        assert (done.code, done.out, done.err) == (0, f"{result}\n", "")


def test_a_terminal_of_another_encoding_still_gets_the_same_json(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    arguments = ["call", "liar/ask", '{"give": "grüße 🎉"}', "--", liar]
    done = plugin_run(*arguments, cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert (done.code, done.out) == (0, '"gr\\u00fc\\u00dfe \\ud83c\\udf89"\n')
    assert json.loads(done.out) == "grüße 🎉"


def test_options_stand_before_or_after_the_method(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    for arguments in (
        ["call", "--json", "-p", "give=1", "liar/ask", "--", liar],
        ["call", "liar/ask", "-p", "give=1", "--json", "--", liar],
        ["call", "liar/ask", "--with", liar, '{"give": 1}', "--json"],
    ):
        done = plugin_run(*arguments, cwd=tmp_path)
        assert (done.code, done.out) == (0, "1\n")


def test_everything_after_the_dashes_is_the_plugins_another_pair_of_dashes_too(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        raw.begin()
        raw.serve(ask=lambda request: raw.answer(request, sys.argv[1:]))
        """,
    )
    theirs = ["--json", "--", "-c", "x", "--with", "y", "--help"]
    done = plugin_run("call", "liar/ask", "--", liar, *theirs, cwd=tmp_path)
    assert (done.code, json.loads(done.out)) == (0, theirs)


def test_a_call_of_one_provider_by_its_instance_name(tmp_path: Path) -> None:
    one, two = write_plugin(tmp_path, name="one"), write_plugin(tmp_path, name="two")
    done = plugin_run("call", "liar@two/ask", "-p", "give=2", "--with", one, "--", two, cwd=tmp_path)
    assert (done.code, done.out) == (0, "2\n")
    done = plugin_run("call", "liar@three/ask", "--with", one, "--", two, cwd=tmp_path)
    assert done.code == 5
    assert "no one provides the service 'liar' at 'three'" in done.err


def test_progress_is_shown_line_by_line_on_standard_error(tmp_path: Path) -> None:
    relay = plugin("relay", "meta")
    done = plugin_run("call", "relay/progress", "--progress", "--", *relay, cwd=tmp_path)
    assert (done.code, done.out) == (0, '"told"\n')
    assert [line for line in done.err.splitlines() if line.startswith("progress")] == [
        "progress 1/3",
        "progress 2/3",
        "progress 3/3",
    ]
    done = plugin_run("call", "relay/progress", "--progress", "--json", "--", *relay, cwd=tmp_path)
    lines = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    assert lines[0] == {"progress": {"done": 1, "total": 3}}
    done = plugin_run("call", "relay/progress", "--", *relay, cwd=tmp_path)
    assert "progress 1" not in done.err


def test_progress_of_a_strange_shape_is_shown_as_it_is(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        r"""
        VALUES = [{"done": "half", "total": [1]}, {"done": 0.5}, {"message": "\x1b[31m\n"}, {"done": 10**400}, {}]

        def ask(request):
            for value in VALUES:
                raw.send(method="$/progress", params={"token": request["meta"]["progress"], "value": value})
            raw.answer(request, "done")

        raw.begin(raw.result(capabilities={"meta": True}))
        raw.serve(ask=ask)
        """,
    )
    done = plugin_run("call", "liar/ask", "--progress", "--", liar, cwd=tmp_path)
    assert (done.code, done.out) == (0, '"done"\n')
    lines = done.err.splitlines()
    assert lines[:3] == ["progress half/[1]", "progress 0.5", "progress \\x1b[31m\\n"]


def test_the_plugins_say_more_with_verbose(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        def ask(request):
            for level in ("debug", "info", "warning", "error", "loud"):
                raw.send(method="log/write", params={"level": level, "message": f"a {level}", "data": {"n": 1}})
            print("on standard error", file=sys.stderr, flush=True)
            raw.answer(request, None)

        raw.begin()
        raw.serve(ask=ask)
        """,
    )
    quiet = plugin_run("call", "liar/ask", "--", liar, cwd=tmp_path)
    assert (quiet.code, quiet.out) == (0, "null\n")
    assert sorted(quiet.err.splitlines()) == [
        "liar | on standard error",
        "liar: error: a error n=1",
        "liar: warning: a warning n=1",
    ]
    verbose = plugin_run("call", "-v", "liar/ask", "--", liar, cwd=tmp_path)
    for line in ("liar: ready (pid ", "liar: debug: a debug n=1", "liar: info: a info n=1", "liar: info: a loud n=1"):
        assert line in verbose.err
    assert verbose.err.endswith("liar: ended (exit code 0)\n")


def test_a_plugin_that_speaks_lines_is_called_with_framing_line(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    done = plugin_run("call", "liar/ask", "-p", "give=1", "--framing", "line", "--with", liar, cwd=tmp_path)
    assert (done.code, done.out) == (0, "1\n")


def test_the_bash_example_is_called_with_framing_line(tmp_path: Path) -> None:
    missing = [tool for tool in ("bash", "jq", "awk", "stdbuf") if shutil.which(tool) is None]
    if missing:
        assert "CI" not in os.environ, f"missing: {missing}"
        pytest.skip(f"missing: {missing}")
    example = Path(__file__).parents[3] / "sdk/examples/bash-files/files.sh"
    (tmp_path / "x").write_text("one\ntwo\n")
    done = plugin_run(
        "call", "files/stat", "-p", "path=x", "--framing", "line", "--", "bash", str(example), cwd=tmp_path
    )
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "path": "x",
        "bytes": 8,
        "lines": 2,
        "sha256": "c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8",
    }


def test_the_result_stands_there_before_the_plugins_are_ended(tmp_path: Path) -> None:
    """Else a plugin that ends slowly would hold back what the user waits for."""
    liar = write_plugin(
        tmp_path,
        """\
        raw.begin()
        while (message := raw.read()) is not None:
            if message["method"] == "liar/ask":
                raw.answer(message, "asked")
            if message["method"] == "shutdown":
                print("shutdown", file=sys.stderr, flush=True)
                raw.answer(message, None)
        """,
    )
    done = subprocess.run(
        command("call", "liar/ask", "--", liar),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WAIT,
    )
    assert done.stdout == '"asked"\nliar | shutdown\n'


def test_plugins_of_the_list_are_called_together_with_those_of_the_command_line(tmp_path: Path) -> None:
    write_list(
        tmp_path,
        f"""\
        [plugins.one]
        command = {json.dumps(plugin("relay", "service=one"))}
        """,
    )
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/plugin.toml").write_text(
        f'name = "two"\nversion = "1"\ncommand = {json.dumps(plugin("relay", "service=two"))}\n'
    )
    liar = write_plugin(tmp_path, name="three")
    named = ["--with", "folder", "--with", liar]
    done = plugin_run("list", "--json", *named, cwd=tmp_path)
    assert [(record["name"], record["provides"][0]["service"]) for record in json.loads(done.out)] == [
        ("one", "one"),
        ("two", "two"),
        ("three", "liar"),
    ]
    params = '{"method": "two/echo", "params": {"x": 1}}'
    done = plugin_run("call", "one/call", params, *named, cwd=tmp_path)
    assert (done.code, done.out) == (0, '{"x": 1}\n')
