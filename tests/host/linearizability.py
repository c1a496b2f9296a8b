"""Whether a history of requests about one key could have happened one after the other (STA-01).

The search of Wing and Gong: some request that no other had ended before must have been the first; each that gives the
answer it gave is tried, and what is left is searched in the same way. Pairs of what is left and of the state that were
tried in vain are remembered.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

MOST = 200
"""Requests about one key, so that the search ends."""


@dataclass(frozen=True)
class Done:
    """A request, when it was sent, when its answer came, and the answer: ``result`` or ``error``."""

    method: str
    params: dict[str, Any]
    begin: int
    end: int
    answer: dict[str, Any]

    @property
    def revision(self) -> int:
        """That of the change which it made; 0 when it made none."""
        if self.method == "state/get" or "error" in self.answer:
            return 0
        revision: int = self.answer["result"]["revision"]
        return revision


State: TypeAlias = tuple[str, int, int]
"""The value as Python writes it, its revision (0: nothing is there), and the last revision that the key ever had."""

NOTHING: State = ("", 0, 0)


def is_linearizable(history: list[Done]) -> bool:
    """Whether the requests about each key have an order, and the changes of all keys one that fits the time."""
    by_key = defaultdict(list)
    for done in history:
        by_key[done.params["key"]].append(done)
    return _revisions_fit_the_time(history) and all(_has_order(requests) for requests in by_key.values())


def _revisions_fit_the_time(history: list[Done]) -> bool:
    changes = sorted((done for done in history if done.revision), key=lambda done: done.revision)
    latest_begin = 0
    for before, after in pairwise(changes):
        latest_begin = max(latest_begin, before.begin)
        if before.revision == after.revision or after.end < latest_begin:
            return False
    return True


def _has_order(requests: list[Done]) -> bool:
    assert len(requests) <= MOST
    requests = sorted(requests, key=lambda done: done.begin)
    tried: set[tuple[frozenset[int], State]] = set()
    stack: list[tuple[frozenset[int], State]] = [(frozenset(range(len(requests))), NOTHING)]
    while stack:
        left, state = stack.pop()
        if not left:
            return True
        if (left, state) in tried:
            continue
        tried.add((left, state))
        first_end = min(requests[number].end for number in left)
        for number in left:
            if requests[number].begin <= first_end:
                following = _after(state, requests[number])
                if following is not None:
                    stack.append((left - {number}, following))
    return False


def _after(state: State, done: Done) -> State | None:
    """The state after a request that gave its answer in ``state``; None when it would have given another."""
    value, revision, last = state
    wanted = done.params.get("ifRevision")
    if "error" in done.answer:
        # The only error in these histories is Conflict.
        told = done.answer["error"]["data"]["revision"]
        return state if done.answer["error"]["code"] == -32022 and wanted != revision == told else None
    result = done.answer["result"]
    if done.method == "state/get":
        there = {"revision": 0} if revision == 0 else {"value": _value(value), "revision": revision}
        return state if result == there else None
    if wanted is not None and wanted != revision:
        return None
    if done.method == "state/delete" and revision == 0:
        return state if result["revision"] == 0 else None
    if result["revision"] <= last:
        return None
    match done.method:
        case "state/put":
            return repr(done.params["value"]), result["revision"], result["revision"]
        case "state/delete":
            return "", 0, result["revision"]
        case _:
            total = (_value(value) if revision else 0) + done.params["by"]
            return (repr(total), result["revision"], result["revision"]) if result["value"] == total else None


def _value(text: str) -> Any:
    return int(text)
