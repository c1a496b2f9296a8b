"""Answers with a protocol version that is none."""

import raw

raw.begin(raw.result(protocolVersion="one"))
raw.serve()
