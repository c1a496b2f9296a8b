"""Asks ``relay/hold`` under the id 7, and again under the same id; its own answer tells what came for the second."""

import raw


def ask(request):
    raw.send(id=7, method="relay/hold")
    raw.send(id=7, method="relay/echo", params={"text": "second"})
    second = raw.read()
    raw.send(method="relay/release")
    first = raw.read()
    raw.answer(request, {"first": first["result"], "id": second["id"], "second": second["error"]["code"]})


raw.begin()
raw.serve(ask=ask)
