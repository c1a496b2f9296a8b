"""The example of channels: plugins in Python, JavaScript and Perl count files together, and one may die meanwhile."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest

from plugwire_host import Host, RequestError
from plugwire_host.config import HostConfig, read_config

T = TypeVar("T")
EXAMPLE = Path(__file__).parents[3] / "sdk" / "examples" / "tally"
FILES = 60
SUMS = {"files": FILES, "lines": sum(range(FILES)), "words": 2 * sum(range(FILES)), "unread": []}


def run(main: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(30):
            return await main

    return asyncio.run(bounded())


@pytest.fixture
def config() -> HostConfig:
    """The example's own list; Python is the one that has the SDK, and no plugin comes back when it has died."""
    for tool in ("node", "perl"):
        if shutil.which(tool) is None:
            assert os.environ.get("CI") != "true", f"tally needs {tool}"
            pytest.skip(f"tally needs {tool}")
    config = read_config(EXAMPLE / "plugins.toml")
    specs = [attrs.evolve(spec, restart="never", required=True) for spec in config.plugins]
    place = next(place for place, spec in enumerate(specs) if spec.name == "tally")
    command = specs[place].command
    specs[place] = attrs.evolve(specs[place], command=attrs.evolve(command, argv=(sys.executable, *command.argv[1:])))
    return attrs.evolve(config, plugins=tuple(specs))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """File number n has n lines of two words; some are in folders of their own, and names are not simple."""
    for number in range(FILES):
        file = tmp_path / f"über {number % 3}" / f"{number} 'x'.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text("zwei Wörter\n" * number, encoding="utf-8")
    (tmp_path / "a link").symlink_to(tmp_path / "über 0")
    return tmp_path


class Killer:
    """A trace that kills plugins as the first item is on its way to them."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.killed: list[str] = []
        self.host: Host | None = None

    def __call__(self, plugin: str, sent: bool, data: bytes) -> None:
        if sent and plugin in self.names and plugin not in self.killed and b"channel/deliver" in data:
            assert self.host is not None
            self.killed.append(plugin)
            os.kill(self.host.plugins[plugin].pid or 0, signal.SIGKILL)


def test_every_file_is_counted_once_across_three_languages(config: HostConfig, folder: Path) -> None:
    async def main() -> list[Any]:
        async with Host(config=config) as host:
            calls = [host.call("tally/folder", {"path": str(path)}) for path in (folder, folder, folder / "über 1")]
            return await asyncio.gather(*calls)

    whole, again, part = run(main())
    assert whole == again == SUMS
    assert part == {"files": 20, "lines": sum(range(1, 60, 3)), "words": 2 * sum(range(1, 60, 3)), "unread": []}


def test_no_file_is_left_out_when_a_worker_is_killed_with_one_in_its_hands(config: HostConfig, folder: Path) -> None:
    killer = Killer("count1")

    async def main() -> Any:
        async with Host(config=config, trace=killer) as host:
            killer.host = host
            return await host.call("tally/folder", {"path": str(folder)})

    assert run(main()) == SUMS
    assert killer.killed == ["count1"]


def test_nobody_waits_for_ever_when_all_workers_are_killed(config: HostConfig, folder: Path) -> None:
    killer = Killer("count1", "count2")

    async def main() -> Any:
        async with Host(config=config, trace=killer) as host:
            killer.host = host
            with pytest.raises(RequestError, match="no worker is left"):
                await host.call("tally/folder", {"path": str(folder)})
            return host.plugins["tally"].in_flight, host.plugins["sum"].in_flight

    assert run(main()) == (0, 0)


def test_an_empty_folder_has_nothing_in_it(config: HostConfig, tmp_path: Path) -> None:
    async def main() -> Any:
        async with Host(config=config) as host:
            return await host.call("tally/folder", {"path": str(tmp_path)})

    assert run(main()) == {"files": 0, "lines": 0, "words": 0, "unread": []}
