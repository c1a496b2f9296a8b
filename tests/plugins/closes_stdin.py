"""Closes its standard input when it is called, and lives on."""

import os
import signal

import raw


def ask(request):
    os.close(0)
    while True:
        signal.pause()


raw.begin()
raw.serve(ask=ask)
