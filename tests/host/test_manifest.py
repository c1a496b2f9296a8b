"""plugin.toml: what is taken, and what every refusal says."""

import os
from pathlib import Path

import pytest

from plugwire_host import manifest as manifest_module
from plugwire_host.errors import ManifestError
from plugwire_host.manifest import NeededService, PromisedService, config_problems, read_manifest

WHOLE = """\
name = "greeter"
version = "1.2.0"
protocol = "1.3"
framing = "line"
command = ["bin/greeter", "--tone", "warm"]
restart = "always"

[env]
GREETER_TONE = "warm"

[[provides]]
service = "greeter"
version = "1.2.0"
methods = ["hello", "a.b/c"]

[[provides]]
service = "more"

[provides.methods.hello]
description = "Says hello."
idempotent = true
params = { type = "object" }

[[requires]]
service = "spell"
version = ">=1,<2"
optional = true

[[requires]]
service = "state"

[config]
type = "object"
properties.tone.enum = ["warm", "cold"]
required = ["tone"]

[permissions]
anything = [1, { x = 1.5 }]

[activation]
on = "start"
"""

SMALL = 'name = "x"\nversion = "1"\ncommand = ["x"]\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "plugin.toml"
    path.write_bytes(text.encode())
    return path


def refusal(path: Path) -> str:
    """What is said about a manifest, without its folder."""
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    return str(caught.value).removeprefix(f"{path.parent}/")


def test_everything_that_a_manifest_can_say_is_read(tmp_path: Path) -> None:
    manifest = read_manifest(write(tmp_path, WHOLE))
    assert (manifest.name, manifest.version, manifest.protocol) == ("greeter", "1.2.0", "1.3")
    assert (manifest.framing, manifest.restart) == ("line", "always")
    assert manifest.command == (f"{tmp_path}/bin/greeter", "--tone", "warm")
    assert manifest.env == {"GREETER_TONE": "warm"}
    hello = {"description": "Says hello.", "idempotent": True, "params": {"type": "object"}}
    assert [(service.service, service.version, dict(service.methods)) for service in manifest.provides] == [
        ("greeter", "1.2.0", {"hello": {}, "a.b/c": {}}),
        ("more", None, {"hello": hello}),
    ]
    assert [(service.service, service.version, service.optional) for service in manifest.requires] == [
        ("spell", ">=1,<2", True),
        ("state", None, False),
    ]
    assert all(type(service) is PromisedService for service in manifest.provides)
    assert all(type(service) is NeededService for service in manifest.requires)
    assert manifest.config is not None
    assert manifest.config["required"] == ["tone"]
    assert manifest.permissions == {"anything": [1, {"x": 1.5}]}
    assert manifest.activation == {"on": "start"}
    assert (manifest.path, manifest.folder) == (tmp_path / "plugin.toml", tmp_path)


def test_what_a_manifest_leaves_out_has_the_values_of_the_spec(tmp_path: Path) -> None:
    manifest = read_manifest(write(tmp_path, SMALL))
    assert (manifest.protocol, manifest.framing, manifest.restart) == ("1.0", "header", "on-failure")
    assert (manifest.env, manifest.provides, manifest.requires, manifest.config) == ({}, (), (), None)
    assert (manifest.permissions, manifest.activation) == ({}, {})


def test_a_folder_stands_for_the_manifest_in_it(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL)
    assert read_manifest(tmp_path).path == path


@pytest.mark.requirement("MAN-03")
@pytest.mark.parametrize(
    ("program", "read"),
    [("./run", "{}/run"), ("bin/run", "{}/bin/run"), ("../run", "{}/../run"), ("/bin/sh", "/bin/sh"), ("sh", "sh")],
)
def test_a_program_with_a_slash_is_taken_from_the_folder_of_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, read: str
) -> None:
    write(tmp_path, f'name = "x"\nversion = "1"\ncommand = ["{program}", "./a"]')
    monkeypatch.chdir(tmp_path)
    assert read_manifest(Path("plugin.toml")).command == (read.format(tmp_path), "./a")


def test_line_ends_of_windows_and_a_byte_order_mark_are_taken(tmp_path: Path) -> None:
    assert read_manifest(write(tmp_path, "\ufeff" + SMALL.replace("\n", "\r\n"))).name == "x"


