"""A link that says so when it is asked to shut down, and goes on. Its argument is its HookLink."""

import json

import raw

raw.begin(raw.result(hooks=[json.loads(raw.argument)]))
while (message := raw.read()) is not None:
    if message.get("method") == "shutdown":
        raw.log("asked to shut down")
    elif message.get("method") == "hook/call":
        raw.answer(message, {"value": "late"})
