"""``plugin-run doctor``: for each way to be a bad plugin, a FAIL at the right step, and words that lead to the mend."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.host.cli.support import Done, plugin_run, write_list, write_plugin, write_script
from tests.host.support import plugin

STDOUT_HINT = "standard output belongs to the protocol: print to standard error, or log through the SDK"
FRAME_HINT = "Content-Length counts the bytes of the body in UTF-8, not its characters"
STEPS = [
    "executable",
    "folder",
    "starts",
    "stdout",
    "handshake",
    "version",
    "requires",
    "ping",
    "unknown method",
    "answers",
    "shutdown",
    "leftovers",
]


def checks_of(done: Done) -> dict[str, dict[str, Any]]:
    """Each step by its name, of the one plugin that was examined with --json."""
    (told,) = json.loads(done.out)
    assert [check["step"] for check in told["checks"]] == STEPS
    return {check["step"]: check for check in told["checks"]}


def assert_fails(folder: Path, arguments: list[str], code: int, expected: dict[str, tuple[str, str]]) -> None:
    """Exactly these steps fail, each with a part of what was found and a part of the hint."""
    done = plugin_run("doctor", "--json", "--timeout", "3", *arguments, cwd=folder)
    checks = checks_of(done)
    failed = {step: (check["found"], check["hint"]) for step, check in checks.items() if check["verdict"] == "FAIL"}
    assert list(failed) == list(expected), failed
    for step, (found, hint) in expected.items():
        assert found in failed[step][0]
        assert hint in failed[step][1]
    assert done.code == code
    assert done.err == ""


# What cannot be run


def write_elf(folder: Path, name: str, machine: int) -> str:
    """A program for another kind of machine: nothing but the header."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, machine, 1) + bytes(40)
    (folder / name).write_bytes(header)
    (folder / name).chmod(0o755)
    return f"./{name}"


@pytest.mark.parametrize(
    ("content", "mode", "found", "hint"),
    [
        (None, 0, "/liar does not exist", "check the path"),
        ("#!/bin/sh\n", 0o644, "/liar is not executable", "chmod +x "),
        ("#!/nowhere/python3\n", 0o755, "asks for the interpreter /nowhere/python3, which does not exist", ""),
        ("#!/usr/bin/env nothing-of-that-name\n", 0o755, "asks for 'nothing-of-that-name'", "first line"),
        ("#!/bin/sh\r\nexit\r\n", 0o755, "ends in a Windows line end (CR LF)", "sed -i 's/\\r$//' "),
        ("print('x')\n", 0o755, "neither a binary nor does it begin with a #! line", "#!/usr/bin/env "),
        ("", 0o755, "/liar is empty", ""),
    ],
)
def test_what_cannot_be_run_fails_as_executable(
    tmp_path: Path, content: str | None, mode: int, found: str, hint: str
) -> None:
    if content is not None:
        write_script(tmp_path, content)
        (tmp_path / "liar").chmod(mode)
    assert_fails(tmp_path, ["--", "./liar"], 3, {"executable": (found, hint)})
    done = plugin_run("doctor", "--", "./liar", cwd=tmp_path)
    assert "        hint: " in done.out


def test_a_program_for_another_machine_fails_as_executable(tmp_path: Path) -> None:
    liar = write_elf(tmp_path, "liar", 0xF3)
    assert_fails(tmp_path, ["--", liar], 3, {"executable": ("is built for RISC-V", "get the program for ")})


def test_a_folder_that_is_not_there_fails_as_folder(tmp_path: Path) -> None:
    write_list(tmp_path, "[plugins.liar]\ncommand = ['sh']\ncwd = 'nowhere'\n")
    assert_fails(tmp_path, [], 3, {"folder": (f"the folder {tmp_path}/nowhere does not exist", "cwd")})


def test_a_python_that_lacks_a_module_fails_as_starts(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, "import a_module_that_nobody_has\n")
    done = plugin_run("doctor", "--", liar, cwd=tmp_path)
    assert done.code == 3
    assert "  FAIL  starts          it ended (exit code 1) before it answered initialize\n" in done.out
    assert "          stderr  ModuleNotFoundError: No module named 'a_module_that_nobody_has'\n" in done.out
    assert "        hint: a library is missing where it runs: install it there" in done.out


