"""Hosts that read, or follow, manifests and lists wrongly (chapter 12)."""

import os
import subprocess
from typing import Any

import attrs

from tests.conformance.mutants.host_vices.patches import after
from tests.conformance.mutants.vices import vice


@vice("host", "asks-a-command-for-its-version", kills=("manifest/read-only",), because="MAN-01")
def asks_a_command_for_its_version() -> None:
    from plugwire_host import config

    def ask(manifest: Any) -> Any:
        if manifest.command[0].endswith("/sh"):
            subprocess.run([*manifest.command, "--version"], cwd=manifest.folder, check=False)
        return manifest

    after(config, "read_manifest", ask)


@vice("host", "expands-variables", kills=("manifest/no-shell",), because="MAN-02")
def expands_variables() -> None:
    from plugwire_host.process import child

    popen = child.subprocess.Popen
    child.subprocess.Popen = lambda argv, **more: popen([os.path.expandvars(word) for word in argv], **more)


@vice("host", "runs-all-in-its-own-folder", kills=("manifest/folder",), because="MAN-03")
def runs_all_in_its_own_folder() -> None:
    from plugwire_host import config

    command = config._command

    def elsewhere(file: Any, table: Any, manifest: Any) -> Any:
        made = command(file, table, manifest)
        return attrs.evolve(made, cwd=config._folder(file)) if manifest and table.cwd is None else made

    config._command = elsewhere


@vice("host", "tells-the-usual-framing", kills=("manifest/framing-told",), because="MAN-09")
def tells_the_usual_framing() -> None:
    from plugwire_host.process import child

    popen = child.subprocess.Popen

    def usual(argv: Any, *, env: Any, **more: Any) -> Any:
        return popen(argv, env=env | {"PLUGWIRE_FRAMING": "header"}, **more)

    child.subprocess.Popen = usual


@vice("host", "believes-manifests", kills=("manifest/promises",), because="MAN-05")
def believes_manifests() -> None:
    from plugwire_host.supervision import launching

    launching.check_promises = lambda promises, answer: None


@vice("host", "takes-any-configuration", kills=("manifest/config-checked",), because="MAN-06")
def takes_any_configuration() -> None:
    from plugwire_host import config

    config.config_problems = lambda manifest, table: []


@vice(
    "host", "overlooks-unknown-keys", kills=("manifest/refused", "manifest/list-refused"), because=("MAN-04", "MAN-07")
)
def overlooks_unknown_keys() -> None:
    from plugwire_host import toml_file, toml_types

    good = toml_types._closed

    def open_shape(converter: Any, shape: type) -> Any:
        inner = good(converter, shape)
        known = {field.name for field in attrs.fields(shape)}

        def structure(value: Any, kind: Any) -> Any:
            return inner({key: value[key] for key in value if key in known} if type(value) is dict else value, kind)

        return structure

    toml_types._closed = open_shape
    toml_types.CONVERTER = toml_file.CONVERTER = toml_types._make_converter()


@vice("host", "wants-all-plugins", kills=("manifest/others-start",), because="MAN-08")
def wants_all_plugins() -> None:
    from plugwire_host import config

    after(config, "_spec", lambda spec: attrs.evolve(spec, required=True))
