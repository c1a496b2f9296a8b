"""What a plugin does when the frame boundary is lost: it dispatches nothing more, and its process ends.

With which code it ends is a question of its own (FRM-10), so that the cases about single mistakes leave it open.
"""

from ..case import Broken, TimedOut
from ..connection import show
from ..wire.frames import encode
from ..wire.messages import Json, encode_json
from .talk import Talk

#: The id of the request inside of the broken frame, and of the one behind it.
INSIDE, BEHIND = "inside", "behind"


def ping(id: Json = INSIDE, **members: Json) -> bytes:
    """The body of a `ping`."""
    return encode_json({"jsonrpc": "2.0", "id": id, "method": "ping", **members})


def expect_lost(talk: Talk, data: bytes, rule: str) -> int:
    """Sends what loses the boundary and a good `ping`; Broken when one is answered or the process goes on.

    An error with id null that says what is wrong is no dispatch. The result is the exit code.
    """
    talk.boundary_lost = True
    talk.send(data + encode(ping(BEHIND), talk.framing))
    return expect_ended(talk, rule)


def expect_ended(talk: Talk, rule: str) -> int:
    """Broken unless the process ends by itself and answers nothing before. The exit code."""
    try:
        answer = talk.wait_for(
            lambda message: message.is_response and message.id is not None, "the end of the stream", rule=rule
        )
    except TimedOut:
        if not talk.ended:
            raise
    else:
        raise Broken("the plugin went on", expected="the end of the process", got=show(answer), requirement=rule)
    code = talk.process.wait(talk.patience)
    if code is None:
        got = "the end of the stream, but not of the process"
        raise Broken("the process goes on", expected="the end of the process", got=got, requirement=rule)
    return code
