"""The example of shared state and locks: a plugin with the SDK and one without count the same visits."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from plugwire_host import Host, InvalidParams, PluginEnded, RequestError
from tests.host.support import Watch, run

EXAMPLE = Path(__file__).parents[3] / "sdk" / "examples" / "visits"

pytestmark = pytest.mark.skipif(shutil.which("perl") is None, reason="perl is not installed")


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Host]:
    """A host with both plugins, whose book and state are in a folder."""
    book = {"book": str(folder / "book.txt")}
    async with Host(state=folder / "visits.db") as host:
        await asyncio.gather(
            host.launch("desk", [sys.executable, "desk.py"], cwd=EXAMPLE, config=book),
            host.launch("door", ["perl", "door.pl"], cwd=EXAMPLE, config=book, framing="line"),
        )
        yield host


def lines(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "book.txt").read_text().splitlines()]


def test_no_visit_and_no_line_is_lost_between_two_languages(tmp_path: Path) -> None:
    async def visits(names: list[str]) -> list[Any]:
        async with started(tmp_path) as host:
            return await asyncio.gather(*(host.call(f"{name}/visit", {"page": "home"}) for name in names))

    first = run(visits(["desk", "door"] * 30))
    second = run(visits(["door"]))
    found = [*first, *second]
    assert sorted(visit["visits"] for visit in found) == list(range(1, 62))
    assert sorted(visit["line"] for visit in found) == list(range(1, 62))
    assert [int(number) for number, _, _ in lines(tmp_path)] == list(range(1, 62))
    assert [by for _, _, by in lines(tmp_path)].count("desk") == 30


@pytest.mark.parametrize("name", ["desk", "door"])
def test_a_plugin_that_is_killed_while_it_holds_the_lock_stops_nobody(tmp_path: Path, name: str) -> None:
    async def main() -> Any:
        async with started(tmp_path) as host:
            watch = Watch(host)
            other = {"desk": "door", "door": "desk"}[name]
            # It waits for the lock, or has it, when it is killed.
            held = await host.lock("visits/book").acquire()
            doomed = asyncio.ensure_future(host.call(f"{name}/visit", {"page": "a"}))
            while await host.state.get("visits/a") is None:
                await asyncio.sleep(0)
            process = host.plugins[name].pid
            assert process is not None
            os.kill(process, signal.SIGKILL)
            await watch.event(PluginEnded, name)
            await held.release()
            with pytest.raises(RequestError):
                await doomed
            return await host.call(f"{other}/visit", {"page": "a"})

    assert run(main()) == {"visits": 2, "line": 1}


@pytest.mark.parametrize("name", ["desk", "door"])
def test_a_page_that_makes_no_key_is_refused(tmp_path: Path, name: str) -> None:
    async def main() -> list[Any]:
        async with started(tmp_path) as host:
            errors = []
            for page in ("../secrets", "", ["x"]):
                with pytest.raises(InvalidParams) as error:
                    await host.call(f"{name}/visit", {"page": page})
                errors.append(error.value.data["problems"][0]["path"])
            return [*errors, await host.call(f"{name}/visit", {"page": "home"})]

    assert run(main()) == ["$.key", "$.key", "$.page", {"visits": 1, "line": 1}]
