"""What the review does when something is missing, refuses, breaks or hangs."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from .support import LIMIT, command, list_plugins, run_review, write

# Plugins with one vice each. They take the place of `style`, which is asked about every document.
LIAR = """
import os
from plugwire import Context, Plugin, RequestError
plugin = Plugin("style", version="1")
@plugin.method
async def check(path: str, ctx: Context) -> dict:
    {}
plugin.run()
"""


def liar(*lines: str) -> str:
    return LIAR.format("\n    ".join(lines))


@pytest.mark.requirement("MAN-08")
def test_without_node_and_perl_the_other_plugins_go_on_and_the_user_is_told(tmp_path: Path) -> None:
    beside_python = str(Path(sys.executable).parent)
    if shutil.which("node", path=beside_python) or shutil.which("perl", path=beside_python):
        pytest.skip("node or perl is installed beside this Python, so it cannot be hidden")
    (tmp_path / "empty").mkdir()
    write(tmp_path, a_md="# A\n\nteh [b](b.md)\n<!-- TODO: x -->\n")
    done = run_review(tmp_path, ".", env={"PATH": str(tmp_path / "empty")})
    assert done.stdout.splitlines() == [
        "a.md:3:5: error: b.md does not exist [links]",
        "1 finding in 1 file: 1 error; incomplete: prose, todo failed",
    ]
    assert sorted(done.stderr.splitlines()) == [
        "review: the plugin prose does not run, and the review goes on without it: "
        "'node' is in none of the 2 folders of PATH",
        "review: the plugin todo does not run, and the review goes on without it: "
        "'perl' is in none of the 2 folders of PATH",
    ]
    assert done.returncode == 1


@pytest.mark.requirement("CAL-10")
def test_without_markdown_links_does_not_run_and_the_user_is_told_what_it_wants(tmp_path: Path) -> None:
    write(tmp_path, a_md="[b](b.md) \n")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "links", "style"), ".")
    assert done.stdout == "no findings in 1 file; incomplete: links failed\n"
    assert "review: the plugin links does not run, and the review goes on without it: " in done.stderr
    assert "it requires markdown" in done.stderr
    assert ">=1" in done.stderr
    assert "<2" in done.stderr


@pytest.mark.parametrize("path", ["../secret.md", "within/../../secret.md", "link.md", "/etc/passwd"])
def test_a_file_outside_of_what_is_reviewed_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "docs" / "within").mkdir(parents=True)
    write(tmp_path, secret_md="secret\n")
    write(tmp_path / "docs", a_py="x = 1\n")
    (tmp_path / "docs" / "link.md").symlink_to("../secret.md")
    source = liar(
        f"asked = os.path.join(os.path.dirname(path), {path!r})",
        'try: text = (await ctx.call("editor/openFile", {"path": asked}))["text"]',
        'except RequestError as error: text = f"{error.code}: {error.message.removeprefix(asked)}"',
        'return {"diagnostics": [{"line": 1, "column": 1, "severity": "info", "message": text}]}',
    )
    # Of a folder, and of a single file: then the files beside it are not open either.
    for named in ("docs", "docs/a.py"):
        done = run_review(tmp_path, "--plugins", list_plugins(tmp_path / "docs", style=source), named)
        assert done.stdout.splitlines()[0] == (
            "docs/a.py:1:1: info: -32014:  is neither an open document nor in a folder under review [style]"
        )


@pytest.mark.requirement("ERR-07")
def test_the_refusal_comes_through_another_plugin_unchanged(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    write(tmp_path / "docs", a_py="x = 1\n")
    source = liar(
        'try: await ctx.call("markdown/headings", {"path": "/no/where.md"})',
        'except RequestError as error: text = f"{error.code}: {error.message}"',
        'return {"diagnostics": [{"line": 1, "column": 1, "severity": "info", "message": text}]}',
    )
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path / "docs", "markdown", style=source), "docs")
    assert done.stdout.splitlines()[0] == (
        "docs/a.py:1:1: info: -32014: /no/where.md is neither an open document nor in a folder under review [style]"
    )


def test_links_into_what_is_not_reviewed_are_only_asked_to_exist(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    write(tmp_path, b_md="# B\n")
    write(tmp_path / "docs", a_md="[b](../b.md#no-such) [c](../c.md)\n")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "markdown", "links"), "docs")
    assert done.stdout.splitlines()[:-1] == ["docs/a.md:1:22: error: ../c.md does not exist [links]"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["os._exit(3)"], "PluginCrashed (-32011): plugin 'style' ended (exit code 3)"),
        (['raise RuntimeError("no")'], "InternalError (-32603): RuntimeError: no"),
        (["return {}"], "the member 'diagnostics' was expected to be a list, and it is None"),
        (['return {"diagnostics": [7]}'], "the member 'severity' was expected to be a str, and it is None"),
        (
            ['return {"diagnostics": [{"line": 9, "column": 1, "severity": "info", "message": "x"}]}'],
            "a.py has no line 9 with a column 1",
        ),
        (
            ['return {"diagnostics": [{"line": True, "column": 1, "severity": "info", "message": "x"}]}'],
            "the member 'line' was expected to be a int, and it is True",
        ),
    ],
    ids=["crash", "error", "no list", "no object", "no such line", "no number"],
)
def test_a_plugin_that_breaks_is_told_about_and_the_others_go_on(tmp_path: Path, lines: list[str], reason: str) -> None:
    write(tmp_path, a_py="x = y\n")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "python", style=liar(*lines)), ".")
    assert done.stdout.splitlines() == [
        "a.py:1:5: error: undefined name 'y' [python]",
        "1 finding in 1 file: 1 error; incomplete: style failed",
    ]
    assert f"review: style failed, so its findings are not complete: {reason}" in done.stderr


def test_a_plugin_that_hangs_loses_its_call_and_the_others_go_on(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = y\n")
    plugins = list_plugins(tmp_path, "python", style=liar("import asyncio", "await asyncio.Event().wait()"))
    text = plugins.read_text(encoding="utf-8")
    plugins.write_text(f"{text}call_timeout = 0.3\n", encoding="utf-8")
    done = run_review(tmp_path, "--plugins", plugins, ".")
    assert done.stdout.splitlines()[-1] == "1 finding in 1 file: 1 error; incomplete: style failed"
    assert "review: style failed, so its findings are not complete: DeadlineExceeded (-32012): " in done.stderr


def test_control_characters_of_a_plugin_do_not_reach_the_terminal(tmp_path: Path) -> None:
    write(tmp_path, a_py="x\n")
    source = liar(
        r'return {"diagnostics": [{"line": 1, "column": 1, "severity": "info", "message": "\x1b[2J\n\u202e"}]}'
    )
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, style=source), ".")
    assert done.stdout.splitlines()[0] == r"a.py:1:1: info: \x1b[2J\n\u202e [style]"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """What is started in the background of a script ignores SIGINT, and so would all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process")
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_review_and_its_plugins_and_writes_nothing(tmp_path: Path) -> None:
    for number in range(9):
        write(tmp_path, **{f"a{number}_py": "x = 1 "})
    source = liar('ctx.log.warning(f"hanging {os.getpid()}")', "import asyncio", "await asyncio.Event().wait()")
    plugins = list_plugins(tmp_path, "python", style=source)
    with subprocess.Popen(
        # Some calls wait for the plugin, and others for their turn.
        command("--plugins", plugins, "--fix", "--jobs", 1, "."),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.startswith("review: style: hanging ")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=LIMIT)
    assert (output, errors) == ("", "review: interrupted; nothing was written\n")
    assert process.returncode == 130
    assert not psutil.pid_exists(int(first.split()[-1]))
    assert (tmp_path / "a8.py").read_text() == "x = 1 "


