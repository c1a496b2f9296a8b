"""Takes a call, says so in its log, and does nothing; cancelling does not help. How many at a time: the argument."""

import raw

raw.begin(raw.result(capabilities={"concurrency": int(raw.argument or 1)}))
raw.serve(ask=lambda request: raw.log("asked"))
