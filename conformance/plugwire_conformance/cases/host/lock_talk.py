"""How the cases of chapter 10 speak of locks: they take them, queue for them and give them back.

Owns no case.
"""

from functools import partial

from ...case import host_case
from ...hosts.probe_talk import ProbeTalk
from ...wire.messages import Json

lock_case = partial(host_case, declares=("locks",))
#: Longer than any case takes.
LONG_MS = 60_000


def acquire(probe: ProbeTalk, name: str = "l", **more: Json) -> int:
    """Takes a lock that is free; its token."""
    return int(probe.ask_result("lock/acquire", {"name": name, "leaseMs": LONG_MS, **more})["token"])


def queue(probe: ProbeTalk, name: str = "l", **more: Json) -> Json:
    """Asks for a lock and does not wait; the id of the request, which the host has read when this returns."""
    call = probe.request("lock/acquire", {"name": name, "leaseMs": LONG_MS, **more})
    probe.expect_alive()
    return call


def release(probe: ProbeTalk, token: int, name: str = "l") -> None:
    probe.ask_result("lock/release", {"name": name, "token": token})


def expect_waiting(probe: ProbeTalk, call: Json, rule: str) -> None:
    """Broken when the request was answered by now."""
    probe.expect_alive()
    probe.refuse(lambda message: message.is_response and message.id == call, "an answer to who has to wait", rule=rule)


def token_of(probe: ProbeTalk, call: Json, rule: str) -> int:
    return int(probe.expect_result(call, rule=rule)["token"])
