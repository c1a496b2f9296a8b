"""The sentences of the spec by their ids, and why some cannot be observed from outside.

`requirements.json` is generated from the chapters, so that the suite quotes them as they stand.
"""

import json
import tomllib
from functools import cache
from importlib.resources import files

from attrs import frozen

from .report import Level, Role


@frozen
class Requirement:
    """`binds` says whose behaviour the sentence is about. `anchor` is the file of the chapter with the id."""

    id: str
    level: Level
    binds: tuple[Role, ...]
    chapter: str
    file: str
    text: str


@cache
def requirements() -> dict[str, Requirement]:
    """Every requirement by its id, in the order of the chapters."""
    rows = json.loads(files(__package__).joinpath("requirements.json").read_text("utf-8"))
    return {
        row["id"]: Requirement(
            row["id"],
            Level(row["level"]),
            tuple(Role(role) for role in row["binds"]),
            row["chapter"],
            row["file"],
            row["text"],
        )
        for row in rows
    }


@cache
def excluded(role: Role) -> dict[str, str]:
    """The requirements without a case in that role, each with the reason."""
    exclusions = tomllib.loads(files(__package__).joinpath("cases", role.value, "excluded.toml").read_text("utf-8"))
    return dict(exclusions["excluded"])


def asked_of(role: Role) -> list[Requirement]:
    """The requirements that bind that role and demand something: those with MUST or SHOULD."""
    return [row for row in requirements().values() if role in row.binds and row.level is not Level.MAY]
