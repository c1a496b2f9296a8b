"""Every conversation of spec/transcripts is what two peers say, byte for byte; and the replay would notice if not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.wire.replay import Mismatch, replay
from tests.wire.transcript import (
    HOST,
    TRANSCRIPTS,
    BadTranscript,
    EndOfStream,
    Exit,
    Message,
    OddBody,
    RawBytes,
    Transcript,
    load,
    names,
    parse,
)

EVERY = pytest.mark.parametrize("name", names())
SPEC = Path(__file__).parents[2] / "spec"


def test_the_conversations_that_the_spec_promises_are_there() -> None:
    assert names() == [
        "bad-messages", "call", "call-cycle", "cancel", "channels", "crash", "deadline", "error", "events", "handshake",
        "hooks", "line-framing", "lost-boundary", "noise", "plugin-to-plugin-call", "progress", "shared-memory",
        "shutdown", "state", "version-refusal",
    ]  # fmt: skip


@pytest.mark.requirement("FRM-01", "FRM-09", "MSG-16")
@pytest.mark.parametrize("byte_by_byte", [False, True], ids=["line by line", "byte by byte"])
@EVERY
def test_a_transcript_is_what_the_peers_say(name: str, byte_by_byte: bool) -> None:
    replay(load(name), byte_by_byte=byte_by_byte)


# The replay itself: each of these changes to one line has to be noticed on that line.


def changed(name: str, line: int, old: str, new: str) -> Transcript:
    lines = (TRANSCRIPTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    return parse(name, "\n".join(lines))


def messages(name: str) -> Iterator[tuple[Message, str]]:
    for step in load(name).steps:
        if isinstance(step.what, Message):
            yield step.what, step.what.body.decode()


@EVERY
def test_one_wrong_byte_in_any_message_is_noticed_on_its_line(name: str) -> None:
    for message, text in messages(name):
        members = list(json.loads(text))
        wrong = [
            (text, text[:-1]),
            (text, text + " "),
            ('{"', '{ "'),
            ('"2.0"', '"2.1"'),
            ('"jsonrpc"', '"Jsonrpc"'),
            (f'"{members[1]}":', f'"{members[1]}x":'),
            (",", ", "),
        ]
        if message.body.isascii():
            wrong.append((text, text[:-1] + ',"x":1}'))
        if isinstance(json.loads(text).get("id"), int):
            wrong += [('"id":', '"id":1'), ('"id":', '"id":-'), (re.findall(r'"id":[0-9]+', text)[0], '"id":"1"')]
        for old, new in wrong:
            with pytest.raises(Mismatch, match=rf"^{name}, line {message.line}: "):
                replay(changed(name, message.line, old, new))


@EVERY
def test_members_in_another_order_are_noticed_on_their_line(name: str) -> None:
    for message, text in messages(name):
        told = json.loads(text)
        turned = {member: told[member] for member in reversed(told)}
        with pytest.raises(Mismatch, match=rf"^{name}, line {message.line}: "):
            replay(changed(name, message.line, text, json.dumps(turned, separators=(",", ":"), ensure_ascii=False)))


@pytest.mark.parametrize(
    ("name", "line_with", "old", "new"),
    [
        ("noise", "host warns  'Downloading", "model", "modem"),
        ("noise", "raw '50%...'", "50", "51"),
        ("noise", "host reports  4", "4", "3"),
        ("noise", "content-length:41", "41", "40"),
        ("noise", "content-length:41", "content", "kontent"),
        ("bad-messages", '"code":-32700', "-32700", "-32600"),
        ("bad-messages", '"code":-32700', "null", "1"),
        ("bad-messages", "Input data was truncated", "I", "i"),
        ("bad-messages", "host ignores it", "host ignores it", ""),
        ("bad-messages", "host fails call 4", "4", "3"),
        ("bad-messages", "host fails call 4", "host fails call 4", ""),
        ("bad-messages", "body '[{", "[{", "{"),
        ("lost-boundary", "a ends the connection", "a ends the connection", ""),
        ("lost-boundary", "4194305", "4194305", "4194304"),
        ("lost-boundary", "0x29", "0x29", "40"),
        ("lost-boundary", "raw 'Content-Length: 38", "38", "36"),
        ("call", "Zoë", "ë", "\\u00eb"),
        ("line-framing", "two\\nlines", "\\n", "\\u000a"),
        ("line-framing", "a uses line framing", "a uses line framing", ""),
        ("shutdown", "a > host  end of output", "a > host", "host > a"),
        ("shutdown", '"method":"exit"', "exit", "initialized"),
        ("handshake", '"method":"initialized"', "initialized", "initialised"),
        ("progress", '"method":"$/progress"', "$/progress", "ping"),
    ],
)  # fmt: skip
def test_a_change_of_what_is_not_repeated_elsewhere_is_noticed(name: str, line_with: str, old: str, new: str) -> None:
    lines = (TRANSCRIPTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    found = next(number for number, line in enumerate(lines, start=1) if line_with in line and not line.startswith("#"))
    with pytest.raises((Mismatch, BadTranscript)):
        replay(changed(name, found, old, new))


@EVERY
def test_a_message_that_is_left_out_is_missed_where_another_hangs_on_it(name: str) -> None:
    said = [(message, json.loads(text)) for message, text in messages(name)]
    answered = {(other.receiver, other.sender, told["id"]) for other, told in said if "result" in told}
    for message, told in said:
        if "method" in told and (message.sender, message.receiver, told.get("id")) in answered:
            text = message.body.decode()
            with pytest.raises((Mismatch, BadTranscript)):
                replay(changed(name, message.line, f"{message.sender} > {message.receiver}  {text}", "# left out"))


def test_nothing_may_be_said_after_the_end() -> None:
    text = (TRANSCRIPTS / "crash.txt").read_text(encoding="utf-8")
    late = 'b > host  {"jsonrpc":"2.0","id":2,"result":null}\n'
    with pytest.raises(Mismatch, match="does not listen any more"):
        replay(parse("crash", text + late))


@pytest.mark.parametrize(
    "line",
    [
        'host > a {"jsonrpc":"2.0"}', "host > host  {}", "a > b  {}", "a > host  raw x", "a > host  raw 5",
        "a > host  rav 'x'", "a > host  end of input", "host > a  end of output", "a exits  code x", "a exits",
        "a warns",
        "host warns  'x'", "hello",
        "  # indented", "host > a  body '\u00e9'",
    ],
)  # fmt: skip
def test_what_is_not_in_the_notation_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(BadTranscript, match=r"^x, line 3: "):
        parse("x", "# one\n\n" + line)


def test_the_parser_gives_each_kind_of_line_its_place() -> None:
    text = "\n".join(
        [
            "# a comment",
            "b uses line framing",
            'host > a  {"x":"é"}',
            "a > host  body '\\xff'",
            'a > host  raw "it\'s\\n"',
            "host warns  'x\\n'",
            "host reports  2 deviations",
            "host > b  end of input",
            "b exits  signal SIGKILL",
            "host ends the connection",
        ]
    )
    transcript = parse("x", text)
    assert [step.what for step in transcript.steps] == [
        Message(3, "host", "a", '{"x":"é"}'.encode()),
        OddBody(4, "a", "host", b"\xff"),
        RawBytes(5, "a", "host", b"it's\n"),
        EndOfStream(8, "host", "b"),
        Exit(9, "b", "signal SIGKILL"),
    ]
    assert [(step.effects.warns, step.effects.deviations, step.effects.is_the_end) for step in transcript.steps] == [
        ((), 0, False),
        ((), 0, False),
        ((b"x\n",), 2, False),
        ((), 0, False),
        ((), 0, True),
    ]
    assert transcript.plugins == ["a", "b"]
    assert [transcript.framing(plugin).value for plugin in transcript.plugins] == ["header", "line"]


# What the transcripts say is what the rest of the spec says


def model() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SPEC / "model" / "protocol.json").read_text(encoding="utf-8"))
    return loaded


def validator(type_name: str) -> Any:
    schema = json.loads((SPEC / "schema" / "protocol.schema.json").read_text(encoding="utf-8"))
    return jsonschema_rs.validator_for({"$ref": f"#/$defs/{type_name}", "$defs": schema["$defs"]})


@EVERY
def test_what_the_protocol_defines_fits_its_schema(name: str) -> None:
    methods = {method["name"]: method for method in model()["methods"]}
    data_of = {code["code"]: code["data"] for code in model()["codes"] if "data" in code}
    asked: dict[tuple[str, str, int], str] = {}
    for step in load(name).steps:
        if not isinstance(step.what, Message):
            continue
        sender, receiver = step.what.sender, step.what.receiver
        told = json.loads(step.what.body)
        method = methods.get(told.get("method"))
        if "method" in told:
            asked[sender, receiver, told.get("id", 0)] = told["method"]
        if method is not None:
            validator(method["params"]).validate(told.get("params", {}))
        if "meta" in told:
            validator("Meta").validate(told["meta"])
        if "result" in told:
            answered = methods.get(asked[receiver, sender, told["id"]])
            if answered is not None:
                validator(answered["result"]).validate(told["result"])
        if "error" in told and told["error"]["code"] in data_of:
            validator(data_of[told["error"]["code"]]).validate(told["error"]["data"])


@EVERY
def test_ids_of_the_spec_in_comments_exist(name: str) -> None:
    chapters = "".join(path.read_text(encoding="utf-8") for path in SPEC.glob("[0-9][0-9]-*.md"))
    text = (TRANSCRIPTS / f"{name}.txt").read_text(encoding="utf-8")
    cited = re.findall(r"\b(?:[A-Z]{3}-[0-9]{2})\b", text)
    assert cited
    assert [requirement for requirement in cited if f"**[{requirement}]**" not in chapters] == []
    assert all(len(line) <= 120 for line in text.splitlines() if line.startswith("#"))


@EVERY
def test_a_plugin_gets_meta_only_if_it_has_declared_it(name: str) -> None:
    takes_meta: set[str] = set()
    for step in load(name).steps:
        if not isinstance(step.what, Message):
            continue
        told = json.loads(step.what.body)
        if step.what.sender != HOST and told.get("id") == 1 and "result" in told and isinstance(told["result"], dict):
            if told["result"].get("capabilities", {}).get("meta"):
                takes_meta.add(step.what.sender)
        elif step.what.sender == HOST and told.get("method") not in ("initialize", "ping", "shutdown") and "id" in told:
            assert ("meta" in told) == ("method" in told and step.what.receiver in takes_meta)
