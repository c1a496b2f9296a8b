"""The schemas that editors use and the readers take and refuse the same files."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from plugwire_host.config import read_config
from plugwire_host.errors import ConfigError
from plugwire_host.manifest import read_manifest

MODEL = Path(__file__).resolve().parents[2] / "spec" / "model"
SMALL = 'name = "x"\nversion = "1"\ncommand = ["x"]\n'
PLUGIN = '[plugins.a]\ncommand = ["x"]\n'


def provides(text: str) -> str:
    return SMALL + '[[provides]]\nservice = "a"\n' + text


def requires(text: str) -> str:
    return SMALL + '[[requires]]\nservice = "a"\n' + text


MANIFESTS = [
    (SMALL, True),
    ("", False),
    ('name = "x"\nversion = "1"', False),
    (SMALL + "x = 1", False),
    *((SMALL.replace('"x"\nv', f'"{name}"\nv'), True) for name in ["0", "a.b_c-d", "a" * 64]),
    *((SMALL.replace('"x"\nv', f'"{name}"\nv'), False) for name in ["", "A", "-a", "a b", "ä", "a" * 65, "a\\n"]),
    (SMALL.replace('"1"', '"' + "ä" * 64 + '"'), True),
    (SMALL.replace('"1"', '"a\\nb"'), True),
    (SMALL.replace('"1"', '"' + "1" * 65 + '"'), False),
    (SMALL.replace('"1"', '""'), False),
    (SMALL.replace('"1"', "1"), False),
    *((SMALL.replace('["x"]', command), True) for command in ['["x", ""]', '["a b"]', str(["x"] * 1024)]),
    *((SMALL.replace('["x"]', command), False) for command in ["[]", '[""]', "5", '"x"', '["x", 5]', '["\\u0000"]']),
    (SMALL.replace('["x"]', str(["x"] * 1025)), False),
    *((SMALL + f'protocol = "{version}"', True) for version in ["1.0", "0.0", "99999.10"]),
    *((SMALL + f'protocol = "{version}"', False) for version in ["1", "01.0", "1.0.0", "1.00", "100000.0", "1.0\\n"]),
    (SMALL + "protocol = 1.0", False),
    (SMALL + 'framing = "header"', True),
    (SMALL + 'framing = "Header"', False),
    (SMALL + 'restart = "never"', True),
    (SMALL + "restart = false", False),
    (SMALL + '[env]\nA = ""\n"b c" = "="', True),
    (SMALL + "[env]\nA = 1", False),
    (SMALL + '[env]\n"" = "1"', False),
    (SMALL + '[env]\n"A=" = "1"', False),
    (SMALL + '[env]\nA = "\\u0000"', False),
    (SMALL + "env = []", False),
    (SMALL + "provides = []\nrequires = []", True),
    (SMALL + "provides = {}", False),
    (SMALL + "provides = [1]", False),
    (provides("methods = []"), True),
    (provides('methods = ["a", "B.c/d_e-f"]'), True),
    (provides(""), False),
    (provides("methods = []\nx = 1"), False),
    (provides('methods = ["1"]'), False),
    (provides('methods = [""]'), False),
    (provides("methods = [1]"), False),
    (provides("methods = 1"), False),
    (provides("methods = " + str(["m"] * 4096)), True),
    (provides("methods = " + str(["m"] * 4097)), False),
    (provides("methods = {}"), True),
    (provides('methods.x = { description = "", idempotent = true, params = {}, result = {} }'), True),
    (provides("methods.x = {}"), True),
    (provides("methods.x = 1"), False),
    (provides("methods.1x = {}"), False),
    (provides("methods.x.y = 1"), False),
    (provides("methods.x.idempotent = 1"), False),
    (provides("methods.x.params = 1"), False),
    (provides('methods.x.description = "' + "x" * 4097 + '"'), False),
    *((provides(f'methods = []\nversion = "{version}"'), True) for version in ["0", "1.2", "1.2.3", "007"]),
    *((provides(f'methods = []\nversion = "{version}"'), False) for version in ["", "1.", "1.2.3.4", "v1", "1" * 10]),
    (SMALL + '[[provides]]\nservice = "A"\nmethods = []', False),
    (requires(""), True),
    (requires("optional = true"), True),
    (requires("optional = 1"), False),
    (requires("methods = []"), False),
    *((requires(f'version = "{range_}"'), True) for range_ in [">=1,<2", "==1.2.3", " >= 1 , != 1.5 ", ">0", "<=1"]),
    *((requires(f'version = "{range_}"'), False) for range_ in ["", "1", "~=1", ">=1,", ">=1 <2", "*", ">=v1"]),
    (SMALL + "requires = " + "[" + '{ service = "a" },' * 1024 + "]", True),
    (SMALL + "requires = " + "[" + '{ service = "a" },' * 1025 + "]", False),
    (SMALL + "[config]\ntype = 'object'", True),
    (SMALL + "config = true", False),
    (SMALL + "[permissions]\nx = [1, { y = 1.5 }]\n[activation]", True),
    (SMALL + "permissions = 1", False),
    (SMALL + "activation = []", False),
]

LISTS = [
    ("", True),
    ("[host]\n[plugins]", True),
    ("x = 1", False),
    ("host = 1", False),
    ("plugins = []", False),
    ("[host]\nx = 1", False),
    *((f"[host]\ncall_timeout = {seconds}", True) for seconds in ["1", "0.001", "2147483", "2147483.0"]),
    *((f"[host]\ncall_timeout = {seconds}", False) for seconds in ["0", "-1", "0.0", "2147484", "true", '"1"']),
    *((f"[host]\nstate = {path}", True) for path in ['"state.db"', '"../x/y"']),
    *((f"[host]\nstate = {path}", False) for path in ['""', "1", "true", "'" + "x" * 4097 + "'"]),
    (PLUGIN, True),
    ("plugins.a = 1", False),
    ("[plugins.a]", False),
    ('[plugins.a]\nmanifest = "m"', True),
    ('[plugins.a]\nmanifest = ""', False),
    ("[plugins.a]\nmanifest = 1", False),
    (PLUGIN + 'manifest = "m"', False),
    (PLUGIN.replace("plugins.a", "plugins.A"), False),
    (PLUGIN.replace("plugins.a", 'plugins."a b"'), False),
    (PLUGIN.replace("plugins.a", "plugins." + "a" * 65), False),
    (PLUGIN.replace('["x"]', "[]"), False),
    (PLUGIN.replace('["x"]', '"x"'), False),
    (PLUGIN + "x = 1", False),
    (PLUGIN + "config = { a = [1, true, { b = 1.5 }] }", True),
    (PLUGIN + "config = []", False),
    (PLUGIN + 'cwd = "."', True),
    (PLUGIN + 'cwd = ""', False),
    (PLUGIN + 'cwd = "' + "x" * 4097 + '"', False),
    (PLUGIN + 'env = { A = "1" }', True),
    (PLUGIN + "env = { A = 1 }", False),
    (PLUGIN + 'framing = "line"', True),
    (PLUGIN + 'framing = ""', False),
    (PLUGIN + 'restart = "always"', True),
    (PLUGIN + 'restart = "sometimes"', False),
    *((PLUGIN + f"priority = {number}", True) for number in ["0", "-2147483648", "2147483647"]),
    *((PLUGIN + f"priority = {number}", False) for number in ["1.5", "-2147483649", "2147483648", "true", '"1"']),
    (PLUGIN + "required = true\nenabled = true", True),
    (PLUGIN + "required = 1", False),
    (PLUGIN + "enabled = 0", False),
    (PLUGIN + 'stdout_noise = "fail"', True),
    (PLUGIN + 'stdout_noise = "x"', False),
    (PLUGIN + "start_timeout = 1\ncall_timeout = 0.5", True),
    (PLUGIN + "start_timeout = 0", False),
    (PLUGIN + "call_timeout = -0.5", False),
]


@pytest.mark.requirement("MAN-04", "MAN-07")
@pytest.mark.parametrize(
    ("name", "read", "text", "fits"),
    [("manifest", read_manifest, text, fits) for text, fits in MANIFESTS]
    + [("plugins", read_config, text, fits) for text, fits in LISTS],
    ids=[f"{number}" for number in range(len(MANIFESTS) + len(LISTS))],
)
def test_the_schema_and_the_reader_agree(
    tmp_path: Path, name: str, read: Callable[[Path], Any], text: str, fits: bool
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "plugin.toml").write_text(SMALL)
    path = tmp_path / "file.toml"
    path.write_text(text)
    schema = json.loads((MODEL / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert jsonschema_rs.validator_for(schema).is_valid(tomllib.loads(text)) is fits
    if fits:
        read(path)
    else:
        with pytest.raises(ConfigError):
            read(path)
