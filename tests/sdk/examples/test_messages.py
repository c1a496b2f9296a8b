"""Chapter 02: which bodies are JSON, which are messages, and what each is answered with; then a ping still works."""

import pytest

from .driver import Conversation
from .subjects import ALIVE, PING_ALIVE

# Values of a param that no plugin looks at: the body is JSON or it is not.
JSON = {
    "the last character": b'"\xf4\x8f\xbf\xbf"',
    "a noncharacter": b'"\xef\xbf\xbe"',
    "a replacement character": b'"\xef\xbf\xbd"',
    "the characters beside the surrogates": b'"\xed\x9f\xbf\xee\x80\x80"',
    "DEL": b'"\x7f"',
    "every short escape": rb'"\"\\\/\b\f\n\r\t"',
    "an escaped NUL": rb'"\u0000"',
    "an escaped pair of surrogates": rb'"\ud83d\ude00"',
    "an escaped pair in upper case": rb'"\uD83D\uDE00"',
    "an escaped backslash before ud800": rb'"\\ud800"',
    "an escaped backslash before a pair": rb'"\\\ud83d\ude00"',
    "an escape of the row before the surrogates": rb'"\ud7ff\ue000"',
    "minus zero": b"-0",
    "an exponent": b"[1E+2,1e-2,0e0,1.50]",
    "a number beyond every float": b"1e400",
    "a number of 400 digits": b"9" * 400,
    "an empty name": b'{"":{}}',
    "blanks": b" \t[ \t1 ,\t2\t] ",
    "literals": b"[true,false,null]",
    "depth 128": b"[" * 126 + b"]" * 126,
}

NOT_JSON = {
    "a byte that UTF-8 does not have": b'"\xff"',
    "a lone continuation": b'"\x80"',
    "a cut character": b'"\xc3"',
    "a character cut by another": b'"\xe2\x82\xc3\xa9"',
    "overlong, two bytes": b'"\xc0\xaf"',
    "overlong, three bytes": b'"\xe0\x80\xaf"',
    "overlong, four bytes": b'"\xf0\x80\x80\xaf"',
    "a surrogate pair as bytes": b'"\xed\xa0\xbd\xed\xb8\x80"',
    "a surrogate as bytes": b'"\xed\xa0\x80"',
    "above the last character": b'"\xf4\x90\x80\x80"',
    "five bytes": b'"\xf8\x88\x80\x80\x80"',
    "a bad byte in a name": b'{"\xff":1}',
    "an escaped first half": rb'"\ud800"',
    "an escaped second half": rb'"\udc00"',
    "halves in the wrong order": rb'"\ude00\ud83d"',
    "two first halves": rb'"\ud800\ud800\udc00"',
    "a first half before a letter": rb'"\uD800x"',
    "a first half before another escape": rb'"\ud800\u0041"',
    "an escaped half in a name": rb'{"\udfff":1}',
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "minus Infinity": b"-Infinity",
    "a comma at an array's end": b"[1,]",
    "a comma at an object's end": b'{"a":1,}',
    "a comma alone": b"[,]",
    "a leading zero": b"01",
    "a leading plus": b"+1",
    "a point first": b".5",
    "a point last": b"1.",
    "an exponent without digits": b"1e",
    "a minus alone": b"-",
    "hexadecimal": b"0x10",
    "single quotes": b"'x'",
    "a comment": b"1 /* one */",
    "a name without quotes": b"{a:1}",
    "a number for a name": b"{1:1}",
    "no colon": b'{"a" 1}',
    "no value": b'{"a":}',
    "a tab in a string": b'"\t"',
    "a NUL in a string": b'"\x00"',
    "a control character in a string": b'"\x1f"',
    "an unknown escape": rb'"\x41"',
    "an escape with a wrong digit": rb'"\u12g4"',
    "an escape that is cut": rb'"\u12"',
    "a string without an end": b'"x',
    "a wrong capital": b"True",
    "half a word": b"tru",
    "two values": b"1 2",
    "a vertical tab for a blank": b"\x0b1",
    "a no-break space for a blank": b"\xc2\xa01",
    "an unclosed array": b"[",
    "a wrong bracket": b"[}",
    "depth 129": b"[" * 127 + b"]" * 127,
}

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'

NOT_JSON_AS_BODY = {
    "a byte order mark": b"\xef\xbb\xbf" + PING,
    "UTF-16": PING.decode().encode("utf-16-le"),
    "a second value": PING + b"{}",
    "a letter behind": PING + b"x",
    "a NUL behind": PING + b"\0",
    "a bracket behind": PING + b"}",
    "half a message": PING[:-1],
    "blanks alone": b"  ",
    "100000 arrays": b"[" * 100000 + b"]" * 100000,
    "100000 arrays without an end": b"[" * 100000,
    "100000 objects without an end": b'{"a":' * 100000,
}

