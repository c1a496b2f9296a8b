"""copies: a worker that finds out which passages documents have. The application compares them (copies.py there).

There may be several of it. They take documents from one channel, each document one of them, and send what they find
into another. What is found out for a content is kept in the host's shared state, where all of them look first.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import PurePath
from typing import TypedDict

from journal import enter
from passages import Passage, content_key, passages
from plugwire import Channel, Context, Plugin, RequestError

plugin = Plugin("copies", version="1.0.0")

Reference = dict[str, str]
"""``{"$channel": handle}``."""

AT_ONCE = 2000
"""Passages in one item of the channel: an item has to fit into a frame."""
MOST_KEPT = 10_000
"""Passages of a document that is kept in the shared state, whose values are for small things."""
KEPT_FOR = 30 * 24 * 3600.0
"""Seconds: what is older is found out again, so that nothing stays that nobody has any more."""


class WorkResult(TypedDict):
    """How many documents this worker has read."""

    read: int


# Asked once more it takes up what is still in the channel: `idempotent`.
@plugin.method(idempotent=True)
async def work(documents: Reference, findings: Reference, ctx: Context, journal: str | None = None) -> WorkResult:
    """Read documents until their channel is closed and empty.

    Of each, the passages go into the other channel: ``{path, passages: [[fingerprint, line]], last}``, in several items
    where there are many, or ``{path, problem}``.
    """
    read = 0
    async with ctx.channel(documents) as source, ctx.channel(findings) as sink:
        # The next document is asked for when this one's passages are sent. Until then the channel has it still: if this
        # worker dies, another one gets it.
        async for document in source:
            path = document["path"]
            try:
                await read_document(path, sink, ctx)
            except RequestError as error:
                await sink.send({"path": path, "problem": error.message})
                continue
            read += 1
            if journal is not None and not await note(journal, path, ctx):
                journal = None
    return {"read": read}


async def read_document(path: str, sink: Channel, ctx: Context) -> None:
    """Send the passages of a document that the editor has open; a long one comes as shared memory."""
    file = await ctx.call("editor/openFile", {"path": path, "memory": True})
    if "text" in file:
        await send_passages(file["text"].encode(), path, sink, ctx)
    else:
        async with await ctx.attach_memory(file["memory"]) as memory:
            await send_passages(memory.view, path, sink, ctx)


async def send_passages(content: bytes | memoryview, path: str, sink: Channel, ctx: Context) -> None:
    """Send the passages of a content, from the shared state where they are known, else as they are found."""
    suffix = PurePath(path).suffix
    # Threads do what takes long, so that the loop goes on to answer the host.
    key = f"copies/{await asyncio.to_thread(content_key, content, suffix)}"
    kept = await recall(key, ctx)
    ctx.log.debug(f"its passages are {'looked for' if kept is None else 'known'}: {path}")
    source = iter(passages(content, suffix) if kept is None else kept)
    found: list[Passage] = []
    is_last = False
    while not is_last:
        part = await asyncio.to_thread(lambda: list(islice(source, AT_ONCE)))
        is_last = len(part) < AT_ONCE
        await sink.send({"path": path, "passages": part, "last": is_last})
        if len(found) <= MOST_KEPT:
            found += part
    if kept is None and len(found) <= MOST_KEPT:
        await keep(key, found, ctx)


# The state is a cache here: when it does not answer, or has no room, everything is found out again.


async def recall(key: str, ctx: Context) -> list[Passage] | None:
    try:
        kept = await ctx.state.get(key)
        return None if kept is None else [(str(fingerprint), int(line)) for fingerprint, line in kept]
    except (RequestError, TypeError, ValueError) as error:
        ctx.log.info("what the shared state knows is not used", key=key, reason=str(error))
        return None


async def keep(key: str, found: list[Passage], ctx: Context) -> None:
    try:
        await ctx.state.put(key, found, ttl=KEPT_FOR)
    except RequestError as error:
        ctx.log.info("the shared state does not keep this", key=key, reason=str(error))


async def note(journal: str, path: str, ctx: Context) -> bool:
    """Whether it is in the journal. Where it is not, the next would not be either, and only wait for nothing."""
    try:
        await enter(journal, path, ctx)
    except (RequestError, OSError) as error:
        ctx.log.warning(f"from {path} on, nothing is in the journal: {error}")
        return False
    return True


plugin.run()
