"""One report by hand, of a subject that puts everything into its texts that a terminal, a browser or a parser obeys."""

import base64

from plugwire_conformance.report import (
    BaselineResult,
    CaseResult,
    Entry,
    Failure,
    Level,
    Report,
    RequirementResult,
    Role,
    Subject,
    Verdict,
)

ESC = "\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07link\x1b]8;;\x07"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>]]>&amp;\"'"
HOSTILE = f"{ESC} {MARKUP} \x00\x08\x7f\x85\ufeff\ufffe \u202etfel\u202c \ud800 \udcff tab\tand\r\nline"
LONG = "0123456789" * 900

INITIALIZE = (
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1.0","host":{"name":"plugin-conform",'
    '"version":"0.1.0"},"instance":"subject","limits":{"maxFrameBytes":16777216},"capabilities":{}}}'
)
ANSWER = (
    '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"1.0","plugin":{"name":"spell-check","version":"0.3.1"},'
    '"provides":[{"service":"spell","methods":["spell/check","spell/suggest","spell/learn"]}],"a":1.0,"a":1}}'
)


def frame(body: str) -> str:
    return f"Content-Length: {len(body.encode())}\r\n\r\n{body}"


def received_bytes(time: float, data: bytes) -> Entry:
    return Entry(time, "c1", "received", base64=base64.b64encode(data).decode())


BAD_LENGTH = CaseResult(
    id="framing/bad-length",
    title="a length that is no decimal number loses the frame boundary",
    level=Level.MUST,
    requirements=("FRM-12", "FRM-10"),
    verdict=Verdict.FAIL,
    why="Two readers that take such a length differently see different messages in the same bytes.",
    mend="Match the value against ^[0-9]{1,10}$ before you turn it into a number; parseInt and int() take more.",
    seconds=1.25,
    runs=1,
    failed_runs=1,
    failures=(
        Failure("FRM-12", "the plugin took 0x28 as a length", "the process ends, code not 0", "an answer", "hex", 5),
        Failure("FRM-12", f"it said {HOSTILE}", "the process ends", HOSTILE, "plus-sign", 9),
    ),
    wire=(
        Entry(0.0, "c1", "event", "started: node dist/plugin.js"),
        Entry(0.012, "c1", "sent", frame(INITIALIZE)),
        Entry(0.094, "c1", "received", frame(ANSWER)),
        Entry(0.095, "c1", "sent", 'Content-Length: 0x28\r\n\r\n{"jsonrpc":"2.0","id":2,"method":"ping"}'),
        Entry(0.098, "c1", "received", frame('{"jsonrpc":"2.0","id":2,"result":{}}')),
        Entry(0.1, "c2", "sent", 'content-length:+40\n\n{"jsonrpc":"2.0","id":2,"method":"ping"}'),
        received_bytes(0.11, b'Content-Length: 9\r\n\r\n{"a":"\xff"}' + frame(ANSWER).encode()),
        received_bytes(0.12, bytes(range(256))),
        Entry(0.13, "c2", "stderr", HOSTILE, omitted=70_000),
        Entry(2.13, "c2", "event", "nothing for 2.0 s"),
    ),
    rerun="plugin-conform run --only framing/bad-length --keep-traces t -- node dist/plugin.js",
)
UNKNOWN_METHOD = CaseResult(
    id="requests/unknown-method",
    title="an unknown method is answered with MethodNotFound",
    level=Level.MUST,
    requirements=("MSG-12",),
    verdict=Verdict.FAIL,
    why="A peer that waits for this id hangs for ever.",
    mend="Answer a request whose method you do not have with the code -32601.",
    seconds=2.004,
    runs=20,
    failed_runs=1,
    failures=(Failure("MSG-12", "no answer came", "an error with the code -32601", "nothing in 2.0 s", at=1),),
    wire=(Entry(0.0, "c1", "sent", frame('{"jsonrpc":"2.0","id":7,"method":"zz/none"}')),),
    rerun="plugin-conform run --only requests/unknown-method --keep-traces t -- node dist/plugin.js",
)
LONG_ONE = CaseResult(
    id="limits/large-text",
    title="a text of 9000 characters comes back as it was sent",
    level=Level.MUST,
    requirements=("LIM-02",),
    verdict=Verdict.FAIL,
    seconds=0.2,
    failed_runs=1,
    failures=(Failure("LIM-02", "the text is another", LONG, LONG[:-1], at=2),),
    wire=(
        Entry(0.0, "c1", "sent", frame(f'{{"jsonrpc":"2.0","id":3,"method":"conformance/echo","params":"{LONG}"}}')),
        Entry(0.1, "c1", "received", frame('{"jsonrpc":"2.0","id":3,"result":' + "[" * 60 + "]" * 60 + "}")),
    ),
)
REPORTS_DEVIATION = CaseResult(
    id="framing/reports-deviation",
    title="a tolerated deviation is reported once",
    level=Level.SHOULD,
    requirements=("FRM-08",),
    verdict=Verdict.WARN,
    why="Without it nobody finds out that the other side writes headers in its own way.",
    mend="Write a line to standard error.",
    seconds=0.31,
    failed_runs=1,
    failures=(Failure("FRM-08", "nothing was said on standard error", check="lower-case"),),
)
CANCEL = CaseResult(
    id="cancel/answers-once",
    title="a cancelled request is answered once",
    level=Level.MUST,
    requirements=("CAL-07",),
    verdict=Verdict.FAIL,
    reason="the library answers twice, version 2 will not",
    seconds=0.05,
    failed_runs=1,
    known=True,
    failures=(Failure("CAL-07", "two answers came to id 3"),),
)


