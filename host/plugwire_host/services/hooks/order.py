"""In which order the links of one hook run, and why. Spec HOK-04 to HOK-07.

Pure: links in the order in which their plugins were loaded go in, and the order of the run comes out. Does not own:
which plugins there are, or a run (hooks.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

_MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Link:
    """One plugin's part in one hook. ``plugin`` is the name that the plugin gives itself; times are in seconds."""

    instance: str
    plugin: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    timeout: float = 5.0
    fails: bool = False
    """Whether its failure is the failure of the run."""
    observes: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """``first`` runs before ``second``, because ``by``, which is one of the two, says so."""

    first: str
    second: str
    by: str

    def __str__(self) -> str:
        return f"{self.first} before {self.second} ({self.by} says so)"


class Contradiction(Exception):
    """``demands`` go round in a circle: each begins where the one before has ended, and the first after the last."""

    def __init__(self, demands: Sequence[Demand]) -> None:
        super().__init__(", ".join(map(str, demands)))
        self.demands = tuple(demands)


def links_of(instance: str, answer: Mapping[str, Any]) -> dict[str, Link]:
    """The links in a checked InitializeResult, by hook, with the defaults of HookLink."""
    plugin = answer.get("plugin", {}).get("name", "")
    return {
        told["name"]: Link(
            instance,
            plugin,
            before=tuple(told.get("before", ())),
            after=tuple(told.get("after", ())),
            timeout=told.get("timeoutMs", 5000) / 1000,
            fails=told.get("onError") == "fail",
            observes=told.get("mode") == "observe",
        )
        for told in answer.get("hooks", ())
    }


def order(links: Sequence[Link]) -> list[Link]:
    """``links``, which come in the order of loading, as they run. Raises Contradiction.

    Of all orders that meet the demands it is the one that comes first when they are compared place by place: what is
    free to come next comes in the order of loading (HOK-05).
    """
    places = {link.instance: place for place, link in enumerate(links)}
    demands = _demands(links)
    followers: list[list[int]] = [[] for _ in links]
    waits_for = [0] * len(links)
    for first, second in demands:
        followers[places[first]].append(places[second])
        waits_for[places[second]] += 1
    free = [place for place in range(len(links)) if not waits_for[place]]  # sorted, so it is a heap
    ordered: list[Link] = []
    while free:
        place = heappop(free)
        ordered.append(links[place])
        for follower in followers[place]:
            waits_for[follower] -= 1
            if not waits_for[follower]:
                heappush(free, follower)
    if len(ordered) < len(links):
        raise Contradiction(_circle(demands, [link.instance for link in links if waits_for[places[link.instance]]]))
    return ordered


def reasons(links: Sequence[Link]) -> list[str]:
    """For each of ``links``, which come as they run, why it stands where it stands: a line for people."""
    told: dict[str, list[str]] = {link.instance: [] for link in links}
    for demand in _demands(links).values():
        told[demand.first].append(f"before {demand.second} ({demand.by} says so)")
        told[demand.second].append(f"after {demand.first} ({demand.by} says so)")
    return [_in_a_line(told[link.instance]) for link in links]


def _in_a_line(told: Sequence[str]) -> str:
    if not told:
        return "in the order of loading"
    more = f", and {len(told) - _MOST_REASONS} more" if len(told) > _MOST_REASONS else ""
    return ", ".join(told[:_MOST_REASONS]) + more


def _demands(links: Sequence[Link]) -> dict[tuple[str, str], Demand]:
    """Every demand between two of the links, by the pair; of two that say the same, the first that was said."""
    bearers: dict[str, list[str]] = {}
    for link in links:
        for name in {link.instance, link.plugin}:
            bearers.setdefault(name, []).append(link.instance)
    demands: dict[tuple[str, str], Demand] = {}
    for link in links:
        here = link.instance
        for name in link.before:
            for other in bearers.get(name, ()):
                if other != here:
                    demands.setdefault((here, other), Demand(here, other, here))
        for name in link.after:
            for other in bearers.get(name, ()):
                if other != here:
                    demands.setdefault((other, here), Demand(other, here, here))
    return demands


def _circle(demands: Mapping[tuple[str, str], Demand], stuck: Sequence[str]) -> list[Demand]:
    """A circle among the links that could not be placed: each of them has another one of them before it."""
    places = {instance: place for place, instance in enumerate(stuck)}
    before = {demand.second: demand for demand in demands.values() if demand.first in places}
    way: list[Demand] = []
    seen: dict[str, int] = {}
    here = stuck[0]
    while here not in seen:
        seen[here] = len(way)
        way.append(before[here])
        here = before[here].first
    circle = way[seen[here] :][::-1]
    start = min(range(len(circle)), key=lambda place: places[circle[place].first])
    return circle[start:] + circle[:start]
