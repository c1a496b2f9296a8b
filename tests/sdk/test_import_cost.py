"""What a plugin pays for `import plugwire`. How long it takes is a benchmark's matter."""

import subprocess
import sys

import pytest

from .helpers import WAIT

HEAVY = "attr attrs cattrs click jsonrpcserver pygls rich uvloop packaging psutil platformdirs"


def loaded_after(statements: str) -> set[str]:
    code = f"{statements}\nimport sys\nprint([name for name in {HEAVY.split()!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=WAIT, check=True)
    return set(eval(done.stdout))


def test_importing_the_sdk_loads_nothing_that_a_plugin_may_never_need() -> None:
    assert loaded_after("import plugwire") == set()


def test_a_plugin_with_plain_types_needs_no_converter() -> None:
    handler = "def hello(name: str, count: int = 1, *, flag: bool = False, ratio: float = 1.0) -> str: return name"
    binding = 'Binding(hello).arguments(Raw(b\'{"name": "a", "count": 2, "flag": true, "ratio": 0.5}\'), None)'
    imports = "from plugwire.binding import Binding\nfrom plugwire.wire import Raw"
    assert loaded_after(f"{imports}\n{handler}\n{binding}\nBinding(hello).encode_result('x')") == set()


@pytest.mark.parametrize("module", ["plugwire.testing", "plugwire.jsonrpcserver_adapter"])
def test_the_modules_beside_it_are_no_heavier(module: str) -> None:
    assert loaded_after(f"import {module}") == set()