def passed(name: str, title: str, *requirements: str, level: Level = Level.MUST) -> CaseResult:
    return CaseResult(name, title, level, requirements, Verdict.PASS, seconds=0.04)


CASES = (
    passed("framing/canonical", "a canonical frame is answered with a canonical frame", "FRM-01", "FRM-02"),
    BAD_LENGTH,
    passed("framing/name-case", "the name of the header may have any case", "FRM-05"),
    REPORTS_DEVIATION,
    UNKNOWN_METHOD,
    passed("requests/order # [x]", "answers may come in any order", "MSG-13", level=Level.MAY),
    LONG_ONE,
    CANCEL,
    CaseResult(
        "progress/steps",
        "progress is reported while the call is open",
        Level.MUST,
        ("CAL-25",),
        Verdict.NOT_DECLARED,
        reason="the plugin does not provide conformance/progress",
    ),
    CaseResult(
        "channels/credit",
        "no more than the credit is sent",
        Level.MUST,
        ("CHN-09",),
        Verdict.SKIP,
        reason=f"no node {ESC}",
    ),
    CaseResult(
        "everywhere/schema-valid",
        "every message fits its schema",
        Level.MUST,
        ("MSG-01",),
        Verdict.ERROR,
        reason=f"Traceback (most recent call last):\n  ...\nKeyError: 'result' {MARKUP}\n",
    ),
)
REQUIREMENTS = (
    RequirementResult(
        "FRM-01",
        Level.MUST,
        "In header framing a writer MUST emit exactly `Content-Length: `, the number of bytes of the body in decimal "
        "without leading zeros, `CR LF CR LF`, and then the body, with no other header.",
        "01 Framing",
        ("framing/canonical",),
    ),
    RequirementResult(
        "FRM-02",
        Level.MUST,
        "The length MUST count bytes of UTF-8, not characters.",
        "01 Framing",
        ("framing/canonical",),
    ),
    RequirementResult(
        "FRM-05",
        Level.MUST,
        "A reader MUST accept the name `Content-Length` in any letter case.",
        "01 Framing",
        ("framing/name-case",),
    ),
    RequirementResult(
        "FRM-08",
        Level.SHOULD,
        "A reader SHOULD report each kind of tolerated deviation once per connection, with its byte offset.",
        "01 Framing",
        ("framing/reports-deviation",),
    ),
    RequirementResult(
        "FRM-12",
        Level.MUST,
        "A length that does not match `^[0-9]{1,10}$` in ASCII MUST be rejected; signs, decimals, blanks inside, "
        "hexadecimal and other scripts' digits are no lengths.",
        "01 Framing",
        ("framing/bad-length", "framing/not-run-this-time"),
    ),
    RequirementResult(
        "FRM-22",
        Level.MUST,
        "A host MUST offer, for each plugin, a setting under which any noise ends the connection.",
        "01 Framing",
        excluded="how a host is configured is its own affair",
    ),
    RequirementResult("MSG-12", Level.MUST, "A method MUST be known.", "02 Messages", ("requests/unknown-method",)),
    RequirementResult("MSG-14", Level.MAY, f"A peer MAY say {MARKUP} \u202e.", "02 Messages"),
    RequirementResult("CAL-25", Level.MUST, "Progress MUST be honest.", "04 Calls", ("progress/steps",)),
)
REPORT = Report(
    suite="0.1.0",
    spec="1.0",
    subject=Subject(
        Role.PLUGIN,
        ("node", "dist/plugin.js", "two words", HOSTILE),
        f"spell-check{ESC}",
        "0.3.1",
        "1.0",
        ("progress", MARKUP),
    ),
    profile="core",
    seed=81723,
    started="2026-11-22T20:15:00Z",
    seconds=3.84,
    cases=CASES,
    requirements=REQUIREMENTS,
    baseline=BaselineResult("known.toml", ("framing/name-case: it passes now", f"zz/{MARKUP}: no such case")),
    exit_code=1,
    notes=("the subject's answers were checked against the schemas of 1.0", f"note {ESC}"),
)
CLEAN = Report(
    suite="0.1.0",
    spec="1.0",
    subject=Subject(Role.PLUGIN, ("./greeter",), "greeter", "1.2.0", "1.0"),
    profile="core",
    seed=1,
    started="2026-11-22T20:15:00Z",
    seconds=0.5,
    cases=(CASES[0], CASES[2]),
    requirements=REQUIREMENTS[:3],
)
