"""Values that real plugins share, through a real host."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from plugwire.state import Change, WatchEnded
from plugwire.wire import Conflict, Limits, LockLost, QuotaExceeded, Raw
from plugwire.wire.depth import nests_deeper
from plugwire_host import Host, HostError, InvalidParams, PluginEnded
from plugwire_host.supervision.records import PluginState

from .support import Watch, Wire, fails, launch, relay, run, via


def told(method: str, **params: Any) -> dict[str, Any]:
    """Params for ``relay/call``, which asks the host for ``state/…``."""
    return {"method": f"state/{method}", "params": params}


async def journal(host: Host, name: str, count: int) -> list[list[Any]]:
    """The notifications of the host's state that a plugin has got, once there are so many."""
    while True:
        entries = [entry for entry in await host.call(f"{name}/journal") if entry[0].startswith("state/")]
        if len(entries) >= count:
            return entries


@pytest.mark.requirement("STA-02", "STA-03", "STA-05", "STA-06", "STA-07")
def test_what_one_plugin_puts_another_gets() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            await launch(host, a=relay("a"), b=relay("b"))
            return [
                await host.call("a/call", told("get", key="k")),
                await host.call("a/call", told("put", key="k", value={"n": [1]})),
                await host.call("b/call", told("get", key="k")),
                await host.call("b/call", told("put", key="k", value=None, ifRevision=1)),
                (await fails(host.call("a/call", told("put", key="k", value=1, ifRevision=1)))).data,
                (await fails(host.call("a/call", told("put", key="k", value=1, ifRevision=0)))).data,
                (await fails(host.call("a/call", told("delete", key="k", ifRevision=9)))).data,
                await host.call("a/call", told("get", key="k")),
                await host.call("a/call", told("delete", key="k", ifRevision=2)),
                await host.call("a/call", told("delete", key="k")),
                await host.call("b/call", told("increment", key="n")),
                await host.call("a/call", told("increment", key="n", by=-5)),
                await host.call("b/call", told("put", key="m", value=1, ifRevision=0)),
            ]

    assert run(main()) == [
        {"revision": 0},
        {"revision": 1},
        {"value": {"n": [1]}, "revision": 1},
        {"revision": 2},
        {"revision": 2},
        {"revision": 2},
        {"revision": 2},
        {"value": None, "revision": 2},
        {"revision": 3},
        {"revision": 0},
        {"value": 1, "revision": 4},
        {"value": -4, "revision": 5},
        {"revision": 6},
    ]


@pytest.mark.requirement("STA-04")
def test_a_value_keeps_its_bytes(tmp_path: Path) -> None:
    value = b'{ "a" : [1.0,1E2, "\\u00e9\\/"],"a":2 }'

    async def main(wire: Wire) -> None:
        async with Host(trace=wire, state=tmp_path / "state.db") as host:
            await launch(host, a=relay("a"))
            await host.call("a/call", told("watch", prefix=""))
            await host._application.call_raw("state/put", Raw(b'{"key":"k","value":%b}' % value))
            await host.call("a/call", told("get", key="k"))
            await host.call("a/call", told("list", values=True))

    wire = Wire()
    run(main(wire))
    assert sum(value in body for body in wire.sent("a")) == 3


