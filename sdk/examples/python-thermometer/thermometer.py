"""Publishes events with the SDK, and handles those of a plugin in another language, `node-alarm`.

Neither calls the other, and neither has to be there for the other to work: what joins them are the names of topics.
"""

from typing import Any

from plugwire import Event, Plugin

READING = {
    "type": "object",
    "properties": {"room": {"type": "string"}, "celsius": {"type": "number", "minimum": -273.15}},
    "required": ["room", "celsius"],
}

plugin = Plugin("thermometer", version="1.0.0")
plugin.topic(
    "thermometer.reading.*", description="The temperature of one room, which is the last part.", schema=READING
)

raised: list[dict[str, Any]] = []


@plugin.method
async def measure(room: str, celsius: float) -> int:
    """Publishes a reading; how many subscriptions it went to. Who comes later gets the last one of each room."""
    reading = {"room": room, "celsius": celsius}
    return await plugin.publish(f"thermometer.reading.{room}", reading, retain=True, key=room)


@plugin.on_event("alarm.raised", replay=100)
async def note(event: Event) -> None:
    raised.append({**event.data, "from": event.sender})


@plugin.method
async def alarms() -> list[dict[str, Any]]:
    """The alarms that were raised, as they came."""
    return raised


if __name__ == "__main__":
    plugin.run()
