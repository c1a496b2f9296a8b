"""Answers with an id that nobody uses, or with the right one as a ``string``, as a ``float``, or as ``true``."""

import raw

WRONG = {"": lambda right: right + 1000, "string": str, "float": float, "true": lambda right: True}

raw.begin()
raw.serve(ask=lambda request: raw.send(id=WRONG[raw.argument](request["id"]), result="asked"))
