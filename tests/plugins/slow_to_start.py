"""Takes its time before it reads anything: seconds, or until a process has ended.

The argument is so many seconds, or a named pipe through which the process tells its id.
"""

import contextlib
import os
import select
import time

import raw

if raw.argument.startswith("/"):
    with open(raw.argument, "rb") as pipe:
        pid = int(pipe.read())
    with contextlib.suppress(ProcessLookupError):
        # What a process has open is closed in no certain order when it ends; that it has ended comes after all of it.
        select.select([os.pidfd_open(pid)], [], [])
else:
    time.sleep(float(raw.argument))
raw.begin()
raw.serve(ask=lambda request: raw.answer(request, "asked"))
