"""An honest plugin with the SDK that does with shared memory whatever it is told to.

Arguments: its name; ``copies`` for one that maps no files, ``single`` for one that serves one request at a time.
"""

import sys
import zlib

from plugwire import Context, Plugin

name, *options = sys.argv[1:]
plugin = Plugin(
    name, version="1.0.0", concurrency=1 if "single" in options else 16, shared_memory="copies" not in options
)
kept = {}


def pattern(size, seed):
    """Bytes that no two seeds have in common for long."""
    return (zlib.compress(bytes([seed])) * (size // 8 + 1))[:size]


@plugin.method
async def write(ctx: Context, size: int, seed: int, length: int | None = None, checksum: bool = False) -> dict:
    memory = await ctx.create_memory(size)
    memory.view[:] = pattern(size, seed)
    await memory.commit(length, checksum=checksum)
    kept[memory.handle] = memory
    return memory.reference


@plugin.method
async def create(ctx: Context, size: int, lease: float | None = None) -> dict:
    memory = await ctx.create_memory(size, lease=lease)
    kept[memory.handle] = memory
    return memory.reference


@plugin.method
async def overwrite(memory: str, seed: int, commit: bool = True) -> int:
    mine = kept[memory]
    await mine.rewrite()
    mine.view[:] = pattern(mine.size, seed)
    if commit:
        await mine.commit()
    return mine.generation


@plugin.method
async def scribble(memory: str) -> None:
    """Against the rules: it writes over what is committed."""
    kept[memory].view[0] ^= 1


@plugin.method
async def read(ctx: Context, data: dict) -> dict:
    async with await ctx.attach_memory(data) as memory:
        told = {"crc": zlib.crc32(memory.view), "length": len(memory.view), "generation": memory.generation}
        await memory.verify()
        return told


@plugin.method
async def keep(ctx: Context, data: dict) -> int:
    memory = await ctx.attach_memory(data)
    kept[memory.handle] = memory
    return memory.length


@plugin.method
async def again(memory: str) -> int:
    """Reads what it has kept, and whether that may be torn."""
    crc = zlib.crc32(kept[memory].view)
    await kept[memory].verify()
    return crc


@plugin.method
async def release(memory: str) -> None:
    await kept.pop(memory).release()


@plugin.method
async def hold_in_vain(ctx: Context, size: int) -> None:
    """Has a memory for as long as the request lasts, and that is until it is cancelled."""
    async with await ctx.create_memory(size) as memory:
        ctx.log.info(memory.handle)
        await ctx.call("parked/hold")


plugin.run()
