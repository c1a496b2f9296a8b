"""What the host makes of its services: who answers, when, and what a service that fails does to others."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from plugwire.wire import ErrorObject, NotificationReceived, Raw, RequestError
from plugwire_host.routing.call import Call, Outcome, Participant
from plugwire_host.routing.registry import Registry
from plugwire_host.routing.router import Router

from .support import clock, run


class Odd:
    """A service under a name of the protocol's own, with one vice a method."""

    def __init__(self) -> None:
        self.requests = {
            "state/later": self._later,
            "state/never": self._never,
            "state/raises": self._raises,
            "state/raisesLater": self._raises_later,
        }
        self.notifications = {"state/refuses": self._refuse}
        self.waiting: asyncio.Event = asyncio.Event()
        self.cancelled: asyncio.Event = asyncio.Event()
        self.seen: list[tuple[str, str]] = []

    async def _later(self, call: Call) -> Any:
        await asyncio.sleep(0)
        return {"asked by": call.participant.name}

    async def _never(self, call: Call) -> Any:
        self.waiting.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.cancelled.set()

    def _raises(self, call: Call) -> Any:
        raise ZeroDivisionError("a mistake in the service")

    async def _raises_later(self, call: Call) -> Any:
        raise RequestError("no", code=7)

    def _refuse(self, participant: Participant, params: Any) -> None:
        raise RequestError("it is not understood")

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        self.seen.append((participant.name, "joined"))

    def left(self, participant: Participant, reason: str) -> None:
        self.seen.append((participant.name, "left"))

    def close(self) -> None:
        self.seen.append(("host", "closed"))


class Someone:
    """A participant that keeps what it is answered."""

    name = "someone"
    maps_memory = False
    congested = False

    def __init__(self) -> None:
        self.ranges: Mapping[str, Any] = {}
        self.answers: asyncio.Queue[str] = asyncio.Queue()

    def deliver(self, call: Call, outcome: Outcome) -> None:
        told = f"{outcome.code} {outcome.message}" if isinstance(outcome, ErrorObject) else bytes(outcome).decode()
        self.answers.put_nowait(told)

    def deliver_progress(self, call: Call, value: Raw) -> None:
        raise AssertionError("no service tells progress")

    def send_notification(self, method: str, params: Any) -> bool:
        raise AssertionError("nothing is sent to it")

    def when_drained(self, callback: Callable[[], None]) -> None:
        raise AssertionError("it is never congested")


class Place:
    """A router with the odd service."""

    def __init__(self) -> None:
        self.warnings: list[tuple[str, str]] = []
        self.router = Router(Registry(), default_timeout=60.0, on_dropped=lambda *told: self.warnings.append(told))
        self.odd = Odd()
        self.router.services.add(self.odd)
        self.someone = Someone()

    def ask(self, method: str, *, limit: float | None = None, parent: Call | None = None) -> Call:
        call = Call(self.someone, 1, method, None, None)
        if parent is not None:
            parent.adopt(call)
        self.router.take(call, limit)
        return call

    async def answer(self, method: str) -> str:
        self.ask(method)
        return await self.someone.answers.get()


def test_an_answer_may_come_later() -> None:
    async def main() -> str:
        return await Place().answer("state/later")

    assert run(main()) == '{"asked by":"someone"}'


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("state/raises", "-32603 ZeroDivisionError: a mistake in the service"),
        ("state/raisesLater", "7 no"),
    ],
)
def test_a_service_that_fails_fails_one_call(method: str, answer: str, capfd: pytest.CaptureFixture[str]) -> None:
    async def main() -> list[str]:
        place = Place()
        return [await place.answer(method), await place.answer("ping")]

    assert run(main()) == [answer, "null"]


def test_a_wait_ends_with_its_deadline() -> None:
    async def main() -> str:
        place = Place()
        place.ask("state/never", limit=5.0)
        await place.odd.waiting.wait()
        clock().advance(5.0)
        await place.odd.cancelled.wait()
        return await place.someone.answers.get()

    assert run(main()) == "-32012 the host did not answer within 5 s (state/never)"


def test_a_wait_ends_when_the_caller_cancels() -> None:
    async def main() -> str:
        place = Place()
        call = place.ask("state/never")
        await place.odd.waiting.wait()
        place.router.cancel(call)
        await place.odd.cancelled.wait()
        return await place.someone.answers.get()

    assert run(main()) == "-32800 the request was cancelled"


def test_a_wait_that_is_cancelled_before_its_first_step_is_answered_once() -> None:
    async def main() -> list[str]:
        place = Place()
        place.router.cancel(place.ask("state/never"))
        answers = [await place.someone.answers.get(), await place.answer("ping")]
        assert not place.odd.waiting.is_set()
        return answers

    assert run(main()) == ["-32800 the request was cancelled", "null"]


def test_a_wait_ends_with_the_call_that_caused_it() -> None:
    async def main() -> list[str]:
        place = Place()
        parent = place.ask("state/never")
        place.ask("state/never", parent=parent)
        place.router.cancel(parent)
        return sorted([await place.someone.answers.get(), await place.someone.answers.get()])

    assert run(main()) == ["-32800 the call that caused this one has ended", "-32800 the request was cancelled"]


def test_a_notification_that_a_service_refuses_is_told_to_people() -> None:
    async def main() -> list[tuple[str, str]]:
        place = Place()
        place.router.services.take(place.someone, NotificationReceived("state/refuses", None))
        return place.warnings

    assert run(main()) == [("someone", "state/refuses was dropped: it is not understood")]


def test_services_hear_who_comes_and_goes() -> None:
    async def main() -> list[tuple[str, str]]:
        place = Place()
        place.router.services.joined(place.someone, {})
        place.router.services.left(place.someone, "exit code 0")
        place.router.close()
        return place.odd.seen

    assert run(main()) == [("someone", "joined"), ("someone", "left"), ("host", "closed")]
