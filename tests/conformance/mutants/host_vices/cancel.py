"""Hosts that cancel what they should not, or do not end what they should (chapter 04)."""

from typing import Any

from tests.conformance.mutants.vices import vice


def _cancels_of(find: Any) -> None:
    """Lets the vice find the call of a cancel whose id is not in flight from its sender."""
    from plugwire.wire import codec
    from plugwire.wire.peer import Peer
    from plugwire_host.routing.link import PluginLink

    links: list[Any] = []
    make, receive = PluginLink.__init__, Peer._receive_notification

    def noted(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        links.append(self)

    def cancelled(self: Any, method: str, params: Any) -> Any:
        arrival = receive(self, method, params)
        if method == "$/cancelRequest" and params is not None and type(arrival).__name__ == "MessageIgnored":
            for link, call in find(self, links, codec.decode_cancelled_id(params)):
                link._router.cancel(call)
        return arrival

    PluginLink.__init__ = noted
    Peer._receive_notification = cancelled


@vice("host", "compares-cancelled-ids-as-text", kills=("cancel/not-in-flight",), because="CAL-21")
def compares_cancelled_ids_as_text() -> None:
    def find(peer: Any, links: Any, wanted: Any) -> Any:
        here = [(link, call) for link in links if link.peer is peer for call in list(link.requests.values())]
        return [(link, call) for link, call in here if str(call.caller_id) == str(wanted)]

    _cancels_of(find)


@vice("host", "cancels-for-anybody", kills=("cancel/of-another-plugin",), because="CAL-22")
def cancels_for_anybody() -> None:
    def find(peer: Any, links: Any, wanted: Any) -> Any:
        calls = [(link, call) for link in links for call in list(link.requests.values())]
        return [(link, call) for link, call in calls if type(wanted) is int and call.caller_id == wanted]

    _cancels_of(find)


@vice("host", "cancels-children-only", kills=("cancel/every-depth",), because="CAL-23")
def cancels_children_only() -> None:
    from plugwire.requests import error_object
    from plugwire.wire import RequestCancelled
    from plugwire_host.routing.router import Router

    def children(self: Any, call: Any) -> None:
        for child in list(call.children or ()):
            self.finish(child, error_object(RequestCancelled("its cause has ended")))
            if child.callee is not None:
                child.callee.let_go(child)

    Router._abandon_children = children


@vice(
    "host",
    "leaves-ended-calls-in-the-queue",
    kills=("cancel/waiting", "cancel/storm", "deadlines/waiting", "crashes/of-the-caller"),
    because=("CAL-24", "CAL-30", "CAL-38"),
)
def leaves_ended_calls_in_the_queue() -> None:
    from plugwire_host.routing.call import Phase
    from plugwire_host.routing.link import PluginLink

    let_go = PluginLink.let_go
    PluginLink.let_go = lambda self, call: None if call.phase is Phase.QUEUED else let_go(self, call)


@vice(
    "host",
    "waits-for-who-was-cancelled",
    kills=("cancel/callee-does-not-react", "cancel/late-answer"),
    because="CAL-24",
)
def waits_for_who_was_cancelled() -> None:
    from plugwire_host.routing.call import Phase
    from plugwire_host.routing.router import Router

    cancel = Router.cancel

    def tell_only(self: Any, call: Any) -> None:
        if call is None or call.phase is Phase.QUEUED or call.callee is None:
            cancel(self, call)
        else:
            call.callee.let_go(call)
            self._abandon_children(call)

    Router.cancel = tell_only


@vice("host", "takes-late-errors-amiss", kills=("cancel/late-answer",), because="CAL-39")
def takes_late_errors_amiss() -> None:
    from plugwire.wire import ErrorObject, RemoteProtocolError
    from plugwire_host.routing.router import Router

    answered = Router.answered

    def or_end(self: Any, call: Any, outcome: Any) -> None:
        if call.done and isinstance(outcome, ErrorObject) and outcome.code > 0:
            call.callee.connection.close(RemoteProtocolError("it answered what nobody asked"))
        answered(self, call, outcome)

    Router.answered = or_end


@vice("host", "keeps-the-slots-of-cancelled-calls", kills=("cancel/storm",), because="CAL-24")
def keeps_the_slots_of_cancelled_calls() -> None:
    from plugwire.wire import ErrorObject
    from plugwire_host.routing.router import Router

    answered = Router.answered

    def kept(self: Any, call: Any, outcome: Any) -> None:
        if call.done and isinstance(outcome, ErrorObject) and outcome.code == -32800:
            call.callee.peer.outgoing[call.callee_id] = call
        answered(self, call, outcome)

    Router.answered = kept
