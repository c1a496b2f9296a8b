"""Hosts that lose or repeat calls when a plugin ends (chapter 04)."""

from typing import Any

from tests.conformance.mutants.vices import vice


@vice(
    "host",
    "says-unavailable-of-what-waited",
    kills=("crashes/every-call-answered", "crashes/delivered"),
    because="CAL-35",
)
def says_unavailable_of_what_waited() -> None:
    from plugwire_host.routing.router import Router

    lost = Router.link_lost

    def flushed(self: Any, link: Any, status: str) -> None:
        self.flush_queue(link, status)
        lost(self, link, status)

    Router.link_lost = flushed


@vice("host", "takes-a-signal-for-an-exit-code", kills=("crashes/how-it-ended",), because="CAL-35")
def takes_a_signal_for_an_exit_code() -> None:
    from plugwire_host.routing import router

    crashed = router.crashed
    router.crashed = lambda call, instance, status: crashed(
        call, instance, status.replace("signal SIGSEGV", "exit code -11")
    )


@vice("host", "says-crashed-of-what-it-stops", kills=("crashes/while-stopping",), because="CAL-35")
def says_crashed_of_what_it_stops() -> None:
    from plugwire_host.routing.router import Router

    Router.flush_queue = lambda *_: None


@vice("host", "takes-no-progress-for-a-beginning", kills=("crashes/delivered",), because="CAL-36")
def takes_no_progress_for_a_beginning() -> None:
    from plugwire_host.routing.router import Router

    progress = Router.progress

    def unnoted(self: Any, call: Any, value: Any) -> None:
        phase = call.phase
        progress(self, call, value)
        call.phase = phase

    Router.progress = unnoted


@vice("host", "makes-calls-again-elsewhere", kills=("crashes/not-twice",), because="CAL-37")
def makes_calls_again_elsewhere() -> None:
    from plugwire.wire import RequestError
    from plugwire_host.routing.router import Router

    lost = Router.link_lost

    def tried_again(self: Any, link: Any, status: str) -> None:
        for number, call in list(link.peer.outgoing.items()):
            try:
                callee, _ = self.registry.choose(call.method, link.name, {})
            except (AttributeError, RequestError):
                continue
            del link.peer.outgoing[number]
            self.dispatch(call, callee, 60.0)
        lost(self, link, status)

    Router.link_lost = tried_again


@vice("host", "makes-calls-again-after-a-restart", kills=("crashes/not-twice",), because="CAL-37")
def makes_calls_again_after_a_restart() -> None:
    from plugwire_host.routing.call import Call
    from plugwire_host.routing.router import Router
    from plugwire_host.supervision.supervisor import Supervisor

    left: dict[str, list[Any]] = {}
    lost, become_ready = Router.link_lost, Supervisor.become_ready

    def noted(self: Any, link: Any, status: str) -> None:
        left.setdefault(link.name, []).extend(one for one in link.peer.outgoing.values() if isinstance(one, Call))
        lost(self, link, status)

    def sent_again(self: Any) -> None:
        become_ready(self)
        for call in left.pop(self.name, []):
            self.launched.link.send(call)

    Router.link_lost = noted
    Supervisor.become_ready = sent_again


@vice("host", "works-on-for-dead-callers", kills=("crashes/of-the-caller",), because="CAL-38")
def works_on_for_dead_callers() -> None:
    from plugwire_host.routing.router import Router

    lost = Router.link_lost

    def calls_kept(self: Any, link: Any, status: str) -> None:
        link.requests = {}
        lost(self, link, status)

    Router.link_lost = calls_kept
