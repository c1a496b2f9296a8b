"""What publishers say of their topics: names to list, and schemas that their data has to fit. Spec EVT-34 to EVT-37.

A schema comes from a plugin, and the host runs it: so it fetches nothing, its patterns take linear time, and what it
may cost is bounded.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plugwire.wire import InvalidParams, Raw
from plugwire.wire.codec import MalformedJson, decode_value

from .schema_size import parts_of
from .topics import matches, overlap

MOST_PARTS = 1024
MOST_WORK = 2**27
"""Bytes of data times parts of the schema."""


class DeclaredTopic:
    """One topic, or pattern, of one publisher. Its schema is compiled when data comes that has to fit it."""

    def __init__(self, sender: str, told: Mapping[str, Any]) -> None:
        self.sender = sender
        self.topic: str = told["topic"]
        self._told = told
        self._validator: Any = None
        self._parts = 0
        self.unusable = ""
        """Why the schema cannot be used, once that is known."""

    def describe(self) -> dict[str, Any]:
        """The TopicDescription."""
        more = {name: self._told[name] for name in ("description", "schema") if name in self._told}
        return {"topic": self.topic, "from": self.sender, **more}

    def covers(self, topic: str) -> bool:
        """Whether data for the topic has to fit a schema here."""
        return "schema" in self._told and not self.unusable and matches(self.topic, topic)

    def check(self, data: Raw) -> None:
        """Raises InvalidParams for data that does not fit. A schema that turns out to be unusable fits anything."""
        if self._validator is None:
            try:
                self._parts = parts_of(self._told["schema"], MOST_PARTS)
                self._validator = _compiled(self._told["schema"])
            except ValueError as error:
                self.unusable = str(error).partition("\n")[0][:500] or type(error).__name__
                return
        if len(memoryview(data)) * self._parts > MOST_WORK:
            raise _unfit("$.data", f"{len(memoryview(data))} bytes are too many to be checked by the schema")
        try:
            value = decode_value(data)
        except MalformedJson as error:
            raise _unfit("$.data", str(error)) from None
        for problem in self._validator.iter_errors(value):
            path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem.instance_path)
            raise _unfit(f"$.data{path}", problem.message)


class DeclaredTopics:
    """The topics of all publishers that are there. ``warn`` tells people about a publisher, by its name."""

    def __init__(self, warn: Callable[[str, str], None]) -> None:
        self._warn = warn
        self._topics: dict[object, list[DeclaredTopic]] = {}

    def replace(self, publisher: object, sender: str, told: Iterable[Mapping[str, Any]]) -> None:
        """What ``publisher`` declares from now on: DeclaredTopics."""
        self._topics[publisher] = [DeclaredTopic(sender, topic) for topic in told]

    def remove(self, publisher: object) -> None:
        self._topics.pop(publisher, None)

    def describe(self) -> list[dict[str, Any]]:
        """TopicDescriptions."""
        return [topic.describe() for topics in self._topics.values() for topic in topics]

    def could_match(self, pattern: str) -> bool:
        """Whether somebody declares a topic that the pattern could stand for."""
        return any(overlap(pattern, topic.topic) for topics in self._topics.values() for topic in topics)

    def nearest(self, pattern: str) -> str | None:
        """A declared topic that looks like the pattern, for those who have misspelt it."""
        known = [topic.topic for topics in self._topics.values() for topic in topics]
        return next(iter(difflib.get_close_matches(pattern, known[:1000], 1)), None)

    def check(self, publisher: object, topic: str, data: Raw) -> None:
        """Raises InvalidParams for data that does not fit what the publisher itself declares (EVT-36)."""
        for declared in self._topics.get(publisher, ()):
            if declared.covers(topic):
                declared.check(data)
                if declared.unusable:
                    why = f"the schema that it declares for {declared.topic} cannot be used: {declared.unusable}"
                    self._warn(declared.sender, why)


def _compiled(schema: Any) -> Any:
    import jsonschema_rs  # not at the top: most hosts never need it here

    return jsonschema_rs.validator_for(schema, retriever=_fetches_nothing, pattern_options=jsonschema_rs.RegexOptions())


def _fetches_nothing(uri: str) -> Any:
    raise ValueError(f"it refers to {uri}, and a host fetches nothing")


def _unfit(path: str, message: str) -> InvalidParams:
    problem = {"path": path[:1024], "message": message[:1024] or "it does not fit"}
    return InvalidParams(f"{problem['path']}: {problem['message']}", data={"problems": [problem]})
