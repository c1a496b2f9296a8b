"""One call on its way through the host, who may make one, and who serves it. Spec 04."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from plugwire.wire import ErrorObject, Meta, PluginCrashed, Raw, RequestId
from plugwire.wire.codec import UNSET, encode_value

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

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


class Participant(Caller, Protocol):
    """A plugin, or the application; the object itself is the identity, and lasts as long as the process does."""

    maps_memory: bool
    """Whether it can map files that the host makes (``capabilities.memory``)."""

    @property
    def congested(self) -> bool:
        """Whether it leaves unread what it was sent: what is not urgent should wait in a bounded queue."""
        ...

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once, on the loop, when it is not congested any more; never when it ends before."""
        ...

    def send_notification(self, method: str, params: Any) -> bool:
        """Send one; params are a JSON object, or the bytes of one. False: it was dropped."""
        ...


@runtime_checkable
class JoiningParticipant(Protocol):
    """A participant for which it is cheaper to be sent many things at once."""

    def send_notifications(self, method: str, params: Sequence[Raw]) -> bool:
        """Send several of one method, joined with others of this turn of the loop. False: all were dropped."""
        ...


class Callee(Protocol):
    """A plugin that serves calls."""

    name: str

    def serving(self) -> list[Call]:
        """The calls that hold its slots."""
        ...

    def let_go(self, call: Call) -> None:
        """A call is over for its caller: whatever of it is still there is cancelled or forgotten."""
        ...


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
        self.callee: Callee | None = None
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
        return cast(Participant, self.caller)

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
