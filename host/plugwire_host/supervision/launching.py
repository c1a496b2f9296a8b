"""Launching one plugin: spawn, ``initialize``, and an honest report when it fails. Spec LIF-03 to LIF-10.

A plugin that was launched is not yet ready: ``initialized`` is sent, and its services are registered, when what it
requires is known to be there (supervisor.py).
"""

from __future__ import annotations

import asyncio
from typing import Any

import attrs

from plugwire.connection import Tap
from plugwire.wire import (
    Arrival,
    ErrorCode,
    MessageIgnored,
    MessageRejected,
    Noise,
    Peer,
    RemoteProtocolError,
    Role,
    State,
)

from ..config import PluginSpec
from ..errors import IncompatibleVersion, Stage, StartupFailed, StartupReport
from ..hints import hint_of
from ..process.child import Child
from ..process.command import resolve_executable
from ..process.diagnose import explain
from ..process.exit_status import describe_status
from ..process.ladder import StopReport, stop
from ..process.stderr import StderrDrain
from ..reporting import STDOUT_HINT
from ..routing.link import Pending, PluginLink
from .handshake import Answer, HandshakeRefused, check_promises, read_answer
from .surroundings import Surroundings

DRAIN = 1.0
"""Seconds that a pipe may stay open after its process has ended, because a grandchild holds it."""
REPORT_STDERR_LINES = 20
REPORT_STDOUT_BYTES = 200


class Launched:
    """A process that has answered ``initialize``. Whoever has it ends it with ``stop``."""

    def __init__(self, spec: PluginSpec, child: Child, surroundings: Surroundings) -> None:
        loop = asyncio.get_running_loop()
        self.spec = spec
        self.child = child
        self._started = loop.time()
        self.closed: asyncio.Future[Exception] = loop.create_future()
        self.stray = b""
        self._on_report = surroundings.on_report
        self.stderr = StderrDrain(lambda line: surroundings.on_stderr(spec.name, line))
        peer: Peer[Pending] = Peer(
            Role.HOST,
            framing=spec.framing,
            limits=surroundings.limits,
            tolerate_noise=spec.stdout_noise == "tolerate",
        )
        tap: Tap | None = None
        if surroundings.tap is not None:
            see = surroundings.tap
            tap = lambda sent, data: see(spec.name, sent, data)  # noqa: E731
        self.link = PluginLink(
            spec.name, peer, surroundings.router, on_report=self._report, on_closed=self._on_closed, tap=tap
        )
        self.answer: Answer | None = None

    def _report(self, arrival: Arrival[Pending]) -> None:
        if isinstance(arrival, Noise):
            self.stray = (self.stray + arrival.data)[:REPORT_STDOUT_BYTES]
        if not (self.link.peer.state is State.STOPPING and _crossed_shutdown(arrival)):
            self._on_report(self.spec.name, arrival)

    def _on_closed(self, reason: Exception) -> None:
        if not self.closed.done():
            self.closed.set_result(reason)

    async def open(self) -> None:
        """Take over the pipes; whatever happens, none of them stays open for good."""
        try:
            await self.stderr.open(self.child.stderr)
            await self.link.connection.open(self.child.stdout, self.child.stdin)
        except BaseException:
            self.link.connection.close()
            self.stderr.close()
            self.child.close_pipes()
            raise

    async def wait_ended(self) -> None:
        """Until the process has ended or the conversation has; then until what was written before is read (LIF-17)."""
        exited: asyncio.Future[int] = asyncio.ensure_future(self.child.wait_exited())
        both: set[asyncio.Future[Any]] = {exited, self.closed}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait(both, timeout=DRAIN)
        finally:
            exited.cancel()
        self.link.connection.close()

    @property
    def broke_protocol(self) -> bool:
        """Whether the conversation ended because what it wrote cannot be understood (FRM-10)."""
        return self.closed.done() and isinstance(self.closed.result(), RemoteProtocolError)

    @property
    def status(self) -> str:
        """How it ended, for people."""
        facts = []
        # Where its stream has not ended, it was cut off, and whatever exit followed was our doing.
        if self.child.returncode is not None and not (self.broke_protocol and self.link.peer.state is not State.EXITED):
            facts.append(describe_status(self.child.returncode))
        if self.broke_protocol:
            facts.append(f"broke the protocol: {self.closed.result()}")
        return ", ".join(facts) or self.closed_what

    @property
    def closed_what(self) -> str:
        """What a plugin has closed that has ended the conversation and not itself."""
        pipe = "input" if self.closed.done() and "input" in str(self.closed.result()) else "output"
        return f"closed its standard {pipe}"

    async def stop(self, *, goodbye: bool, grace: float = 2.0) -> StopReport:
        """Climb down the ladder (LIF-14); nothing of the plugin is left afterwards."""
        connection = self.link.connection
        polite = goodbye and not connection.closed
        try:
            return await stop(
                self.child,
                say_goodbye=self._say_goodbye if polite else None,
                end_input=connection.end_writing if polite else connection.close,
                grace=grace if goodbye else 0.0,
            )
        finally:
            connection.close()
            self.stderr.close()

    def report(self, stage: Stage, cause: str, hint: str) -> StartupReport:
        """What is known of a start that failed (LIF-10)."""
        return _report(self.spec, self, self._started, stage, cause, hint)

    async def report_end(self) -> StartupReport:
        """What is known of a plugin that has ended before it was ready."""
        await self.wait_ended()
        refused = _ended(self)
        await _settle(self)
        return self.report(refused.stage, refused.cause, refused.hint)

    async def _say_goodbye(self) -> None:
        try:
            await self.link.request("shutdown")
        finally:
            # Also to a plugin that has not answered: it may still end by itself before its input is closed (LIF-14).
            if not self.link.connection.closed:
                self.link.connection.send(self.link.peer.send_notification("exit"))


