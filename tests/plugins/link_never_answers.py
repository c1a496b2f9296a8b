"""A link that takes a value, says so, and does nothing; cancelling does not help. Its argument is its HookLink."""

import json

import raw

raw.begin(raw.result(hooks=[json.loads(raw.argument)]))
raw.serve(call=lambda request: raw.log("given a value"))
