"""What the oracles see in a conversation, and what they leave alone."""

import subprocess
import sys

import pytest

from plugwire_conformance.connection import Connection
from plugwire_conformance.oracles import oracles
from plugwire_conformance.oracles.shapes import METHODS, misfit
from plugwire_conformance.process.group import group_lives
from plugwire_conformance.report import Role
from plugwire_conformance.wire.frames import Framing, encode
from plugwire_conformance.wire_log import WireLog

INITIALIZE = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{"meta":true}}}'
INITIALIZED = b'{"jsonrpc":"2.0","method":"initialized"}'
PING = b'{"jsonrpc":"2.0","id":7,"method":"ping","meta":{"progress":"t"}}'
PONG = b'{"jsonrpc":"2.0","id":7,"result":null}'
NULL_ERROR = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}'


def connection(framing: Framing = Framing.HEADER) -> Connection:
    return Connection("plugin", WireLog(), framing=framing, patience=1)


def seen(*steps: tuple[str, bytes], framing: Framing = Framing.HEADER) -> list[str]:
    """What the oracles find broken: "us" sends a body, "it" sends one, "raw" are bytes of the subject."""
    talk = connection(framing)
    for who, data in steps:
        if who == "us":
            talk.send_body(data)
        else:
            talk.take_bytes(data if who == "raw" else encode(data, framing))
    return sorted(
        broken.requirement or one.requirements[0] for one in oracles(Role.PLUGIN) for broken in one.judge(talk)
    )


def test_a_good_conversation_breaks_nothing() -> None:
    answer = b'{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"1.0"}}'
    progress = b'{"jsonrpc":"2.0","method":"$/progress","params":{"token":"t","value":{"done":1}}}'
    assert (
        seen(("us", INITIALIZE), ("it", answer), ("us", INITIALIZED), ("us", PING), ("it", progress), ("it", PONG))
        == []
    )


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"hello\n" + encode(PONG), "FRM-04"),
        (encode(PONG) + b"bye\n", "FRM-04"),
        (b"Content-Type: a\r\n" + encode(PONG), "FRM-01"),
        (b"content-length: 38\r\n\r\n" + PONG, "FRM-01"),
        ('Content-Length: 42\r\n\r\n{"jsonrpc":"2.0","id":7,"result":"größer"}'.encode(), "FRM-02"),
        (encode(b'{"jsonrpc":"2.0",' + encode(PONG)), "FRM-03"),
        (encode(b'{"jsonrpc":"2.0","id":7,"result":NaN}'), "MSG-22"),
        (encode(b'{"jsonrpc":"2.0","id":7,"result":"\xff"}'), "MSG-21"),
        (encode(b'{"jsonrpc":"2.0","id":7,"result":"\\ud800"}'), "MSG-23"),
    ],
)
def test_bytes_that_make_no_message_are_told_once_by_what_explains_them(data: bytes, rule: str) -> None:
    assert seen(("us", INITIALIZED), ("us", PING), ("raw", data)) == [rule]


def test_a_frame_that_was_cut_by_the_end_is_no_noise() -> None:
    assert seen(("us", PING), ("raw", encode(PONG)), ("raw", encode(PONG)[:30])) == []


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b'[{"jsonrpc":"2.0","id":7,"result":null}]', "MSG-10"),
        (b'{"id":7,"result":null}', "MSG-01"),
        (b'{"jsonrpc":"2.0","params":{}}', "MSG-02"),
        (b'{"jsonrpc":"2.0","method":"x","params":null}', "MSG-03"),
        (b'{"jsonrpc":"2.0","id":7,"result":null,"error":null}', "MSG-05"),
        (b'{"jsonrpc":"2.0","id":7,"error":{"code":"1","message":"x"}}', "MSG-06"),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"x"}', "MSG-11"),
        (b'{"jsonrpc":"2.0","result":null}', "MSG-13"),
        (b'{"jsonrpc":"2.0","id":"7","result":null}', "MSG-12"),
        (b'{"jsonrpc":"2.0","id":8,"result":null}', "MSG-13"),
        (b'{"jsonrpc":"2.0","method":"log/write","params":{"level":"info","message":"x"}}', "LIF-12"),
        (b'{"jsonrpc":"2.0","method":"$/progress","params":{"token":"u","value":{}}}', "CAL-25"),
        (b'{"jsonrpc":"2.0","id":3,"method":"x","meta":{"parent":"7"}}', "CAL-17"),
        (b'{"jsonrpc":"2.0","id":7,"error":{"code":-32025,"message":"x"}}', "ERR-01"),
        (b'{"jsonrpc":"2.0","id":7,"error":{"code":-32800,"message":"x"}}', "ERR-01"),
        (b'{"jsonrpc":"2.0","id":7,"error":{"code":-5,"message":"x"}}', "ERR-02"),
        (b'{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"x","data":{}}}', "ERR-05"),
    ],
)
def test_each_oracle_sees_its_sentence_broken(body: bytes, rule: str) -> None:
    assert seen(("us", INITIALIZE), ("us", INITIALIZED), ("us", PING), ("it", body)) == [rule]


def test_what_comes_before_initialized_is_seen() -> None:
    assert seen(("us", INITIALIZE), ("it", b'{"jsonrpc":"2.0","id":1,"method":"x"}')) == ["LIF-09"]


def test_a_second_answer_and_progress_after_the_answer_are_seen() -> None:
    late = b'{"jsonrpc":"2.0","method":"$/progress","params":{"token":"t","value":{}}}'
    steps = (("us", INITIALIZE), ("us", INITIALIZED), ("us", PING), ("it", PONG))
    assert seen(*steps, ("it", PONG)) == ["MSG-17"]
    assert seen(*steps, ("it", late)) == ["CAL-26"]


def test_an_id_that_is_in_flight_is_seen_when_it_is_used_again() -> None:
    call = b'{"jsonrpc":"2.0","id":3,"method":"x"}'
    answered = b'{"jsonrpc":"2.0","id":3,"result":null}'
    assert seen(("us", INITIALIZED), ("it", call), ("us", answered), ("it", call)) == []
    assert seen(("us", INITIALIZED), ("it", call), ("it", call)) == ["MSG-14"]


def test_an_error_without_id_is_unasked_unless_something_malformed_was_sent() -> None:
    assert seen(("us", INITIALIZED), ("it", NULL_ERROR)) == ["MSG-18"]
    for malformed in (b"{", b"[]", b"1", b'{"method":"x"}', b'{"jsonrpc":"2.0","id":true,"method":"x"}', b"[" * 200):
        assert seen(("us", INITIALIZED), ("us", malformed), ("it", NULL_ERROR)) == []


def test_a_line_with_a_carriage_return_is_not_canonical() -> None:
    assert seen(("us", INITIALIZED), ("us", PING), ("raw", PONG + b"\r\n"), framing=Framing.LINE) == ["FRM-24"]


def test_every_type_of_a_method_is_in_the_schema() -> None:
    for method in METHODS.values():
        assert misfit(method.params, "no object") != ""
        assert method.result in ("", "Nothing") or misfit(method.result, 5) != ""


def test_a_misfit_names_the_place() -> None:
    assert misfit("LogParams", {"level": "info", "message": 5}) == 'message: 5 is not of type "string"'
    assert misfit("LogParams", {"level": "info", "message": "x", "more": 1}) == ""


def test_a_group_lives_as_long_as_one_of_its_processes() -> None:
    pause = "import sys; sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-S", "-c", pause], stdin=subprocess.PIPE, start_new_session=True)
    assert group_lives(child.pid, 0)
    child.communicate()
    assert not group_lives(child.pid, 5)
