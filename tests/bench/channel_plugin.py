"""What the benchmark of channels runs: one that sends, through a channel or by notifications, and one that counts."""

import asyncio

from plugwire import Context, Plugin

plugin = Plugin("lane", version="1.0")
noted = 0


@plugin.method
async def produce(channel: dict[str, str], count: int, batches: bool, ctx: Context) -> None:
    target = ctx.channel(channel)
    items = ({"path": "a/b/c.txt", "number": number} for number in range(count))
    if batches:
        await target.send_many(items)
    else:
        for item in items:
            await target.send(item)
            await asyncio.sleep(0)  # each goes out before the next
    await target.close()


@plugin.method
async def consume(channel: dict[str, str], ctx: Context) -> int:
    return len([item async for item in ctx.channel(channel)])


@plugin.method
async def note_many(count: int, ctx: Context) -> None:
    for number in range(count):
        ctx.notify("lane@far/note", {"path": "a/b/c.txt", "number": number})
        if number % 64 == 63:
            await asyncio.sleep(0)
        if number % 512 == 511:  # the other end keeps 1024 of them
            await ctx.call("lane@far/count_notes")


@plugin.method("lane/note")
async def note_once(path: str, number: int) -> None:
    """A service's notifications are those of its methods."""


@plugin.notification("lane/note")
async def note(path: str, number: int) -> None:
    global noted
    noted += 1


@plugin.method
async def count_notes() -> int:
    return noted


if __name__ == "__main__":
    plugin.run()
