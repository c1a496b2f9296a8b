"""How plugins, and the application, work together beside calls: events, hooks, channels, memory, state and locks.

Owns: the names that an author types, and one client per way and connection. The ways themselves are in ``events``,
``hooks``, ``channels``, ``memory``, ``state`` and ``locks``, each loaded when it is first used. Spec 06 to 10.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from .wire import Raw
from .wire.codec import MalformedJson

if TYPE_CHECKING:
    from .channels import Channel, ChannelClient
    from .context import Context, Owner
    from .declarations import Policy
    from .events import EventClient, Subscription
    from .hooks import HookClient
    from .locks import Lock, LockClient
    from .memory import Memory, MemoryClient
    from .state import State, StateClient

_CLIENTS = {
    "event": "EventClient",
    "hook": "HookClient",
    "channel": "ChannelClient",
    "memory": "MemoryClient",
    "state": "StateClient",
    "lock": "LockClient",
}
_MODULES = {"event": "events", "hook": "hooks", "channel": "channels", "lock": "locks"}


class Client(Protocol):
    """One way, on one connection."""

    def receive(self, method: str, params: Raw | None) -> None:
        """A notification of the host's service; on the loop, in order. Never blocks.

        Raises MalformedJson, LookupError or TypeError for one that is not as the spec says; it is reported then.
        """

    def close(self, reason: Exception) -> None:
        """The connection has ended: so does every wait, with ConnectionClosed."""


class Clients:
    """The clients of one connection, made when they are first used."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._made: dict[str, Client] = {}
        self._closed: Exception | None = None

    def _client(self, service: str) -> Any:
        client = self._made.get(service)
        if client is None:
            module = importlib.import_module(f".{_MODULES.get(service, service)}", __package__)
            client = self._made[service] = getattr(module, _CLIENTS[service])(self._owner)
            if self._closed is not None:
                client.close(self._closed)
        return client

    @property
    def events(self) -> EventClient:
        return cast("EventClient", self._client("event"))

    @property
    def hooks(self) -> HookClient:
        return cast("HookClient", self._client("hook"))

    @property
    def channels(self) -> ChannelClient:
        return cast("ChannelClient", self._client("channel"))

    @property
    def memory(self) -> MemoryClient:
        return cast("MemoryClient", self._client("memory"))

    @property
    def state(self) -> StateClient:
        return cast("StateClient", self._client("state"))

    @property
    def locks(self) -> LockClient:
        return cast("LockClient", self._client("lock"))

    def receive(self, method: str, params: Raw | None) -> bool:
        """Whether the notification is one of the host's services'; its client gets it on a later turn of the loop.

        On a later turn, because whoever waits for the answer that came before it has to have gone on first: a
        subscription is known only then.
        """
        service = method.partition("/")[0]
        if service not in _CLIENTS:
            return False
        client = self._made.get(service)
        if client is not None:
            self._owner.loop.call_soon(self._hand_over, client, method, params)
        return True

    def _hand_over(self, client: Client, method: str, params: Raw | None) -> None:
        try:
            client.receive(method, params)
        except (MalformedJson, LookupError, TypeError) as error:
            self._owner.write_log("warning", f"{method} of the host cannot be understood: {error!r}", {})

    def close(self, reason: Exception) -> None:
        self._closed = reason
        for client in self._made.values():
            client.close(reason)


class Collaboration:
    """What a plugin, one of its requests, and the application can do together with others.

    Everything is asked of the host. On a request's ``Context`` it is asked on behalf of that request, which bounds the
    time of it and lets the host see who waits for whom. All of it belongs to the loop's thread: a handler that runs in
    a thread uses ``ctx.blocking(ctx.publish(…))``.
    """

    __slots__ = ()

    def _working_for(self) -> tuple[Owner, Context | None]:
        """Through whom, and on behalf of which request."""
        raise NotImplementedError

    async def publish(self, topic: str, data: Any = None, *, retain: bool = False, key: str | None = None) -> int:
        """Publish an event; how many subscriptions it went to. ``retain`` keeps it for those who come later.

        Waits while a subscriber with the policy ``block`` has no room. ``key`` tells ``coalesce`` what replaces what.
        Raises RequestError: PermissionDenied for a topic of the host's, InvalidParams, QuotaExceeded, CallCycle.
        """
        owner, context = self._working_for()
        return await owner.clients.events.publish(topic, data, retain=retain, key=key, context=context)

    def subscribe(
        self, topic: str, *, policy: Policy = "dropOldest", buffer: int = 1024, replay: int = 0
    ) -> Subscription:
        """Events as they come: ``async with plugin.subscribe("document.>") as events: async for event in events: …``"""
        owner, context = self._working_for()
        return owner.clients.events.subscribe(topic, policy=policy, buffer=buffer, replay=replay, context=context)

    async def run_hook(self, name: str, value: Any, *, timeout: float | None = None) -> Any:
        """Run a hook's chain of links; the value that it ends with.

        Raises HookStopped when a link stopped it, or the error of a link that may fail the run. ``timeout``: seconds.
        """
        owner, context = self._working_for()
        return await owner.clients.hooks.run(name, value, timeout=timeout, context=context)

    async def explain_hook(self, name: str) -> list[dict[str, Any]]:
        """The links of a hook in their order, and why (HookPlaces of spec 07)."""
        owner, context = self._working_for()
        return await owner.clients.hooks.explain(name, context=context)

    async def open_channel(
        self, name: str | None = None, *, capacity: int = 256, max_bytes: int = 1048576, redeliver: bool = False
    ) -> Channel:
        """Open a channel: with a name, the one that all have under it. ``capacity`` is in items.

        ``redeliver`` gives to another consumer what one has not finished when it ends.
        """
        owner, context = self._working_for()
        return await owner.clients.channels.open(
            name, capacity=capacity, max_bytes=max_bytes, redeliver=redeliver, context=context
        )

    def channel(self, reference: str | dict[str, Any]) -> Channel:
        """The channel of a reference that came in params: ``{"$channel": handle}``, or the handle itself."""
        owner, context = self._working_for()
        return owner.clients.channels.at(reference, context=context)

    async def create_memory(self, size: int, *, lease: float | None = None) -> Memory:
        """Shared memory of ``size`` bytes, to be written and committed. ``lease``: seconds; None: until released."""
        owner, context = self._working_for()
        return await owner.clients.memory.create(size, lease=lease, context=context)

    async def attach_memory(self, reference: str | dict[str, Any]) -> Memory:
        """The committed bytes of a reference that came in params: ``{"$memory": handle}``, or the handle itself."""
        owner, context = self._working_for()
        return await owner.clients.memory.attach(reference, context=context)

    @property
    def state(self) -> State:
        """The values that all plugins of the host share."""
        owner, context = self._working_for()
        return owner.clients.state.bound(context)

    def lock(self, name: str, *, lease: float = 30.0, wait: float | None = None, slots: int = 1) -> Lock:
        """A lock, or with ``slots`` a semaphore: ``async with ctx.lock("reports/summary") as held: …``

        ``lease`` and ``wait`` are in seconds; the lease is renewed as long as the lock is held.
        """
        owner, context = self._working_for()
        return owner.clients.locks.lock(name, lease=lease, wait=wait, slots=slots, context=context)
