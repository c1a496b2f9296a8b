"""Errors on their way through the host, and those of its own (chapter 05)."""

from ...case import Broken, NotDeclared, Skipped, expect_equal, host_case
from ...connection import show
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...report import Level
from ...wire.codes import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    PAYLOAD_TOO_LARGE,
    PLUGIN_CRASHED,
    REQUEST_CANCELLED,
)
from ...wire.messages import Json, Message, encode_json, raw_members
from ._between import error_data, expect_no_request, held, room, settle

#: Hosts that take larger frames than this are asked in other ways.
_LARGE = 64 << 20

#: A request to each of the host's services with one thing wrong, and where it is.
_WRONG: dict[str, tuple[str, dict[str, Json], str]] = {
    "state": ("state/get", {"key": 5}, "key"),
    "locks": ("lock/acquire", {"name": "x", "leaseMs": "long"}, "leaseMs"),
    "events": ("event/subscribe", {"topic": "x", "policy": "never"}, "policy"),
    "channels": ("channel/open", {"capacity": -1}, "capacity"),
}


@host_case(
    "errors/problems",
    "ERR-05",
    level=Level.SHOULD,
    why="An author who reads `invalid params` has to guess which of ten members is meant.",
    mend="Answer with data.problems: a path such as $.key, and what was expected there.",
)
def problems(host: HostSubject) -> None:
    """InvalidParams of the host's own methods names the path that was wrong.

    Sent: to each service that the host declares, a request with one wrong member. Expected: -32602, and data.problems
    with a path that ends with the member, and a message.
    """
    with host.start(plugin("a")) as run:
        a = run["a"]
        asked = {name: wrong for name, wrong in _WRONG.items() if a.capabilities.get(name)}
        if not asked:
            raise NotDeclared("the subject declares none of state, locks, events and channels")
        for name, (method, params, member) in asked.items():
            with host.checks(name):
                answer = a.expect_error(a.request(method, params), INVALID_PARAMS)
                found = error_data(answer).get("problems")
                paths = [one.get("path") for one in found] if isinstance(found, list) else []
                if not any(str(path).startswith("$") and str(path).endswith(member) for path in paths):
                    expected = f"a path that ends with {member} in data.problems"
                    raise Broken("it does not say what was wrong", expected=expected, got=show(answer))


@host_case(
    "errors/forwarded",
    "ERR-07",
    declares=("services",),
    why="A caller decides by code and data what to do; whatever the host changes there, it can no longer tell.",
    mend="Hand the error of a callee on with its code and message, and the bytes of its data.",
)
def forwarded(host: HostSubject) -> None:
    """A host hands the error of a callee on as it is.

    Answered by the callee: errors with codes of every kind, with data and without. Expected: the caller gets the same
    code and message, and data with the same bytes, or none.
    """
    data = b'{"b":1.50,"a":[12345678901234567890,1E+2,"\\u00e9"],"b2":{"x":null}}'
    errors: dict[str, tuple[int, str, bytes | None]] = {
        "own-code": (7, "näh ☃", data),
        "no-data": (1, "no", None),
        "null-data": (2, "no", b"null"),
        "text-data": (3, "", b'"text"'),
        "largest": (2**31 - 1, "x" * 5000, b"[]"),
        "smallest": (-(2**31), "no", b"0"),
        "method-not-found": (METHOD_NOT_FOUND, "in the callee", None),
        "internal-error": (INTERNAL_ERROR, "failed", b'{"where":"here"}'),
        "cancelled": (REQUEST_CANCELLED, "of its own accord", None),
        "crashed": (PLUGIN_CRASHED, "behind it", b'{"instance":"far","delivered":"no"}'),
    }
    with host.start(plugin("a"), plugin("b", "b/ask", capabilities=room(16))) as run:
        for name, (code, text, raw) in errors.items():
            with host.checks(name):
                id, request = held(run["a"], run["b"], "b/ask")
                error = b'{"code":%d,"message":%s' % (code, encode_json(text))
                error += b"}" if raw is None else b',"data":%s}' % raw
                run["b"].send_body(b'{"jsonrpc":"2.0","id":%d,"error":%s}' % (request.id, error))
                answer = run["a"].expect_error(id, code)
                got = raw_members(answer.members["error"])
                expect_equal(answer.member("error").get("message"), text, "the message is another")
                expect_equal(got.get("data"), raw, "data is another")


