"""Sends a frame that holds no JSON before each answer; the argument says which."""

import raw

BODIES = {
    "cut": b'{"jsonrpc":"2.0",',
    "empty": b"",
    "nan": b'{"jsonrpc":"2.0","method":"liar/x","params":{"a":NaN}}',
    "comma": b'{"jsonrpc":"2.0","method":"liar/x",}',
    "two": b'{"jsonrpc":"2.0","method":"liar/x"}{}',
    "utf-8": b'{"jsonrpc":"2.0","method":"liar/x","params":{"a":"\xff"}}',
    "surrogate": b'{"jsonrpc":"2.0","method":"liar/x","params":{"a":"\\ud800"}}',
    "byte-order-mark": b'\xef\xbb\xbf{"jsonrpc":"2.0","method":"liar/x"}',
    "deep": b'{"jsonrpc":"2.0","method":"liar/x","params":{"a":' + b"[" * 100000 + b"]" * 100000 + b"}}",
}


def ask(request):
    raw.write(raw.frame(BODIES[raw.argument]))
    reply = raw.read()
    raw.answer(request, [reply["id"], reply["error"]["code"]])


raw.begin()
raw.serve(ask=ask)
