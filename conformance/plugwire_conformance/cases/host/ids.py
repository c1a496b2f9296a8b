"""Ids of requests and responses, and responses that a host has not asked for (chapter 02)."""

from ...case import Broken, expect_equal, host_case
from ...connection import show
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...report import Level
from ...wire.codes import INVALID_REQUEST
from ...wire.messages import LARGEST_SAFE, Json
from ._between import held, room, settle
from ._raw import expect_bad, expect_silence

_IDS: dict[str, Json] = {
    "zero": 0,
    "negative": -1,
    "largest": LARGEST_SAFE,
    "smallest": -LARGEST_SAFE,
    "empty": "",
    "digits": "1",
    "accents": "é",
    "blanks": "  ",
    "128-characters": "x" * 128,
    "128-beyond-16-bits": "😀" * 128,
    "quotes": 'a"b\\c\nd',
}
_NO_IDS: dict[str, bytes] = {
    "fraction": b"1.5",
    "decimal-point": b"1.0",
    "exponent": b"1e2",
    "true": b"true",
    "null": b"null",
    "array": b"[]",
    "object": b"{}",
    "too-large": b"9007199254740992",
    "too-small": b"-9007199254740992",
    "many-digits": b"1" * 400,
    "129-characters": b'"' + b"x" * 129 + b'"',
}
#: Responses to a call that end it with an error: what stands after the id.
_BAD_RESPONSES: dict[str, bytes] = {
    "both": b'"result":1,"error":{"code":1,"message":"x"}',
    "error-null": b'"error":null',
    "error-string": b'"error":"broken"',
    "error-array": b'"error":[1,"x"]',
    "no-code": b'"error":{"message":"x"}',
    "no-message": b'"error":{"code":1}',
    "code-string": b'"error":{"code":"1","message":"x"}',
    "code-fraction": b'"error":{"code":1.5,"message":"x"}',
    "code-too-large": b'"error":{"code":2147483648,"message":"x"}',
    "message-number": b'"error":{"code":1,"message":2}',
}
_STRAY_RESPONSES: dict[str, bytes] = {
    "unknown-number": b'{"jsonrpc":"2.0","id":987654321,"result":null}',
    "unknown-string": b'{"jsonrpc":"2.0","id":"nobody","result":{"a":1}}',
    "error-unknown": b'{"jsonrpc":"2.0","id":987654321,"error":{"code":-32603,"message":"x"}}',
    "error-null": b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}',
    "no-id": b'{"jsonrpc":"2.0","result":1}',
    "both": b'{"jsonrpc":"2.0","id":987654321,"result":1,"error":{"code":1,"message":"x"}}',
    "array-id": b'{"jsonrpc":"2.0","id":[],"error":5}',
    "true-id": b'{"jsonrpc":"2.0","id":true,"result":1}',
    "no-jsonrpc": b'{"id":987654321,"result":1}',
    "error-array": b'{"jsonrpc":"2.0","id":987654321,"error":[]}',
}


@host_case(
    "ids/kept",
    "MSG-13",
    "MSG-11",
    why="A plugin finds its call by the id; one that comes back changed is an answer to nothing.",
    mend="Keep the id as it came, type and value, and send it back.",
)
def kept(host: HostSubject) -> None:
    """A host answers with the id of the request, of the same type and value.

    Sent by a plugin: pings with ids at the limits of what an id may be. Expected: an answer with the same id to each.
    """
    with host.start(plugin("a")) as run:
        for name, id in _IDS.items():
            with host.checks(name):
                run["a"].expect_result(run["a"].request("ping", id=id), rule="MSG-11")
                expect_silence(run["a"], "MSG-11")


@host_case(
    "ids/none",
    "MSG-11",
    "MSG-27",
    why="What one end takes for an id and the other does not can never be answered.",
    mend="Take integers within ±(2^53−1) and strings of at most 128 code points; answer all else with InvalidRequest.",
)
def none(host: HostSubject) -> None:
    """A host answers a request whose id is no id with InvalidRequest and id null.

    Sent by a plugin: pings whose id is a fraction, 1.0, 1e2, true, null, an array, an object, too large, or too long a
    string. Expected for each: one -32600 with id null.
    """
    with host.start(plugin("a")) as run:
        for name, id in _NO_IDS.items():
            with host.checks(name):
                run["a"].taken()
                run["a"].send_body(b'{"jsonrpc":"2.0","id":%b,"method":"ping"}' % id)
                expect_bad(run["a"], None, INVALID_REQUEST, "MSG-11")


@host_case(
    "ids/two-types",
    "MSG-12",
    declares=("services",),
    why='A table that takes 1 and "1" for one key gives the answer of one call to another one.',
    mend="Keep ids with their type in the table of open requests.",
)
def two_types(host: HostSubject) -> None:
    """A host tells the ids 1 and "1" apart.

    Sent by a plugin: two calls with these ids, both in flight. Expected: each gets its own answer, under its own id.
    """
    with host.start(plugin("a"), plugin("b", "b/do", capabilities=room(4))) as run:
        requests = [held(run["a"], run["b"], "b/do", {"n": place}, id=id)[1] for place, id in enumerate((1, "1"))]
        for request in reversed(requests):
            run["b"].answer(request, request.params["n"])
        expect_equal(run["a"].expect_result("1", rule="MSG-12"), 1, 'the result of "1" is another', rule="MSG-12")
        expect_equal(run["a"].expect_result(1, rule="MSG-12"), 0, "the result of 1 is another", rule="MSG-12")