def test_a_program_that_prints_its_usage_and_ends_fails_as_starts_and_stdout(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, "raw.write(b'usage: liar FILE\\n')\nraw.read()\nsys.exit(2)\n")
    expected = {
        "starts": ("it ended (exit code 2) before it answered initialize", "what it wrote usually says why"),
        "stdout": ("it wrote what is no frame", STDOUT_HINT),
    }
    assert_fails(tmp_path, ["--", liar], 3, expected)


# Standard output

BEFORE = "raw.write(b'Loading ...\\n')\nraw.begin()\nraw.serve()\n"
WITHOUT_NEWLINE = "raw.write(b'Loading ...')\nraw.begin()\nraw.serve()\n"
# Each answers well, but for what stands in `vice`, which gets the frame of the answer to ping or to the unknown method.
VICE = """\
import os

def vice(message, answer, frame):
    {}

def other(message):
    if "id" in message:
        answer = {{"id": message["id"], "result": None}}
        if message["method"] != "ping":
            answer = {{"id": message["id"], "error": {{"code": -32601, "message": "no such method"}}}}
        vice(message, answer, raw.frame(raw.encode(**answer)))

raw.begin()
raw.serve(other)
"""


@pytest.mark.parametrize(
    ("source", "found", "hint"),
    [
        (BEFORE, "it wrote 12 bytes that are no frame", STDOUT_HINT),
        (WITHOUT_NEWLINE, "it wrote 11 bytes that are no frame", STDOUT_HINT),
        (VICE.format("raw.write(b'debug\\n' + frame)"), "it wrote 12 bytes that are no frame", STDOUT_HINT),
        (VICE.format("raw.write(frame + b'.')"), "it wrote ", STDOUT_HINT),
        (VICE.format("raw.write(frame[:-5]); os._exit(0)"), "the stream ended inside a frame", FRAME_HINT),
    ],
)
def test_what_is_no_frame_fails_as_stdout(tmp_path: Path, source: str, found: str, hint: str) -> None:
    assert_fails(tmp_path, ["--", write_plugin(tmp_path, source)], 4, {"stdout": (found, hint)})


def test_stray_bytes_are_shown(tmp_path: Path) -> None:
    done = plugin_run("doctor", "--", *plugin("prints_before_handshake"), cwd=tmp_path)
    assert done.code == 4
    assert (
        "  FAIL  stdout          it wrote 22 bytes that are no frame\n"
        "          00000000  4c 6f 61 64 69 6e 67 20  74 68 65 20 6d 6f 64 65  |Loading the mode|\n"
        "          00000010  6c 20 2e 2e 2e 0a                                 |l ....|\n"
        f"        hint: {STDOUT_HINT}\n"
    ) in done.out
    assert done.out.endswith("\n11 passed, 1 failed\n")


def test_printing_inside_a_frame_fails_as_answers_and_stdout(tmp_path: Path) -> None:
    vice = VICE.format("raw.write(frame[:40] + b'debug\\n' + frame[40:])")
    source = vice.replace('if "id" in message', 'if "id" in message and "method" in message')
    done = plugin_run("doctor", "--json", "--timeout", "3", "--", write_plugin(tmp_path, source), cwd=tmp_path)
    checks = checks_of(done)
    assert done.code == 4
    assert checks["answers"]["verdict"] == checks["stdout"]["verdict"] == "FAIL"
    assert "a bad message: JSON is malformed" in checks["answers"]["found"]
    assert FRAME_HINT in checks["answers"]["hint"]


def test_a_plugin_that_speaks_lines_is_told_to_say_so(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, "raw.LINES = True\nraw.answer({'id': 1}, raw.result())\nsys.stdin.read()\n")
    hint = 'it writes a message a line: give --framing line, or framing = "line" in plugin.toml'
    assert_fails(tmp_path, ["--", liar], 4, {"stdout": ("what is no frame", hint)})


def test_a_plugin_that_speaks_headers_is_told_to_say_so(tmp_path: Path) -> None:
    source = "raw.LINES = False\nraw.answer({'id': 1}, raw.result())\nsys.stdin.read()\n"
    done = plugin_run(
        "doctor", "--json", "--timeout", "3", "--framing", "line", "--", write_plugin(tmp_path, source), cwd=tmp_path
    )
    checks = checks_of(done)
    assert (done.code, checks["stdout"]["verdict"]) == (4, "FAIL")
    assert (
        checks["stdout"]["hint"] == 'it writes Content-Length headers: leave out --framing line, and framing = "line"'
    )


