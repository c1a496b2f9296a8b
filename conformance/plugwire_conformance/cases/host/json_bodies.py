"""JSON as a host reads it and passes it on (chapter 02)."""

from ...case import Broken, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import PARSE_ERROR
from ...wire.messages import raw_members
from ._between import expect_no_request, held, settle
from ._raw import expect_bad

_PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
#: What stands for @ in a string of a ping, or in the params of a call.
_NOT_UTF_8: dict[str, bytes] = {
    "lone-continuation": b'"\x80"',
    "cut-character": b'"\xe2\x82"',
    "latin-1": b'"caf\xe9"',
    "overlong": b'"\xc0\xaf"',
    "overlong-nul": b'"\xc0\x80"',
    "surrogate": b'"\xed\xa0\x80"',
    "surrogate-pair": b'"\xed\xa0\xbd\xed\xb8\x80"',
    "beyond-unicode": b'"\xf4\x90\x80\x80"',
    "five-bytes": b'"\xf8\x88\x80\x80\x80"',
    "ff": b'"\xff"',
    "in-a-name": b'{"\xff":1}',
}
_WHOLE_BODIES: dict[str, bytes] = {
    "byte-order-mark": b"\xef\xbb\xbf" + _PING,
} | {name: _PING.decode().encode(name) for name in ("utf-16", "utf-16-le", "utf-32")}
_NOT_JSON: dict[str, bytes] = {
    "nan": b"NaN",
    "infinity": b"Infinity",
    "minus-infinity": b"-Infinity",
    "trailing-comma": b"[1,]",
    "trailing-comma-in-object": b'{"a":1,}',
    "double-comma": b"[1,,2]",
    "single-quotes": b"'x'",
    "unquoted-name": b"{a:1}",
    "comment": b"1/* one */",
    "leading-zero": b"01",
    "plus": b"+1",
    "no-integer-part": b".5",
    "no-fraction": b"1.",
    "no-exponent": b"1e",
    "hexadecimal": b"0x10",
    "line-end-in-string": b'"a\nb"',
    "tab-in-string": b'"a\tb"',
    "nul-in-string": b'"a\0b"',
    "bad-escape": b'"\\x41"',
    "short-escape": b'"\\u12"',
    "missing-colon": b'{"a" 1}',
    "missing-comma": b'[1 "a"]',
    "wrong-bracket": b"[1}",
    "form-feed": b"\x0c1",
    "no-break-space": b"\xc2\xa01",
}
_BROKEN_BODIES: dict[str, bytes] = {
    "two-values": _PING + _PING,
    "word-after": _PING + b" x",
    "bracket-after": _PING + b"}",
    "nul-after": _PING + b"\0",
    "cut": _PING[:-1],
    "blanks": b"   ",
    "text": b"ping",
}
_LONE_SURROGATES: dict[str, bytes] = {
    "high": b'"\\ud800"',
    "low": b'"\\udc00"',
    "reversed": b'"\\ude00\\ud83d"',
    "two-high": b'"\\ud83d\\ud83d"',
    "before-text": b'"\\ud83dx"',
    "capital-letters": b'"\\uD800"',
    "in-a-name": b'{"\\ud800":1}',
}
_UNUSUAL: dict[str, bytes] = {
    "other-order": b'{"method":"ping","id":1,"jsonrpc":"2.0"}',
    "many-blanks": b' {\r\n\t"jsonrpc" : "2.0" , "id" : 1 ,\n "method" : "ping" }\n ',
    "escapes": b'{"jsonrpc":"\\u0032.0","id":1,"method":"\\u0070ing"}',
    "surrogate-pair": b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"\\ud83d\\ude00"}',
    "nul-escaped": b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"\\u0000"}',
    "numbers": b'{"jsonrpc":"2.0","id":1,"method":"ping","x":[-0,1e400,1E+2,1.50,123456789012345678901234567890]}',
    "name-twice": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"a":2}}',
    "empty-names": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"":{"":[]}}}',
}
#: Values that reading and writing again would change.
_FRAGILE = (
    b'{ "b" : 1.0,"a":[ 1e2 , -0, 9007199254740993, 123456789012345678901234567890, 1e400, 0.1000 ],'
    b'"\\u0061":"\\u00e9\\/\xc3\xa9\\ud83d\\ude00\\u0000\\t" ,"same":1,"same":2 , "":null }'
)


