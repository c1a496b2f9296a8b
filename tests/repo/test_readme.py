"""What the README promises: its programs run and print what it says, its links and its map lead somewhere."""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repo.repository import ROOT, TIMEOUT

README = ROOT / "README.md"
WITH_LINKS = ["README.md", "spec/README.md", "sdk/README.md", "sdk/examples/README.md"]

BLOCK = re.compile(r"^<!-- run: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")


def blocks(text: str) -> dict[str, str]:
    """The code blocks that are meant to be run, by the names that they are given."""
    return dict(BLOCK.findall(text))


def relative_links(text: str) -> list[str]:
    """The links that lead to files, without what they name in them."""
    targets = [target.partition("#")[0] for target in LINK.findall(text)]
    return [target for target in targets if target and "://" not in target]


def map_rows(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The links and the words of code in each row of "Where things are"."""
    section = text.partition("\n## Where things are\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| ") and "---" not in line:
            yield relative_links(line), CODE.findall(line)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with every program of the README, as a reader would have it."""
    for name, text in blocks(README.read_text(encoding="utf-8")).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run_in(folder: Path, *command: str) -> tuple[int, str, str]:
    """Run a program with the commands of this environment first in PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PLUGIN_RUN", "PYTHON"))}
    environment = {**kept, "PATH": path, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT
    )
    return done.returncode, done.stdout, done.stderr


def test_the_readme_has_these_programs() -> None:
    assert sorted(blocks(README.read_text(encoding="utf-8"))) == ["greeter.py", "host.py", "sh", "test_greeter.py"]


def test_the_plugin_is_called_examined_and_certified_from_the_shell(folder: Path) -> None:
    code, out, err = run_in(folder, "sh", "-e", "sh")
    examined, end, certified = out.partition("12 passed, 0 failed\n")
    assert (code, examined + end, err) == (
        0,
        '"Hello, Ada!"\n'
        "greeter: python greeter.py\n"
        "  ok    executable      python greeter.py\n"
        f"  ok    folder          {folder}\n"
        "  ok    starts          it runs\n"
        "  ok    stdout          nothing but frames\n"
        "  ok    handshake       greeter 1.0.0 provides greeter 1.0.0\n"
        "  ok    version         protocol 1.0\n"
        "  ok    requires        nothing\n"
        "  ok    ping            it is alive\n"
        "  ok    unknown method  refused with MethodNotFound\n"
        "  ok    answers         one answer to each request, nothing else\n"
        "  ok    shutdown        it ended when asked, exit code 0\n"
        "  ok    leftovers       no process left\n"
        "12 passed, 0 failed\n",
        "",
    )
    assert certified.startswith("plugin  greeter 1.0.0   spec 1.0 ")
    assert certified.endswith("exit 0\n")
    assert "FAIL" not in certified


def test_the_host_calls_the_plugin(folder: Path) -> None:
    assert run_in(folder, "python", "host.py") == (0, "Hello, Ada!\n", "")


def test_the_plugin_is_tested_without_a_process(folder: Path) -> None:
    assert run_in(folder, "python", "test_greeter.py") == (0, "", "")
    # It does fail when the plugin does something else.
    plugin = folder / "greeter.py"
    plugin.write_text(plugin.read_text(encoding="utf-8").replace("Hello", "Goodbye"), encoding="utf-8")
    code, _, err = run_in(folder, "python", "test_greeter.py")
    assert code == 1
    assert err.endswith("AssertionError\n")


@pytest.mark.parametrize("name", WITH_LINKS)
def test_relative_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [target for target in relative_links(text) if not (ROOT / name).parent.joinpath(target).exists()] == []


def test_the_map_of_the_readme_leads_somewhere() -> None:
    rows = list(map_rows(README.read_text(encoding="utf-8")))
    assert len(rows) > 5
    missing = [word for links, words in rows for word in words if not leads_somewhere(word, links)]
    assert missing == []


def leads_somewhere(word: str, links: list[str]) -> bool:
    """A file or folder beside what the row links to, a target of make, or something to import."""
    if word.startswith("make "):
        return f"\n{word.removeprefix('make ')}: " in (ROOT / "Makefile").read_text(encoding="utf-8")
    if word.endswith(("/", ".py")):
        return any((ROOT / link / word).exists() for link in links)
    module, _, name = word.rpartition(".")
    return not module or hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    ("word", "links", "leads"),
    [
        ("make bench", [], True),
        ("make nothing", [], False),
        ("wire/", ["sdk/python/plugwire"], True),
        ("nothing.py", ["sdk/python/plugwire"], False),
        ("plugwire.testing.connect", [], True),
        ("plugwire.testing.nothing", [], False),
        ("jsonrpcserver", [], True),
    ],
)
def test_the_rule_on_the_map_fires(word: str, links: list[str], leads: bool) -> None:
    assert leads_somewhere(word, links) is leads


def test_blocks_and_links_are_found() -> None:
    text = "<!-- run: x.py -->\n```python\na\n\nb\n```\n\n```sh\nc\n```\n[x](y/z.md#part) [u](https://u) [v](#v)\n"
    assert blocks(text) == {"x.py": "a\n\nb\n"}
    assert relative_links(text) == ["y/z.md"]


def test_every_make_target_of_the_readme_exists() -> None:
    text = README.read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", text, re.MULTILINE)
    assert targets == ["demo", "test"]
    assert [target for target in targets if not leads_somewhere(f"make {target}", [])] == []


def test_the_readme_names_every_exit_code() -> None:
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert (
        "0 ok · 1 unexpected · 2 usage · 3 could not start · 4 protocol violation · 5 the plugin answered with an "
        "error · 6 timeout · 7 died during the call · 8 bad config · 130 interrupted"
    ) in text
