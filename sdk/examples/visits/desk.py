"""desk: counts visits in the shared state, and writes each into a guest book that other plugins write, too.

`visit` counts under the key `visits/PAGE`, which loses nothing however many count at a time. The book is a file, where
two writers would spoil each other's lines: so whoever writes holds the lock `visits/book`.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from plugwire import Context, Held, Plugin


@dataclass
class Config:
    """Where the guest book is."""

    book: str


class Visit(TypedDict):
    """How often the page was visited so far, and the line of the book that says so."""

    visits: int
    line: int


plugin = Plugin("desk", version="1.0.0", config=Config)


@plugin.method
async def visit(page: str, ctx: Context) -> Visit:
    """Count a visit to a page, and write it into the guest book."""
    visits = await ctx.state.increment(f"visits/{page}")
    async with ctx.lock("visits/book", lease=10) as held:
        # In a thread, so that the lock can be renewed while the disk is slow.
        line = await asyncio.to_thread(write_line, Path(ctx.config.book), page, held)
    return {"visits": visits, "line": line}


def write_line(book: Path, page: str, held: Held) -> int:
    """The number of the line."""
    number = len(book.read_text().splitlines()) + 1 if book.exists() else 1
    held.check()  # if this process stood still meanwhile, somebody else may be writing now
    with book.open("a") as file:
        file.write(f"{number} {page} desk\n")
    return number


if __name__ == "__main__":
    plugin.run()