BAD_PARAMS: list[tuple[str, dict[str, Any], str]] = [
    ("get", {}, "$.key"),
    ("get", {"key": 5}, "$.key"),
    ("get", {"key": "../../x"}, "$.key"),
    ("get", {"key": "/etc/passwd"}, "$.key"),
    ("get", {"key": "a//b"}, "$.key"),
    ("get", {"key": ""}, "$.key"),
    ("get", {"key": "ä"}, "$.key"),
    ("get", {"key": "k" * 257}, "$.key"),
    ("get", {"key": "k\n"}, "$.key"),
    ("put", {"key": "k"}, "$.value"),
    ("put", {"key": "k", "value": 1, "ifRevision": -1}, "$.ifRevision"),
    ("put", {"key": "k", "value": 1, "ifRevision": 2**53}, "$.ifRevision"),
    ("put", {"key": "k", "value": 1, "ifRevision": True}, "$.ifRevision"),
    ("put", {"key": "k", "value": 1, "ifRevision": None}, "$.ifRevision"),
    ("put", {"key": "k", "value": 1, "ttlMs": 0}, "$.ttlMs"),
    ("put", {"key": "k", "value": 1, "ttlMs": 1.5}, "$.ttlMs"),
    ("put", {"key": "k", "value": 1, "ifLock": 5}, "$.ifLock"),
    ("put", {"key": "k", "value": 1, "ifLock": {"name": "l"}}, "$.ifLock.token"),
    ("put", {"key": "k", "value": 1, "ifLock": {"name": "l", "token": 0}}, "$.ifLock.token"),
    ("put", {"key": "k", "value": 1, "ifLock": {"name": "..", "token": 1}}, "$.ifLock.name"),
    ("put", {"key": "k", "value": "x" * (1024 * 1024 - 1)}, "$.value"),
    ("delete", {"key": "k", "ifRevision": "1"}, "$.ifRevision"),
    ("increment", {"key": "k", "by": 2**53}, "$.by"),
    ("increment", {"key": "k", "by": 1e3}, "$.by"),
    ("list", {"limit": 0}, "$.limit"),
    ("list", {"limit": 1001}, "$.limit"),
    ("list", {"prefix": "k" * 257}, "$.prefix"),
    ("list", {"after": 1}, "$.after"),
    ("list", {"values": 1}, "$.values"),
    ("watch", {}, "$.prefix"),
    ("watch", {"prefix": "", "fromRevision": 0}, "$.fromRevision"),
    ("unwatch", {"watch": 1}, "$.watch"),
    ("unwatch", {"watch": -1}, "$.watch"),
    ("unwatch", {"watch": "1"}, "$.watch"),
]


@pytest.mark.requirement("STA-11", "STA-21")
def test_params_that_do_not_fit_are_refused_and_change_nothing() -> None:
    async def main() -> list[tuple[str, dict[str, Any], str]]:
        async with Host() as host:
            await launch(host, a=relay("a"))
            found = []
            for method, params, _ in BAD_PARAMS:
                error = await fails(host.call("a/call", told(method, **params)))
                assert type(error) is InvalidParams
                found.append((method, params, error.data["problems"][0]["path"]))
            await host.call("a/say", {"messages": [{"method": "state/ack", "params": {"watch": "x"}}]})
            assert (await host.call("a/call", told("list")))["revision"] == 0
            return found

    assert run(main()) == BAD_PARAMS


@pytest.mark.requirement("STA-11")
def test_a_value_that_could_be_put_but_not_be_told_is_refused() -> None:
    def nested(levels: int) -> Any:
        return json.loads("[" * levels + "]" * levels)

    async def main(wire: Wire) -> None:
        async with Host(limits=Limits(frame_bytes=8192, depth=20), trace=wire) as host:
            await launch(host, a=relay("a"))
            state = host.state
            await host.call("a/call", told("watch", prefix=""))
            for value, fits in [("x" * 7166, True), ("x" * 7167, False), (nested(16), True), (nested(17), False)]:
                if fits:
                    await state.put("k" * 256, value)
                else:
                    assert type(await fails(state.put("k", value))) is InvalidParams
            await host.call("a/echo")

    wire = Wire()
    run(main(wire))
    large, deep = [body for body in wire.sent("a") if b"state/changed" in body]
    assert 7168 + 256 < len(large) <= 8192
    assert not nests_deeper(deep, 20)
    assert nests_deeper(deep, 19)


@pytest.mark.requirement("STA-12")
def test_one_plugin_uses_up_its_own_quota_and_no_other() -> None:
    async def main() -> None:
        async with Host() as host:
            await launch(host, a=relay("a"), b=relay("b"))
            for number in range(32):
                await host.call("a/call", told("put", key=f"{number}", value="x" * 1_040_000))
            error = await fails(host.call("a/call", told("put", key="more", value="x" * 1_040_000)))
            assert type(error) is QuotaExceeded
            assert error.message.startswith("'a' has written 33280118 bytes of at most 33554432")
            await host.call("b/call", told("put", key="more", value="x" * 1_040_000))

    run(main())


