"""How large a JSON Schema is when its references are followed: a bound for what a check may cost.

Ten definitions that each refer twice to the next make a thousand parts, thirty a thousand million; one that refers to
itself has no end. A host that checks other people's data by other people's schemas has to know before it begins.
"""

from __future__ import annotations

from typing import Any

_BY_NAME = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions", "dependencies")
_NO_SCHEMAS = ("enum", "const", "default", "examples", "required", "type")
_UNFOLLOWED = ("$dynamicRef", "$recursiveRef", "$id")


def parts_of(schema: Any, most: int) -> int:
    """The number of schemas within a schema, references followed. Raises ValueError above ``most``."""
    try:
        return _Counter(schema, most).count(schema)
    except RecursionError:
        raise ValueError("its references go too deep") from None


class _Counter:
    def __init__(self, root: Any, most: int) -> None:
        self._root = root
        self._most = most
        self._known: dict[str, int] = {}  # by reference
        self._open: set[str] = set()

    def count(self, schema: Any) -> int:
        """The parts of one schema, itself included."""
        if not isinstance(schema, dict):
            return 1
        total = 1
        for keyword, value in schema.items():
            if keyword in _UNFOLLOWED and schema is not self._root:
                raise ValueError(f"it has {keyword}, which is not followed here")
            if keyword == "$ref":
                total += self._follow(value)
            elif keyword in _BY_NAME and isinstance(value, dict):
                # Definitions cost nothing where they stand, but they may not be endless either.
                total += sum(self.count(part) for part in value.values())
            elif keyword not in _NO_SCHEMAS:
                total += sum(self.count(part) for part in (value if isinstance(value, list) else [value]))
            if total > self._most:
                raise ValueError(f"it has more than {self._most} parts when its references are followed")
        return total

    def _follow(self, reference: Any) -> int:
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            raise ValueError(f"it refers to {str(reference)[:80]}; only pointers such as #/$defs/x are followed here")
        if reference in self._open:
            raise ValueError(f"{reference[:80]} refers to itself")
        if reference not in self._known:
            self._open.add(reference)
            self._known[reference] = self.count(_at(self._root, reference))
            self._open.discard(reference)
        return self._known[reference]


def _at(root: Any, reference: str) -> Any:
    """What a JSON pointer within the schema leads to."""
    place = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        try:
            place = place[int(name)] if isinstance(place, list) else place[name]
        except (KeyError, IndexError, TypeError, ValueError):
            raise ValueError(f"it refers to {reference[:80]}, which is not there") from None
    return place
