"""Known failures of a subject: a TOML file that is read, compared with a run, and written anew.

An entry matches a case that fails, or warns, with exactly its checks. Any other entry of a case that was run is stale:
a baseline that hides more than it says would hide the next failure too.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from .report import CaseResult, Verdict
from .reports.visible import one_line
from .toml_text import toml

_HEAD = "# Written by `plugin-conform baseline update`; the reasons are kept.\n"
_FILE_KEYS = ("suite", "known")
_ENTRY_KEYS = ("case", "checks", "reason")
_ENTRY = re.compile(r"[ \t]*\[\[[ \t]*known[ \t]*\]\]")
_AT_LINE = re.compile(r"line (\d+), column \d+$")
_LONGEST_REASON = 160


@frozen
class Known:
    """One entry: the case that fails, the checks that fail in it (none where it names none), and why that is so."""

    case: str
    checks: tuple[str, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.case} ({', '.join(self.checks)})" if self.checks else self.case


@frozen
class Baseline:
    """The content of a file. `suite` is the version of the suite that it was written with."""

    suite: str
    known: tuple[Known, ...] = ()


class BaselineError(ValueError):
    """A file that is no baseline: which, where, and what was expected."""

    def __init__(self, file: str, line: int | None, problem: str) -> None:
        super().__init__(f"{file}:{line}: {problem}" if line else f"{file}: {problem}")


def load(path: Path) -> Baseline:
    """Read a file. Raises BaselineError for the first thing in it that does not fit."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BaselineError(str(path), None, f"the file cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BaselineError(str(path), line, f"UTF-8 was expected, got the byte 0x{content[error.start]:02x}") from None
    return loads(text, str(path))


