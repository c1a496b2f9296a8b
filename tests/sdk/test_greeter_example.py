"""The example in sdk/examples/python-greeter does what it shows."""

import asyncio
import importlib.util
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from plugwire import InvalidParams, Plugin, RequestError
from plugwire.testing import connect

from .helpers import run

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "sdk/examples/python-greeter"


@pytest.fixture
def plugin() -> Plugin:
    spec = importlib.util.spec_from_file_location("greeter", FOLDER / "greeter.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    greeter: Plugin = module.plugin
    return greeter


def test_it_greets_in_its_tone_and_in_two_languages(plugin: Plugin) -> None:
    async def conversation() -> None:
        async with connect(plugin, config={"tone": "cool"}) as host:
            assert await host.call("greeter/hello", {"name": "Ada"}) == "Hello, Ada."
            person = {"name": "Ada", "title": "Countess"}
            assert await host.call("greeter/hello", {**person, "language": "de"}) == "Hallo, Countess Ada."
            assert [log["message"] for log in host.logs] == ["greeting", "greeting"]

    run(conversation())


def test_it_refuses_with_a_code_of_its_own(plugin: Plugin) -> None:
    async def conversation() -> None:
        async with connect(plugin, config={"banned": ["Bob"]}) as host:
            with pytest.raises(RequestError) as refused:
                await host.call("greeter/hello", {"name": "Bob"})
            assert (refused.value.code, refused.value.data) == (1, {"name": "Bob"})
            with pytest.raises(InvalidParams, match="expected one of"):
                await host.call("greeter/hello", {"name": "Ada", "language": "fr"})

    run(conversation())


def test_it_tells_how_far_it_is_and_can_be_cancelled(plugin: Plugin) -> None:
    people = [{"name": "Ada"}, {"name": "Bob"}]

    async def conversation() -> None:
        seen: list[Any] = []
        async with connect(plugin) as host:
            greetings = await host.call("greeter/hello_all", {"people": people}, progress=seen.append)
            assert greetings == ["Hello, Ada!", "Hello, Bob!"]
            assert seen == [{"done": 0, "total": 2, "message": "Ada"}, {"done": 1, "total": 2, "message": "Bob"}]
            slow = asyncio.ensure_future(host.call("greeter/hello_all", {"people": people, "pause": 1000.0}))
            await host.call("ping")
            slow.cancel()
            endless = asyncio.ensure_future(host.call("greeter/badge", {"person": people[0], "rounds": 10**12}))
            await host.call("ping")
            endless.cancel()
            while len(host.late_answers) < 2:
                await host.call("ping")
            assert [getattr(outcome, "code", None) for _, outcome in host.late_answers] == [-32800, -32800]

    run(conversation())


def test_its_manifest_fits_the_schema_and_what_it_provides(plugin: Plugin) -> None:
    manifest = tomllib.loads((FOLDER / "plugin.toml").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "spec/model/manifest.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(manifest)
    (promised,) = manifest["provides"]
    (provided,) = plugin.describe()["provides"]
    assert (promised["service"], promised["version"]) == (provided["service"], provided["version"])
    assert promised["methods"] == list(provided["methods"])
