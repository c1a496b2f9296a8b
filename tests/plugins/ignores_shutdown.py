"""Cares for no way of being asked to end, and leaves its input open."""

import signal

import raw

signal.signal(signal.SIGTERM, signal.SIG_IGN)
raw.begin()
while (message := raw.read()) is not None:
    if message["method"] == "liar/ask":
        raw.answer(message, "asked")
while True:
    signal.pause()
