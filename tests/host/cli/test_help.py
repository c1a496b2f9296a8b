"""``--help`` and ``completion``: at once, and without what only a running host needs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host.cli.support import WAIT, environment, plugin_run

COMMANDS = ["run", "call", "info", "list", "events", "doctor", "hooks", "state", "completion"]
HEAVY = ["rich", "jsonschema_rs", "uvloop"]

LOADED = """\
import json, sys
sys.argv = ["plugin-run", *sys.argv[1:]]
from plugwire_host.cli.main import main
try:
    main()
except SystemExit as end:
    code = end.code
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "-h"] for name in COMMANDS)])
def test_help_loads_nothing_that_it_does_not_need(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    code, modules = json.loads(done.stderr)
    assert code in (0, None)
    assert [name for name in HEAVY if name in modules] == []
    assert done.stdout.startswith(("Usage: plugin-run ", "plugin-run, version "))


def test_help_names_every_command_and_exit_code(tmp_path: Path) -> None:
    for arguments in (["--help"], ["-h"]):
        done = plugin_run(*arguments, cwd=tmp_path)
        assert (done.code, done.err) == (0, "")
        for name in COMMANDS:
            assert f"\n  {name} " in done.out
        for code in ("0 ok", "3 could not start", "8 bad config", "130 interrupted"):
            assert code in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("run", "plugin-run run [OPTIONS] [-- COMMAND…]"),
        ("call", "plugin-run call [OPTIONS] METHOD [PARAMS] [-- COMMAND…]"),
        ("info", "plugin-run info [OPTIONS] [-- COMMAND…]"),
        ("list", "plugin-run list [OPTIONS] [-- COMMAND…]"),
        ("doctor", "plugin-run doctor [OPTIONS] [-- COMMAND…]"),
    ],
)
def test_the_help_of_a_command_shows_its_grammar(tmp_path: Path, name: str, usage: str) -> None:
    done = plugin_run(name, "--help", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: {usage}\n")
    for option in (
        "-c, --config FILE",
        "--with PATH",
        "--framing [header|line]",
        "--timeout",
        "--json",
        "--trace FILE",
    ):
        assert option in done.out


def test_no_command_at_all_is_a_mistake_that_shows_the_help(tmp_path: Path) -> None:
    done = plugin_run(cwd=tmp_path)
    assert done.code == 2
    assert "Usage: plugin-run [OPTIONS] COMMAND" in done.out + done.err


def test_the_installed_script_is_the_same_program(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("plugin-run")
    done = subprocess.run([script, "--version"], cwd=tmp_path, capture_output=True, text=True, timeout=WAIT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "plugin-run, version 0.1.0\n", "")


@pytest.mark.parametrize(
    ("shell", "check", "part"),
    [
        ("bash", ["bash", "-n"], "complete -o nosort -F _plugin_run_completion plugin-run"),
        ("zsh", ["zsh", "-n"], "#compdef plugin-run"),
        ("fish", ["fish", "--no-execute"], "complete --no-files --command plugin-run"),
    ],
)
def test_the_completion_script_is_one_that_the_shell_accepts(
    tmp_path: Path, shell: str, check: list[str], part: str
) -> None:
    done = plugin_run("completion", shell, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert part in done.out
    if shutil.which(check[0]) is None:
        pytest.skip(f"{shell} is not installed: only the text was looked at")
    (tmp_path / "script").write_text(done.out, encoding="utf-8")
    accepted = subprocess.run([*check, "script"], cwd=tmp_path, capture_output=True, text=True, timeout=WAIT)
    assert (accepted.returncode, accepted.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        ("plugin-run ", [f"plain,{name}" for name in COMMANDS]),
        ("plugin-run hooks ", ["plain,explain", "plain,list"]),
        ("plugin-run call --fr", ["plain,--framing"]),
        ("plugin-run call --framing ", ["plain,header", "plain,line"]),
        ("plugin-run completion ", ["plain,bash", "plain,zsh", "plain,fish"]),
    ],
)
def test_commands_options_and_choices_are_completed(tmp_path: Path, words: str, answers: list[str]) -> None:
    last = str(words.count(" "))
    done = plugin_run(cwd=tmp_path, _PLUGIN_RUN_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=last)
    assert (done.code, done.out.splitlines(), done.err) == (0, answers, "")
