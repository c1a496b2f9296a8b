"""One connection to a subject: bytes out, messages in, and waits that end.

The suite may play either side of it. Every message of both directions is kept in `history`, for the oracles. Reflexes
answer at once what a case does not care about; all else waits in the inbox until the case takes it.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from .case import Broken, TimedOut
from .wire.frames import Framing, encode, reader
from .wire.messages import Json, Message, encode_json, same_id
from .wire_log import WireLog

#: Answers a request at once: it returns the members of the answer, such as {"result": None}, or None to leave it alone.
Reflex = Callable[[Message], dict[str, Json] | None]
_SHOWN = 400


class Connection:
    """`name` tells it apart in the wire log. `patience` is how many seconds any wait may take unless it says
    otherwise.
    """

    def __init__(self, name: str, log: WireLog, *, framing: Framing, patience: float) -> None:
        self.name, self.framing, self.patience = name, framing, patience
        self.log = log
        #: What must be told of every message: (True, message) for one that the subject sent, (False, …) for one of
        #: ours.
        self.history: list[tuple[bool, Message]] = []
        self.reflexes: dict[str, Reflex] = {}
        #: The case broke a frame boundary on purpose: what we sent after that is not to be taken as messages.
        self.boundary_lost = False
        self.ended = False
        #: The case is over with it: what still comes is noted, and no message any more.
        self.over = False
        self._write: Callable[[bytes], None] = lambda _: None
        self._reader, self._sent_reader = reader(framing), reader(framing)
        self._inbox: list[Message] = []
        self._changed = threading.Condition()
        self._last_id = 0

    def attach(self, write: Callable[[bytes], None]) -> None:
        """Says where the bytes go."""
        self._write = write

    @property
    def rest(self) -> bytes:
        """What the subject has sent and is no whole frame."""
        return self._reader.rest

    @property
    def sent_rest(self) -> bytes:
        """What we have sent and is no whole frame."""
        return self._sent_reader.rest

    # What comes in: called by the pump.

    def take_bytes(self, data: bytes) -> None:
        if self.over:
            self.log.add(self.name, "received", data)
            return
        frames = self._reader.feed(data)
        for frame in frames:
            message = Message(frame, self.log.now())
            if frame.noise:
                self.log.add(self.name, "received", frame.noise)
            self.log.add(self.name, "received", frame.header + frame.body if frame.header != b"\n" else frame.body)
            self._take(message)

    def take_end(self) -> None:
        if self._reader.rest:
            self.log.add(self.name, "received", self._reader.rest)
        self.log.add(self.name, "event", "the subject's end of the stream")
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def _take(self, message: Message) -> None:
        reflex = self.reflexes.get(message.method) if message.has("method") else None
        reply = reflex(message) if reflex else None
        with self._changed:
            self.history.append((True, message))
            if reply is None:
                self._inbox.append(message)
            self._changed.notify_all()
        if reply and message.is_request:
            self.send_message({"jsonrpc": "2.0", "id": message.id, **reply})

    # What goes out.

    def send(self, data: bytes) -> None:
        """Sends bytes as they are, whatever they are."""
        self.log.add(self.name, "sent", data)
        if not self.boundary_lost:
            with self._changed:
                for frame in self._sent_reader.feed(data):
                    self.history.append((False, Message(frame, self.log.now())))
        self._write(data)

    def send_body(self, body: bytes) -> None:
        """Sends a body in a canonical frame."""
        self.send(encode(body, self.framing))

    def send_message(self, message: Json) -> None:
        self.send_body(encode_json(message))

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def request(self, method: str, params: Json = None, *, id: Json = None, **members: Json) -> Json:
        """Sends a request and returns its id: the next free integer unless one is given."""
        id = self.new_id() if id is None else id
        self.send_message(_message(method, params, {"id": id}, members))
        return id

    def notify(self, method: str, params: Json = None, **members: Json) -> None:
        self.send_message(_message(method, params, {}, members))

    def answer(self, request: Message, result: Json = None) -> None:
        self.send_message({"jsonrpc": "2.0", "id": request.id, "result": result})

    def answer_error(self, request: Message, code: int, message: str = "refused", **data: Json) -> None:
        """Answers with an error; `data=…` gives its data."""
        self.send_message({"jsonrpc": "2.0", "id": request.id, "error": {"code": code, "message": message, **data}})

    # What a case waits for.

    def wait_for(
        self, wanted: Callable[[Message], bool], what: str, *, within: float | None = None, rule: str = ""
    ) -> Message:
        """Takes the first message that is wanted out of the inbox; raises TimedOut where none comes in time.

        Other messages stay in the inbox. `rule` is the requirement that is broken by silence.
        """
        seconds = self.patience if within is None else within
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for index, message in enumerate(self._inbox):
                    if wanted(message):
                        return self._inbox.pop(index)
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    got = self._silence(seconds)
                    raise TimedOut(f"{self.name} did not send {what}", expected=what, got=got, requirement=rule)
                self._changed.wait(left)

    def expect_answer(self, id: Json, *, within: float | None = None, rule: str = "") -> Message:
        """The response with that id, of the same type and value."""
        return self.wait_for(
            lambda message: message.has("id") and not message.has("method") and same_id(message.id, id),
            f"an answer to the request {encode_json(id).decode()}",
            within=within,
            rule=rule,
        )

    def expect_result(self, id: Json, *, within: float | None = None, rule: str = "") -> Json:
        """The result of that request; Broken when it is answered with an error."""
        answer = self.expect_answer(id, within=within, rule=rule)
        if not answer.has("result"):
            raise Broken(f"{self.name} answered with an error", expected="a result", got=show(answer), requirement=rule)
        return answer.result

    def expect_error(self, id: Json, *codes: int, within: float | None = None, rule: str = "") -> Message:
        """The error response to that request, with one of the codes where any are given."""
        answer = self.expect_answer(id, within=within, rule=rule)
        if answer.error_code is None or (codes and answer.error_code not in codes):
            wanted = " or ".join(map(str, codes)) or "any code"
            expected = f"an error response with {wanted}"
            raise Broken(
                f"{self.name} did not answer with {wanted}", expected=expected, got=show(answer), requirement=rule
            )
        return answer

    def expect_request(self, method: str, *, within: float | None = None, rule: str = "") -> Message:
        return self.wait_for(
            lambda message: message.is_request and message.method == method,
            f"a request {method}",
            within=within,
            rule=rule,
        )

    def expect_notification(self, method: str, *, within: float | None = None, rule: str = "") -> Message:
        return self.wait_for(
            lambda message: message.is_notification and message.method == method,
            f"a notification {method}",
            within=within,
            rule=rule,
        )

    def expect_end(self, *, within: float | None = None, rule: str = "") -> None:
        """Waits for the end of what the subject sends."""
        seconds = self.patience if within is None else within
        with self._changed:
            if not self._changed.wait_for(lambda: self.ended, seconds):
                raise TimedOut(
                    f"{self.name} did not end",
                    expected="the end of the stream",
                    got=f"nothing in {seconds:g} s",
                    requirement=rule,
                )

    def taken(self, wanted: Callable[[Message], bool] | None = None) -> list[Message]:
        """Takes all that waits in the inbox now, or what is wanted of it."""
        with self._changed:
            messages = [message for message in self._inbox if wanted is None or wanted(message)]
            self._inbox = [message for message in self._inbox if message not in messages]
            return messages

    def refuse(self, wanted: Callable[[Message], bool], what: str, *, rule: str = "") -> None:
        """Broken when such a message is in the inbox. Prove first, by an answer that comes later, that it had its
        time.
        """
        with self._changed:
            found = [message for message in self._inbox if wanted(message)]
        if found:
            raise Broken(f"{self.name} sent {what}", expected=f"not {what}", got=show(found[0]), requirement=rule)

    def _silence(self, seconds: float) -> str:
        others = f"; {len(self._inbox)} other messages, the last one {show(self._inbox[-1])}" if self._inbox else ""
        if self.ended:
            return f"the end of the stream{others}"
        return f"nothing in {seconds:g} s{others}"


def show(message: Message) -> str:
    """A message for people, cut where it is long."""
    text = message.frame.body.decode("utf-8", "backslashreplace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(message.frame.body)} bytes)"


def _message(method: str, params: Json, first: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", **first, "method": method}
    if params is not None:
        message["params"] = params
    return message | members
