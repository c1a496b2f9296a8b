"""Writes the tables inside the chapters: limits, states, methods, codes and types, in plain words.

A chapter asks for a table with `<!-- generated: KIND ARG -->`; a type is described once, and mentioned by a link.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attrs import frozen
from chapters import Chapter
from model import (
    AnyType,
    ArrayType,
    BooleanType,
    EnumType,
    MapType,
    Method,
    Model,
    ModelError,
    NullType,
    NumericType,
    ObjectType,
    Reference,
    Shape,
    StringType,
    UnionType,
)

KINDS = {"either": "request or notification"}
DIRECTIONS = {"hostToPlugin": "host → plugin", "pluginToHost": "plugin → host", "both": "both ways"}
POWERS = {2**53 - 1: "2^53−1", 2**32 - 1: "2^32−1", 2**31 - 1: "2^31−1"}
LONGEST_PATTERN = 60


def fill(model: Model, chapters: Sequence[Chapter]) -> dict[Path, str]:
    """Every chapter's text with its tables."""
    homes = {
        words[1]: chapter.path.name for chapter in chapters for words in chapter.places() if words[:1] == ("type",)
    }
    return {chapter.path: chapter.filled(Tables(model, homes, here=chapter.path.name).table) for chapter in chapters}


@frozen
class Tables:
    """Makes the tables of one chapter. `homes` says in which chapter a type is described."""

    _model: Model
    _homes: Mapping[str, str]
    _here: str

    def table(self, words: tuple[str, ...]) -> str:
        """What stands in the place that asks for `words`; raises ModelError for words without a meaning."""
        match words:
            case ("limits",):
                return self._limits()
            case ("states",):
                return self._states()
            case ("codes",):
                return self._codes()
            case ("methods", chapter):
                return self._methods([method for method in self._model.methods if method.chapter == chapter])
            case ("type", name):
                return self._type(name)
            case _:
                raise ModelError(f"a chapter asks for {' '.join(words)!r}, which cannot be generated")

    def _limits(self) -> str:
        rows = []
        for limit in self._model.limits:
            fixed = limit.minimum == limit.maximum
            bounds = "fixed" if fixed else f"{limit.minimum} to {limit.maximum}"
            rows.append((f"`{limit.name}`", f"{limit.default} {limit.unit}", bounds, limit.doc))
        return _table(("limit", "default", "range", "meaning"), rows)

    def _states(self) -> str:
        states = _table(("state", "meaning"), [(f"`{state.name}`", state.doc) for state in self._model.states])
        words = {trigger.name: trigger.doc.rstrip(".").lower() for trigger in self._model.triggers}
        origins: dict[tuple[str, str], list[str]] = {}
        for row in self._model.transitions:
            origins.setdefault((row.trigger, row.target), []).append(f"`{row.origin}`")
        rows = [
            (", ".join(names), words.get(trigger, f"`{trigger}`"), f"`{target}`")
            for (trigger, target), names in origins.items()
        ]
        return states + "\n" + _table(("from", "on", "to"), rows)

    def _codes(self) -> str:
        rows = [
            (str(code.code), code.name, self._mention(code.data) if code.data else "", code.doc)
            for code in self._model.codes
        ]
        return _table(("code", "name", "data", "meaning"), rows)

    def _methods(self, methods: list[Method]) -> str:
        head = ("method", "kind", "direction", "states", "needs", "params", "result", "meaning")
        return _table(head, [self._method(method) for method in methods])

    def _method(self, method: Method) -> tuple[str, ...]:
        return (
            f"`{method.name}`",
            KINDS.get(method.kind or "", method.kind or ""),
            DIRECTIONS[method.direction or ""],
            ", ".join(method.states),
            f"`capabilities.{method.gate}`" if method.gate else "",
            self._mention(method.params),
            self._mention(method.result) if method.result else "",
            method.doc,
        )

    def _type(self, name: str) -> str:
        named = self._model.type_named(name)
        title = f'<a id="{_anchor(name)}"></a>**{name}**: {named.doc}\n'
        if not isinstance(named.shape, ObjectType):
            return f"{title}\nIt is {self._words(named.shape)}.\n"
        rows = [
            (f"`{member.name}`", self._words(member.shape), "yes" if member.required else "no", member.doc)
            for member in named.shape.members
        ]
        return title + "\n" + _table(("member", "type", "required", "meaning"), rows)

    def _mention(self, name: str) -> str:
        """A link to the type where a chapter describes it, and otherwise the type in words."""
        if name in self._homes:
            file = "" if self._homes[name] == self._here else self._homes[name]
            return f"[{name}]({file}#{_anchor(name)})"
        shape = self._model.type_named(name).shape
        if isinstance(shape, ObjectType) and shape.members:
            raise ModelError(f"no chapter describes the type {name}: add <!-- generated: type {name} -->")
        return self._words(shape)

    def _words(self, shape: Shape) -> str:
        match shape:
            case Reference(name):
                return self._mention(name)
            case StringType():
                return _string(shape)
            case NumericType():
                return _number(shape)
            case BooleanType():
                return "true or false"
            case NullType():
                return "null"
            case AnyType():
                return "any JSON value"
            case ArrayType(items, max_items):
                return f"list of at most {max_items}: {self._mention(items)}"
            case MapType(_, values, max_members):
                return f"object of at most {max_members} members, each: {self._mention(values)}"
            case EnumType(values, is_open):
                names = [f"`{value}`" for value in values]
                return _either([*names, "another string"] if is_open else names)
            case UnionType(members):
                return "; or ".join(self._mention(name) for name in members)
            case ObjectType():
                return "object"


def _string(shape: StringType) -> str:
    if shape.pattern is not None:
        if len(shape.pattern) > LONGEST_PATTERN:
            return "string"
        return f"string that matches `{shape.pattern}`"
    if shape.min_length:
        return f"string of {shape.min_length} to {shape.max_length} characters"
    return f"string of at most {shape.max_length} characters"


def _number(shape: NumericType) -> str:
    kind = "integer" if shape.whole else "number"
    low, high = shape.minimum or 0, shape.maximum or 0
    if low == -high:
        return f"{kind} within ±({POWERS.get(high, high)})"
    return f"{kind} from {low} to {POWERS.get(high, high)}"


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _anchor(name: str) -> str:
    return f"type-{name.lower()}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head)]
    return "\n".join([*lines, *(_row(row) for row in rows)]) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return "|" + "|".join(f" {cell} " if cell else " " for cell in escaped) + "|"
