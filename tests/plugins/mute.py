"""Reads everything and says nothing at all, but on standard error."""

import sys

print("thinking about it", file=sys.stderr, flush=True)
sys.stdin.buffer.read()
