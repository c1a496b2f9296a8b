"""The members of requests and notifications that a plugin sends (chapter 02)."""

from ...case import Broken, expect_equal, host_case
from ...connection import show
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import INVALID_REQUEST
from ...wire.messages import Json, encode_json
from ._between import expect_no_request, held, room, settle
from ._raw import expect_bad, expect_silence

_NO_JSONRPC: dict[str, bytes] = {
    "absent": b'{"id":1,"method":"ping"}',
    "1.0": b'{"jsonrpc":"1.0","id":2,"method":"ping"}',
    "2.1": b'{"jsonrpc":"2.1","id":3,"method":"ping"}',
    "number": b'{"jsonrpc":2.0,"id":4,"method":"ping"}',
    "null": b'{"jsonrpc":null,"id":5,"method":"ping"}',
}
_NO_METHOD: dict[str, bytes] = {
    "absent": b'{"jsonrpc":"2.0","id":1}',
    "empty": b'{"jsonrpc":"2.0","id":2,"method":""}',
    "number": b'{"jsonrpc":"2.0","id":3,"method":1}',
    "null": b'{"jsonrpc":"2.0","id":4,"method":null}',
    "array": b'{"jsonrpc":"2.0","id":5,"method":["ping"]}',
    "object": b'{"jsonrpc":"2.0","id":6,"method":{"ping":1}}',
}
_NO_PARAMS: dict[str, bytes] = {
    "array": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}',
    "null": b'{"jsonrpc":"2.0","id":2,"method":"ping","params":null}',
    "string": b'{"jsonrpc":"2.0","id":3,"method":"ping","params":"x"}',
    "number": b'{"jsonrpc":"2.0","id":4,"method":"ping","params":5}',
    "true": b'{"jsonrpc":"2.0","id":5,"method":"ping","params":true}',
    "unknown-method": b'{"jsonrpc":"2.0","id":6,"method":"zz/none","params":[1]}',
}
_NO_MESSAGES: dict[str, bytes] = {
    "number": b"1",
    "string": b'"ping"',
    "null": b"null",
    "true": b"true",
    "empty-object": b"{}",
    "only-jsonrpc": b'{"jsonrpc":"2.0"}',
    "bad-notification": b'{"jsonrpc":"1.0","method":"zz/none"}',
}
_BATCHES: dict[str, bytes] = {
    "empty": b"[]",
    "one-request": b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    "two-requests": b'[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]',
    "number": b"[1]",
}
_NOTIFICATIONS: dict[str, bytes] = {
    "unknown": b'{"jsonrpc":"2.0","method":"zz/none"}',
    "reserved": b'{"jsonrpc":"2.0","method":"$/none","params":{}}',
    "request-without-id": b'{"jsonrpc":"2.0","method":"ping"}',
    "nobody-provides-it": b'{"jsonrpc":"2.0","method":"nobody/none","params":{"a":1}}',
    "wrong-params": b'{"jsonrpc":"2.0","method":"log/write","params":{"level":7}}',
    "initialize": b'{"jsonrpc":"2.0","method":"initialize","params":{}}',
    "wrong-direction": b'{"jsonrpc":"2.0","method":"initialized"}',
}


def _refused(host: HostSubject, bodies: dict[str, bytes], rule: str, *, with_id: bool = True) -> None:
    """Each body is answered with InvalidRequest: with the ids 1, 2 and so on, or with null; and the host goes on."""
    with host.start(plugin("a")) as run:
        run["a"].new_id()
        for number, (name, body) in enumerate(bodies.items(), 1):
            with host.checks(name):
                run["a"].taken()
                run["a"].send_body(body)
                expect_bad(run["a"], number if with_id else None, INVALID_REQUEST, rule)


@host_case(
    "messages/jsonrpc",
    "MSG-01",
    "MSG-27",
    why="A plugin of another protocol, or of JSON-RPC 1.0, would half work.",
    mend="""Check that `jsonrpc` is the string "2.0"; answer anything else with InvalidRequest and the request's id.""",
)
def jsonrpc(host: HostSubject) -> None:
    """A host answers a request without jsonrpc "2.0" with InvalidRequest.

    Sent by a plugin: pings whose member is absent, another version, a number or null. Expected: -32600 with the id of
    each.
    """
    _refused(host, _NO_JSONRPC, "MSG-01")