@host_case(
    "errors/too-large",
    "ERR-06",
    declares=("services",),
    why="A frame above the limit ends the connection at its reader; the call has to fail instead, and alone.",
    mend="Look at the size of what you are about to send; above maxFrameBytes, answer the caller with -32016 instead.",
)
def too_large(host: HostSubject) -> None:
    """What would not fit into a frame is not sent on, and its caller is answered with PayloadTooLarge.

    Sent: a request of just maxFrameBytes to a plugin for which meta has to be added; and as an answer to a request with
    an id of 128 characters a response of just maxFrameBytes. Expected: -32016 with size and limit for both; the callee
    does not get the request; both plugins go on.
    """
    with host.start(plugin("a"), plugin("b", "b/ask", capabilities=room(4))) as run:
        a, b = run["a"], run["b"]
        limit = _limit_of(a)
        with host.checks("request"):
            head = b'{"jsonrpc":"2.0","id":1,"method":"b/ask","params":{"x":"'
            a.send_body(_filled(head, b'"}}', limit))
            _expect_too_large(a.expect_answer(1), limit)
            settle(a, b)
            expect_no_request(b, "b/ask")
        with host.checks("result"):
            id, request = held(a, b, "b/ask", id="x" * 128)
            b.send_body(_filled(b'{"jsonrpc":"2.0","id":%d,"result":"' % request.id, b'"}', limit))
            _expect_too_large(a.expect_answer(id), limit)
        settle(a, b)


@host_case(
    "errors/just-fits",
    "ERR-06",
    declares=("services",),
    why="Authors cut their data to the limit that the host names; what fits must arrive.",
    mend="Refuse only what is larger than maxFrameBytes as it leaves you; take what has just that size.",
)
def just_fits(host: HostSubject) -> None:
    """What fits into a frame arrives.

    Sent: a request with just maxFrameBytes and an id of 128 characters, to a plugin without meta, so that it leaves the
    host smaller than it came; and a response of which the same holds. Expected: both arrive whole.
    """
    with host.start(plugin("a"), plugin("b", "b/ask")) as run:
        a, b = run["a"], run["b"]
        limit = _limit_of(a)
        id = "x" * 128
        with host.checks("request"):
            head = b'{"jsonrpc":"2.0","id":"%s","method":"b/ask","params":{"x":"' % id.encode()
            body = _filled(head, b'"}}', limit)
            a.send_body(body)
            request = b.expect_request("b/ask")
            expect_equal(len(request.params["x"]), limit - len(head) - 3, "how long the text is is another")
            b.answer(request)
            a.expect_result(id)
        with host.checks("result"):
            _, request = held(a, b, "b/ask", id=id)
            head = b'{"jsonrpc":"2.0","id":%d,"result":"' % request.id
            room_left = limit - len(b'{"jsonrpc":"2.0","id":"%s","result":""}' % id.encode())
            b.send_body(head + b"y" * room_left + b'"}')
            expect_equal(len(a.expect_result(id)), room_left, "how long the result is is another")


def _limit_of(probe: ProbeTalk) -> int:
    limit = probe.limits["maxFrameBytes"]
    if limit > _LARGE:
        raise Skipped(f"maxFrameBytes is {limit}, more than is tried here")
    return limit


def _filled(head: bytes, tail: bytes, size: int) -> bytes:
    return head + b"y" * (size - len(head) - len(tail)) + tail


def _expect_too_large(answer: Message, limit: int) -> None:
    data = error_data(answer)
    if answer.error_code != PAYLOAD_TOO_LARGE or data.get("limit") != limit or not isinstance(data.get("size"), int):
        expected = f"-32016 with size and the limit {limit} in data"
        raise Broken("it was not answered with PayloadTooLarge", expected=expected, got=show(answer))
