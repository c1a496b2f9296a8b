"""One plugin, named on a command line by a path or by its arguments."""

from pathlib import Path

import pytest

from plugwire.wire import Framing
from plugwire_host.config import spec_from_argv, spec_from_path
from plugwire_host.errors import ConfigError

MANIFEST = """\
name = "greeter"
version = "1"
command = ["./greeter.py"]
framing = "line"
restart = "never"
[env]
TONE = "warm"
"""
DEMANDING = (
    MANIFEST
    + """\
[config]
required = ["tone"]
"""
)


def write(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_an_executable_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "tools", "#!/bin/sh\n", "Greeter Two.py")
    monkeypatch.chdir(tmp_path)
    spec = spec_from_path(Path("tools/Greeter Two.py"), framing=Framing.LINE)
    assert (spec.name, spec.framing, spec.manifest) == ("greeter-two", Framing.LINE, None)
    assert (spec.command.argv, spec.command.cwd) == ((f"{tmp_path}/tools/Greeter Two.py",), tmp_path)
    assert spec_from_path(Path("tools/Greeter Two.py")).framing is Framing.HEADER


@pytest.mark.parametrize("given", [".", "plugin.toml"])
def test_a_manifest_or_its_folder_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    write(tmp_path, MANIFEST, "plugin.toml")
    monkeypatch.chdir(tmp_path)
    spec = spec_from_path(Path(given))
    assert (spec.name, spec.framing, spec.restart) == ("greeter", Framing.LINE, "never")
    assert (spec.command.argv, spec.command.cwd) == ((f"{tmp_path}/greeter.py",), tmp_path)
    assert spec.command.env["TONE"] == "warm"
    assert spec_from_path(Path(given), framing=Framing.HEADER).framing is Framing.HEADER


def test_a_path_that_is_no_plugin_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "", "greeter.py")
    with pytest.raises(ConfigError) as caught:
        spec_from_path(tmp_path / "greter.py")
    assert str(caught.value) == (
        f"{tmp_path}/greter.py: an executable, a plugin.toml or a folder with one was expected, got nothing; did you "
        "mean 'greeter.py'?"
    )
    with pytest.raises(ConfigError, match=r": a folder with a plugin.toml was expected, there is none in it$"):
        spec_from_path(tmp_path)


@pytest.mark.requirement("MAN-06")
def test_a_manifest_that_demands_a_configuration_cannot_be_named_alone(tmp_path: Path) -> None:
    path = write(tmp_path, DEMANDING, "plugin.toml")
    with pytest.raises(ConfigError) as caught:
        spec_from_path(path)
    assert str(caught.value) == f'{path}: config: "tone" is a required property; no configuration was given'


@pytest.mark.requirement("CAL-40")
def test_a_manifest_with_the_name_of_the_application_cannot_be_named_alone(tmp_path: Path) -> None:
    path = write(tmp_path, 'name = "host"\nversion = "1"\ncommand = ["x"]', "plugin.toml")
    with pytest.raises(ConfigError, match="name: another name was expected: 'host' stands for the application"):
        spec_from_path(path)


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["python3", "todo.py"], "todo"),
        (["perl", "-w", "todo.py", "other.pl"], "todo"),
        (["./todo.py"], "todo"),
        (["perl", "-e", "print 1"], "perl"),
        (["/nowhere/Some Tool.exe"], "some-tool"),
        (["..."], "plugin"),
        (["Größe"], "gr-e"),
        (["host"], "plugin"),
        (["x" * 80], "x" * 64),
    ],
)
def test_a_command_gets_its_name_from_the_first_file_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str
) -> None:
    for file in ("todo.py", "other.pl"):
        write(tmp_path, "", file)
    monkeypatch.chdir(tmp_path)
    spec = spec_from_argv(argv, framing=Framing.LINE)
    assert (spec.name, spec.command.argv, spec.command.cwd) == (name, tuple(argv), tmp_path)
    assert spec.framing is Framing.LINE
    assert spec_from_argv(argv).framing is Framing.HEADER


def test_a_command_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="a command needs at least the name of a program"):
        spec_from_argv([])
