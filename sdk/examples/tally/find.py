"""tally: counts the lines and words of every file in a folder, with the help of plugins in two other languages.

    tally (Python)  ──files──▶  count (JavaScript), as many as there are  ──counts──▶  sum (Perl)

The arrows are channels. `files` delivers again what a worker had in its hands when it died, so none is left out; a file
may then be counted twice, and so `sum` keeps one count for each.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plugwire import Context, Plugin
from plugwire.channels import Channel

plugin = Plugin("tally", version="1.0.0", requires={"count": ">=1,<2", "sum": ">=1,<2"})


@plugin.method
async def folder(path: str, ctx: Context) -> dict[str, Any]:
    """The sums over all files in a folder, and in those within it."""
    files = await ctx.open_channel(capacity=16, redeliver=True)
    counts = await ctx.open_channel()
    async with files, counts:
        summing = asyncio.create_task(ctx.call("sum/collect", {"counts": counts.reference}))
        sending = asyncio.create_task(send_files(Path(path), files))
        try:
            # We send into `counts`, too; so a worker that dies is not the last producer, whose end closes it (CHN-34).
            await counts.send({"file": path, "folder": True})
            trouble = await work(ctx, {"files": files.reference, "counts": counts.reference})
            await counts.close(trouble)
            sums: dict[str, Any] = await summing
            return sums
        finally:
            summing.cancel()
            sending.cancel()  # it is over, unless all the workers are gone
            await asyncio.gather(summing, sending, return_exceptions=True)


async def send_files(root: Path, files: Channel) -> None:
    try:
        for file in regular_files(root):
            await files.send(str(file))
    except OSError as error:
        await files.close(f"the folder cannot be read: {error}")
    await files.close()


def regular_files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())


async def work(ctx: Context, channels: dict[str, Any]) -> str | None:
    """Let every worker work until all is done; why there is none left, when they have all failed."""
    services = (await ctx.call("service/list"))["services"]
    workers = [service["instance"] for service in services if service["service"] == "count"]
    calls = [ctx.call(f"count@{worker}/work", channels) for worker in workers]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    failures = [str(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]
    return f"no worker is left: {failures[-1]}" if len(failures) == len(outcomes) else None


if __name__ == "__main__":
    plugin.run()
