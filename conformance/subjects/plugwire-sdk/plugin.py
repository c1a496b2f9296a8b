"""All fixture methods on plugwire's own SDK, with the link of the hook `conformance.shout`."""

import asyncio
from contextlib import suppress
from typing import Any

from plugwire import ChannelClosed, Context, LockLost, Memory, Plugin, RequestError

plugin = Plugin("fixture-plugwire-sdk", version="1.0.0")
plugin.service("conformance", "1.0")

values: list[Any] = []
written: list[Memory] = []
relays: set[asyncio.Task[None]] = set()


@plugin.method("conformance/echo")
async def echo(params: dict) -> dict:
    return params


@plugin.method("conformance/sleep")
async def sleep(ms: int) -> None:
    await asyncio.sleep(ms / 1000)


@plugin.method("conformance/fail")
async def fail() -> None:
    raise RuntimeError("this handler always fails")


@plugin.method("conformance/error")
async def error(code: int, message: str, data: Any = None) -> None:
    raise RequestError(message, code=code, data=data)


@plugin.method("conformance/repeat")
async def repeat(text: str, times: int) -> dict[str, str]:
    return {"text": text * times}


@plugin.method("conformance/call")
async def call(method: str, ctx: Context, params: Any = None) -> dict[str, Any]:
    try:
        return {"result": await ctx.call(method, params)}
    except RequestError as error:
        told = {"code": error.code, "message": error.message}
        return {"error": told if error.data is None else {**told, "data": error.data}}


@plugin.method("conformance/notify")
async def notify(method: str, ctx: Context, params: Any = None) -> None:
    ctx.notify(method, params)


# Twice, since only methods are announced.
@plugin.method("conformance/note")
@plugin.notification("conformance/note")
async def note(value: Any) -> None:
    values.append(value)


@plugin.method("conformance/noted")
async def noted() -> dict[str, Any]:
    await asyncio.sleep(0)  # a handler that never waits is run at once, before notifications that came earlier
    told = {"values": list(values)}
    values.clear()
    return told


@plugin.method("conformance/progress")
async def progress(steps: int, ctx: Context) -> None:
    for step in range(1, steps + 1):
        ctx.progress(step, steps)


@plugin.method("conformance/relay")
async def relay(topic: str, to: str) -> None:
    subscribed = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(publish_again(topic, to, subscribed))
    relays.add(task)
    await asyncio.wait({task, subscribed}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()


async def publish_again(topic: str, to: str, subscribed: asyncio.Future[None]) -> None:
    async with plugin.subscribe(topic) as events:
        subscribed.set_result(None)
        async for event in events:
            await plugin.publish(to, event.data)


@plugin.method("conformance/produce")
async def produce(channel: Any, items: list, ctx: Context) -> dict[str, int]:
    async with ctx.channel(channel) as sending:
        await sending.send_many(items)
    return {"sent": len(items)}


@plugin.method("conformance/consume")
async def consume(channel: Any, count: int, ctx: Context) -> dict[str, Any]:
    items: list[Any] = []
    async with ctx.channel(channel) as receiving:
        with suppress(ChannelClosed):
            while len(items) < count:
                items.append(await receiving.receive())
    return {"items": items}


@plugin.method("conformance/write")
async def write(text: str, ctx: Context) -> dict[str, Any]:
    content = text.encode()
    memory = await ctx.create_memory(max(1, len(content)))
    written.append(memory)
    memory.write(content)
    generation = await memory.commit(len(content))
    return {"memory": memory.reference, "generation": generation}


@plugin.method("conformance/read")
async def read(memory: Any, ctx: Context) -> dict[str, Any]:
    async with await ctx.attach_memory(memory) as attached:
        text = bytes(attached.view).decode()
        await attached.verify()
        return {"text": text, "generation": attached.generation}


@plugin.method("conformance/lock")
async def lock(name: str, leaseMs: int, ctx: Context) -> dict[str, bool]:  # noqa: N803
    with suppress(LockLost):
        async with ctx.lock(name, lease=leaseMs / 1000) as held:
            while not held.lost:  # noqa: ASYNC110 - the SDK tells nobody that a lock is lost; it is asked
                await asyncio.sleep(0.01)
    return {"lost": True}


@plugin.method("conformance/renew")
async def renew(name: str, leaseMs: int, renewals: int, ctx: Context) -> dict[str, int]:  # noqa: N803
    lease = leaseMs / 1000
    async with ctx.lock(name, lease=lease):
        await asyncio.sleep(lease / 3 * (renewals + 0.5))  # it is renewed by itself, at each third
    return {"renewed": renewals}


@plugin.hook("conformance.shout")
async def shout(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else None


if __name__ == "__main__":
    plugin.run()
