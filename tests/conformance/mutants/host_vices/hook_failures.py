"""Hosts that do not do with failures and observers as chapter 07 wants it."""

import asyncio
from typing import Any

from plugwire.wire import ErrorCode, ErrorObject, HookStopped, RequestError
from plugwire.wire.codec import decode_value
from plugwire_host.services.hooks import order, run, service
from plugwire_host.services.hooks.run import HookRun, Told
from plugwire_host.services.hooks.service import HookService
from tests.conformance.mutants.patching import wrap
from tests.conformance.mutants.vices import vice

# What is patched is patched without the checks of types.
_Run: Any = HookRun
_Service: Any = HookService
_service: Any = service
_run: Any = run
_order: Any = order


def _fields(link: Any) -> dict[str, Any]:
    return {name: getattr(link, name) for name in link.__slots__}


@vice(
    "host",
    "takes-both-for-a-stop",
    kills=("hooks/failure-continues", "hooks/failure-fails"),
    because=("HOK-19", "HOK-20"),
)
def takes_both_for_a_stop() -> None:
    def read(good: Any) -> Any:
        def first_stop(self: Any, link: Any, outcome: Any) -> Any:
            if not isinstance(outcome, ErrorObject):
                result = decode_value(outcome)
                if isinstance(result, dict) and result.get("stop") == {"reason": "no"}:
                    return Told(stop="no")
            return good(self, link, outcome)

        return first_stop

    wrap(_Run, "_read", read)


@vice("host", "takes-nonsense-for-kept", kills=("hooks/failure-fails",), because="HOK-20")
def takes_nonsense_for_kept() -> None:
    """What is no HookAnswer leaves the value as it is, even where the link may fail the run."""

    def read(good: Any) -> Any:
        def kindly(self: Any, link: Any, outcome: Any) -> Any:
            try:
                return good(self, link, outcome)
            except RequestError:
                if link.fails and not isinstance(outcome, ErrorObject):
                    return Told()
                raise

        return kindly

    wrap(_Run, "_read", read)


def _without_warnings(about: str) -> None:
    """The host says nothing to people that has these words."""

    def init(good: Any) -> Any:
        def silent(self: Any, router: Any, *rest: Any) -> None:
            good(self, _Silent(router, about), *rest)

        return silent

    wrap(_Run, "__init__", init)


class _Silent:
    """The router, which keeps some things to itself."""

    def __init__(self, router: Any, about: str) -> None:
        self._router, self._about = router, about

    def __getattr__(self, name: str) -> Any:
        return getattr(self._router, name)

    def warn(self, instance: str, what: str) -> None:
        if self._about not in what:
            self._router.warn(instance, what)


@vice("host", "says-nothing-of-links-that-fail", kills=("hooks/failure-reported",), because="HOK-19")
def says_nothing_of_links_that_fail() -> None:
    _without_warnings("goes on as it was")


@vice("host", "says-nothing-of-observers-that-fail", kills=("hooks/observer-failure-reported",), because="HOK-22")
def says_nothing_of_observers_that_fail() -> None:
    _without_warnings("failed to observe")


@vice("host", "says-nothing-of-who-is-left-out", kills=("hooks/observer-bounded",), because="HOK-24")
def says_nothing_of_who_is_left_out() -> None:
    _without_warnings("left out")


@vice(
    "host",
    "goes-on-whatever-fails",
    kills=(
        "hooks/failure-fails",
        "hooks/own-error",
        "hooks/link-ended",
        "hooks/busy-with-the-run",
    ),
    because=("HOK-20", "HOK-14", "HOK-16"),
)
def goes_on_whatever_fails() -> None:
    def station(good: Any) -> Any:
        return lambda self, link: good(self, _order.Link(**{**_fields(link), "fails": False}))

    wrap(_Service, "_station", station)


@vice("host", "makes-its-own-error-of-a-links", kills=("hooks/own-error",), because="HOK-20")
def makes_its_own_error_of_a_links() -> None:
    def read(good: Any) -> Any:
        def in_its_own_words(self: Any, link: Any, outcome: Any) -> Any:
            if isinstance(outcome, ErrorObject) and outcome.code > -32000:
                raise RequestError(f"the link of {link.instance} failed: {outcome.message}")
            return good(self, link, outcome)

        return in_its_own_words

    wrap(_Run, "_read", read)


