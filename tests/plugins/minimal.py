"""The smallest plugin: it gives its name, and provides nothing."""

import raw

raw.begin({"protocolVersion": "1.0", "plugin": {"name": "x", "version": "1"}})
raw.serve()
