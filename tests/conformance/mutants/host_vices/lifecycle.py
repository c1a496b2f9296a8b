"""Hosts that open a conversation wrongly, or do not end a plugin well (chapter 03)."""

import os
from typing import Any

from tests.conformance.mutants.host_vices.patches import after, before
from tests.conformance.mutants.vices import vice


@vice("host", "answers-no-ping-while-stopping", kills=("lifecycle/ping",), because="LIF-18")
def answers_no_ping_while_stopping() -> None:
    from plugwire.wire import ErrorCode, State
    from plugwire.wire.peer import Peer

    check = Peer._check_received

    def strict(self: Any, request_id: Any, method: str) -> Any:
        if method == "ping" and self.state is State.STOPPING:
            return self._reject(ErrorCode.NOT_INITIALIZED, "stopping", request_id)
        return check(self, request_id, method)

    Peer._check_received = strict


@vice(
    "host",
    "tells-of-services-too-early",
    kills=("lifecycle/opening", "everywhere/initialize-first"),
    because="LIF-03",
)
def tells_of_services_too_early() -> None:
    _after_initialize(
        b'{"jsonrpc":"2.0","method":"service/changed",'
        b'"params":{"service":"x","version":"1","instance":"x","state":"available"}}'
    )


def _after_initialize(body: bytes) -> None:
    from plugwire_host.routing.link import PluginLink

    request = PluginLink.request

    async def and_more(self: Any, method: str, *params: Any) -> Any:
        if method == "initialize" and self.name == "a":
            self._router.loop.call_soon(self.connection.send, self.peer._frame(body))
        return await request(self, method, *params)

    PluginLink.request = and_more


@vice(
    "host",
    "asks-before-initialized",
    kills=("lifecycle/opening", "everywhere/initialized-before-requests"),
    because="LIF-08",
)
def asks_before_initialized() -> None:
    from plugwire_host.supervision.supervisor import Supervisor

    def ask(self: Any) -> None:
        connection, peer = self.launched.link.connection, self.launched.link.peer
        connection.send(peer._frame(b'{"jsonrpc":"2.0","id":2000000000,"method":"x/early"}'))

    before(Supervisor, "become_ready", ask)


@vice("host", "does-not-know-what-is-too-early", kills=("lifecycle/early-request",), because="LIF-01")
def does_not_know_what_is_too_early() -> None:
    from plugwire.wire import ErrorCode
    from plugwire.wire.peer import Peer

    reject = Peer._reject

    def otherwise(self: Any, code: Any, *more: Any) -> Any:
        return reject(self, ErrorCode.METHOD_NOT_FOUND if code == ErrorCode.NOT_INITIALIZED else code, *more)

    Peer._reject = otherwise


@vice("host", "keeps-early-notifications-for-later", kills=("lifecycle/early-notification",), because="LIF-02")
def keeps_early_notifications_for_later() -> None:
    """They are forwarded right before the first that comes in time."""
    from plugwire.wire import NotificationReceived
    from plugwire.wire.codec import Raw
    from plugwire_host.routing.router import Router

    forward = Router.notification_from

    def and_catch_up(self: Any, link: Any, arrival: Any) -> None:
        early, link.peer.early = getattr(link.peer, "early", ()), ()
        for method, params in early:
            forward(self, link, NotificationReceived(method, Raw(params)))
        forward(self, link, arrival)

    Router.notification_from = and_catch_up
    _keep_early()


def _keep_early() -> None:
    from plugwire.wire import State
    from plugwire.wire.codec import UNSET
    from plugwire.wire.peer import Peer

    def keep(self: Any, envelope: Any) -> None:
        if envelope.id is UNSET and self.state is State.INITIALIZING and envelope.method != "log/write":
            self.early = [*getattr(self, "early", ()), (envelope.method, bytes(envelope.params))]

    before(Peer, "_receive_request", keep)


@vice("host", "takes-any-major-version", kills=("lifecycle/other-major",), because="LIF-06")
def takes_any_major_version() -> None:
    from plugwire_host.supervision import handshake

    handshake._check_version = lambda version: None


@vice("host", "wants-its-own-minor-version", kills=("lifecycle/other-minor",), because="LIF-07")
def wants_its_own_minor_version() -> None:
    from plugwire_host.supervision import handshake

    def strict(version: str) -> None:
        if version.startswith("1.") and version != "1.0":
            raise handshake.HandshakeRefused("version", f"it speaks {version}", "")

    before(handshake, "_check_version", strict)


@vice("host", "refuses-unknown-capabilities", kills=("lifecycle/unknown-capability",), because="LIF-11")
def refuses_unknown_capabilities() -> None:
    from plugwire_host.supervision import handshake, launching

    read = launching.read_answer

    def strict(outcome: Any) -> Any:
        answer = read(outcome)
        unknown = answer.raw.get("capabilities", {}).keys() - {"meta", "concurrency", "memory"}
        if unknown:
            raise handshake.HandshakeRefused("handshake", f"unknown capabilities {unknown}", "")
        return answer

    launching.read_answer = strict


