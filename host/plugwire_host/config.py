"""plugins.toml: the plugins of one host, and the two short ways to name one plugin on a command line. Spec chapter 12.

Owns: everything that is known of a plugin before it is launched. Does not own: launching it. Reading executes nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from plugwire.wire import Framing

from .errors import ConfigError
from .manifest import MANIFEST_NAME, Manifest, anchored, config_problems, read_manifest
from .process.command import Command, build_command
from .toml_file import TomlFile, dotted
from .toml_lines import KeyPath, line_of
from .toml_types import (
    INSTANCE_NAME,
    CommandLine,
    Environment,
    FilePath,
    InstanceName,
    JsonTable,
    Priority,
    Seconds,
    did_you_mean,
)

Restart: TypeAlias = Literal["on-failure", "always", "never"]
StdoutNoise: TypeAlias = Literal["tolerate", "fail"]

_CALL_TIMEOUT = Seconds(60.0)
_START_TIMEOUT = Seconds(10.0)
_PRIORITY = Priority(0)
_RESERVED_NAME = "host"
_RESERVED = "another name was expected: 'host' stands for the application itself (CAL-40)"
_EITHER = "either a command or a manifest was expected, "
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9._-]+")


@frozen(kw_only=True)
class PluginSpec:
    """All that is needed to launch one plugin. Times are in seconds; ``call_timeout`` None means the host's."""

    name: str
    command: Command
    framing: Framing = Framing.HEADER
    config: dict[str, Any] = field(factory=dict)
    priority: int = _PRIORITY
    required: bool = False
    stdout_noise: StdoutNoise = "tolerate"
    restart: Restart = "on-failure"
    start_timeout: float = _START_TIMEOUT
    call_timeout: float | None = None
    manifest: Manifest | None = None


@frozen(kw_only=True)
class HostConfig:
    """What a host is started with; ``state`` is the file that shared state is kept in (STA-14)."""

    plugins: tuple[PluginSpec, ...] = ()
    call_timeout: float = _CALL_TIMEOUT
    state: Path | None = None
    path: Path | None = None


@frozen(kw_only=True)
class _HostTable:
    call_timeout: Seconds = _CALL_TIMEOUT
    state: FilePath | None = None


@frozen(kw_only=True)
class _PluginTable:
    command: CommandLine | None = None
    manifest: FilePath | None = None
    config: JsonTable = field(factory=lambda: JsonTable({}))
    cwd: FilePath | None = None
    env: Environment = field(factory=lambda: Environment({}))
    framing: Literal["header", "line"] | None = None
    restart: Restart | None = None
    priority: Priority = _PRIORITY
    required: bool = False
    stdout_noise: StdoutNoise = "tolerate"
    start_timeout: Seconds = _START_TIMEOUT
    call_timeout: Seconds | None = None
    enabled: bool = True


@frozen(kw_only=True)
class _ListFile:
    host: _HostTable = field(factory=_HostTable)
    plugins: dict[InstanceName, _PluginTable] = field(factory=dict)


def read_config(path: Path) -> HostConfig:
    """The host's list at ``path``, with the manifests that it names; plugins that are not enabled are left out.

    Raises ConfigError, or ManifestError for what is wrong inside a manifest, with file, line and what was expected.
    """
    file = TomlFile.read(path)
    content = file.structure(_ListFile)
    for name, table in content.plugins.items():
        if name == _RESERVED_NAME:
            file.fail(("plugins", name), _RESERVED)
        _check_command_or_manifest(file, name, table)
    plugins = tuple(_spec(file, name, table) for name, table in content.plugins.items() if table.enabled)
    state = None if content.host.state is None else _folder(file) / content.host.state
    return HostConfig(plugins=plugins, call_timeout=content.host.call_timeout, state=state, path=path)


def spec_from_path(path: Path, *, framing: Framing | None = None) -> PluginSpec:
    """One plugin from an executable file, a plugin.toml, or a folder with one; ``framing`` goes before the manifest's.

    A bare executable runs in the present folder. Raises ConfigError, ManifestError. Whether a file can be run is found
    out when it is launched.
    """
    if not path.exists():
        names = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
        problem = f"an executable, a {MANIFEST_NAME} or a folder with one was expected, got nothing"
        raise ConfigError(path, None, problem + did_you_mean(path.name, names))
    if path.is_dir() and not (path / MANIFEST_NAME).exists():
        raise ConfigError(path, None, f"a folder with a {MANIFEST_NAME} was expected, there is none in it")
    if not path.is_dir() and path.suffix != ".toml":
        command = build_command([os.path.abspath(path)])  # noqa: PTH100 - a link is run under its own name
        return PluginSpec(name=_instance_name(path.stem), command=command, framing=framing or Framing.HEADER)
    manifest = read_manifest(path)
    if manifest.name == _RESERVED_NAME:
        raise ConfigError(manifest.path, None, f"name: {_RESERVED}")
    for where, message in config_problems(manifest, {}):
        raise ConfigError(manifest.path, None, f"{_subject(('config', *where))}{message}; no configuration was given")
    return PluginSpec(
        name=manifest.name,
        command=build_command(manifest.command, cwd=manifest.folder, env=manifest.env),
        framing=framing or Framing(manifest.framing),
        restart=manifest.restart,
        manifest=manifest,
    )


