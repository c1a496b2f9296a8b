"""How the cases of chapter 10 speak of values: they put, get, compare and expect conflicts.

Owns no case.
"""

from functools import partial

from ...case import Broken, host_case
from ...connection import show
from ...hosts.probe_talk import ProbeTalk
from ...wire.codes import CONFLICT
from ...wire.messages import Json

state_case = partial(host_case, declares=("state",))
LARGEST = 2**53 - 1
MIB = 1 << 20


def put(probe: ProbeTalk, key: str, value: Json, **more: Json) -> int:
    """Writes a value; the revision of the change."""
    return int(probe.ask_result("state/put", {"key": key, "value": value, **more})["revision"])


def get(probe: ProbeTalk, key: str) -> dict[str, Json]:
    return dict(probe.ask_result("state/get", {"key": key}))


def expect_conflict(probe: ProbeTalk, method: str, params: Json, revision: int, rule: str) -> None:
    """Broken unless the request is answered with Conflict and that revision."""
    answer = probe.expect_error(probe.request(method, params), CONFLICT, rule=rule)
    data = answer.value["error"].get("data")
    if not isinstance(data, dict) or data.get("revision") != revision:
        raise Broken("Conflict does not tell the revision", expected=str(revision), got=show(answer), requirement=rule)
