"""The wire by hand, for plugins that do one thing wrong: plain Python that shares no code with plugwire.

A plugin answers ``initialize`` with ``begin`` and then runs ``serve`` with a function for each of its methods. What it
does wrong it writes itself, with ``write``.
"""

import json
import os
import sys

LINES = os.environ.get("PLUGWIRE_FRAMING") == "line"
argument = sys.argv[1] if len(sys.argv) > 1 else ""
body = b""  # of the message that was read last
_stopping = False


def write(data):
    while data:
        data = data[os.write(1, data) :]


def frame(content):
    return content + b"\n" if LINES else b"Content-Length: %d\r\n\r\n%b" % (len(content), content)


def send(**message):
    write(frame(encode(**message)))


def encode(**message):
    return json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode()


def answer(request, result):
    send(id=request["id"], result=result)


def refuse(request, code, message="", **data):
    send(id=request["id"], error={"code": code, "message": message, **({"data": data} if data else {})})


def log(message):
    send(method="log/write", params={"level": "info", "message": message})


def read():
    """The next message; None at the end of the input."""
    global body
    body = sys.stdin.buffer.readline()
    if not LINES:
        length = 0
        while body.strip():
            length = int(body.partition(b":")[2])
            body = sys.stdin.buffer.readline()
        body = sys.stdin.buffer.read(length)
    return json.loads(body) if body else None


def result(service="liar", methods=("ask",), **members):
    """A good answer to ``initialize``."""
    name = os.path.basename(sys.argv[0])
    provides = [{"service": service, "version": "1.0", "methods": list(methods)}]
    return {"protocolVersion": "1.0", "plugin": {"name": name, "version": "1"}, "provides": provides, **members}


def begin(told=None):
    request = read()
    answer(request, result() if told is None else told)
    return request["params"]


def serve(other=None, **methods):
    """Everything until the end; ``other`` gets the messages that no method takes."""
    global _stopping
    while (message := read()) is not None:
        method = message.get("method", "")
        if method == "shutdown":
            _stopping = True
            answer(message, None)
        elif method == "exit":
            break
        elif method[0:1] != "$" and method.partition("/")[2] in methods:
            methods[method.partition("/")[2]](message)
        elif other is not None:
            other(message)
        elif method and "id" in message:
            refuse(message, -32601, "no such method")
    sys.exit(0 if _stopping else 1)
