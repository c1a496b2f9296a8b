"""The baseline: what it lets pass, when an entry is stale, and what is written into the file."""

import tomllib
from pathlib import Path

import pytest
from attrs import evolve

from plugwire_conformance.baseline import Baseline, BaselineError, Known, compare, load, loads, updated
from plugwire_conformance.report import CaseResult, Failure, Verdict
from tests.conformance.sample import BAD_LENGTH, CANCEL, CASES, HOSTILE, REPORTS_DEVIATION, passed

HEAD = "# Written by `plugin-conform baseline update`; the reasons are kept.\n"
TEXT = (
    HEAD
    + """\
suite = "0.1.0"

[[known]]
case = "framing/bad-length"
checks = ["hex", "plus-sign"]
reason = "parseInt takes 0x10 as 16"
"""
)
FAILED = evolve(CANCEL, known=False, reason="")
PASSED = passed("framing/bad-length", "", "FRM-12")


def baseline(*known: Known) -> Baseline:
    return Baseline("0.1.0", known)


def entry(*checks: str) -> Known:
    return Known("framing/bad-length", checks, "because")


def stale(case: CaseResult, known: Known) -> str:
    """The sentence about an entry that is the only one; empty when it is not stale."""
    cases, found = compare([case], baseline(known))
    assert all(one.known is (not found and one.verdict in (Verdict.FAIL, Verdict.WARN)) for one in cases)
    return found[0] if found else ""


