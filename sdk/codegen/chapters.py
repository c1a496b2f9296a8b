"""The chapters of the spec as the generator sees them: their ids, and the places for generated tables.

Judges nothing about the prose; the repository's tests do that.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

SPEC = Path("spec")
ID = re.compile(r"\*\*\[([A-Z]{3}-[0-9]{2})\]\*\*")
PLACE = re.compile(r"(<!-- generated: ([^\n]+?) -->\n)(.*?)(<!-- end generated -->)", re.DOTALL)


@frozen
class Chapter:
    path: Path
    text: str

    @property
    def number(self) -> str:
        return self.path.name[:2]

    def ids(self) -> set[str]:
        """The ids of the chapter's requirements."""
        return set(ID.findall(self.text))

    def places(self) -> Iterator[tuple[str, ...]]:
        """What the chapter wants generated, as words: ("type", "Limits")."""
        for place in PLACE.finditer(self.text):
            yield tuple(place[2].split())

    def filled(self, table: Callable[[tuple[str, ...]], str]) -> str:
        """The chapter's text with each place holding what `table` makes of its words."""
        return PLACE.sub(lambda place: f"{place[1]}\n{table(tuple(place[2].split()))}\n{place[4]}", self.text)


def load_chapters(root: Path) -> list[Chapter]:
    """The numbered chapters under `root`, in order."""
    paths = sorted((root / SPEC).glob("[0-9][0-9]-*.md"))
    return [Chapter(path.relative_to(root), path.read_bytes().decode("utf-8")) for path in paths]
