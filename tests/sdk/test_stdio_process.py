"""Real plugin processes: how they end, and that nothing but frames reaches their standard output."""

import contextlib
import os
import pty
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .driver import INITIALIZE, Driver, decode, encode, plugin_process
from .helpers import WAIT

SOURCE = """
import asyncio, os, subprocess, sys, threading

if os.environ.get("DEMO_LOOP") == "asyncio":
    sys.modules["uvloop"] = None
print("stray: at import")

from plugwire import Plugin

plugin = Plugin("demo", version="1")
for_ever = threading.Event()

@plugin.method
async def loop() -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]

@plugin.method
def strays() -> str:
    print("stray: in a handler")
    os.write(1, b"stray: written to descriptor 1\\n")
    subprocess.run([sys.executable, "-c", "print('stray: of a child')"], check=True)
    return "done"

@plugin.method
def reads() -> list[str]:
    child = subprocess.run([sys.executable, "-c", "import sys; print(repr(sys.stdin.read()))"], stdout=subprocess.PIPE)
    return [sys.stdin.read(), os.read(0, 10).decode(), child.stdout.decode().strip()]

@plugin.method
def blocks() -> None:
    plugin.notify("demo/begun")
    for_ever.wait()

@plugin.method
async def blocks_in_a_thread_of_its_own() -> None:
    plugin.notify("demo/begun")
    await asyncio.to_thread(for_ever.wait)

@plugin.method
async def starts_a_thread() -> None:
    threading.Thread(target=for_ever.wait).start()
    plugin.notify("demo/begun")

@plugin.method
async def swallows_cancel() -> None:
    plugin.notify("demo/begun")
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

@plugin.method
async def large(size: int) -> str:
    return "x" * size

plugin.run()
"""


@pytest.fixture(params=["uvloop", "asyncio"])
def plugin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Driver]:
    with plugin_process(tmp_path, SOURCE, DEMO_LOOP=request.param) as driver:
        yield driver


@pytest.fixture
def ready(plugin: Driver) -> Driver:
    plugin.start()
    return plugin


def test_the_plugin_runs_on_either_loop(ready: Driver, request: pytest.FixtureRequest) -> None:
    assert ready.call("demo/loop") == request.node.callspec.params["plugin"]


# The end


@pytest.mark.requirement("LIF-15")
def test_shutdown_and_exit_end_the_process_with_0(ready: Driver) -> None:
    assert ready.call("shutdown") is None
    ready.notify("exit")
    assert ready.wait() == 0


@pytest.mark.requirement("LIF-15")
def test_exit_alone_ends_it_with_1(ready: Driver) -> None:
    ready.notify("exit")
    assert ready.wait() == 1


@pytest.mark.requirement("LIF-15")
def test_exit_before_initialize_ends_it_with_1(plugin: Driver) -> None:
    plugin.notify("exit")
    assert plugin.wait() == 1


@pytest.mark.requirement("LIF-16")
def test_the_end_of_its_input_ends_it_with_1(ready: Driver) -> None:
    ready.hang_up()
    assert ready.wait() == 1


@pytest.mark.requirement("LIF-16")
def test_the_end_of_its_input_after_shutdown_ends_it_with_0(ready: Driver) -> None:
    ready.call("shutdown")
    ready.hang_up()
    assert ready.wait() == 0


@pytest.mark.parametrize("method", ["blocks", "blocks_in_a_thread_of_its_own", "starts_a_thread"])
@pytest.mark.requirement("LIF-13", "LIF-15")
def test_a_thread_that_blocks_for_ever_does_not_keep_the_process(ready: Driver, method: str) -> None:
    blocked = ready.ask(f"demo/{method}")
    assert ready.receive()["method"] == "demo/begun"
    stopped = ready.ask("shutdown")
    assert [ready.receive()["id"], ready.receive()["id"]] == [blocked, stopped]
    ready.notify("exit")
    assert ready.wait() == 0


@pytest.mark.requirement("LIF-15")
def test_a_task_that_will_not_be_cancelled_does_not_keep_the_process(ready: Driver) -> None:
    ready.ask("demo/swallows_cancel")
    assert ready.receive()["method"] == "demo/begun"
    ready.ask("shutdown")
    ready.notify("exit")
    assert ready.wait() == 0


def test_a_host_that_stops_reading_ends_it(ready: Driver) -> None:
    ready.stop_reading()
    try:
        for _ in range(100):
            ready.ask("ping")
    except BrokenPipeError:
        pass  # it has ended already
    assert ready.wait() == 1


# Nothing but frames


@pytest.mark.requirement("FRM-01", "FRM-04")
def test_stray_output_lands_on_standard_error_and_never_between_the_frames(ready: Driver) -> None:
    assert ready.call("demo/strays") == "done"
    ready.call("shutdown")
    ready.notify("exit")
    assert ready.wait() == 0
    strays = [line for line in ready.errors().splitlines() if line.startswith("stray: ")]
    assert strays == [
        "stray: at import",
        "stray: in a handler",
        "stray: written to descriptor 1",
        "stray: of a child",
    ]


