"""Answers with a list that holds the answer."""

import raw

raw.begin()
raw.serve(ask=lambda request: raw.write(raw.frame(b"[" + raw.encode(id=request["id"], result="asked") + b"]")))
