"""Topics, patterns, and which subscriptions an event goes to. Spec EVT-01 and EVT-02.

Pure: what a subscription is, and what becomes of the event, is none of its business.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Generic, Protocol, TypeVar

TOPIC = re.compile(r"(?=.{1,256}\Z)[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+){0,15}")
PATTERN = re.compile(r"(?=.{1,256}\Z)(([A-Za-z0-9_-]+|[*])[.]){0,15}([A-Za-z0-9_-]+|[*>])")

_ONE, _REST = "*", ">"
_CACHED_TOPICS = 4096


class Numbered(Protocol):
    """What stands in a tree: matches come in the order of the numbers."""

    @property
    def number(self) -> int: ...


MemberT = TypeVar("MemberT", bound=Numbered)


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic is one of those that a pattern stands for."""
    for wanted, part in zip_longest(pattern.split("."), topic.split(".")):
        if part is None:
            return False
        if wanted == _REST:
            return True
        if wanted not in (part, _ONE):
            return False
    return True


def overlap(first: str, second: str) -> bool:
    """Whether there could be a topic that both patterns stand for."""
    for one, other in zip_longest(first.split("."), second.split(".")):
        if one is None or other is None:
            return False
        if _REST in (one, other):
            return True
        if one != other and _ONE not in (one, other):
            return False
    return True


class _Node(Generic[MemberT]):
    """One place in the tree: the members whose pattern ends here, and the places one part further."""

    __slots__ = ("following", "members", "takers_of_rest")

    def __init__(self) -> None:
        self.following: dict[str, _Node[MemberT]] = {}
        self.members: dict[int, MemberT] = {}
        self.takers_of_rest: dict[int, MemberT] = {}

    @property
    def is_empty(self) -> bool:
        return not (self.following or self.members or self.takers_of_rest)


class TopicTree(Generic[MemberT]):
    """Members by their patterns. A match costs as much as there are places on its ways, and is kept until a change."""

    def __init__(self) -> None:
        self._root: _Node[MemberT] = _Node()
        self._found: dict[str, tuple[MemberT, ...]] = {}

    def add(self, pattern: str, member: MemberT) -> None:
        node = self._root
        *parents, last = pattern.split(".")
        for part in [*parents, last] if last != _REST else parents:
            node = node.following.setdefault(part, _Node())
        (node.takers_of_rest if last == _REST else node.members)[member.number] = member
        self._found.clear()

    def remove(self, pattern: str, member: MemberT) -> None:
        """Take off what was added; the places that nobody needs any more go too."""
        self._remove(self._root, pattern.split("."), member)
        self._found.clear()

    def _remove(self, node: _Node[MemberT], parts: list[str], member: MemberT) -> None:
        if not parts:
            node.members.pop(member.number, None)
        elif parts == [_REST]:
            node.takers_of_rest.pop(member.number, None)
        elif (following := node.following.get(parts[0])) is not None:
            self._remove(following, parts[1:], member)
            if following.is_empty:
                del node.following[parts[0]]

    def match(self, topic: str) -> tuple[MemberT, ...]:
        """The members whose pattern matches a topic, by their numbers."""
        found = self._found.get(topic)
        if found is None:
            if len(self._found) >= _CACHED_TOPICS:
                self._found.clear()
            found = self._found[topic] = self._match(topic)
        return found

    def _match(self, topic: str) -> tuple[MemberT, ...]:
        found: dict[int, MemberT] = {}
        nodes = [self._root]
        for part in topic.split("."):
            for node in nodes:
                found.update(node.takers_of_rest)
            nodes = [node.following[step] for node in nodes for step in (part, _ONE) if step in node.following]
        for node in nodes:
            found.update(node.members)
        return tuple(found[number] for number in sorted(found))