def test_a_length_that_counts_characters_is_told(tmp_path: Path) -> None:
    """The most common mistake of them all: the body is longer than the header says, or the frame never ends."""
    source = """\
        request = raw.read()
        told = raw.encode(id=request["id"], result=raw.result())
        raw.write(b"Content-Length: %d\\r\\n\\r\\n%b" % (len(told) + 5, told))
        raw.read()
        """
    expected = {"stdout": ("did not answer initialize within 3 s", FRAME_HINT)}
    assert_fails(tmp_path, ["--", write_plugin(tmp_path, source)], 4, expected)


# The handshake


def test_no_answer_to_initialize_fails_as_handshake(tmp_path: Path) -> None:
    expected = {
        "handshake": ("it did not answer initialize within 3 s", "does not speak this protocol with header framing")
    }
    assert_fails(tmp_path, ["--", *plugin("mute")], 3, expected)


@pytest.mark.parametrize(
    ("name", "argument", "found", "hint"),
    [
        ("reserved_service", "log", "it provides the reserved service 'log'", "choose another name for the service"),
        ("bad_initialize_result", "no-plugin", '"plugin" is a required property', "InitializeResult"),
        ("bad_initialize_result", "service", '"Liar" does not match', "InitializeResult"),
        ("bad_initialize_result", "twice", "it provides the service 'liar' twice", "list each service once"),
        ("bad_initialize_result", "error", "error -32602: tone is missing", "config"),
        ("bad_initialize_result", "neither", "neither result nor error", "exactly one of result and error"),
    ],
)
def test_a_bad_answer_to_initialize_fails_as_handshake(
    tmp_path: Path, name: str, argument: str, found: str, hint: str
) -> None:
    assert_fails(tmp_path, ["--", *plugin(name, argument)], 4, {"handshake": (found, hint)})


@pytest.mark.parametrize("given", ["str(request['id'])", "request['id'] + 1000"])
def test_an_answer_to_initialize_with_another_id_is_told(tmp_path: Path, given: str) -> None:
    source = f"request = raw.read()\nraw.send(id={given}, result=raw.result())\nraw.read()\n"
    expected = {
        "handshake": ("it did not answer initialize within 3 s", "see the step answers"),
        "answers": ("a response with an id ", "with its id just as it came"),
    }
    assert_fails(tmp_path, ["--", write_plugin(tmp_path, source)], 3, expected)


@pytest.mark.parametrize("argument", ["", "refuse"])
def test_another_version_fails_as_version(tmp_path: Path, argument: str) -> None:
    assert_fails(tmp_path, ["--", *plugin("wrong_version", argument)], 4, {"version": ("2.0", "version")})


def test_what_a_manifest_promises_and_the_plugin_does_not_fails_as_handshake(tmp_path: Path) -> None:
    write_plugin(tmp_path)
    (tmp_path / "plugin.toml").write_text(
        'name = "liar"\nversion = "1"\ncommand = ["./liar"]\n[[provides]]\nservice = "truth"\nmethods = ["tell"]\n'
    )
    expected = {
        "handshake": ("its manifest promises the service truth", "make plugin.toml and the plugin's own answer agree")
    }
    assert_fails(tmp_path, ["--with", "."], 4, expected)


def test_what_it_needs_and_nobody_has_fails_as_requires(tmp_path: Path) -> None:
    needs = plugin("relay", "requires=spell:>=1+other:")
    expected = {
        "requires": ("it requires spell >=1: no plugin provides it; it requires other", "add a plugin that provides it")
    }
    assert_fails(tmp_path, ["--", *needs], 3, expected)


def test_what_it_needs_may_be_another_plugin_of_the_list(tmp_path: Path) -> None:
    write_list(
        tmp_path,
        f"""\
        [plugins.needs]
        command = {json.dumps(plugin("relay", "requires=spell:>=1", "wants=other:"))}
        [plugins.spell]
        command = {json.dumps(plugin("relay", "service=spell"))}
        """,
    )
    done = plugin_run("doctor", cwd=tmp_path)
    assert done.code == 0
    assert "  ok    requires        spell >=1, other (optional)\n" in done.out
    assert "  ok    requires        nothing\n" in done.out
    assert "\n12 passed, 0 failed\n\nspell: " in done.out


