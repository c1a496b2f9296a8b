"""Sends messages that have to be refused, one after the other, and reads none of the replies."""

import raw

raw.begin()
raw.read()
bad = raw.frame(b'{"jsonrpc":"2.0","id":1,"method":7}') * 1000
while True:
    raw.write(bad)