@pytest.mark.requirement("MAN-04")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('version = "1"\ncommand = ["x"]', "plugin.toml:1: the key 'name' is missing"),
        ('# x\nname = "x"\ncommand = ["x"]', "plugin.toml:1: the key 'version' is missing"),
        (SMALL + "framming = 1", "plugin.toml:4: framming: unknown key; did you mean 'framing'?"),
        (
            SMALL + "x = 1",
            "plugin.toml:4: x: unknown key; expected one of name, version, command, protocol, framing, env, provides, "
            "requires, config, restart, permissions, activation",
        ),
        (
            SMALL + '"a b" = 1',
            'plugin.toml:4: "a b": unknown key; expected one of name, version, command, protocol, '
            "framing, env, provides, requires, config, restart, permissions, activation",
        ),
        (
            SMALL.replace('"x"\nv', "5\nv"),
            "plugin.toml:1: name: a name of 1 to 64 of a-z 0-9 . _ - that begins with a "
            "letter or digit was expected, got 5",
        ),
        (
            SMALL.replace('"x"\nv', '"Xy"\nv'),
            "plugin.toml:1: name: a name of 1 to 64 of a-z 0-9 . _ - that begins "
            'with a letter or digit was expected, got "Xy"',
        ),
        (SMALL.replace('"1"', '""'), 'plugin.toml:2: version: a string of 1 to 64 characters was expected, got ""'),
        (
            SMALL.replace('["x"]', '"perl x.pl"'),
            'plugin.toml:3: command: a list of strings was expected, got "perl x.pl"',
        ),
        (SMALL.replace('["x"]', "5"), "plugin.toml:3: command: a list of strings was expected, got 5"),
        (
            SMALL.replace('["x"]', "[]"),
            "plugin.toml:3: command: a list of 1 to 1024 strings was expected, got one of 0",
        ),
        (
            SMALL.replace('["x"]', '["x",\n "y",\n 5]'),
            "plugin.toml:5: command[2]: a string without a NUL character was expected, got 5",
        ),
        (
            SMALL.replace('["x"]', '["\\u0000"]'),
            'plugin.toml:3: command[0]: a string without a NUL character was expected, got "\\x00"',
        ),
        (SMALL + "protocol = 1.0", 'plugin.toml:4: protocol: a version such as "1.0" was expected, got 1.0'),
        (SMALL + 'framing = "lines"', 'plugin.toml:4: framing: one of "header", "line" was expected, got "lines"'),
        (
            SMALL + "restart = true",
            'plugin.toml:4: restart: one of "on-failure", "always", "never" was expected, got true',
        ),
        (SMALL + "env = []", "plugin.toml:4: env: a table was expected, got a list"),
        (SMALL + "[env]\nA = 1", "plugin.toml:5: env.A: a string without a NUL character was expected, got 1"),
        (SMALL + '[env]\n"A=B" = "1"', 'plugin.toml:5: env."A=B": the name of a variable was expected, got "A=B"'),
        (SMALL + "provides = {}", "plugin.toml:4: provides: a list was expected, got a table"),
        (SMALL + "provides = [5]", "plugin.toml:4: provides[0]: a table was expected, got 5"),
        (SMALL + "[[provides]]\nmethods = []", "plugin.toml:4: provides[0]: the key 'service' is missing"),
        (
            SMALL + '[[provides]]\nservice = "a"\nmethods = []\n[[provides]]\nservice = "b"\nmethod = []',
            "plugin.toml:9: provides[1].method: unknown key; did you mean 'methods'?",
        ),
        (
            SMALL + '[[provides]]\nservice = "a"\nmethods = ["a", "1"]',
            'plugin.toml:6: provides[0].methods[1]: the name of a method such as "check" was expected, got "1"',
        ),
        (
            SMALL + '[[provides]]\nservice = "a"\nmethods = 1',
            "plugin.toml:6: provides[0].methods: a list of names or a table of methods was expected, got 1",
        ),
        (
            SMALL + '[[provides]]\nservice = "a"\n[provides.methods.x]\nidempotent = 1',
            "plugin.toml:7: provides[0].methods.x.idempotent: true or false was expected, got 1",
        ),
        (
            SMALL + '[[provides]]\nservice = "a"\nversion = 1\nmethods = []',
            'plugin.toml:6: provides[0].version: a version such as "1.2.0" was expected, got 1',
        ),
        (
            SMALL + '[[requires]]\nservice = "a"\nversion = "~1"',
            'plugin.toml:6: requires[0].version: a range of versions such as ">=1,<2" was expected, got "~1"',
        ),
        (
            SMALL + '[[requires]]\nservice = "A"',
            'plugin.toml:5: requires[0].service: the name of a service such as "spell" was expected, got "A"',
        ),
        (SMALL + "config = true", "plugin.toml:4: config: a table was expected, got true"),
        (
            SMALL + "[permissions]\nx = { y = [1, 2020-01-01] }",
            "plugin.toml:5: permissions.x.y[1]: a value that JSON has too was expected, got 2020-01-01",
        ),
        (
            SMALL + "[activation]\nx = nan",
            "plugin.toml:5: activation.x: a value that JSON has too was expected, got nan",
        ),
        (
            SMALL + "[config]\ntype = 5",
            "plugin.toml:4: config: a JSON Schema was expected: 5 is not valid under any of the schemas listed in the "
            "'anyOf' keyword",
        ),
        (SMALL + "x == 1", "plugin.toml:4: this is no valid TOML: invalid value in column 4"),
        (SMALL + "x = [", "plugin.toml:4: this is no valid TOML: invalid value at the end of the file"),
        (SMALL + "\n\nname = 1\n", "plugin.toml:6: this is no valid TOML: cannot overwrite a value in column 9"),
        (SMALL + "x = " + "[" * 100000, "plugin.toml: it is nested too deeply"),
    ],
)
def test_a_manifest_that_will_not_do_is_refused_with_its_line_and_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    assert refusal(write(tmp_path, text)) == said