OK = '{"id":1,"result":null}'
NO_ID = '{"code":-32600,"id":null}'
WITH_ID = '{"code":-32600,"id":1}'

ANSWERED = {
    "the last of two members": (b'{"jsonrpc":"2.0","id":7,"method":"no","id":1,"method":"ping"}', OK),
    "the last of two ids, a wrong first one": (b'{"jsonrpc":"2.0","id":1.5,"method":"ping","id":1}', OK),
    "the last of two ids, a wrong last one": (b'{"jsonrpc":"2.0","id":1,"method":"ping","id":1.5}', NO_ID),
    "the last of two params": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[],"params":{}}', OK),
    "two members, one name escaped": (rb'{"jsonrpc":"2.0","id":1,"method":"no","\u006dethod":"ping"}', OK),
    "escaped names and values": (rb'{"json\u0072pc":"\u0032.0","i\u0064":1,"\u006dethod":"pin\u0067"}', OK),
    "another order of members": (b'{"params":{},"method":"ping","id":1,"jsonrpc":"2.0"}', OK),
    "unknown members": (b'{"_x":[1.5],"jsonrpc":"2.0","id":1,"method":"ping","jsonrpc2":null,"result":5}', OK),
    "a name in another case": (b'{"jsonrpc":"2.0","id":1,"Method":"ping"}', WITH_ID),
    "a message without anything": (b"{}", NO_ID),
    "an empty array": (b"[]", NO_ID),
    "an array with a number": (b"[1]", NO_ID),
    "an array of requests": (b"[" + PING + b"," + PING + b"]", NO_ID),
    "a number": (b"1", NO_ID),
    "a string": (b'"ping"', NO_ID),
    "null": (b"null", NO_ID),
    "true": (b"true", NO_ID),
    "null for params": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', WITH_ID),
    "an array for params": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', WITH_ID),
    "a string for params": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}', WITH_ID),
    "no method": (b'{"jsonrpc":"2.0","id":1}', WITH_ID),
    "an empty method": (b'{"jsonrpc":"2.0","id":1,"method":""}', WITH_ID),
    "a number for the method": (b'{"jsonrpc":"2.0","id":1,"method":1}', WITH_ID),
    "null for the method": (b'{"jsonrpc":"2.0","id":1,"method":null}', WITH_ID),
    "no version": (b'{"id":1,"method":"ping"}', WITH_ID),
    "another version": (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', WITH_ID),
    "a number for the version": (b'{"jsonrpc":2.0,"id":1,"method":"ping"}', WITH_ID),
    "a broken notification": (b'{"jsonrpc":"2.0","method":1}', NO_ID),
    "a notification with an array": (b'{"jsonrpc":"2.0","method":"exit","params":[]}', NO_ID),
    "a broken request with a wrong id": (b'{"jsonrpc":"2.0","id":true,"method":""}', NO_ID),
}

SILENT = {
    "an unknown notification": b'{"jsonrpc":"2.0","method":"no/such","params":{"x":1}}',
    "an unknown notification of the protocol": b'{"jsonrpc":"2.0","method":"$/no"}',
    "ping without an id": b'{"jsonrpc":"2.0","method":"ping"}',
    "ping with an id in another case": b'{"jsonrpc":"2.0","ID":1,"method":"ping"}',
    "a name that ends like exit": b'{"jsonrpc":"2.0","method":"x:exit"}',
    "shutdown without an id": b'{"jsonrpc":"2.0","method":"shutdown"}',
    "a second initialized": b'{"jsonrpc":"2.0","method":"initialized"}',
    "a cancel of nothing": b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":99}}',
    "a cancel with a wrong id": b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":[1.0]}}',
    "a cancel without params": b'{"jsonrpc":"2.0","method":"$/cancelRequest"}',
    "progress that nobody asked for": b'{"jsonrpc":"2.0","method":"$/progress","params":{"token":1,"value":{}}}',
    "a result that nobody waits for": b'{"jsonrpc":"2.0","id":1,"result":null}',
    "an error that nobody waits for": b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}',
    "an error with id null": b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}',
    "a result without an id": b'{"jsonrpc":"2.0","result":null}',
    "a result with a wrong id": b'{"jsonrpc":"2.0","id":1.0,"result":null}',
    "a response with result and error": b'{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":"x"}}',
    "a response with a broken error": b'{"jsonrpc":"2.0","id":1,"error":null}',
}

