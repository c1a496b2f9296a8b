"""What cases about bytes do again and again: pings as bytes, and what must happen after a lost frame boundary.

Holds no case.
"""

from ...case import Broken, TimedOut
from ...connection import show
from ...hosts.probe_talk import ProbeTalk
from ...wire.frames import encode
from ...wire.messages import Json

#: Settings of a plugin that is going to be thrown out: nobody waits for it to come back.
ONCE = {"restart": "never"}
#: Long enough for a length that can be written in many ways: 50, 0x32, 5e1.
LENGTH = 50


def answer_of(version: str = "1.0", **more: Json) -> dict[str, Json]:
    """A result of initialize, for a plugin that is played by hand."""
    return {"protocolVersion": version, "plugin": {"name": "x", "version": "1"}, "provides": []} | more


def ping(id: int, size: int = LENGTH) -> bytes:
    """The body of a ping, filled up with blanks to so many bytes."""
    return (b'{"jsonrpc":"2.0","id":%d,"method":"ping"' % id).ljust(size - 1) + b"}"


def framed_ping(id: int) -> bytes:
    """A ping in a canonical frame."""
    return encode(ping(id))


def expect_pong(probe: ProbeTalk, id: int, rule: str) -> None:
    """The answer to that ping; broken at once when the host has an error for it, or no patience with the plugin."""
    probe.expect_result(id, rule=rule)


def expect_cut(probe: ProbeTalk, id: int, rule: str) -> None:
    """The host ends the conversation, and does not answer the ping of that id, which came after the loss."""
    try:
        answer = probe.expect_answer(id, rule=rule)
    except TimedOut:
        if probe.ended:
            return
        got = f"nothing in {probe.patience:g} s"
        raise Broken("the host goes on", expected="the end of the connection", got=got, requirement=rule) from None
    raise Broken(
        "the host goes on after the loss of the frame boundary",
        expected="the end of the connection, and nothing more dispatched",
        got=show(answer),
        requirement=rule,
    )


def expect_bad(probe: ProbeTalk, id: object, code: int, rule: str) -> None:
    """The host answers what was just sent with that error and id, and nothing else, and goes on."""
    probe.expect_error(id, code, rule=rule)
    probe.expect_alive(rule)
    probe.refuse(lambda message: message.is_response, "more than one response", rule=rule)


def expect_silence(probe: ProbeTalk, rule: str, body: bytes = b"") -> None:
    """The host sends no response to that body, nor to what was sent before it, and goes on.

    The body and a ping are written at once, so that what comes is judged by both of them.
    """
    id = probe.new_id()
    probe.send((encode(body, probe.framing) if body else b"") + encode(ping(id), probe.framing))
    probe.expect_result(id, rule=rule)
    probe.refuse(lambda message: message.is_response, "a response", rule=rule)
