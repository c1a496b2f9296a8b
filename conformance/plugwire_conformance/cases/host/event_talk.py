"""How the cases of chapter 06 speak of events: they publish, subscribe and take deliveries.

Owns no case.
"""

import time
from collections.abc import Sequence
from functools import partial

from attrs import frozen

from ...case import Broken, Skipped, TimedOut, host_case
from ...connection import show
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostRun
from ...wire.messages import Json, Message, encode_json

#: A case that is asked only of a host that has events.
event_case = partial(host_case, declares=("events",))
MIB = 1 << 20
#: A little less than 1 MiB, so that eight of them with what stands round them are less than 8 MiB.
BLOCK = "x" * (MIB - 8192)
_GLANCE = 0.02
_LONG = 120


@frozen
class Subscription:
    """A subscription of a plugin that the suite plays."""

    probe: ProbeTalk
    number: int
    declared: Json = None

    def take(self, rule: str = "EVT-01") -> Message:
        """The next delivery of it, as it came."""
        what = f"a delivery of its subscription {self.number}"
        return self.probe.wait_for(self._is_mine, what, rule=rule)

    def next(self, rule: str = "EVT-01") -> dict[str, Json]:
        """The params of its next delivery."""
        return dict(self.take(rule).params)

    def expect(self, *data: Json, rule: str = "EVT-16") -> list[dict[str, Json]]:
        """Its next deliveries; Broken unless they bring just these data in this order."""
        return [self._expect(one, rule) for one in data]

    def until(self, last: Json, rule: str = "EVT-16") -> list[dict[str, Json]]:
        """What it brings before the delivery with that data, which has to come."""
        before: list[dict[str, Json]] = []
        while (one := self.next(rule)).get("data") != last:
            before.append(one)
        return before

    def refuse_more(self, what: str = "an event that must not come", rule: str = "EVT-01") -> None:
        """Broken when a delivery of it is here; prove first that one had its time."""
        self.probe.refuse(self._is_mine, what, rule=rule)

    def ack(self, seq: int) -> None:
        self.probe.notify("event/ack", {"subscription": self.number, "seq": seq})

    def end(self) -> dict[str, Json]:
        """Unsubscribes; the result."""
        result = self.probe.ask_result("event/unsubscribe", {"subscription": self.number})
        return result if isinstance(result, dict) else {}

    def _expect(self, data: Json, rule: str) -> dict[str, Json]:
        params = self.next(rule)
        if params.get("data") != data:
            got = _short(params.get("data"))
            raise Broken(
                "another event came",
                expected=f"the event with {_short(data)}",
                got=f"the one with {got}",
                requirement=rule,
            )
        return params

    def _is_mine(self, message: Message) -> bool:
        params = message.params
        return (
            message.method == "event/deliver" and isinstance(params, dict) and params.get("subscription") == self.number
        )


def subscribe(probe: ProbeTalk, topic: str, **more: Json) -> Subscription:
    """Subscribes; `more` are members such as `window`."""
    result = probe.ask_result("event/subscribe", {"topic": topic, **more})
    if not isinstance(result, dict) or type(result.get("subscription")) is not int:
        raise Broken("no subscription came of it", expected="its number", got=_short(result), requirement="EVT-11")
    return Subscription(probe, result["subscription"], result.get("declared"))


def publish(probe: ProbeTalk, topic: str, **more: Json) -> Json:
    """Publishes by a request and waits for its answer: how many subscriptions matched. `more` is `data`, …"""
    result = probe.ask_result("event/publish", {"topic": topic, **more})
    return result.get("subscribers") if isinstance(result, dict) else result


def publish_soon(probe: ProbeTalk, topic: str, **more: Json) -> None:
    """Publishes by a notification."""
    probe.notify("event/publish", {"topic": topic, **more})


def publish_many(probe: ProbeTalk, topic: str, values: Sequence[Json], *, at_once: int = 100, **more: Json) -> None:
    """Publishes one event for each value by requests, many at once, and waits for all answers."""
    at_once = max(1, min(at_once, probe.limits.get("maxInFlight", 1)))
    for start in range(0, len(values), at_once):
        ids = [
            probe.request("event/publish", {"topic": topic, "data": value, **more})
            for value in values[start : start + at_once]
        ]
        for id in ids:
            probe.expect_result(id)


def check_frames(probe: ProbeTalk, size: int) -> None:
    """Raises Skipped where the host takes no frame with so many bytes of data."""
    most = probe.limits.get("maxFrameBytes", 0)
    if most < size + 4096:
        raise Skipped(f"needs frames with {size} bytes of data, and the host takes frames of {most} bytes")


def expect_code(answer: Message, code: int, message: str, rule: str = "") -> None:
    """Broken unless the answer is an error with that code."""
    if answer.error_code != code:
        raise Broken(message, expected=f"an error response with {code}", got=show(answer), requirement=rule)


def expect_unanswered(probe: ProbeTalk, id: Json, what: str, rule: str) -> None:
    """Broken when that request is answered by now: pings that were sent after it have been, one after the other."""
    # The first ones may overtake an answer that the host has put off to its next turn.
    for _ in range(4):
        probe.expect_alive()
    probe.refuse(lambda message: message.is_response and message.id == id, what, rule=rule)


def expect_told(run: HostRun, *either: str, about: str, rule: str) -> None:
    """Waits until the host has told people a line about that plugin that has one of the words."""
    deadline = time.monotonic() + run[about].patience
    while not _told(run, about, either):
        if time.monotonic() > deadline:
            expected = f"a line that names {about} and says {' or '.join(either)}"
            raise TimedOut(
                "the host did not report it", expected=expected, got=" / ".join(run.reports()[-3:]), requirement=rule
            )
        time.sleep(_GLANCE)


def _told(run: HostRun, about: str, either: Sequence[str]) -> bool:
    lines = [line.lower() for line in run.reports() if about in line]
    return any(word.lower() in line for line in lines for word in either)


def _short(value: Json) -> str:
    text = encode_json(value).decode()
    return text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(text)} characters)"