@vice("host", "wants-a-list-of-services", kills=("lifecycle/smallest-answer",), because="LIF-12")
def wants_a_list_of_services() -> None:
    from plugwire_host.supervision import handshake, launching

    read = launching.read_answer

    def strict(outcome: Any) -> Any:
        answer = read(outcome)
        if "provides" not in answer.raw:
            raise handshake.HandshakeRefused("handshake", "it provides nothing", "")
        return answer

    launching.read_answer = strict


@vice("host", "waits-for-ever-for-the-answer", kills=("lifecycle/mute",), because="LIF-10")
def waits_for_ever_for_the_answer() -> None:
    import attrs

    from plugwire_host.supervision import supervisor

    launch = supervisor.launch
    supervisor.launch = lambda spec, surroundings: launch(attrs.evolve(spec, start_timeout=1e6), surroundings)


@vice("host", "does-not-say-how-it-ended", kills=("lifecycle/dies-at-its-start",), because="LIF-10")
def does_not_say_how_it_ended() -> None:
    from plugwire_host.supervision import launching

    launching.describe_status = lambda code: "somehow"


@vice("host", "knows-no-sigterm", kills=("ending/in-order",), because="LIF-14")
def knows_no_sigterm() -> None:
    from plugwire_host.process.child import Child

    Child.terminate_group = lambda self: None


@vice("host", "lets-plugins-inherit-pipes", kills=("ending/host-is-killed", "ending/in-order"), because="LIF-14")
def lets_plugins_inherit_pipes() -> None:
    from plugwire_host.process import child

    make, popen = child._pipe, child.subprocess.Popen

    def inheritable() -> tuple[int, int]:
        ends = make()
        os.set_inheritable(ends[1], True)
        return ends

    child._pipe = inheritable
    child.subprocess.Popen = lambda *args, **more: popen(*args, **more | {"close_fds": False})


@vice("host", "waits-for-the-process-alone", kills=("ending/output-closed",), because="LIF-17")
def waits_for_the_process_alone() -> None:
    from plugwire_host.supervision.launching import Launched

    async def wait(self: Any) -> None:
        await self.child.wait_exited()
        self.link.connection.close()

    Launched.wait_ended = wait


@vice("host", "waits-for-the-output-alone", kills=("ending/process-gone",), because="LIF-17")
def waits_for_the_output_alone() -> None:
    from plugwire_host.supervision.launching import Launched

    async def wait(self: Any) -> None:
        await self.closed
        await self.child.wait_exited()

    Launched.wait_ended = wait


@vice("host", "forgets-what-was-said-last", kills=("ending/last-words",), because="LIF-17")
def forgets_what_was_said_last() -> None:
    from plugwire.connection import Connection

    receive = Connection.data_received
    # What has just come is looked at a little later; by then the connection may be closed.
    Connection.data_received = lambda self, data: self._loop.call_later(0.1, receive, self, data) and None


@vice("host", "ends-the-callee-of-who-has-died", kills=("ending/others-go-on",), because="LIF-19")
def ends_the_callee_of_who_has_died() -> None:
    from plugwire_host.routing.router import Router

    def end(self: Any, link: Any, status: str) -> None:
        for call in link.requests.values():
            callee = getattr(call, "callee", None)
            if callee is not None and len(callee.serving()) > 1 and link.serving():
                callee.connection.close()

    before(Router, "link_lost", end)


@vice("host", "restarts-without-end", kills=("ending/restart-budget",), because="LIF-20")
def restarts_without_end() -> None:
    from plugwire_host.supervision.restarts import RestartBudget

    RestartBudget.next_delay = lambda self, now: 0.02


@vice("host", "waits-until-a-plugin-reads", kills=("robustness/never-reads",), because="LIF-18")
def waits_until_a_plugin_reads() -> None:
    import time

    from plugwire.connection import Connection

    def wait(self: Any, data: bytes) -> None:
        if self.backlog > 4_000_000:
            time.sleep(600)

    before(Connection, "_write", wait)


@vice("host", "drops-answers-that-wait", kills=("robustness/unread-answers",), because="MSG-17")
def drops_answers_that_wait() -> None:
    from plugwire.connection import Connection

    write = Connection._write
    Connection._write = lambda self, data: write(self, data) if self.backlog < 16_000 or len(data) > 200 else None


@vice("host", "ends-at-a-bad-byte", kills=("robustness/mutated-bytes",), because="LIF-19")
def ends_at_a_bad_byte() -> None:
    from plugwire.wire.errors import RemoteProtocolError
    from plugwire.wire.header_framing import HeaderReader

    def end(self: Any, why: str) -> RemoteProtocolError:
        os._exit(70)

    HeaderReader._lost = end


@vice("host", "tells-half-of-its-limits", kills=("everywhere/params-fit",), because=("LIF-03", "MSG-03"))
def tells_half_of_its_limits() -> None:
    from plugwire_host.supervision.surroundings import Surroundings

    introduce = Surroundings.introduce

    def half(self: Any, spec: Any) -> Any:
        params = introduce(self, spec)
        params["processId"] = str(params["processId"])
        return params

    Surroundings.introduce = half


@vice("host", "ends-a-watch-with-an-object", kills=("everywhere/results-fit",), because="MSG-05")
def ends_a_watch_with_an_object() -> None:
    from plugwire_host.services.state.service import StateService

    after(StateService, "_unwatch", lambda result: {})
