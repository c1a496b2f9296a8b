"""Answers ``initialize`` with what is no InitializeResult; the argument says which."""

import raw

PLUGIN = {"protocolVersion": "1.0", "plugin": {"name": "liar", "version": "1"}}
SERVICE = {"service": "liar", "methods": ["ask"]}
RESULTS = {
    "null": None,
    "list": [],
    "no-plugin": {"protocolVersion": "1.0"},
    "no-version": {"plugin": PLUGIN["plugin"]},
    "name": {**PLUGIN, "plugin": {"name": 1, "version": "1"}},
    "provides": {**PLUGIN, "provides": "liar"},
    "service": {**PLUGIN, "provides": [{"service": "Liar", "methods": []}]},
    "service-version": {**PLUGIN, "provides": [{**SERVICE, "version": "1.2.3-rc1"}]},
    "twice": {**PLUGIN, "provides": [SERVICE, SERVICE]},
    "concurrency": {**PLUGIN, "capabilities": {"concurrency": 0}},
    "range": {**PLUGIN, "requires": [{"service": "liar", "version": "newest"}]},
}

request = raw.read()
if raw.argument == "number":
    told = raw.encode(id=request["id"], result={**PLUGIN, "more": "HERE"})
    raw.write(raw.frame(told.replace(b'"HERE"', b"1e999")))
elif raw.argument == "error":
    raw.refuse(request, -32602, "tone is missing")
elif raw.argument == "neither":
    raw.send(id=request["id"])
else:
    raw.answer(request, RESULTS[raw.argument])
raw.serve()
