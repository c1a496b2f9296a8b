"""Ctrl-C and its like: once ends the plugins in order, twice kills them."""

import json
import re
import signal
from pathlib import Path

import pytest

from tests.host.cli.support import Running, is_gone, plugin_run, write_list, write_plugin
from tests.host.support import plugin

STUBBORN = """\
import signal
signal.signal(signal.SIGTERM, lambda *_: print("got SIGTERM", file=sys.stderr, flush=True))
raw.begin()
while (message := raw.read()) is not None:
    print("got", message["method"], file=sys.stderr, flush=True)
while True:
    signal.pause()
"""


def pid_in(line: str) -> int:
    found = re.search(r"ready \(pid ([0-9]+),", line)
    assert found
    return int(found[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_a_call_ends_it_and_the_plugin(tmp_path: Path, number: signal.Signals) -> None:
    with Running("call", "-v", "liar/ask", "--", *plugin("never_answers"), cwd=tmp_path) as running:
        pid = pid_in(running.wait_for("ready"))
        running.wait_for("info: asked")
        running.signal(number)
        done = running.end()
    assert (done.code, done.out) == (130, "")
    assert "stopping the plugins; once more kills them\n" in done.err
    assert done.err.endswith("ended (exit code 0)\ninterrupted\n")
    assert is_gone(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_run_in_order(tmp_path: Path, number: signal.Signals) -> None:
    liar = write_plugin(tmp_path)
    with Running("run", "--", liar, cwd=tmp_path) as running:
        pid = pid_in(running.wait_for("ready (pid"))
        assert running.wait_for("Ctrl-C") == "1 of 1 plugins ready: liar; Ctrl-C stops them\n"
        running.signal(number)
        done = running.end()
    assert (done.code, done.out) == (130, "")
    assert done.err.endswith("stopping the plugins; once more kills them\nliar: ended (exit code 0)\ninterrupted\n")
    assert is_gone(pid)


def test_an_interrupted_command_says_so_in_json(tmp_path: Path) -> None:
    with Running("call", "-v", "--json", "liar/ask", "--", *plugin("never_answers"), cwd=tmp_path) as running:
        running.wait_for("info: asked")
        running.signal(signal.SIGINT)
        done = running.end()
    assert done.code == 130
    assert done.error() == {"code": "interrupted", "message": "interrupted", "plugin": None, "hint": None}


def test_a_signal_during_a_start_ends_it(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        import os, signal
        os.write(2, b"my pid is %d\\n" % os.getpid() * 30)  # at once: the signal comes as soon as one is seen
        signal.pause()
        """,
    )
    with Running("call", "x/y", "--timeout", "600", "--", liar, cwd=tmp_path) as running:
        pid = int(running.wait_for("my pid is").split()[-1])
        running.signal(signal.SIGINT)
        done = running.end()
    assert done.code == 130
    # What was held back for a report of the start is said after all.
    assert done.err.count("my pid is") == 30
    assert is_gone(pid)


def test_once_goes_down_the_ladder(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, STUBBORN)
    with Running("run", "--", liar, cwd=tmp_path) as running:
        pid = pid_in(running.wait_for("ready (pid"))
        running.wait_for("Ctrl-C")
        running.signal(signal.SIGINT)
        done = running.end()
    assert done.code == 130
    for line in ("liar | got shutdown", "liar | got SIGTERM", "liar: ended (signal SIGKILL)"):
        assert f"{line}\n" in done.err
    assert is_gone(pid)


def test_twice_kills_without_asking_again(tmp_path: Path) -> None:
    liar = write_plugin(tmp_path, STUBBORN)
    with Running("run", "--", liar, cwd=tmp_path) as running:
        pid = pid_in(running.wait_for("ready (pid"))
        running.wait_for("Ctrl-C")
        running.signal(signal.SIGINT)
        running.wait_for("liar | got shutdown")
        running.signal(signal.SIGINT)
        done = running.end()
    assert done.code == 130
    assert "got SIGTERM" not in done.err
    assert done.err.endswith("liar: ended (signal SIGKILL)\ninterrupted\n")
    assert is_gone(pid)


def test_a_signal_ends_doctor_and_its_plugin(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        import os
        raw.begin()
        def other(message):
            print(os.getpid(), message["method"], file=sys.stderr, flush=True)
        raw.serve(other)
        """,
    )
    with Running("doctor", "-v", "--timeout", "600", "--", liar, cwd=tmp_path) as running:
        pid = int(running.wait_for(" ping").split()[2])
        running.signal(signal.SIGTERM)
        done = running.end()
    assert (done.code, done.out) == (130, "")
    assert done.err.endswith("interrupted\n")
    assert is_gone(pid)


def test_run_ends_when_no_plugin_is_left(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        raw.begin()
        raw.read()
        """,
    )
    done = plugin_run("run", "--", liar, cwd=tmp_path)
    assert done.code == 3
    assert done.err.endswith("liar: ended by itself (exit code 0)\nno plugin is left that runs\n")


def test_run_ends_when_no_plugin_starts(tmp_path: Path) -> None:
    write_list(tmp_path, "[plugins.broken]\ncommand = ['./nowhere']\n")
    done = plugin_run("run", cwd=tmp_path)
    assert done.code == 3
    assert done.err.startswith("warning: plugin 'broken' did not start\n")
    assert done.err.endswith("no plugin is left that runs\n")
    assert done.err.count("does not exist") == 1


def test_run_tells_everything_that_happens_in_json(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        raw.begin()
        raw.read()
        print("bye", file=sys.stderr, flush=True)
        """,
    )
    done = plugin_run("run", "--json", "--", liar, cwd=tmp_path)
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [(event["event"], event["plugin"]) for event in events] == [
        ("PluginReady", "liar"),
        ("PluginLogged", "liar"),
        ("PluginEnded", "liar"),
    ]
    assert events[1] == {
        "event": "PluginLogged",
        "plugin": "liar",
        "level": "info",
        "message": "bye",
        "data": {},
        "source": "stderr",
    }
    assert events[2] == {"event": "PluginEnded", "plugin": "liar", "status": "exit code 0", "asked": False}


def test_run_stays_up_while_a_plugin_is_started_again(tmp_path: Path) -> None:
    liar = write_plugin(
        tmp_path,
        """\
        import os
        raw.begin()
        raw.read()
        if not os.path.exists("again"):
            open("again", "w").close()
            os._exit(4)
        raw.serve()
        """,
    )
    with Running("run", "--", liar, cwd=tmp_path) as running:
        running.wait_for("liar: ended by itself (exit code 4)")
        running.wait_for("liar: will be started again in ")
        running.wait_for("liar: ready (pid ")
        running.signal(signal.SIGINT)
        done = running.end()
    assert done.code == 130
