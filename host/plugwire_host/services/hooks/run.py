"""One run of a hook: the value on its way through the links. Spec HOK-08 to HOK-24.

Owns: what each link is asked, and what its answer or its failure does to the value. Does not own: which links there
are, and their order (service.py); how a call reaches its plugin (routing).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plugwire.wire import ErrorObject, HookStopped, Meta, Raw, RequestError
from plugwire.wire.codec import UNSET, MalformedJson, decode_members, decode_value, encode_value

from ...routing.call import Call, Outcome
from ...routing.link import PluginLink
from .order import Link

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from ...routing.router import Router

OBSERVER_ITEMS = 256
"""Values that wait at one observer, or are with it (HOK-24)."""
OBSERVER_BYTES = 8 * 1024 * 1024
LONGEST_REASON = 1024
"""Characters (HOK-12)."""


class Asker:
    """Who asks a link: the Caller of one ``hook/call``, in the name of whoever runs the hook (HOK-17)."""

    ranges: Mapping[str, SpecifierSet] = {}

    def __init__(self, name: str, hook: str, on_outcome: Callable[[Outcome], None]) -> None:
        self.name = name
        self.hook = hook
        self._on_outcome = on_outcome

    def deliver(self, call: Call, outcome: Outcome) -> None:
        self._on_outcome(outcome)

    def deliver_progress(self, call: Call, value: Raw) -> None:
        """Nobody has asked for any."""


@dataclass(slots=True)
class Observing:
    """What is open at one participant as an observer, in all hooks together."""

    items: int = 0
    bytes: int = 0
    left_out: int = 0

    def is_full(self, size: int) -> bool:
        return self.items >= OBSERVER_ITEMS or (self.items > 0 and self.bytes + size > OBSERVER_BYTES)


@dataclass(frozen=True, slots=True)
class Station:
    """A link, and where it is asked: None is the application."""

    link: Link
    callee: PluginLink | None
    observing: Observing = field(compare=False)


@dataclass(frozen=True, slots=True)
class Told:
    """A HookAnswer."""

    value: Raw | None = None
    stop: str | None = None


class HookRun:
    """A ``hook/run`` under way. ``stations`` stay what they were when it began (HOK-14)."""

    def __init__(self, router: Router, call: Call, hook: str, stations: Sequence[Station]) -> None:
        self._router = router
        self._call = call
        self._hook = hook
        self._stations = stations
        self._ran: list[str] = []
        self._shown: list[Call] = []
        self._encoded: tuple[Raw, Raw] | None = None  # the value that was asked about last, and the params for it

    async def outcome(self, value: Raw) -> dict[str, Any]:
        """The HookOutcome. Raises HookStopped, or the error of a link that may fail the run."""
        try:
            for station in self._stations:
                if station.link.observes:
                    self._show(station, value)
                else:
                    value = await self._change(station, value)
        except asyncio.CancelledError:
            for call in self._shown:
                self._router.cancel(call)  # HOK-23
            raise
        return {"value": value, "ran": self._ran}

    # Links that change

    async def _change(self, station: Station, value: Raw) -> Raw:
        link = station.link
        try:
            told = self._read(link, await self._ask(station, value))
        except RequestError as error:
            if link.fails:
                raise
            what = f"its link for the hook {self._hook!r} failed, and the value goes on as it was: {error.message}"
            self._router.warn(link.instance, what)
            return value
        if told.stop is not None:
            raise HookStopped(
                f"{link.instance!r} stopped the hook {self._hook!r}: {told.stop}",
                data={"by": link.instance, "reason": told.stop, "hook": self._hook},
            )
        self._ran.append(link.instance)
        return value if told.value is None else told.value

    async def _ask(self, station: Station, value: Raw) -> Outcome:
        answer: asyncio.Future[Outcome] = self._router.loop.create_future()

        def ended(outcome: Outcome) -> None:
            if not answer.done():  # it is, when the run was cancelled and takes its calls with it
                answer.set_result(outcome)

        call = self._call_to(value, ended)
        self._call.adopt(call)
        self._router.dispatch(call, station.callee, station.link.timeout)
        return await answer

    # Observers

    def _show(self, station: Station, value: Raw) -> None:
        link, observing, size = station.link, station.observing, memoryview(value).nbytes
        if observing.is_full(size):
            self._leave_out(link, observing)
            return
        if observing.left_out:
            self._router.warn(link.instance, f"it was left out of {observing.left_out} runs of hooks that it observes")
            observing.left_out = 0
        observing.items += 1
        observing.bytes += size

        def ended(outcome: Outcome) -> None:
            observing.items -= 1
            observing.bytes -= size
            try:
                self._read(link, outcome)
            except RequestError as error:
                self._router.warn(link.instance, f"it failed to observe the hook {self._hook!r}: {error.message}")

        call = self._call_to(value, ended)
        # Not adopted: the run does not wait for it, and whoever looks for cycles shall not think so.
        call.parent = self._call
        self._shown.append(call)
        self._router.dispatch(call, station.callee, link.timeout)

    def _leave_out(self, link: Link, observing: Observing) -> None:
        observing.left_out += 1
        if observing.left_out == 1:
            why = f"{observing.items} values with {observing.bytes} bytes wait for it"
            self._router.warn(link.instance, f"it is left out of runs of the hook {self._hook!r}: {why}")

    # Both

    def _call_to(self, value: Raw, on_outcome: Callable[[Outcome], None]) -> Call:
        if self._encoded is None or self._encoded[0] is not value:
            self._encoded = (value, encode_value({"name": self._hook, "value": value}))
        came = self._call.meta
        trace = None if came is None else Meta(traceparent=came.traceparent, tracestate=came.tracestate)
        asker = Asker(self._call.caller.name, self._hook, on_outcome)
        return Call(asker, self._call.caller_id, "hook/call", self._encoded[1], trace)

    def _read(self, link: Link, outcome: Outcome) -> Told:
        """What a link has told. Raises RequestError: its own, or InternalError for what is no HookAnswer."""
        if isinstance(outcome, ErrorObject):
            data = None if outcome.data is UNSET else outcome.data
            raise RequestError.of(outcome.code, outcome.message, data)
        try:
            members = decode_members(outcome)
            value, stop = members.get("value"), members.get("stop")
            if stop is None:
                return Told(value)
            reason = decode_value(stop).get("reason")
        except (MalformedJson, AttributeError):
            raise self._nonsense(link, "its result is no HookAnswer") from None
        if value is not None:
            raise self._nonsense(link, "its result has both value and stop")
        if not isinstance(reason, str):
            raise self._nonsense(link, "its stop has no reason")
        return Told(stop=reason[:LONGEST_REASON])

    def _nonsense(self, link: Link, what: str) -> RequestError:
        return RequestError(f"the link of {link.instance!r} for the hook {self._hook!r} cannot be understood: {what}")
