"""Takes its time before it reads anything: seconds, or until nobody writes to the named pipe that is the argument."""

import time

import raw

if raw.argument.startswith("/"):
    with open(raw.argument, "rb") as pipe:
        pipe.read()
else:
    time.sleep(float(raw.argument))
raw.begin()
raw.serve(ask=lambda request: raw.answer(request, "asked"))