def loads(text: str, file: str = "baseline") -> Baseline:
    """The baseline in a text; `file` is what errors call it. Raises BaselineError."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said, _, place = str(error).removesuffix(")").partition(" (at ")
        line = _AT_LINE.match(place)
        number = int(line[1]) if line else len(text.splitlines()) or 1
        raise BaselineError(file, number, f"this is no valid TOML: {said}") from None
    return _Reader(text, file).baseline(table)


def compare(
    cases: Sequence[CaseResult], baseline: Baseline, every_case: Collection[str] | None = None
) -> tuple[tuple[CaseResult, ...], tuple[str, ...]]:
    """The cases, with those that fail as the baseline says marked as known, and a sentence for each stale entry.

    `every_case` holds the ids of all cases of the suite, also of those that this run did not select: an entry for none
    of them is stale. Without it, an entry for a case that is not among `cases` is left alone.
    """
    entries = {entry.case: entry for entry in baseline.known}
    ran = {case.id: case for case in cases}
    stale = {entry.case: _misfit(entry, ran.get(entry.case), every_case) for entry in baseline.known}
    judged = tuple(
        evolve(case, known=True, reason=entries[case.id].reason)
        if case.id in entries and not stale[case.id] and _failed(case)
        else case
        for case in cases
    )
    return judged, tuple(f"{entries[name]}: {problem}" for name, problem in stale.items() if problem)


def updated(
    cases: Sequence[CaseResult],
    old: Baseline | None,
    *,
    suite: str,
    warnings: bool = False,
    every_case: Collection[str] | None = None,
) -> str:
    """The text of a baseline with which these cases are as they should be.

    Reasons are kept, and so are entries of cases that were not run. A new entry has the first message as its reason. A
    warning gets an entry only when asked for, or when it had one; a flaky case never does: it would be stale at times.
    """
    entries = {entry.case: entry for entry in (old.known if old else ())}
    if every_case is not None:
        entries = {name: entry for name, entry in entries.items() if name in every_case}
    for case in cases:
        before = entries.pop(case.id, None)
        if _failed(case) and not case.flaky and (case.verdict is Verdict.FAIL or warnings or before):
            entries[case.id] = Known(case.id, _checks(case), before.reason if before else _first_message(case))
        elif before and case.verdict is Verdict.ERROR:
            entries[case.id] = before  # nothing was learned about the subject
    return _HEAD + f"suite = {toml(suite)}\n" + "".join(_written(entries[name]) for name in sorted(entries))


def _misfit(entry: Known, case: CaseResult | None, every_case: Collection[str] | None) -> str:
    """Why an entry is stale; empty when it is not."""
    if case is None:
        return "" if every_case is None or entry.case in every_case else "the suite has no such case"
    match case.verdict:
        case Verdict.ERROR:
            return ""  # a fault of the suite says nothing about the subject
        case Verdict.PASS:
            return "it passes now"
        case Verdict.SKIP | Verdict.NOT_DECLARED:
            reason = f": {case.reason}" if case.reason else ""
            return f"it was not checked ({case.verdict.value.replace('-', ' ')}){reason}"
    if case.flaky:
        return f"it fails only sometimes: in {case.failed_runs} of {case.runs} runs"
    return _difference(entry.checks, _checks(case))


def _difference(known: Collection[str], failed: Collection[str]) -> str:
    told = []
    for words, names in (("fails too", _without(failed, known)), ("fails no more", _without(known, failed))):
        if names:
            told.append(f"{', '.join(names)} {words if len(names) == 1 else words.replace('fails', 'fail')}")
    return "; ".join(told)


def _without(names: Iterable[str], others: Collection[str]) -> list[str]:
    return [name for name in names if name not in others]


def _failed(case: CaseResult) -> bool:
    return case.verdict in (Verdict.FAIL, Verdict.WARN)


def _checks(case: CaseResult) -> tuple[str, ...]:
    return tuple(dict.fromkeys(failure.check for failure in case.failures if failure.check))


def _first_message(case: CaseResult) -> str:
    return one_line(next((failure.message for failure in case.failures), case.title), _LONGEST_REASON)


def _written(entry: Known) -> str:
    lines = ["", "[[known]]", f"case = {toml(entry.case)}"]
    if entry.checks:
        lines.append(f"checks = {toml(entry.checks)}")
    return "\n".join([*lines, f"reason = {toml(entry.reason)}"]) + "\n"


def _are_names(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(name, str) and name for name in value) and len(set(value)) == len(value)


class _Reader:
    """Turns the table of a file into a `Baseline`, and says on which line something is wrong."""

    def __init__(self, text: str, file: str) -> None:
        self._lines = text.splitlines()
        self._file = file
        self._entries = [number for number, line in enumerate(self._lines, start=1) if _ENTRY.match(line)]

    def baseline(self, table: dict[str, Any]) -> Baseline:
        self._check_keys(table, _FILE_KEYS, None)
        known = table.get("known", [])
        if not isinstance(known, list) or not all(isinstance(entry, dict) for entry in known):
            raise self._error(None, "known", "known: [[known]] tables were expected")
        suite = self._text(table, "suite", None)
        entries = tuple(self._known(entry, place) for place, entry in enumerate(known))
        for place, entry in enumerate(entries):
            if entry.case in {earlier.case for earlier in entries[:place]}:
                raise self._error(place, "case", f"case: a second entry for {entry.case!r}")
        return Baseline(suite, entries)

    def _known(self, table: dict[str, Any], place: int) -> Known:
        self._check_keys(table, _ENTRY_KEYS, place)
        checks = table.get("checks")
        if checks is not None and not _are_names(checks):
            wanted = "a list of different names was expected; leave it out where the case has no named checks"
            raise self._error(place, "checks", f"checks: {wanted}")
        return Known(self._text(table, "case", place), tuple(checks or ()), self._text(table, "reason", place))

    def _text(self, table: dict[str, Any], key: str, place: int | None) -> str:
        if key not in table:
            raise self._error(place, key, f"the key {key!r} is missing")
        value = table[key]
        if not isinstance(value, str) or not value:
            raise self._error(place, key, f"{key}: a text was expected")
        return value

    def _check_keys(self, table: dict[str, Any], keys: tuple[str, ...], place: int | None) -> None:
        for key in table:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(keys)}"
                raise self._error(place, key, f"unknown key {key!r}; {hint}")

    def _error(self, place: int | None, key: str, problem: str) -> BaselineError:
        return BaselineError(self._file, self._line(place, key), problem)

    def _line(self, place: int | None, key: str) -> int | None:
        """The line of a key of the file, or of an entry; of the entry where the key has none."""
        start = 0 if place is None else self._entry_line(place)
        following = [number for number in self._entries if number > start]
        end = following[0] - 1 if following else len(self._lines)
        pattern = re.compile(rf"""[ \t]*["']?{re.escape(key)}["']?[ \t]*=""")
        lines = enumerate(self._lines[start:end], start=start + 1)
        return next((number for number, line in lines if pattern.match(line)), start or None)

    def _entry_line(self, place: int) -> int:
        return self._entries[place] if place < len(self._entries) else 0
