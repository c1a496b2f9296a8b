"""The four example plugins as the tests see them. What can be read from a manifest is read from it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .driver import Framing, Json

EXAMPLES = Path(__file__).parents[3] / "sdk" / "examples"

LIMITS = {"maxFrameBytes": 4194304, "maxDepth": 128, "maxInFlight": 256}
INITIALIZED: Json = {"jsonrpc": "2.0", "method": "initialized"}
PING_ALIVE: Json = {"jsonrpc": "2.0", "id": "alive", "method": "ping"}
ALIVE = '{"id":"alive","result":null}'


def initialize(**changes: Any) -> Json:
    """The request that a host begins with, its id being 0; changes replace params."""
    params: Json = {
        "protocolVersion": "1.0",
        "host": {"name": "test", "version": "1"},
        "instance": "subject",
        "capabilities": {},
        "limits": LIMITS,
    }
    return {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params | changes}


def request(request_id: int | str, method: str, **params: Any) -> Json:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


@dataclass(frozen=True)
class Subject:
    """One plugin: its folder, what must be installed for it, its result of initialize, and a call that fits it."""

    folder: str
    tools: tuple[str, ...]
    initialize_result: str
    method: str
    wrong_params: Json
    wrong_path: str

    @property
    def cwd(self) -> Path:
        return EXAMPLES / self.folder

    @property
    def manifest(self) -> Json:
        return tomllib.loads((self.cwd / "plugin.toml").read_text("utf-8"))

    @property
    def framing(self) -> Framing:
        return "line" if self.manifest.get("framing") == "line" else "header"


NODE = Subject(
    folder="node-prose",
    tools=("node",),
    initialize_result='{"id":0,"result":{"capabilities":{"concurrency":16,"meta":true},"plugin":{"name":"prose",'
    '"version":"1.0.0"},"protocolVersion":"1.0","provides":[{"methods":{"check":{"description":"Finds doubled words, '
    'wrong spellings and other slips in English prose.","idempotent":true,"params":{"properties":{"language":'
    '{"type":"string"},"text":{"type":"string"}},"required":["text"],"type":"object"}}},"service":"prose",'
    '"version":"1.0.0"}]}}',
    method="prose/check",
    wrong_params={"text": 5},
    wrong_path="$.text",
)
PERL = Subject(
    folder="perl-todo",
    tools=("perl",),
    initialize_result='{"id":0,"result":{"plugin":{"name":"todo","version":"1.0.0"},"protocolVersion":"1.0",'
    '"provides":[{"methods":["scan"],"service":"todo","version":"1.0.0"}]}}',
    method="todo/scan",
    wrong_params={"text": None},
    wrong_path="$.text",
)
C = Subject(
    folder="c-checksum",
    tools=("cc",),
    initialize_result='{"id":0,"result":{"plugin":{"name":"checksum","version":"1.0.0"},"protocolVersion":"1.0",'
    '"provides":[{"methods":["crc32","adler32"],"service":"checksum","version":"1.0.0"}]}}',
    method="checksum/crc32",
    wrong_params={"text": ["x"]},
    wrong_path="$.text",
)
BASH = Subject(
    folder="bash-files",
    tools=("bash", "jq", "awk", "stdbuf", "sha256sum"),
    initialize_result='{"id":0,"result":{"plugin":{"name":"files","version":"1.0.0"},"protocolVersion":"1.0",'
    '"provides":[{"methods":["stat"],"service":"files","version":"1.0.0"}]}}',
    method="files/stat",
    wrong_params={"path": "a\0b"},
    wrong_path="$.path",
)
NEWLINE = Subject(
    folder="node-newline",
    tools=("node",),
    initialize_result='{"id":0,"result":{"hooks":[{"after":["trim"],"name":"document.willSave","timeoutMs":2000}],'
    '"plugin":{"name":"newline","version":"1.0.0"},"protocolVersion":"1.0"}}',
    method="hook/call",
    wrong_params={"name": "document.opened", "value": {}},
    wrong_path="$.name",
)
ALL = (NODE, NEWLINE, PERL, C, BASH)
HEADER_FRAMED = (NODE, NEWLINE, PERL, C)
