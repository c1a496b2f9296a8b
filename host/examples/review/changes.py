"""Telling plugins which documents have changed, and asking them before one is written.

Owns: the event ``document.changed`` and the hook ``document.willSave``. Does not own: the texts (editor.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence

from diagnostics import NotADiagnostic, member
from documents import Document
from plugwire import HookStopped, PlugwireError, RequestError, Subscription
from plugwire_host import Host, PluginState

CHANGED = "document.changed"
NOTED = "document.noted"
WILL_SAVE = "document.willSave"

LONGEST_SILENCE = 3.0
"""Seconds in which some plugin has to note a change. Those that are behind after that are not waited for again."""

_SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "version": {"type": "integer", "minimum": 1}},
    "required": ["path", "version"],
    "additionalProperties": False,
}


def declare(host: Host) -> None:
    """What the application publishes; before it starts."""
    host.topic(CHANGED, description="A document has another text now.", schema=_SCHEMA)


class Changes:
    """Tells those who listen what has changed.

    Nobody waits for events: when a call follows one, it may be there first. So a plugin that keeps something of
    documents says that it does, by declaring ``document.noted``, and publishes that for each change; only when all of
    them have is it safe to ask again.
    """

    def __init__(self, host: Host, keepers: frozenset[str]) -> None:
        self._host = host
        self.keepers = keepers
        self._noted: dict[str, tuple[str, int]] = {}
        self._news = asyncio.Event()

    async def tell(self, documents: Sequence[Document]) -> list[str]:
        """Returns when all have noted all of it; those who have not in time."""
        if not documents:
            return []
        changed = [(str(document.path), document.version) for document in documents]
        try:
            async with asyncio.timeout(LONGEST_SILENCE) as limit:
                for path, version in changed:
                    await self._host.publish(CHANGED, {"path": path, "version": version})
                while self._behind(changed[-1]):
                    self._news.clear()
                    await self._news.wait()
                    limit.reschedule(asyncio.get_running_loop().time() + LONGEST_SILENCE)
        except (TimeoutError, RequestError):
            late = self._behind(changed[-1])
            self.keepers = self.keepers.difference(late)
            return late
        return []

    def _behind(self, last: tuple[str, int]) -> list[str]:
        """Events come in order: whoever has noted the last one has noted all."""
        plugins = self._host.plugins
        # One that has ended keeps nothing.
        running = [name for name in sorted(self.keepers) if plugins[name].state is PluginState.READY]
        return [name for name in running if self._noted.get(name) != last]

    async def listen(self, events: Subscription) -> None:
        """Take what plugins have noted. Who it was is the host's word; the rest is the plugin's, so it is checked."""
        async for event in events:
            with contextlib.suppress(NotADiagnostic):
                self._noted[event.sender] = (member(event.data, "path", str), member(event.data, "version", int))
                self._news.set()


@contextlib.asynccontextmanager
async def listening(host: Host) -> AsyncIterator[Changes]:
    """Changes, for the time in which it is listened to what plugins note."""
    topics = (await host.call("event/topics"))["topics"]
    changes = Changes(host, frozenset(topic["from"] for topic in topics if topic["topic"] == NOTED))
    if not changes.keepers:
        yield changes
        return
    async with host.subscribe(NOTED, policy="block") as events:
        # In a task of its own: what is published in a loop over events counts as published because of them (EVT-08).
        listener = asyncio.create_task(changes.listen(events))
        try:
            yield changes
        finally:
            listener.cancel()


async def ask_before_saving(host: Host, documents: Iterable[Document]) -> tuple[list[Document], dict[str, str]]:
    """Let plugins have the last word on each text that is about to be written.

    The result is the documents that they have changed, and those that shall not be written, with the reason.
    """
    changed, refused = [], {}
    for document in documents:
        try:
            value = await host.run_hook(WILL_SAVE, {"path": str(document.path), "text": document.text})
            text = member(value, "text", str)
        except HookStopped as stop:
            refused[document.shown] = f"{stop.data['by']} stopped it: {stop.data['reason']}"
        except (PlugwireError, NotADiagnostic) as error:
            refused[document.shown] = f"nobody can say whether it should be: {error}"
        else:
            if text != document.text:
                document.set_text(text)
                changed.append(document)
    return changed, refused
