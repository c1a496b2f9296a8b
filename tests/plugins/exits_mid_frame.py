"""Ends in the middle of its answer, with the exit code that is the argument."""

import os

import raw


def ask(request):
    raw.write(raw.frame(raw.encode(id=request["id"], result="asked"))[:-5])
    os._exit(int(raw.argument or 0))


raw.begin()
raw.serve(ask=ask)