@vice("host", "shows-the-value-as-it-came", kills=("hooks/observer",), because="HOK-21")
def shows_the_value_as_it_came() -> None:
    def outcome(good: Any) -> Any:
        async def remembering(self: Any, value: Any) -> Any:
            show = self._show
            self._show = lambda station, _: show(station, value)
            return await good(self, value)

        return remembering

    wrap(_Run, "outcome", outcome)


@vice(
    "host",
    "waits-for-observers",
    kills=(
        "hooks/observer",
        "hooks/observer-left-to-end",
        "hooks/observer-cancelled",
        "hooks/observer-out-of-time",
        "hooks/observer-bounded",
    ),
    because=("HOK-21", "HOK-23", "HOK-24"),
)
def waits_for_observers() -> None:
    async def outcome(self: Any, value: Any) -> Any:
        for station in self._stations:
            if station.link.observes:
                self._show(station, value)
                while station.observing.items:
                    await asyncio.sleep(0.005)
            else:
                value = await self._change(station, value)
        return {"value": value, "ran": self._ran}

    _Run.outcome = outcome


@vice("host", "an-observer-may-stop", kills=("hooks/observer-answers",), because="HOK-22")
def an_observer_may_stop() -> None:
    def read(good: Any) -> Any:
        def noting(self: Any, link: Any, outcome: Any) -> Any:
            told = good(self, link, outcome)
            if link.observes and told.stop is not None:
                self.stopped_by = link.instance
            return told

        return noting

    def outcome(good: Any) -> Any:
        async def unless_stopped(self: Any, value: Any) -> Any:
            answer = await good(self, value)
            if hasattr(self, "stopped_by"):
                raise HookStopped("stopped", data={"by": self.stopped_by, "reason": "", "hook": self._hook})
            return answer

        return unless_stopped

    wrap(_Run, "_read", read)
    wrap(_Run, "outcome", outcome)


@vice(
    "host",
    "cancels-observers-at-the-end",
    kills=("hooks/observer-left-to-end",),
    because="HOK-23",
)
def cancels_observers_at_the_end() -> None:
    def outcome(good: Any) -> Any:
        async def then_cancel(self: Any, value: Any) -> Any:
            try:
                return await good(self, value)
            finally:
                for call in self._shown:
                    self._router.cancel(call)

        return then_cancel

    wrap(_Run, "outcome", outcome)


@vice("host", "leaves-observers-alone", kills=("hooks/observer-cancelled",), because="HOK-23")
def leaves_observers_alone() -> None:
    """Cancels no observer; its time is still that of the run."""

    def show(good: Any) -> Any:
        def and_forget(self: Any, station: Any, value: Any) -> None:
            good(self, station, value)
            self._shown.clear()

        return and_forget

    wrap(_Run, "_show", show)


class _Unrelated:
    """The router, for which calls have no cause."""

    def __init__(self, router: Any) -> None:
        self._router = router

    def __getattr__(self, name: str) -> Any:
        return getattr(self._router, name)

    def dispatch(self, call: Any, callee: Any, limit: float) -> None:
        call.parent = None
        self._router.dispatch(call, callee, limit)


@vice(
    "host",
    "observers-outlive-the-run",
    kills=("hooks/observer-cancelled", "hooks/observer-out-of-time"),
    because="HOK-23",
)
def observers_outlive_the_run() -> None:
    def show(good: Any) -> Any:
        def on_its_own(self: Any, station: Any, value: Any) -> None:
            router, self._router = self._router, _Unrelated(self._router)
            good(self, station, value)
            self._router = router
            self._shown.clear()

        return on_its_own

    wrap(_Run, "_show", show)


@vice("host", "does-not-say-too-large", kills=("hooks/too-large-for-a-link",), because="HOK-20")
def does_not_say_too_large() -> None:
    def read(good: Any) -> Any:
        def failed_somehow(self: Any, link: Any, outcome: Any) -> Any:
            if isinstance(outcome, ErrorObject) and outcome.code == ErrorCode.PAYLOAD_TOO_LARGE:
                raise RequestError("the value cannot be shown to a link")
            return good(self, link, outcome)

        return failed_somehow

    wrap(_Run, "_read", read)


@vice("host", "keeps-all-for-observers", kills=("hooks/observer-bounded",), because="HOK-24")
def keeps_all_for_observers() -> None:
    from plugwire_host.routing import queue

    _run.OBSERVER_BYTES = 1 << 40
    queue.QUEUE_BYTES = 1 << 40  # or they would find no room before the plugin
