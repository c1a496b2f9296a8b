"""Answers with a result and an error at once."""

import raw

ERROR = {"code": 1, "message": "failed"}

raw.begin()
raw.serve(ask=lambda request: raw.send(id=request["id"], result="asked", error=ERROR))
