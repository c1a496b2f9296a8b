"""Sends and receives through channels, with the SDK. What it does is told it in calls of ``porter/…``."""

import asyncio
import os

from plugwire import Context, Plugin
from plugwire.channels import select

plugin = Plugin("porter", version="1.0")
background = set()


@plugin.method("open")
async def open_one(ctx: Context, options: dict) -> dict:
    """Stays open as long as this plugin runs."""
    return (await ctx.open_channel(**options)).reference


@plugin.method
async def send(channel: dict, items: list, ctx: Context, close: bool = False, timeout: float | None = None) -> int:
    target = ctx.channel(channel)
    await target.send_many(items, timeout=timeout)
    if close:
        await target.close()
    return len(items)


@plugin.method
async def count(channel: dict, first: int, last: int, ctx: Context, close: bool = False) -> None:
    """Sends the numbers, in a task of its own that goes on after the answer."""
    task = asyncio.create_task(_count(plugin.channel(channel), first, last, close))
    background.add(task)


async def _count(target, first, last, close):
    for number in range(first, last):
        await target.send(number)
    if close:
        await target.close()


@plugin.method
async def receive(channel: dict, ctx: Context, timeout: float | None = None) -> object:
    return await ctx.channel(channel).receive(timeout=timeout)


@plugin.method
async def collect(channel: dict, ctx: Context, most: int = 0, die_after: int = 0) -> list:
    """What comes until the channel is drained, or until there are ``most``; it kills itself in the middle of one."""
    got = []
    async with ctx.channel(channel) as source:
        async for item in source:
            got.append(item)
            if len(got) == die_after:
                plugin.log.info(f"got {len(got)}")
                await asyncio.sleep(0)
                os.kill(os.getpid(), 9)
            if len(got) == most:
                break
    return got


@plugin.method
async def pump(source: dict, target: dict, ctx: Context, die_after: int = 0) -> int:
    """From one channel to the other until the first is drained, with a word to the log for the first item."""
    done = 0
    out = ctx.channel(target)
    async with ctx.channel(source) as items:
        async for item in items:
            await out.send(item)
            await asyncio.sleep(0)
            done += 1
            if done == die_after:
                os.kill(os.getpid(), 9)
    return done


@plugin.method
async def choose(channels: list, ctx: Context) -> list:
    """What comes from any of the channels, each with its channel's place in the list."""
    named = [ctx.channel(channel) for channel in channels]
    return [[named.index(channel), item] async for channel, item in select(*named)]


@plugin.method
async def fail(channel: dict, ctx: Context) -> None:
    async with ctx.channel(channel) as source:
        raise ValueError(f"cannot do {await source.receive()}")


@plugin.method
async def close(channel: dict, ctx: Context, error: str | None = None) -> None:
    await ctx.channel(channel).close(error)


@plugin.method
async def leave(channel: dict, ctx: Context) -> None:
    await ctx.channel(channel).leave()


@plugin.method
async def tell(method: str, params: dict, ctx: Context) -> None:
    ctx.notify(method, params)


plugin.run()