def test_a_plugin_that_provides_nothing_is_warned(tmp_path: Path) -> None:
    done = plugin_run("doctor", "--", *plugin("minimal"), cwd=tmp_path)
    assert done.code == 0
    assert "  warn  handshake       x 1 provides no service\n        hint: list its services in `provides`" in done.out
    assert done.out.endswith("\n11 passed, 0 failed, 1 warned\n")


# The conversation


@pytest.mark.parametrize(
    ("vice", "found", "hint"),
    [
        ("raw.write(frame * 2)", "a response with an id 2, which is not in flight", "send one answer to each request"),
        (
            "raw.send(**answer, **({'result': 1} if 'error' in answer else {'error': {'code': 1, 'message': ''}}))",
            "an answer with both result and error",
            "either result or error",
        ),
    ],
)
def test_a_bad_answer_fails_as_answers(tmp_path: Path, vice: str, found: str, hint: str) -> None:
    liar = write_plugin(tmp_path, VICE.format(vice))
    assert_fails(tmp_path, ["--", liar], 4, {"answers": (found, hint)})


def test_an_answer_with_another_id_fails_where_it_is_missed(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, VICE.format("raw.send(**{**answer, 'id': str(answer['id'])})"))
    expected = {
        "ping": ("no answer within 3 s", "every request gets exactly one answer"),
        "unknown method": ("no answer within 3 s", "every request gets exactly one answer"),
        "answers": ("a response with an id '2', which is not in flight", "with its id just as it came"),
    }
    assert_fails(tmp_path, ["--", liar], 4, expected)


def test_a_plugin_that_ends_when_it_is_asked_fails_there(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, VICE.format("raise ValueError('boom')"))
    done = plugin_run("doctor", "--", liar, cwd=tmp_path)
    assert done.code == 4
    assert "  FAIL  ping            it ended while it was asked: exit code 1\n" in done.out
    assert "          stderr  ValueError: boom\n" in done.out
    assert "hint: a plugin stays until it is told to go" in done.out
    # What was not tried is neither praised nor blamed.
    assert "shutdown" not in done.out
    assert done.out.endswith("\n8 passed, 1 failed, 3 not reached\n")


def test_a_wrong_answer_to_an_unknown_method_fails_there(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, VICE.format("raw.answer(message, None)"))
    expected = {"unknown method": ("it was answered with a result", "with error -32601 (CAL-06)")}
    assert_fails(tmp_path, ["--", liar], 4, expected)
    liar = write_plugin(tmp_path, VICE.format("raw.refuse(message, -32603, 'what?')"))
    expected = {
        "ping": ("ping was answered with error -32603: what?", "answer ping with null in every state (LIF-18)"),
        "unknown method": ("it was answered with error -32603", "with error -32601 (CAL-06)"),
    }
    assert_fails(tmp_path, ["--", liar], 4, expected)


def test_a_tolerated_deviation_is_warned(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, VICE.format("raw.write(frame.replace(b'Content-L', b'content-l'))"))
    done = plugin_run("doctor", "--", liar, cwd=tmp_path)
    assert done.code == 0
    assert "  warn  answers         Content-Length in another letter case" in done.out
    assert "hint: write frames exactly as FRM-01 says" in done.out


# The end


@pytest.mark.parametrize(
    ("to_the_end", "found"),
    [
        (
            "sys.stdin.read()",
            "it did not end on shutdown and exit, but when its standard input was closed (exit code 0)",
        ),
        ("signal.pause()", "it did not end on shutdown and exit, nor with its standard input, but on SIGTERM ("),
        (
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()",
            "it did not end on shutdown and exit, nor with its standard input, nor on SIGTERM; it was killed",
        ),
    ],
)
def test_a_plugin_that_does_not_end_fails_as_shutdown(tmp_path: Path, to_the_end: str, found: str) -> None:
    liar = write_plugin(
        tmp_path,
        f"""\
        import signal
        raw.begin()
        while (message := raw.read())["method"] != "shutdown":
            if "id" in message:
                raw.refuse(message, -32601)
        {to_the_end}
        """,
    )
    hint = "answer shutdown with null; end the process on exit, and when standard input ends"
    assert_fails(tmp_path, ["--", liar], 4, {"shutdown": (found, hint)})


