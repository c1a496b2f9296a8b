"""Chapter 04 at node-prose, the one example that serves several requests at a time."""

import pytest

from .conftest import Start
from .driver import Conversation, Json
from .subjects import ALIVE, INITIALIZED, LIMITS, NODE, PING_ALIVE, initialize, request

# 2500 pieces of 200 lines: far more work than it takes to read the next message.
LONG_TEXT = "A line.\n" * 500000
SHORT = '{"id":"1","result":{"slips":[]}}'


def cancel(request_id: object) -> Json:
    return {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": request_id}}


@pytest.fixture
def prose(start: Start) -> Conversation:
    """Ready, at a host that reads progress and allows three open requests."""
    plugin = start(NODE)
    limits = LIMITS | {"maxFrameBytes": 8388608, "maxInFlight": 3}
    plugin.send(initialize(capabilities={"meta": True}, limits=limits), INITIALIZED)
    plugin.read_message()
    return plugin


@pytest.mark.requirement("CAL-20")
def test_a_long_check_is_cancelled_and_answered_once(prose: Conversation) -> None:
    prose.send(request(1, "prose/check", text=LONG_TEXT), cancel(1), cancel(1))
    assert prose.read_answer() == '{"code":-32800,"id":1}'
    prose.send(PING_ALIVE)
    assert prose.read_answer() == ALIVE


def test_a_short_check_overtakes_a_long_one(prose: Conversation) -> None:
    prose.send(request(1, "prose/check", text=LONG_TEXT), request("1", "prose/check", text="A line."))
    assert prose.read_answer() == SHORT
    prose.send(cancel(1))
    assert prose.read_answer() == '{"code":-32800,"id":1}'


@pytest.mark.requirement("CAL-21", "MSG-12")
def test_a_cancel_with_an_id_of_another_type_changes_nothing(prose: Conversation) -> None:
    prose.send(request(1, "prose/check", text=LONG_TEXT), cancel("1"), cancel(1.0), cancel(True), PING_ALIVE)
    assert prose.read_answer() == ALIVE
    assert prose.read_answer() == '{"id":1,"result":{"slips":[]}}'


@pytest.mark.requirement("CAL-21")
def test_a_cancel_that_comes_first_changes_nothing(prose: Conversation) -> None:
    prose.send(cancel("1"), request("1", "prose/check", text="A line."), cancel("1"))
    assert prose.read_answer() == SHORT


@pytest.mark.requirement("MSG-15")
def test_an_id_that_is_open_is_refused_and_the_first_request_goes_on(prose: Conversation) -> None:
    prose.send(request(1, "prose/check", text=LONG_TEXT), request(1, "ping"), request("1", "prose/check", text=""))
    assert prose.read_answer() == '{"code":-32600,"id":1}'
    assert prose.read_answer() == SHORT
    assert prose.read_answer() == '{"id":1,"result":{"slips":[]}}'


@pytest.mark.requirement("CAL-14", "LIF-18")
def test_a_request_above_max_in_flight_is_refused_but_not_a_ping(prose: Conversation) -> None:
    prose.send(*[request(number, "prose/check", text=LONG_TEXT) for number in (1, 2, 3)])
    prose.send(request(4, "prose/check", text="A line."), PING_ALIVE, cancel(1), cancel(2), cancel(3))
    assert prose.read_answer() == '{"code":-32013,"data":{"limit":3},"id":4}'
    assert prose.read_answer() == ALIVE
    assert [prose.read_answer() for _ in range(3)] == [f'{{"code":-32800,"id":{number}}}' for number in (1, 2, 3)]


@pytest.mark.requirement("LIF-13")
def test_shutdown_answers_what_is_open_before_itself(prose: Conversation) -> None:
    long, short = request(1, "prose/check", text=LONG_TEXT), request("1", "prose/check", text="A line.")
    prose.send(long, short, request(2, "shutdown"), {"jsonrpc": "2.0", "method": "$/no"})
    assert {prose.read_answer(), prose.read_answer()} == {SHORT, '{"code":-32800,"id":1}'}
    assert prose.read_answer() == '{"id":2,"result":null}'
    prose.send({"jsonrpc": "2.0", "method": "exit"})
    assert prose.wait_end() == 0


@pytest.mark.requirement("CAL-25", "CAL-26")
@pytest.mark.parametrize("token", [7, 0, "", "t"])
def test_progress_comes_with_its_token_and_before_the_result(prose: Conversation, token: object) -> None:
    prose.send(request(1, "prose/check", text="A line.\n\n" * 250) | {"meta": {"progress": token, "from": "host"}})
    for done in (200, 402, 500):
        value = {"done": done, "total": 500}
        assert prose.read_message() == {"method": "$/progress", "params": {"token": token, "value": value}}
    assert prose.read_answer() == '{"id":1,"result":{"slips":[]}}'


@pytest.mark.requirement("CAL-25", "MSG-11")
@pytest.mark.parametrize("token", [1.0, 1.5, True, None, []])
def test_what_is_no_token_brings_no_progress(prose: Conversation, token: object) -> None:
    prose.send(request("1", "prose/check", text="A line.") | {"meta": {"progress": token}})
    assert prose.read_answer() == SHORT


def test_without_a_token_there_is_no_progress(prose: Conversation) -> None:
    prose.send(request("1", "prose/check", text="A line.") | {"meta": {}}, request(2, "prose/check", text=""))
    assert [prose.read_answer() for _ in range(2)] == [SHORT, '{"id":2,"result":{"slips":[]}}']


@pytest.mark.requirement("LIF-12")
def test_a_host_that_does_not_read_progress_gets_none(start: Start) -> None:
    plugin = start(NODE)
    plugin.send(initialize(), INITIALIZED)
    plugin.send(request("1", "prose/check", text="A line.") | {"meta": {"progress": 1}})
    plugin.read_message()
    assert plugin.read_answer() == SHORT
