"""The calls that the host answers itself: which service answers which method, and when. Spec 04 and 06 to 11."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from plugwire.requests import error_object
from plugwire.wire import NotificationReceived, RequestCancelled, RequestError
from plugwire.wire.codec import encode_value

from .call import Call, Outcome, Participant, Phase
from .service import Answer, HostService, Taker


class ServiceCalls:
    """The host's services, by the names of their methods.

    ``finish`` is given the outcome of each call, ``start_clock`` each call that cannot be answered at once, and
    ``on_dropped`` the name of who sent a notification that a service refused, and why.
    """

    def __init__(
        self,
        finish: Callable[[Call, Outcome], None],
        start_clock: Callable[[Call], None],
        on_dropped: Callable[[str, str], None],
    ) -> None:
        self._finish = finish
        self._start_clock = start_clock
        self._on_dropped = on_dropped
        self._loop = asyncio.get_running_loop()
        self._services: list[HostService] = []
        self.answers: dict[str, Answer] = {"ping": lambda _: None}
        self.takers: dict[str, Taker] = {}

    def add(self, service: HostService) -> None:
        self._services.append(service)
        self.answers.update(service.requests)
        self.takers.update(service.notifications)

    def answer(self, call: Call) -> None:
        """Answer a call whose method is in ``answers``, now or when its service has waited for what it needs."""
        call.phase = Phase.SENT
        try:
            answer = self.answers[call.method](call)
            if not inspect.isawaitable(answer):
                self._finish(call, encode_value(answer))
                return
        except Exception as error:
            # A service that fails has failed this one call, and the connection that brought it is not to blame.
            self._finish(call, error_object(error))
            return
        self._start_clock(call)
        # A future is cancelled itself, so that its service knows even when no task has had its first turn.
        call.task = answer if asyncio.isfuture(answer) else self._loop.create_task(_as_coroutine(answer))
        call.task.add_done_callback(partial(self._answer_later, call))

    def _answer_later(self, call: Call, task: asyncio.Future[Any]) -> None:
        try:
            outcome: Outcome = encode_value(task.result())
        except (Exception, asyncio.CancelledError) as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            outcome = error_object(RequestCancelled("the request was cancelled") if cancelled else error)
        self._finish(call, outcome)

    def take(self, participant: Participant, notification: NotificationReceived) -> None:
        """Hand over a notification whose method is in ``takers``."""
        try:
            self.takers[notification.method](participant, notification.params)
        except RequestError as error:
            self._on_dropped(participant.name, f"{notification.method} was dropped: {error.message}")

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        for service in self._services:
            service.joined(participant, answer)

    def left(self, participant: Participant, reason: str) -> None:
        for service in self._services:
            service.left(participant, reason)

    def close(self) -> None:
        for service in self._services:
            service.close()


def _as_coroutine(answer: Any) -> Coroutine[Any, Any, Any]:
    return answer if inspect.iscoroutine(answer) else _wait_for(answer)


async def _wait_for(answer: Any) -> Any:
    return await answer
