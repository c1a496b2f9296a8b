"""The SDK's side of locks: renewing, losing, giving back."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from plugwire import Context, Plugin, locks
from plugwire.locks import Held
from plugwire.testing import TestHost
from plugwire.wire import ConnectionClosed, DeadlineExceeded, LockLost, Overloaded

from .helpers import ready, run


def asked(host: TestHost) -> list[tuple[str, dict[str, Any]]]:
    return [(call.method, call.params) for call in host.calls]


async def until(condition: Callable[[], object], host: TestHost) -> None:
    """Lets messages go to and fro until something has come about."""
    while not condition():
        await host.call("ping")


def count(host: TestHost, method: str) -> int:
    return sum(call.method == method for call in host.calls)


async def renewed(host: TestHost, times: int) -> None:
    """Waits until so many renewals were asked for."""
    await until(lambda: count(host, "lock/renew") >= times, host)


def serve(host: TestHost, *, lease_ms: int = 30_000) -> None:
    """A host that gives every lock that it is asked for."""
    host.serve("lock/acquire", lambda _: {"token": 5, "leaseMs": lease_ms})
    host.serve("lock/renew", lambda _: {"leaseMs": lease_ms})
    host.serve("lock/release", lambda _: None)


def raising(error: Exception) -> Callable[[dict[str, Any]], Any]:
    def answer(params: dict[str, Any]) -> Any:
        raise error

    return answer


def test_a_lock_is_taken_and_given_back() -> None:
    plugin = Plugin("demo", version="1")

    @plugin.method
    async def work(ctx: Context) -> Any:
        async with ctx.lock("reports/a", lease=60, wait=2.5, slots=3) as held:
            held.check()
            await ctx.state.put("k", 1, lock=held)
            assert not held.lost
        with pytest.raises(LockLost, match="the lock reports/a is no longer held: it was released"):
            held.check()
        await held.release()
        return [held.name, held.token, held.lost, ctx.request_id]

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host)
            host.serve("state/put", lambda _: {"revision": 1})
            *told, request = await host.call("demo/work")
            assert told == ["reports/a", 5, False]
            assert asked(host) == [
                ("lock/acquire", {"name": "reports/a", "leaseMs": 60_000, "slots": 3, "waitMs": 2500}),
                ("state/put", {"key": "k", "value": 1, "ifLock": {"name": "reports/a", "token": 5}}),
                ("lock/release", {"name": "reports/a", "token": 5}),
            ]
            assert host.calls[0].meta["parent"] == request
            assert 2500 < host.calls[0].meta["deadlineMs"] <= 7500

    run(conversation())


def test_a_handler_in_a_thread_takes_a_lock_too() -> None:
    plugin = Plugin("demo", version="1")

    @plugin.method
    def work(ctx: Context) -> int:
        held = ctx.blocking(ctx.lock("l").acquire())
        held.check()
        ctx.blocking(held.release())
        return held.token

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host)
            assert await host.call("demo/work") == 5
            assert asked(host) == [
                ("lock/acquire", {"name": "l", "leaseMs": 30_000, "slots": 1}),
                ("lock/release", {"name": "l", "token": 5}),
            ]

    run(conversation())


@pytest.mark.requirement("LCK-15")
def test_a_lock_is_renewed_as_long_as_it_is_held() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host, lease_ms=900)
            begun = time.monotonic()
            async with plugin.lock("l", lease=0.9) as held:
                for renewals in range(1, 4):
                    await renewed(host, renewals)
                    assert time.monotonic() - begun >= renewals * 0.3
                assert not held.lost
            before = len(host.calls)
            await asyncio.gather(*(host.call("ping") for _ in range(10)))
            assert len(host.calls) == before
            assert asked(host)[1] == ("lock/renew", {"name": "l", "token": 5})
            assert asked(host)[-1] == ("lock/release", {"name": "l", "token": 5})

    run(conversation())


def test_a_lock_that_the_host_says_is_lost_is_lost() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host)
            host.serve("lock/release", raising(LockLost("it is not held")))

            async def works() -> None:
                async with plugin.lock("l") as held:
                    host.notify("lock/lost", {"name": "l", "token": 4, "reason": "of another"})
                    await host.call("ping")
                    assert not held.lost
                    host.notify("lock/lost", {"name": "l", "token": 5, "reason": "its lease has passed"})
                    await until(lambda: held.lost, host)
                    with pytest.raises(LockLost, match="the lock l is no longer held: its lease has passed"):
                        held.check()

            with pytest.raises(LockLost, match="the lock l was lost: its lease has passed"):
                await works()

    run(conversation())


def test_what_the_block_itself_raises_goes_before_the_loss_of_the_lock() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host)

            async def works() -> None:
                async with plugin.lock("l") as held:
                    host.notify("lock/lost", {"name": "l", "token": 5, "reason": "its lease has passed"})
                    await until(lambda: held.lost, host)
                    raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                await works()

    run(conversation())


def test_a_renewal_that_is_refused_means_that_the_lock_is_lost() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host, lease_ms=150)
            host.serve("lock/renew", raising(LockLost("not held")))
            with pytest.raises(LockLost, match="the lock l was lost: not held"):
                async with plugin.lock("l", lease=0.15) as held:
                    await until(lambda: held.lost, host)
            assert count(host, "lock/renew") == 1

    run(conversation())


def test_a_renewal_that_fails_otherwise_is_tried_again() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host, lease_ms=900)
            host.serve("lock/renew", raising(Overloaded("not now")))
            async with plugin.lock("l", lease=0.9) as held:
                await until(lambda: count(host, "lock/renew") == 1, host)
                host.serve("lock/renew", lambda _: {"leaseMs": 900})
                await until(lambda: count(host, "lock/renew") == 3, host)
                assert not held.lost

    run(conversation())


def test_a_renewal_that_is_under_way_is_left_alone_by_the_release() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host, lease_ms=900)
            answer = asyncio.get_running_loop().create_future()
            host.serve("lock/renew", lambda _: answer)
            held = await plugin.lock("l", lease=0.9).acquire()
            await renewed(host, 1)
            await held.release()
            await host.call("ping")
            # Its answer may be on its way, and a cancel would find nothing any more.
            assert [call.cancelled for call in host.calls] == [False, False, False]
            answer.set_result({"leaseMs": 900})
            await host.call("ping")

    run(conversation())


class Later:
    """The time module, some seconds later than it is."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.seconds