def test_a_handler_that_reads_standard_input_finds_it_at_its_end(ready: Driver) -> None:
    assert ready.call("demo/reads") == ["", "", "''"]
    assert ready.call("ping") is None


@pytest.mark.requirement("FRM-10", "FRM-23")
def test_stray_bytes_from_the_host_end_it_with_a_sentence(ready: Driver) -> None:
    ready.send_bytes(b"hello, are you there?\n\n")
    assert ready.wait() == 1
    assert "demo: the host broke the protocol: " in ready.errors()


@pytest.mark.requirement("FRM-08")
def test_what_is_tolerated_in_the_hosts_framing_is_told_once(ready: Driver) -> None:
    body = b'{"jsonrpc":"2.0","id":77,"method":"ping"}'
    for _ in range(2):
        ready.send_bytes(b"content-length: %d\r\n\r\n%b" % (len(body), body))
        assert ready.receive()["id"] == 77
    told = [line for line in ready.errors().splitlines() if "tolerated" in line]
    assert len(told) == 1
    assert told[0].startswith("warning: ")


@pytest.mark.requirement("FRM-18")
def test_an_input_that_ends_inside_a_frame_ends_it_with_a_sentence(ready: Driver) -> None:
    ready.call("shutdown")
    ready.send_bytes(b"Content-Length: 100\r\n\r\n{")
    ready.hang_up()
    assert ready.wait() == 1
    assert "demo: the host broke the protocol: " in ready.errors()


def test_a_large_answer_is_written_whole_before_the_process_ends(ready: Driver) -> None:
    ready.ask("demo/large", {"size": 3_000_000})
    stopped = ready.ask("shutdown")
    ready.notify("exit")
    assert len(ready.receive()["result"]) == 3_000_000
    assert ready.receive() == {"jsonrpc": "2.0", "id": stopped, "result": None}
    assert ready.wait() == 0


# What standard input and output may be


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_sockets_do_as_well_as_pipes(tmp_path: Path, loop: str) -> None:
    def ends() -> tuple[int, int, int, int]:
        pairs = [socket.socketpair(), socket.socketpair()]
        (ours_in, theirs_in), (ours_out, theirs_out) = [(ours.detach(), theirs.detach()) for ours, theirs in pairs]
        return ours_in, theirs_in, ours_out, theirs_out

    with plugin_process(tmp_path, SOURCE, ends=ends, DEMO_LOOP=loop) as plugin:
        plugin.start()
        assert plugin.call("ping") is None
        plugin.hang_up()
        assert plugin.wait() == 1


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_regular_files_do_too(tmp_path: Path, loop: str) -> None:
    script, requests, answers = tmp_path / "plugin.py", tmp_path / "requests", tmp_path / "answers"
    script.write_text(SOURCE, encoding="utf-8")
    conversation: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": INITIALIZE},
        {"method": "initialized"},
        {"id": 2, "method": "demo/large", "params": {"size": 200_000}},
        {"id": 3, "method": "shutdown"},
        {"method": "exit"},
    ]
    requests.write_bytes(b"".join(encode(message) for message in conversation))
    with requests.open("rb") as stdin, answers.open("wb") as stdout:
        done = subprocess.run(
            [sys.executable, str(script)],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=clean_environment(DEMO_LOOP=loop),
            timeout=WAIT,
        )
    assert done.returncode == 0, done.stderr
    received = decode(answers.read_bytes())
    assert [answer["id"] for answer in received] == [1, 2, 3]
    assert len(received[1]["result"]) == 200_000


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.requirement("LIF-16")
def test_the_null_device_is_an_input_that_ends_at_once(tmp_path: Path, loop: str) -> None:
    script = tmp_path / "plugin.py"
    script.write_text(SOURCE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=clean_environment(DEMO_LOOP=loop),
        timeout=WAIT,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Traceback" not in done.stderr


def test_started_by_hand_it_says_what_it_is(tmp_path: Path) -> None:
    script = tmp_path / "plugin.py"
    script.write_text(SOURCE, encoding="utf-8")
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, str(script), "--fast"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=clean_environment(),
        )
        os.close(theirs)
        shown = read_terminal(ours)
        assert process.wait(WAIT) == 2
    finally:
        os.close(ours)
    assert "demo 1 is a plugwire plugin: a host talks with it over standard input and output." in shown
    assert f"Try: plugin-run info -- {Path(sys.executable).name} {script} --fast" in shown


@pytest.mark.requirement("FRM-24", "MAN-09")
def test_line_framing_is_taken_from_the_environment(tmp_path: Path) -> None:
    with plugin_process(tmp_path, SOURCE, PLUGWIRE_FRAMING="line") as plugin:
        plugin.send_bytes(encode({"id": 1, "method": "initialize", "params": INITIALIZE}, line=True))
        assert plugin.receive_line()["result"]["plugin"] == {"name": "demo", "version": "1"}
        plugin.notify("exit", line=True)
        assert plugin.wait() == 1


def clean_environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"} | more


def read_terminal(fd: int) -> str:
    """What a terminal shows until no one has it open any more."""
    shown = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal with an error
        while select.select([fd], [], [], WAIT)[0] and (data := os.read(fd, 65536)):
            shown += data
    return shown.decode().replace("\r\n", "\n")
