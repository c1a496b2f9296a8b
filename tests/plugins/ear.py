"""A plugin on the SDK that listens, keeps what it has heard, and publishes what it is told to.

Arguments: ``name=ear``, ``declares=TOPIC`` (its data are integers), and ``echoes=TOPIC``: it publishes each event there
again, on the same topic.
"""

import asyncio
import sys

from plugwire import Plugin, SubscriptionEnded

options = dict(option.partition("=")[::2] for option in sys.argv[1:])
plugin = Plugin(options.get("name", "ear"), version="1.0")
subscriptions = {}  # by topic, each with what has come
heard = asyncio.Condition()
listeners = set()

if "declares" in options:
    plugin.topic(options["declares"], description="an integer", schema={"type": "integer"})

if "echoes" in options:

    @plugin.on_event(options["echoes"])
    async def echo(event):
        await plugin.publish(event.topic, event.data + 1)


@plugin.method
async def listen(topic: str, policy: str = "dropOldest", buffer: int = 1024, replay: int = 0):
    subscription = plugin.subscribe(topic, policy=policy, buffer=buffer, replay=replay)
    await subscription.__aenter__()
    subscriptions[topic] = subscription, []
    listener = asyncio.create_task(keep(subscription, subscriptions[topic][1]))
    listeners.add(listener)
    return subscription.declared


async def keep(subscription, events):
    try:
        async for event in subscription:
            data = event.data.get("number") if isinstance(event.data, dict) else event.data
            events.append([event.topic, data, event.sender, event.seq, event.missed, event.past])
            async with heard:
                heard.notify_all()
    except SubscriptionEnded as ended:
        events.append(["ended", ended.missed])
        async with heard:
            heard.notify_all()


@plugin.method
async def events(topic: str, last: int):
    """Everything of a subscription, when the event with the seq ``last`` has come, or the end; it begins anew then."""
    kept = subscriptions[topic][1]
    async with heard:
        await heard.wait_for(lambda: kept and (kept[-1][0] == "ended" or kept[-1][3] >= last))
    everything = list(kept)
    kept.clear()
    return everything


@plugin.method
async def leave(topic: str):
    """How many events were missed in all."""
    subscription, _ = subscriptions.pop(topic)
    await subscription.__aexit__(None, None, None)
    return subscription.missed


@plugin.method
async def say(topic: str, data=None, retain: bool = False, key: str | None = None):
    return await plugin.publish(topic, data, retain=retain, key=key)


@plugin.method
async def flood(topic: str, count: int, size: int, at_a_time: int = 64):
    """Publish the numbers from 1, in order."""
    for start in range(1, count + 1, at_a_time):
        numbers = range(start, min(start + at_a_time, count + 1))
        await asyncio.gather(*(plugin.publish(topic, {"number": number, "text": "x" * size}) for number in numbers))


plugin.run()
