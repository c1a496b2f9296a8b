"""Makes a call before it has even answered ``initialize``; its answers tell what came of it."""

import raw

request = raw.read()
raw.send(id=7, method="relay/echo", params={"text": "early"})
refused = raw.read()
raw.answer(request, raw.result())
raw.serve(ask=lambda request: raw.answer(request, [refused["id"], refused["error"]["code"]]))
