"""The plugin under test as a case sees it: it starts as many processes of it as the case wants, and ends them all."""

import random
from typing import Any

from ..case import Checks
from ..connection import Connection
from ..process.pump import Pump
from ..settings import Settings
from ..wire.messages import Json
from ..wire_log import WireLog
from .talk import Talk


class PluginSubject:
    """One is made for each run of a case. `info` is what the plugin said to `initialize` when the suite began."""

    def __init__(self, pump: Pump, settings: Settings, case: str, info: dict[str, Any]) -> None:
        self._pump = pump
        self.settings, self.info = settings, info
        self.log = WireLog()
        self.checks = Checks(self.log, lambda: len(self.talks), self._end_from)
        #: The same numbers for the same seed and case.
        self.random = random.Random(f"{settings.seed}/{case}")
        self.talks: list[Talk] = []

    @property
    def connections(self) -> list[Connection]:
        return list(self.talks)

    def launch(self) -> Talk:
        """A process of the plugin to which nothing was said yet."""
        talk = Talk(f"plugin {len(self.talks) + 1}", self._pump, self.settings, self.log)
        self.talks.append(talk)
        return talk

    def ready(self, **params: Json) -> Talk:
        """A process of the plugin in the state *ready*; `params` replace members of our `initialize`."""
        return self.launch().ready(**params)

    def end(self, *, stuck: bool = False) -> None:
        """Kills what still runs; a process that is stuck may first say where."""
        self._end_from(0, stuck)

    def _end_from(self, first: int, stuck: bool) -> None:
        for talk in self.talks[first:]:
            talk.end(stuck=stuck)
