"""Stands for a host that a nursery has forked: ``python -S -I infant.py SOCKET VICE ARGUMENTS``.

It hands its pipes over, passes signals on, and ends as the fork does.
"""

import array
import json
import os
import signal
import socket
import sys


def main() -> None:
    nursery = socket.socket(socket.AF_UNIX)
    nursery.connect(sys.argv[1])
    request = {"vice": sys.argv[2], "arguments": sys.argv[3:], "cwd": os.getcwd(), "environment": dict(os.environ)}
    pipes = array.array("i", [0, 1, 2])
    nursery.sendmsg([json.dumps(request).encode() + b"\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, pipes)])
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in pipes:
        os.dup2(nowhere, descriptor)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda number, frame: nursery.sendall(bytes([number])))
    code = nursery.recv(1)
    if code:
        os._exit(code[0])
    os.kill(os.getpid(), signal.SIGKILL)


main()