def _crossed_shutdown(arrival: Arrival[Pending]) -> bool:
    """What was sent before `shutdown` was read comes in a state that it was not sent in; that is nobody's fault."""
    match arrival:
        case MessageRejected():
            return arrival.code == ErrorCode.NOT_INITIALIZED
        case MessageIgnored():
            return not arrival.answers
        case _:
            return False


async def launch(spec: PluginSpec, surroundings: Surroundings) -> Launched:
    """Spawn a plugin and have it answer ``initialize``. Raises StartupFailed; then nothing of it is left."""
    started = asyncio.get_running_loop().time()
    diagnosis = explain(spec.command)
    if diagnosis is not None:
        raise StartupFailed(_report(spec, None, started, diagnosis.stage, diagnosis.cause, diagnosis.hint))
    command = attrs.evolve(spec.command, env={**spec.command.env, "PLUGWIRE_FRAMING": spec.framing.value})  # MAN-09
    try:
        child = await Child.spawn(command)
    except OSError as error:
        cause = f"the system would not start it: {error.strerror or error}"
        raise StartupFailed(_report(spec, None, started, "spawn", cause, "see the system's limits")) from error
    launched = Launched(spec, child, surroundings)
    try:
        await launched.open()
        launched.answer = await _initialize(launched, surroundings)
        _apply(launched.link, launched.answer)
    except HandshakeRefused as refused:
        await _settle(launched)
        report = launched.report(refused.stage, refused.cause, refused.hint)
        await launched.stop(goodbye=False)
        raise (IncompatibleVersion if refused.stage == "version" else StartupFailed)(report) from None
    except BaseException:
        await launched.stop(goodbye=False)
        raise
    return launched


async def _initialize(launched: Launched, surroundings: Surroundings) -> Answer:
    """Raises HandshakeRefused for anything but a good answer in time."""
    spec = launched.spec
    request = asyncio.ensure_future(launched.link.request("initialize", surroundings.introduce(spec)))
    ended = asyncio.ensure_future(launched.wait_ended())
    try:
        await asyncio.wait({request, ended}, timeout=spec.start_timeout, return_when=asyncio.FIRST_COMPLETED)
        if request.done() and request.exception() is None:
            answer = read_answer(request.result())
            if spec.manifest is not None:
                check_promises(spec.manifest.provides, answer)
            return answer
        if request.done():  # it was gone before it could be asked
            await asyncio.wait({ended}, timeout=2 * DRAIN)
        if request.done() or ended.done():
            raise _ended(launched)
        raise _silent(launched)
    finally:
        request.cancel()
        ended.cancel()


def _apply(link: PluginLink, answer: Answer) -> None:
    link.slots = min(answer.slots, link.peer.limits.in_flight)
    link.takes_meta = answer.takes_meta
    link.maps_memory = answer.maps_memory
    link.ranges = {wanted.service: wanted.versions for wanted in answer.requires if str(wanted.versions)}


def _ended(launched: Launched) -> HandshakeRefused:
    reason = launched.closed.result() if launched.closed.done() else None
    if isinstance(reason, RemoteProtocolError):
        return HandshakeRefused("noise", f"what it wrote to standard output is no frame: {reason}", STDOUT_HINT)
    if launched.child.returncode is None:
        return HandshakeRefused("exited", f"it {launched.closed_what} and did not end", STDOUT_HINT)
    hint = STDOUT_HINT if launched.stray else "its standard error usually says why; run the command by hand to see it"
    tail = " ".join(launched.stderr.tail)
    if "ModuleNotFoundError" in tail or "Cannot find module" in tail or "Can't locate" in tail:
        hint = "a library is missing where it runs: install it there, or name that environment's interpreter in command"
    when = "before" if launched.answer is None else "as soon as"
    cause = f"it ended ({describe_status(launched.child.returncode)}) {when} it answered initialize"
    return HandshakeRefused("exited", cause, hint)


def _silent(launched: Launched) -> HandshakeRefused:
    seconds = f"{launched.spec.start_timeout:g} s"
    if launched.stray or launched.link.peer.unread:
        cause = f"it wrote to standard output what is no frame, and did not answer initialize within {seconds}"
        return HandshakeRefused("noise", cause, STDOUT_HINT)
    framing = launched.spec.framing.value
    hint = (
        f"it has read nothing, or does not speak this protocol with {framing} framing; "
        "if it only needs longer, raise start_timeout (--timeout)"
    )
    return HandshakeRefused("timeout", f"it did not answer initialize within {seconds}", hint)


async def _settle(launched: Launched) -> None:
    """Give the last lines of a plugin that has ended the time to arrive."""
    if launched.child.returncode is not None:
        try:
            async with asyncio.timeout(DRAIN):
                await launched.stderr.wait_closed()
        except TimeoutError:
            pass


def _report(
    spec: PluginSpec, launched: Launched | None, started: float, stage: Stage, cause: str, hint: str
) -> StartupReport:
    resolved = resolve_executable(spec.command)
    stray = b"" if launched is None else launched.stray or launched.link.peer.unread
    returncode = None if launched is None else launched.child.returncode
    report = StartupReport(
        plugin=spec.name,
        argv=tuple(spec.command.argv),
        resolved=None if resolved is None else str(resolved),
        cwd=str(spec.command.cwd),
        status=None if returncode is None else describe_status(returncode),
        stderr_tail=() if launched is None else tuple(launched.stderr.tail)[-REPORT_STDERR_LINES:],
        stray_stdout=stray[:REPORT_STDOUT_BYTES],
        elapsed=asyncio.get_running_loop().time() - started,
        cause=cause,
        hint=hint,
        stage=stage,
    )
    return attrs.evolve(report, hint=hint_of(report))
