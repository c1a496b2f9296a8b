"""What the Python plugins of the review share: the shapes of the contract `review`, and what they keep of documents.

The shapes are TypedDicts: the SDK checks against them, and announces them to whoever lists the plugin's methods.
"""

# No `from __future__ import annotations` here: it would hide NotRequired from whoever asks a TypedDict at run time, and
# all members would be required.
import asyncio
from collections.abc import Callable
from typing import Generic, Literal, NotRequired, TypedDict, TypeVar

from plugwire import Context, Event, Plugin

T = TypeVar("T")

CHANGED = "document.changed"
NOTED = "document.noted"


class Edit(TypedDict):
    """Replaces ``length`` characters from a place on. Lines and columns count from 1, columns in code points."""

    line: int
    column: int
    length: int
    text: str


class Diagnostic(TypedDict):
    """One remark. Its edits belong together."""

    line: int
    column: int
    length: NotRequired[int]
    severity: Literal["error", "warning", "info"]
    message: str
    code: NotRequired[str]
    edits: NotRequired[list[Edit]]


class CheckResult(TypedDict):
    """What a plugin says of one document."""

    diagnostics: list[Diagnostic]


class OpenFile(TypedDict):
    """The editor's answer to ``editor/openFile``."""

    path: str
    text: str
    version: int


class WillSave(TypedDict):
    """The value of the hook ``document.willSave``: a text that is about to be written."""

    path: str
    text: str


class Latest(Generic[T]):
    """What was made of each file, so that the same text is neither sent nor taken apart twice.

    It is kept until the editor publishes ``document.changed``; then it is dropped, and the editor is told so with
    ``document.noted``: it waits for that before it asks again. At most ``size`` files are kept.
    """

    def __init__(self, plugin: Plugin, make: Callable[[str], T], size: int = 256) -> None:
        self._make = make
        self._size = size
        self._made: dict[str, tuple[str, T]] = {}
        self._heard = 0
        plugin.topic(NOTED, description="What was kept of a document is dropped: the data of document.changed.")

        # With `block` no event is left out because others came too fast.
        @plugin.on_event(CHANGED, policy="block")
        async def drop(event: Event) -> None:
            self._heard += 1
            changed = event.data["path"]
            self._made = {asked: kept for asked, kept in self._made.items() if kept[0] != changed}
            await plugin.publish(NOTED, event.data)

    async def of(self, path: str, ctx: Context) -> T:
        """Raises RequestError where the editor refuses to open the file: the caller of the plugin gets it as it is."""
        if path in self._made:
            return self._made[path][1]
        heard = self._heard
        file: OpenFile = await ctx.call("editor/openFile", {"path": path})
        # In a thread: a long text would keep the loop from seeing that the call is cancelled.
        made = await asyncio.to_thread(self._make, file["text"])
        # What changed while it was made is not kept: the event that would drop it has been.
        if heard == self._heard:
            # The editor's own path: a change is told with that, and this file may have been asked for through a link.
            self._made[path] = (file["path"], made)
            if len(self._made) > self._size:
                del self._made[next(iter(self._made))]
        return made
