"""The sentences of the spec as data, for the conformance suite: it asks for each, and quotes it where it is broken."""

import json
import re
from pathlib import Path

from prose import KEYWORD, Requirement, read_spec

#: Chapters from this one on are about what hosts offer: who answers a request there is a host.
_FIRST_SERVICE = 6
_STRENGTH = ("MUST", "SHOULD", "MAY")
_HOST = re.compile(r"\b[Hh]osts?\b[^.;:]*?\b(MUST|SHOULD|MAY)\b")
_PLUGIN = re.compile(
    r"\b([Pp]lugins?|SDKs?|[Cc]allees?|[Cc]reator|[Cc]onsumer|[Pp]roducer)\b[^.;:]*?\b(MUST|SHOULD|MAY)\b"
)
#: Sentences whose grammar speaks of one end and whose demand is on the other.
_BINDS_HOST = frozenset(
    [
        "CAL-03",
        "CAL-05",
        "CAL-10",
        "CAL-18",
        "CAL-29",
        "CAL-33",
        "CAL-34",
        "CAL-35",
        "CAL-36",
        "CAL-38",
        "EVT-12",
        "EVT-15",
        "HOK-05",
        "HOK-06",
        "CHN-09",
        "CHN-10",
        "CHN-11",
        "CHN-16",
        "CHN-19",
        "CHN-24",
        "CHN-27",
        "CHN-32",
        "CHN-34",
        "STA-12",
        "LCK-11",
        "MAN-03",
        "MAN-05",
        "MAN-08",
    ]
)
_BINDS_PLUGIN = frozenset(["FRM-14", "FRM-16", "LIF-05", "CAL-17", "MEM-10", "MEM-11"])


def emit_requirements(root: Path) -> str:
    """Every requirement with its level, whom it binds and where it stands, as JSON."""
    rows = [_row(root, requirement) for prose in read_spec(root) for requirement in prose.requirements]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def _row(root: Path, requirement: Requirement) -> dict[str, object]:
    title = (root / "spec" / requirement.file).read_text("utf-8").partition("\n")[0].removeprefix("# ")
    found = set(KEYWORD.findall(requirement.text))
    return {
        "id": requirement.id,
        "level": next(level for level in _STRENGTH if level in found),
        "binds": _binds(requirement),
        "chapter": title,
        "file": requirement.file,
        "text": requirement.text,
    }


def _binds(requirement: Requirement) -> list[str]:
    """Whose behaviour the sentence is about. A sentence that names neither binds both, but for what services answer."""
    if requirement.id in _BINDS_HOST:
        return ["host"]
    if requirement.id in _BINDS_PLUGIN:
        return ["plugin"]
    bound = [role for role, who in (("plugin", _PLUGIN), ("host", _HOST)) if who.search(requirement.text)]
    if bound:
        return bound
    return ["host"] if int(requirement.file[:2]) >= _FIRST_SERVICE else ["plugin", "host"]
