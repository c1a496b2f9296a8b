"""plugin-conform as a vendor meets it: its words and its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.support import REFERENCE, ROOT, conform, report_on


def test_a_plugin_that_conforms_ends_with_0() -> None:
    done = conform("run", "--only", "lifecycle/clean-end", "--", *REFERENCE)
    assert done.returncode == 0
    assert "1/1 pass" in done.stdout
    assert done.stdout.rstrip().endswith("exit 0")


def test_a_plugin_that_cannot_be_started_ends_with_3_and_says_why() -> None:
    done = conform("run", "--", "./no-such-plugin")
    assert (done.returncode, done.stdout) == (3, "")
    assert "error: the subject could not be checked: ./no-such-plugin: No such file or directory" in done.stderr


def test_a_program_that_is_no_plugin_ends_with_3_and_shows_what_it_wrote(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys; print('Hello'); sys.exit('no config')")
    done = conform("run", "--", sys.executable, str(program))
    assert done.returncode == 3
    assert "Hello" in done.stderr
    assert "no config" in done.stderr


def test_a_run_that_asks_nothing_ends_with_4() -> None:
    assert conform("run", "--only", "no/such-case", "--", *REFERENCE).returncode == 4


def test_a_subject_that_declares_nothing_of_what_is_asked_ends_with_4() -> None:
    done = conform("run", "--only", "lines/*", "--", *REFERENCE)
    assert done.returncode == 4
    assert "not declared" in done.stdout


def test_a_stale_baseline_ends_with_5(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.toml"
    baseline.write_text('suite = "0.1.0"\n[[known]]\ncase = "lifecycle/clean-end"\nreason = "it was so once"\n')
    done = conform("run", "--only", "lifecycle/clean-end", "--baseline", str(baseline), "--", *REFERENCE)
    assert done.returncode == 5
    assert "lifecycle/clean-end" in done.stdout


def test_a_baseline_that_cannot_be_read_ends_with_2(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.toml"
    baseline.write_text("known = 1\n")
    assert conform("run", "--baseline", str(baseline), "--", *REFERENCE).returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["host", "--", "plugin-run", "run"],
        ["run", "--env", "X", "--", "x"],
        ["explain", "no/such-case"],
        ["what"],
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_2(words: list[str]) -> None:
    done = conform(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr


def test_a_capability_that_is_required_and_not_declared_is_a_failure() -> None:
    done = conform("run", "--only", "lifecycle/clean-end", "--require", "levitation", "--", *REFERENCE)
    assert done.returncode == 1
    assert "levitation" in done.stdout


def test_help_and_list_come_without_pytest() -> None:
    script = (
        "import sys\n"
        "from plugwire_conformance.cli.main import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        "sys.exit('pytest' in sys.modules)\n"
    )
    for words in (["--help"], ["run", "--help"], ["list"], ["explain", "lifecycle/clean-end"]):
        done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, words


def test_the_list_names_every_case_once_with_its_sentences() -> None:
    lines = [json.loads(line) for line in conform("list", "--json").stdout.splitlines()]
    names = [line["id"] for line in lines]
    assert len(names) == len(set(names)) > 50
    assert all(line["requirements"] for line in lines)
    assert "lifecycle/clean-end" in conform("list").stdout


def test_a_case_is_explained_with_its_sentence_what_is_done_why_and_what_to_change() -> None:
    done = conform("explain", "lifecycle/clean-end")
    assert done.returncode == 0
    assert "On `shutdown` a plugin MUST answer every request that it has in flight" in done.stdout
    for label in (
        "spec   LIF-13",
        "done   ",
        "why    ",
        "mend   ",
        "rerun  plugin-conform run --only lifecycle/clean-end",
    ):
        assert label in done.stdout


def test_the_conversation_of_a_case_is_recorded() -> None:
    done = conform("record", "lifecycle/clean-end", "--", *REFERENCE)
    assert done.returncode == 0
    assert '"method": "initialize"' in done.stdout or '"method":"initialize"' in done.stdout
    assert "exit code 0" in done.stdout


def test_the_same_seed_gives_the_same_run_and_is_told() -> None:
    words = ["run", "--seed", "7", "--only", "lifecycle/*", "--", *REFERENCE]
    one, other = report_on(*words), report_on(*words)
    assert one["seed"] == other["seed"] == 7
    assert [case["id"] for case in one["cases"]] == [case["id"] for case in other["cases"]]


def test_plugins_of_pytest_in_the_vendors_environment_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text("raise RuntimeError('loaded')\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('loaded')\n")
    environment = os.environ | {"PYTEST_PLUGINS": "noisy", "PYTEST_ADDOPTS": "-p noisy", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "plugwire_conformance", "run", "--only", "lifecycle/clean-end", "--", *REFERENCE],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_kind_of_report_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "tap", "html")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    done = conform("run", "--only", "lifecycle/clean-end", *options, "--", *REFERENCE, cwd=ROOT)
    assert done.returncode == 0
    assert json.loads(files["json"].read_text())["subject"]["name"] == "reference"
    assert files["junit"].read_text().startswith("<?xml")
    assert files["tap"].read_text().startswith("TAP version 14")
    assert "</html>" in files["html"].read_text()
