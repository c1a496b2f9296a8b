"""Sends one body after the other to a plugin and looks what came of each: a request that was taken, or ParseError.

A process that ended is replaced by a new one, so that each body is judged for itself.
"""

from ..case import Broken, TimedOut
from ..connection import show
from ..wire.codes import METHOD_NOT_FOUND, PARSE_ERROR
from ..wire.frames import Framing
from ..wire.messages import Json, Message, encode_json, same_id
from .subject import PluginSubject
from .talk import Talk

#: The id of the request that a sample would be.
SAMPLE = "sample"
#: How long an answer may come after that to a later `ping`, in parts of the patience; less once one was missing.
#: Answers may come in any order (MSG-13), so no later message proves that one does not come any more.
_LATE, _LATE_AGAIN = 0.2, 0.05


class Bodies:
    """`params` are those of PluginSubject.ready."""

    def __init__(self, plugin: PluginSubject, **params: Json) -> None:
        self._plugin, self._params = plugin, params
        self._talk: Talk | None = None
        self._late = _LATE

    def can_send(self, body: bytes) -> bool:
        """Whether the framing can carry the body: a line has no line end in it, and one of blanks may be empty."""
        return self._plugin.settings.framing is Framing.HEADER or not (
            b"\n" in body or b"\r" in body or not body.strip()
        )

    def expect_parse_error(self, body: bytes, rule: str) -> None:
        """Broken unless the body is answered once, with ParseError and id null, and the next message works."""
        answer = self._send(body, rule)
        if answer.error_code != PARSE_ERROR:
            rule = "MSG-26" if answer.error_code is not None and answer.id is None else rule
            raise Broken(
                "the body was not refused as no JSON",
                expected="ParseError (-32700)",
                got=show(answer),
                requirement=rule,
            )
        if not answer.has("id") or answer.id is not None:
            raise Broken("ParseError has another id", expected="id null", got=show(answer), requirement="MSG-26")

    def expect_taken(self, body: bytes, rule: str, *, id: Json = SAMPLE) -> None:
        """Broken unless the body, a `ping` with that id, is answered like one."""
        answer = self._send(body, rule)
        if not same_id(answer.id, id):
            raise Broken(
                "the body was not taken as it stands",
                expected=f"an answer with the id {encode_json(id).decode()}",
                got=show(answer),
                requirement=rule,
            )
        if not answer.has("result") and answer.error_code != METHOD_NOT_FOUND:
            raise Broken("the ping was not answered with null", expected="null", got=show(answer), requirement=rule)

    def expect_survived(self, body: bytes, rule: str) -> None:
        """Broken unless the body is answered somehow, and the next message works."""
        self._send(body, rule)

    def _send(self, body: bytes, rule: str) -> Message:
        """The answer to the body. A `ping` behind it must be answered too."""
        talk = self._ready()
        talk.send_body(body)
        marker = talk.request("ping")
        answer = self._answer(talk, marker, rule)
        more = [message for message in talk.taken() if message.is_response]
        if more:
            raise Broken(
                "the body was answered more than once", expected="one answer", got=show(more[0]), requirement=rule
            )
        return answer

    def _answer(self, talk: Talk, marker: Json, rule: str) -> Message:
        try:
            first = talk.wait_for(lambda message: message.is_response, "an answer to the body", rule=rule)
            if same_id(first.id, marker):
                within = talk.patience * self._late
                return talk.wait_for(
                    lambda message: message.is_response, "an answer to the body", within=within, rule=rule
                )
            talk.expect_answer(marker, rule="FRM-11")
            return first
        except TimedOut as broken:
            self._late = _LATE_AGAIN
            self._talk = None
            if talk.ended:
                raise Broken(
                    "the body ended the connection",
                    expected=broken.expected,
                    got="the end of the stream",
                    requirement="FRM-11",
                ) from None
            raise

    def _ready(self) -> Talk:
        if self._talk is None or self._talk.ended:
            self._talk = self._plugin.ready(**self._params)
            # What a body is taken for is judged here; the oracles could not say what was asked.
            self._talk.boundary_lost = True
        return self._talk
