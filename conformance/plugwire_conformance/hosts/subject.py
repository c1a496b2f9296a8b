"""The host under test as a case sees it: started with plugins that the suite plays, and ended with all that it
started.
"""

import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..case import Broken, Checks, TimedOut
from ..connection import Connection
from ..process.process import Listener, Process
from ..process.pump import Pump
from ..settings import Settings
from ..wire_log import WireLog
from .door import Door, NobodyCame
from .given import Given, check_room, fill, listed, manifest, named, plugin
from .probe_talk import ProbeTalk

#: Looks at what a host has reported this often while it waits for more.
_GLANCE = 0.02


class HostRun:
    """One process of the host. `run["name"]` is the conversation with the plugin of that name."""

    def __init__(
        self, pump: Pump, settings: Settings, log: WireLog, given: tuple[Given, ...], of_host: Mapping[str, Any]
    ) -> None:
        self.log, self._pump, self._settings, self._patience = log, pump, settings, settings.patience
        self._door = Door()
        self.folder = self._door.folder
        self.probes = {one.name: ProbeTalk(one, log, settings) for one in given}
        commands = {one.name: [*self._door.command(one.name), *one.arguments] for one in given}
        for one in given:
            if one.manifest is not None:
                (self.folder / one.name).mkdir()
                (self.folder / one.name / "plugin.toml").write_text(manifest(one, commands[one.name]), encoding="utf-8")
        config = self.folder / "plugins.toml"
        config.write_text(listed(given, commands, of_host), encoding="utf-8")
        command = fill(settings.command, commands, str(config))
        log.add("host", "event", f"start: {' '.join(settings.command)}")
        self._written = bytearray()
        listener = Listener(self._take_stdout, lambda: None, self._take_stderr, self._take_exit)
        self.process = Process(pump, command, listener, cwd=Path(settings.cwd), env=settings.environment())
        self.arrived: list[str] = []
        #: Conversations with processes of a plugin that was started again since.
        self.forgotten: list[ProbeTalk] = []

    def __getitem__(self, name: str) -> ProbeTalk:
        return self.probes[name]

    def receive(self, name: str, within: float | None = None, rule: str = "LIF-03") -> ProbeTalk:
        """Waits until the host has started the plugin of that name; others that come meanwhile are let in too."""
        seconds = self._settings.start_patience if within is None else within
        deadline = time.monotonic() + seconds
        while name not in self.arrived:
            self._let_in(name, deadline - time.monotonic(), rule)
        return self.probes[name]

    def receive_again(self, name: str, within: float | None = None, rule: str = "LIF-20") -> ProbeTalk:
        """Waits until the host has started the plugin of that name once more; a new conversation takes its name."""
        self.arrived.remove(name)
        old = self.probes[name]
        self.probes[name] = ProbeTalk(old.given, self.log, self._settings)
        self.forgotten.append(old)
        return self.receive(name, within, rule)

    def expect_reported(self, *words: str, rule: str = "") -> None:
        """Waits until the host has told people, on its standard error or its output, a line that has all the words."""
        deadline = time.monotonic() + self._patience
        while not any(all(word in line for word in words) for line in self.reports()):
            if time.monotonic() > deadline:
                raise TimedOut(
                    f"the host did not report {' and '.join(words)}",
                    expected=f"a line that has {', '.join(words)}",
                    got=f"{len(self.reports())} lines, the last ones: {' / '.join(self.reports()[-3:])}",
                    requirement=rule,
                )
            time.sleep(_GLANCE)

    def expect_told(self, *words: str, lines: int = 4, rule: str = "") -> None:
        """Waits until the host has told people all the words, on so many lines in a row."""
        what = f"{', '.join(words)} within {lines} lines"
        self.expect_more(lambda: self._told(words, lines), f"a report of {what}", rule)

    def expect_more(self, found: Callable[[], bool], what: str, rule: str = "") -> None:
        """Waits until the host's reports are as wanted."""
        deadline = time.monotonic() + self._patience
        while not found():
            if time.monotonic() > deadline:
                got = f"{len(self.reports())} lines, the last ones: {' / '.join(self.reports()[-6:])}"[:2000]
                raise TimedOut(f"the host did not give {what}", expected=what, got=got, requirement=rule)
            time.sleep(_GLANCE)

    def _told(self, words: tuple[str, ...], lines: int) -> bool:
        told = self.reports()
        starts = [place for place, line in enumerate(told) if any(word in line for word in words)]
        return any(all(word in "\n".join(told[place : place + lines]) for word in words) for place in starts)

    def refuse_start(self, name: str, rule: str = "") -> None:
        """Broken when the host has started that plugin. End the host first, or prove that it had its time."""
        with contextlib.suppress(NobodyCame):
            while name not in self.arrived:
                arrival = self._door.wait(0)
                self.arrived.append(arrival.name)
                self.probes[arrival.name].arrive(arrival, self._pump)
        if name in self.arrived:
            raise Broken(f"the host started {name}", expected="no process of it", got="a process", requirement=rule)

    @property
    def shown(self) -> bytes:
        """What the host has written for people, as it is."""
        return bytes(self.process.stderr + self._written)

    def reports(self) -> list[str]:
        """The lines that the host has written for people."""
        return [*self._text(self.process.stderr), *self._text(self._written)]

    def ask_to_stop(self) -> None:
        """Sends the host SIGTERM, which asks it to end, and does not wait."""
        self.process.signal(signal.SIGTERM)

    def stop(self, rule: str = "LIF-14") -> int:
        """Asks the host to end, by SIGTERM, and waits for it; the exit code."""
        self.ask_to_stop()
        code = self.process.wait(self._patience * 4)
        if code is None:
            raise TimedOut("the host did not end on SIGTERM", expected="its end", got="it goes on", requirement=rule)
        return code

    def end(self, *, stuck: bool = False) -> None:
        """Kills the host and every plugin that it started."""
        self.process.kill(dump=stuck)
        self._door.close()
        for probe in [*self.probes.values(), *self.forgotten]:
            probe.end()

    @property
    def connections(self) -> list[Connection]:
        return [*self.forgotten, *self.probes.values()]

    def _let_in(self, name: str, seconds: float, rule: str) -> None:
        try:
            arrival = self._door.wait(max(seconds, 0))
        except NobodyCame:
            code = self.process.exit_code
            got = "the host goes on" if code is None else f"the host ended with {code}"
            last = " / ".join(self.reports()[-3:])
            raise TimedOut(
                f"the host did not start the plugin {name}",
                expected=f"a process of {name}",
                got=f"{got}: {last}",
                requirement=rule,
            ) from None
        if arrival.name in self.arrived:
            raise Broken(f"the host started the plugin {arrival.name} twice", requirement=rule)
        self.arrived.append(arrival.name)
        self.probes[arrival.name].arrive(arrival, self._pump)

    def _take_stdout(self, data: bytes) -> None:
        self._written += data
        self.log.add("host", "received", data)

    def _take_stderr(self, data: bytes) -> None:
        self.log.add("host", "stderr", data)

    def _take_exit(self, code: int) -> None:
        self.log.add("host", "event", f"the host ended with {code}")

    def _text(self, data: bytearray) -> list[str]:
        return bytes(data).decode("utf-8", "backslashreplace").splitlines()