@pytest.mark.requirement("STA-10")
def test_keys_are_listed_in_order_and_in_pages() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            await launch(host, a=relay("a"))
            for key in ("b", "a/2", "a/10", "a.b", "a", "B", "a/1"):
                await host.state.put(key, key.upper())
            return [
                await host.call("a/call", told("list", limit=3)),
                await host.call("a/call", told("list", prefix="a/", limit=2, values=True)),
                await host.call("a/call", told("list", prefix="a/", limit=2, after="a/10")),
                await host.call("a/call", told("list", prefix="none")),
                [entry.value async for entry in host.state.list("a/")],
            ]

    assert run(main()) == [
        {
            "entries": [{"key": "B", "revision": 6}, {"key": "a", "revision": 5}, {"key": "a.b", "revision": 4}],
            "next": "a.b",
            "revision": 7,
        },
        {
            "entries": [{"key": "a/1", "revision": 7, "value": "A/1"}, {"key": "a/10", "revision": 3, "value": "A/10"}],
            "next": "a/10",
            "revision": 7,
        },
        {"entries": [{"key": "a/2", "revision": 2}], "revision": 7},
        {"entries": [], "revision": 7},
        ["A/1", "A/10", "A/2"],
    ]


def test_a_long_list_comes_whole_through_the_sdk() -> None:
    async def main() -> list[str]:
        async with Host() as host:
            for number in range(250):
                await host.state.put(f"n/{number:03}", number)
            return [entry.key async for entry in host.state.list("n/")]

    assert run(main()) == [f"n/{number:03}" for number in range(250)]


@pytest.mark.requirement("STA-09")
def test_a_value_ends_with_its_time_and_watches_are_told() -> None:
    async def main() -> list[Change]:
        async with Host() as host, host.state.watch("k") as changes:
            await host.state.put("k", 1, ttl=0.05)
            await host.state.put("k2", 1, ttl=1000)
            found = [await anext(changes) for _ in range(3)]
            assert await host.state.get("k", "gone") == "gone"
            assert await host.state.get("k2") == 1
            return found

    assert run(main()) == [
        Change("k", 1, 1, False),
        Change("k2", 1, 2, False),
        Change("k", None, 3, True),
    ]


@pytest.mark.requirement("STA-16", "STA-17", "STA-21")
def test_a_plugin_is_told_of_changes_from_the_revision_that_it_names() -> None:
    async def main() -> tuple[Any, Any, Any, Any]:
        async with Host() as host:
            await launch(host, a=relay("a"))
            for number in range(3):
                await host.state.put(f"k/{number}", number)
            await host.state.delete("k/0")
            begun = await host.call("a/call", told("watch", prefix="k/", fromRevision=2))
            await host.state.put("other", 1)
            await host.state.put("k/9", 9)
            entries = await journal(host, "a", 2)
            refused = await fails(host.call("a/call", told("watch", prefix="", fromRevision=8)))
            await host.call("a/call", told("unwatch", watch=begun["watch"]))
            await host.state.put("k/9", 10)
            return begun, entries, await journal(host, "a", 2), refused.data

    begun, entries, later, refused = run(main())
    assert begun == {"watch": 1, "revision": 4}
    assert entries == [
        [
            "state/changed",
            {
                "watch": 1,
                "changes": [
                    {"key": "k/1", "revision": 2, "value": 1},
                    {"key": "k/2", "revision": 3, "value": 2},
                    {"key": "k/0", "revision": 4, "deleted": True},
                ],
            },
        ],
        ["state/changed", {"watch": 1, "changes": [{"key": "k/9", "revision": 6, "value": 9}]}],
    ]
    assert (later, refused) == (entries, {"revision": 7})


def service(host: Host) -> Any:
    """The host's own service behind ``state/…``."""
    assert host._router is not None
    return cast(Any, host._router.services.answers["state/get"]).__self__


def process(host: Host, name: str) -> int:
    """The process id of a plugin."""
    number = host.plugins[name].pid
    assert number is not None
    return number


@pytest.mark.requirement("STA-19", "STA-20")
def test_a_watch_of_a_plugin_that_stands_still_ends_and_nobody_else_waits() -> None:
    async def main() -> tuple[int, list[Any]]:
        async with Host() as host:
            await launch(host, a=relay("a"))
            await host.call("a/call", told("watch", prefix="k"))
            os.kill(process(host, "a"), signal.SIGSTOP)
            async with host.state.watch("k") as changes:
                for number in range(6000):
                    await host.state.put("k", number)
                    assert (await anext(changes)).revision == number + 1
            os.kill(process(host, "a"), signal.SIGCONT)
            entries = await journal(host, "a", 1)
            while entries[-1][0] != "state/unwatched":
                entries = await journal(host, "a", 1)
            return len(host.plugins), entries

    _, entries = run(main())
    revisions = [change["revision"] for entry in entries[:-1] for change in entry[1]["changes"]]
    assert revisions == list(range(1, 1025))
    assert entries[-1][1]["revision"] == 1024
    assert entries[-1][1]["reason"].startswith("it fell behind")


