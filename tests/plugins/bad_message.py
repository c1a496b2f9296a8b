"""Sends JSON that is no message before each answer; the argument says which. Its own answer tells the reply."""

import raw

BODIES = {
    "batch": b'[{"jsonrpc":"2.0","id":7,"method":"liar/x"}]',
    "version": b'{"id":7,"method":"liar/x"}',
    "method": b'{"jsonrpc":"2.0","id":7,"method":7}',
    "params": b'{"jsonrpc":"2.0","id":7,"method":"liar/x","params":[1]}',
    "id": b'{"jsonrpc":"2.0","id":1.5,"method":"liar/x"}',
    "meta": b'{"jsonrpc":"2.0","id":7,"method":"liar/x","meta":{"deadlineMs":-1}}',
}


def ask(request):
    raw.write(raw.frame(BODIES[raw.argument]))
    reply = raw.read()
    raw.answer(request, [reply["id"], reply["error"]["code"]])


raw.begin()
raw.serve(ask=ask)
