"""plugins.toml, and the ways to name a plugin on a command line: what is taken, and what every refusal says."""

import os
from pathlib import Path

import pytest

from plugwire.wire import Framing
from plugwire_host.config import HostConfig, PluginSpec, read_config
from plugwire_host.errors import ConfigError, ManifestError

MANIFEST = """\
name = "greeter"
version = "1"
command = ["./greeter.py"]
framing = "line"
restart = "never"
[env]
TONE = "warm"
FROM = "manifest"
[config]
properties.tone.enum = ["warm", "cold"]
required = ["tone"]
"""


def write(folder: Path, text: str, name: str = "plugins.toml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def with_greeter(folder: Path, text: str) -> Path:
    write(folder / "greeter", MANIFEST, "plugin.toml")
    return write(folder, text)


def only(config: HostConfig) -> PluginSpec:
    (spec,) = config.plugins
    return spec


def refusal(path: Path) -> str:
    """What is said about a list, without its folder."""
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    return str(caught.value).removeprefix(f"{path.parent}/").replace(str(path.parent), "<folder>")


# The list


def test_everything_that_a_list_can_say_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
[host]
call_timeout = 30.0
state = "kept/state.db"

[plugins.todo]
command = ["perl", "todo.pl"]
config = { a = 1, b = [true, "x"] }
cwd = "tools"
env = { TONE = "cold" }
framing = "line"
restart = "always"
priority = -5
required = true
stdout_noise = "fail"
start_timeout = 5
call_timeout = 0.5
enabled = true
""",
    )
    config = read_config(path)
    assert (config.call_timeout, config.state, config.path) == (30.0, tmp_path / "kept/state.db", path)
    spec = only(config)
    assert (spec.name, spec.command.argv, spec.command.cwd) == ("todo", ("perl", "todo.pl"), tmp_path / "tools")
    assert spec.command.env == {**os.environ, "TONE": "cold"}
    assert spec.config == {"a": 1, "b": [True, "x"]}
    assert (spec.framing, spec.restart, spec.priority) == (Framing.LINE, "always", -5)
    assert (spec.required, spec.stdout_noise) == (True, "fail")
    assert (spec.start_timeout, spec.call_timeout) == (5.0, 0.5)
    assert spec.manifest is None


def test_what_a_list_leaves_out_has_the_values_of_the_spec(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, '[plugins.todo]\ncommand = ["perl"]'))
    assert (config.call_timeout, config.state) == (60.0, None)
    spec = only(config)
    assert (spec.config, spec.command.cwd, dict(spec.command.env)) == ({}, tmp_path, dict(os.environ))
    assert (spec.framing, spec.restart, spec.priority) == (Framing.HEADER, "on-failure", 0)
    assert (spec.required, spec.stdout_noise, spec.start_timeout) == (False, "tolerate", 10.0)
    assert spec.call_timeout is None


@pytest.mark.parametrize("text", ["", "# nothing", "[host]", "[plugins]"])
def test_a_list_may_be_empty(tmp_path: Path, text: str) -> None:
    assert read_config(write(tmp_path, text)).plugins == ()


def test_plugins_keep_the_order_of_the_file(tmp_path: Path) -> None:
    text = "".join(f'[plugins.{name}]\ncommand = ["x"]\n' for name in ("z", "a", "m"))
    assert [spec.name for spec in read_config(write(tmp_path, text)).plugins] == ["z", "a", "m"]


@pytest.mark.requirement("MAN-03")
def test_a_plugin_with_a_manifest_is_what_its_manifest_says(tmp_path: Path) -> None:
    spec = only(
        read_config(
            with_greeter(tmp_path, '[plugins.g]\nmanifest = "greeter/plugin.toml"\nconfig = { tone = "warm" }\n')
        )
    )
    folder = tmp_path / "greeter"
    assert (spec.name, spec.command.argv, spec.command.cwd) == ("g", (f"{folder}/greeter.py",), folder)
    assert (spec.command.env["TONE"], spec.command.env["FROM"]) == ("warm", "manifest")
    assert (spec.framing, spec.restart, spec.config) == (Framing.LINE, "never", {"tone": "warm"})
    assert spec.manifest is not None
    assert spec.manifest.path == folder / "plugin.toml"


@pytest.mark.requirement("MAN-03")
def test_the_list_says_otherwise_than_the_manifest(tmp_path: Path) -> None:
    text = """\
[plugins.g]
manifest = "greeter"
cwd = "elsewhere"
framing = "header"
restart = "always"
env = { TONE = "cold" }
config.tone = "cold"
"""
    spec = only(read_config(with_greeter(tmp_path, text)))
    assert spec.command.argv == (f"{tmp_path}/greeter/greeter.py",)
    assert spec.command.cwd == tmp_path / "elsewhere"
    assert (spec.framing, spec.restart) == (Framing.HEADER, "always")
    assert (spec.command.env["TONE"], spec.command.env["FROM"]) == ("cold", "manifest")


@pytest.mark.parametrize(
    ("program", "read"), [("./run", "{}/run"), ("bin/run", "{}/bin/run"), ("/bin/sh", "/bin/sh"), ("sh", "sh")]
)
def test_a_program_with_a_slash_is_taken_from_the_folder_of_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, read: str
) -> None:
    write(tmp_path, f'[plugins.x]\ncommand = ["{program}"]\ncwd = "tools"\n')
    monkeypatch.chdir(tmp_path)
    assert only(read_config(Path("plugins.toml"))).command.argv == (read.format(tmp_path),)


def test_what_is_not_enabled_is_left_out_and_its_manifest_is_not_read(tmp_path: Path) -> None:
    text = '[plugins.a]\nmanifest = "gone"\nenabled = false\n[plugins.b]\ncommand = ["x"]\n'
    assert only(read_config(write(tmp_path, text))).name == "b"


NAME = "a name of 1 to 64 of a-z 0-9 . _ - that begins with a letter or digit was expected"
SECONDS = "a number of seconds above 0 and at most 2147483 was expected"


@pytest.mark.requirement("MAN-04", "MAN-07")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plugin.a = 1", "plugins.toml:1: plugin: unknown key; did you mean 'plugins'?"),
        ("x = 1", "plugins.toml:1: x: unknown key; expected one of host, plugins"),
        ("plugins = []", "plugins.toml:1: plugins: a table was expected, got a list"),
        ("\nhost = 1", "plugins.toml:2: host: a table was expected, got 1"),
        ("[host]\ncall_timout = 1", "plugins.toml:2: host.call_timout: unknown key; did you mean 'call_timeout'?"),
        ("[host]\ncall_timeout = -1", f"plugins.toml:2: host.call_timeout: {SECONDS}, got -1"),
        ("[plugins]\na = 1", "plugins.toml:2: plugins.a: a table was expected, got 1"),
        ("[plugins.A]\ncommand = ['x']", f'plugins.toml:1: plugins.A: {NAME}, got "A"'),
        ("[plugins.'a b']\ncommand = ['x']", f'plugins.toml:1: plugins."a b": {NAME}, got "a b"'),
        (
            "[plugins.host]\ncommand = ['x']",
            "plugins.toml:1: plugins.host: another name was expected: 'host' stands for the application itself "
            "(CAL-40)",
        ),
        ("\n[plugins.a]\ncomand = ['x']", "plugins.toml:3: plugins.a.comand: unknown key; did you mean 'command'?"),
        (
            "[plugins.a]\npriority = 1\n[plugins.b]\ncommand = ['x']",
            "plugins.toml:1: plugins.a: either a command or a manifest was expected, got neither",
        ),
        (
            "[plugins.a]\nmanifest = 'x'\ncommand = ['x']",
            "plugins.toml:3: plugins.a.command: either a command or a manifest was expected, got both",
        ),
        (
            "[plugins.a]\ncommand = ['x']\nmanifest = 'x'\nenabled = false",
            "plugins.toml:3: plugins.a.manifest: either a command or a manifest was expected, got both",
        ),
        ("[plugins.a]\ncommand = 5", "plugins.toml:2: plugins.a.command: a list of strings was expected, got 5"),
        (
            "[plugins.a]\ncommand = ['x', true]",
            "plugins.toml:2: plugins.a.command[1]: a string without a NUL character was expected, got true",
        ),
        (
            "[plugins.a]\ncommand = ['']",
            "plugins.toml:2: plugins.a.command: a list that begins with a program was expected, got one that begins "
            'with ""',
        ),
        (
            "[plugins.a]\nmanifest = ''",
            'plugins.toml:2: plugins.a.manifest: a path of 1 to 4096 characters was expected, got ""',
        ),
        (
            "[plugins.a]\ncommand = ['x']\ncwd = 5",
            "plugins.toml:3: plugins.a.cwd: a path of 1 to 4096 characters was expected, got 5",
        ),
        (
            "[plugins.a]\ncommand = ['x']\nconfig = [1]",
            "plugins.toml:3: plugins.a.config: a table was expected, got a list",
        ),
        (
            "[plugins.a]\ncommand = ['x']\n[plugins.a.config]\nx = 07:32:00",
            "plugins.toml:4: plugins.a.config.x: a value that JSON has too was expected, got 07:32:00",
        ),
        (
            "[plugins.a]\ncommand = ['x']\nrequired = 1",
            "plugins.toml:3: plugins.a.required: true or false was expected, got 1",
        ),
        (
            "[plugins.a]\ncommand = ['x']\nenabled = 'no'",
            'plugins.toml:3: plugins.a.enabled: true or false was expected, got "no"',
        ),
        (
            "[plugins.a]\ncommand = ['x']\npriority = 1.0",
            "plugins.toml:3: plugins.a.priority: an integer within 32 bits was expected, got 1.0",
        ),
        (
            "[plugins.a]\ncommand = ['x']\npriority = 2147483648",
            "plugins.toml:3: plugins.a.priority: an integer within 32 bits was expected, got 2147483648",
        ),
        (
            "[plugins.a]\ncommand = ['x']\nstdout_noise = 'ignore'",
            'plugins.toml:3: plugins.a.stdout_noise: one of "tolerate", "fail" was expected, got "ignore"',
        ),
        (
            "[plugins.a]\ncommand = ['x']\nstart_timeout = 0",
            f"plugins.toml:3: plugins.a.start_timeout: {SECONDS}, got 0",
        ),
        (
            "[plugins.a]\ncommand = ['x']\ncall_timeout = inf",
            f"plugins.toml:3: plugins.a.call_timeout: {SECONDS}, got inf",
        ),
        (
            "[plugins.a]\ncommand = ['x']\ncall_timeout = true",
            f"plugins.toml:3: plugins.a.call_timeout: {SECONDS}, got true",
        ),
        ("[plugins.a]\ncommand = ['x'", "plugins.toml:2: this is no valid TOML: unclosed array at the end of the file"),
        (
            "[plugins.a\n",
            "plugins.toml:1: this is no valid TOML: expected ']' at the end of a table declaration in column 11",
        ),
    ],
)
def test_a_list_that_will_not_do_is_refused_with_its_line_and_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    assert refusal(write(tmp_path, text)) == said


def test_a_list_that_is_not_there_is_named_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^plugins\.toml: the file does not exist$"):
        read_config(Path("plugins.toml"))
    with pytest.raises(ConfigError, match=r": the file cannot be read: Is a directory$"):
        read_config(tmp_path)


def test_a_manifest_that_is_not_there_is_the_fault_of_the_list(tmp_path: Path) -> None:
    path = with_greeter(tmp_path, '[plugins.g]\n\nmanifest = "greter/plugin.toml"\n')
    assert refusal(path) == (
        "plugins.toml:3: plugins.g.manifest: the path of a plugin.toml was expected, <folder>/greter/plugin.toml does "
        "not exist"
    )


def test_a_mistake_in_a_manifest_is_told_of_the_manifest(tmp_path: Path) -> None:
    path = write(tmp_path, '[plugins.g]\nmanifest = "plugin.toml"')
    write(tmp_path, 'name = "x"\nversion = 5\n', "plugin.toml")
    with pytest.raises(ManifestError, match=r"/plugin.toml:1: the key 'command' is missing$"):
        read_config(path)


@pytest.mark.requirement("MAN-06")
@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('config.tone = "loud"', 'plugins.toml:3: plugins.g.config.tone: "loud" is not one of "warm" or "cold"'),
        (
            '[plugins.g.config]\n# tone\ntone = "loud"',
            'plugins.toml:5: plugins.g.config.tone: "loud" is not one of "warm" or "cold"',
        ),
        ("config = {}", 'plugins.toml:3: plugins.g.config: "tone" is a required property'),
        ("", 'plugins.toml:1: plugins.g.config: "tone" is a required property'),
    ],
)
def test_a_configuration_that_does_not_fit_the_schema_is_refused_with_its_line(
    tmp_path: Path, config: str, said: str
) -> None:
    path = with_greeter(tmp_path, f'[plugins.g]\nmanifest = "greeter"\n{config}\n')
    assert refusal(path) == f"{said} (the schema is in <folder>/greeter/plugin.toml)"


@pytest.mark.requirement("MAN-01")
def test_reading_a_list_runs_nothing(tmp_path: Path) -> None:
    program = write(tmp_path, f"#!/bin/sh\ntouch {tmp_path}/was-run\n", "run")
    program.chmod(0o755)
    read_config(write(tmp_path, '[plugins.a]\ncommand = ["./run"]\n'))
    assert not (tmp_path / "was-run").exists()