@pytest.mark.requirement("STA-22")
def test_watches_end_with_their_plugin() -> None:
    async def main() -> int:
        async with Host() as host:
            watch = Watch(host)
            await launch(host, a=relay("a"), b=relay("b"))
            for _ in range(256):
                await host.call("a/call", told("watch", prefix=""))
            assert type(await fails(host.call("a/call", told("watch", prefix="")))) is QuotaExceeded
            os.kill(process(host, "a"), signal.SIGKILL)
            await watch.event(PluginEnded, "a")
            return len(service(host)._watches._watches)

    assert run(main()) == 0


@pytest.mark.requirement("STA-20")
def test_the_applications_own_watch_says_when_it_has_missed_something() -> None:
    async def main() -> tuple[int, str]:
        async with Host() as host, host.state.watch("") as changes:
            for number in range(5200):
                await host.state.put("k", number)
            for number in range(1024):
                assert (await anext(changes)).revision == number + 1
            with pytest.raises(WatchEnded) as ended:
                await anext(changes)
            return ended.value.revision, str(ended.value)

    revision, message = run(main())
    assert revision == 1024
    assert message == (
        "the watch has ended after revision 1024: it fell behind, and the next change that it has to be sent is no "
        "longer kept"
    )


def test_a_watch_of_the_application_goes_on_as_changes_are_taken() -> None:
    async def main() -> int:
        async with Host() as host, host.state.watch("") as changes:
            for number in range(4000):
                await host.state.put("k", number)
            for number in range(4000):
                assert (await anext(changes)).revision == number + 1
            await host.state.put("k", "last")
            return (await anext(changes)).revision

    assert run(main()) == 4001


@pytest.mark.requirement("STA-14")
def test_everything_lasts_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    async def first() -> None:
        async with Host(state=path) as host:
            await launch(host, a=relay("a"))
            await host.call("a/call", told("put", key="k", value={"x": 1}))
            await host.call("a/call", told("put", key="long", value=1, ttlMs=1_000_000))
            await host.call("a/call", told("put", key="short", value=1, ttlMs=1))
            async with host.lock("l") as held:
                assert held.token == 1

    async def second() -> list[Any]:
        async with Host(state=str(path)) as host, host.lock("l") as held:
            conflict = await fails(host.call("state/watch", {"prefix": "", "fromRevision": 2}))
            assert type(conflict) is Conflict
            listed = [(entry.key, entry.value, entry.revision) async for entry in host.state.list()]
            return [listed, held.token, await host.state.put("new", 1), conflict.data]

    run(first())
    listed, token, revision, conflict = run(second())
    assert listed == [("k", {"x": 1}, 1), ("long", 1, 2)]
    # The end of the short one's time was a change too, in the first host or in the second.
    assert (token, revision) == (2, 5)
    assert conflict["revision"] in (4, 5)


HOST_SCRIPT = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from plugwire_host import Host
from tests.host.support import relay

async def main():
    async with Host(state=sys.argv[1]) as host:
        await host.launch("a", relay("a"))
        while True:
            done = await host.call("a/call", {"method": "state/increment", "params": {"key": "n"}})
            async with host.lock("l") as held:
                print(done["value"], done["revision"], held.token, flush=True)