@pytest.mark.requirement("LCK-14")
def test_a_lock_whose_lease_has_passed_is_lost_though_nobody_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = Plugin("demo", version="1")
    later = Later()
    monkeypatch.setattr(locks, "time", later)

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host)

            def slow(params: dict[str, Any]) -> dict[str, Any]:
                later.seconds += 10  # from the request to its answer
                return {"token": 5, "leaseMs": 30_000}

            host.serve("lock/acquire", slow)

            async def works() -> None:
                async with plugin.lock("l") as held:
                    later.seconds += 19
                    assert not held.lost
                    later.seconds += 1
                    assert held.lost

            with pytest.raises(LockLost, match="the lock l was lost: its lease has passed, and no renewal"):
                await works()
            # The host may still think that it is held, and the next may have it.
            assert count(host, "lock/release") == 1

    run(conversation())


def test_a_lock_that_is_given_after_its_request_was_cancelled_is_given_back() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host)
            answer = asyncio.get_running_loop().create_future()
            host.serve("lock/acquire", lambda _: answer)
            waiting: asyncio.Future[Held] = asyncio.ensure_future(plugin.lock("l").acquire())
            await until(lambda: host.calls, host)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            answer.set_result({"token": 5, "leaseMs": 30_000})
            await until(lambda: len(host.calls) == 2, host)
            assert asked(host)[1] == ("lock/release", {"name": "l", "token": 5})

    run(conversation())


def test_a_lock_that_is_not_to_be_had_says_so() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            host.serve("lock/acquire", raising(DeadlineExceeded("not at once", data={"timeoutMs": 0})))
            with pytest.raises(DeadlineExceeded, match="not at once"):
                async with plugin.lock("l", wait=0):
                    raise AssertionError
            assert asked(host)[0][1]["waitMs"] == 0

    run(conversation())


def test_one_lock_object_is_for_one_block_at_a_time() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host)
            lock = plugin.lock("l")
            async with lock:
                with pytest.raises(RuntimeError, match="this lock object for l is in use"):
                    await lock.__aenter__()
            async with lock as held:
                assert not held.lost

    run(conversation())


def test_a_cancelled_block_gives_its_lock_back() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host)
            inside = asyncio.Event()

            async def works() -> None:
                async with plugin.lock("l"):
                    inside.set()
                    await asyncio.Event().wait()

            working = asyncio.ensure_future(works())
            await inside.wait()
            working.cancel()
            with pytest.raises(asyncio.CancelledError):
                await working
            assert count(host, "lock/release") == 1

    run(conversation())


def test_the_end_of_the_connection_loses_every_lock() -> None:
    plugin = Plugin("demo", version="1")

    async def conversation() -> None:
        async with ready(plugin) as host:
            serve(host)
            held = await plugin.lock("l").acquire()
            await host.call("shutdown")
            host.notify("exit")
            host.connection.close()
            while not held.lost:
                await asyncio.sleep(0)
            with pytest.raises(LockLost, match="the connection has ended"):
                held.check()
            with pytest.raises((LockLost, ConnectionClosed)):
                await held.release()

    run(conversation())
