"""Does many requests to the host at once, and tells when each began and ended, on the clock that all processes share.

``work`` takes ``requests``, a list of ``[method, params]``, and ``at_a_time``; the result is the list of
``[method, params, begin, end, answer]``, times in nanoseconds, answers as they came.
"""

import sys
import time

import raw

waiting = {}  # our requests by id: method, params, begin
left = []
done = []
asked = None
last_id = 0


def send_next():
    global last_id
    if left:
        last_id += 1
        method, params = left.pop(0)
        waiting[last_id] = [method, params, time.monotonic_ns()]
        raw.send(id=last_id, method=method, params=params)


def work(request):
    global asked
    asked = request
    left.extend(request["params"]["requests"])
    done.clear()
    for _ in range(request["params"]["at_a_time"]):
        send_next()


def other(message):
    if message.get("id") in waiting and "method" not in message:
        came = {key: message[key] for key in ("result", "error") if key in message}
        done.append([*waiting.pop(message["id"]), time.monotonic_ns(), came])
        send_next()
        if not waiting:
            raw.answer(asked, done)


service = {"service": sys.argv[1], "version": "1.0", "methods": ["work"]}
raw.begin({"protocolVersion": "1.0", "plugin": {"name": "worker", "version": "1"}, "provides": [service]})
raw.serve(other, work=work)
