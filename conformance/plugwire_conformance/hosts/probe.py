"""The program that a host under test launches. It hands its three pipes to the suite and stays there as a process.

    python -I -S probe.py SOCKET NAME

It imports nothing of the suite, so that it starts fast. What it is told afterwards comes as one JSON object a line over
the socket: ``{"do": "exit", "code": 0}``, ``{"do": "die", "signal": 9}``, ``{"do": "ignore", "signal": 15}``,
``{"do": "catch", "signal": 15}`` (takes the signal and tells of it by a line of its own),
``{"do": "child", "seconds": 60}`` (starts a process of its own that lives so long), ``{"do": "hold"}`` (keeps copies of
its pipes until it ends, as a program does). Each is answered with one line. When the suite has gone it ends.
"""

import array
import json
import os
import signal
import socket
import sys
import time
from typing import Any


def main() -> None:
    path, name = sys.argv[1], sys.argv[2]
    door = socket.socket(socket.AF_UNIX)
    door.connect(path)
    about = {
        "name": name,
        "pid": os.getpid(),
        "cwd": os.getcwd(),
        "arguments": sys.argv[3:],
        "environment": dict(os.environ),
    }
    pipes = array.array("i", [0, 1, 2])
    door.sendmsg([json.dumps(about).encode() + b"\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, pipes)])
    held = [os.dup(descriptor) for descriptor in pipes]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in pipes:
        os.dup2(nowhere, descriptor)
    for line in door.makefile("rb"):
        obey(json.loads(line), held, door)
        door.sendall(b"done\n")
    os._exit(1)


def obey(order: dict[str, Any], held: list[int], door: socket.socket) -> None:
    """Does what the suite says."""
    what = order["do"]
    if what != "hold":
        # From here on the suite alone has the pipes: what it closes is closed.
        while held:
            os.close(held.pop())
    if what == "exit":
        os._exit(order["code"])
    elif what == "die":
        signal.signal(order["signal"], signal.SIG_DFL) if order["signal"] not in (
            signal.SIGKILL,
            signal.SIGSTOP,
        ) else None
        os.kill(os.getpid(), order["signal"])
    elif what == "ignore":
        signal.signal(order["signal"], signal.SIG_IGN)
    elif what == "catch":
        signal.signal(order["signal"], lambda number, _: door.sendall(b"signal %d\n" % number))
    elif what == "child" and os.fork() == 0:
        os.closerange(3, 256)  # the socket's end shall tell of the probe's own end
        time.sleep(order["seconds"])
        os._exit(0)


main()