def test_files_that_cannot_be_opened_are_left_out_and_told_about(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\n", c_py="x" * 1_000_001)
    (tmp_path / "b.py").write_bytes(b"x = '\xe9'\n")
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, "python"), ".")
    assert done.stdout == "no findings in 1 file; 2 files left out\n"
    assert done.stderr.splitlines() == [
        "review: left out b.py: it is not UTF-8: byte 5 fits nowhere",
        "review: left out c.py: it has more than 1000000 bytes",
    ]
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "the following arguments are required: PATH"),
        (["no-such-file"], "there is no file or folder no-such-file"),
        (["--jobs", "0", "."], "argument --jobs: invalid positive value: '0'"),
        (["--unknown", "."], "unrecognized arguments: --unknown"),
        (["--plugins", "no-such-list", "."], "no-such-list"),
    ],
)
def test_wrong_use_is_told_and_ends_with_2(tmp_path: Path, arguments: list[str], problem: str) -> None:
    done = run_review(tmp_path, *arguments)
    assert problem in done.stderr
    assert (done.returncode, done.stdout) == (2, "")


def test_a_review_without_any_plugin_is_no_review(tmp_path: Path) -> None:
    done = run_review(tmp_path, "--plugins", list_plugins(tmp_path, style="raise SystemExit(1)"), ".")
    assert done.stderr.splitlines()[-1] == "review: no plugin started, so nothing was reviewed"
    assert (done.returncode, done.stdout) == (2, "")


def test_json_says_the_same_for_programs(tmp_path: Path) -> None:
    write(tmp_path, a_py="x = 1\nif x != None: x = 2 \n")
    plugins = list_plugins(tmp_path, "python", "style", broken="raise SystemExit(1)")
    done = run_review(tmp_path, "--plugins", plugins, "--json", ".")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "files": 1,
        "findings": [
            {
                "path": "a.py",
                "plugin": "python",
                "line": 2,
                "column": 4,
                "length": 0,
                "severity": "warning",
                "message": "compare with None by `is not`",
                "code": "none-comparison",
                "edits": [{"line": 2, "column": 6, "length": 2, "text": "is not"}],
            },
            {
                "path": "a.py",
                "plugin": "style",
                "line": 2,
                "column": 20,
                "length": 0,
                "severity": "warning",
                "message": "blanks at the line's end",
                "code": "trailing-blanks",
                "edits": [{"line": 2, "column": 20, "length": 1, "text": ""}],
            },
        ],
        "fixed": [],
        "leftOut": {},
        "missing": {"broken": "it did not start: it ended (exit code 1) before it answered initialize"},
    }
    fixed = json.loads(run_review(tmp_path, "--plugins", plugins, "--json", "--fix", ".").stdout)
    assert [found["message"] for found in fixed["fixed"]] == [
        "compare with None by `is not`",
        "blanks at the line's end",
    ]
    assert fixed["findings"] == []
