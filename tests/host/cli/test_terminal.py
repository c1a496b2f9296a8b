"""What a terminal, a pipe and a script get to see."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.host.cli.support import WAIT, Done, command, environment, plugin_run, write_plugin, write_script

# ESC, a line end, a control character of the C1 block, the override of the direction of writing, and DEL.
HOSTILE = "\x1b[31mred\x1b[0m\nerror: forged\r\x9b2J\u202eevil\x7f"
FORBIDDEN = ("\x1b", "\r", "\x9b", "\u202e", "\x7f", "\nerror: forged")


def shell(script: str, *arguments: str, cwd: Path) -> Done:
    """Run a line of shell, in which ``"$@"`` is plugin-run with the arguments."""
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command(*arguments)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=WAIT,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def on_terminal(*arguments: str, cwd: Path) -> str:
    """What a person sees: both streams on one terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(*arguments), cwd=cwd, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs
    ) as p:
        os.close(theirs)
        seen = b""
        try:
            while data := os.read(ours, 65536):
                seen += data
        except OSError:
            pass  # how Linux says that the last writer has left
        finally:
            os.close(ours)
        p.wait(timeout=WAIT)
    return seen.decode().replace("\r\n", "\n")


def hostile_plugin(folder: Path) -> str:
    return write_plugin(
        folder,
        f"""\
        HOSTILE = {HOSTILE!r}

        def ask(request):
            raw.send(method="log/write", params={{"level": "error", "message": HOSTILE, "data": {{HOSTILE: HOSTILE}}}})
            token = request["meta"]["progress"]
            raw.send(method="$/progress", params={{"token": token, "value": {{"message": HOSTILE}}}})
            sys.stderr.buffer.write(HOSTILE.encode() + b" \\xff\\n")
            sys.stderr.flush()
            raw.write(HOSTILE.encode() + b"\\n")
            if request.get("params", {{}}).get("fail"):
                raw.refuse(request, 7, HOSTILE, more=HOSTILE)
            else:
                raw.answer(request, {{HOSTILE: HOSTILE}})

        methods = {{"ask": {{"description": HOSTILE, "params": {{"properties": {{HOSTILE: {{"type": HOSTILE}}}}}}}}}}
        provides = [{{"service": "liar", "version": "1", "methods": methods}}]
        plugin = {{"name": HOSTILE, "version": HOSTILE}}
        meta = {{"capabilities": {{"meta": True}}}}
        raw.begin({{"protocolVersion": "1.0", "plugin": plugin, "provides": provides, **meta}})
        raw.serve(ask=ask)
        """,
    )


@pytest.mark.requirement("LOG-06")
@pytest.mark.parametrize(
    "arguments",
    [
        ["call", "-v", "--progress", "liar/ask"],
        ["call", "-v", "--progress", "--json", "liar/ask"],
        ["call", "-v", "--progress", "liar/ask", '{"fail": true}'],
        ["call", "-v", "--progress", "--json", "liar/ask", '{"fail": true}'],
        ["info"],
        ["info", "--json"],
        ["list"],
        ["list", "--json"],
        ["doctor", "-v"],
        ["doctor", "--json"],
    ],
)
def test_nothing_that_a_plugin_says_reaches_the_terminal_as_a_command(tmp_path: Path, arguments: list[str]) -> None:
    done = plugin_run(*arguments, "--with", hostile_plugin(tmp_path), cwd=tmp_path)
    assert done.code == (5 if '{"fail": true}' in arguments else 0)
    for text in (done.out, done.err):
        assert [bad for bad in FORBIDDEN if bad in text] == []
    assert "evil" in done.out + done.err


@pytest.mark.requirement("LOG-06")
@pytest.mark.parametrize("arguments", [["call", "x/y"], ["call", "x/y", "--json"], ["doctor"], ["doctor", "--json"]])
def test_nothing_that_a_plugin_says_at_its_end_does(tmp_path: Path, arguments: list[str]) -> None:
    liar = write_plugin(
        tmp_path,
        f"""\
        sys.stderr.write({HOSTILE!r})
        raw.write({HOSTILE!r}.encode())
        raw.refuse(raw.read(), 7, {HOSTILE!r})
        """,
    )
    done = plugin_run(*arguments, "--with", liar, cwd=tmp_path)
    assert done.code in (3, 4)
    for text in (done.out, done.err):
        assert [bad for bad in FORBIDDEN if bad in text] == []


def test_a_result_means_the_same_though_it_is_escaped(tmp_path: Path) -> None:
    done = plugin_run("call", "liar/ask", "--progress", "--with", hostile_plugin(tmp_path), cwd=tmp_path)
    assert json.loads(done.out) == {HOSTILE: HOSTILE}


def test_a_result_on_a_terminal_is_laid_out_and_harmless(tmp_path: Path) -> None:
    seen = on_terminal("call", "liar/ask", "--progress", "--with", hostile_plugin(tmp_path), cwd=tmp_path)
    assert [bad for bad in FORBIDDEN if bad in seen] == []
    honest = write_plugin(tmp_path, name="honest")
    seen = on_terminal("call", "liar/ask", '{"give": {"a": [1, "ü"]}}', "--", honest, cwd=tmp_path)
    assert seen == '{\n  "a": [\n    1,\n    "ü"\n  ]\n}\n'
    seen = on_terminal("call", "--json", "liar/ask", '{"give": {"a": [1]}}', "--", honest, cwd=tmp_path)
    assert seen == '{"a": [1]}\n'


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["call", "--help"],
        ["--version"],
        ["completion", "bash"],
        ["list", "--with", "./liar"],
        ["list", "--json", "--with", "./liar"],
        ["info", "--with", "./liar"],
        ["doctor", "--with", "./liar"],
        ["call", "liar/ask", "--with", "./liar"],
        ["run", "--json", "--with", "./liar"],
    ],
)
def test_nobody_reads_our_standard_output_is_no_traceback(tmp_path: Path, arguments: list[str]) -> None:
    write_plugin(tmp_path)
    # The reader has left before anything is written: it is waited for.
    done = shell('exec 3> >(exec true); wait $!; exec "$@" >&3 3>&-', *arguments, cwd=tmp_path)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "Exception" not in done.err
    assert "error" not in done.err


def test_nobody_reads_our_standard_error_either(tmp_path: Path) -> None:
    write_plugin(tmp_path)
    script = 'exec 3> >(exec true); wait $!; exec "$@" 2>&3 3>&-'
    done = shell(script, "call", "-v", "liar/ask", "-p", "give=1", "--", "./liar", cwd=tmp_path)
    assert (done.code, done.out) == (0, "1\n")
    assert shell(script, "call", "x/y", "--", "./nowhere", cwd=tmp_path).code == 3


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_do_not_confuse_the_plugins_pipes(tmp_path: Path, closed: str) -> None:
    write_plugin(tmp_path)
    done = shell(f'"$@" {closed}', "call", "-v", "liar/ask", "-p", "give=1", "--", "./liar", cwd=tmp_path)
    assert (done.code, done.out) == (0, "" if ">&-" in closed.replace("2>&-", "") else "1\n")


def test_bytes_of_an_argument_that_are_no_text_are_shown_escaped(tmp_path: Path) -> None:
    write_script(tmp_path, "#!/bin/sh\nexit 1\n")
    done = shell("\"$@\" call x/y -- ./liar $'\\xff'", cwd=tmp_path)
    assert done.code == 3
    assert "  command:  ./liar '\\udcff'\n" in done.err
