"""What the benchmark calls: an echo with the SDK's default, and one that calls on."""

import asyncio

from plugwire import Context, Plugin

plugin = Plugin("bench", version="1.0")


@plugin.method
async def echo(text: str) -> dict[str, str]:
    return {"text": text}


@plugin.method
async def relay(count: int, at_a_time: int, ctx: Context) -> None:
    """Call another plugin's echo ``count`` times, ``at_a_time`` in flight."""

    async def worker(share: int) -> None:
        for _ in range(share):
            await ctx.call("bench@far/echo", {"text": "x" * 60})

    await asyncio.gather(*(worker(count // at_a_time) for _ in range(at_a_time)))


if __name__ == "__main__":
    plugin.run()
