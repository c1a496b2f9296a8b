"""A second thread of it prints while it writes an answer."""

import raw


def ask(request):
    frame = raw.frame(raw.encode(id=request["id"], result="asked"))
    raw.write(frame[:40] + b"debug\n" + frame[40:])


raw.begin()
raw.serve(ask=ask)
