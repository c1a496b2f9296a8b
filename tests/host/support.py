"""What the tests of the host share: running a program in bounded time, plugins to launch, and what they said so far."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from plugwire_host import Host, HostEvent, PluginLogged, RequestError

T = TypeVar("T")
EventT = TypeVar("EventT", bound=HostEvent)

LIMIT = 30.0
"""Seconds that anything may take that is going to happen."""

SOON = 0.2
"""Seconds for a call that is not going to be answered."""

PLUGINS = Path(__file__).parents[1] / "plugins"


def run(main: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, in bounded time; it must leave no task behind."""

    async def bounded() -> T:
        async with asyncio.timeout(LIMIT):
            result = await main
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                # Those that were cancelled last may need one more turn.
                _, others = await asyncio.wait(others, timeout=SOON)
            assert not others
            return result

    with asyncio.Runner(loop_factory=Clock) as runner:
        return runner.run(bounded())


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time a test may push forward; LIMIT is counted in the same time."""

    _ahead = 0.0

    def time(self) -> float:
        return super().time() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


def clock() -> Clock:
    """The loop of the test that runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Clock)
    return loop


def plugin(name: str, *arguments: str) -> list[str]:
    """The command of a plugin of tests/plugins, in a Python that starts fast."""
    return [sys.executable, "-S", "-E", str(PLUGINS / f"{name}.py"), *arguments]


def relay(service: str, *options: str) -> list[str]:
    """An honest plugin under a name of its own."""
    return plugin("relay", f"service={service}", *options)


def via(*methods: str, **params: Any) -> dict[str, Any]:
    """Params for ``relay/call``, which calls the first method and through it the next; the last one gets ``params``."""
    first, *rest = methods
    return {"method": first, "params": via(*rest, **params) if rest else params}


class Watch:
    """What has happened at a host, to be waited for. Each wait goes on where the last one for its plugin ended."""

    def __init__(self, host: Host) -> None:
        self.events: list[HostEvent] = []
        self._news = asyncio.Event()
        self._seen: dict[tuple[str, Any], int] = {}
        host.on(HostEvent, self._add)

    def _add(self, event: HostEvent) -> None:
        self.events.append(event)
        self._news.set()

    async def event(self, kind: type[EventT], plugin: str) -> EventT:
        """The next event of a kind about a plugin."""
        found: EventT = await self._next((plugin, kind), lambda e: isinstance(e, kind) and e.plugin == plugin)
        return found

    async def log(self, plugin: str, text: str) -> PluginLogged:
        """The next log record of a plugin, or of the host about it, whose message holds a text."""
        found: PluginLogged = await self._next(
            (plugin, text), lambda e: isinstance(e, PluginLogged) and e.plugin == plugin and text in e.message
        )
        return found

    async def _next(self, key: tuple[str, Any], fits: Callable[[HostEvent], bool]) -> Any:
        while True:
            for place in range(self._seen.get(key, 0), len(self.events)):
                if fits(self.events[place]):
                    self._seen[key] = place + 1
                    return self.events[place]
            self._news.clear()
            await self._news.wait()

    def of(self, kind: type[EventT], plugin: str) -> list[EventT]:
        """The events of a kind about a plugin so far."""
        return [event for event in self.events if isinstance(event, kind) and event.plugin == plugin]

    def warnings(self, plugin: str) -> list[str]:
        """What the host has complained of."""
        return [event.message for event in self.of(PluginLogged, plugin) if event.source == "host"]


class Wire:
    """The bytes of every connection of a host: give it as ``trace``."""

    def __init__(self) -> None:
        self._bytes: dict[tuple[str, bool], bytes] = {}

    def __call__(self, plugin: str, sent: bool, data: bytes) -> None:
        self._bytes[plugin, sent] = self._bytes.get((plugin, sent), b"") + data

    def sent(self, plugin: str) -> list[bytes]:
        """The bodies that the host has sent to a plugin."""
        return bodies(self._bytes.get((plugin, True), b""))

    def received(self, plugin: str) -> list[bytes]:
        """The bodies that a plugin has sent."""
        return bodies(self._bytes.get((plugin, False), b""))

    def answers(self, plugin: str, method: str) -> list[list[dict[str, Any]]]:
        """For each request of a method to a plugin, the answers that the plugin gave."""
        asked = [json.loads(body) for body in self.sent(plugin)]
        given = [json.loads(body) for body in self.received(plugin)]
        return [
            [answer for answer in given if "method" not in answer and answer["id"] == request["id"]]
            for request in asked
            if request.get("method") == method
        ]


def bodies(stream: bytes) -> list[bytes]:
    """The bodies of canonical frames."""
    found = []
    while stream:
        head, _, stream = stream.partition(b"\r\n\r\n")
        length = int(head.removeprefix(b"Content-Length: "))
        found.append(stream[:length])
        stream = stream[length:]
    return found


async def fails(call: Awaitable[Any]) -> RequestError:
    """The error that a call ends with."""
    try:
        result = await call
    except RequestError as error:
        return error
    raise AssertionError(f"an error was expected, got {result!r}")


async def begun(watch: Watch, plugin: str, text: str, call: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A call under way, as soon as a plugin's log says that it has begun."""
    task = asyncio.ensure_future(call)
    await watch.log(plugin, text)
    return task


async def launch(host: Host, **commands: list[str]) -> None:
    """Plugins by instance name, side by side."""
    await asyncio.gather(*(host.launch(name, command) for name, command in commands.items()))