IDS = {
    "zero": ("0", "0"),
    "a negative number": ("-1", "-1"),
    "the largest": ("9007199254740991", "9007199254740991"),
    "the smallest": ("-9007199254740991", "-9007199254740991"),
    "an empty string": ('""', '""'),
    "a string that looks like a number": ('"1"', '"1"'),
    "letters with accents": ('"é"', '"é"'),
    "an escaped letter": (r'"\u00e9"', '"é"'),
    "an escaped pair": (r'"\ud83d\ude00"', '"😀"'),
    "escapes": (r'"\u0000\"\\\n\u001f\/"', r'"\u0000\"\\\n\u001f/"'),
    "128 characters": ('"' + "😀" * 128 + '"', '"' + "😀" * 128 + '"'),
    "128 escaped characters": ('"' + r"\ud83d\ude00" * 128 + '"', '"' + "😀" * 128 + '"'),
}

NO_IDS = [
    *("1.5", "1.0", "1e0", "10E-1", "-0.0", "true", "null", "[]", "[1]", "{}", '"' + "x" * 129 + '"'),
    *("9007199254740992", "-9007199254740992", "9007199254740993", "100000000000000000000", "1" + "0" * 400),
]


def ping_with(value: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"value":' + value + b"}}"


def answers_to(plugin: Conversation, body: bytes, count: int) -> list[str]:
    """The answers to a body and to a ping behind it."""
    plugin.send_bodies(body)
    plugin.send(PING_ALIVE)
    return [plugin.read_answer() for _ in range(count)]


@pytest.mark.requirement("MSG-21", "MSG-22", "MSG-23", "MSG-24")
@pytest.mark.parametrize("value", JSON.values(), ids=JSON)
def test_a_body_that_is_json_is_taken(ready_plugin: Conversation, value: bytes) -> None:
    assert answers_to(ready_plugin, ping_with(value), 2) == ['{"id":1,"result":null}', ALIVE]


@pytest.mark.requirement("MSG-21", "MSG-22", "MSG-23", "MSG-24", "MSG-26", "FRM-11")
@pytest.mark.parametrize("value", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_no_json_is_a_parse_error(ready_plugin: Conversation, value: bytes) -> None:
    assert answers_to(ready_plugin, ping_with(value), 2) == ['{"code":-32700,"id":null}', ALIVE]


@pytest.mark.requirement("MSG-21", "MSG-22", "MSG-24", "MSG-26", "FRM-11")
@pytest.mark.parametrize("body", NOT_JSON_AS_BODY.values(), ids=NOT_JSON_AS_BODY)
def test_a_whole_body_that_is_no_json_is_a_parse_error(ready_plugin: Conversation, body: bytes) -> None:
    assert answers_to(ready_plugin, body, 2) == ['{"code":-32700,"id":null}', ALIVE]


@pytest.mark.requirement("MSG-01", "MSG-02", "MSG-03", "MSG-07", "MSG-08", "MSG-09", "MSG-10", "MSG-27")
@pytest.mark.parametrize(("body", "answer"), ANSWERED.values(), ids=ANSWERED)
def test_a_body_is_answered_as_the_message_that_it_is(ready_plugin: Conversation, body: bytes, answer: str) -> None:
    assert answers_to(ready_plugin, body, 2) == [answer, ALIVE]


@pytest.mark.requirement("MSG-18", "MSG-19", "MSG-28", "LIF-02", "CAL-21", "CAL-28")
@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_a_notification_or_a_response_is_not_answered(ready_plugin: Conversation, body: bytes) -> None:
    assert answers_to(ready_plugin, body, 1) == [ALIVE]


@pytest.mark.requirement("MSG-11", "MSG-12", "MSG-13")
@pytest.mark.parametrize(("sent", "returned"), IDS.values(), ids=IDS)
def test_an_id_comes_back_with_its_type_and_value(ready_plugin: Conversation, sent: str, returned: str) -> None:
    body = f'{{"jsonrpc":"2.0","id":{sent},"method":"ping"}}'.encode()
    assert answers_to(ready_plugin, body, 2) == [f'{{"id":{returned},"result":null}}', ALIVE]


@pytest.mark.requirement("MSG-11", "MSG-27")
@pytest.mark.parametrize("sent", NO_IDS, ids=lambda sent: sent[:24])
def test_what_is_no_id_makes_an_invalid_request(ready_plugin: Conversation, sent: str) -> None:
    body = f'{{"jsonrpc":"2.0","id":{sent},"method":"ping"}}'.encode()
    assert answers_to(ready_plugin, body, 2) == ['{"code":-32600,"id":null}', ALIVE]
