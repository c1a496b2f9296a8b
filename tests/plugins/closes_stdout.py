"""Closes its standard output when it is called, and lives on."""

import os
import signal

import raw


def ask(request):
    os.close(1)
    while True:
        signal.pause()


raw.begin(raw.result(capabilities={"concurrency": 4}))
raw.serve(ask=ask)
