"""What a case does decides its verdict, and nothing of the subject is left behind."""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from plugwire_conformance.case import Broken, Case, NotDeclared, Skipped, TimedOut
from plugwire_conformance.engine import run as engine
from plugwire_conformance.engine.gates import capabilities, fixtures
from plugwire_conformance.plugins.subject import PluginSubject
from plugwire_conformance.report import CaseResult, Failure, Level, Role, Verdict
from plugwire_conformance.settings import Settings
from tests.conformance.support import PATIENCE, REFERENCE

Body = Callable[[PluginSubject], None]


def case(body: Body, **more: Any) -> Case:
    facts = {"level": Level.MUST, "title": "It holds", "why": "", "mend": ""} | more
    return Case("some/case", ("FRM-05", "FRM-06"), role=Role.PLUGIN, run=body, **facts)


def result_of(
    monkeypatch: pytest.MonkeyPatch,
    body: Body,
    *,
    command: list[str] = REFERENCE,
    settings: dict[str, Any] | None = None,
    **more: Any,
) -> CaseResult:
    """Runs one case through the whole engine."""
    monkeypatch.setattr(engine, "load", lambda role: [case(body, **more)])
    report = engine.run(Role.PLUGIN, Settings(tuple(command), str(Path.cwd()), **(settings or {})))
    return report.cases[0]


def raising(error: Exception) -> Body:
    def body(plugin: PluginSubject) -> None:
        raise error

    return body


def test_a_case_that_returns_has_passed_and_keeps_no_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(monkeypatch, lambda plugin: plugin.ready().expect_alive())
    assert (result.verdict, result.runs, result.failed_runs, result.wire) == (Verdict.PASS, 1, 0, ())


def test_conversations_are_kept_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(monkeypatch, lambda plugin: plugin.ready().expect_alive(), settings={"keep_wire": True})
    assert [entry.kind for entry in result.wire][:3] == ["event", "sent", "received"]
    assert '"method":"initialize"' in result.wire[1].text


@pytest.mark.parametrize(
    ("error", "level", "verdict", "reason"),
    [
        (Broken("it broke"), Level.MUST, Verdict.FAIL, ""),
        (Broken("it broke"), Level.SHOULD, Verdict.WARN, ""),
        (Skipped("no such thing"), Level.MUST, Verdict.SKIP, "no such thing"),
        (NotDeclared("not claimed"), Level.MUST, Verdict.NOT_DECLARED, "not claimed"),
    ],
)
def test_what_a_case_raises_is_its_verdict(
    monkeypatch: pytest.MonkeyPatch, error: Exception, level: Level, verdict: Verdict, reason: str
) -> None:
    result = result_of(monkeypatch, raising(error), level=level)
    assert (result.verdict, result.reason) == (verdict, reason)


def test_a_mistake_of_the_suite_is_an_error_and_not_the_subjects(monkeypatch: pytest.MonkeyPatch) -> None:
    result = result_of(monkeypatch, raising(ZeroDivisionError("our own")))
    assert result.verdict is Verdict.ERROR
    assert "ZeroDivisionError: our own" in result.reason
    assert result.failures == ()


def test_a_failure_names_the_first_sentence_of_its_case_or_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first = result_of(monkeypatch, raising(Broken("a", expected="b", got="c")))
    assert first.failures == (Failure("FRM-05", "a", "b", "c", "", first.failures[0].at),)
    assert result_of(monkeypatch, raising(Broken("a", requirement="FRM-06"))).failures[0].requirement == "FRM-06"


def test_all_checks_of_a_case_are_asked_and_those_that_fail_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(plugin: PluginSubject) -> None:
        for name in ("one", "two", "three"):
            with plugin.checks(name):
                if name != "two":
                    raise Broken(f"{name} broke")

    result = result_of(monkeypatch, body)
    assert result.verdict is Verdict.FAIL
    assert [(failure.check, failure.message) for failure in result.failures] == [
        ("one", "one broke"),
        ("three", "three broke"),
    ]


def test_a_case_that_fails_at_times_is_told_as_flaky(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def body(plugin: PluginSubject) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise Broken("at times")

    result = result_of(monkeypatch, body)
    assert (result.verdict, result.runs, result.failed_runs, result.flaky) == (Verdict.FAIL, 2, 1, True)


def test_repeat_asks_a_case_so_often_and_one_failure_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def body(plugin: PluginSubject) -> None:
        runs.append(1)
        if len(runs) == 4:
            raise Broken("at times")

    result = result_of(monkeypatch, body, settings={"repeat": 5})
    assert (result.verdict, result.runs, result.failed_runs, result.flaky) == (Verdict.FAIL, 5, 1, True)


def test_every_process_that_a_subject_started_is_gone_after_the_case(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "child"
    script = f"sleep 600 & echo $! > {file}; exec {' '.join(REFERENCE)}"
    result = result_of(monkeypatch, lambda plugin: plugin.ready().expect_alive(), command=["sh", "-c", script])
    assert result.verdict is Verdict.PASS
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(file.read_text())).wait(PATIENCE)  # raises TimeoutExpired where it lives on


def test_a_subject_that_hangs_may_say_where_before_it_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = "import faulthandler, signal, runpy, sys; faulthandler.register(signal.SIGQUIT); sys.argv = sys.argv[1:];"
    command = [sys.executable, "-c", f"{hook} runpy.run_path(sys.argv[0], run_name='__main__')", *REFERENCE[-1:]]

    def body(plugin: PluginSubject) -> None:
        plugin.ready()
        raise TimedOut("it hangs")

    result = result_of(monkeypatch, body, command=command)
    assert any("most recent call first" in entry.text for entry in result.wire if entry.kind == "stderr")


def test_a_subject_that_writes_and_reads_nothing_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(plugin: PluginSubject) -> None:
        talk = plugin.ready()
        talk.process.signal(19)  # SIGSTOP: its pipes fill up
        talk.send(b"x" * 10_000_000)

    assert result_of(monkeypatch, body).verdict is Verdict.PASS


def test_what_is_random_is_the_same_for_the_same_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers: list[int] = []
    for seed in (1, 1, 2):
        result_of(monkeypatch, lambda plugin: numbers.append(plugin.random.getrandbits(64)), settings={"seed": seed})
    assert numbers[0] == numbers[1] != numbers[2]


def test_capabilities_and_fixtures_are_read_from_what_a_subject_says() -> None:
    said = {
        "capabilities": {"meta": True, "memory": False, "concurrency": 4},
        "provides": [
            {"service": "conformance", "methods": ["echo", "sleep"]},
            {"service": "other", "methods": ["echo"]},
        ],
        "hooks": [{"name": "conformance.shout"}],
        "requires": [],
    }
    assert capabilities(said) == {"meta", "concurrency", "provides", "hooks"}
    assert fixtures(said) == {"conformance/echo", "conformance/sleep", "hook conformance.shout"}
    assert capabilities({"capabilities": 1}) == set()
    assert fixtures({"provides": [1, {"service": "conformance", "methods": {"echo": {}}}]}) == {"conformance/echo"}
