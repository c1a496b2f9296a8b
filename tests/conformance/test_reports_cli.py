"""``plugin-conform report`` and ``plugin-conform baseline``, as they are called."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from plugwire_conformance.reports import json_report
from tests.conformance.make_golden import MADE, read
from tests.conformance.sample import BAD_LENGTH, CLEAN, REPORT, UNKNOWN_METHOD

TIMEOUT = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "report.json").write_text(json_report.dumps(REPORT), encoding="utf-8")
    (tmp_path / "clean.json").write_text(json_report.dumps(CLEAN), encoding="utf-8")
    return tmp_path


def plugin_conform(folder: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-m", "plugwire_conformance.cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1", "COLUMNS": "200"},
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT,
    )


def data_of(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["junit", "report.json"], "junit.xml"),
        (["tap", "report.json"], "report.tap"),
        (["badge", "report.json"], "badge.json"),
        (["badge", "--svg", "clean.json"], "badge.svg"),
        (["show", "report.json"], "terminal.txt"),
        (["merge", "report.json"], "report.json"),
    ],
)
def test_a_report_is_converted_on_standard_output(folder: Path, arguments: list[str], name: str) -> None:
    assert data_of(plugin_conform(folder, "report", *arguments)) == read(name)


def test_a_report_is_read_from_standard_input(folder: Path) -> None:
    done = plugin_conform(folder, "report", "tap", "-", text=json_report.dumps(REPORT))
    assert data_of(done) == read("report.tap")


def test_a_report_is_written_to_a_file(folder: Path) -> None:
    assert data_of(plugin_conform(folder, "report", "html", "report.json", "-o", "page.html")) == ""
    assert (folder / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>\n")
    assert sorted(path.name for path in folder.iterdir()) == ["clean.json", "page.html", "report.json"]


def test_reports_are_merged(folder: Path) -> None:
    for name, case in (("a.json", BAD_LENGTH), ("b.json", UNKNOWN_METHOD)):
        part = evolve(REPORT, cases=(case,))
        (folder / name).write_text(json_report.dumps(part), encoding="utf-8")
    merged = json_report.loads(data_of(plugin_conform(folder, "report", "merge", "a.json", "b.json")))
    assert merged.cases == (BAD_LENGTH, UNKNOWN_METHOD)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "html", "none.json"], "none.json: the file cannot be read: No such file or directory"),
        (["report", "html", "noise"], "noise: this is no JSON: Expecting value: line 1 column 1 (char 0)"),
        (["report", "html", "bytes"], "bytes: this is no JSON: it is not in UTF-8"),
        (["report", "tap", "clean.json", "-o", "no/t.tap"], "no/t.tap: the file cannot be written: No such file or"),
        (["report", "merge", "report.json", "clean.json"], "these reports are about different subjects: plugin spell-"),
        (["report", "merge", "-", "-"], "standard input can be read only once"),
        (["baseline", "update", "clean.json", "-o", "noise"], "noise:1: this is no valid TOML: "),
        (["baseline", "update", "clean.json"], "Missing option '-o' / '--output'."),
    ],
)
def test_a_wrong_use_says_what_is_wrong_and_ends_with_2(folder: Path, arguments: list[str], message: str) -> None:
    (folder / "noise").write_text("!", encoding="utf-8")
    (folder / "bytes").write_bytes(b"\xff")
    done = plugin_conform(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Error: {message}" in done.stderr
    assert done.stderr.replace("\n", "").isprintable()


def test_a_baseline_is_written_and_its_reasons_are_kept(folder: Path) -> None:
    update = ("baseline", "update", "report.json", "-o", "known.toml")
    done = plugin_conform(folder, *update)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "left out: requests/unknown-method fails only sometimes, in 1 of 20 runs\n"
    file = folder / "known.toml"
    text = file.read_text(encoding="utf-8")
    assert 'case = "framing/bad-length"\nchecks = ["hex", "plus-sign"]\nreason = "the plugin took 0x28' in text
    changed = text.replace("the plugin took 0x28 as a length", "parseInt takes it")
    file.write_text(changed, encoding="utf-8")
    plugin_conform(folder, *update)
    assert file.read_text(encoding="utf-8") == changed


def test_a_baseline_goes_to_standard_output_too(folder: Path) -> None:
    text = data_of(plugin_conform(folder, "baseline", "update", "clean.json", "-o", "-"))
    assert text.endswith('suite = "0.1.0"\n')


def test_data_is_in_utf_8_and_text_for_people_in_the_encoding_of_the_terminal(folder: Path) -> None:
    command = [sys.executable, "-B", "-m", "plugwire_conformance.cli.main", "report"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}

    def output(kind: str) -> bytes:
        return subprocess.check_output([*command, kind, "report.json"], cwd=folder, env=env, timeout=TIMEOUT)

    assert output("junit") == read("junit.xml").encode()
    assert output("show") == read("terminal.txt").encode("ascii", "backslashreplace")


def test_a_reader_that_went_away_is_no_fault_of_the_suite(folder: Path) -> None:
    command = [sys.executable, "-B", "-m", "plugwire_conformance.cli.main", "report", "junit", "report.json"]
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            command, cwd=folder, stdout=write_end, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False
        )
    finally:
        os.close(write_end)
    assert (done.returncode, done.stderr) == (1, b"")


def test_help_names_every_kind_of_report(folder: Path) -> None:
    text = data_of(plugin_conform(folder, "report", "--help"))
    assert all(f"\n  {name} " in text for name in ("badge", "html", "junit", "merge", "show", "tap"))


def test_what_was_made_is_what_the_modules_make() -> None:
    assert set(MADE) == {path.name for path in (Path(__file__).parent / "golden").iterdir()}
    assert json.loads(read("badge.json"))["isError"] is True
