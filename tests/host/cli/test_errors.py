"""Each exit code, and how an error is told: in lines for people, or as one JSON line."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.host.cli.support import WAIT, Done, command, environment, plugin_run, write_list, write_plugin, write_script
from tests.host.support import plugin

RAISES = """\
def ask(request):
    raw.refuse(request, 7, "no such file", path="x.txt", more=["ü"])

raw.begin()
raw.serve(ask=ask)
"""


def call(folder: Path, name: str, *arguments: str) -> Done:
    """Call ``liar/ask`` of one of the plugins that lie, under the name liar."""
    write_list(
        folder, f"[host]\ncall_timeout = 0.3\n[plugins.liar]\ncommand = {json.dumps(plugin(name, *arguments))}\n"
    )
    return plugin_run("call", "liar/ask", cwd=folder)


def test_0_is_a_call_that_was_answered(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    assert plugin_run("call", "liar/ask", "--", liar, cwd=tmp_path).code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_1_is_something_unexpected(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    script = write_script(tmp_path, '#!/bin/sh\nexec "$@" > /dev/full\n', "full")
    full = subprocess.run(
        [script, *command("call", "liar/ask", "--with", liar)],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        timeout=WAIT,
    )
    assert (full.returncode, full.stderr) == (1, "error: [Errno 28] No space left on device\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["call"], "Missing argument 'METHOD'."),
        (["call", "x/y"], "no plugin: name one with --with PATH, after --, or in plugins.toml"),
        (["call", "x/y", "--"], "a command is missing after --"),
        (["run", "--nonsense"], "No such option '--nonsense'."),
        (["list", "--framing", "packets"], "'packets' is not one of 'header', 'line'."),
        (["list", "--timeout", "0"], "0.0 is not in the range x>=0.001."),
        (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'."),
        (["nonsense"], "No such command 'nonsense'."),
    ],
)
def test_2_is_a_mistake_in_the_usage(tmp_path: Path, arguments: list[str], problem: str) -> None:
    done = plugin_run(*arguments, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert problem in done.err
    assert done.err.startswith("Usage: plugin-run ")


def test_3_is_a_plugin_that_could_not_be_started(tmp_path: Path) -> None:
    done = plugin_run("call", "x/y", "--", "./nowhere", cwd=tmp_path)
    assert (done.code, done.out) == (3, "")
    assert done.err == (
        "error: plugin 'nowhere' did not start\n"
        "  command:  ./nowhere\n"
        "  resolved: not found\n"
        f"  cwd:      {tmp_path}\n"
        f"  cause:    {tmp_path}/nowhere does not exist\n"
        "  exit:     it never ran\n"
        f"  hint:     check the path; it was looked for from the folder {tmp_path}\n"
    )


def test_3_is_a_plugin_that_ends_before_it_answers(tmp_path: Path) -> None:
    liar = write_script(tmp_path, "#!/bin/sh\necho one >&2\necho 'usage: liar' \necho two >&2\nexit 5\n")
    done = plugin_run("call", "x/y", "--", liar, cwd=tmp_path)
    assert done.code == 3
    # Its standard error is told once, and in its report.
    assert "liar | one" not in done.err
    for part in (
        "  command:  ./liar\n",
        f"  resolved: {tmp_path}/liar\n",
        f"  cwd:      {tmp_path}\n",
        "  cause:    it ended (exit code 5) before it answered initialize\n",
        "  exit:     exit code 5 after ",
        "  stderr:   one\n            two\n",
        "  stdout:   00000000  75 73 61 67 65 3a 20 6c  69 61 72 0a              |usage: liar.|\n",
        "  hint:     standard output belongs to the protocol: print to standard error, or log through the SDK\n",
    ):
        assert part in done.err


def test_3_is_a_plugin_that_needs_what_is_not_there(tmp_path: Path) -> None:
    done = plugin_run("call", "x/y", "--", *plugin("relay", "requires=spell:>=1"), cwd=tmp_path)
    assert done.code == 3
    assert "  cause:    it requires spell >=1: no plugin provides it\n" in done.err
    assert "  hint:     add a plugin that provides it, or make it optional\n" in done.err


@pytest.mark.parametrize(
    ("name", "arguments", "part"),
    [
        ("wrong_version", (), "it answered with protocol version 2.0, this host speaks 1.0"),
        ("wrong_version", ("refuse",), "it speaks 2.0, 3.1 of the protocol, this host 1.0"),
        ("reserved_service", ("log",), "it provides the reserved service 'log'"),
        ("bad_initialize_result", ("no-plugin",), '"plugin" is a required property'),
        ("bad_initialize_result", ("neither",), "neither result nor error"),
    ],
)
def test_4_is_a_plugin_that_does_not_keep_to_the_protocol_at_its_start(
    tmp_path: Path, name: str, arguments: tuple[str, ...], part: str
) -> None:
    done = plugin_run("call", "liar/ask", "--", *plugin(name, *arguments), cwd=tmp_path)
    assert (done.code, done.out) == (4, "")
    assert part in done.err
    assert "  hint:     " in done.err


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("exits_mid_frame", "broke the protocol: the stream ended inside a frame"),
        ("answers_with_result_and_error", "plugin 'liar' gave an answer with both result and error (MSG-05)"),
    ],
)
def test_4_is_an_answer_that_is_none(tmp_path: Path, name: str, part: str) -> None:
    done = call(tmp_path, name)
    assert (done.code, done.out) == (4, "")
    assert part in done.err


def test_5_is_an_error_that_the_plugin_answered_with(tmp_path: Path) -> None:
    done = plugin_run("call", "liar/ask", "--", write_plugin(tmp_path, RAISES), cwd=tmp_path)
    assert (done.code, done.out) == (5, "")
    assert done.err == 'error: Error (7): no such file\n  data: {"path": "x.txt", "more": ["ü"]}\n'


def test_5_is_a_method_that_no_one_has(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    done = plugin_run("call", "liar/nothing", "--", liar, cwd=tmp_path)
    assert (done.code, done.err) == (
        5,
        "error: MethodNotFound (-32601): liar of 'liar' has no method 'nothing'; it has: ask\n",
    )
    done = plugin_run("call", "nothing/at-all", "--", liar, cwd=tmp_path)
    assert (done.code, done.err) == (
        5,
        "error: MethodNotFound (-32601): no one provides the service 'nothing'; services that are ready: liar\n",
    )


def test_problems_with_params_are_told_once_each(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        def ask(request):
            raw.refuse(request, -32602, request["params"]["message"], problems=request["params"]["problems"])

        raw.begin()
        raw.serve(ask=ask)
        """,
    )

    def told(message: str, problems: Any) -> str:
        params = json.dumps({"message": message, "problems": problems})
        return plugin_run("call", "liar/ask", params, "--", liar, cwd=tmp_path).err

    problem = {"path": "$.x", "message": "expected a string"}
    other = {"path": "$.y", "message": "unknown member"}
    assert told("$.x: expected a string", [problem]) == "error: InvalidParams (-32602): $.x: expected a string\n"
    assert told("bad", [problem, other]) == (
        "error: InvalidParams (-32602): bad\n  $.x: expected a string\n  $.y: unknown member\n"
    )
    assert told("bad", ["odd"]) == "error: InvalidParams (-32602): bad\n  odd\n"
    assert told("bad", 1) == 'error: InvalidParams (-32602): bad\n  data: {"problems": 1}\n'


