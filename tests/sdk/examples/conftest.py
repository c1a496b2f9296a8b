"""Starts the subjects. A tool that is not there skips its subject, but on CI it fails it: nothing is green unrun."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .driver import WAIT, Conversation
from .subjects import ALL, HEADER_FRAMED, INITIALIZED, C, Subject, initialize

Start = Callable[[Subject], Conversation]


def require_tools(subject: Subject) -> None:
    missing = [tool for tool in subject.tools if shutil.which(tool) is None]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{subject.folder} needs {', '.join(missing)}")
    if missing:
        pytest.skip(f"{subject.folder} needs {', '.join(missing)}")


@pytest.fixture(scope="session")
def checksum_binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C plugin, compiled once a session; each worker has a session and a folder of its own."""
    require_tools(C)
    binary = tmp_path_factory.mktemp("c-checksum") / "checksum"
    command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-o", str(binary), str(C.cwd / "checksum.c")]
    subprocess.run(command, check=True, timeout=6 * WAIT)
    return binary


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts a subject as its manifest says; it is ended with the test."""
    with ExitStack() as stack:

        def start_subject(subject: Subject) -> Conversation:
            require_tools(subject)
            command = subject.manifest["command"]
            if subject is C:
                command = [str(request.getfixturevalue("checksum_binary"))]
            return stack.enter_context(Conversation(command, subject.cwd, subject.framing))

        yield start_subject


@pytest.fixture(params=ALL, ids=lambda subject: subject.folder)
def subject(request: pytest.FixtureRequest) -> Subject:
    assert isinstance(request.param, Subject)
    return request.param


@pytest.fixture
def plugin(subject: Subject, start: Start) -> Conversation:
    """Each of the subjects, to which nothing was said yet."""
    return start(subject)


@pytest.fixture
def ready_plugin(plugin: Conversation) -> Conversation:
    return make_ready(plugin)


@pytest.fixture(params=HEADER_FRAMED, ids=lambda subject: subject.folder)
def header_plugin(request: pytest.FixtureRequest, start: Start) -> Conversation:
    """Each of the subjects with header framing, to which nothing was said yet."""
    return start(request.param)


def make_ready(plugin: Conversation) -> Conversation:
    plugin.send(initialize(), INITIALIZED)
    plugin.read_message()
    return plugin
