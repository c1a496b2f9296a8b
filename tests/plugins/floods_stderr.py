"""Writes 10 MB to standard error before each answer."""

import sys

import raw


def ask(request):
    for number in range(100):
        sys.stderr.write(f"line {number} " + "x" * 99_990 + "\n")
    sys.stderr.flush()
    raw.answer(request, "asked")


raw.begin()
raw.serve(ask=ask)
