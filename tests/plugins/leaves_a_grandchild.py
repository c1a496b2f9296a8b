"""Starts a process that holds its pipes; ``ask`` gives its id, ``die`` ends the plugin alone, with exit code 3."""

import os
import subprocess
import sys

import raw

child = subprocess.Popen([sys.executable, "-S", "-E", "-c", "import signal; signal.pause()"])

raw.begin(raw.result(methods=["ask", "die"]))
raw.serve(ask=lambda request: raw.answer(request, child.pid), die=lambda request: os._exit(3))
