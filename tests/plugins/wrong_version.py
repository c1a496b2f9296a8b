"""Speaks version 2.0 of the protocol: says so in its answer, or, with ``refuse``, in an error."""

import raw

request = raw.read()
if raw.argument == "refuse":
    raw.refuse(request, -32017, "too old", supported=["2.0", "3.1"])
else:
    raw.answer(request, raw.result(protocolVersion="2.0"))
raw.serve()
