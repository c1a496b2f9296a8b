"""Each kind of report of the hostile subject, to the letter."""

import pytest

from tests.conformance.make_golden import MADE, read
from tests.conformance.sample import CLEAN, REPORT


@pytest.mark.parametrize("name", MADE)
def test_a_report_is_what_it_was(name: str) -> None:
    make, report = MADE[name]
    assert make(report) == read(name)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("report", [REPORT, CLEAN], ids=["hostile", "clean"])
def test_nothing_in_a_report_is_obeyed_by_a_terminal(name: str, report: object) -> None:
    text = MADE[name][0](report)  # type: ignore[arg-type]
    assert text.replace("\n", "").isprintable()
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
