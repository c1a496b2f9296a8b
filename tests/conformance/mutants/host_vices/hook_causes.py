"""Hosts that forget of which run a hook/call is a part: its time, its name, and what it would run inside itself
(chapter 07).
"""

import asyncio
from typing import Any

from plugwire.wire import CallCycle
from plugwire_host.services.hooks import order, service
from plugwire_host.services.hooks.run import Asker, HookRun
from plugwire_host.services.hooks.service import HookService
from tests.conformance.mutants.patching import wrap
from tests.conformance.mutants.vices import vice

# What is patched is patched without the checks of types.
_order: Any = order
_Run: Any = HookRun
_Service: Any = HookService
_service: Any = service


@vice(
    "host",
    "gives-links-all-the-time",
    kills=("hooks/timeout", "hooks/time-told", "hooks/failure-continues", "hooks/failure-fails"),
    because=("HOK-15", "HOK-19", "HOK-20"),
)
def gives_links_all_the_time() -> None:
    def station(good: Any) -> Any:
        def patient(self: Any, link: Any) -> Any:
            return good(self, _order.Link(**{**_fields(link), "timeout": 60.0}))

        return patient

    wrap(_Service, "_station", station)


def _fields(link: Any) -> dict[str, Any]:
    return {name: getattr(link, name) for name in link.__slots__}


@vice(
    "host",
    "forgets-whose-call-it-is",
    kills=(
        "hooks/run-deadline",
        "hooks/time-told",
        "hooks/cancel",
        "hooks/busy-with-the-run",
        "hooks/inside-itself-at-depth",
    ),
    because=("HOK-15", "HOK-16", "HOK-18"),
)
def forgets_whose_call_it_is() -> None:
    """A hook/call stands alone: it is not made because of its hook/run."""

    async def ask(self: Any, station: Any, value: Any) -> Any:
        answer: asyncio.Future[Any] = self._router.loop.create_future()

        def ended(outcome: Any) -> None:
            if not answer.done():
                answer.set_result(outcome)

        self._router.dispatch(self._call_to(value, ended), station.callee, station.link.timeout)
        return await answer

    _Run._ask = ask


@vice("host", "asks-in-its-own-name", kills=("hooks/from",), because="HOK-17")
def asks_in_its_own_name() -> None:
    def init(good: Any) -> Any:
        return lambda self, name, hook, on_outcome: good(self, "host", hook, on_outcome)

    wrap(Asker, "__init__", init)


@vice(
    "host",
    "runs-hooks-inside-themselves",
    kills=("hooks/inside-itself", "hooks/inside-itself-without-meta", "hooks/inside-itself-at-depth"),
    because="HOK-18",
)
def runs_hooks_inside_themselves() -> None:
    _service._refuse_to_run_inside_itself = lambda call, hook: None


@vice("host", "looks-one-step-back", kills=("hooks/inside-itself-at-depth",), because="HOK-18")
def looks_one_step_back() -> None:
    def refuse(good: Any) -> Any:
        def one_step(call: Any, hook: str) -> None:
            parent = call.parent
            if parent is not None and isinstance(parent.caller, Asker):
                grandparent, parent.parent = parent.parent, None
                try:
                    good(call, hook)
                finally:
                    parent.parent = grandparent

        return one_step

    wrap(_service, "_refuse_to_run_inside_itself", refuse)


@vice("host", "refuses-a-second-run", kills=("hooks/beside-itself",), because="HOK-18")
def refuses_a_second_run() -> None:
    under_way: set[str] = set()

    def outcome(good: Any) -> Any:
        async def alone(self: Any, value: Any) -> Any:
            if self._hook in under_way:
                raise CallCycle("it runs already", data={"path": ["host", "host"]})
            under_way.add(self._hook)
            try:
                return await good(self, value)
            finally:
                under_way.discard(self._hook)

        return alone

    wrap(_Run, "outcome", outcome)
