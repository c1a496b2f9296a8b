"""Requests that a case keeps in flight with `conformance/sleep`, and whether they still were when the next message was
read.

No sleep is long enough for a machine that stands still, so whoever relies on one looks at the order of the answers, and
tries again with a longer one where the sleep was over too soon.
"""

from ..connection import Connection
from ..wire.messages import Json, same_id
from .talk import Talk

#: How long the sleeps are, one try after the other, in milliseconds.
SLEEPS = (400, 2000)


def sleep(talk: Connection, ms: int, **members: Json) -> Json:
    """Sends a request that is in flight for so long; its id."""
    return talk.request("conformance/sleep", {"ms": ms}, **members)


def patience_for(talk: Connection, ms: int) -> float:
    """How long the answer to such a request may take, in seconds."""
    return talk.patience + ms / 1000


def reads_while_serving(talk: Talk) -> bool:
    """Whether the plugin answers `ping` while it serves `conformance/sleep`; one that reads no further may not."""
    return any(_reads_on_during(talk, ms) for ms in SLEEPS)


def _reads_on_during(talk: Talk, ms: int) -> bool:
    slow, quick = sleep(talk, ms), talk.request("ping")
    for id in (slow, quick):
        talk.expect_answer(id, within=patience_for(talk, ms))
    return outlasted(talk, slow, by=quick)


def outlasted(talk: Connection, request: Json, *, by: Json) -> bool:
    """Whether the answer to `by`, which has come, came before that to the other request, if that has come at all."""
    for from_plugin, message in talk.history:
        if from_plugin and message.is_response and (same_id(message.id, request) or same_id(message.id, by)):
            return same_id(message.id, by)
    return False
