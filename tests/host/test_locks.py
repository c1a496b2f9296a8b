"""Locks between real plugins: who gets them, and when they are lost."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from plugwire.wire import LockLost, QuotaExceeded
from plugwire_host import DeadlineExceeded, Host, InvalidParams, PluginEnded

from .support import Watch, Wire, begun, clock, fails, launch, relay, run


def told(method: str, name: str = "l", **params: Any) -> dict[str, Any]:
    """Params for ``relay/call``, which asks the host for ``lock/…``."""
    return {"method": f"lock/{method}", "params": {"name": name, **params}}


async def acquire(host: Host, plugin: str, name: str = "l", **params: Any) -> int:
    """The token with which a plugin has got a lock."""
    token: int = (await host.call(f"{plugin}/call", told("acquire", name, **params)))["token"]
    return token


async def waits(host: Host, watch: Watch, plugin: str, name: str = "l", **params: Any) -> asyncio.Task[int]:
    """A plugin's request for a lock, once it stands in line."""
    return await begun(watch, plugin, "sent lock/acquire", acquire(host, plugin, name, **params))


async def lost(host: Host, plugin: str) -> list[Any]:
    """The ``lock/lost`` notifications that a plugin has got, once there is one."""
    while True:
        entries = [params for method, params in await host.call(f"{plugin}/journal") if method == "lock/lost"]
        if entries:
            return entries


def kill(host: Host, plugin: str, number: signal.Signals) -> None:
    process = host.plugins[plugin].pid
    assert process is not None
    os.kill(process, number)


@pytest.mark.requirement("LCK-01", "LCK-02", "LCK-06", "LCK-09")
def test_plugins_get_a_lock_in_the_order_in_which_they_asked() -> None:
    async def main() -> list[int]:
        async with Host() as host:
            watch = Watch(host)
            names = ["a", "b", "c", "d"]
            await launch(host, **{name: relay(name) for name in names})
            tokens = [await acquire(host, "a")]
            waiting = [await waits(host, watch, name) for name in names[1:]]
            assert type(await fails(host.call("a/call", told("acquire", waitMs=0)))) is DeadlineExceeded
            for name, task in zip(names, waiting, strict=False):
                assert not task.done()
                await host.call(f"{name}/call", told("release", token=tokens[-1]))
                tokens.append(await task)
            return tokens

    assert run(main()) == [1, 2, 3, 4]


@pytest.mark.requirement("LCK-11")
def test_the_lock_of_a_plugin_that_was_killed_goes_to_the_next_at_once() -> None:
    async def main() -> tuple[int, int]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"), c=relay("c"))
            first = await acquire(host, "a", leaseMs=3_600_000)
            doomed, waiting = await waits(host, watch, "b"), await waits(host, watch, "c")
            kill(host, "b", signal.SIGKILL)
            await fails(doomed)
            kill(host, "a", signal.SIGKILL)
            return first, await waiting

    assert run(main()) == (1, 2)


@pytest.mark.requirement("LCK-11")
def test_the_lock_of_a_plugin_that_was_stopped_is_free() -> None:
    async def main() -> int:
        async with Host() as host:
            await launch(host, a=relay("a"), b=relay("b"))
            await acquire(host, "a")
            await host.stop("a")
            return await acquire(host, "b", waitMs=0)

    assert run(main()) == 2


@pytest.mark.requirement("LCK-07", "LCK-10", "LCK-13")
def test_a_holder_that_stood_still_has_lost_the_lock_and_cannot_write_any_more() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, probe=relay("probe"), a=relay("a"), b=relay("b"))
            await acquire(host, "a", leaseMs=20_000)
            waiting = await waits(host, watch, "b", leaseMs=20_000)
            kill(host, "a", signal.SIGSTOP)
            clock().advance(10)
            await host.call("probe/echo")
            assert not waiting.done()
            clock().advance(10)
            second = await waiting
            write = {"key": "k", "value": "b", "ifLock": {"name": "l", "token": second}}
            await host.call("b/call", {"method": "state/put", "params": write})
            kill(host, "a", signal.SIGCONT)
            stale = {"key": "k", "value": "a", "ifLock": {"name": "l", "token": 1}}
            errors = [
                await fails(host.call("a/call", {"method": "state/put", "params": stale})),
                await fails(host.call("a/call", told("renew", token=1))),
                await fails(host.call("a/call", told("release", token=1))),
            ]
            assert [type(error) for error in errors] == [LockLost] * 3
            warning = await watch.log("a", "it has lost")
            return [second, await lost(host, "a"), await host.state.get("k"), warning.message]

    second, told_lost, value, warning = run(main())
    assert second == 2
    reason = "its lease of 20 s has passed and was not renewed"
    assert told_lost == [{"name": "l", "token": 1, "reason": reason}]
    assert value == "b"
    assert warning == f"it has lost the lock l: {reason}"


