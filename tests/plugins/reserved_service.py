"""Provides a service that is reserved: the argument."""

import raw

raw.begin(raw.result(service=raw.argument))
raw.serve()
