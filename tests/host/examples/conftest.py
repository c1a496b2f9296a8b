"""A tool that is not there skips a test, but on CI it fails it: nothing is green unrun."""

import os
import shutil

import pytest


def require(tool: str) -> None:
    if shutil.which(tool) is not None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is not installed")
    pytest.skip(f"{tool} is not installed")


@pytest.fixture
def node() -> None:
    require("node")


@pytest.fixture
def perl() -> None:
    require("perl")
