"""Hosts that see ways round where there are none, or none where there are (chapter 04)."""

from typing import Any

from tests.conformance.mutants.vices import vice

_ALL = ("cycles/round", "cycles/crossed")


@vice("host", "sees-no-cycle", kills=_ALL, because="CAL-33")
def sees_no_cycle() -> None:
    from plugwire_host.routing import router

    router.find_cycle = lambda call, callee: None


@vice("host", "tells-half-the-way-round", kills=_ALL, because="CAL-33")
def tells_half_the_way_round() -> None:
    from plugwire_host.routing import router

    find = router.find_cycle

    def without_the_end(call: Any, callee: Any) -> Any:
        path = find(call, callee)
        return path and path[:-1]

    router.find_cycle = without_the_end


def _among_causes(call: Any, callee: Any) -> list[str] | None:
    """The way from a call of the callee to this one, by causes alone."""
    names, cause = [callee.name], call.parent
    while cause is not None:
        names.append(cause.callee.name)
        if cause.callee is callee:
            return names[::-1]
        cause = cause.parent
    return None


@vice("host", "looks-at-causes-only", kills=("cycles/can-still-end", "cycles/crossed"), because="CAL-33")
def looks_at_causes_only() -> None:
    from plugwire_host.routing import router

    router.find_cycle = _among_causes


@vice(
    "host",
    "refuses-every-way-round",
    kills=("cycles/free-slot", "cycles/can-still-end"),
    because=("CAL-34", "CAL-33"),
)
def refuses_every_way_round() -> None:
    from plugwire.requests import error_object
    from plugwire.wire import CallCycle
    from plugwire_host.routing.router import Router

    dispatch = Router.dispatch

    def unless_it_goes_round(self: Any, call: Any, callee: Any, limit: float) -> None:
        path = _among_causes(call, callee) if callee is not None else None
        if path:
            self.finish(call, error_object(CallCycle("it goes round", data={"path": path})))
        else:
            dispatch(self, call, callee, limit)

    Router.dispatch = unless_it_goes_round


@vice("host", "counts-calls-of-a-plugin-as-its-load", kills=("cycles/caller-is-free",), because="CAL-34")
def counts_calls_of_a_plugin_as_its_load() -> None:
    from plugwire_host.routing.link import PluginLink

    def free(self: Any) -> bool:
        own = sum(call.parent is None for call in self.requests.values())
        return len(self.peer.outgoing) + own < self.slots and not self.waiting

    PluginLink.has_free_slot = property(free)
