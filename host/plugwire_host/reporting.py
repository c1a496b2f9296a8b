"""What a plugin did wrong, in words that name the mend."""

from __future__ import annotations

from typing import Any

from plugwire.wire import Arrival, Deviation, MessageIgnored, MessageRejected, Noise

STDOUT_HINT = "standard output belongs to the protocol: print to standard error, or log through the SDK"


def describe_arrival(arrival: Arrival[Any]) -> str | None:
    """A sentence for an arrival that is nobody's message; None for one that is."""
    match arrival:
        case Noise():
            shown = ascii(arrival.data[:80])[1:] + ("…" if len(arrival.data) > 80 else "")
            where = f"{len(arrival.data)} stray bytes on standard output at byte {arrival.offset}"
            return f"{where}: {shown}; {STDOUT_HINT}"
        case Deviation():
            return f"{arrival.kind} (at byte {arrival.offset}): tolerated, and told once"
        case MessageRejected():
            return f"a bad message: {arrival.reason}"
        case MessageIgnored():
            return f"{arrival.reason}: ignored"
        case _:
            return None
