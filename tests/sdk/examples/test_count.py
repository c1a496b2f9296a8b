"""count.js of tally, whose `work` is open as long as a channel is: what ends it, and what it makes of odd answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import require_tools
from .driver import Conversation, Json
from .subjects import ALIVE, EXAMPLES, INITIALIZED, LIMITS, NODE, PING_ALIVE, initialize, request

FILES, COUNTS = "ch_" + "f" * 22, "ch_" + "c" * 22
CHANNELS = {"files": {"$channel": FILES}, "counts": {"$channel": COUNTS}}
JOIN_COUNTS = {"channel": COUNTS, "role": "producer"}
JOIN_FILES = {"channel": FILES, "role": "consumer", "credit": {"items": 1, "bytes": 1073741824}}
CANCELLED = '{"code":-32800,"id":7}'


@pytest.fixture
def count() -> Iterator[Conversation]:
    """Ready, at a host with channels."""
    require_tools(NODE)
    with Conversation(["node", "count.js"], EXAMPLES / "tally", "header") as plugin:
        plugin.send(initialize(capabilities={"channels": True}), INITIALIZED)
        plugin.read_message()
        yield plugin


def notification(method: str, **params: Any) -> Json:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def cancel(request_id: object) -> Json:
    return notification("$/cancelRequest", id=request_id)


def joined(credit_items: int, max_bytes: int = 1024) -> Json:
    credit = {"items": credit_items, "bytes": max_bytes}
    return {"credit": credit, "maxItemBytes": max_bytes, "redeliver": True}


def deliver(seq: int, *items: Any) -> Json:
    return notification("channel/deliver", channel=FILES, seq=seq, items=list(items))


def read_asked(plugin: Conversation, method: str, params: Json) -> int:
    """The id of the request that comes next, which has to be this one."""
    message = plugin.read_message()
    request_id = message.pop("id")
    assert message == {"method": method, "params": params}
    assert type(request_id) is int
    return request_id


def give(plugin: Conversation, method: str, params: Json, result: Any) -> None:
    """Answers the request that comes next, which has to be this one."""
    plugin.send({"jsonrpc": "2.0", "id": read_asked(plugin, method, params), "result": result})


def begin_work(plugin: Conversation, credit_items: int = 9, max_bytes: int = 1024) -> None:
    """Request 7, up to where it waits for files."""
    plugin.send(request(7, "count/work", **CHANNELS))
    give(plugin, "channel/join", JOIN_COUNTS, joined(credit_items, max_bytes))
    give(plugin, "channel/join", JOIN_FILES, joined(1))
    plugin.send(PING_ALIVE)
    assert plugin.read_answer() == ALIVE


def let_leave(plugin: Conversation) -> None:
    give(plugin, "channel/leave", {"channel": FILES, "role": "consumer"}, None)
    give(plugin, "channel/leave", {"channel": COUNTS, "role": "producer"}, None)


def read_sent(plugin: Conversation, seq: int, item: Json) -> None:
    """A count and, after it, the acknowledgement of its file."""
    sent = plugin.read_message()
    assert sent == {"method": "channel/send", "params": {"channel": COUNTS, "seq": seq, "items": [item]}}
    assert plugin.read_message() == {"method": "channel/ack", "params": {"channel": FILES, "seq": seq}}
    assert plugin.read_message()["method"] == "channel/credit"


@pytest.mark.requirement("CAL-20")
def test_a_cancelled_job_leaves_both_channels_and_they_can_be_worked_on_again(count: Conversation) -> None:
    begin_work(count)
    count.send(cancel("7"), cancel(7), cancel(7), deliver(1, "/no such file"))
    let_leave(count)
    assert count.read_answer() == CANCELLED
    begin_work(count)


@pytest.mark.requirement("CAL-20")
def test_a_job_that_is_cancelled_while_it_joins_leaves_what_it_has_joined(count: Conversation) -> None:
    count.send(request(7, "count/work", **CHANNELS))
    first = read_asked(count, "channel/join", JOIN_COUNTS)
    count.send(cancel(7), {"jsonrpc": "2.0", "id": first, "result": joined(9)})
    give(count, "channel/join", JOIN_FILES, joined(1))
    let_leave(count)
    assert count.read_answer() == CANCELLED


@pytest.mark.requirement("LIF-13")
def test_shutdown_answers_a_job_before_itself_and_asks_for_nothing_more(count: Conversation) -> None:
    begin_work(count)
    count.send(request(8, "shutdown"), deliver(1, "late"))
    assert count.read_answer() == CANCELLED
    assert count.read_answer() == '{"id":8,"result":null}'
    count.send({"jsonrpc": "2.0", "method": "exit"})
    assert count.wait_end() == 0


@pytest.mark.requirement("MSG-15")
def test_the_id_of_an_open_job_is_refused_and_the_job_goes_on(count: Conversation, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one\ntwo words", encoding="utf-8")
    begin_work(count)
    count.send(request(7, "count/work", **CHANNELS), deliver(1, str(file)))
    assert count.read_answer() == '{"code":-32600,"id":7}'
    read_sent(count, 1, {"file": str(file), "lines": 2, "words": 3})


@pytest.mark.requirement("MSG-05", "MSG-06", "MSG-20")
@pytest.mark.parametrize(
    "broken",
    [
        {"result": {}, "error": {"code": 1, "message": "both"}},
        {"error": None},
        {"error": {"code": "1", "message": "a string"}},
        {"error": {"code": 1.5, "message": "a fraction"}},
        {"error": {"code": 2147483648, "message": "33 bits"}},
        {"error": {"code": 1}},
        {"error": [1, "a list"]},
    ],
)
def test_a_broken_answer_ends_the_job(count: Conversation, broken: Json) -> None:
    count.send(request(7, "count/work", **CHANNELS))
    count.send({"jsonrpc": "2.0", "id": read_asked(count, "channel/join", JOIN_COUNTS), **broken})
    let_leave(count)
    assert count.read_answer() == '{"code":-32603,"id":7}'


@pytest.mark.requirement("MSG-12", "MSG-19")
def test_an_answer_with_an_id_of_another_type_is_not_ours(count: Conversation) -> None:
    count.send(request(7, "count/work", **CHANNELS))
    asked = read_asked(count, "channel/join", JOIN_COUNTS)
    for other in (str(asked), float(asked), asked + 1):
        count.send({"jsonrpc": "2.0", "id": other, "error": {"code": 1, "message": "no"}})
    count.send({"jsonrpc": "2.0", "id": asked, "result": joined(9)})
    give(count, "channel/join", JOIN_FILES, joined(1))


def test_the_hosts_error_is_told_as_it_came(count: Conversation) -> None:
    count.send(request(7, "count/work", **CHANNELS))
    error = {"code": -32602, "message": "there is no such channel", "data": {"problems": []}}
    count.send({"jsonrpc": "2.0", "id": read_asked(count, "channel/join", JOIN_COUNTS), "error": error})
    let_leave(count)
    assert count.read_answer() == '{"code":-32602,"data":{"problems":[]},"id":7}'


@pytest.mark.requirement("ERR-06")
def test_an_error_of_the_host_that_is_too_large_to_be_told_is_replaced() -> None:
    require_tools(NODE)
    with Conversation(["node", "count.js"], EXAMPLES / "tally", "header") as plugin:
        plugin.send(initialize(capabilities={"channels": True}, limits=LIMITS | {"maxFrameBytes": 4096}), INITIALIZED)
        plugin.read_message()
        plugin.send(request("i" * 128, "count/work", **CHANNELS))
        error = {"code": 1, "message": "m" * 4000}
        plugin.send({"jsonrpc": "2.0", "id": read_asked(plugin, "channel/join", JOIN_COUNTS), "error": error})
        let_leave(plugin)
        tells = '{"code":-32016,"data":{"limit":4096,"size":4185},"id":"'  # 57 + 128 + 4000 bytes
        assert plugin.read_answer() == f'{tells}{"i" * 128}"}}'


@pytest.mark.requirement("CHN-11")
@pytest.mark.parametrize(
    ("data", "answer"),
    [
        ({}, '{"id":7,"result":{"files":0}}'),
        ({"error": {"message": "bad"}}, '{"code":-32020,"data":{"error":{"message":"bad"}},"id":7}'),
    ],
)
def test_a_worker_that_comes_too_late_has_nothing_to_do(count: Conversation, data: Json, answer: str) -> None:
    count.send(request(7, "count/work", **CHANNELS))
    give(count, "channel/join", JOIN_COUNTS, joined(9))
    error = {"code": -32020, "message": "closed", "data": data}
    count.send({"jsonrpc": "2.0", "id": read_asked(count, "channel/join", JOIN_FILES), "error": error})
    let_leave(count)
    assert count.read_answer() == answer


@pytest.mark.requirement("CHN-12", "CHN-29")
def test_the_last_count_waits_for_credit_though_nothing_more_will_come(count: Conversation) -> None:
    begin_work(count, credit_items=0)
    closed = notification("channel/closed", channel=FILES, role="consumer")
    count.send(deliver(1, "/no such file"), closed, PING_ALIVE)
    assert count.read_answer() == ALIVE
    count.send(notification("channel/credit", channel=COUNTS, role="producer", items=1, bytes=1))
    read_sent(count, 1, {"file": "/no such file", "error": "ENOENT"})
    let_leave(count)
    assert count.read_answer() == '{"id":7,"result":{"files":1}}'


@pytest.mark.parametrize(("item", "shown"), [(0, "0"), (None, "null"), (["a"], '["a"]'), ({"b": 1}, '{"b":1}')])
def test_what_is_no_path_is_not_read(count: Conversation, item: Any, shown: str) -> None:
    begin_work(count)
    count.send(deliver(1, item), PING_ALIVE)
    read_sent(count, 1, {"file": shown, "error": "EINVAL"})
    assert count.read_answer() == ALIVE


@pytest.mark.requirement("CHN-13")
def test_a_count_that_is_too_large_for_its_channel_is_not_sent(count: Conversation) -> None:
    begin_work(count, max_bytes=50)
    count.send(deliver(1, "/" + "x" * 50))
    let_leave(count)
    assert count.read_answer() == '{"code":1,"id":7}'


@pytest.mark.requirement("CHN-09")
def test_a_channel_that_is_worked_on_is_not_taken_a_second_time(count: Conversation) -> None:
    begin_work(count)
    elsewhere = {"$channel": "ch_" + "x" * 22}
    count.send(request(8, "count/work", files=CHANNELS["files"], counts=elsewhere))
    count.send(request(9, "count/work", files=elsewhere, counts=CHANNELS["counts"]))
    count.send(request(10, "count/work", files=elsewhere, counts=elsewhere))
    assert [count.read_answer() for _ in range(3)] == [f'{{"code":1,"id":{number}}}' for number in (8, 9, 10)]


@pytest.mark.parametrize("counts", [None, "ch", {}, {"$channel": 1}, [COUNTS]])
def test_what_is_no_channel_is_told_with_its_path(count: Conversation, counts: Any) -> None:
    count.send(request(7, "count/work", files=CHANNELS["files"], counts=counts))
    assert count.read_answer() == (
        '{"code":-32602,"data":{"problems":[{"message":"expected a channel","path":"$.counts"}]},"id":7}'
    )


@pytest.mark.requirement("LIF-12")
def test_at_a_host_without_channels_none_is_joined() -> None:
    require_tools(NODE)
    with Conversation(["node", "count.js"], EXAMPLES / "tally", "header") as plugin:
        plugin.send(initialize(), INITIALIZED, request(7, "count/work", **CHANNELS), PING_ALIVE)
        plugin.read_message()
        assert [plugin.read_answer() for _ in range(2)] == ['{"code":1,"id":7}', ALIVE]
