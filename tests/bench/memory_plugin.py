"""Sums 64-bit numbers that come as shared memory, or in base64 inside the params."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from plugwire import Context, Plugin

plugin = Plugin("bench", version="1.0.0")


def _sum(numbers: Any) -> int:
    return int(np.frombuffer(numbers, np.uint64).sum())


@plugin.method
async def sum_memory(ctx: Context, numbers: dict[str, str]) -> int:
    async with await ctx.attach_memory(numbers) as memory:
        total = _sum(memory.view)
        await memory.verify()
        return total


@plugin.method
async def sum_inline(numbers: str) -> int:
    return _sum(base64.b64decode(numbers))


plugin.run()
