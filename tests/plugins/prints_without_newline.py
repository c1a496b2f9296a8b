"""Prints a progress dot, without an end of line, before each answer."""

import raw


def ask(request):
    raw.write(b"50%...")
    raw.answer(request, "asked")


raw.begin()
raw.serve(ask=ask)
