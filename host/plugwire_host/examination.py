"""One plugin, step by step: those of a start and an end (spec 03), in their order. A step that was not reached says so.

Owns: what is tried, and what is found. Does not own: what other plugins have to do with it (doctor.py).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from attrs import evolve

from plugwire.wire import (
    Arrival,
    Deviation,
    ErrorCode,
    ErrorObject,
    Limits,
    MessageIgnored,
    MessageRejected,
    Noise,
    RemoteProtocolError,
)

from .checks import ENDED_BY, STEP_OF_STAGE, STEPS, Check
from .config import PluginSpec
from .errors import StartupFailed, hexdump
from .hints import NO_ANSWER_AMONG_THEM, SAYS_WHY, oddity_hint, stray_hint
from .offered import OfferedServices
from .process.exit_status import describe_status
from .reporting import describe_arrival
from .routing.link import Pending
from .routing.registry import Registry
from .routing.router import Router
from .supervision.handshake import Answer
from .supervision.launching import Launched, launch
from .supervision.surroundings import Surroundings

ANSWER_TIME = 5.0
"""Seconds that a running plugin has to answer ``ping`` and an unknown method, when nothing else is said."""


class Examination:
    """``run`` launches the plugin, talks with it and ends it; ``close`` afterwards. Then ``checks`` has every step."""

    def __init__(
        self,
        spec: PluginSpec,
        answer_time: float,
        on_stderr: Callable[[str, str], None],
        tap: Callable[[str, bool, bytes], None] | None,
    ) -> None:
        # Noise is to be found, not to end the examination at the first byte.
        self._spec = evolve(spec, stdout_noise="tolerate")
        self._answer_time = answer_time
        self._found: dict[str, Check] = {}
        self._oddities: list[Arrival[Pending]] = []
        self._bad_answers: list[str] = []
        self._answered = 0
        self.failure: StartupFailed | None = None
        self.answer: Answer | None = None
        self._has_left = False
        self._router = Router(Registry(), default_timeout=answer_time, on_dropped=lambda *_: None)
        OfferedServices(self._router, on_log=lambda *_: None, state=None, limits=Limits())
        self._surroundings = Surroundings(
            name="plugin-run doctor",
            version="1",
            limits=Limits(),
            router=self._router,
            on_report=lambda _, arrival: self._note(arrival),
            on_stderr=on_stderr,
            tap=tap,
        )

    def close(self) -> None:
        self._router.close()

    def _note(self, arrival: Arrival[Pending]) -> None:
        # What was under way when it was told to go crosses with that; only an answer that nobody asked for is odd.
        if not (self._has_left and isinstance(arrival, MessageIgnored) and not arrival.answers):
            self._oddities.append(arrival)

    def checks(self) -> tuple[Check, ...]:
        """Every step, in order."""
        return tuple(self._found.get(step, Check(step, "not reached")) for step in STEPS)

    def _set(self, step: str, verdict: Literal["ok", "FAIL", "warn"], found: str, *more: str, hint: str = "") -> None:
        self._found[step] = Check(step, verdict, found, more, hint)

    async def run(self) -> None:
        """Raises nothing that the plugin could cause; the process is gone afterwards, also when this is cancelled."""
        try:
            launched = await launch(self._spec, self._surroundings)
        except StartupFailed as error:
            self._start_failed(error)
            self._judge_oddities()
            return
        self._passed_until("version")
        try:
            self._started(launched)
            await self._talk(launched)
        finally:
            await self._end(launched)
        self._judge_oddities()

    # The start

    def _passed_until(self, last: str) -> None:
        command = self._spec.command
        known = {
            "executable": " ".join(command.argv),
            "folder": str(command.cwd),
            "starts": "it runs",
            "stdout": "nothing but frames",
            "handshake": "it answered initialize",
        }
        for step in STEPS[: STEPS.index(last)]:
            self._set(step, "ok", known.get(step, ""))

    def _start_failed(self, error: StartupFailed) -> None:
        self.failure = error
        report = error.report
        step = STEP_OF_STAGE[report.stage]
        self._passed_until(step)
        stray = hexdump(report.stray_stdout)
        if stray:
            self._set("stdout", "FAIL", "it wrote what is no frame", *stray, hint=stray_hint(report.stray_stdout))
        details = [f"stderr  {line}" for line in report.stderr_tail]
        hint = SAYS_WHY if stray and step == "starts" else report.hint
        self._set(step, "FAIL", report.cause, *details, *(stray if step == "stdout" else ()), hint=hint)

    def _started(self, launched: Launched) -> None:
        answer = self.answer = launched.answer
        assert answer is not None
        provides = ", ".join(f"{p.service} {p.version}" for p in answer.provides)
        if provides:
            self._set("handshake", "ok", f"{answer.name} {answer.version} provides {provides}")
        else:
            hint = "list its services in `provides` of the initialize result, or nobody can call it"
            self._set("handshake", "warn", f"{answer.name} {answer.version} provides no service", hint=hint)
        self._set("version", "ok", f"protocol {answer.protocol_version}")
        launched.link.connection.send(launched.link.peer.send_notification("initialized"))
        self._router.services.joined(launched.link, answer.raw)

    # The conversation

    async def _talk(self, launched: Launched) -> None:
        """Ask two questions that every plugin can answer."""
        unknown = f"doctor/{secrets.token_hex(4)}"
        await self._ask(launched, "ping", lambda: launched.link.request("ping"), self._judge_ping)
        if launched.link.connection.closed:
            return
        await self._ask(launched, "unknown method", lambda: launched.link.request(unknown), self._judge_unknown)

    async def _ask(
        self,
        launched: Launched,
        step: str,
        ask: Callable[[], Awaitable[Any]],
        judge: Callable[[Any], None],
    ) -> None:
        answer = asyncio.ensure_future(ask())
        ended: asyncio.Future[None] = asyncio.ensure_future(launched.wait_ended())
        try:
            await asyncio.wait({answer, ended}, timeout=self._answer_time, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() and answer.exception() is None:
                self._answered += 1
                judge(answer.result())
            elif answer.done() or ended.done():  # an exception says that it ended before it could be asked
                await ended
                self._ended_early(launched, step)
            else:
                hint = "every request gets exactly one answer, an unknown one too (MSG-17)"
                self._set(step, "FAIL", f"no answer within {self._answer_time:g} s", hint=hint)
        finally:
            answer.cancel()
            ended.cancel()

    def _ended_early(self, launched: Launched, step: str) -> None:
        tail = [f"stderr  {line}" for line in list(launched.stderr.tail)[-10:]]
        if launched.broke_protocol:
            unread = launched.link.peer.unread
            code = launched.child.returncode
            tail.insert(
                0, "the process still runs" if code is None else f"the process has ended: {describe_status(code)}"
            )
            self._set(
                "stdout", "FAIL", str(launched.closed.result()), *tail, *hexdump(unread[:64]), hint=stray_hint(unread)
            )
            return
        hint = "a plugin stays until it is told to go: catch what fails in a handler, and answer with an error (ERR-03)"
        self._set(step, "FAIL", f"it ended while it was asked: {launched.status}", *tail, hint=hint)

    def _judge_ping(self, outcome: Any) -> None:
        if isinstance(outcome, RemoteProtocolError):
            self._bad_answers.append(str(outcome))
        elif isinstance(outcome, ErrorObject) and outcome.code != ErrorCode.METHOD_NOT_FOUND:
            told = f"ping was answered with error {outcome.code}: {outcome.message}"
            self._set("ping", "FAIL", told, hint="answer ping with null in every state (LIF-18)")
            return
        self._set("ping", "ok", "it is alive")

    def _judge_unknown(self, outcome: Any) -> None:
        if isinstance(outcome, RemoteProtocolError):
            self._bad_answers.append(str(outcome))
        elif isinstance(outcome, ErrorObject) and outcome.code == ErrorCode.METHOD_NOT_FOUND:
            self._set("unknown method", "ok", "refused with MethodNotFound")
        else:
            told = f"error {outcome.code}" if isinstance(outcome, ErrorObject) else "a result"
            hint = "answer a method that you do not have with error -32601 (CAL-06)"
            self._set("unknown method", "FAIL", f"it was answered with {told}", hint=hint)

    # The end

    async def _end(self, launched: Launched) -> None:
        ended_early, self._has_left = launched.link.connection.closed, True
        report = await launched.stop(goodbye=True)
        if not ended_early:
            status = "no exit code" if report.returncode is None else describe_status(report.returncode)
            if report.rung == "asked" and report.returncode == 0:
                self._set("shutdown", "ok", "it ended when asked, exit code 0")
            elif report.rung == "asked":
                hint = "end with exit code 0 after shutdown and exit (LIF-15)"
                self._set("shutdown", "FAIL", ENDED_BY["asked"].format(status), hint=hint)
            else:
                hint = (
                    "answer shutdown with null; end the process on exit, and when standard input ends (LIF-13, LIF-16)"
                )
                self._set("shutdown", "FAIL", ENDED_BY[report.rung].format(status), hint=hint)
        if report.leftover:
            hint = "end child processes before you end, or wait for them; these were killed"
            self._set("leftovers", "FAIL", "it left processes of its own behind", hint=hint)
        else:
            self._set("leftovers", "ok", "no process left")

    def _judge_oddities(self) -> None:
        """What was noticed beside the answers."""
        noise = b"".join(arrival.data for arrival in self._oddities if isinstance(arrival, Noise))
        if noise and "FAIL" not in (self._found["stdout"].verdict, self._found["starts"].verdict):
            size = "1 byte that is no frame" if len(noise) == 1 else f"{len(noise)} bytes that are no frame"
            self._set("stdout", "FAIL", f"it wrote {size}", *hexdump(noise[:64]), hint=stray_hint(noise))
        bad = [a for a in self._oddities if isinstance(a, MessageRejected | MessageIgnored)]
        deviations = [a for a in self._oddities if isinstance(a, Deviation)]
        if bad or self._bad_answers:
            first, *more = [*self._bad_answers, *(str(describe_arrival(arrival)) for arrival in bad)]
            left_out = f"and {len(more) - 4} more" if len(more) > 4 else None
            self._set("answers", "FAIL", first, *more[:4], *filter(None, [left_out]), hint=oddity_hint(bad))
            if self.failure is not None and self.failure.report.stage == "timeout":
                self._found["handshake"] = evolve(self._found["handshake"], hint=NO_ANSWER_AMONG_THEM)
        elif deviations:
            told = [str(describe_arrival(arrival)) for arrival in deviations]
            self._set("answers", "warn", *told, hint=oddity_hint(deviations))
        elif self._answered == 2:
            self._set("answers", "ok", "one answer to each request, nothing else")
