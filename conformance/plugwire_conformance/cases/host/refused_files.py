"""Manifests and lists that a host refuses (chapter 12)."""

import re
from typing import Any

from ...case import host_case
from ...hosts.given import Given
from ...hosts.subject import HostRun, HostSubject
from ...wire.messages import Json
from .manifest import NAMED

_RESULT: dict[str, Json] = {"protocolVersion": "1.0", "plugin": {"name": "x", "version": "1"}}
#: The keys of a manifest that is wrong, and the one that the report has to name.
_MANIFESTS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown-key": ({"colour": "red"}, "colour"),
    "missing-key": ({"version": None}, "version"),
    "wrong-type": ({"framing": 7}, "framing"),
    "wrong-choice": ({"restart": "sometimes"}, "restart"),
    "wrong-inside": ({"provides": [{"service": "stars", "methods": "rise"}]}, "methods"),
    "unknown-key-inside": ({"provides": [{"service": "stars", "methods": ["rise"], "colour": "red"}]}, "colour"),
    "command-is-no-list": ({"command": "python3 plugin.py"}, "command"),
}
#: The keys of an entry of the list that is wrong, and the one that the report has to name.
_ENTRIES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown-key": ({"colour": "red"}, "colour"),
    "missing-key": ({"command": None}, "command"),
    "wrong-type": ({"priority": "high"}, "priority"),
    "wrong-choice": ({"stdout_noise": "loud"}, "stdout_noise"),
    "negative-time": ({"start_timeout": -1}, "start_timeout"),
    "command-is-no-list": ({"command": "python3 plugin.py"}, "command"),
}


@host_case(
    "manifest/refused",
    "MAN-04",
    why="A key with a typing mistake in it is silently without effect, and its author looks everywhere else.",
    mend="Know the keys of a manifest and their types; refuse anything else, with the file, the line and what you "
    "expected.",
)
def refused(host: HostSubject) -> None:
    """A host refuses a manifest with an unknown key, a missing one or a value of another type.

    One manifest each: wrong in one of these ways. Expected: the plugin is never started; a report names the file, the
    line and the key.
    """
    for name, (keys, word) in _MANIFESTS.items():
        with host.checks(name):
            given = Given("refused", _RESULT, manifest=NAMED | keys)
            _expect_refused(host.launch(given), "plugin.toml", word, rule="MAN-04", line=keys.get(word))


@host_case(
    "manifest/list-refused",
    "MAN-07",
    why="A key with a typing mistake in it is silently without effect, and its author looks everywhere else.",
    mend="Know the keys of the list and their types; refuse anything else, with the file, the line and what you "
    "expected.",
)
def list_refused(host: HostSubject) -> None:
    """A host refuses a list with an unknown key, a missing one or a value of another type.

    One list each: wrong in one of these ways. Expected: the plugin is never started; a report names the file, the line
    and the key.
    """
    for name, (keys, word) in _ENTRIES.items():
        with host.checks(name):
            given = Given("refused", _RESULT, settings=keys)
            _expect_refused(host.launch(given), "plugins.toml", word, rule="MAN-07", line=keys[word])


def _expect_refused(run: HostRun, file: str, word: str, *, rule: str, line: Any) -> None:
    """A report names the file and the key, and the line where the key stands, if it does."""
    run.expect_told(file, word, lines=6, rule=rule)
    if line is not None:
        path = next(run.folder.glob(f"**/{file}"))
        numbers = [n for n, text in enumerate(path.read_text("utf-8").splitlines(), 1) if word in text]
        run.expect_more(lambda: _names_line(run, file, numbers), f"the line {numbers[0]} of {file}", rule=rule)
    run.stop()
    run.refuse_start("refused", rule=rule)


def _names_line(run: HostRun, file: str, numbers: list[int]) -> bool:
    told = [" ".join(run.reports()[place : place + 6]) for place, text in enumerate(run.reports()) if file in text]
    return any(re.search(rf"(?<![0-9]){number}(?![0-9])", text) for text in told for number in numbers)
