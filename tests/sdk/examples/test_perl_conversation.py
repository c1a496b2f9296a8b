"""What the plugins in Perl have in common: both framings, requests of their own, cancel and an orderly end."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest

from .conftest import require_tools
from .driver import Conversation, Framing, Json
from .subjects import ALIVE, EXAMPLES, INITIALIZED, LIMITS, PERL, PING_ALIVE, initialize, request

ALL = {"state": True, "locks": True, "channels": True}
SHUTDOWN: Json = {"jsonrpc": "2.0", "id": "s", "method": "shutdown"}
STOPPED = '{"id":"s","result":null}'
EXIT: Json = {"jsonrpc": "2.0", "method": "exit"}
CHANNEL = "ch_0123456789012345678901"


class StartPerl(Protocol):
    def __call__(self, script: str, *, framing: Framing = "header", **params: Any) -> Conversation: ...


@pytest.fixture
def start_perl() -> Iterator[StartPerl]:
    """Starts a script of the examples' folder, and makes it ready; the keywords replace params of initialize."""
    require_tools(PERL)
    with ExitStack() as stack:

        def start(script: str, *, framing: Framing = "header", **params: Any) -> Conversation:
            command = ["env", f"PLUGWIRE_FRAMING={framing}", "perl", script]
            plugin = stack.enter_context(Conversation(command, EXAMPLES, framing))
            plugin.send(initialize(**{"capabilities": ALL} | params), INITIALIZED)
            plugin.read_message()
            return plugin

        yield start


@pytest.fixture
def door(start_perl: StartPerl) -> Conversation:
    """door.pl, which has the request "v" and waits for the answer to its own request 1."""
    plugin = start_perl("visits/door.pl")
    plugin.send(request("v", "door/visit", page="home"))
    sent = plugin.read_message()
    assert (sent["id"], sent["method"]) == (1, "state/increment")
    return plugin


def collecting(plugin: Conversation, request_id: int | str = "c", channel: str = CHANNEL) -> int:
    """Sends sum.pl a request; the id of the request with which it joins the channel."""
    plugin.send(request(request_id, "sum/collect", counts={"$channel": channel}))
    sent = plugin.read_message()
    assert (sent["method"], sent["params"]["channel"]) == ("channel/join", channel)
    return int(sent["id"])


def notification(method: str, **params: Any) -> Json:
    return {"jsonrpc": "2.0", "method": method, "params": params}


# Framing


@pytest.mark.requirement("MAN-09")
@pytest.mark.parametrize("framing", ["header", "line"])
@pytest.mark.parametrize("script", ["perl-todo/todo.pl", "visits/door.pl", "tally/sum.pl"])
def test_it_frames_as_the_host_says(start_perl: StartPerl, script: str, framing: Framing) -> None:
    plugin = start_perl(script, framing=framing)
    plugin.send(PING_ALIVE, SHUTDOWN, EXIT)
    assert [plugin.read_answer(), plugin.read_answer(), plugin.wait_end()] == [ALIVE, STOPPED, 0]


@pytest.mark.requirement("FRM-26")
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_that_is_too_long_loses_the_boundary_even_without_its_end(start_perl: StartPerl, end: bytes) -> None:
    plugin = start_perl("perl-todo/todo.pl", framing="line", limits=LIMITS | {"maxFrameBytes": 4096})
    ping = b'{"jsonrpc":"2.0","id":"alive","method":"ping"}'
    plugin.send_bytes(ping.ljust(4096) + b"\r\n" + ping.ljust(4097) + end)
    assert [plugin.read_answer(), plugin.wait_end()] == [ALIVE, 2]


# Requests of its own


@pytest.mark.requirement("LIF-18")
def test_a_ping_is_answered_while_it_waits_for_an_answer(door: Conversation) -> None:
    door.send(PING_ALIVE)
    assert door.read_answer() == ALIVE


@pytest.mark.requirement("CAL-14")
def test_a_request_beyond_those_that_it_declares_is_refused_and_the_first_goes_on(door: Conversation) -> None:
    door.send(request("w", "door/visit", page="home"), {"jsonrpc": "2.0", "id": 1, "result": {"value": 7}})
    assert door.read_answer() == '{"code":-32013,"data":{"limit":1},"id":"w"}'
    assert door.read_message()["method"] == "lock/acquire"


@pytest.mark.requirement("MSG-15")
def test_a_request_with_the_id_of_one_that_is_open_is_refused(door: Conversation) -> None:
    door.send(PING_ALIVE | {"id": "v"}, PING_ALIVE)
    assert [door.read_answer(), door.read_answer()] == ['{"code":-32600,"id":"v"}', ALIVE]


@pytest.mark.requirement("LIF-13")
def test_on_shutdown_what_waits_is_answered_first(door: Conversation) -> None:
    door.send(SHUTDOWN)
    assert [door.read_answer(), door.read_answer()] == ['{"code":-32800,"id":"v"}', STOPPED]
    door.send(EXIT)
    assert door.wait_end() == 0


@pytest.mark.requirement("LIF-15")
def test_it_ends_on_exit_while_it_waits(door: Conversation) -> None:
    door.send(EXIT)
    assert door.wait_end() == 1


def test_an_error_of_the_host_is_handed_on_as_it_came(door: Conversation) -> None:
    data = '{"kept":[1.50,1e400,9007199254740993,true,null,"\\u00e9"]}'
    body = f'{{"jsonrpc":"2.0","id":1,"error":{{"code":-32023,"message":"full","data":{data}}}}}'
    door.send_bodies(body.encode())
    read = door.read_message()["error"]
    assert (read["code"], read["message"]) == (-32023, "full")
    assert repr(read["data"]["kept"]) == "[1.5, inf, 9007199254740993, True, None, 'é']"


