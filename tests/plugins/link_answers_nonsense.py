"""A link whose result is the JSON of the second argument; the first is its HookLink."""

import json
import sys

import raw

raw.begin(raw.result(hooks=[json.loads(raw.argument)]))
raw.serve(call=lambda request: raw.answer(request, json.loads(sys.argv[2])))
