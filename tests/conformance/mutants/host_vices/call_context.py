"""Hosts that mistake the context of a call: meta, progress, deadlines (chapter 04)."""

from typing import Any

from tests.conformance.mutants.vices import vice


def _change_meta(change: Any) -> None:
    """Lets the vice have each meta that goes to a callee."""
    from plugwire_host.routing.link import PluginLink

    make = PluginLink._meta

    def changed(self: Any, call: Any) -> Any:
        meta = make(self, call)
        change(self, call, meta)
        return meta

    PluginLink._meta = changed


@vice("host", "sends-meta-to-everybody", kills=("calls/no-meta", "everywhere/meta-declared"), because="CAL-15")
def sends_meta_to_everybody() -> None:
    from plugwire_host.supervision import launching

    apply = launching._apply

    def with_meta(link: Any, answer: Any) -> None:
        apply(link, answer)
        link.takes_meta = True

    launching._apply = with_meta


@vice("host", "believes-from", kills=("calls/from",), because="CAL-16")
def believes_from() -> None:
    def change(link: Any, call: Any, meta: Any) -> None:
        if call.meta is not None and call.meta.sender:
            meta.sender = call.meta.sender

    _change_meta(change)


@vice("host", "drops-tracestate", kills=("calls/trace-context",), because="CAL-19")
def drops_tracestate() -> None:
    from plugwire.wire.codec import UNSET

    _change_meta(lambda link, call, meta: setattr(meta, "tracestate", UNSET))


@vice("host", "guesses-no-cause", kills=("calls/guessed-cause",), because="CAL-18")
def guesses_no_cause() -> None:
    from plugwire.wire.codec import UNSET
    from plugwire_host.routing.link import PluginLink

    parent_of = PluginLink.parent_of
    PluginLink.parent_of = lambda self, meta: None if meta is None or meta.parent is UNSET else parent_of(self, meta)


@vice("host", "refuses-what-is-given-back", kills=("calls/giving-back",), because="CAL-18")
def refuses_what_is_given_back() -> None:
    from plugwire_host.routing.router import Router

    Router._clears_up = lambda *_: False


@vice("host", "takes-the-oldest-for-the-cause", kills=("calls/named-cause",), because="CAL-29")
def takes_the_oldest_for_the_cause() -> None:
    from plugwire_host.routing.link import PluginLink

    parent_of = PluginLink.parent_of

    def oldest(self: Any, meta: Any) -> Any:
        return None if parent_of(self, meta) is None else self.serving()[0]

    PluginLink.parent_of = oldest


@vice("host", "forgets-tokens-that-are-false", kills=("progress/translated",), because="CAL-27")
def forgets_tokens_that_are_false() -> None:
    from plugwire_host.routing.link import PluginLink

    deliver = PluginLink.deliver_progress

    def if_there_is_one(self: Any, call: Any, value: Any) -> None:
        if call.meta.progress:
            deliver(self, call, value)

    PluginLink.deliver_progress = if_there_is_one


@vice("host", "hands-tokens-through", kills=("progress/one-token-each",), because="CAL-27")
def hands_tokens_through() -> None:
    def change(link: Any, call: Any, meta: Any) -> None:
        came = call.meta.progress if call.meta is not None else None
        if type(came) is int:
            call.token = meta.progress = came
            link._progress[came] = call

    _change_meta(change)


@vice("host", "always-sends-a-token", kills=("progress/not-asked-for",), because="CAL-27")
def always_sends_a_token() -> None:
    def change(link: Any, call: Any, meta: Any) -> None:
        if not call.token:
            meta.progress = 1 << 30

    _change_meta(change)


@vice("host", "takes-any-token-of-one-call", kills=("progress/unknown-token",), because="CAL-28")
def takes_any_token_of_one_call() -> None:
    from plugwire_host.routing.link import PluginLink

    find = PluginLink.progressing

    def or_the_only_one(self: Any, token: Any) -> Any:
        calls = list(self._progress.values())
        return find(self, token) or (calls[0] if len(calls) == 1 else None)

    PluginLink.progressing = or_the_only_one


@vice(
    "host",
    "gives-children-the-time-they-ask-for",
    kills=("deadlines/child", "calls/named-cause"),
    because="CAL-29",
)
def gives_children_the_time_they_ask_for() -> None:
    from plugwire_host.routing.router import Router

    set_deadline = Router._set_deadline

    def alone(self: Any, call: Any, limit: float) -> bool:
        may_begin = bool(set_deadline(self, call, limit))
        call.deadline = call.started_at + limit
        return may_begin

    Router._set_deadline = alone


@vice(
    "host",
    "does-not-tell-callees-of-deadlines",
    kills=("deadlines/exceeded", "deadlines/every-depth"),
    because=("CAL-30", "CAL-23"),
)
def does_not_tell_callees_of_deadlines() -> None:
    from plugwire_host.routing.call import Phase
    from plugwire_host.routing.router import Router

    expired = Router._expired

    def tell_the_caller(self: Any, call: Any) -> None:
        callee = call.callee
        if callee is not None and call.phase is not Phase.QUEUED:
            callee.let_go, let_go = lambda _: None, callee.let_go
            expired(self, call)
            callee.let_go = let_go
        else:
            expired(self, call)

    Router._expired = tell_the_caller


@vice(
    "host",
    "starts-the-clock-at-the-callee",
    kills=("deadlines/waiting", "deadlines/time-left"),
    because="CAL-30",
)
def starts_the_clock_at_the_callee() -> None:
    from plugwire_host.routing.call import Phase
    from plugwire_host.routing.router import Router

    expired = Router._expired

    def unless_it_waits(self: Any, call: Any) -> None:
        if call.callee is None or call.phase is not Phase.QUEUED:
            expired(self, call)

    Router._expired = unless_it_waits


@vice("host", "tells-of-no-time-of-its-own", kills=("deadlines/default",), because="CAL-31")
def tells_of_no_time_of_its_own() -> None:
    from plugwire.wire.codec import UNSET

    def change(link: Any, call: Any, meta: Any) -> None:
        if call.parent is None and (call.meta is None or call.meta.deadline_ms is UNSET):
            meta.deadline_ms = UNSET

    _change_meta(change)


@vice("host", "takes-no-notice-of-call-timeout", kills=("deadlines/configured",), because="CAL-31")
def takes_no_notice_of_call_timeout() -> None:
    from plugwire_host.routing.router import Router

    take = Router.take

    def without(self: Any, call: Any, limit: float | None) -> None:
        self.timeouts.clear()
        take(self, call, limit)

    Router.take = without


@vice("host", "hands-deadlines-through", kills=("deadlines/time-left",), because="CAL-32")
def hands_deadlines_through() -> None:
    from plugwire.wire.codec import UNSET

    def change(link: Any, call: Any, meta: Any) -> None:
        if call.parent is None and call.meta is not None and call.meta.deadline_ms is not UNSET:
            meta.deadline_ms = call.meta.deadline_ms

    _change_meta(change)
