"""A conversation with a host through one of its plugins, which the suite plays."""

import contextlib
import json
import os
import signal
import threading
from typing import Any

from ..case import Broken, TimedOut
from ..connection import Connection, show
from ..process.pump import Pump, Sink, Source
from ..settings import Settings
from ..wire.codes import METHOD_NOT_FOUND
from ..wire.messages import Json, Message
from ..wire_log import WireLog
from .door import Arrival
from .given import Given


class ProbeTalk(Connection):
    """A plugin as the host sees it. It behaves well of itself: it answers `initialize` as given, `ping` and `shutdown`,
    and ends on `exit` or at the end of its input, unless the case takes a reflex away (`reflexes.pop("shutdown")`).

    `opening` is the host's `initialize`, once it has come; `about` says how the process was started.
    """

    def __init__(self, given: Given, log: WireLog, settings: Settings) -> None:
        super().__init__(given.name, log, framing=given.framing, patience=settings.patience)
        self._start_patience = settings.start_patience
        self.given = given
        self.about: dict[str, Any] = {}
        self.opening: dict[str, Any] = {}
        self.gone = threading.Event()
        #: What the process has seen happen of what `catch` asked for, in order.
        self.signals: list[int] = []
        self._obeyed = threading.Semaphore(0)
        self._arrival: Arrival | None = None
        self._watcher: threading.Thread | None = None
        self._pipes: tuple[Source | Sink, ...] = ()
        self._initialized = threading.Event()
        self._shutdown_asked = False
        self._leaves_at_end = self._leaves_on_exit = True
        self.reflexes |= {"ping": _null, "shutdown": self._shut_down, "initialize": self._initialize}

    @property
    def instance(self) -> str:
        """The plugin's name at this host."""
        return str(self.opening.get("instance", self.name))

    @property
    def capabilities(self) -> dict[str, Json]:
        """What the host says that it supports."""
        found = self.opening.get("capabilities")
        return found if isinstance(found, dict) else {}

    @property
    def limits(self) -> dict[str, int]:
        found = self.opening.get("limits")
        return found if isinstance(found, dict) else {}

    @property
    def pid(self) -> int:
        return int(self.about.get("pid", 0))

    def arrive(self, arrival: Arrival, pump: Pump) -> None:
        """The host has started the process; from now on bytes flow."""
        self._arrival, self.about = arrival, arrival.about
        self.log.add(self.name, "event", f"the host started the plugin {self.name}: process {self.pid}")
        self._watcher = threading.Thread(target=self._watch, args=(arrival,), name=f"probe {self.name}", daemon=True)
        self._watcher.start()
        self._order(do="own")
        self._stdout, self._stderr = Sink(pump, arrival.stdout), Sink(pump, arrival.stderr)
        self.attach(self._stdout.send)
        # Last of all: what has come is answered at once.
        self._stdin = Source(pump, arrival.stdin, self.take_bytes, self._take_end)
        self._pipes = (self._stdout, self._stderr, self._stdin)

    def wait_ready(self) -> "ProbeTalk":
        """Waits until the host has sent `initialized`."""
        if not self._initialized.wait(self._start_patience):
            raise TimedOut(
                f"the host did not make {self.name} ready",
                expected="initialize, and initialized after its answer",
                got=f"nothing of that in {self._start_patience:g} s",
                requirement="LIF-08",
            )
        return self

    def open(self, result: dict[str, Json]) -> None:
        """Answers `initialize` with that result, and waits for `initialized`; for a plugin that is played by hand."""
        self.answer(self.expect_opening(), result)
        self.wait_ready()

    def expect_opening(self) -> Message:
        """The host's `initialize`, for a plugin that is played by hand."""
        request = self.expect_request("initialize", rule="LIF-03")
        self._note_opening(request)
        return request

    def ask(self, method: str, params: Json = None, **members: Json) -> Message:
        """Sends a request to the host and waits for its response, whatever it is."""
        return self.expect_answer(self.request(method, params, **members))

    def ask_result(self, method: str, params: Json = None, **members: Json) -> Json:
        """Sends a request to the host and waits for its result."""
        return self.expect_result(self.request(method, params, **members))

    def expect_alive(self, rule: str = "") -> None:
        """Broken unless the host answers a `ping` of this plugin; also proves that the host has read all that we
        sent.
        """
        answer = self.expect_answer(self.request("ping"), rule=rule)
        if not (answer.has("result") and answer.result is None) and answer.error_code != METHOD_NOT_FOUND:
            raise Broken(
                "ping was not answered with null", expected="null", got=show(answer), requirement=rule or "LIF-18"
            )

    # What a process can do, beside sending.

    def write_stderr(self, data: bytes) -> None:
        self.log.add(self.name, "event", f"the plugin {self.name} writes {len(data)} bytes to its standard error")
        self._stderr.send(data)

    def pause_reading(self) -> None:
        """Leaves what the host writes in its pipe, until `resume_reading`."""
        self._stdin.pause()

    def resume_reading(self) -> None:
        self._stdin.resume()

    def wait_until_taken(self, *, stderr: bool = False) -> bool:
        """Waits until the host has made room for all that we sent; False when it has not in time."""
        return (self._stderr if stderr else self._stdout).wait_until_taken(self.patience)

    def wait_until_read(self) -> bool:
        """Waits until the host has read all that we sent; False when it has not in time."""
        return self._stdout.wait_until_read(self.patience)

    def close_stdout(self) -> None:
        """The plugin closes its standard output and lives on."""
        self._stdout.close()

    def close_stdin(self) -> None:
        self._stdin.close()

    def exit(self, code: int, *, pipes_stay: bool = False) -> None:
        """The process ends with that code, and all its pipes with it, unless a program that it started has them too."""
        self._leave(pipes_stay, do="exit", code=code)

    def die(self, number: int = signal.SIGKILL) -> None:
        """The process is ended by that signal."""
        self._leave(do="die", signal=int(number))

    def ignore(self, number: int) -> None:
        """The process ignores that signal from now on."""
        self._order(do="ignore", signal=int(number))

    def catch(self, number: int) -> None:
        """The process takes note of that signal from now on, and does nothing else about it."""
        self._order(do="catch", signal=int(number))

    def start_child(self, seconds: float) -> None:
        """The process starts another one that lives for so many seconds unless it is ended."""
        self._order(do="child", seconds=seconds)

    def stay_at_end(self) -> None:
        """The plugin takes no notice of `exit`, nor of the end of its input."""
        self._leaves_at_end = self._leaves_on_exit = False

    def stay_on_exit(self) -> None:
        """The plugin takes no notice of `exit`, but leaves at the end of its input."""
        self._leaves_on_exit = False

    def wait_gone(self, seconds: float | None = None, rule: str = "") -> None:
        """Waits for the end of the process; Broken when it still runs then."""
        limit = self.patience if seconds is None else seconds
        if not self.gone.wait(limit):
            got = f"it runs after {limit:g} s"
            raise Broken(f"the host did not end the plugin {self.name}", expected="its end", got=got, requirement=rule)

    def end(self) -> None:
        """Kills the process if it still runs."""
        if self._arrival and not self.gone.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        if self._watcher is not None:
            self._watcher.join(self.patience)

    def _order(self, **what: Any) -> None:
        """Tells the process what to do, and waits until it has; one that ends by it, or has ended, is no error."""
        assert self._arrival, f"the plugin {self.name} was not started"
        with contextlib.suppress(OSError):
            self._arrival.orders.sendall(json.dumps(what).encode() + b"\n")
            self._obeyed.acquire(timeout=self.patience)

    def _leave(self, pipes_stay: bool = False, **what: Any) -> None:
        self.log.add(self.name, "event", f"the plugin {self.name} ends: {what}")
        # The end of its input, which comes of this, shall not make it leave a second time.
        self._leaves_at_end = False
        for pipe in () if pipes_stay else self._pipes:
            pipe.close()
        self._order(**what)

    def _take_end(self) -> None:
        self.take_end()
        if self._leaves_at_end:
            # Not on the pump's thread, which must not wait for the process.
            threading.Thread(target=self.exit, args=(0 if self._shutdown_asked else 1,), daemon=True).start()

    def _initialize(self, request: Message) -> dict[str, Json] | None:
        if self.given.result is None:
            return None
        self._note_opening(request)
        return {"result": self.given.result}

    def _note_opening(self, request: Message) -> None:
        if isinstance(request.params, dict):
            self.opening = request.params

    def _shut_down(self, request: Message) -> dict[str, Json]:
        self._shutdown_asked = True
        return {"result": None}

    def _take(self, message: Message) -> None:
        super()._take(message)
        if message.is_notification and message.method == "initialized":
            self._initialized.set()
        if message.is_notification and message.method == "exit" and self._leaves_on_exit:
            threading.Thread(target=self.exit, args=(0 if self._shutdown_asked else 1,), daemon=True).start()

    def _watch(self, arrival: Arrival) -> None:
        """Hears what the process says of orders, and sees its end, whoever ended it."""
        arrival.orders.settimeout(None)
        with contextlib.suppress(OSError):
            for line in arrival.orders.makefile("rb"):
                self._hear(line)
        self.log.add(self.name, "event", f"the process of the plugin {self.name} has ended")
        self.gone.set()
        self._obeyed.release()
        for pipe in self._pipes:
            pipe.close()
        arrival.orders.close()

    def _hear(self, line: bytes) -> None:
        if line == b"done\n":
            self._obeyed.release()
            return
        self.log.add(self.name, "event", f"the plugin {self.name} has seen {line.decode().strip()}")
        self.signals.append(int(line.split()[1]))


def _null(_: Message) -> dict[str, Json]:
    return {"result": None}
