"""What a failure says to people."""

from pathlib import Path

import pytest

from plugwire.wire.errors import PlugwireError
from plugwire_host.errors import (
    ConfigError,
    HostError,
    IncompatibleVersion,
    ManifestError,
    PluginExited,
    RequirementUnmet,
    StartupFailed,
    StartupReport,
    hexdump,
    printable,
)


@pytest.mark.requirement("MAN-04", "MAN-07")
def test_an_error_of_a_file_names_the_file_the_line_and_the_problem() -> None:
    problem = "plugins.todo.command: a list of strings was expected, got 5"
    error = ConfigError(Path("plugins.toml"), 12, problem)
    assert str(error) == "plugins.toml:12: plugins.todo.command: a list of strings was expected, got 5"
    assert (error.path, error.line, error.problem) == (Path("plugins.toml"), 12, problem)
    assert str(ManifestError(Path("a/plugin.toml"), None, "it does not exist")) == "a/plugin.toml: it does not exist"


@pytest.mark.parametrize(
    ("error", "parent"),
    [
        (ManifestError, ConfigError),
        (ConfigError, HostError),
        (IncompatibleVersion, StartupFailed),
        (RequirementUnmet, StartupFailed),
        (StartupFailed, HostError),
        (PluginExited, HostError),
        (HostError, PlugwireError),
    ],
)
def test_the_tree_is_the_one_that_is_drawn(error: type, parent: type) -> None:
    assert issubclass(error, parent)


def test_an_exit_is_told_with_its_status() -> None:
    error = PluginExited("todo", "signal SIGSEGV")
    assert str(error) == "plugin 'todo' has ended: signal SIGSEGV"
    assert (error.plugin, error.status) == ("todo", "signal SIGSEGV")


@pytest.mark.requirement("LIF-10", "LOG-06")
def test_a_failed_start_tells_one_fact_a_line() -> None:
    report = StartupReport(
        plugin="todo",
        argv=("perl", "to do.pl"),
        resolved="/usr/bin/perl",
        cwd="/srv/tools",
        status="exit code 3",
        stderr_tail=("Can't locate JSON.pm", "\x1b[31mstopped\r\u202e"),
        stray_stdout=b"Hello, world!\x1b[2J\n\xff",
        elapsed=0.214,
        cause="it ended before it answered initialize",
        hint="install JSON::PP",
        stage="exited",
    )
    assert str(StartupFailed(report)).splitlines() == [
        "plugin 'todo' did not start",
        "  command:  perl 'to do.pl'",
        "  resolved: /usr/bin/perl",
        "  cwd:      /srv/tools",
        "  cause:    it ended before it answered initialize",
        "  exit:     exit code 3 after 0.21 s",
        "  stderr:   Can't locate JSON.pm",
        "            \\x1b[31mstopped\\r\\u202e",
        "  stdout:   00000000  48 65 6c 6c 6f 2c 20 77  6f 72 6c 64 21 1b 5b 32  |Hello, world!.[2|",
        "            00000010  4a 0a ff                                          |J..|",
        "  hint:     install JSON::PP",
    ]


def test_a_start_that_came_to_nothing_has_no_exit() -> None:
    report = StartupReport(
        plugin="todo", argv=("x",), resolved=None, cwd="/", cause="'x' is in no folder", stage="executable"
    )
    assert str(report).splitlines() == [
        "plugin 'todo' did not start",
        "  command:  x",
        "  resolved: not found",
        "  cwd:      /",
        "  cause:    'x' is in no folder",
        "  exit:     it never ran",
    ]


def test_a_plugin_that_never_answered_is_still_running() -> None:
    report = StartupReport(
        plugin="x", argv=("x",), resolved="/x", cwd="/", elapsed=10.0, cause="no answer", stage="timeout"
    )
    assert "  exit:     still running after 10.00 s" in str(report).splitlines()


def test_a_report_shows_twenty_lines_and_two_hundred_bytes() -> None:
    lines = tuple(f"line {number}" for number in range(30))
    report = StartupReport(
        plugin="x",
        argv=("x",),
        resolved="/x",
        cwd="/",
        stderr_tail=lines,
        stray_stdout=b"A" * 300,
        cause="c",
        stage="noise",
    )
    text = str(report)
    assert "line 9\n" not in text
    assert "line 10\n" in text
    assert text.count("41") == 200


@pytest.mark.requirement("LOG-06")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größer\tok", "größer\tok"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\r\nb\x7f\x9b", "a\\r\\nb\\x7f\\x9b"),
        ("\u200e\ud800", "\\u200e\\ud800"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_dump_of_nothing_is_empty() -> None:
    assert hexdump(b"") == []
