"""Ends when it is called: how (``kill``, or an exit code), after what (``child``: a call of ``relay/hold``)."""

import os
import signal
import sys

import raw

how, after = [*sys.argv[1:], "kill", ""][:2]


def ask(request):
    params = request.get("params", {})
    if after == "child":
        raw.send(id=1, method="relay/hold", params=params, meta={"parent": request["id"]})
    elif after == "progress":
        raw.send(method="$/progress", params={"token": request["meta"]["progress"], "value": {"done": 1}})
    elif after == "answers":
        raw.write(b"".join(raw.frame(raw.encode(id=request["id"], result=text)) for text in ["x" * 900_000]))
    raw.log("about to end")
    if after in ("child", "stays"):
        return
    end(request)


def end(request):
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(int(how))


raw.begin(raw.result(methods=["ask", "end"], capabilities={"concurrency": 4, "meta": True}))
raw.serve(ask=ask, end=end)
