"""Hosts with a vice, made fast: one process loads the host and all vices, and each start is a fork that applies one.

    python -m tests.conformance.mutants.nursery SOCKET

A fork gets the pipes, the folder, the environment and the arguments of whoever asked for it (`infant.py`), so it is the
same program in the end. It ends when whoever asked has ended, in whatever way.
"""

import array
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from typing import Any, NoReturn

from tests.conformance.mutants import vices
from tests.conformance.mutants.vices import Vice

_REQUEST = 1 << 17


def main() -> None:
    """Serves until it is ended."""
    path = sys.argv[1]
    # What the host imports only when it is needed is loaded here, once.
    import uvloop  # noqa: F401

    import plugwire_host.cli.run  # noqa: F401
    from plugwire_host.services import channels, events, hooks, locks, memory, state  # noqa: F401

    known = vices.load("host", "tests.conformance.mutants.host_vices")
    door = socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a fork has ended: it says so itself
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        asker, _ = door.accept()
        if os.fork() == 0:
            door.close()
            live(asker, known)
        asker.close()


def live(asker: socket.socket, known: dict[str, Vice]) -> NoReturn:
    """Becomes the host that was asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    said, ancillary, _, _ = asker.recvmsg(_REQUEST, socket.CMSG_SPACE(12))
    while not said.endswith(b"\n"):
        said += asker.recv(_REQUEST)
    request: dict[str, Any] = json.loads(said)
    for target, descriptor in enumerate(array.array("i", ancillary[0][2])):
        os.dup2(descriptor, target)
        os.close(descriptor)
    # The streams that were there belong to other pipes.
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["plugin-run", *request["arguments"]]
    if request["vice"] in known:
        known[request["vice"]].apply()
    threading.Thread(target=_obey, args=(asker,), daemon=True).start()
    code = _run()
    with contextlib.suppress(OSError):
        asker.sendall(bytes([code]))
    os._exit(code)


def _run() -> int:
    from plugwire_host.cli.main import main as host

    try:
        host()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    return 0


def _obey(asker: socket.socket) -> None:
    """Takes the signals that the asker was sent, and ends with it."""
    while numbers := asker.recv(16):
        for number in numbers:
            os.kill(os.getpid(), number)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