def _parse_errors(host: HostSubject, bodies: dict[str, bytes], rule: str) -> None:
    with host.start(plugin("a")) as run:
        for name, body in bodies.items():
            with host.checks(name):
                run["a"].taken()
                run["a"].send_body(body)
                expect_bad(run["a"], None, PARSE_ERROR, rule)


def _in_params(host: HostSubject, values: dict[str, bytes], rule: str) -> None:
    """Each value is sent in the params of a call: the callee must not get it, and the caller gets a ParseError."""
    with host.start(plugin("a"), plugin("b", "b/do")) as run:
        for name, value in values.items():
            with host.checks(name):
                run["a"].taken()
                run["a"].send_body(b'{"jsonrpc":"2.0","id":7,"method":"b/do","params":{"v":%b}}' % value)
                expect_bad(run["a"], None, PARSE_ERROR, rule)
        settle(run["b"])
        expect_no_request(run["b"], "b/do", rule=rule)


def _in_a_ping(values: dict[str, bytes]) -> dict[str, bytes]:
    return {name: b'{"jsonrpc":"2.0","id":1,"method":"ping","x":%b}' % value for name, value in values.items()}


@host_case(
    "json/utf-8",
    "MSG-21",
    "MSG-26",
    "FRM-11",
    why="Who repairs bad UTF-8 changes what was meant, and two texts that differ become one.",
    mend="Decode a body strictly as UTF-8 without a byte order mark; answer ParseError with id null where that fails.",
)
def utf_8(host: HostSubject) -> None:
    """A host answers a body that is not UTF-8, or begins with a byte order mark, with ParseError.

    Sent by a plugin: pings with bytes in a string, or a name, that are no UTF-8; pings in UTF-16 and UTF-32; a ping
    behind a byte order mark. Expected for each: one -32700 with id null, and then the answer to a canonical ping.
    """
    _parse_errors(host, _in_a_ping(_NOT_UTF_8) | _WHOLE_BODIES, "MSG-21")


@host_case(
    "json/utf-8-of-a-call",
    "MSG-21",
    "MSG-25",
    declares=("services",),
    why="A host that passes on what it did not look at breaks the callee's connection with the caller's mistake.",
    mend="Check the whole body before you route it, also the parts that you keep as bytes.",
)
def utf_8_of_a_call(host: HostSubject) -> None:
    """A host does not pass on params that are not UTF-8.

    Sent by a plugin: calls with such params. Expected for each: -32700 with id null; nothing at the callee.
    """
    _in_params(host, _NOT_UTF_8, "MSG-21")


@host_case(
    "json/syntax",
    "MSG-22",
    "MSG-26",
    "FRM-11",
    why="What one JSON reader forgives, another one rejects: plugins would work with one host only.",
    mend="Use a strict JSON reader, and see that it takes no NaN, no comments and nothing after the value.",
)
def syntax(host: HostSubject) -> None:
    """A host answers a body that is no JSON with ParseError.

    Sent by a plugin: pings with one more member whose value is no JSON; two values in one body; half a body; and so on.
    Expected for each: one -32700 with id null, and then the answer to a canonical ping.
    """
    _parse_errors(host, _in_a_ping(_NOT_JSON) | _BROKEN_BODIES, "MSG-22")


@host_case(
    "json/syntax-of-a-call",
    "MSG-22",
    "MSG-25",
    declares=("services",),
    why="A host that passes on what it did not look at breaks the callee's connection with the caller's mistake.",
    mend="Check the whole body before you route it, also the parts that you keep as bytes.",
)
def syntax_of_a_call(host: HostSubject) -> None:
    """A host does not pass on params that are no JSON.

    Sent by a plugin: calls with such params. Expected for each: -32700 with id null; nothing at the callee.
    """
    _in_params(host, _NOT_JSON, "MSG-22")


@host_case(
    "json/surrogates",
    "MSG-23",
    "MSG-26",
    declares=("services",),
    why="Half a character can be held by some languages and not by others, which then fail far away from the mistake.",
    mend="Refuse an escaped surrogate without its partner, also in params that you pass on.",
)
def surrogates(host: HostSubject) -> None:
    """A host answers an escaped surrogate without its partner with ParseError, and does not pass it on.

    Sent by a plugin: pings and calls with such strings and names. Expected for each: -32700 with id null.
    """
    _parse_errors(host, _in_a_ping(_LONE_SURROGATES), "MSG-23")
    _in_params(host, _LONE_SURROGATES, "MSG-23")