HOLDER = """
import asyncio
from plugwire import Context, Plugin

plugin = Plugin("holder", version="1")
go = asyncio.Event()

@plugin.method
async def hold(ctx: Context) -> int:
    async with ctx.lock("l", lease=1.2) as held:
        ctx.log.info("holding")
        await go.wait()
        return held.token

@plugin.method
async def let_go() -> None:
    go.set()

plugin.run()
"""


@pytest.mark.requirement("LCK-07", "LCK-14", "LCK-15")
def test_a_plugin_with_the_sdk_keeps_its_lock_until_it_stands_still(tmp_path: Path) -> None:
    (tmp_path / "holder.py").write_text(HOLDER)

    async def main() -> tuple[int, str]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, holder=[sys.executable, str(tmp_path / "holder.py")])
            holding = await begun(watch, "holder", "holding", host.call("holder/hold"))
            # Longer than the lease, which is renewed.
            assert type(await fails(host.lock("l", wait=1.5).acquire())) is DeadlineExceeded
            kill(host, "holder", signal.SIGSTOP)
            mine = await host.lock("l").acquire()
            kill(host, "holder", signal.SIGCONT)
            await host.call("holder/let_go")
            error = await fails(holding)
            assert type(error) is LockLost
            mine.check()
            await mine.release()
            return mine.token, error.message.partition(":")[0]

    assert run(main()) == (2, "the lock l was lost")


@pytest.mark.requirement("LCK-07", "LCK-13")
def test_a_lease_that_has_passed_counts_no_more_even_before_its_timer_has_run() -> None:
    async def main() -> list[type]:
        async with Host() as host:
            found = []
            for method, more in (("state/put", {"key": "k", "value": 1}), ("lock/renew", {}), ("lock/release", {})):
                token = (await host.call("lock/acquire", {"name": "l", "leaseMs": 5000}))["token"]
                held = {"name": "l", "token": token}
                clock().advance(5)
                params = {**more, "ifLock": held} if method == "state/put" else held
                found.append(type(await fails(host.call(method, params))))
            return found

    assert run(main()) == [LockLost] * 3


@pytest.mark.requirement("LCK-08")
def test_a_renewed_lease_lasts_from_the_renewal_on() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            await launch(host, a=relay("a"), b=relay("b"))
            token = await acquire(host, "a", leaseMs=10_000)
            answers = []
            leases: list[dict[str, Any]] = [{}, {}, {"leaseMs": 5000}, {}]
            for lease in leases:
                clock().advance(4)
                answers.append(await host.call("a/call", told("renew", token=token, **lease)))
            clock().advance(4)
            await fails(host.call("b/call", told("acquire", waitMs=0)))
            clock().advance(1)
            return [*answers, await acquire(host, "b", waitMs=0)]

    assert run(main()) == [{"leaseMs": 10_000}, {"leaseMs": 10_000}, {"leaseMs": 5000}, {"leaseMs": 5000}, 2]


@pytest.mark.requirement("LCK-03")
def test_a_wait_ends_when_it_was_to_end() -> None:
    async def main() -> list[Any]:
        async with Host(call_timeout=10) as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"), c=relay("c"))
            await acquire(host, "a", leaseMs=3_600_000)
            short = await waits(host, watch, "b", waitMs=5000)
            long = await waits(host, watch, "c")
            at_once = await fails(host.call("a/call", told("acquire", waitMs=0)))
            clock().advance(5)
            first = await fails(short)
            assert not long.done()
            clock().advance(5)
            last = await fails(long)
            await host.call("a/call", told("release", token=1))
            return [first.data, str(first), at_once.data, type(last), await acquire(host, "b", waitMs=0)]

    assert run(main()) == [
        {"timeoutMs": 5000},
        "DeadlineExceeded (-32012): the lock l was not to be had within 5 s",
        {"timeoutMs": 0},
        DeadlineExceeded,
        2,
    ]


@pytest.mark.requirement("LCK-04")
def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    async def main() -> int:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b", "meta"), c=relay("c"))
            token = await acquire(host, "a")
            waiting = await waits(host, watch, "b")
            behind = await waits(host, watch, "c")
            waiting.cancel()
            await watch.log("b", "cancelled b/call")
            await host.call("a/call", told("release", token=token))
            return await behind

    assert run(main()) == 2


@pytest.mark.requirement("LCK-04")
def test_a_request_that_is_cancelled_in_the_same_breath_does_not_stand_in_line() -> None:
    async def main() -> list[int]:
        async with Host() as host:
            await launch(host, a=relay("a"), b=relay("b"), c=relay("c"))
            token = await acquire(host, "a")
            request = {"id": 7, "method": "lock/acquire", "params": {"name": "l"}}
            cancel = {"method": "$/cancelRequest", "params": {"id": 7}}
            await host.call("b/say", {"messages": [request, cancel] * 1100})
            other = await acquire(host, "b", "m")
            await host.call("a/call", told("release", token=token))
            return [other, await acquire(host, "c", waitMs=0, slots=3)]

    assert run(main()) == [2, 3]