BROKEN = {
    "neither": '"params":{}',
    "both": '"result":{},"error":{"code":1,"message":"x"}',
    "a result and null": '"result":{},"error":null',
    "no object": '"error":"x"',
    "null": '"error":null',
    "no code": '"error":{"message":"x"}',
    "a fraction": '"error":{"code":1.0,"message":"x"}',
    "33 bits": '"error":{"code":2147483648,"message":"x"}',
    "no message": '"error":{"code":1,"message":null}',
}


@pytest.mark.requirement("MSG-20", "MSG-28")
@pytest.mark.parametrize("rest", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_ends_the_call(door: Conversation, rest: str) -> None:
    door.send_bodies(f'{{"jsonrpc":"2.0","id":1,{rest}}}'.encode())
    assert door.read_answer() == '{"code":-32603,"id":"v"}'


@pytest.mark.requirement("MSG-19", "MSG-12")
def test_an_answer_to_nothing_that_it_asked_changes_nothing(door: Conversation) -> None:
    for stray in ("1", 2, 1.0, None, [1]):
        door.send({"jsonrpc": "2.0", "id": stray, "result": {"value": 9}})
    door.send(PING_ALIVE)
    assert door.read_answer() == ALIVE


@pytest.mark.requirement("ERR-06")
def test_a_request_that_is_too_large_is_not_sent(start_perl: StartPerl) -> None:
    plugin = start_perl("visits/door.pl", limits=LIMITS | {"maxFrameBytes": 4096})
    plugin.send(request("v", "door/visit", page="x" * 4020))
    assert plugin.read_message()["error"]["code"] == -32016


@pytest.mark.requirement("LIF-12")
@pytest.mark.parametrize(
    ("script", "method", "params"),
    [
        ("visits/door.pl", "door/visit", {"page": "home"}),
        ("tally/sum.pl", "sum/collect", {"counts": {"$channel": CHANNEL}}),
    ],
)
def test_what_the_host_has_not_declared_is_not_used(
    start_perl: StartPerl, script: str, method: str, params: Json
) -> None:
    plugin = start_perl(script, capabilities={"state": True, "channels": False})
    plugin.send(request(1, method, **params))
    assert plugin.read_answer() == '{"code":1,"id":1}'


# Requests that stay open


@pytest.mark.requirement("CAL-20", "CAL-21")
def test_a_cancel_ends_what_is_open_and_leaves_the_channel(start_perl: StartPerl) -> None:
    plugin = start_perl("tally/sum.pl")
    collecting(plugin, 5)
    plugin.send(notification("$/cancelRequest", id="5"), PING_ALIVE, notification("$/cancelRequest", id=5))
    assert plugin.read_answer() == ALIVE
    assert plugin.read_message()["method"] == "channel/leave"
    assert plugin.read_answer() == '{"code":-32800,"id":5}'
    collecting(plugin, 5)


@pytest.mark.requirement("LIF-13")
def test_on_shutdown_all_that_is_open_is_answered_first(start_perl: StartPerl) -> None:
    plugin = start_perl("tally/sum.pl")
    collecting(plugin, 1)
    collecting(plugin, 2, CHANNEL + "x")
    plugin.send(SHUTDOWN, EXIT)
    answers = [plugin.read_answer() for _ in range(3)]
    assert sorted(answers[:2]) == ['{"code":-32800,"id":1}', '{"code":-32800,"id":2}']
    assert (answers[2], plugin.wait_end(), plugin.read_stderr()) == (STOPPED, 0, "")


def test_a_channel_that_cannot_be_joined_ends_the_call(start_perl: StartPerl) -> None:
    plugin = start_perl("tally/sum.pl")
    asked = collecting(plugin)
    plugin.send({"jsonrpc": "2.0", "id": asked, "error": {"code": -32602, "message": "there is no such channel"}})
    assert plugin.read_message()["error"] == {"code": 1, "message": "there is no such channel"}


def test_a_channel_is_summed_up_once_at_a_time(start_perl: StartPerl) -> None:
    plugin = start_perl("tally/sum.pl")
    collecting(plugin, 1)
    plugin.send(request(2, "sum/collect", counts={"$channel": CHANNEL}))
    assert plugin.read_answer() == '{"code":1,"id":2}'


def test_what_is_no_count_is_not_counted(start_perl: StartPerl) -> None:
    plugin = start_perl("tally/sum.pl")
    asked = collecting(plugin)
    items = [
        {"file": "a", "lines": 2, "words": 3},
        {"file": "a", "lines": 4, "words": 5},
        {"file": "b", "error": "EACCES"},
        {"file": "no words", "lines": 1},
        {"file": "fractions", "lines": 1.5, "words": 1},
        {"file": None, "lines": 1, "words": 1},
        {"file": ".", "folder": True},
        ["a"],
        None,
        7,
    ]
    plugin.send(
        {"jsonrpc": "2.0", "id": asked, "result": {}},
        notification("channel/deliver", channel=CHANNEL, seq=1, items=items),
        notification("channel/deliver", channel=CHANNEL, seq=11, items="none"),
        notification("channel/deliver", channel="ch_of-somebody-else-0123456", seq=1, items=items),
        notification("channel/closed", channel=CHANNEL, role="consumer"),
    )
    credit = plugin.read_message()
    assert (credit["method"], credit["params"]["items"]) == ("channel/credit", 10)
    assert plugin.read_answer() == '{"id":"c","result":{"files":1,"lines":4,"unread":["b"],"words":5}}'
