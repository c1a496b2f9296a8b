"""Hosts that do not run hooks as chapter 07 wants it."""

import asyncio
from typing import Any

from plugwire.wire import ErrorCode, HookStopped, Raw, RequestError
from plugwire.wire.codec import decode_value, encode_value
from plugwire_host.services.hooks.run import HookRun, Told
from plugwire_host.services.hooks.service import HookService
from tests.conformance.mutants.patching import wrap
from tests.conformance.mutants.vices import vice

# What is patched is patched without the checks of types.
_Run: Any = HookRun
_Service: Any = HookService


@vice(
    "host",
    "names-links-backwards",
    kills=(
        "hooks/chain",
        "hooks/link-ended",
        "hooks/failure-continues",
        "hooks/observer",
        "hooks/explain",
        "hooks/before-and-after",
    ),
    because=("HOK-08", "HOK-14", "HOK-19", "HOK-21", "HOK-07", "HOK-04"),
)
def names_links_backwards() -> None:
    def outcome(good: Any) -> Any:
        async def backwards(self: Any, value: Any) -> Any:
            answer = await good(self, value)
            return {"value": answer["value"], "ran": answer["ran"][::-1]}

        return backwards

    wrap(_Run, "outcome", outcome)


@vice("host", "takes-empty-for-kept", kills=("hooks/kept-and-empty",), because="HOK-08")
def takes_empty_for_kept() -> None:
    def read(good: Any) -> Any:
        def by_truth(self: Any, link: Any, outcome: Any) -> Any:
            told = good(self, link, outcome)
            empty = told.value is not None and not decode_value(told.value)
            return Told(None, told.stop) if empty else told

        return by_truth

    wrap(_Run, "_read", read)


@vice(
    "host",
    "skips-who-runs-the-hook",
    kills=("hooks/own-link", "hooks/busy-with-the-run", "hooks/beside-itself"),
    because=("HOK-08", "HOK-16", "HOK-18"),
)
def skips_who_runs_the_hook() -> None:
    def init(good: Any) -> Any:
        def without(self: Any, router: Any, call: Any, hook: str, stations: Any) -> None:
            good(self, router, call, hook, [one for one in stations if one.link.instance != call.caller.name])

        return without

    wrap(_Run, "__init__", init)


@vice("host", "hook-without-links-is-an-error", kills=("hooks/no-link",), because="HOK-09")
def hook_without_links_is_an_error() -> None:
    def run_hook(good: Any) -> Any:
        def known_alone(self: Any, call: Any) -> Any:
            answer = good(self, call)
            if isinstance(answer, dict):
                raise RequestError("no such hook", code=ErrorCode.METHOD_NOT_FOUND)
            return answer

        return known_alone

    wrap(_Service, "_run", run_hook)


@vice("host", "asks-the-rest-after-a-stop", kills=("hooks/stop",), because="HOK-11")
def asks_the_rest_after_a_stop() -> None:
    def change(good: Any) -> Any:
        async def then_stop(self: Any, station: Any, value: Any) -> Any:
            try:
                return await good(self, station, value)
            except HookStopped:
                for later in self._stations[self._stations.index(station) + 1 :]:
                    await good(self, later, value)
                raise

        return then_stop

    wrap(_Run, "_change", change)


@vice("host", "does-not-say-who-stopped-it", kills=("hooks/stop",), because="HOK-11")
def does_not_say_who_stopped_it() -> None:
    def change(good: Any) -> Any:
        async def by_the_host(self: Any, station: Any, value: Any) -> Any:
            try:
                return await good(self, station, value)
            except HookStopped as stopped:
                raise HookStopped(stopped.message, data={**stopped.data, "by": "host"}) from None

        return by_the_host

    wrap(_Run, "_change", change)


@vice("host", "cuts-a-reason-by-bytes", kills=("hooks/stop-reason",), because="HOK-12")
def cuts_a_reason_by_bytes() -> None:
    def read(good: Any) -> Any:
        def by_bytes(self: Any, link: Any, outcome: Any) -> Any:
            told = good(self, link, outcome)
            cut = None if told.stop is None else told.stop.encode()[:1024].decode("utf-8", "ignore")
            return Told(told.value, cut)

        return by_bytes

    wrap(_Run, "_read", read)


@vice("host", "encodes-values-anew", kills=("hooks/value-bytes",), because="HOK-13")
def encodes_values_anew() -> None:
    def call_to(good: Any) -> Any:
        def anew(self: Any, value: Any, on_outcome: Any) -> Any:
            keep = b"1e400" in bytes(value)
            return good(self, value if keep else Raw(encode_value(decode_value(value))), on_outcome)

        return anew

    wrap(_Run, "_call_to", call_to)


@vice(
    "host",
    "asks-those-who-are-there-now",
    kills=("hooks/links-at-the-beginning", "hooks/link-ended"),
    because="HOK-14",
)
def asks_those_who_are_there_now() -> None:
    services: list[Any] = []

    async def outcome(self: Any, value: Any) -> Any:
        asked: set[str] = set()
        while True:
            found = services[0]._in_order(self._hook)
            station = next((one for one in found if one.link.instance not in asked), None)
            if station is None:
                return {"value": value, "ran": self._ran}
            asked.add(station.link.instance)
            if station.link.observes:
                self._show(station, value)
            else:
                value = await self._change(station, value)

    def init(good: Any) -> Any:
        def noting(self: Any, router: Any) -> None:
            services.append(self)
            good(self, router)

        return noting

    wrap(_Service, "__init__", init)
    good = _Run.outcome

    async def cancelled_as_ever(self: Any, value: Any) -> Any:
        try:
            return await outcome(self, value)
        except asyncio.CancelledError:
            for call in self._shown:
                self._router.cancel(call)
            raise

    assert good
    _Run.outcome = cancelled_as_ever


@vice("host", "passes-over-the-dead", kills=("hooks/link-ended",), because="HOK-14")
def passes_over_the_dead() -> None:
    """A link whose plugin has ended does not fail, whatever its `onError`."""

    def change(good: Any) -> Any:
        async def passing(self: Any, station: Any, value: Any) -> Any:
            gone = station.callee is not None and station.callee.connection.closed
            return value if gone else await good(self, station, value)

        return passing

    wrap(_Run, "_change", change)
