"""What several plugins do to the same keys at the same time has one order that all of them see."""

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from plugwire_host import Host

from .linearizability import Done, is_linearizable
from .support import launch, plugin, run


def get(begin: int, end: int, value: int | None, revision: int) -> Done:
    result = {"revision": 0} if value is None else {"value": value, "revision": revision}
    return Done("state/get", {"key": "k"}, begin, end, {"result": result})


def put(begin: int, end: int, value: int, revision: int, **condition: int) -> Done:
    return Done("state/put", {"key": "k", "value": value, **condition}, begin, end, {"result": {"revision": revision}})


def refused(begin: int, end: int, wanted: int, there: int) -> Done:
    error = {"code": -32022, "message": "", "data": {"revision": there}}
    return Done("state/put", {"key": "k", "value": 0, "ifRevision": wanted}, begin, end, {"error": error})


def add(begin: int, end: int, total: int, revision: int) -> Done:
    result = {"value": total, "revision": revision}
    return Done("state/increment", {"key": "k", "by": 1}, begin, end, {"result": result})


def delete(begin: int, end: int, revision: int) -> Done:
    return Done("state/delete", {"key": "k"}, begin, end, {"result": {"revision": revision}})


GOOD = [
    [],
    [get(0, 1, None, 0)],
    [put(0, 9, 1, 1), get(1, 2, None, 0), get(3, 4, 1, 1), get(5, 6, 1, 1)],
    [put(0, 9, 1, 2), put(0, 9, 2, 1), get(5, 6, 1, 2)],
    [add(0, 9, 2, 2), add(0, 9, 1, 1), add(0, 9, 3, 3)],
    [put(0, 1, 1, 1), refused(2, 3, 0, 1), put(4, 5, 2, 2, ifRevision=1)],
    [put(0, 1, 1, 1), delete(2, 9, 2), delete(2, 9, 0), get(3, 4, 1, 1), get(5, 6, None, 0)],
]
BAD = [
    [get(0, 1, 1, 1)],
    [put(0, 1, 1, 1), get(2, 3, None, 0)],  # a stale read
    [put(0, 9, 1, 1), get(1, 2, 1, 1), get(3, 4, None, 0)],  # back in time
    [put(0, 1, 1, 1), get(2, 3, 1, 2)],
    [add(0, 9, 1, 1), add(0, 9, 1, 2)],  # a lost update
    [put(0, 1, 1, 1, ifRevision=0), put(2, 3, 2, 2, ifRevision=0)],
    [put(0, 1, 1, 1), refused(2, 3, 1, 1)],
    [put(0, 1, 1, 1), refused(2, 3, 2, 3)],
    [put(0, 1, 1, 2), put(2, 3, 2, 1)],
    [put(0, 1, 1, 1), put(2, 3, 2, 1)],
    [put(0, 1, 1, 1), delete(2, 3, 0)],
    [delete(0, 1, 1)],
    [put(0, 1, 1, 1), delete(2, 3, 2), delete(4, 5, 3)],
]


@pytest.mark.parametrize("history", GOOD)
def test_the_check_takes_what_has_an_order(history: list[Done]) -> None:
    assert is_linearizable(history)


@pytest.mark.parametrize("history", BAD)
def test_the_check_refuses_what_has_none(history: list[Done]) -> None:
    assert not is_linearizable(history)


def test_the_check_refuses_revisions_of_two_keys_that_go_back_in_time() -> None:
    first, second = put(0, 1, 1, 2), put(2, 3, 1, 1)
    other = replace(second, params={"key": "other", "value": 1})
    assert not is_linearizable([first, other])
    assert is_linearizable([replace(first, end=5), other])


def requests(seed: int, count: int) -> list[list[Any]]:
    """Requests about four keys; those that name a revision mostly guess one that may be right."""
    dice = random.Random(seed)
    made: list[list[Any]] = []
    for number in range(count):
        key = dice.choice("abcd")
        kind = dice.choice(["get", "get", "put", "increment", "increment", "delete", "compare", "new"])
        value = seed * 1000 + number
        made.append(
            {
                "get": ["state/get", {"key": key}],
                "put": ["state/put", {"key": key, "value": value}],
                "increment": ["state/increment", {"key": key, "by": dice.choice([1, -2])}],
                "delete": ["state/delete", {"key": key}],
                "compare": ["state/put", {"key": key, "value": value, "ifRevision": dice.randrange(1, count)}],
                "new": ["state/put", {"key": key, "value": value, "ifRevision": 0}],
            }[kind]
        )
    return made


async def history_of(host: Host, workers: int, count: int) -> list[Done]:
    """What as many processes do at the same time, a few requests of each being under way at a time."""
    names = [f"w{number}" for number in range(workers)]
    await launch(host, **{name: plugin("state_worker", name) for name in names})
    done = await asyncio.gather(
        *(
            host.call(f"{name}/work", {"requests": requests(number, count), "at_a_time": 3})
            for number, name in enumerate(names)
        )
    )
    return [Done(*entry) for entries in done for entry in entries]


@pytest.mark.requirement("STA-01", "STA-02")
@pytest.mark.parametrize("in_file", [False, True], ids=["in memory", "in a file"])
def test_what_plugins_do_at_the_same_time_has_one_order(in_file: bool, tmp_path: Any) -> None:
    async def main() -> list[Done]:
        async with Host(state=tmp_path / "state.db" if in_file else None) as host:
            return await history_of(host, 4, 100)

    history = run(main())
    assert len(history) == 400
    assert is_linearizable(history)
    overlapping = sum(
        a.begin < b.end and b.begin < a.end and a.params["key"] == b.params["key"]
        for number, a in enumerate(history)
        for b in history[:number]
    )
    assert overlapping > 20
    # One wrong answer is noticed.
    for number in [n for n, done in enumerate(history) if done.method == "state/increment"][:5]:
        result = {**history[number].answer["result"], "value": 123_456_789}
        assert not is_linearizable([*history[:number], replace(history[number], answer={"result": result})])
