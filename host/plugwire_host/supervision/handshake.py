"""What a plugin says of itself in ``initialize``, checked. Spec LIF-04 to LIF-07, CAL-01, MAN-05."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from attrs import frozen
from packaging.specifiers import SpecifierSet

from plugwire.wire import PROTOCOL_VERSION, ErrorCode, ErrorObject, Raw
from plugwire.wire._codes import RESERVED_SERVICES
from plugwire.wire.codec import UNSET, MalformedJson, decode_value

from ..errors import Stage
from ..manifest import PromisedService
from ..routing.registry import Provided, Required

_SEE = "see InitializeResult in chapter 3 of the spec"


class HandshakeRefused(Exception):
    """The answer will not do: ``cause`` says why, ``hint`` how to mend it."""

    def __init__(self, stage: Stage, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.stage: Stage = stage
        self.cause = cause
        self.hint = hint


@frozen
class Answer:
    """A plugin's accepted answer to ``initialize``."""

    name: str
    version: str
    protocol_version: str
    slots: int
    takes_meta: bool
    maps_memory: bool
    provides: tuple[Provided, ...]
    requires: tuple[Required, ...]
    raw: Mapping[str, Any]


def read_answer(outcome: Any) -> Answer:
    """The outcome of ``initialize``. Raises HandshakeRefused."""
    if isinstance(outcome, ErrorObject):
        raise _refused_by_plugin(outcome)
    if not isinstance(outcome, Raw):
        raise HandshakeRefused("protocol", f"it gave {outcome}", "a response has exactly one of result and error")
    try:
        told = decode_value(outcome)
    except MalformedJson as error:
        raise HandshakeRefused("handshake", f"its answer to initialize cannot be read: {error}", _SEE) from None
    for problem in _validator().iter_errors(told):
        path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem.instance_path)
        raise HandshakeRefused("handshake", f"its answer to initialize is wrong at {path}: {problem.message}", _SEE)
    _check_version(told["protocolVersion"])
    provides = tuple(_provided(entry) for entry in told.get("provides", []))
    _check_services(provides)
    _check_hooks(told.get("hooks", ()))
    capabilities = told.get("capabilities", {})
    return Answer(
        name=told["plugin"]["name"],
        version=told["plugin"]["version"],
        protocol_version=told["protocolVersion"],
        slots=capabilities.get("concurrency", 1),
        takes_meta=capabilities.get("meta", False),
        maps_memory=capabilities.get("memory", False),
        provides=provides,
        requires=tuple(_required(entry) for entry in told.get("requires", [])),
        raw=told,
    )


def check_promises(promises: Iterable[PromisedService], answer: Answer) -> None:
    """MAN-05: a manifest is a promise. Raises HandshakeRefused."""
    provided = {service.service: service for service in answer.provides}
    for promised in promises:
        service = provided.get(promised.service)
        told = None
        if service is None:
            told = "not at all"
        elif promised.version not in (None, service.version):
            told = f"in version {service.version}"
        elif missing := [name for name in promised.methods if name not in service.methods]:
            told = f"without the method {missing[0]}"
        if told is not None:
            promise = f"{promised.service} {promised.version or ''}".rstrip()
            cause = f"its manifest promises the service {promise}, and it provides it {told}"
            raise HandshakeRefused("handshake", cause, "make plugin.toml and the plugin's own answer agree")


@cache
def _validator() -> Any:
    bundle = json.loads(files(__package__).joinpath("protocol.schema.json").read_text("utf-8"))
    import jsonschema_rs  # not at the top: whoever only asks for help does not wait for it

    return jsonschema_rs.validator_for({"$ref": "#/$defs/InitializeResult", "$defs": bundle["$defs"]})


def _refused_by_plugin(error: ErrorObject) -> HandshakeRefused:
    if error.code == ErrorCode.UNSUPPORTED_PROTOCOL_VERSION:
        try:
            data = {} if error.data is UNSET else decode_value(error.data)
        except MalformedJson:
            data = {}
        supported = data.get("supported", []) if isinstance(data, dict) else []
        speaks = ", ".join(str(version) for version in supported) or "unknown versions"
        cause = f"it speaks {speaks} of the protocol, this host {PROTOCOL_VERSION}"
        return HandshakeRefused("version", cause, "use a version of the plugin that was made for this major version")
    cause = f"it answered initialize with error {error.code}: {error.message}"
    return HandshakeRefused("handshake", cause, "mend what the message names; for -32602 that is usually the config")


def _check_version(version: str) -> None:
    if version.partition(".")[0] != PROTOCOL_VERSION.partition(".")[0]:  # LIF-06
        cause = f"it answered with protocol version {version}, this host speaks {PROTOCOL_VERSION}"
        raise HandshakeRefused("version", cause, "use a version of the plugin that was made for this major version")


def _check_services(provides: tuple[Provided, ...]) -> None:
    seen: set[str] = set()
    for provided in provides:
        if provided.service in RESERVED_SERVICES:
            hint = "choose another name for the service; the reserved ones are in chapter 4 of the spec"
            raise HandshakeRefused("handshake", f"it provides the reserved service {provided.service!r}", hint)
        if provided.service in seen:
            hint = "list each service once, with all of its methods"
            raise HandshakeRefused("handshake", f"it provides the service {provided.service!r} twice", hint)
        seen.add(provided.service)


def _check_hooks(links: Iterable[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for link in links:
        if link["name"] in seen:  # HOK-01
            hint = "declare each hook once, with all that its link wants"
            raise HandshakeRefused("handshake", f"it declares two links for the hook {link['name']!r}", hint)
        seen.add(link["name"])


def _provided(entry: Mapping[str, Any]) -> Provided:
    methods = entry["methods"]
    if isinstance(methods, list):
        methods = {name: {} for name in methods}
    return Provided(entry["service"], entry.get("version", "0"), methods)


def _required(entry: Mapping[str, Any]) -> Required:
    wanted = entry.get("version", "")
    return Required(
        entry["service"], SpecifierSet(wanted), entry.get("optional", False), wanted=wanted or "(any version)"
    )