@host_case(
    "json/unusual",
    "MSG-22",
    why="JSON may be written in many ways, and every library has its own.",
    mend="Leave the reading to a JSON library; do not look for members by their place or their spelling.",
)
def unusual(host: HostSubject) -> None:
    """A host takes valid JSON however it is written.

    Sent by a plugin: pings with members in another order, with blanks and line ends, with escapes in names and values,
    and with numbers that few can hold. Expected: an answer to each.
    """
    with host.start(plugin("a")) as run:
        for name, body in _UNUSUAL.items():
            with host.checks(name):
                run["a"].send_body(body)
                run["a"].expect_result(1, rule="MSG-22")


@host_case(
    "json/depth",
    "MSG-24",
    "MSG-26",
    why="A reader that calls itself for each level dies of a few thousand brackets.",
    mend="Count levels while you read, or before; refuse what is deeper than maxDepth, and take what is just as deep.",
)
def depth(host: HostSubject) -> None:
    """A host takes a body nested to maxDepth, and answers a deeper one with ParseError.

    Sent by a plugin: pings with a member that makes the body just as deep as the limit, one level deeper, 100000 levels
    deep, and as deep without its ends. Expected: the answer; -32700 with id null to each of the others.
    """
    with host.start(plugin("a")) as run:
        levels = int(run["a"].limits.get("maxDepth", 128))
        with host.checks("at-the-limit"):
            run["a"].send_body(_nested(levels))
            run["a"].expect_result(1, rule="MSG-24")
        with host.checks("brackets-in-a-string"):
            run["a"].send_body(_in_a_ping({"x": b'"\\"' + b"[{" * 9000 + b'\\\\"'})["x"])
            run["a"].expect_result(1, rule="MSG-24")
        with host.checks("objects-at-the-limit"):
            run["a"].send_body(_nested(levels, b'{"a":', b"1", b"}"))
            run["a"].expect_result(1, rule="MSG-24")
        deep = {
            "one-level-deeper": _nested(levels + 1),
            "objects": _nested(levels + 1, b'{"a":', b"1", b"}"),
            "very-deep": _nested(100_000),
            "very-deep-objects": _nested(100_000, b'{"a":', b"1", b"}"),
            "without-ends": b"[" * 100_000,
        }
        for name, body in deep.items():
            with host.checks(name):
                run["a"].send_body(body)
                expect_bad(run["a"], None, PARSE_ERROR, "MSG-24")


def _nested(levels: int, opened: bytes = b"[", inside: bytes = b"", closed: bytes = b"]") -> bytes:
    """A ping of so many levels; the message itself is the first."""
    return _in_a_ping({"x": opened * (levels - 1) + inside + closed * (levels - 1)})["x"]


@host_case(
    "json/forwarded",
    "MSG-25",
    declares=("services",),
    why="A host that reads and writes params again changes numbers that its language cannot hold, and signatures "
    "over them.",
    mend="Keep params, result and error.data as the bytes that came, and write these bytes.",
)
def forwarded(host: HostSubject) -> None:
    """A host forwards params, result and error.data byte by byte.

    Sent: a call whose params have blanks, escapes, a name twice, and numbers beyond 2^53; its result, and the data of
    another one's error, are the same bytes. Expected at the other end of each: the same bytes.
    """
    with host.start(plugin("a"), plugin("b", "b/do")) as run:
        with host.checks("params"):
            run["a"].send_body(b'{"jsonrpc":"2.0","id":11,"method":"b/do","params":%b}' % _FRAGILE)
            request = run["b"].expect_request("b/do", rule="MSG-25")
            _expect_bytes(request.members["params"])
        with host.checks("result"):
            run["b"].send_body(b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (request.id, _FRAGILE))
            _expect_bytes(run["a"].expect_answer(11, rule="MSG-25").members.get("result", b""))
        with host.checks("error-data"):
            id, request = held(run["a"], run["b"], "b/do")
            run["b"].send_body(
                b'{"jsonrpc":"2.0","id":%d,"error":{"code":7,"message":"x","data":%b}}' % (request.id, _FRAGILE)
            )
            error = run["a"].expect_error(id, 7, rule="MSG-25").members["error"]
            _expect_bytes(raw_members(error).get("data", b""))


def _expect_bytes(got: bytes) -> None:
    if got != _FRAGILE:
        raise Broken(
            "the bytes have changed",
            expected=_FRAGILE.decode(),
            got=got.decode("utf-8", "backslashreplace"),
            requirement="MSG-25",
        )
