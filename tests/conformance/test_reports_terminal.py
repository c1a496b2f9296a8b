"""The report on a terminal."""

from attrs import evolve

from plugwire_conformance.report import BaselineResult
from plugwire_conformance.reports.terminal import render
from tests.conformance.sample import CANCEL, CASES, CLEAN, LONG_ONE, REPORT, REPORTS_DEVIATION, UNKNOWN_METHOD


def test_a_clean_run_takes_a_few_lines() -> None:
    assert render(CLEAN) == (
        "plugin  greeter 1.2.0   spec 1.0   suite 0.1.0   profile core   seed 1\n"
        "framing  2/2 pass\n"
        "\n"
        "2 pass · 0.5 s   exit 0\n"
    )


def test_a_failure_tells_what_happened_and_what_to_do() -> None:
    report = evolve(REPORT, cases=(UNKNOWN_METHOD,))
    assert (
        "\n"
        "FAIL requests/unknown-method  [MUST MSG-12] an unknown method is answered with MethodNotFound"
        "  failed in 1 of 20 runs\n"
        "     ✗     no answer came\n"
        "     spec  MSG-12 A method MUST be known.\n"
        '     sent  {"jsonrpc":"2.0","id":7,"method":"zz/none"}\n'
        "     want  an error with the code -32601\n"
        "     got   nothing in 2.0 s\n"
        "     why   A peer that waits for this id hangs for ever.\n"
        "     mend  Answer a request whose method you do not have with the code -32601.\n"
        "     rerun plugin-conform run --only requests/unknown-method --keep-traces t -- node dist/plugin.js\n"
    ) in render(report)


def test_a_header_that_is_not_canonical_is_shown_with_its_line_ends() -> None:
    assert r'     sent  content-length:+40\n\n{"jsonrpc":"2.0","id":2,"method":"ping"}' in render(REPORT)


def test_two_long_texts_are_shown_where_they_begin_to_differ() -> None:
    lines = render(evolve(REPORT, cases=(LONG_ONE,))).splitlines()
    [want] = [line for line in lines if line.startswith("     want  ")]
    [got] = [line for line in lines if line.startswith("     got   ")]
    assert want.startswith("     want  (8 899 characters alike) …9012")
    assert want.endswith("456789")
    assert got.endswith("45678")


def test_a_group_that_was_not_asked_is_told_in_a_word() -> None:
    lines = render(REPORT).splitlines()
    assert "progress    not declared (1 case)" in lines
    assert "channels    skipped (1 case)" in lines


def test_warnings_take_a_line_each_and_only_so_many() -> None:
    many = tuple(evolve(REPORTS_DEVIATION, id=f"framing/deviation-{number}") for number in range(25))
    lines = [line for line in render(evolve(REPORT, cases=many)).splitlines() if "deviation" in line or "more" in line]
    assert lines[0] == "WARN  framing/deviation-0  [SHOULD FRM-08] lower-case: nothing was said on standard error"
    assert len(lines) == 21
    assert lines[-1] == "      and 5 more"


def test_only_so_many_checks_of_a_case_are_told_at_length() -> None:
    failures = tuple(evolve(UNKNOWN_METHOD.failures[0], check=f"check-{number}") for number in range(8))
    text = render(evolve(REPORT, cases=(evolve(UNKNOWN_METHOD, failures=failures),)))
    assert text.count("     want  an error with the code -32601\n") == 6
    assert "\n           and 2 more: check-6: no answer came, check-7: no answer came\n     why   " in text


def test_known_failures_have_their_reason() -> None:
    line = "KNOWN cancel/answers-once  [MUST CAL-07] the library answers twice, version 2 will not"
    assert line in render(evolve(REPORT, cases=(CANCEL,))).splitlines()


def test_stale_entries_are_named() -> None:
    report = evolve(CLEAN, baseline=BaselineResult("known.toml", ("a/b: it passes now",)), exit_code=5)
    assert render(report).endswith("\nSTALE known.toml: a/b: it passes now\n\n2 pass · 0.5 s   exit 5\n")


def test_a_fault_of_the_suite_is_told_by_the_last_line_of_its_traceback() -> None:
    text = render(evolve(REPORT, cases=CASES[-1:]))
    assert "ERROR everywhere/schema-valid  the suite itself is at fault: KeyError: 'result' <script>" in text


def test_what_is_painted_is_shown_in_its_look() -> None:
    text = render(REPORT, lambda text, look: f"<{look}:{text}>")
    for painted in (
        "<fail:FAIL> <strong:framing/bad-length>",
        "<warn:WARN > framing/reports-deviation",
        "<known:KNOWN> cancel/answers-once",
        "<error:ERROR> <strong:everywhere/schema-valid>",
        "<dim:sent >",
        "<fail:exit 1>",
    ):
        assert painted in text