@pytest.mark.requirement("LCK-01", "LCK-05")
def test_a_lock_with_slots_is_a_semaphore() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"))
            tokens = [await acquire(host, name, slots=2) for name in "ab"]
            third = await waits(host, watch, "a", slots=2)
            error = await fails(host.call("b/call", told("acquire")))
            assert type(error) is InvalidParams
            assert not third.done()
            await host.call("b/call", told("release", token=tokens[1]))
            return [error.data, await third]

    message = "the lock l is in use with 2 slots, and 1 were asked for"
    assert run(main()) == [{"problems": [{"path": "$.slots", "message": message}]}, 3]


BAD_PARAMS: list[tuple[str, dict[str, Any], str]] = [
    ("acquire", {}, "$.name"),
    ("acquire", {"name": "../../x"}, "$.name"),
    ("acquire", {"name": 1}, "$.name"),
    ("acquire", {"name": "l", "leaseMs": 99}, "$.leaseMs"),
    ("acquire", {"name": "l", "leaseMs": 3_600_001}, "$.leaseMs"),
    ("acquire", {"name": "l", "leaseMs": 1000.5}, "$.leaseMs"),
    ("acquire", {"name": "l", "waitMs": -1}, "$.waitMs"),
    ("acquire", {"name": "l", "waitMs": 2**31}, "$.waitMs"),
    ("acquire", {"name": "l", "slots": 0}, "$.slots"),
    ("acquire", {"name": "l", "slots": 1025}, "$.slots"),
    ("acquire", {"name": "l", "slots": True}, "$.slots"),
    ("renew", {"name": "l"}, "$.token"),
    ("renew", {"name": "l", "token": 0}, "$.token"),
    ("renew", {"name": "l", "token": "1"}, "$.token"),
    ("renew", {"name": "l", "token": 1, "leaseMs": 1}, "$.leaseMs"),
    ("release", {"name": "l", "token": -1}, "$.token"),
    ("release", {"token": 1}, "$.name"),
]


def test_params_that_do_not_fit_are_refused() -> None:
    async def main() -> list[tuple[str, dict[str, Any], str]]:
        async with Host() as host:
            await launch(host, a=relay("a"))
            found = []
            for method, params, _ in BAD_PARAMS:
                error = await fails(host.call("a/call", {"method": f"lock/{method}", "params": params}))
                assert type(error) is InvalidParams
                found.append((method, params, error.data["problems"][0]["path"]))
            return found

    assert run(main()) == BAD_PARAMS


@pytest.mark.requirement("LCK-10")
def test_the_token_of_another_is_of_no_use() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            await launch(host, a=relay("a"), b=relay("b"))
            token = await acquire(host, "a")
            for method in ("renew", "release"):
                for given in (token, token + 1, 9007199254740991):
                    assert type(await fails(host.call("b/call", told(method, token=given)))) is LockLost
            assert type(await fails(host.call("a/call", told("release", "m", token=token)))) is LockLost
            await host.call("a/call", told("release", token=token))
            return [await fails(host.call("a/call", told("release", token=token)))]

    assert [str(error) for error in run(main())] == [
        "LockLost (-32021): the lock l is not held with the token 1; it was lost or given back, or never given"
    ]


@pytest.mark.requirement("LCK-12")
def test_one_plugin_cannot_have_all_locks() -> None:
    async def main() -> tuple[type, int]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"))
            requests = [
                {"id": number, "method": "lock/acquire", "params": {"name": f"l/{number}"}} for number in range(1, 1025)
            ]
            await host.call("a/say", {"messages": requests})
            error = await fails(host.call("a/call", told("acquire")))
            assert await acquire(host, "b") == 1025
            kill(host, "a", signal.SIGKILL)
            await watch.event(PluginEnded, "a")
            return type(error), await acquire(host, "b", "l/7")

    assert run(main()) == (QuotaExceeded, 1026)


@pytest.mark.requirement("LCK-06")
def test_tokens_go_on_growing_after_a_restart(tmp_path: Path) -> None:
    async def main() -> list[int]:
        async with Host(state=tmp_path / "state.db") as host:
            await launch(host, a=relay("a"))
            return [await acquire(host, "a", name) for name in ("l", "m")]

    assert run(main()) + run(main()) == [1, 2, 3, 4]


def test_the_application_and_plugins_keep_each_other_out() -> None:
    async def main() -> list[int]:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"))
            async with host.lock("l") as held:
                waiting = await waits(host, watch, "a")
                assert not waiting.done()
            token = await waiting
            assert type(await fails(host.lock("l", wait=0).acquire())) is DeadlineExceeded
            return [held.token, token]

    assert run(main()) == [1, 2]


def test_a_host_that_closes_ends_every_wait() -> None:
    async def main(wire: Wire) -> None:
        async with Host(trace=wire) as host:
            watch = Watch(host)
            await launch(host, a=relay("a"))
            held = await host.lock("l").acquire()
            waiting = await waits(host, watch, "a")
            mine = asyncio.ensure_future(host.lock("l").acquire())
            assert not held.lost
        for wait in (waiting, mine):
            assert isinstance(await asyncio.gather(wait, return_exceptions=True), list)
        assert held.lost

    run(main(Wire()))
