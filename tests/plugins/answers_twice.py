"""Gives each request two answers."""

import raw


def ask(request):
    raw.answer(request, "first")
    raw.answer(request, "second")


raw.begin()
raw.serve(ask=ask)
