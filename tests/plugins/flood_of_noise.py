"""Writes 1 MiB of garbage to standard output, and then answers as if nothing had been: ``lines`` or ``one`` long."""

import raw

GARBAGE = {"lines": b"\xff\x00 not a frame \x1b[2J\n" * 48000, "one": b"\xfe" * (1 << 20)}


def ask(request):
    raw.write(GARBAGE[raw.argument])
    raw.answer(request, "asked")


raw.begin()
raw.serve(ask=ask)
