"""Bytes of a subject that make no message: what they look like says which sentence was broken.

A wrong length, two frames that were mixed and a stray print all end as bytes that make no sense; each is told once,
under the sentence that explains it best.
"""

import re
from collections.abc import Iterator

from attrs import frozen

from ..case import Broken
from ..connection import Connection
from ..wire.frames import Frame, Framing
from ..wire.messages import NotJson, decode

_SHOWN = 200
_BEGIN = b"Content-Length: "
_ID_IN_BRACKETS = re.compile(r" \((MSG-\d+)\)")


@frozen
class Garbage:
    """`rule` is the requirement that explains the bytes."""

    rule: str
    what: str
    data: bytes

    def broken(self, expected: str) -> Broken:
        shown = repr(self.data[:_SHOWN])[1:] + ("…" if len(self.data) > _SHOWN else "")
        return Broken(self.what, expected=expected, got=shown, requirement=self.rule)


def garbage(connection: Connection) -> Iterator[Garbage]:
    """All that the subject wrote and that makes no sense, in order."""
    received = [message for from_subject, message in connection.history if from_subject]
    rest = connection.rest
    explained = False
    for index, message in enumerate(received):
        after = received[index + 1].frame.noise if index + 1 < len(received) else rest
        if message.frame.noise and not explained:
            yield Garbage("FRM-04", "bytes that belong to no frame", message.frame.noise)
        explained = False
        if message.problem:
            found = _explain(message.frame, message.problem, after)
            explained = found.rule in ("FRM-02", "FRM-03")
            yield found
    if rest and not explained and not _begins_a_frame(rest, connection.framing):
        yield Garbage("FRM-04", "bytes that belong to no frame", rest)


def _explain(frame: Frame, problem: str, after: bytes) -> Garbage:
    if b"Content-Length:" in frame.body:
        return Garbage("FRM-03", "a frame inside another one", frame.body)
    if _completes(frame.body, after):
        return Garbage("FRM-02", "a length that is smaller than the body", frame.body + after)
    found = _ID_IN_BRACKETS.search(problem)
    return Garbage(
        found[1] if found else "MSG-22", f"a body that is no JSON: {_ID_IN_BRACKETS.sub('', problem)}", frame.body
    )


def _completes(body: bytes, after: bytes) -> bool:
    """The bytes after a body that was cut make it whole."""
    if not after:
        return False
    try:
        decode(body + after)
    except NotJson:
        return False
    return True


def _begins_a_frame(rest: bytes, framing: Framing) -> bool:
    """A process that was killed may leave a frame unfinished."""
    if framing is Framing.LINE:
        return rest.startswith((b"{", b"[")) and b"\n" not in rest
    return rest.startswith(_BEGIN[: len(rest)])
