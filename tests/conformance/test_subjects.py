"""The subjects: what their tables say is there, the light ones answer a call, and `run.py` tells what came of each."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import run
from outcomes import Outcome, Subject, deviations, interop, table

from plugwire_conformance.report import BaselineResult, CaseResult, Failure, Level, Report, Role, Verdict
from plugwire_conformance.report import Subject as Described
from plugwire_conformance.reports import json_report

FOLDER = Path(run.__file__).parent
NAMES = sorted(file.parent.name for file in FOLDER.glob("*/subject.toml"))
PYTHON = ("jsonrpcserver", "plugwire-sdk", "pygls")
FOREIGN = ("jrpc2", "jsonrpcserver", "lsp-server", "lsp4j", "pygls", "vscode-jsonrpc")
KEYS = {"name", "language", "library", "version", "needs", "build", "command", "framing", "profile"}
LIMIT = 60.0
"""Seconds that any one process may take."""


def described(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name / "subject.toml").read_text(encoding="utf-8"))


# The tables


def test_the_subjects_are_six_on_libraries_of_others_and_our_own_two() -> None:
    assert sorted([*FOREIGN, "plugwire-host", "plugwire-sdk"]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_a_subject_is_complete(name: str) -> None:
    told = described(name)
    assert told.keys() - {"role", "baseline", "skip"} == KEYS
    assert told["name"] == name
    assert told["framing"] in ("header", "line")
    assert told["profile"] in ("core", "full")


@pytest.mark.parametrize("name", NAMES)
def test_the_files_that_a_subject_names_exist(name: str) -> None:
    told = described(name)
    words = [*told["command"], *(word for argv in told["build"] for word in argv)]
    sources = [word for word in words if word.endswith((".py", ".js", ".java"))]
    assert all((FOLDER / name / source).is_file() for source in sources), sources
    if "baseline" in told:
        assert (FOLDER / name / told["baseline"]).is_file()


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_known_of_a_library_stands_in_a_baseline(name: str) -> None:
    assert described(name)["baseline"] == "baseline.toml"


@pytest.mark.parametrize("name", ["plugwire-host", "plugwire-sdk"])
def test_our_own_subjects_have_no_baseline(name: str) -> None:
    assert "baseline" not in described(name)


@pytest.mark.parametrize(
    ("name", "file", "pin"),
    [
        ("jrpc2", "go.mod", "require github.com/creachadair/jrpc2 v{version}\n"),
        ("jrpc2", "go.sum", "github.com/creachadair/jrpc2 v{version} h1:"),
        ("lsp-server", "Cargo.toml", 'lsp-server = "={version}"\n'),
        (
            "lsp4j",
            "pom.xml",
            "<artifactId>org.eclipse.lsp4j.jsonrpc</artifactId>\n      <version>{version}</version>\n",
        ),
        ("vscode-jsonrpc", "package.json", '"vscode-jsonrpc": "{version}"\n'),
        ("vscode-jsonrpc", "package-lock.json", '"vscode-jsonrpc": "{version}"\n'),
    ],
)
def test_the_version_of_a_library_is_the_one_that_is_pinned(name: str, file: str, pin: str) -> None:
    assert pin.format(version=described(name)["version"]) in (FOLDER / name / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["jsonrpcserver", "pygls"])
def test_the_version_of_a_python_library_is_the_one_that_is_installed(name: str) -> None:
    assert importlib.metadata.version(name) == described(name)["version"]


def test_the_lock_files_carry_no_addresses() -> None:
    assert "://" not in (FOLDER / "vscode-jsonrpc" / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in (FOLDER / "jrpc2" / "go.sum").read_text(encoding="utf-8")
    assert not (FOLDER / "lsp-server" / "Cargo.lock").exists()


def test_every_example_is_there_with_the_file_that_it_starts() -> None:
    examples = [subject for subject in run.subjects() if subject.sources == run.EXAMPLES]
    assert len(examples) == 10
    for example in examples:
        folder = example.sources / example.folder
        assert example.build or (folder / example.command[1]).is_file(), example.name


# The programs


def call(command: tuple[str, ...], folder: Path, method: str, params: Mapping[str, Any]) -> Any:
    """The result of one call through a host."""
    argv = [str(run.BIN / "plugin-run"), "call", method, json.dumps(params), "--", *command]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", PYTHON)
def test_a_subject_in_python_answers_a_call(name: str) -> None:
    subject = run.read(FOLDER / name / "subject.toml")
    assert call(subject.command, subject.sources, "conformance/repeat", {"text": "ab", "times": 3}) == {
        "text": "ababab"
    }


def test_the_subject_in_javascript_answers_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = run.read(FOLDER / "vscode-jsonrpc" / "subject.toml")
    if missing := subject.missing():
        if os.environ.get("CI") == "true" and "node" in missing:
            pytest.fail("node is not installed")
        pytest.skip(f"not installed: {', '.join(missing)}")
    monkeypatch.setattr(run, "BUILD", tmp_path)
    try:
        folder = run.built(subject)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm could not fetch the library: {error.stdout[-500:]}")
    echoed = {"text": "päckchen", "none": None}
    assert call(subject.command, folder, "conformance/echo", echoed) == echoed


# run.py


def case(name: str, verdict: Verdict, *, known: bool = False, checks: tuple[str, ...] = ()) -> CaseResult:
    bad = verdict in (Verdict.FAIL, Verdict.WARN)
    failures = tuple(Failure("MSG-01", "it did not", check=check) for check in checks or ("",)) if bad else ()
    reason = "the library takes 0x10 for 16" if known else ""
    return CaseResult(name, "a title", Level.MUST, ("MSG-01",), verdict, known=known, reason=reason, failures=failures)


def report(*cases: CaseResult, stale: tuple[str, ...] = ()) -> Report:
    baseline = BaselineResult("baseline.toml", stale) if stale else None
    subject = Described(Role.PLUGIN, ("x",))
    return Report("0.1.0", "1.0", subject, "full", 1, "2030-01-01T00:00:00+00:00", 1.0, cases, baseline=baseline)


def subject(name: str, folder: Path, **members: Any) -> Subject:
    return Subject(**{"name": name, "language": "Perl", "command": ("x",), "sources": folder, **members})


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for `NAME.report` and `NAME.code`: what a suite of the test's own says of the subject NAME."""
    program = f"""#!{sys.executable}
import pathlib, shutil, sys
there = pathlib.Path({str(tmp_path)!r})
(there / "arguments").write_text(" ".join(sys.argv[1:]))
shutil.copy(there / f"{{sys.argv[-1]}}.report", sys.argv[sys.argv.index("--json") + 1])
sys.exit(int((there / f"{{sys.argv[-1]}}.code").read_text()))
"""
    (tmp_path / "plugin-conform").write_text(program)
    (tmp_path / "plugin-conform").chmod(0o755)
    monkeypatch.setattr(run, "BIN", tmp_path)
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    monkeypatch.setattr(run, "INTEROP", tmp_path / "INTEROP.md")
    return tmp_path