def with_checks(*checks: str) -> CaseResult:
    return evolve(BAD_LENGTH, failures=tuple(Failure("FRM-12", "no", check=check) for check in checks))


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text(TEXT, encoding="utf-8")
    known = Known("framing/bad-length", ("hex", "plus-sign"), "parseInt takes 0x10 as 16")
    assert load(tmp_path / "known.toml") == Baseline("0.1.0", (known,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("suite = ", "b.toml:1: this is no valid TOML: Invalid value"),
        ('[[known]]\ncase = "a/b"\nreason = "x"\n', "b.toml: the key 'suite' is missing"),
        ('\nsuite = 1\n[[known]]\ncase = "a/b"\n', "b.toml:2: suite: a text was expected"),
        ('suite = "1"\nknwon = []\n', "b.toml:2: unknown key 'knwon'; did you mean 'known'?"),
        ('suite = "1"\nx = []\n', "b.toml:2: unknown key 'x'; there are suite, known"),
        ('suite = "1"\nknown = "a/b"\n', "b.toml:2: known: [[known]] tables were expected"),
        ('suite = "1"\n\n[[known]]\nreason = "x"\n', "b.toml:3: the key 'case' is missing"),
        ('suite = "1"\n[[known]]\ncase = "a/b"\n', "b.toml:2: the key 'reason' is missing"),
        ('suite = "1"\n[[known]]\ncase = "a/b"\nreason = ""\n', "b.toml:4: reason: a text was expected"),
        (
            'suite = "1"\n[[known]]\ncase = "a/b"\n[[known]]\ncase = "a/c"\nreason = "x"\n',
            "b.toml:2: the key 'reason' is missing",
        ),
        (
            'suite = "1"\n[[known]]\ncase = "a/b"\nreason = "x"\n[[known]]\ncase = "a/b"\nreason = "y"\n',
            "b.toml:6: case: a second entry for 'a/b'",
        ),
        (
            'suite = "1"\n[[known]]\ncase = "a/b"\nreason = "x"\n[[ known ]]\ncase = "a/c"\ncheck = "y"\n',
            "b.toml:7: unknown key 'check'; did you mean 'checks'?",
        ),
        *(
            (
                f'suite = "1"\n[[known]]\ncase = "a/b"\nchecks = {checks}\nreason = "x"\n',
                "b.toml:4: checks: a list of different names was expected; leave it out where the case has no named "
                "checks",
            )
            for checks in ("[]", '"hex"', "[1]", '[""]', '["a", "a"]')
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(BaselineError) as caught:
        loads(text, "b.toml")
    assert str(caught.value) == message


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"none\.toml: the file cannot be read: No such file or directory$"):
        load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b'suite = "1"\n# \xff\n')
    with pytest.raises(BaselineError, match=r"bytes\.toml:2: UTF-8 was expected, got the byte 0xff$"):
        load(tmp_path / "bytes.toml")


def test_a_case_that_fails_as_the_baseline_says_is_known_with_its_reason() -> None:
    cases, found = compare([BAD_LENGTH, REPORTS_DEVIATION], baseline(entry("plus-sign", "hex")))
    assert found == ()
    assert [(case.known, case.reason) for case in cases] == [(True, "because"), (False, "")]


def test_a_case_without_named_checks_is_known_by_an_entry_without_checks() -> None:
    assert stale(FAILED, Known("cancel/answers-once", (), "because")) == ""


def test_a_warning_can_be_known() -> None:
    assert stale(REPORTS_DEVIATION, Known("framing/reports-deviation", ("lower-case",), "because")) == ""


@pytest.mark.parametrize(
    ("case", "known", "sentence"),
    [
        (PASSED, entry("hex"), "framing/bad-length (hex): it passes now"),
        (PASSED, entry(), "framing/bad-length: it passes now"),
        (BAD_LENGTH, entry("hex"), "framing/bad-length (hex): plus-sign fails too"),
        (with_checks("a", "b", "c"), entry("a"), "framing/bad-length (a): b, c fail too"),
        (BAD_LENGTH, entry(), "framing/bad-length: hex, plus-sign fail too"),
        (with_checks("hex"), entry("hex", "nul"), "framing/bad-length (hex, nul): nul fails no more"),
        (with_checks("a"), entry("b", "c"), "framing/bad-length (b, c): a fails too; b, c fail no more"),
        (with_checks(""), entry("hex"), "framing/bad-length (hex): hex fails no more"),
        (
            evolve(BAD_LENGTH, runs=3, failed_runs=1),
            entry("hex", "plus-sign"),
            "framing/bad-length (hex, plus-sign): it fails only sometimes: in 1 of 3 runs",
        ),
        (
            evolve(PASSED, verdict=Verdict.SKIP, reason="no node"),
            entry("hex"),
            "framing/bad-length (hex): it was not checked (skip): no node",
        ),
        (
            evolve(PASSED, verdict=Verdict.NOT_DECLARED),
            entry("hex"),
            "framing/bad-length (hex): it was not checked (not declared)",
        ),
    ],
)
def test_an_entry_that_says_something_else_is_stale(case: CaseResult, known: Known, sentence: str) -> None:
    assert stale(case, known) == sentence


def test_a_fault_of_the_suite_makes_no_entry_stale() -> None:
    assert stale(evolve(PASSED, verdict=Verdict.ERROR), entry("hex")) == ""


def test_an_entry_of_a_case_that_was_not_selected_is_left_alone() -> None:
    assert compare([FAILED], baseline(entry("hex")), {"framing/bad-length", "cancel/answers-once"})[1] == ()
    assert compare([FAILED], baseline(entry("hex")))[1] == ()


def test_an_entry_of_no_case_at_all_is_stale() -> None:
    found = compare([FAILED], baseline(entry("hex")), {"cancel/answers-once"})[1]
    assert found == ("framing/bad-length (hex): the suite has no such case",)


def test_an_update_keeps_reasons_and_brings_checks_up_to_date() -> None:
    old = baseline(Known("framing/bad-length", ("nul",), "parseInt takes 0x10 as 16"))
    assert updated([BAD_LENGTH], old, suite="0.1.0") == TEXT


def test_a_new_entry_has_the_first_message_as_its_reason() -> None:
    assert updated([FAILED], None, suite="0.2.0") == (
        HEAD + 'suite = "0.2.0"\n\n[[known]]\ncase = "cancel/answers-once"\nreason = "two answers came to id 3"\n'
    )


def test_entries_stand_in_the_order_of_their_names() -> None:
    text = updated([BAD_LENGTH, FAILED], baseline(Known("a/z", (), "not run")), suite="1")
    assert [known["case"] for known in tomllib.loads(text)["known"]] == [
        "a/z",
        "cancel/answers-once",
        "framing/bad-length",
    ]


def test_an_update_drops_what_passes_and_what_no_case_is_called() -> None:
    old = baseline(entry("hex"), Known("a/gone", (), "x"), Known("b/not-run", (), "x"))
    text = updated([PASSED], old, suite="1", every_case={"framing/bad-length", "b/not-run"})
    assert loads(text).known == (Known("b/not-run", (), "x"),)


def test_a_warning_is_written_when_asked_for_or_when_it_was_there() -> None:
    known = Known("framing/reports-deviation", ("lower-case",), "no log")
    assert loads(updated([REPORTS_DEVIATION], None, suite="1")).known == ()
    assert loads(updated([REPORTS_DEVIATION], baseline(known), suite="1")).known == (known,)
    asked = loads(updated([REPORTS_DEVIATION], None, suite="1", warnings=True)).known
    assert asked == (evolve(known, reason="nothing was said on standard error"),)


def test_a_flaky_case_is_never_written() -> None:
    flaky = evolve(FAILED, runs=20, failed_runs=1)
    old = baseline(Known("cancel/answers-once", (), "x"))
    assert loads(updated([flaky], old, suite="1")).known == ()


def test_a_fault_of_the_suite_keeps_its_entry() -> None:
    old = baseline(entry("hex"))
    assert loads(updated([evolve(PASSED, verdict=Verdict.ERROR)], old, suite="1")) == evolve(old, suite="1")


def test_with_the_updated_baseline_nothing_is_new_and_nothing_is_stale() -> None:
    # TOML has no way to write half of a surrogate pair, and a name has none.
    name = HOSTILE.replace("\ud800", "").replace("\udcff", "\U000e0001")
    hostile = evolve(FAILED, failures=(Failure("CAL-07", HOSTILE, check=name),))
    failing = [evolve(case, known=False, runs=1) for case in (*CASES[1:2], *CASES[3:5], hostile)]
    known = loads(updated(failing, None, suite="1", warnings=True))
    cases, found = compare(failing, known)
    assert found == ()
    assert all(case.known for case in cases)


def test_a_name_that_toml_cannot_hold_is_spelled_out() -> None:
    odd = evolve(FAILED, failures=(Failure("CAL-07", "x", check="half \ud800"),))
    assert loads(updated([odd], None, suite="1")).known[0].checks == (r"half \ud800",)


def test_the_updated_text_holds_nothing_that_a_terminal_obeys() -> None:
    hostile = evolve(FAILED, failures=(Failure("CAL-07", HOSTILE),))
    assert updated([hostile], None, suite="1").replace("\n", "").isprintable()