@pytest.mark.requirement("MAN-04")
def test_of_several_problems_the_first_in_the_file_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, 'name = "x"\nrestart = 1\nversion = "1"\nprotocol = 1\ncommand = []')
    assert refusal(path).startswith("plugin.toml:2: restart:")


def test_a_manifest_that_is_no_text_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "plugin.toml"
    path.write_bytes(b"name = 1\n# \xff\n")
    assert refusal(path) == "plugin.toml:2: UTF-8 was expected, got the byte 0xff"


def test_a_manifest_that_is_not_there_is_named_with_what_is_there_instead(tmp_path: Path) -> None:
    assert refusal(tmp_path / "plugin.toml") == "plugin.toml: the file does not exist"
    (tmp_path / "plugins.toml").touch()
    assert refusal(tmp_path / "plugin.toml") == "plugin.toml: the file does not exist; did you mean 'plugins.toml'?"


def test_a_manifest_with_too_many_services_is_refused(tmp_path: Path) -> None:
    many = "\n".join(f'[[requires]]\nservice = "s{number}"' for number in range(1025))
    assert refusal(write(tmp_path, SMALL + many)) == (
        "plugin.toml:4: requires: a list of at most 1024 services was expected"
    )


@pytest.mark.requirement("MAN-01")
def test_reading_a_manifest_runs_nothing_and_opens_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "run"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\n")
    program.chmod(0o755)
    monkeypatch.setattr(os, "fork", None)
    read_manifest(write(tmp_path, 'name = "x"\nversion = "1"\ncommand = ["./run"]\n'))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["plugin.toml", "run"]


@pytest.mark.requirement("MAN-01")
@pytest.mark.parametrize("target", ["{}/other.json", "http://127.0.0.1:9/x.json"])
def test_a_schema_that_refers_to_something_outside_is_refused_and_nothing_is_fetched(
    tmp_path: Path, target: str
) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"type": "object"}')
    uri = target.format(tmp_path.as_uri())
    said = refusal(write(tmp_path, SMALL + f'[config]\n"$ref" = "{uri}"'))
    assert said.startswith(f"plugin.toml:4: config: a JSON Schema was expected: Resource '{uri}'")
    assert said.endswith("is not part of the file")


@pytest.mark.requirement("MAN-06")
def test_a_configuration_is_checked_against_the_schema_of_the_manifest(tmp_path: Path) -> None:
    manifest = read_manifest(write(tmp_path, WHOLE))
    assert config_problems(manifest, {"tone": "warm"}) == []
    assert config_problems(manifest, {}) == [((), '"tone" is a required property')]
    assert config_problems(manifest, {"tone": "loud"}) == [(("tone",), '"loud" is not one of "warm" or "cold"')]
    assert config_problems(read_manifest(write(tmp_path, SMALL)), {"anything": 1}) == []


def test_the_validator_is_not_loaded_for_a_manifest_without_a_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(manifest_module, "_validator")
    assert config_problems(read_manifest(write(tmp_path, SMALL)), {}) == []
