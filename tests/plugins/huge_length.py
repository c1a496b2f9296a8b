"""Announces a body of nearly 10 GB, and begins to send it."""

import raw


def ask(request):
    raw.write(b"Content-Length: 9999999999\r\n\r\n" + b'{"jsonrpc":' * 1000)


raw.begin()
raw.serve(ask=ask)