asyncio.run(main())
"""


@pytest.mark.requirement("STA-14", "LCK-06")
def test_what_was_answered_survives_the_kill_of_the_host(tmp_path: Path) -> None:
    path, root = tmp_path / "state.db", Path(__file__).parents[2]
    value = token = 0

    async def now() -> tuple[int, int, int]:
        async with Host(state=path) as host, host.lock("l") as held:
            entry = await host.state.get_entry("n")
            return entry.value, entry.revision, held.token

    for _ in range(3):
        command = [sys.executable, "-c", HOST_SCRIPT, str(path), str(root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as host:
            assert host.stdout is not None
            for _ in range(20):
                value, _, token = map(int, host.stdout.readline().split())
            host.kill()
            for line in host.stdout.read().splitlines():
                if len(line.split()) == 3:
                    value, _, token = map(int, line.split())
        found = run(now())
        assert value <= found[0] <= value + 1
        assert found[1] == found[0]
        assert found[2] > token


@pytest.mark.requirement("STA-15")
def test_a_host_does_not_start_on_a_file_that_it_cannot_use(tmp_path: Path) -> None:
    path, text = tmp_path / "state.db", tmp_path / "text"
    text.write_text("no database " * 100)

    async def start(state: Path) -> None:
        async with Host(state=state):
            raise AssertionError

    async def twice() -> None:
        async with Host(state=path) as host:
            await host.state.put("k", 1)
            with pytest.raises(HostError, match="is using it; a state file belongs to one host at a time"):
                await start(path)
            await host.state.put("k", 2)

    run(twice())
    with pytest.raises(HostError, match=rf"{text}: it cannot be used as a state file: file is not a database"):
        run(start(text))
    with pytest.raises(HostError, match="No such file or directory"):
        run(start(tmp_path / "none" / "state.db"))
    assert text.read_text() == "no database " * 100


@pytest.mark.requirement("STA-13")
def test_a_change_that_cannot_be_written_is_not_made(tmp_path: Path) -> None:
    async def main() -> list[Any]:
        async with Host(state=tmp_path / "state.db") as host:
            await launch(host, a=relay("a"))
            await host.call("a/call", told("put", key="k", value=1))
            connection = service(host)._store._connection
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
            error = await fails(host.call("a/call", told("put", key="k", value="x" * 100_000)))
            found = await host.call("a/call", told("get", key="k"))
            connection.execute("PRAGMA max_page_count = 1000000")
            return [error.code, error.message, found, await host.call("a/call", told("increment", key="k"))]

    code, message, found, after = run(main())
    assert code == -32603
    assert message.startswith("nothing was changed: the state file ")
    assert message.endswith("cannot be written: database or disk is full")
    assert (found, after) == ({"value": 1, "revision": 1}, {"value": 2, "revision": 2})


def test_update_goes_on_until_nobody_was_faster() -> None:
    async def main() -> int:
        async with Host() as host:
            state = host.state

            async def add(times: int) -> None:
                for _ in range(times):
                    await state.update("list", lambda old: [*old, 1], default=[])

            await asyncio.gather(*(add(20) for _ in range(5)))
            return len(await state.get("list"))

    assert run(main()) == 100


@pytest.mark.requirement("LCK-13")
def test_a_write_may_depend_on_a_lock() -> None:
    async def main() -> list[Any]:
        async with Host() as host:
            await launch(host, a=relay("a"))
            async with host.lock("l") as held:
                token = {"name": "l", "token": held.token}
                # Whoever was told the token may use it; what counts is that the lock is held.
                done = [await host.call("a/call", told("put", key="k", value=1, ifLock=token))]
                done.append(await host.state.put("k", 2, lock=held))
                done.append(await host.state.increment("k", lock=held))
                done.append(await host.state.delete("k", lock=held))
                other = {"name": "other", "token": held.token}
                assert type(await fails(host.call("state/put", {"key": "k", "value": 1, "ifLock": other}))) is LockLost
            attempts: list[Coroutine[Any, Any, Any]] = [
                host.call("a/call", told("put", key="k", value=1, ifLock=token, ifRevision=77)),
                host.state.put("k", 1, lock=held),
                host.state.increment("k", lock=held),
                host.state.delete("k", lock=held),
            ]
            assert [type(await fails(attempt)) for attempt in attempts] == [LockLost] * 4
            return [*done, (await host.call("state/list"))["revision"]]

    assert run(main()) == [{"revision": 1}, 2, 3, 4, 4]


def test_a_plugin_that_has_ended_leaves_its_values() -> None:
    async def main() -> Any:
        async with Host() as host:
            await launch(host, a=relay("a"), b=relay("b"))
            await host.call("a/call", told("put", key="k", value=1))
            await host.stop("a")
            assert host.plugins["a"].state is PluginState.STOPPED
            return await host.call("b/call", via("state/get", key="k"))

    assert run(main()) == {"value": 1, "revision": 1}
