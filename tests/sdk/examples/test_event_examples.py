"""Events between two languages, python-thermometer and node-alarm, side by side at a real host."""

import asyncio
import os
import shutil
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import attrs
import pytest

from plugwire_host import Host, PluginLogged
from plugwire_host.config import PluginSpec, spec_from_path

from .driver import WAIT
from .subjects import EXAMPLES

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(WAIT):
            return await main

    return asyncio.run(bounded())


@pytest.fixture
def thermometer() -> PluginSpec:
    spec = spec_from_path(EXAMPLES / "python-thermometer")
    command = attrs.evolve(spec.command, argv=(sys.executable, *spec.command.argv[1:]))
    return attrs.evolve(spec, required=True, command=command)


@pytest.fixture
def alarm() -> PluginSpec:
    if shutil.which("node") is None:
        assert os.environ.get("CI") != "true", "node-alarm needs node"
        pytest.skip("node-alarm needs node")
    return attrs.evolve(spec_from_path(EXAMPLES / "node-alarm"), required=True, config={"limit": 25})


def complaints_of(host: Host) -> list[str]:
    complaints: list[str] = []
    host.on(PluginLogged, lambda event: complaints.append(event.message))
    return complaints


def test_a_reading_in_python_raises_an_alarm_in_javascript_that_python_hears_of(
    thermometer: PluginSpec, alarm: PluginSpec
) -> None:
    async def main() -> Any:
        async with Host() as host, host.subscribe("alarm.*") as alarms:
            await host.launch_all([thermometer])
            # Nobody listens yet: what has been retained reaches the alarm all the same.
            for room, celsius in (("attic", 31.5), ("cellar", 12)):
                assert await host.call("thermometer/measure", {"room": room, "celsius": celsius}) == 0
            complaints = complaints_of(host)
            await host.launch_all([alarm])
            first = await anext(alarms)
            assert await host.call("thermometer/measure", {"room": "cellar", "celsius": 26}) == 1
            second = await anext(alarms)
            while len(heard := await host.call("thermometer/alarms")) < 2:
                pass
            assert complaints == []
            return [(e.data, e.sender, e.hops) for e in (first, second)], heard, await host.call("alarm/rooms")

    attic, cellar = {"room": "attic", "celsius": 31.5}, {"room": "cellar", "celsius": 26}
    assert run(main()) == (
        [(attic, "alarm", 1), (cellar, "alarm", 1)],
        [{**attic, "from": "alarm"}, {**cellar, "from": "alarm"}],
        {"rooms": {"attic": 31.5, "cellar": 26}, "missed": 0},
    )


def test_many_readings_go_through_the_window_and_gaps_are_counted(thermometer: PluginSpec, alarm: PluginSpec) -> None:
    async def main() -> Any:
        async with Host() as host:
            await host.launch_all([thermometer, alarm])
            for number in range(500):
                while await host.call("thermometer/measure", {"room": f"r{number % 3}", "celsius": number / 100}) == 0:
                    pass  # the alarm has not subscribed yet
            while (told := await host.call("alarm/rooms"))["rooms"].get("r1") != 4.99:
                pass
            return sorted(told["rooms"].items())

    assert run(main()) == [("r0", 4.98), ("r1", 4.99), ("r2", 4.97)]


def test_a_reading_that_cannot_be_is_refused_by_the_schema(thermometer: PluginSpec) -> None:
    async def main() -> Any:
        async with Host() as host:
            await host.launch_all([thermometer])
            with pytest.raises(Exception, match="less than the minimum") as refused:
                await host.call("thermometer/measure", {"room": "lab", "celsius": -300})
            return getattr(refused.value, "code", None)

    assert run(main()) == -32602


def test_the_alarm_takes_no_harm_from_what_is_no_reading(alarm: PluginSpec) -> None:
    async def main() -> Any:
        async with Host() as host:
            complaints = complaints_of(host)
            await host.launch_all([alarm])
            while await host.publish("thermometer.reading.lab", {"room": 7}) == 0:
                pass
            odd: list[Any] = [None, "hot", [], {"room": "lab", "celsius": "hot"}]
            for data in [*odd, {"room": "lab", "celsius": 20}]:
                await host.publish("thermometer.reading.lab", data)
            while (told := await host.call("alarm/rooms"))["rooms"] == {}:
                pass
            return told["rooms"], [text for text in complaints if "subscribes to" not in text]

    assert run(main()) == ({"lab": 20}, [])
