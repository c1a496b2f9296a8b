"""Answers with nothing but the id."""

import raw

raw.begin()
raw.serve(ask=lambda request: raw.send(id=request["id"]))
