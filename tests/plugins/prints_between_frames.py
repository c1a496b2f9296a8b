"""Prints a line before each answer; with an argument, one that could be a header."""

import raw


def ask(request):
    raw.write(b"debug: got it\n" if raw.argument else b"\x1b[31mgot it\x1b[0m\n")
    raw.answer(request, "asked")


raw.begin()
raw.serve(ask=ask)
