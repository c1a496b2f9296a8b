"""The exit codes of ``plugin-conform``, which are documented and stay as they are."""

from ..report import Report, Verdict

CONFORMANT, FAILURES, USAGE, NO_START, NOTHING_CHECKED, STALE_BASELINE, OUR_ERROR = range(7)
_CHECKED = (Verdict.PASS, Verdict.FAIL, Verdict.WARN)


def exit_code(report: Report, *, strict: bool) -> int:
    """The code that says what a run came to; with `strict`, a broken SHOULD is a failure."""
    bad = (Verdict.FAIL, Verdict.WARN) if strict else (Verdict.FAIL,)
    if report.count(Verdict.ERROR):
        return OUR_ERROR
    if any(case.verdict in bad and not case.known for case in report.cases):
        return FAILURES
    if report.baseline is not None and report.baseline.stale:
        return STALE_BASELINE
    if not any(case.verdict in _CHECKED for case in report.cases):
        return NOTHING_CHECKED
    return CONFORMANT
