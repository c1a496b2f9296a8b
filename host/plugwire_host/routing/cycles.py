"""Whether a call would wait for itself. Spec CAL-33 and CAL-34.

A call that waits for a slot needs one of the calls that hold the slots to end; a call that is being served needs the
calls that it made to end. A call is stuck when no order of endings can help it. Nothing is stuck before the new call
comes, because what would have been stuck was refused; so only the new call has to be looked at, and only when its
callee has no free slot.
"""

from __future__ import annotations

from .call import Call, Callee, Phase


def find_cycle(call: Call, callee: Callee) -> list[str] | None:
    """The way round, as instance names, if ``call`` could be served by ``callee`` only after it had ended."""
    stuck = _closure(call, callee)
    while freed := {other for other in stuck if other is not call and not _waits(other, stuck)}:
        stuck -= freed
    holders = callee.serving()
    if any(holder not in stuck for holder in holders):
        return None
    return _path(call, holders, stuck)


def _closure(call: Call, callee: Callee) -> set[Call]:
    """Every call whose end could matter to ``call``."""
    seen = {call}
    waiting = callee.serving()
    while waiting:
        other = waiting.pop()
        if other not in seen:
            seen.add(other)
            waiting.extend(_needed(other))
    return seen


def _needed(call: Call) -> list[Call]:
    """The calls of which one (while it waits for a slot) or all (while it is served) have to end before it can."""
    if call.phase is Phase.QUEUED and call.callee is not None:
        return call.callee.serving()
    return list(call.children or ())


def _waits(call: Call, stuck: set[Call]) -> bool:
    needed = _needed(call)
    if call.phase is Phase.QUEUED and call.callee is not None:
        return all(holder in stuck for holder in needed)
    return any(child in stuck for child in needed)


def _path(call: Call, holders: list[Call], stuck: set[Call]) -> list[str]:
    """The shortest way from a holder of the slots to the call that wants one."""
    came_from: dict[Call, Call | None] = dict.fromkeys(holders)
    frontier = list(came_from)
    while frontier and call not in came_from:
        found = [
            (following, here)
            for here in frontier
            for following in _needed(here)
            if following in stuck and following not in came_from
        ]
        came_from.update(found)
        frontier = [following for following, _ in found]
    names: list[str] = []
    here: Call | None = call
    while here is not None:
        name = here.callee.name if here.callee is not None else "host"
        if not names or names[-1] != name or came_from.get(here) is None:
            names.append(name)
        here = came_from.get(here)
    return names[::-1]