def spec_from_argv(argv: Sequence[str], *, framing: Framing | None = None) -> PluginSpec:
    """One plugin from a list of arguments, run in the present folder. Raises ValueError for an empty list.

    Its name comes from the program, or from the script that an interpreter runs: ``python3 todo.py`` is ``todo``.
    """
    command = build_command(argv)
    named = argv[0]
    if _INTERPRETER.fullmatch(Path(named).name):
        named = next((argument for argument in argv[1:] if (command.cwd / argument).is_file()), named)
    return PluginSpec(name=_instance_name(Path(named).stem), command=command, framing=framing or Framing.HEADER)


_INTERPRETER = re.compile(
    r"(python|pypy|node|deno|bun|perl|ruby|php|lua|bash|zsh|sh|java|dotnet|env|uv|tclsh|Rscript|julia)[0-9.]*(\.exe)?"
)


def _check_command_or_manifest(file: TomlFile, name: str, table: _PluginTable) -> None:
    if table.command is not None and table.manifest is not None:
        lines = {key: line_of(file.text, ("plugins", name, key)) for key in ("command", "manifest")}
        file.fail(("plugins", name, max(lines, key=lambda key: lines[key])), _EITHER + "got both")
    if table.command is None and table.manifest is None:
        file.fail(("plugins", name), _EITHER + "got neither")


def _spec(file: TomlFile, name: str, table: _PluginTable) -> PluginSpec:
    manifest = _manifest(file, name, table)
    return PluginSpec(
        name=name,
        command=_command(file, table, manifest),
        framing=Framing(table.framing or (manifest.framing if manifest else "header")),
        config=table.config,
        priority=table.priority,
        required=table.required,
        stdout_noise=table.stdout_noise,
        restart=table.restart or (manifest.restart if manifest else "on-failure"),
        start_timeout=table.start_timeout,
        call_timeout=table.call_timeout,
        manifest=manifest,
    )


def _manifest(file: TomlFile, name: str, table: _PluginTable) -> Manifest | None:
    """Read the manifest that a plugin names, and check the plugin's configuration against it (MAN-06)."""
    if table.manifest is None:
        return None
    place = _folder(file) / table.manifest
    if place.is_dir():
        place /= MANIFEST_NAME
    if not place.exists():
        file.fail(("plugins", name, "manifest"), f"the path of a {MANIFEST_NAME} was expected, {place} does not exist")
    manifest = read_manifest(place)
    problems = [
        (("plugins", name, "config", *path), message) for path, message in config_problems(manifest, table.config)
    ]
    if problems:
        path, message = min(problems, key=lambda problem: line_of(file.text, problem[0]))
        file.fail(path, f"{message} (the schema is in {manifest.path})")
    return manifest


def _command(file: TomlFile, table: _PluginTable, manifest: Manifest | None) -> Command:
    """Relative paths start at the folder of the file that they stand in (MAN-03)."""
    folder = _folder(file)
    env: Mapping[str, str] = table.env
    if manifest is not None:
        argv, cwd = manifest.command, manifest.folder
        env = {**manifest.env, **table.env}
    else:
        argv, cwd = anchored(table.command or [], folder), folder
    return build_command(argv, cwd=cwd if table.cwd is None else folder / table.cwd, env=env)


def _folder(file: TomlFile) -> Path:
    return Path(os.path.abspath(file.path)).parent  # noqa: PTH100 - a link to a list stands where it stands


def _subject(path: KeyPath) -> str:
    return f"{dotted(path)}: "


def _instance_name(text: str) -> str:
    """A name of the allowed form that resembles the text."""
    name = _NOT_IN_A_NAME.sub("-", text.lower()).strip("._-")[:64]
    return name if INSTANCE_NAME.fullmatch(name) and name != _RESERVED_NAME else "plugin"
