"""What a plugin learns from ``initialize``. Spec LIF-03 to LIF-12."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .wire import PROTOCOL_VERSION, ErrorCode, InvalidParams, Limits, Raw, RequestError
from .wire.codec import MalformedJson, decode_value

_VERSION = re.compile(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})")


@dataclass(frozen=True, slots=True)
class HostTerms:
    """The host's side of the agreement; what it did not say is absent, and absent means unsupported (LIF-12)."""

    instance: str = ""
    host: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    takes_meta: bool = False
    takes_log: bool = False
    gives_events: bool = False


def accept_initialize(params: Raw | None) -> HostTerms:
    """The terms of a host. Raises RequestError: UnsupportedProtocolVersion (LIF-05) or InvalidParams."""
    try:
        told: dict[str, Any] = decode_value(params) if params is not None else {}
    except MalformedJson as error:
        raise _invalid("$", str(error)) from None
    version = told.get("protocolVersion")
    if not isinstance(version, str) or _VERSION.fullmatch(version) is None:
        raise _invalid("$.protocolVersion", 'expected a version such as "1.0"')
    if version.partition(".")[0] != PROTOCOL_VERSION.partition(".")[0]:
        raise RequestError(
            f"the host speaks version {version}, this plugin {PROTOCOL_VERSION}",
            code=ErrorCode.UNSUPPORTED_PROTOCOL_VERSION,
            data={"supported": [PROTOCOL_VERSION]},
        )
    for member in ("capabilities", "limits", "config", "paths", "host"):
        if not isinstance(told.get(member, {}), dict):
            raise _invalid(f"$.{member}", "expected an object")
    capabilities = told.get("capabilities", {})
    return HostTerms(
        instance=str(told.get("instance", "")),
        host=told.get("host", {}),
        config=told.get("config", {}),
        paths=told.get("paths", {}),
        limits=_limits(told.get("limits", {})),
        takes_meta=capabilities.get("meta") is True,
        takes_log=capabilities.get("log") is True,
        gives_events=capabilities.get("events") is True,
    )


def _limits(told: dict[str, Any]) -> Limits:
    limits = Limits()
    for member, attribute in (("maxFrameBytes", "frame_bytes"), ("maxDepth", "depth"), ("maxInFlight", "in_flight")):
        if member in told:
            if type(told[member]) is not int or told[member] < 1:
                raise _invalid(f"$.limits.{member}", "expected a positive integer")
            setattr(limits, attribute, told[member])
    return limits


def _invalid(path: str, message: str) -> RequestError:
    return InvalidParams(f"{path}: {message}", data={"problems": [{"path": path, "message": message}]})
