"""Ends before it has read anything: exit code, text for standard error."""

import sys

print(*sys.argv[2:], file=sys.stderr)
sys.exit(int(sys.argv[1]))
