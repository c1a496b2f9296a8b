"""``hook/run`` and ``hook/explain``: which plugins have a part in which hook. Spec 07.

Owns: the links of those who are there, and their places in the order of loading. Does not own: the order itself
(order.py), or a run (run.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugwire.wire import CallCycle

from ...routing.call import Call, Participant
from ...routing.link import PluginLink
from ...routing.service import Answer, Taker
from ..params import RESOURCE_NAME, Params
from .order import Contradiction, Link, links_of, order, reasons
from .run import Asker, HookRun, Observing, Station

if TYPE_CHECKING:
    from ...routing.router import Router


@dataclass(slots=True)
class _Member:
    """Somebody who is there, and their links by hook."""

    participant: Participant
    links: dict[str, Link]
    observing: Observing


class HookService:
    """The hooks of one host."""

    def __init__(self, router: Router) -> None:
        self.requests: dict[str, Answer] = {
            "hook/run": self._run,
            "hook/explain": self._explain,
            "hook/list": self._list,
        }
        self.notifications: dict[str, Taker] = {}
        self._router = router
        self._members: dict[str, _Member] = {}
        self._places: dict[str, int] = {}  # of everybody who was ever there, in the order of loading
        self._stations: dict[str, list[Station]] = {}  # by hook, as they run; empty when somebody comes or goes

    # Who is there

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        """Its links run from now on; of the application, those that it declared too late for their demands do not."""
        name = participant.name
        self._places.setdefault(name, len(self._places))
        links = links_of(name, answer)
        for hook, contradiction in self._contradictions({name: links}):
            del links[hook]
            self._router.warn(name, f"its link for the hook {hook!r} is left out, it cannot be placed: {contradiction}")
        known = self._members.get(name)
        observing = known.observing if known is not None and known.participant is participant else Observing()
        self._members[name] = _Member(participant, links, observing)
        self._stations.clear()

    def left(self, participant: Participant, reason: str) -> None:
        """Its links run no more."""
        member = self._members.get(participant.name)
        if member is not None and member.participant is participant:
            del self._members[participant.name]
            self._stations.clear()

    def close(self) -> None:
        """Nothing is open but runs, which are calls."""

    def conflict(self, candidates: Sequence[tuple[str, Mapping[str, Any]]]) -> str | None:
        """Why plugins, each an instance name and its InitializeResult, cannot all become ready (HOK-06)."""
        coming = {instance: links_of(instance, answer) for instance, answer in candidates}
        for hook, contradiction in self._contradictions(coming):
            return f"the links of the hook {hook!r} cannot be put in order: {contradiction}"
        return None

    def _contradictions(self, coming: Mapping[str, Mapping[str, Link]]) -> Iterator[tuple[str, Contradiction]]:
        """The hooks that cannot be ordered once some more are there."""
        all_links = {name: member.links for name, member in self._members.items()} | dict(coming)
        for hook in dict.fromkeys(hook for links in coming.values() for hook in links):
            try:
                order(self._in_order_of_loading(hook, all_links))
            except Contradiction as contradiction:
                yield hook, contradiction

    def _in_order_of_loading(self, hook: str, members: Mapping[str, Mapping[str, Link]]) -> list[Link]:
        places = self._places
        names = sorted(members, key=lambda name: places.get(name, len(places)))  # stable: who is new comes last
        return [members[name][hook] for name in names if hook in members[name]]

    # Requests

    def _run(self, call: Call) -> Any:
        params = Params(call.params)
        hook = params.text("name", pattern=RESOURCE_NAME)
        value = params.raw("value")
        if value is None:
            raise params.wrong("value", "it is missing")
        _refuse_to_run_inside_itself(call, hook)
        stations = self._in_order(hook)
        if not stations:
            return {"value": value, "ran": []}  # HOK-09
        return HookRun(self._router, call, hook, stations).outcome(value)

    def _explain(self, call: Call) -> dict[str, Any]:
        hook = Params(call.params).text("name", pattern=RESOURCE_NAME)
        links = [station.link for station in self._in_order(hook)]
        return {"links": [_place(link, because) for link, because in zip(links, reasons(links), strict=True)]}

    def _list(self, call: Call) -> dict[str, Any]:
        return {"hooks": sorted({hook for member in self._members.values() for hook in member.links})}

    def _in_order(self, hook: str) -> list[Station]:
        stations = self._stations.get(hook)
        if stations is None:
            links = self._in_order_of_loading(hook, {name: m.links for name, m in self._members.items()})
            stations = [self._station(link) for link in order(links)]
            if stations:  # else anybody could fill the table with names
                self._stations[hook] = stations
        return stations

    def _station(self, link: Link) -> Station:
        member = self._members[link.instance]
        participant = member.participant
        return Station(link, participant if isinstance(participant, PluginLink) else None, member.observing)


def _place(link: Link, because: str) -> dict[str, Any]:
    """A HookPlace."""
    return {
        "instance": link.instance,
        "mode": "observe" if link.observes else "change",
        "timeoutMs": round(link.timeout * 1000),
        "onError": "fail" if link.fails else "continue",
        "because": because,
    }


def _refuse_to_run_inside_itself(call: Call, hook: str) -> None:
    """Raises CallCycle for a run that a run of the same hook has caused (HOK-18); nothing else would end it."""
    path = ["host"]
    cause = call.parent
    while cause is not None:
        name = cause.callee.name if cause.callee is not None else "host"
        if name != path[-1]:
            path.append(name)
        if isinstance(cause.caller, Asker) and cause.caller.hook == hook:
            if len(path) == 1 or path[-1] != "host":
                path.append("host")
            path.reverse()
            raise CallCycle(f"the hook {hook!r} would run inside itself: {' → '.join(path)}", data={"path": path})
        cause = cause.parent