class HostSubject:
    """One is made for each run of a case. `opening` is what the host said in `initialize` when the suite began."""

    def __init__(self, pump: Pump, settings: Settings, case: str, opening: dict[str, Any]) -> None:
        self._pump = pump
        self.settings, self.opening = settings, opening
        self.log = WireLog()
        self.checks = Checks(self.log, lambda: len(self.runs), self._end_from)
        self.random = random.Random(f"{settings.seed}/{case}")
        self.runs: list[HostRun] = []
        #: Settings of the host itself for the next start, such as the file of shared state (chapter 12).
        self.of_host: dict[str, Any] = {}

    @property
    def connections(self) -> list[Connection]:
        return [connection for run in self.runs for connection in run.connections]

    def launch(self, *given: Given) -> HostRun:
        """Starts the host with these plugins and waits for none of them."""
        check_room(self.settings.command, given, self.of_host)
        # A command that names more plugins than the case wants gets some that only behave well.
        spare = [plugin(f"spare{n}") for n in range(named(self.settings.command) - len(given))]
        run = HostRun(self._pump, self.settings, self.log, (*given, *spare), self.of_host)
        self.runs.append(run)
        return run

    @contextmanager
    def start(self, *given: Given) -> Iterator[HostRun]:
        """Starts the host with these plugins and waits until it has started all, and made those ready that answer."""
        run = self.launch(*given)
        for one in run.probes.values():
            run.receive(one.name)
        for one in run.probes.values():
            if one.given.result is not None:
                one.wait_ready()
        yield run

    def end(self, *, stuck: bool = False) -> None:
        """Kills what still runs."""
        self._end_from(0, stuck)

    def _end_from(self, first: int, stuck: bool) -> None:
        for run in self.runs[first:]:
            run.end(stuck=stuck)