def test_6_is_a_call_whose_time_ran_out(tmp_path: Path) -> None:
    done = call(tmp_path, "never_answers")
    assert (done.code, done.out) == (6, "")
    assert done.err == "error: DeadlineExceeded (-32012): plugin 'liar' did not answer within 0.3 s (liar/ask)\n"


def test_6_is_a_call_that_took_longer_than_timeout_allows(tmp_path: Path) -> None:
    done = plugin_run("call", "liar/ask", "--timeout", "3", "--", *plugin("never_answers"), cwd=tmp_path)
    assert (done.code, done.out) == (6, "")
    assert "did not answer within 3 s (liar/ask)" in done.err


def test_7_is_a_plugin_that_died_during_the_call(tmp_path: Path) -> None:
    done = call(tmp_path, "crashes_on_call", "9")
    assert (done.code, done.out) == (7, "")
    assert "liar: ended by itself (exit code 9)\n" in done.err
    assert done.err.endswith(
        "error: PluginCrashed (-32011): plugin 'liar' ended (exit code 9) before it answered liar/ask; "
        "the call may have been read\n"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[plugins.x]\n", "plugins.toml:1: "),
        ("[plugins.x]\ncomand = ['x']\n", "plugins.toml:2: "),
        ("nonsense", "plugins.toml:1: "),
        ("[plugins.x]\nmanifest = 'nowhere'\n", "plugins.toml:2: "),
        ("[plugins.x]\nmanifest = 'bad'\n", "bad/plugin.toml:3: "),
    ],
)
def test_8_is_a_file_that_cannot_be_used(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/plugin.toml").write_text('name = "x"\nversion = "1"\ncommand = "x"\n')
    write_list(tmp_path, text)
    for name in ("run", "list", "info", "doctor"):
        done = plugin_run(name, cwd=tmp_path)
        assert (done.code, done.out) == (8, "")
        assert done.err.startswith("error: ")
        assert problem in done.err
        assert done.err.count("\n") == 1


def test_8_is_a_list_or_a_plugin_that_is_not_there(tmp_path: Path) -> None:
    write_script(tmp_path, "", "greeter.py")
    done = plugin_run("list", "-c", "other.toml", cwd=tmp_path)
    assert (done.code, done.err) == (8, "error: other.toml: the file does not exist\n")
    done = plugin_run("list", "--with", "greter.py", cwd=tmp_path)
    assert (done.code, done.err) == (
        8,
        "error: greter.py: an executable, a plugin.toml or a folder with one was expected, got nothing; did you mean "
        "'greeter.py'?\n",
    )


# With --json


@pytest.mark.parametrize(
    ("arguments", "code", "name", "message", "plugin_name", "hint"),
    [
        (["call"], 2, "usage", "Missing argument 'METHOD'.", None, "see plugin-run call --help"),
        (["call", "x/y"], 2, "usage", "no plugin: name one with", None, "see plugin-run call --help"),
        (["nonsense"], 2, "usage", "No such command 'nonsense'.", None, "see plugin-run --help"),
        (["call", "x/y", "--with", "nowhere"], 8, "bad_config", "nowhere: an executable", None, None),
        (["list", "-c", "nowhere"], 8, "bad_config", "nowhere: the file does not exist", None, None),
        (["call", "x/y", "--with", "./mute"], 3, "start_failed", "/mute is not executable", "mute", "chmod +x"),
        (["call", "liar/no", "--with", "./liar"], 5, "error_response", "has no method 'no'", None, None),
        (["call", "liar/ask", "--with", "./dies"], 7, "plugin_died", "ended (exit code 1)", "dies", None),
    ],
)
def test_an_error_is_one_line_of_json(
    tmp_path: Path, arguments: list[str], code: int, name: str, message: str, plugin_name: str | None, hint: str | None
) -> None:
    write_plugin(tmp_path)
    write_plugin(
        tmp_path,
        """\
        def ask(request):
            print("about to die", file=sys.stderr, flush=True)
            sys.exit(1)

        raw.begin()
        raw.serve(ask=ask)
        """,
        "dies",
    )
    (tmp_path / "mute").touch()
    done = plugin_run(*arguments, "--json", cwd=tmp_path)
    assert (done.code, done.out) == (code, "")
    error = done.error()
    assert (error["code"], error["plugin"]) == (name, plugin_name)
    assert message in error["message"]
    assert (error["hint"] or "").startswith(hint or "")
    assert (error["hint"] is None) == (hint is None)
    others = [line for line in done.err.splitlines() if not line.startswith("{")]
    assert all(line.startswith(("dies | ", "dies: ")) for line in others)


def test_the_json_of_a_start_that_failed_holds_the_whole_report(tmp_path: Path) -> None:
    liar = write_script(tmp_path, "#!/bin/sh\necho 'Größe' >&2\nprintf 'a\\377' \nexit 5\n")
    done = plugin_run("call", "x/y", "--json", "--", liar, cwd=tmp_path)
    assert done.err.count("\n") == 1
    assert done.error() == {
        "code": "start_failed",
        "message": "it ended (exit code 5) before it answered initialize",
        "plugin": "liar",
        "hint": "standard output belongs to the protocol: print to standard error, or log through the SDK",
        "stage": "exited",
        "command": ["./liar"],
        "resolved": f"{tmp_path}/liar",
        "cwd": str(tmp_path),
        "status": "exit code 5",
        "stderr": ["Größe"],
        "stdout": "a\u00ff",
    }


def test_the_json_of_an_error_response_holds_its_code_and_data(tmp_path: Path) -> None:
    done = plugin_run("call", "liar/ask", "--json", "--", write_plugin(tmp_path, RAISES), cwd=tmp_path)
    assert done.err.count("\n") == 1
    assert done.error() == {
        "code": "error_response",
        "message": "no such file",
        "plugin": None,
        "hint": None,
        "rpcCode": 7,
        "data": {"path": "x.txt", "more": ["ü"]},
    }


def test_dashes_json_of_the_plugin_is_not_ours(tmp_path: Path) -> None:
    done = plugin_run("call", "--", "./nowhere", "--json", cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith("Usage: ")


# Several plugins


def test_a_plugin_of_the_list_that_fails_keeps_no_other_from_being_called(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    write_list(tmp_path, f"[plugins.broken]\ncommand = ['./nowhere']\n[plugins.good]\ncommand = ['{liar}']\n")
    done = plugin_run("call", "liar/ask", "-p", "give=1", cwd=tmp_path)
    assert (done.code, done.out) == (0, "1\n")
    assert done.err.startswith("warning: plugin 'broken' did not start\n  command:  ")
    done = plugin_run("call", "liar/ask", "-p", "give=1", "--json", cwd=tmp_path)
    (line,) = done.err.splitlines()
    warning = json.loads(line)["warning"]
    assert (warning["code"], warning["plugin"]) == ("start_failed", "broken")


def test_a_plugin_of_the_list_that_is_required_and_fails_ends_the_command(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    write_list(
        tmp_path, f"[plugins.broken]\ncommand = ['./nowhere']\nrequired = true\n[plugins.good]\ncommand = ['{liar}']\n"
    )
    done = plugin_run("call", "liar/ask", cwd=tmp_path)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("error: plugin 'broken' did not start\n")


def test_of_several_that_fail_each_is_told_once(tmp_path: Path) -> None:
    write_script(tmp_path, "#!/bin/sh\necho from one >&2\nexit 1\n", "one")
    write_script(tmp_path, "#!/bin/sh\necho from two >&2\nexit 2\n", "two")
    write_script(tmp_path, "#!/bin/sh\necho from three >&2\nexit 3\n", "three")
    write_list(tmp_path, "[plugins.three]\ncommand = ['./three']\n")
    done = plugin_run("call", "x/y", "--with", "one", "--with", "two", cwd=tmp_path)
    assert done.code == 3
    for name in ("one", "two", "three"):
        assert done.err.count(f"plugin '{name}' did not start\n") == 1
        assert done.err.count(f"from {name}\n") == 1
    assert done.err.count("error: plugin 'one' did not start\n") == 1
    assert done.err.count("warning: plugin ") == 2


def test_a_long_standard_error_of_a_start_that_fails_is_told_whole_and_once(tmp_path: Path) -> None:
    liar = write_script(tmp_path, "#!/bin/sh\nfor i in $(seq 101 150); do echo line $i >&2; done\nexit 1\n")
    done = plugin_run("call", "x/y", "--", liar, cwd=tmp_path)
    assert done.code == 3
    for number in range(101, 151):
        assert done.err.count(f"line {number}\n") == 1


@pytest.mark.parametrize(
    ("named", "names"),
    [
        (["./liar", "./liar"], ["liar", "liar-2"]),
        (["./liar", "./liar-2", "./liar"], ["liar", "liar-2", "liar-3"]),
        (["./liar", "./liar", "./liar-2"], ["liar", "liar-3", "liar-2"]),
    ],
)
def test_plugins_of_the_same_name_are_told_apart_by_a_number(
    tmp_path: Path, named: list[str], names: list[str]
) -> None:
    write_plugin(tmp_path)
    write_plugin(tmp_path, name="liar-2")
    arguments = [part for path in named for part in ("--with", path)]
    done = plugin_run("list", "--json", *arguments, cwd=tmp_path)
    assert [record["name"] for record in json.loads(done.out)] == names


def test_a_name_of_the_greatest_length_can_be_numbered(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, name="x" * 80)
    done = plugin_run("list", "--json", "--with", liar, "--with", liar, cwd=tmp_path)
    assert [record["name"] for record in json.loads(done.out)] == ["x" * 64, "x" * 60 + "-2"]


def test_the_environment_gives_defaults_of_options(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    done = plugin_run("list", cwd=tmp_path, PLUGIN_RUN_WITH=liar, PLUGIN_RUN_JSON="1")
    assert done.code == 0
    assert json.loads(done.out)[0]["name"] == "liar"


def test_what_a_plugin_wrote_gives_a_better_hint(tmp_path: Path) -> None:
    source = "raw.LINES = True\nraw.answer({'id': 1}, raw.result())\nsys.stdin.readline()\nsys.exit(1)\n"
    liar = write_plugin(tmp_path, source)
    hint = (
        'it writes a message a line: give --framing line, or framing = "line" in plugin.toml; or write a Content-Length'
    )
    done = plugin_run("call", "x/y", "--", liar, cwd=tmp_path)
    assert f"  hint:     {hint}" in done.err
    assert plugin_run("call", "x/y", "--json", "--", liar, cwd=tmp_path).error()["hint"].startswith(hint)
