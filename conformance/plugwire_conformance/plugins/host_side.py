"""The host's side of a channel towards a plugin under test: it counts what the plugin may send, or may be sent."""

import time

from ..case import Broken, TimedOut
from ..connection import show
from ..wire.messages import Json, Message, encode_json
from .refusals import param
from .talk import Talk

HANDLE = "ch_0123456789abcdefghijkl"
LARGEST = 2**31 - 1
#: An item without credit would come within this many times what the slowest item with credit took.
_TIMES = 10


class ProducerSide:
    """The plugin produces: `sent` is what has come. It has the credit that `join` gave it, and what is given later."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.sent: list[Json] = []
        self._items = self._bytes = 0
        self._slowest = 0.0
        talk.reflexes["channel/leave"] = lambda _: {"result": None}

    def join(self, *, items: int, bytes: int = LARGEST, largest: int = 65536) -> None:
        """Takes the plugin's `channel/join` and answers it."""
        self._items, self._bytes = items, bytes
        credit = {"items": items, "bytes": bytes}
        request = self._talk.expect_request("channel/join")
        self._talk.answer(request, {"credit": credit, "maxItemBytes": largest, "redeliver": False})

    def give(self, *, items: int = 0, bytes: int = 0) -> None:
        self._items += items
        self._bytes += bytes
        self._talk.notify("channel/credit", {"channel": HANDLE, "role": "producer", "items": items, "bytes": bytes})

    def take(self, count: int) -> None:
        """Waits until so many items have come in all."""
        while len(self.sent) < count:
            began = time.monotonic()
            self._take(self._talk.wait_for(_is_send, f"item {len(self.sent) + 1}", rule="CHN-12"))
            self._slowest = max(self._slowest, time.monotonic() - began)

    def expect_no_more(self) -> None:
        """Nothing comes for which there is no credit.

        A ping alone proves little, for whoever answers it is seldom who produces; so an item gets several times what
        others took, which is more on a busy machine.
        """
        self._talk.expect_alive()
        within = min(_TIMES * self._slowest, self._talk.patience)
        while (message := self._next_within(within)) is not None:
            self._take(message)

    def _next_within(self, seconds: float) -> Message | None:
        try:
            return self._talk.wait_for(_is_send, "an item", within=seconds)
        except TimedOut:
            return None

    def _take(self, message: Message) -> None:
        if message.is_request:
            self._talk.answer(message)
        if param(message, "seq", int) != len(self.sent) + 1:
            wanted = f"seq {len(self.sent) + 1}"
            raise Broken("a number that does not follow", expected=wanted, got=show(message), requirement="CHN-15")
        for item in param(message, "items", list):
            if self._items <= 0 or self._bytes <= 0:
                left = f"a credit of {self._items} items and {self._bytes} bytes"
                raise Broken(
                    "an item without credit", expected=f"nothing at {left}", got=show(message), requirement="CHN-12"
                )
            self._items -= 1
            self._bytes -= len(encode_json(item))
            self.sent.append(item)


class ConsumerSide:
    """The plugin consumes: it is sent no more than its credit allows."""

    def __init__(self, talk: Talk, *, redeliver: bool) -> None:
        self._talk, self._redeliver = talk, redeliver
        self._delivered = 0
        self._items = self._bytes = 0
        self.acknowledged = 0
        talk.reflexes["channel/leave"] = lambda _: {"result": None}

    def join(self) -> None:
        """Takes the plugin's `channel/join` and answers it."""
        request = self._talk.expect_request("channel/join")
        credit = param(request, "credit", dict) if "credit" in request.params else {"items": 0, "bytes": 0}
        self._add(credit, request)
        self._talk.answer(request, {"credit": credit, "maxItemBytes": 65536, "redeliver": self._redeliver})

    def deliver(self, items: list[Json]) -> None:
        """Delivers the items, each as soon as there is credit for it."""
        for item in items:
            while self._items <= 0 or self._bytes <= 0:
                credit = self._talk.expect_notification("channel/credit", rule="CHN-25")
                self._add(credit.params, credit)
            self._items -= 1
            self._bytes -= len(encode_json(item))
            self._delivered += 1
            self._talk.notify("channel/deliver", {"channel": HANDLE, "seq": self._delivered, "items": [item]})

    def take_acknowledgements(self) -> None:
        """Reads the acknowledgements and the credit that have come."""
        self._talk.expect_alive()
        for message in self._talk.taken():
            if message.method == "channel/credit":
                self._add(message.params, message)
            elif message.method == "channel/ack":
                self._acknowledge(message)

    def _acknowledge(self, message: Message) -> None:
        if param(message, "seq", int) > self._delivered:
            expected = f"at most {self._delivered}, which was delivered"
            what = "an acknowledgement of what was not delivered"
            raise Broken(what, expected=expected, got=show(message), requirement="CHN-29")
        self.acknowledged = max(self.acknowledged, message.params["seq"])

    def _add(self, credit: Json, message: Message) -> None:
        self._items += int(credit.get("items", 0))
        self._bytes += int(credit.get("bytes", 0))
        if self._items > LARGEST or self._bytes > LARGEST:
            got = f"{self._items} items and {self._bytes} bytes after {show(message)}"
            raise Broken("too much credit", expected=f"at most {LARGEST} of each", got=got, requirement="CHN-25")


def _is_send(message: Message) -> bool:
    return message.method == "channel/send"
