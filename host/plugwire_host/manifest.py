"""plugin.toml: what a plugin says of itself before it runs. Spec chapter 12, MAN-01 to MAN-06.

Owns: reading a manifest, and checking a configuration against the schema in it. Does not own: whether the plugin keeps
its promises when it starts (MAN-05). Reading executes nothing, and fetches nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from .errors import ManifestError
from .process.command import has_slash
from .toml_file import TomlFile
from .toml_lines import KeyPath
from .toml_types import (
    CommandLine,
    Environment,
    InstanceName,
    JsonTable,
    Label,
    Methods,
    ProtocolVersion,
    ServiceName,
    ServiceVersion,
    VersionRange,
)

MANIFEST_NAME = "plugin.toml"
_MAX_SERVICES = 1024
_PROTOCOL = ProtocolVersion("1.0")


@frozen
class PromisedService:
    """A service that the plugin will provide, with what is said of each of its methods.

    ``version`` is None where the manifest leaves it open.
    """

    service: ServiceName
    methods: Methods
    version: ServiceVersion | None = None


@frozen
class NeededService:
    """A service that the plugin calls; ``version`` is a range, None for any."""

    service: ServiceName
    version: VersionRange | None = None
    optional: bool = False


@frozen(kw_only=True)
class Manifest:
    """A plugin.toml that holds what chapter 12 allows. A program named with a slash is already an absolute path."""

    name: str
    version: str
    command: tuple[str, ...]
    protocol: str = "1.0"
    framing: Literal["header", "line"] = "header"
    env: dict[str, str] = field(factory=dict)
    provides: tuple[PromisedService, ...] = ()
    requires: tuple[NeededService, ...] = ()
    config: dict[str, Any] | None = None
    restart: Literal["on-failure", "always", "never"] = "on-failure"
    permissions: dict[str, Any] = field(factory=dict)
    activation: dict[str, Any] = field(factory=dict)
    path: Path

    @property
    def folder(self) -> Path:
        """Where the plugin runs unless the host's list says otherwise (MAN-03)."""
        return self.path.parent


@frozen(kw_only=True)
class _ManifestFile:
    """The keys of the file."""

    name: InstanceName
    version: Label
    command: CommandLine
    protocol: ProtocolVersion = _PROTOCOL
    framing: Literal["header", "line"] = "header"
    env: Environment = field(factory=lambda: Environment({}))
    provides: tuple[PromisedService, ...] = ()
    requires: tuple[NeededService, ...] = ()
    config: JsonTable | None = None
    restart: Literal["on-failure", "always", "never"] = "on-failure"
    permissions: JsonTable = field(factory=lambda: JsonTable({}))
    activation: JsonTable = field(factory=lambda: JsonTable({}))


def read_manifest(path: Path) -> Manifest:
    """The manifest at ``path``, or in the folder ``path``. Raises ManifestError: file, line, what was expected."""
    place = Path(os.path.abspath(path / MANIFEST_NAME if path.is_dir() else path))  # noqa: PTH100 - follows no links
    file = TomlFile.read(place, ManifestError)
    content = file.structure(_ManifestFile)
    for key in ("provides", "requires"):
        if len(getattr(content, key)) > _MAX_SERVICES:
            file.fail((key,), f"a list of at most {_MAX_SERVICES} services was expected")
    if content.config is not None:
        try:
            _validator(content.config)
        except ValueError as failure:
            file.fail(("config",), f"a JSON Schema was expected: {_first_line(failure)}")
    return Manifest(
        name=content.name,
        version=content.version,
        command=anchored(content.command, place.parent),
        protocol=content.protocol,
        framing=content.framing,
        env=content.env,
        provides=tuple(content.provides),
        requires=tuple(content.requires),
        config=content.config,
        restart=content.restart,
        permissions=content.permissions,
        activation=content.activation,
        path=place,
    )


def anchored(command: list[str], folder: Path) -> tuple[str, ...]:
    """The command with a program named with a slash taken from ``folder``, wherever it will run."""
    program, *arguments = command
    return (str(folder / program) if has_slash(program) else program, *arguments)


def config_problems(manifest: Manifest, config: Mapping[str, Any]) -> list[tuple[KeyPath, str]]:
    """Where a configuration does not fit the manifest's schema, and why (MAN-06)."""
    if manifest.config is None:
        return []
    errors = _validator(manifest.config).iter_errors(dict(config))
    return [(tuple(error.instance_path), error.message) for error in errors]


def _validator(schema: Mapping[str, Any]) -> Any:
    """Raises ValueError for what is no JSON Schema."""
    # Loaded with the first manifest that has a schema.
    import jsonschema_rs

    return jsonschema_rs.validator_for(dict(schema), retriever=_fetches_nothing)


def _fetches_nothing(uri: str) -> Any:
    # MAN-01: left to itself the validator would open files and connections for a "$ref".
    raise ValueError(f"{uri} is not part of the file")


def _first_line(failure: Exception) -> str:
    return str(getattr(failure, "message", failure)).partition("\n")[0]