@host_case(
    "messages/method",
    "MSG-02",
    "MSG-27",
    why="A method that is no string leads to a crash wherever it is looked up.",
    mend="Check that `method` is a string with something in it; answer anything else with InvalidRequest and the id.",
)
def method(host: HostSubject) -> None:
    """A host answers a request whose method is no non-empty string with InvalidRequest.

    Sent by a plugin: requests with no method, an empty one, a number, null, an array and an object. Expected: -32600
    with the id of each.
    """
    _refused(host, _NO_METHOD, "MSG-02")


@host_case(
    "messages/params",
    "MSG-03",
    "MSG-27",
    why="A handler that expects an object meets an array, and fails with an error that says nothing.",
    mend="Check that `params` is an object or absent; answer anything else with InvalidRequest and the id.",
)
def params(host: HostSubject) -> None:
    """A host answers a request whose params are no object with InvalidRequest.

    Sent by a plugin: requests with params that are an array, null, a string, a number and true. Expected: -32600 with
    the id of each.
    """
    _refused(host, _NO_PARAMS, "MSG-03")


@host_case(
    "messages/params-absent",
    "MSG-04",
    declares=("services",),
    why="Many plugins leave params out where there are none.",
    mend="Take a request without params as one with {}.",
)
def params_absent(host: HostSubject) -> None:
    """A host takes absent params as {}.

    Sent by a plugin: service/list without params and with {}. Expected: the same result. Sent to another plugin: a call
    without params. Expected there: the call, with no params or {}.
    """
    with host.start(plugin("a"), plugin("b", "b/do")) as run:
        with_empty = run["a"].expect_result(run["a"].request("service/list", {}), rule="MSG-04")
        without = run["a"].expect_result(run["a"].request("service/list"), rule="MSG-04")
        expect_equal(without, with_empty, "the result without params is another", rule="MSG-04")
        run["a"].request("b/do")
        expect_equal(run["b"].expect_request("b/do", rule="MSG-04").params, {}, "params are others", rule="MSG-04")


@host_case(
    "messages/unknown-members",
    "MSG-07",
    declares=("services",),
    why="A later version of the protocol, or a library, adds members; refusing them breaks what would have worked.",
    mend="Read the members that you know, and leave the others alone.",
)
def unknown_members(host: HostSubject) -> None:
    """A host ignores members that it does not know, in requests, notifications and responses.

    Sent by plugins, each with more members: a ping, a notification and a response to a call. Expected: null, no answer,
    and the result at the caller.
    """
    more: dict[str, Json] = {"jsonrpc2": "x", "_x": [1], "": None, "results": 1}
    with host.start(plugin("a"), plugin("b", "b/do")) as run:
        with host.checks("request"):
            expect_equal(
                run["a"].expect_result(run["a"].request("ping", **more), rule="MSG-07"), None, "the result is another"
            )
        with host.checks("notification"):
            expect_silence(run["a"], "MSG-07", encode_json({"jsonrpc": "2.0", "method": "zz/none"} | more))
        with host.checks("response"):
            id, request = held(run["a"], run["b"], "b/do")
            run["b"].send_message({"jsonrpc": "2.0", "id": request.id, "result": "done"} | more)
            expect_equal(run["a"].expect_result(id, rule="MSG-07"), "done", "the result is another", rule="MSG-07")


@host_case(
    "messages/member-names",
    "MSG-08",
    why="Two readers that disagree about names see two different messages: what one has checked the other does "
    "not see.",
    mend="Compare member names byte by byte after unescaping. Some JSON libraries ignore letter case unless told "
    "not to.",
)
def member_names(host: HostSubject) -> None:
    """A host compares member names byte by byte after unescaping.

    Sent by a plugin: a request with `Method` instead of method, a ping with `ID` instead of id, a ping with a long s in
    `paramſ`, and one whose names are written with escapes. Expected: -32600; no answer; null; null.
    """
    with host.start(plugin("a")) as run:
        probe = run["a"]
        with host.checks("Method"):
            probe.send_body(b'{"jsonrpc":"2.0","id":71,"Method":"ping"}')
            expect_bad(probe, 71, INVALID_REQUEST, "MSG-08")
        with host.checks("ID"):
            expect_silence(probe, "MSG-08", b'{"jsonrpc":"2.0","ID":72,"method":"ping"}')
        with host.checks("long-s"):
            probe.send_body('{"jsonrpc":"2.0","id":73,"method":"ping","paramſ":5,"METHOD":"zz/none"}'.encode())
            probe.expect_result(73, rule="MSG-08")
        with host.checks("escaped"):
            probe.send_body(b'{"jsonrpc":"2.0","\\u0069d":74,"\\u006dethod":"ping"}')
            probe.expect_result(74, rule="MSG-08")


