"""The proof of the suite: each case finds a vice, each vice is found by the cases named for it, and by no others.

Here a mutant is asked the cases that are named for it, and the oracles judge what it says. `make mutants` asks each
mutant every case, which takes too long for a test.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from plugwire_conformance.report import Verdict
from tests.conformance.mutants import matrix
from tests.conformance.mutants.matrix import (
    Outcome,
    all_vices,
    ask,
    cases_without_a_mutant,
    infant,
    judge,
    nursery,
    subject_command,
)
from tests.conformance.mutants.vices import Vice

ROLES = pytest.mark.parametrize("role", ["plugin", "host"])
#: Vices of one module are judged together: most of the time they wait for what does not come.
MODULES = sorted({(role, vice.apply.__module__) for role in ("plugin", "host") for vice in all_vices(role)})
AT_A_TIME = 6
#: Not for what hangs, which the suite itself finds, but for a machine that is busy with much else.
PATIENT = pytest.mark.timeout(900)


@ROLES
def test_every_case_has_a_mutant(role: str) -> None:
    assert cases_without_a_mutant(role) == []


@pytest.fixture(scope="module")
def door() -> Iterator[str]:
    with nursery() as path:
        yield path


@PATIENT
@pytest.mark.parametrize(("role", "module"), MODULES)
def test_each_vice_is_found_by_its_cases_for_its_reason_and_by_no_oracle_else(
    role: str, module: str, door: str
) -> None:
    vices = [vice for vice in all_vices(role) if vice.apply.__module__ == module]
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        outcomes = list(threads.map(lambda vice: judge(role, vice, (), door), vices))
    assert [(outcome.vice.name, *outcome.problems) for outcome in outcomes if outcome.problems] == []


@pytest.mark.parametrize(
    ("missed", "askings"),
    [pytest.param(True, 1, id="a vice that a case passes"), pytest.param(False, 2, id="what fails besides")],
)
def test_what_fails_besides_is_asked_again_and_what_passes_is_not(
    missed: bool, askings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scales = []

    def once(role: str, vice: Vice, command: list[str], only: tuple[str, ...], timeout_scale: float) -> Outcome:
        scales.append(timeout_scale)
        return Outcome(role, vice, frozenset(), ("it is not as named",), missed)

    monkeypatch.setattr(matrix, "_judge", once)
    assert judge("plugin", Vice("x", ("calls/x",), ("CAL-01",), print), (), "").problems == ("it is not as named",)
    assert scales == [matrix.TIMEOUT_SCALE, 1.0][:askings]


@PATIENT
def test_the_reference_plugin_has_no_vice() -> None:
    report = ask("plugin", subject_command("plugin", None), ("*",))
    assert [case.id for case in report.cases if case.verdict is not Verdict.PASS and case.group != "lines"] == []


@PATIENT
def test_the_reference_plugin_has_no_vice_in_line_framing() -> None:
    in_lines = Vice("", (), (), print, in_lines=True)
    report = ask("plugin", subject_command("plugin", None), ("*",), in_lines)
    assert [case.id for case in report.cases if case.verdict is not Verdict.PASS and case.group != "framing"] == []


@PATIENT
def test_the_host_has_no_vice() -> None:
    report = ask("host", subject_command("host", None), ("*",))
    assert [(case.id, case.verdict) for case in report.cases if case.verdict is not Verdict.PASS] == []


@PATIENT
def test_a_host_from_the_nursery_is_as_good_as_the_program(door: str) -> None:
    report = ask("host", infant(door, "-"), ("calls/*", "state/*", "ending/*"))
    assert [(case.id, case.verdict) for case in report.cases if case.verdict is not Verdict.PASS] == []
