"""A conversation with one process of the plugin under test."""

import signal
from pathlib import Path
from typing import Any

from ..case import Broken
from ..connection import Connection, show
from ..process.process import Listener, Process
from ..process.pump import Pump
from ..settings import Settings
from ..wire.exact import exact_reader
from ..wire.messages import Json, Message
from ..wire_log import WireLog

#: What we say of limits unless a case wants others: the defaults of the spec.
LIMITS = {"maxFrameBytes": 4194304, "maxDepth": 128, "maxInFlight": 256}


class Talk(Connection):
    """The process is started by the constructor. `info` is what it answered to `initialize`, once it did."""

    def __init__(self, name: str, pump: Pump, settings: Settings, log: WireLog) -> None:
        super().__init__(name, log, framing=settings.framing, patience=settings.patience)
        self._sent_reader = exact_reader(settings.framing)
        self.info: dict[str, Any] = {}
        self._start_patience = settings.start_patience
        listener = Listener(self.take_bytes, self.take_end, self._take_stderr, self._take_exit)
        log.add(name, "event", f"start: {' '.join(settings.command)}")
        self.process = Process(pump, settings.command, listener, cwd=Path(settings.cwd), env=settings.environment())
        self.attach(self.process.stdin.send)
        # A host that declares no capability is not called; a plugin that does so all the same shall not wait for it.
        self.reflexes["ping"] = lambda _: {"result": None}

    def initialize(self, **params: Json) -> Message:
        """Sends `initialize`, with members of its params replaced by those given (None leaves one out); the
        response.
        """
        return self.expect_answer(
            self.request("initialize", initialize_params(**params)), within=self._start_patience, rule="LIF-04"
        )

    def ready(self, **params: Json) -> "Talk":
        """Opens the conversation as a host does; Broken when the plugin refuses."""
        answer = self.initialize(**params)
        if not isinstance(answer.result, dict):
            raise Broken("the plugin refused initialize", expected="a result", got=show(answer), requirement="LIF-04")
        self.info = answer.result
        self.notify("initialized")
        return self

    def ask(self, method: str, params: Json = None, **members: Json) -> Message:
        """Sends a request and waits for its response, whatever it is."""
        return self.expect_answer(self.request(method, params, **members))

    def expect_alive(self, rule: str = "") -> None:
        """Broken unless `ping` is answered. With what is a question of its own (LIF-18)."""
        self.expect_answer(self.request("ping"), rule=rule or "LIF-18")

    def expect_exit(self, *codes: int, rule: str = "") -> int:
        """Waits for the end of the process; Broken where it goes on, or ends with another code or by a signal."""
        code = self.process.wait(self.patience)
        if code is None:
            raise Broken(
                "the process goes on",
                expected="the end of the process",
                got=f"running after {self.patience:g} s",
                requirement=rule,
            )
        if code < 0 or (codes and code not in codes):
            expected = f"exit code {' or '.join(map(str, codes))}" if codes else "an exit code of its own"
            raise Broken("the process ended another way", expected=expected, got=exit_words(code), requirement=rule)
        return code

    def expect_close(self, rule: str = "FRM-10") -> None:
        """After a lost frame boundary: the process ends by itself, with a code that is not 0, and sends nothing
        more.
        """
        code = self.expect_exit(rule=rule)
        self.expect_end(rule=rule)
        if code == 0:
            raise Broken(
                "the process ended as if all was well", expected="an exit code that is not 0", got="0", requirement=rule
            )

    def shut_down(self) -> None:
        """Ends the conversation as a host does; Broken unless the answer is null and the exit code 0 (LIF-13,
        LIF-15).
        """
        answer = self.ask("shutdown")
        if not answer.has("result") or answer.result is not None:
            raise Broken("shutdown was not answered with null", expected="null", got=show(answer), requirement="LIF-13")
        self.notify("exit")
        self.expect_exit(0, rule="LIF-15")

    def send_pieces(self, *pieces: bytes) -> None:
        """Sends each piece when the plugin has read the one before, so that it comes alone."""
        for piece in pieces:
            self.send(piece)
            self.process.stdin.wait_until_read(self.patience)

    def end(self, *, stuck: bool = False) -> None:
        """Kills what still runs of it. What it says from now on is noted, and no longer judged: it is asked where it
        hangs, and some programs answer that on their standard output.
        """
        self.over = True
        self.process.kill(dump=stuck)

    def pause_reading(self) -> None:
        """Leaves what the plugin writes in its pipe, until `resume_reading`."""
        self.process.stdout.pause()

    def resume_reading(self) -> None:
        self.process.stdout.resume()

    def _take_stderr(self, data: bytes) -> None:
        self.log.add(self.name, "stderr", data)

    def _take_exit(self, code: int) -> None:
        self.log.add(self.name, "event", f"the process ended: {exit_words(code)}")


def initialize_params(**changes: Json) -> dict[str, Json]:
    """The params of `initialize` of a host that supports nothing optional, changed as asked; None leaves a member
    out.
    """
    params: dict[str, Json] = {
        "protocolVersion": "1.0",
        "host": {"name": "plugin-conform", "version": "1"},
        "instance": "subject",
        "capabilities": {},
        "limits": dict(LIMITS),
    }
    return {name: value for name, value in (params | changes).items() if value is not None}


def exit_words(code: int) -> str:
    """An exit code for people."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
