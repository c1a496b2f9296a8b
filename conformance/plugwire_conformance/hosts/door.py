"""The socket at which probes arrive, each with the pipes that the host gave it."""

import array
import json
import select
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from attrs import frozen

_PROBE = Path(__file__).with_name("probe.py")
_MESSAGE = 1 << 17
#: Who has come says at once who it is, but for a machine that stands still.
_HELLO_SECONDS = 10


class NobodyCame(Exception):
    """No probe arrived in time."""


@frozen
class Arrival:
    """A probe that the host has started: what it says of itself, its pipes, and the socket for orders."""

    name: str
    about: dict[str, Any]
    stdin: int
    stdout: int
    stderr: int
    orders: socket.socket


class Door:
    """One for each run of a case. The folder of the socket is also free for files of the run."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="conform-"))
        self._path = self.folder / "door"
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self._path))
        self._socket.listen(64)
        self._lock = threading.Lock()

    def command(self, name: str) -> list[str]:
        """The command line that a host is given for the probe of that name."""
        return [sys.executable, "-I", "-S", str(_PROBE), str(self._path), name]

    def wait(self, seconds: float) -> Arrival:
        """The next probe that comes; raises NobodyCame when none does in so many seconds."""
        deadline = time.monotonic() + seconds
        while select.select([self._socket], [], [], max(0, deadline - time.monotonic()))[0]:
            arrival = self._greet()
            if arrival:
                return arrival
        raise NobodyCame

    def _greet(self) -> Arrival | None:
        """Who stands at the door; None when its process was ended before it had said who it is."""
        orders, _ = self._socket.accept()
        orders.settimeout(_HELLO_SECONDS)
        line, ancillary, _, _ = orders.recvmsg(_MESSAGE, socket.CMSG_SPACE(3 * array.array("i").itemsize))
        while line and not line.endswith(b"\n"):
            more = orders.recv(_MESSAGE)
            line = line + more if more else b""
        if not line:
            orders.close()
            return None
        stdin, stdout, stderr = array.array("i", ancillary[0][2])
        about = json.loads(line)
        return Arrival(about["name"], about, stdin, stdout, stderr, orders)

    def close(self) -> None:
        """Nobody can come any more."""
        self._socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)
