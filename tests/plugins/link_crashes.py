"""A link that ends with code 3 when it is given a value. Its argument is its HookLink."""

import json
import os

import raw

raw.begin(raw.result(hooks=[json.loads(raw.argument)]))
raw.serve(call=lambda request: os._exit(3))
