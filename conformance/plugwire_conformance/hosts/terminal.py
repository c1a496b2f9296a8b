"""The program that runs a host under test on a terminal of its own, whose screen is copied to standard output.

    python -I -S terminal.py COMMAND…

The terminal changes nothing of what is written. The host stays in our process group, and ends with it.
"""

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Sequence

_PIECE = 1 << 16


def on_terminal(command: Sequence[str]) -> tuple[str, ...]:
    """The command line that runs that one on a terminal."""
    return (sys.executable, "-I", "-S", __file__, *command)


def main(command: list[str]) -> int:
    """Runs the command; its exit code."""
    ours, theirs = os.openpty()
    modes = termios.tcgetattr(theirs)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    child = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    signal.signal(signal.SIGTERM, lambda number, _: child.send_signal(number))
    os.close(theirs)
    while piece := _read(ours):
        os.write(sys.stdout.fileno(), piece)
    return child.wait()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, _PIECE)
    except OSError:  # nobody has the other end any more
        return b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