def test_another_exit_code_fails_as_shutdown(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        raw.begin()
        try:
            raw.serve()
        finally:
            sys.exit(1)
        """,
    )
    assert_fails(tmp_path, ["--", liar], 4, {"shutdown": ("it ended when asked, but with exit code 1", "LIF-15")})


def test_a_process_that_stays_behind_fails_as_leftovers(tmp_path: Path) -> None:
    expected = {"leftovers": ("it left processes of its own behind", "end child processes before you end")}
    assert_fails(tmp_path, ["--", *plugin("leaves_a_grandchild")], 4, expected)


# What is fine


def test_an_honest_plugin_passes_every_step(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    done = plugin_run("doctor", "--", liar, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "liar: ./liar\n"
        "  ok    executable      ./liar\n"
        f"  ok    folder          {tmp_path}\n"
        "  ok    starts          it runs\n"
        "  ok    stdout          nothing but frames\n"
        "  ok    handshake       liar 1 provides liar 1.0\n"
        "  ok    version         protocol 1.0\n"
        "  ok    requires        nothing\n"
        "  ok    ping            it is alive\n"
        "  ok    unknown method  refused with MethodNotFound\n"
        "  ok    answers         one answer to each request, nothing else\n"
        "  ok    shutdown        it ended when asked, exit code 0\n"
        "  ok    leftovers       no process left\n"
        "12 passed, 0 failed\n"
    )


def test_much_standard_error_is_no_fault(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        VICE.format("sys.stderr.write(('x' * 1023 + '\\n') * 10_240), sys.stderr.flush(), raw.write(frame)"),
    )
    done = plugin_run("doctor", "--", liar, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\n12 passed, 0 failed\n")


def test_a_plugin_may_ask_for_services_and_log_while_it_is_examined(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        def other(message):
            if message.get("method") == "initialized":
                raw.log("asking")
                raw.send(id=1, method="service/list", params={})
            elif "method" not in message:
                assert message["result"] == {"services": []}, message
            elif "id" in message:
                raw.refuse(message, -32601)

        raw.begin()
        raw.serve(other)
        """,
    )
    done = plugin_run("doctor", "--", liar, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\n12 passed, 0 failed\n")


def test_a_plugin_may_use_what_the_host_offers_while_it_is_examined(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        def other(message):
            if "error" in message:
                sys.exit(3)
            if "id" in message and "method" in message:
                raw.refuse(message, -32601)

        raw.begin(raw.result(events=[{"topic": "a.b"}], hooks=[{"name": "c"}]))
        raw.read()
        for number, (method, params) in enumerate({
            "event/subscribe": {"topic": "a.b"},
            "event/publish": {"topic": "a.b"},
            "hook/run": {"name": "d", "value": 1},
            "channel/open": {},
            "memory/create": {"size": 1},
            "state/put": {"key": "k", "value": 1},
            "lock/acquire": {"name": "l"},
        }.items(), 1):
            raw.send(id=number, method=method, params=params)
        raw.serve(other)
        """,
    )
    done = plugin_run("doctor", "--", liar, cwd=tmp_path)
    assert done.code == 0
    assert done.out.endswith("\n12 passed, 0 failed\n")


def test_what_is_under_way_when_a_plugin_is_told_to_go_is_no_fault(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        raw.begin()
        while (message := raw.read())["method"] != "exit":
            if message.get("method") == "ping":
                raw.answer(message, None)
            elif message.get("method") == "shutdown":
                raw.answer(message, None)
            elif "id" in message:
                raw.refuse(message, -32601, "no such method")
        raw.log("said when it had been told to go")
        """,
    )
    done = plugin_run("doctor", "--", liar, cwd=tmp_path)
    assert done.code == 0
    assert "answers         one answer to each request, nothing else" in done.out


def test_json_holds_every_step_of_every_plugin(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path)
    done = plugin_run("doctor", "--json", "--with", liar, "--", "./nowhere", cwd=tmp_path)
    assert done.code == 3
    good, bad = json.loads(done.out)
    assert (good["plugin"], bad["plugin"]) == ("liar", "nowhere")
    assert {check["verdict"] for check in good["checks"]} == {"ok"}
    assert [check["verdict"] for check in bad["checks"]] == ["FAIL"] + ["not reached"] * 11
    assert list(bad["checks"][0]) == ["step", "verdict", "found", "details", "hint"]


def test_the_exit_code_is_that_of_the_start_before_that_of_the_protocol(tmp_path: Path) -> None:
    arguments = ["--with", write_plugin(tmp_path, BEFORE)]
    assert plugin_run("doctor", *arguments, cwd=tmp_path).code == 4
    assert plugin_run("doctor", *arguments, "--", "./nowhere", cwd=tmp_path).code == 3
