"""Prints a line before it says anything else."""

import raw

raw.write(b"Loading the model ...\n")
raw.begin()
raw.serve(ask=lambda request: raw.answer(request, "asked"))
