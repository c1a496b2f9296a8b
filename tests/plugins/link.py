"""An honest link of hooks, which does what it was told at its start, and logs each value that it is given.

Its argument is JSON: ``hooks`` (HookLinks), ``does`` (what it answers, by hook, as below), and, if wanted, ``name``,
``concurrency`` and ``meta``. What it does with a value: ``["add", x]`` puts x at the end of a list, ``["keep"]``
leaves it, ``["answer", result]`` and ``["refuse", code, message, data]`` say just that, ``["hold"]`` waits for the
notification ``link/release``, ``["run", hook]`` runs another hook on it, ``["tell"]`` answers with the ``meta``.
"""

import json
import os
import sys

import raw

told = json.loads(raw.argument)
held = []
runs = {}  # our runs, by our id: the request for which each was made


def call(request):
    name, value = request["params"]["name"], request["params"]["value"]
    action, *more = told.get("does", {}).get(name, ["keep"])
    raw.log(f"given {json.dumps(value)}")
    if action == "add":
        raw.answer(request, {"value": [*value, *more]})
    elif action == "keep":
        raw.answer(request, {})
    elif action == "answer":
        raw.answer(request, more[0])
    elif action == "refuse":
        raw.refuse(request, more[0], more[1], **more[2])
    elif action == "hold":
        held.append(request)
        raw.log("holding")
    elif action == "tell":
        raw.answer(request, {"value": request["meta"]})
    elif action == "run":
        run(request, more[0], value)


def run(request, hook, value):
    number = 100 + len(runs)
    runs[number] = request
    meta = {"meta": {"parent": request["id"]}} if told.get("meta") else {}
    raw.send(id=number, method="hook/run", params={"name": hook, "value": value}, **meta)


def ask(request):
    """``link/ask``: run a hook on behalf of this request."""
    run(request, request["params"]["name"], request["params"]["value"])


def other(message):
    method = message.get("method")
    if method == "link/release":
        while held:
            raw.answer(held.pop(0), {})
    elif method == "$/cancelRequest":
        for request in [request for request in held if request["id"] == message["params"]["id"]]:
            held.remove(request)
            raw.log("cancelled")
            raw.refuse(request, -32800, "stopped")
    elif method is None and message["id"] in runs:
        came = {key: message[key] for key in ("result", "error") if key in message}
        raw.send(id=runs.pop(message["id"])["id"], **came)
    elif method is not None and "id" in message:
        raw.refuse(message, -32601, "no such method")


capabilities = {"concurrency": told.get("concurrency", 1), "meta": told.get("meta", False)}
answer = raw.result("link", ["ask", "release"], hooks=told["hooks"], capabilities=capabilities)
answer["plugin"]["name"] = told.get("name", os.path.basename(sys.argv[0]))
raw.begin(answer)
raw.serve(other, call=call, ask=ask)
