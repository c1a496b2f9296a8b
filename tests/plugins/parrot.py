"""Says what no JSON library would write: odd ``params``, ``result`` or ``data``, a ``number``, a member ``twice``."""

import raw

ODD = (
    b'{"big":123456789012345678901234567890,"exponent":1E+2,"point":1.0,"tiny":-0.0e-7,"twice":1,"twice":2,'
    b'"escape":"\\u00e9\\/\\n\\ud83d\\ude00","plain":"\xc3\xa9","":[ ],"deep":[[[{}]]] }'
)
CALL = b'{"jsonrpc":"2.0","id":1,"method":"b/echo","params":%b}'
TWICE = b'{"method":"b/x","params":{"first":true},"jsonrpc":"2.0","id":1,"method":"b/echo","params":{"last":true}}'
PROBLEMS = b'{"code":-32602,"message":"no","data":{"problems":[{"path":"$","message":"x"}]}}'
ANSWERS = {
    "result": b'{"jsonrpc":"2.0","id":%d,"result":' + ODD + b"}",
    "data": b'{"jsonrpc":"2.0","id":%d,"error":{"code":7,"message":"\xc3\xa9","data":' + ODD + b"}}",
    "number": b'{"jsonrpc":"2.0","id":%d,"result":[1e999]}',
    "error": b'{"jsonrpc":"2.0","id":%d,"error":' + PROBLEMS + b"}",
}


def ask(request):
    if raw.argument in ANSWERS:
        raw.write(raw.frame(ANSWERS[raw.argument] % request["id"]))
    else:
        raw.write(raw.frame(TWICE if raw.argument == "twice" else CALL % ODD))
        raw.read()
        raw.answer(request, "asked")


raw.begin()
raw.serve(ask=ask)
