"""Locks of the host: leases that are renewed as long as they are held. Spec 10.

async with ctx.lock("reports/summary") as held:
    ...
    held.check()
    await ctx.state.put("reports/summary", text, lock=held)
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .settling import settled
from .wire import ConnectionClosed, LockLost, PlugwireError, Raw, RequestError
from .wire.codec import decode_value

if TYPE_CHECKING:
    from .context import Context, Owner

_MARGIN = 5.0
"""Seconds that a call has beyond the wait that it asks for, so that it is the host that says it was in vain."""


class Lock:
    """A lock that may be taken: with ``async with``, or with ``acquire``."""

    def __init__(
        self, client: LockClient, name: str, lease: float, wait: float | None, slots: int, context: Context | None
    ) -> None:
        self.name = name
        self._client = client
        self._lease = lease
        self._wait = wait
        self._slots = slots
        self._context = context
        self._held: Held | None = None

    async def acquire(self) -> Held:
        """Wait for the lock. What it gives has to be released.

        Raises DeadlineExceeded when it was not to be had in time, InvalidParams when it is in use with another number
        of slots, QuotaExceeded. A wait that is cancelled leaves no holder behind.
        """
        return await settled(self._acquire(), Held.release)

    async def _acquire(self) -> Held:
        params: dict[str, Any] = {"name": self.name, "leaseMs": round(self._lease * 1000), "slots": self._slots}
        timeout = None
        if self._wait is not None:
            params["waitMs"] = round(self._wait * 1000)
            timeout = self._wait + _MARGIN
        asked = time.monotonic()
        given = await self._client.owner.call("lock/acquire", params, timeout=timeout, context=self._context)
        return self._client.held(self.name, given["token"], given["leaseMs"] / 1000, asked)

    async def __aenter__(self) -> Held:
        if self._held is not None:
            raise RuntimeError(f"this lock object for {self.name} is in use; make one for each `async with`")
        self._held = await self.acquire()
        return self._held

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        held, self._held = self._held, None
        assert held is not None
        try:
            await held.release()
        except PlugwireError:
            if error is None:  # what the block itself has raised says more
                raise


class Held:
    """A lock that was given to this plugin. ``token`` is greater than that of every holder before (LCK-06).

    It is renewed by itself. When that fails, ``lost`` turns true: nothing stops the work that relies on it, so ask
    before each step that matters, and pass ``lock=held`` to what is written.
    """

    def __init__(self, client: LockClient, name: str, token: int, lease: float, asked: float) -> None:
        self.name = name
        self.token = token
        self._client = client
        self._lease = lease
        self._ends = asked + lease
        self._why: str | None = None
        self._is_released = False
        self._is_asking = False
        self._renewing = client.owner.loop.create_task(self._renew_until_lost())

    @property
    def lost(self) -> bool:
        """Whether it must be taken as lost (LCK-14); false also when it was released in time."""
        if self._why is None and not self._is_released and time.monotonic() >= self._ends:
            self.lose("its lease has passed, and no renewal was answered in time")
        return self._why is not None

    def check(self) -> None:
        """Raises LockLost when the lock is lost or was released."""
        if self.lost or self._is_released:
            raise LockLost(f"the lock {self.name} is no longer held: {self._why or 'it was released'}")

    async def release(self) -> None:
        """Give it back. Raises LockLost when it was lost before; once it is released, nothing happens."""
        if self._is_released:
            return
        was_lost = self.lost
        self._is_released = True
        self._client.forget(self)
        self._stop_renewing()
        try:
            await settled(self._release())
        except RequestError:
            if not was_lost:
                raise
        if was_lost:
            raise LockLost(f"the lock {self.name} was lost: {self._why}")

    async def _release(self) -> None:
        await self._client.owner.call("lock/release", {"name": self.name, "token": self.token}, timeout=None)

    def lose(self, why: str) -> None:
        """It is lost."""
        if self._why is None:
            self._why = why
            self._stop_renewing()

    def _stop_renewing(self) -> None:
        if not self._is_asking:  # else it stops with the answer, which may be on its way
            self._renewing.cancel()

    async def _renew_until_lost(self) -> None:
        """LCK-15. A renewal that fails for another reason than the lock's loss is tried again until the lease ends."""
        third, params = self._lease / 3, {"name": self.name, "token": self.token}
        asked = self._ends - self._lease
        while not (self.lost or self._is_released):
            await asyncio.sleep(asked + third - time.monotonic())
            asked, self._is_asking = time.monotonic(), True
            try:
                await self._client.owner.call("lock/renew", params, timeout=third)
                self._ends = asked + self._lease
            except LockLost as error:
                self.lose(error.message)
            except ConnectionClosed as error:
                self.lose(str(error))
            except RequestError:
                pass
            finally:
                self._is_asking = False


class LockClient:
    """The locks of one connection."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self._held: dict[int, Held] = {}

    def lock(
        self, name: str, *, lease: float = 30.0, wait: float | None = None, slots: int = 1, context: Context | None
    ) -> Lock:
        return Lock(self, name, lease, wait, slots, context)

    def held(self, name: str, token: int, lease: float, asked: float) -> Held:
        """A lock that was given; ``asked`` is when the request for it was sent."""
        held = self._held[token] = Held(self, name, token, lease, asked)
        return held

    def forget(self, held: Held) -> None:
        self._held.pop(held.token, None)

    def receive(self, method: str, params: Raw | None) -> None:
        told = {} if params is None else decode_value(params)
        held = self._held.get(told.get("token", 0))
        if method == "lock/lost" and held is not None:
            held.lose(str(told.get("reason")))

    def close(self, reason: Exception) -> None:
        for held in self._held.values():
            held.lose(f"the connection has ended: {reason}")
