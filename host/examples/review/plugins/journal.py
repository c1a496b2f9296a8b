"""The journal: a file that says which documents were read, with their number in the first line.

An entry is read, changed and written back: two processes that did so at the same time would lose one of their entries.
So whoever writes holds a lock of the host's; the file itself knows of none.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from plugwire import Context, Held

LONGEST_WAIT = 3.0
"""Seconds to wait for the others who write; an entry is not worth more."""


async def enter(journal: str, entry: str, ctx: Context) -> None:
    """Add an entry. Raises RequestError where the lock is not to be had or is lost, OSError for the file."""
    # A lock's name takes fewer characters than a path has.
    name = f"journal/{hashlib.sha256(journal.encode()).hexdigest()[:32]}"
    async with ctx.lock(name, wait=LONGEST_WAIT) as held:
        await asyncio.to_thread(_add, Path(journal), entry, held)


def _add(path: Path, entry: str, held: Held) -> None:
    entries = path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []
    entries.append(entry)
    new = path.with_name(f"{path.name}.{held.token}")
    new.write_text("\n".join([f"{len(entries)} documents read", *entries, ""]), encoding="utf-8")
    # A process that was stopped meanwhile may have lost the lock, and others have written since.
    held.check()
    new.replace(path)
