"""Stops reading once it is ready."""

import signal

import raw

raw.begin(raw.result(methods=["ask", "note"], capabilities={"concurrency": 256}))
raw.read()
raw.log("reads no more")
while True:
    signal.pause()
