"""The event service among participants that are made up: what each was sent, and a pipe that can be full."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from plugwire.wire import RequestError
from plugwire.wire.codec import Raw, encode_value
from plugwire_host.routing.call import Call, Outcome, encode_params
from plugwire_host.routing.registry import Registry
from plugwire_host.routing.router import Router
from plugwire_host.services.events.service import EventService


class Someone:
    """A participant that keeps what it is sent."""

    maps_memory = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.ranges: Mapping[str, Any] = {}
        self.congested = False
        self.room: int | None = None
        """How many notifications go into its pipe before it is congested."""
        self.is_gone = False
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.bodies: list[bytes] = []
        self._drained: list[Callable[[], None]] = []

    def send_notification(self, method: str, params: Any) -> bool:
        if self.is_gone:
            return False
        body = bytes(params if isinstance(params, Raw) else encode_value(params))
        self.bodies.append(body)
        self.sent.append((method, json.loads(body)))
        if self.room is not None:
            self.room -= 1
            self.congested = self.room <= 0
        return True

    def send_notifications(self, method: str, params: Sequence[Raw]) -> bool:
        arrived = [self.send_notification(method, each) for each in params]
        return all(arrived)

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._drained.append(callback)

    def drain(self, room: int | None = None) -> None:
        """There is room for so many more; None: for everything."""
        self.congested, self.room = False, room
        waiting, self._drained = self._drained, []
        for callback in waiting:
            callback()

    def deliver(self, call: Call, outcome: Outcome) -> None:
        raise AssertionError("calls are made without the router here")

    def deliver_progress(self, call: Call, value: Raw) -> None:
        raise AssertionError("events have no progress")

    def events(self, *members: str) -> list[Any]:
        """Of each event so far the members asked for; the list is empty again."""
        assert [method for method, _ in self.sent if method != "event/deliver"] == []
        told = [tuple(params.get(member) for member in members) for _, params in self.sent]
        self.sent.clear()
        return [each[0] for each in told] if len(members) == 1 else told


class Desk:
    """An event service, and calls to it."""

    def __init__(self, **options: Any) -> None:
        self.warnings: list[tuple[str, str]] = []
        router = Router(Registry(), default_timeout=60.0, on_dropped=lambda *told: self.warnings.append(told))
        self.service = EventService(router, **options)

    def someone(self, name: str, *topics: dict[str, Any]) -> Someone:
        made = Someone(name)
        self.service.joined(made, {"events": list(topics)} if topics else {})
        return made

    def call(self, who: Someone, method: str, **params: Any) -> Any:
        """The answer, or a coroutine for one that comes later. Raises RequestError."""
        return self.service.requests[method](Call(who, 1, method, encode_params(params), None))

    def later(self, who: Someone, **params: Any) -> tuple[Call, asyncio.Task[Any]]:
        """A request to publish that has to wait."""
        call = Call(who, 1, "event/publish", encode_params(params), None)
        answer = self.service.requests["event/publish"](call)
        assert isinstance(answer, Coroutine)
        return call, asyncio.ensure_future(answer)

    def notify(self, who: Someone, method: str, **params: Any) -> None:
        self.service.notifications[method](who, encode_params(params))

    async def subscribe(self, who: Someone, topic: str, **params: Any) -> int:
        """The number of a new subscription, after its start."""
        number: int = self.call(who, "event/subscribe", topic=topic, **params)["subscription"]
        await asyncio.sleep(0)
        return number

    def publish(self, who: Someone, topic: str, data: Any = None, **params: Any) -> Any:
        return self.call(who, "event/publish", topic=topic, data=data, **params)["subscribers"]

    def refusal(self, who: Someone, method: str, **params: Any) -> tuple[int, Any]:
        """The code and data of the error that a call ends with."""
        try:
            answer = self.call(who, method, **params)
        except RequestError as error:
            return int(error.code), error.data
        raise AssertionError(f"an error was expected, got {answer}")