@host_case(
    "ids/look-alikes",
    "MSG-12",
    "MSG-19",
    declares=("services",),
    why='Some languages find the key 1 under 1.0, true or "1"; then a stray answer ends somebody\'s call.',
    mend="Look a response up only by an id of the type that you sent; ignore it otherwise.",
)
def look_alikes(host: HostSubject) -> None:
    """A host does not take an id of another type for that of its call.

    Sent by a plugin that was called: answers whose id is the call's as a string, with a decimal point, with an
    exponent, and true; then the right one. Expected: the caller gets the right one.
    """
    with host.start(plugin("a"), plugin("b", "b/do")) as run:
        for shape in (b'"%d"', b"%d.0", b"%de0", b"true", b"[%d]"):
            name = shape.decode().replace("%d", "N")
            with host.checks(name):
                id, request = held(run["a"], run["b"], "b/do")
                wrong = shape % request.id if b"%" in shape else shape
                run["b"].send_body(b'{"jsonrpc":"2.0","id":%b,"result":"wrong"}' % wrong)
                run["b"].answer(request, "right")
                expect_equal(run["a"].expect_result(id, rule="MSG-12"), "right", "the result is another", rule="MSG-12")


@host_case(
    "ids/stray-responses",
    "MSG-28",
    "MSG-19",
    why="Two peers that answer each other's answers never stop.",
    mend="Ignore a body without method that has result or error, unless it answers a call that is open.",
)
def stray_responses(host: HostSubject) -> None:
    """A host ignores a response that it did not ask for, and never answers it, whatever is wrong with it.

    Sent by a plugin: responses with unknown ids, with null, with none, with both members, with an id that is no id,
    each followed by a ping. Expected: the answer to the ping alone.
    """
    with host.start(plugin("a")) as run:
        for name, body in _STRAY_RESPONSES.items():
            with host.checks(name):
                run["a"].taken()
                expect_silence(run["a"], "MSG-28", body)


@host_case(
    "ids/answered-twice",
    "MSG-19",
    declares=("services",),
    why="The second answer to a call would be taken for the answer to the next one.",
    mend="Forget a call when its answer comes, and ignore what comes under its id afterwards.",
)
def answered_twice(host: HostSubject) -> None:
    """A host ignores the second answer to a call.

    Sent by a plugin that was called: two answers. Expected at the caller: the first, and nothing else.
    """
    with host.start(plugin("a"), plugin("b", "b/do")) as run:
        id, request = held(run["a"], run["b"], "b/do")
        run["b"].answer(request, "first")
        run["b"].answer(request, "second")
        settle(run["b"], run["a"])
        expect_equal(run["a"].expect_result(id, rule="MSG-19"), "first", "the result is another", rule="MSG-19")
        run["a"].refuse(lambda message: message.is_response, "a second answer", rule="MSG-19")


@host_case(
    "ids/stray-response-told",
    "MSG-19",
    level=Level.SHOULD,
    why="A plugin that answers under wrong ids looks, to its author, as if the host did not listen.",
    mend="Count responses whose id is not in flight, and report them with the plugin's name.",
)
def stray_response_told(host: HostSubject) -> None:
    """A host reports a response whose id is not in flight.

    Sent by a plugin named "muddled": a response with an id that nobody gave. Expected: one more report that names it.
    """
    with host.start(plugin("muddled")) as run:
        # What the host says of the start has been said before it tells of this.
        run["muddled"].send(b"Bartholomew was here\n")
        run.expect_told("muddled", "Bartholomew", rule="FRM-19")
        before = _naming(run.reports())
        run["muddled"].send_message({"jsonrpc": "2.0", "id": 987654321, "result": None})
        run["muddled"].expect_alive()
        run.expect_more(lambda: _naming(run.reports()) > before, "a report that names muddled", rule="MSG-19")


def _naming(lines: list[str]) -> int:
    return sum("muddled" in line for line in lines)


@host_case(
    "ids/bad-response",
    "MSG-20",
    declares=("services",),
    why="A caller would wait for ever for an answer that has come and could not be read.",
    mend="End the call with an error when the response that carries its id breaks MSG-05 or MSG-06.",
)
def bad_response(host: HostSubject) -> None:
    """A host ends a call with an error when its response is a bad one.

    Sent by a plugin that was called: responses with result and error, with an error that is no object, without code,
    with a code that is no integer within 32 bits, and without a message. Expected at each caller: an error.
    """
    with host.start(plugin("a"), plugin("b", "b/do")) as run:
        for name, rest in _BAD_RESPONSES.items():
            with host.checks(name):
                id, request = held(run["a"], run["b"], "b/do")
                run["b"].send_body(b'{"jsonrpc":"2.0","id":%d,%b}' % (request.id, rest))
                answer = run["a"].expect_answer(id, rule="MSG-20")
                if answer.error_code is None:
                    raise Broken("the caller got a result", expected="an error", got=show(answer), requirement="MSG-20")
        expect_silence(run["b"], "MSG-28")
