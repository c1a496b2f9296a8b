"""A link that gives a new value and stops at the same time. Its argument is its HookLink."""

import json

import raw

raw.begin(raw.result(hooks=[json.loads(raw.argument)]))
raw.serve(call=lambda request: raw.answer(request, {"value": "new", "stop": {"reason": "both"}}))
