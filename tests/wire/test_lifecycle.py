"""Which message may come and go in which state, for both ends. Spec 03."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from plugwire.wire import (
    ErrorObject,
    LocalProtocolError,
    MessageIgnored,
    NotificationReceived,
    Peer,
    RequestReceived,
    Role,
)
from tests.wire.helpers import ConnectionPair, body_of, give, give_one, plain, rejection

STATES = ["created", "initializing", "ready", "stopping", "exited"]


def host_in(state: str) -> Peer[Any]:
    peer: Peer[Any] = Peer(Role.HOST)
    if state in ("initializing", "ready", "stopping"):
        peer.send_request("initialize", call="initialize")
    if state in ("ready", "stopping"):
        give(peer, b'{"jsonrpc":"2.0","id":1,"result":{}}')
        peer.send_notification("initialized")
    if state == "stopping":
        peer.send_request("shutdown", call="shutdown")
    if state == "exited":
        peer.send_notification("exit")
    return peer


def plugin_in(state: str) -> Peer[Any]:
    peer: Peer[Any] = Peer(Role.PLUGIN)
    if state in ("initializing", "ready", "stopping"):
        give(peer, b'{"jsonrpc":"2.0","id":0,"method":"initialize"}')
        peer.send_result(0, {})
    if state in ("ready", "stopping"):
        give(peer, b'{"jsonrpc":"2.0","method":"initialized"}')
    if state == "stopping":
        give(peer, b'{"jsonrpc":"2.0","id":0,"method":"shutdown"}')
    if state == "exited":
        give(peer, b'{"jsonrpc":"2.0","method":"exit"}')
    return peer


MAKERS: dict[Role, Callable[[str], Peer[Any]]] = {Role.HOST: host_in, Role.PLUGIN: plugin_in}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", [Role.HOST, Role.PLUGIN])
def test_the_states_of_this_file_are_those_of_a_peer(role: Role, state: str) -> None:
    assert MAKERS[role](state).state.value == state


# What is received. Of each method: the states in which it has its effect.

ANY = ["created", "initializing", "ready", "stopping"]
TO_PLUGIN: dict[str, tuple[str, list[str]]] = {
    "initialize": ("request", ["created"]),
    "initialized": ("notification", ["initializing"]),
    "shutdown": ("request", ["ready"]),
    "exit": ("notification", ANY),
    "ping": ("request", ANY),
    "$/progress": ("notification", ["ready", "stopping"]),
    "service/changed": ("notification", ["ready", "stopping"]),
    "a/b": ("request", ["ready"]),
    "a/n": ("notification", ["ready"]),
    "$/x": ("notification", ["ready"]),
}
TO_HOST: dict[str, tuple[str, list[str]]] = {
    "ping": ("request", ANY),
    "$/progress": ("notification", ["ready", "stopping"]),
    "service/list": ("request", ["ready"]),
    "log/write": ("notification", ["initializing", "ready", "stopping"]),
    "a/b": ("request", ["ready"]),
    "a/n": ("notification", ["ready"]),
}
TABLE = [
    pytest.param(role, method, kind, state, state in states, id=f"{role.value}-{method}-{state}")
    for role, table in ((Role.PLUGIN, TO_PLUGIN), (Role.HOST, TO_HOST))
    for method, (kind, states) in table.items()
    for state in STATES
]
REFUSAL = {"initialize": -32600}


@pytest.mark.requirement("LIF-01", "LIF-02", "LIF-18")
@pytest.mark.parametrize(("role", "method", "kind", "state", "is_allowed"), TABLE)
def test_a_message_has_its_effect_in_its_states_only(
    role: Role, method: str, kind: str, state: str, is_allowed: bool
) -> None:
    peer = MAKERS[role](state)
    before = dict(peer.incoming)
    if kind == "request":
        arrival = give_one(peer, b'{"jsonrpc":"2.0","id":5,"method":"%b"}' % method.encode())
        if is_allowed:
            assert arrival == RequestReceived(5, method, None, None)
            assert peer.incoming == {**before, 5: method}
        else:
            assert rejection(arrival) == (REFUSAL.get(method, -32002), 5)
    else:
        arrival = give_one(peer, b'{"jsonrpc":"2.0","method":"%b"}' % method.encode())
        if is_allowed:
            assert arrival == NotificationReceived(method, None)
        else:
            assert isinstance(arrival, MessageIgnored)
    if not is_allowed:
        assert peer.state.value == state
        assert peer.incoming == before


@pytest.mark.requirement("LIF-01")
@pytest.mark.parametrize("state", STATES)
def test_a_cancel_is_heard_in_every_state_but_the_last(state: str) -> None:
    peer = plugin_in(state)
    arrivals = give(
        peer,
        b'{"jsonrpc":"2.0","id":5,"method":"ping"}',
        b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":5}}',
    )
    expected = "MessageIgnored" if state == "exited" else "CancelRequested"
    assert type(arrivals[1]).__name__ == expected


AFTER = [
    ("created", b'{"jsonrpc":"2.0","id":5,"method":"initialize"}', "initializing"),
    ("initializing", b'{"jsonrpc":"2.0","method":"initialized"}', "ready"),
    ("ready", b'{"jsonrpc":"2.0","id":5,"method":"shutdown"}', "stopping"),
    *((state, b'{"jsonrpc":"2.0","method":"exit"}', "exited") for state in ANY),
    *((state, b'{"jsonrpc":"2.0","id":5,"method":"ping"}', state) for state in ANY),
    ("ready", b'{"jsonrpc":"2.0","id":5,"method":"a/b"}', "ready"),
]


@pytest.mark.parametrize(("state", "body", "following"), AFTER)
def test_a_plugin_follows_the_table_of_states(state: str, body: bytes, following: str) -> None:
    peer = plugin_in(state)
    give(peer, body)
    assert peer.state.value == following


@pytest.mark.parametrize("state", ANY)
@pytest.mark.parametrize("role", [Role.HOST, Role.PLUGIN])
def test_the_end_of_the_stream_ends_every_state(role: Role, state: str) -> None:
    peer = MAKERS[role](state)
    peer.receive_eof()
    assert peer.state.value == "exited"
    peer.receive_eof()
    assert peer.state.value == "exited"


def test_the_end_of_the_stream_after_exit_changes_nothing() -> None:
    peer = plugin_in("exited")
    assert peer.receive_eof() is None
    assert peer.state.value == "exited"


# Directions and kinds


@pytest.mark.requirement("LIF-01", "CAL-06")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("role", "method"),
    [
        (Role.HOST, "initialize"),
        (Role.HOST, "shutdown"),
        (Role.HOST, "initialized"),
        (Role.HOST, "exit"),
        (Role.HOST, "service/changed"),
        (Role.HOST, "log/write"),
        (Role.HOST, "$/progress"),
        (Role.PLUGIN, "service/list"),
        (Role.PLUGIN, "log/write"),
        (Role.PLUGIN, "initialized"),
        (Role.PLUGIN, "exit"),
        (Role.PLUGIN, "$/cancelRequest"),
    ],
)
def test_a_request_that_does_not_go_this_way_is_a_method_not_found(role: Role, method: str, state: str) -> None:
    peer = MAKERS[role](state)
    body = json.dumps({"jsonrpc": "2.0", "id": 5, "method": method}).encode()
    assert rejection(give_one(peer, body)) == (-32601, 5)
    assert peer.state.value == state


@pytest.mark.requirement("LIF-02", "MSG-18")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("role", "method"),
    [
        (Role.HOST, "initialized"),
        (Role.HOST, "exit"),
        (Role.HOST, "initialize"),
        (Role.HOST, "shutdown"),
        (Role.HOST, "ping"),
        (Role.HOST, "service/changed"),
        (Role.HOST, "service/list"),
        (Role.PLUGIN, "log/write"),
        (Role.PLUGIN, "initialize"),
        (Role.PLUGIN, "shutdown"),
        (Role.PLUGIN, "ping"),
    ],
)
def test_a_notification_that_does_not_go_this_way_is_ignored(role: Role, method: str, state: str) -> None:
    peer = MAKERS[role](state)
    body = json.dumps({"jsonrpc": "2.0", "method": method}).encode()
    assert isinstance(give_one(peer, body), MessageIgnored)
    assert peer.state.value == state


# What is sent

FROM_HOST: dict[str, tuple[str, list[str]]] = {
    "initialize": ("request", ["created"]),
    "shutdown": ("request", ["ready"]),
    "exit": ("notification", ANY),
    "ping": ("request", ANY),
    "$/progress": ("notification", ["ready", "stopping"]),
    "service/changed": ("notification", ["ready", "stopping"]),
    "a/b": ("request", ["ready"]),
    "a/n": ("notification", ["ready"]),
    "service/list": ("request", []),
    "log/write": ("notification", []),
}
FROM_PLUGIN: dict[str, tuple[str, list[str]]] = {
    "ping": ("request", ANY),
    "$/progress": ("notification", ["ready", "stopping"]),
    "service/list": ("request", ["ready"]),
    "log/write": ("notification", ["initializing", "ready", "stopping"]),
    "a/b": ("request", ["ready"]),
    "a/n": ("notification", ["ready"]),
    "initialize": ("request", []),
    "initialized": ("notification", []),
    "shutdown": ("request", []),
    "exit": ("notification", []),
    "service/changed": ("notification", []),
}


@pytest.mark.requirement("LIF-01", "LIF-03", "LIF-09")
@pytest.mark.parametrize(
    ("role", "method", "kind", "state", "is_allowed"),
    [
        pytest.param(role, method, kind, state, state in states, id=f"{role.value}-{method}-{state}")
        for role, table in ((Role.HOST, FROM_HOST), (Role.PLUGIN, FROM_PLUGIN))
        for method, (kind, states) in table.items()
        for state in STATES
    ],
)
def test_a_peer_sends_a_method_in_its_states_and_direction_only(
    role: Role, method: str, kind: str, state: str, is_allowed: bool
) -> None:
    peer = MAKERS[role](state)
    before = dict(peer.outgoing)

    def send(as_kind: str) -> bytes:
        if as_kind == "request":
            return peer.send_request(method, call="c")[1]
        return peer.send_notification(method)

    if "/" not in method or method.startswith(("$", "service", "log")):
        with pytest.raises(LocalProtocolError):
            send("notification" if kind == "request" else "request")
    if is_allowed:
        body = json.loads(body_of(send(kind)))
        assert body["method"] == method
        assert ("id" in body) == (kind == "request")
        return
    with pytest.raises(LocalProtocolError):
        send(kind)
    assert peer.outgoing == before
    assert peer.state.value == state


@pytest.mark.requirement("LIF-08")
def test_a_host_sends_initialized_after_the_answer_and_once() -> None:
    peer: Peer[str] = Peer(Role.HOST)
    with pytest.raises(LocalProtocolError):
        peer.send_notification("initialized")
    peer.send_request("initialize", call="c")
    with pytest.raises(LocalProtocolError):
        peer.send_notification("initialized")
    with pytest.raises(LocalProtocolError):
        peer.send_request("a/b", call="c")
    give(peer, b'{"jsonrpc":"2.0","id":1,"result":{}}')
    with pytest.raises(LocalProtocolError):
        peer.send_request("a/b", call="c")
    assert body_of(peer.send_notification("initialized")) == b'{"jsonrpc":"2.0","method":"initialized"}'
    assert peer.state.value == "ready"
    with pytest.raises(LocalProtocolError):
        peer.send_notification("initialized")


# Refusals


@pytest.mark.requirement("LIF-01")
def test_a_refused_initialize_may_be_tried_again() -> None:
    pair = ConnectionPair()
    for attempt in (1, 2):
        request_id, data = pair.host.send_request("initialize", call=f"attempt {attempt}")
        assert request_id == attempt
        pair.carry(pair.host, data)
        refusal = pair.plugin.send_error(request_id, ErrorObject(-32017, "no", {"supported": ["2.0"]}))
        assert pair.carry(pair.plugin, refusal) == [
            ("ResponseReceived", f"attempt {attempt}", ("ErrorObject", -32017, "no", b'{"supported":["2.0"]}'))
        ]
        assert pair.host.state.value == pair.plugin.state.value == "created"
    pair.shake_hands()
    assert pair.host.state.value == pair.plugin.state.value == "ready"


def test_a_bad_answer_to_initialize_is_a_refusal() -> None:
    peer: Peer[str] = Peer(Role.HOST)
    peer.send_request("initialize", call="c")
    give(peer, b'{"jsonrpc":"2.0","id":1,"result":{},"error":{}}')
    assert peer.state.value == "created"


def test_an_error_for_another_request_is_no_refusal() -> None:
    host = host_in("initializing")
    ping_id, _ = host.send_request("ping", call="ping")
    give(host, b'{"jsonrpc":"2.0","id":%d,"error":{"code":-32601,"message":""}}' % ping_id)
    assert host.state.value == "initializing"
    plugin: Peer[str] = Peer(Role.PLUGIN)
    give(plugin, b'{"jsonrpc":"2.0","id":0,"method":"initialize"}', b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
    plugin.send_error(1, ErrorObject(-32601, ""))
    assert plugin.state.value == "initializing"


def test_a_refusal_after_exit_is_an_answer_like_another() -> None:
    host: Peer[str] = Peer(Role.HOST)
    host.send_request("initialize", call="c")
    host.send_notification("exit")
    arrival = give_one(host, b'{"jsonrpc":"2.0","id":1,"error":{"code":-32017,"message":"no"}}')
    assert plain(arrival)[:2] == ("ResponseReceived", "c")
    assert host.state.value == "exited"


def test_a_refusal_that_comes_too_late_at_the_plugin_is_still_sent() -> None:
    plugin: Peer[str] = Peer(Role.PLUGIN)
    give(plugin, b'{"jsonrpc":"2.0","id":0,"method":"initialize"}', b'{"jsonrpc":"2.0","method":"exit"}')
    assert body_of(plugin.send_error(0, ErrorObject(-32017, "no"))) == (
        b'{"jsonrpc":"2.0","id":0,"error":{"code":-32017,"message":"no"}}'
    )
    assert plugin.state.value == "exited"
    hasty: Peer[str] = Peer(Role.PLUGIN)
    give(hasty, b'{"jsonrpc":"2.0","id":0,"method":"initialize"}', b'{"jsonrpc":"2.0","method":"initialized"}')
    assert (
        body_of(hasty.send_error(0, ErrorObject(1, ""))) == b'{"jsonrpc":"2.0","id":0,"error":{"code":1,"message":""}}'
    )
    assert hasty.incoming == {}


@pytest.mark.requirement("LIF-01")
@pytest.mark.parametrize("state", ["initializing", "ready", "stopping"])
def test_a_second_initialize_is_an_invalid_request_and_disturbs_nothing(state: str) -> None:
    peer = plugin_in(state)
    give(peer, b'{"jsonrpc":"2.0","id":3,"method":"ping"}')
    before = dict(peer.incoming)
    assert rejection(give_one(peer, b'{"jsonrpc":"2.0","id":4,"method":"initialize"}')) == (-32600, 4)
    assert peer.incoming == before
    assert peer.state.value == state


def test_answers_go_out_in_every_state() -> None:
    peer = plugin_in("ready")
    give(peer, b'{"jsonrpc":"2.0","id":5,"method":"a/b"}', b'{"jsonrpc":"2.0","id":6,"method":"shutdown"}')
    assert body_of(peer.send_result(5, 1)) == b'{"jsonrpc":"2.0","id":5,"result":1}'
    give(peer, b'{"jsonrpc":"2.0","method":"exit"}')
    assert body_of(peer.send_result(6, None)) == b'{"jsonrpc":"2.0","id":6,"result":null}'


@pytest.mark.requirement("LIF-01")
def test_before_initialize_everything_is_refused_and_initialize_still_works() -> None:
    peer: Peer[str] = Peer(Role.PLUGIN)
    early, unheard, stray, first = give(
        peer,
        b'{"jsonrpc":"2.0","id":1,"method":"a/b"}',
        b'{"jsonrpc":"2.0","method":"a/b"}',
        b'{"jsonrpc":"2.0","id":1,"result":1}',
        b'{"jsonrpc":"2.0","id":1,"method":"initialize"}',
    )
    assert rejection(early) == (-32002, 1)
    assert isinstance(unheard, MessageIgnored)
    assert isinstance(stray, MessageIgnored)
    assert first == RequestReceived(1, "initialize", None, None)
