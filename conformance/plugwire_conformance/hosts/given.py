"""What a case gives a host to launch: plugins, as the suite is going to play them, and the host's list that names
them.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import Factory, frozen

from ..case import Skipped
from ..toml_text import toml
from ..wire.frames import Framing
from ..wire.messages import Json

#: Stand for one probe's command line, and for the path of a host's list (chapter 12), in the command of a host.
PLUGIN, CONFIG = "{plugin}", "{config}"


@frozen
class Given:
    """A plugin that the suite plays. `result` is its answer to `initialize`; None leaves the answer to the case.

    `settings` are keys of its entry in the host's list, such as `stdout_noise`; None leaves one out.
    """

    name: str
    result: dict[str, Json] | None = None
    settings: Mapping[str, Any] = Factory(dict)
    framing: Framing = Framing.HEADER
    #: The keys of its plugin.toml beside `command`, which is its own unless it is given here; None: it has no manifest.
    manifest: Mapping[str, Any] | None = None
    #: Arguments after those that its process needs; it says in `about` which ones it got.
    arguments: tuple[str, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether a command line says all that the host has to know of it."""
        return not self.settings and self.framing is Framing.HEADER and self.manifest is None


def plugin(
    name: str,
    *methods: str,
    settings: Mapping[str, Any] | None = None,
    framing: Framing = Framing.HEADER,
    **members: Json,
) -> Given:
    """A plugin that provides the methods `service/method` and says what else is in `members` to `initialize`."""
    services: dict[str, list[str]] = {}
    for method in methods:
        service, _, rest = method.partition("/")
        services.setdefault(service, []).append(rest)
    provides = [{"service": service, "methods": names} for service, names in services.items()]
    result = {"protocolVersion": "1.0", "plugin": {"name": name, "version": "1"}, "provides": provides} | members
    return Given(name, {key: value for key, value in result.items() if value is not None}, settings or {}, framing)


def by_hand(name: str, *, settings: Mapping[str, Any] | None = None, framing: Framing = Framing.HEADER) -> Given:
    """A plugin whose `initialize` the case answers itself, or not."""
    return Given(name, None, settings or {}, framing)


def named(command: Sequence[str]) -> int:
    """How many plugins a host's command names one by one; a host's list names any number."""
    return " ".join(command).count(PLUGIN)


def fill(command: Sequence[str], commands: Mapping[str, list[str]], config: str) -> list[str]:
    """The host's command with the probes' command lines, in their order, and the path of the host's list."""
    left = list(commands.values())
    words: list[str] = []
    for word in command:
        if word == PLUGIN:
            words += left.pop(0)
            continue
        while PLUGIN in word:
            word = word.replace(PLUGIN, shlex.join(left.pop(0)), 1)
        words.append(word.replace(CONFIG, config))
    return words


def listed(given: Sequence[Given], commands: Mapping[str, list[str]], of_host: Mapping[str, Any]) -> str:
    """The host's list (chapter 12) as TOML; `of_host` are the settings of the host itself."""
    tables = ["\n".join(["[host]", *(f"{key} = {toml(value)}" for key, value in of_host.items())])] if of_host else []
    for one in given:
        start = {"command": commands[one.name]} if one.manifest is None else {"manifest": f"{one.name}/plugin.toml"}
        rows = {key: value for key, value in (start | dict(one.settings)).items() if value is not None}
        if one.framing is not Framing.HEADER:
            rows["framing"] = one.framing.value
        tables.append(
            "\n".join([f"[plugins.{toml(one.name)}]", *(f"{key} = {toml(value)}" for key, value in rows.items())])
        )
    return "\n\n".join(tables) + "\n"


def manifest(given: Given, command: Sequence[str]) -> str:
    """The plugin's manifest (chapter 12) as TOML."""
    rows = {"command": list(command)} | dict(given.manifest or {})
    return "".join(f"{key} = {toml(value)}\n" for key, value in rows.items() if value is not None)


def check_room(command: Sequence[str], given: Sequence[Given], of_host: Mapping[str, Any]) -> None:
    """Raises Skipped when the host's command cannot launch these plugins as they are to be."""
    if CONFIG in " ".join(command):
        return
    if len(given) > named(command):
        raise Skipped(
            f"needs {len(given)} plugins: say {PLUGIN} so often in the command, or give the host its list with {CONFIG}"
        )
    if of_host or not all(one.is_bare for one in given):
        raise Skipped(f"needs a setting of the host's list: give the host its list with {CONFIG}")