@host_case(
    "messages/member-twice",
    "MSG-09",
    declares=("services",),
    why="A host that checks one of two members and forwards the other lets anything through its checks.",
    mend="Let the last of two members with one name count, and forward only that one.",
)
def member_twice(host: HostSubject) -> None:
    """A host lets the last of two members with one name count, and does not forward the first.

    Sent by a plugin: pings with two methods, and with two ids; a call with two params. Expected: the answer of the last
    ones; at the callee the last params, and nothing of the first.
    """
    with host.start(plugin("a"), plugin("b", "b/do")) as run:
        with host.checks("method"):
            run["a"].send_body(b'{"jsonrpc":"2.0","id":81,"method":"zz/none","method":"ping"}')
            run["a"].expect_result(81, rule="MSG-09")
        with host.checks("id"):
            run["a"].send_body(b'{"jsonrpc":"2.0","id":82,"method":"ping","id":83}')
            run["a"].expect_result(83, rule="MSG-09")
        with host.checks("params"):
            run["a"].send_body(
                b'{"jsonrpc":"2.0","id":84,"method":"b/do","params":{"v":"first"},"params":{"v":"last"}}'
            )
            request = run["b"].expect_request("b/do", rule="MSG-09")
            if request.params != {"v": "last"} or b"first" in request.frame.body:
                raise Broken(
                    "other params", expected='{"v":"last"}, and nothing more', got=show(request), requirement="MSG-09"
                )


@host_case(
    "messages/no-batches",
    "MSG-10",
    "MSG-27",
    why="A host that executes a batch cannot be replaced by one that does not.",
    mend="Answer an array with one InvalidRequest and id null, and execute nothing of it.",
)
def no_batches(host: HostSubject) -> None:
    """A host answers an array with one InvalidRequest, and executes nothing.

    Sent by a plugin: [], [1], and arrays of one and two pings. Expected for each: one -32600 with id null.
    """
    _refused(host, _BATCHES, "MSG-10", with_id=False)


@host_case(
    "messages/no-message",
    "MSG-27",
    why="A plugin whose author mixes something up gets no hint where nothing is answered.",
    mend="Answer JSON that is no valid message with InvalidRequest, with id null where there is no valid id.",
)
def no_message(host: HostSubject) -> None:
    """A host answers JSON that is no message with InvalidRequest and id null.

    Sent by a plugin: 1, "ping", null, true, {}, an object with jsonrpc alone, and a bad notification. Expected for
    each: -32600 with id null.
    """
    _refused(host, _NO_MESSAGES, "MSG-27", with_id=False)


@host_case(
    "messages/notification-unanswered",
    "MSG-18",
    why="A plugin takes an answer that it did not ask for as a mistake of its own, or as the answer to something else.",
    mend="Answer a valid notification never, not even one of an unknown method.",
)
def notification_unanswered(host: HostSubject) -> None:
    """A host does not answer a valid notification.

    Sent by a plugin: notifications of unknown methods, of methods that are requests, with params that its method does
    not take, and in the wrong direction; and a ping after each. Expected: the answer to the ping alone.
    """
    with host.start(plugin("a")) as run:
        for name, body in _NOTIFICATIONS.items():
            with host.checks(name):
                run["a"].taken()
                expect_silence(run["a"], "MSG-18", body)


@host_case(
    "messages/id-in-flight",
    "MSG-15",
    declares=("services",),
    why="Two requests under one id end with one answer for the wrong one, and one that waits for ever.",
    mend="Answer a request whose id is in flight with InvalidRequest, and leave the first one alone.",
)
def id_in_flight(host: HostSubject) -> None:
    """A host answers a request whose id is in flight with InvalidRequest, and the first one is not disturbed.

    Sent by a plugin: two calls under one id, the second while the first is in flight. Expected: -32600 for the second,
    which does not reach the callee, and then the result of the first.
    """
    with host.start(plugin("a"), plugin("b", "b/do", capabilities=room(4))) as run:
        id, request = held(run["a"], run["b"], "b/do")
        run["a"].request("b/do", {"second": True}, id=id)
        run["a"].expect_error(id, INVALID_REQUEST, rule="MSG-15")
        settle(run["b"])
        expect_no_request(run["b"], "b/do", rule="MSG-15")
        run["b"].answer(request, "first")
        expect_equal(run["a"].expect_result(id, rule="MSG-15"), "first", "the result is another", rule="MSG-15")
