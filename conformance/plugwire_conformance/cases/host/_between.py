"""What cases about calls between plugins do again and again: a call that is held at its callee, and proofs of absence.

Holds no case. What one connection can do alone is in connection.py and probe_talk.py.
"""

from typing import Any

from ...case import Broken, TimedOut
from ...connection import Reflex, show
from ...hosts.probe_talk import ProbeTalk
from ...wire.messages import Json, Message

#: What a plugin says of itself to be told who calls, and how much time is left.
META = {"meta": True}


def room(requests: int, *, meta: bool = True) -> dict[str, Json]:
    """The capabilities of a plugin that works on so many requests at a time."""
    return {"concurrency": requests} | (META if meta else {})


def held(
    caller: ProbeTalk, callee: ProbeTalk, method: str, params: Json = None, **members: Any
) -> tuple[Json, Message]:
    """The caller makes a call; its id there, and the request as the callee got it and has not answered."""
    id = caller.request(method, params, **members)
    return id, callee.expect_request(method)


def caused_by(probe: ProbeTalk, request: Message) -> dict[str, Json]:
    """The members of a request that a plugin makes because of one that it serves; none where the host reads none."""
    return {"meta": {"parent": request.id}} if probe.capabilities.get("meta") else {}


def settle(*probes: ProbeTalk) -> None:
    """Waits until the host has dealt with what these plugins have sent; what it has sent them because of that has come.

    A ping of each, and once more of each: the answer comes after everything that the host wrote to that plugin before.
    """
    for number, probe in enumerate(probes * 2):
        # Not the next free integer, which a case may have given out.
        id = probe.request("ping", id=f"settle-{number}")
        probe.expect_answer(id)


def always(result: Json) -> Reflex:
    """Answers every request with that result."""
    return lambda _: {"result": result}


def expect_no_request(probe: ProbeTalk, method: str, *, rule: str = "") -> None:
    """Broken when that request has come; `settle` first."""
    probe.refuse(lambda message: message.is_request and message.method == method, f"the request {method}", rule=rule)


def expect_cancel(probe: ProbeTalk, request: Message, *, rule: str = "") -> None:
    """Waits for the host's cancel of that request."""
    probe.wait_for(lambda message: _cancels(message, request.id), f"a cancel of the request {request.id}", rule=rule)


def expect_no_cancel(probe: ProbeTalk, request: Message, *, rule: str = "") -> None:
    """Broken when a cancel of that request has come; `settle` first."""
    probe.refuse(lambda message: _cancels(message, request.id), f"a cancel of the request {request.id}", rule=rule)


def expect_refused(probe: ProbeTalk, *, rule: str = "") -> None:
    """The host does not take the plugin: it ends the process and never sends `initialized`."""
    try:
        message = probe.expect_notification("initialized")
    except TimedOut:
        probe.wait_gone(rule=rule)
    else:
        expected = "the end of the process, and no initialized"
        raise Broken(f"the host made {probe.name} ready", expected=expected, got=show(message), requirement=rule)


def meta_of(request: Message) -> dict[str, Json]:
    """The context of a request; empty where there is none."""
    meta = request.member("meta")
    return meta if isinstance(meta, dict) else {}


def error_data(answer: Message) -> dict[str, Json]:
    """The data of an error response; empty where there is none."""
    error = answer.member("error")
    data = error.get("data") if isinstance(error, dict) else None
    return data if isinstance(data, dict) else {}


def _cancels(message: Message, id: Json) -> bool:
    return message.method == "$/cancelRequest" and isinstance(message.params, dict) and message.params.get("id") == id
