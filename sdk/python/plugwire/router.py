"""The handlers of one plugin: which there are, how each runs, and what is announced of them. Spec 03 and 04."""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Callable
from enum import Enum
from typing import Any

from .binding import Binding
from .wire._codes import METHOD_IS_REQUEST, RESERVED_SERVICES

_SUSPENDING = frozenset({"GET_AWAITABLE", "GET_AITER", "GET_ANEXT", "BEFORE_ASYNC_WITH", "SEND", "YIELD_VALUE"})
_SERVICE = re.compile("[a-z][A-Za-z0-9._-]{0,63}")
_METHOD = re.compile("[A-Za-z][A-Za-z0-9._/-]{0,127}")
SERVICE_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}")


class Kind(Enum):
    """How a handler runs."""

    TASK = "a coroutine that may wait"
    AT_ONCE = "a coroutine that never waits"
    THREAD = "a plain function"


class Method:
    """One handler. ``name`` is ``service/method``."""

    __slots__ = ("binding", "description", "handler", "idempotent", "kind", "name")

    def __init__(self, name: str, handler: Callable[..., Any], *, idempotent: bool = False) -> None:
        self.name = name
        self.handler = handler
        self.idempotent = idempotent
        # What the protocol itself sends may have more members in a later version (LIF-07).
        self.binding = Binding(handler, ignores_unknown=name in METHOD_IS_REQUEST)
        self.kind = kind_of(handler)
        self.description = (inspect.getdoc(handler) or "").split("\n\n")[0]

    def describe(self) -> dict[str, Any]:
        """The MethodDescription that ``initialize`` announces."""
        params, result = self.binding.schemas()
        described: dict[str, Any] = {"params": params}
        if result is not None:
            described["result"] = result
        if self.description:
            described["description"] = self.description[:4096]
        if self.idempotent:
            described["idempotent"] = True
        return described


class Router:
    """Handlers by the name of their method."""

    def __init__(self) -> None:
        self.methods: dict[str, Method] = {}
        self.notifications: dict[str, Method] = {}

    def add_method(self, method: Method) -> None:
        """Raises ValueError for a bad, reserved or taken name (CAL-01)."""
        check_name(method.name)
        if method.name in self.methods:
            raise ValueError(f"{method.name} has a handler already")
        self.methods[method.name] = method

    def add_notification(self, method: Method) -> None:
        """Raises ValueError for a taken name, or one that the protocol itself handles."""
        if method.name in METHOD_IS_REQUEST and method.name != "service/changed":
            raise ValueError(f"{method.name} is handled by the protocol itself")
        if method.name in self.notifications:
            raise ValueError(f"{method.name} has a handler already")
        self.notifications[method.name] = method

    def provides(self, versions: dict[str, str]) -> list[dict[str, Any]]:
        """The ``provides`` of ``initialize``: every service with its methods."""
        services: dict[str, dict[str, Any]] = {}
        for name, method in self.methods.items():
            service, _, short = name.partition("/")
            if service in RESERVED_SERVICES:  # what the protocol itself asks is no service of the plugin's
                continue
            services.setdefault(service, {})[short] = method.describe()
        return [
            {"service": service, "version": versions.get(service, "0"), "methods": methods}
            for service, methods in services.items()
        ]


def check_name(name: str) -> None:
    """Raises ValueError unless ``name`` is ``service/method`` with a service that a plugin may provide (CAL-01)."""
    service, slash, method = name.partition("/")
    if service in RESERVED_SERVICES or service == "$":
        raise ValueError(f"{name}: the service name {service!r} is reserved")
    if not slash or not _SERVICE.fullmatch(service) or not _METHOD.fullmatch(method):
        raise ValueError(f"a method's name is service/method, such as text/search, and {name!r} is not")


def kind_of(handler: Callable[..., Any]) -> Kind:
    """How a handler has to be run."""
    if not (inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))):  # noqa: B004
        return Kind.THREAD
    code = getattr(handler, "__code__", None)
    if code is None:
        return Kind.TASK
    # A coroutine without a place to wait can be run to its end on the spot: no task, no turn of the loop.
    suspends = any(instruction.opname in _SUSPENDING for instruction in dis.get_instructions(code))
    return Kind.TASK if suspends else Kind.AT_ONCE
