"""A plugin that reads as fast as it can and does nothing: what it is sent costs the host, and hardly anybody else.

It has no SDK. ``sink/subscribe {topic, count}`` makes subscriptions, ``sink/received`` tells how many notifications
have come since the last time.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

SERVICE = {"service": "sink", "version": "1.0", "methods": ["subscribe", "received", "note"]}
RESULT = {
    "protocolVersion": "1.0",
    "plugin": {"name": "sink", "version": "1.0"},
    "capabilities": {"concurrency": 4},
    "provides": [SERVICE],
}


def send(**message: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    data = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    while data:
        data = data[os.write(1, data) :]


def frames() -> Iterator[bytes]:
    waiting = b""
    while chunk := os.read(0, 1 << 20):
        waiting += chunk
        start = 0
        while (end := waiting.find(b"\r\n\r\n", start)) >= 0:
            following = end + 4 + int(waiting[start + 16 : end])
            if following > len(waiting):
                break
            yield waiting[end + 4 : following]
            start = following
        waiting = waiting[start:]


received, answered = 0, 0
subscribing: dict[str, Any] | None = None
for body in frames():
    if b'"id":' not in body[:40]:
        received += 1
        continue
    message = json.loads(body)
    method = message.get("method", "")
    if method == "initialize":
        send(id=message["id"], result=RESULT)
    elif method == "sink/subscribe":
        subscribing, answered = message, 0
        for number in range(message["params"]["count"]):
            send(id=number, method="event/subscribe", params={"topic": message["params"]["topic"]})
    elif method == "sink/received":
        send(id=message["id"], result=received)
        received = 0
    elif method == "shutdown":
        send(id=message["id"], result=None)
    elif subscribing is not None and "result" in message:
        answered += 1
        if answered == subscribing["params"]["count"]:
            send(id=subscribing["id"], result=None)
            subscribing = None