def says(suite: Path, name: str, code: int, *cases: CaseResult) -> Subject:
    (suite / f"{name}.report").write_text(json_report.dumps(report(*cases)))
    (suite / f"{name}.code").write_text(str(code))
    return subject(name, suite, command=(name,))


def test_it_ends_with_0_when_every_subject_is_as_its_baseline_says(suite: Path) -> None:
    good = says(suite, "good", 0, case("a/x", Verdict.PASS))
    as_known = says(suite, "as-known", 0, case("a/x", Verdict.FAIL, known=True))
    assert run.main([], [good, as_known]) == 0


def test_it_ends_with_1_when_one_deviates_and_says_how(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = says(suite, "good", 0, case("a/x", Verdict.PASS))
    bad = says(
        suite, "bad", 1, case("a/x", Verdict.FAIL, checks=("hex", "plus")), case("a/y", Verdict.FAIL, known=True)
    )
    assert run.main([], [good, bad]) == 1
    printed = capsys.readouterr().out
    assert "    a/x (hex, plus): it did not\n" in printed
    assert "a/y" not in printed


def test_a_suite_without_a_report_is_a_failure_that_shows_what_it_said(
    suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = says(suite, "lost", 0)
    (suite / "plugin-conform").write_text("#!/bin/sh\necho it does not start >&2\nexit 3\n")
    assert run.main([], [lost]) == 1
    printed = capsys.readouterr().out
    assert "FAILED: no report, exit code 3\n    it does not start\n" in printed


def test_the_suite_is_told_the_profile_the_framing_what_to_skip_and_the_baseline(suite: Path) -> None:
    told = says(suite, "told", 0, case("a/x", Verdict.PASS))
    (suite / "known.toml").touch()
    members = {"framing": "line", "profile": "full", "baseline": "known.toml", "skip": ("a/y", "a/z")}
    assert run.main([], [subject(told.name, suite, command=("told",), **members)]) == 0
    written = suite / "build" / "told.json"
    options = f"--framing line --skip a/y --skip a/z --baseline {suite / 'known.toml'}"
    expected = f"run --profile full --jobs 4 --seed 1 --json {written} {options} -- told"
    assert (suite / "arguments").read_text() == expected


def test_a_host_is_checked_as_a_host(suite: Path) -> None:
    says(suite, "host", 0, case("a/x", Verdict.PASS))
    assert run.main([], [subject("host", suite, role="host", command=("host",))]) == 0
    assert (suite / "arguments").read_text().startswith("host --profile core ")


def test_a_subject_whose_tools_are_missing_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = subject("absent", tmp_path, needs=("no-such-tool",))
    assert run.main([], [absent]) == 0
    assert "skipped: no-such-tool is not installed" in capsys.readouterr().out


def test_on_ci_a_missing_tool_that_ci_installs_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    monkeypatch.setenv("CI", "true")
    assert run.main([], [subject("absent", tmp_path, needs=("perl",))]) == 1
    assert run.main([], [subject("absent", tmp_path, needs=("cargo",))]) == 0
    monkeypatch.delenv("CI")
    assert run.main([], [subject("absent", tmp_path, needs=("perl",))]) == 0


def test_a_name_that_there_is_not_is_a_mistake_of_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["other"], [subject("this", tmp_path)]) == 2
    assert capsys.readouterr().err == "no subject: other; there are this\n"


def test_only_those_that_are_named_are_checked(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = says(suite, "good", 0, case("a/x", Verdict.PASS))
    bad = says(suite, "bad", 1, case("a/x", Verdict.FAIL))
    assert run.main(["good"], [good, bad]) == 0
    assert "bad" not in capsys.readouterr().out


COUNTED = (sys.executable, "-c", "open('built', 'a').write('x')")


def test_a_build_is_done_apart_from_its_sources_and_not_again_until_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "a.c").write_text("1")
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    one = subject("one", sources, build=(COUNTED, COUNTED))
    assert run.built(one) == tmp_path / "build" / "one"
    run.built(one)
    assert (tmp_path / "build" / "one" / "built").read_text() == "xx"
    assert sorted(file.name for file in sources.iterdir()) == ["a.c"]
    (sources / "a.c").write_text("2")
    run.built(one)
    assert (tmp_path / "build" / "one" / "a.c").read_text() == "2"


def test_what_is_known_about_a_subject_does_not_make_it_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    one = subject("one", sources, build=(COUNTED,))
    run.built(one)
    (tmp_path / "build" / "one" / "mark").touch()
    (sources / "baseline.toml").write_text('suite = "0.1.0"\n')
    run.built(one)
    assert (tmp_path / "build" / "one" / "mark").exists()
    (sources / "Cargo.toml").write_text("[package]\n")
    run.built(one)
    assert not (tmp_path / "build" / "one" / "mark").exists()


def test_a_build_that_fails_is_a_failure_that_shows_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    (tmp_path / "sources").mkdir()
    broken = subject("broken", tmp_path / "sources", build=(("sh", "-c", "echo no header file; exit 7"),))
    assert run.main([], [broken]) == 1
    assert "FAILED: sh ended with 7\n    no header file\n" in capsys.readouterr().out


def test_the_table_has_a_line_for_each_subject_and_what_deviates_under_it(tmp_path: Path) -> None:
    known = report(case("a/x", Verdict.PASS), case("a/y", Verdict.FAIL, known=True), case("b/z", Verdict.SKIP))
    bad = report(case("a/x", Verdict.FAIL), stale=("a/y: it passes",))
    outcomes = [
        Outcome(subject("first", tmp_path, library="lib", version="1.2"), known, seconds=12.3),
        Outcome(subject("second", tmp_path), bad, failed=True, seconds=4.0, details=deviations(bad)),
        Outcome(subject("third", tmp_path), reason="go is not installed"),
    ]
    assert table(outcomes).splitlines() == [
        "subject  library      passed  known  seconds",
        "first    lib 1.2      1 of 2      1       12  as known",
        "second   none (Perl)  0 of 1      0        4  DEVIATES",
        "    a/x: it did not",
        "    stale: a/y: it passes",
        "third    none (Perl)                          skipped: go is not installed",
    ]


def test_the_document_has_a_matrix_of_subjects_and_groups_and_the_reasons(tmp_path: Path) -> None:
    known = report(case("a/x", Verdict.PASS), case("a/y", Verdict.FAIL, known=True), case("b/z", Verdict.SKIP))
    good = report(case("a/x", Verdict.PASS), case("b/z", Verdict.PASS))
    lines = interop(
        [
            Outcome(subject("first", tmp_path, library="lib", version="1.2"), known),
            Outcome(subject("second", tmp_path), good),
            Outcome(subject("third", tmp_path, role="host"), good),
        ]
    ).splitlines()
    start = lines.index("## Plugins")
    assert lines[start:] == [
        "## Plugins",
        "",
        "| subject | library | language | a | b |",
        "| --- | --- | --- | --- | --- |",
        "| first | lib 1.2 | Perl | 1/2 †1 | – |",
        "| second | none | Perl | 1/1 | 1/1 |",
        "",
        "## Hosts",
        "",
        "| subject | library | language | a | b |",
        "| --- | --- | --- | --- | --- |",
        "| third | none | Perl | 1/1 | 1/1 |",
        "",
        "## lib 1.2",
        "",
        "- `a/y`: the library takes 0x10 for 16",
    ]


def test_the_document_is_written_after_a_run_of_every_subject_alone(suite: Path, tmp_path: Path) -> None:
    good = says(suite, "good", 0, case("a/x", Verdict.PASS))
    assert run.main(["--write", "good"], [good]) == 1
    assert run.main(["--write"], [good, subject("absent", tmp_path, needs=("no-such-tool",))]) == 1
    assert not (suite / "INTEROP.md").exists()
    assert run.main(["--write"], [good]) == 0
    assert "| good |" in (suite / "INTEROP.md").read_text(encoding="utf-8")
