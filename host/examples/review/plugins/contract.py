"""What the Python plugins of the review share: the shapes of the contract `review`, and opening a file in the editor.

The shapes are TypedDicts: the SDK checks against them, and announces them to whoever lists the plugin's methods.
"""

# No `from __future__ import annotations` here: it would hide NotRequired from whoever asks a TypedDict at run time, and
# all members would be required.
import asyncio
from collections.abc import Callable
from typing import Generic, Literal, NotRequired, TypedDict, TypeVar

from plugwire import Context

T = TypeVar("T")


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


class Latest(Generic[T]):
    """What was made of the latest version of each file, so that the same text is not taken apart twice.

    The file is opened in the editor every time, for only the editor knows its version. At most ``size`` files are kept.
    """

    def __init__(self, make: Callable[[str], T], size: int = 256) -> None:
        self._make = make
        self._size = size
        self._made: dict[str, tuple[int, T]] = {}

    async def of(self, path: str, ctx: Context) -> T:
        """Raises RequestError where the editor refuses to open the file: the caller of the plugin gets it as it is."""
        file: OpenFile = await ctx.call("editor/openFile", {"path": path})
        version, made = self._made.get(file["path"], (0, None))
        if made is None or version != file["version"]:
            # In a thread: a long text would keep the loop from seeing that the call is cancelled.
            made = await asyncio.to_thread(self._make, file["text"])
            self._made.pop(file["path"], None)
            self._made[file["path"]] = (file["version"], made)
            if len(self._made) > self._size:
                del self._made[next(iter(self._made))]
        return made
