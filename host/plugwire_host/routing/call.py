"""One call on its way through the host, and who may make one. Spec 04."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, cast

from plugwire.wire import ErrorObject, Meta, PluginCrashed, Raw, RequestId
from plugwire.wire.codec import UNSET, encode_value

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from .link import PluginLink
    from .participant import Participant

Outcome = Raw | ErrorObject
"""What a caller gets, exactly once."""


class Phase(Enum):
    """How far a call has come; what is known of it when its callee ends (CAL-36)."""

    QUEUED = "no"
    SENT = "maybe"
    STARTED = "started"


class Caller(Protocol):
    """Whoever makes calls: a plugin, or the application."""

    name: str
    ranges: Mapping[str, SpecifierSet]
    """The versions that it will do with, by service."""

    def deliver(self, call: Call, outcome: Outcome) -> None: ...

    def deliver_progress(self, call: Call, value: Raw) -> None: ...


class Call:
    """A request between its caller and its callee.

    ``params`` stays as the bytes that came. ``parent`` is the call that the caller was serving when it made this one;
    ``children`` are the open calls that were made because of this one. ``callee`` is None until it is routed, and for
    a method of the host's own.
    """

    __slots__ = (
        "bucket",
        "callee",
        "callee_id",
        "caller",
        "caller_id",
        "children",
        "deadline",
        "done",
        "meta",
        "method",
        "params",
        "parent",
        "phase",
        "started_at",
        "task",
        "token",
    )

    def __init__(
        self, caller: Caller, caller_id: RequestId, method: str, params: Raw | None, meta: Meta | None
    ) -> None:
        self.caller = caller
        self.caller_id = caller_id
        self.method = method
        self.params = params
        self.meta = meta
        self.parent: Call | None = None
        self.children: set[Call] | None = None
        self.callee: PluginLink | None = None
        self.callee_id = 0
        self.phase = Phase.QUEUED
        self.deadline = 0.0
        self.started_at = 0.0
        self.bucket = -1
        self.token = 0
        self.done = False
        self.task: Any = None

    @property
    def wants_progress(self) -> bool:
        return self.meta is not None and self.meta.progress is not UNSET

    @property
    def participant(self) -> Participant:
        """The caller as a user of the host's services; nobody else's calls reach one."""
        return cast("Participant", self.caller)

    def adopt(self, child: Call) -> None:
        """``child`` is made because of this call."""
        child.parent = self
        if self.children is None:
            self.children = set()
        self.children.add(child)
        self.phase = Phase.STARTED


def encode_params(params: Any) -> Raw | None:
    """Params as JSON. Raises TypeError for what is no object (MSG-03), ValueError for what JSON cannot hold."""
    if params is None:
        return None
    raw = encode_value(params)
    if memoryview(raw)[0] != ord("{"):
        raise TypeError(f"params are an object of named members, not {type(params).__name__}")
    return raw


def crashed(call: Call, instance: str, status: str) -> PluginCrashed:
    """What is known of a call whose callee has ended (CAL-36)."""
    known = {
        Phase.QUEUED: "the call was not delivered",
        Phase.SENT: "the call may have been read",
        Phase.STARTED: "the call had begun",
    }[call.phase]
    return PluginCrashed(
        f"plugin {instance!r} ended ({status}) before it answered {call.method}; {known}",
        data={"instance": instance, "delivered": call.phase.value, "status": status[:128]},
    )
