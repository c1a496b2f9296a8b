"""Answers with an error that is a ``text``, has a ``code`` that is none or too ``wide``, or has no ``message``."""

import raw

ERRORS = {
    "text": "failed",
    "code": {"code": "E1", "message": "failed"},
    "wide": {"code": 2**31, "message": "failed"},
    "message": {"code": 1},
}

raw.begin()
raw.serve(ask=lambda request: raw.send(id=request["id"], error=ERRORS[raw.argument]))
