"""Passages that stand in two documents. Finding them out is work for several plugins at the same time.

Owns: the two channels between the application and its workers, and joining what they send. Does not own: what a passage
is (plugins/passages.py). A worker that dies gives back what it has not finished, and another one gets it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from diagnostics import Diagnostic, NotADiagnostic, count, member
from documents import Document
from large import LargeDocument
from plugwire import Channel, PlugwireError
from plugwire_host import Host

SERVICE = "copies"
AHEAD = 16
"""Documents in the channel: those that no worker has finished yet."""
LONGEST_SILENCE = 60.0
"""Seconds in which some worker has to have found something out."""
LONGEST_WORK = 3600.0
"""Seconds for all documents."""

Compared: TypeAlias = Document | LargeDocument
"""What is compared."""


class Copies:
    """One comparison. ``workers`` are instance names, ``step`` is called after each document."""

    def __init__(self, host: Host, workers: Sequence[str], journal: Path | None, step: Callable[[], None]) -> None:
        self._host = host
        self._workers = workers
        self._journal = journal
        self._step = step
        self._unread: set[str] = set()
        self._places: dict[str, set[tuple[str, int]]] = {}
        """By fingerprint: paths and lines. A set, because a document that was given back is read twice."""
        self.ended: dict[str, str] = {}
        """Workers that have ended in the middle, with the reason. What they had not finished, others have read."""
        self.problems: list[str] = []
        """Why some documents were not, or not wholly, compared."""

    async def compare(self, documents: Sequence[Compared]) -> list[tuple[Compared, Diagnostic]]:
        """Each passage that stands in another document, too, with where."""
        by_path = {str(document.path): document for document in documents}
        self._unread = set(by_path)
        try:
            await self._let_workers_read(by_path)
        except (PlugwireError, NotADiagnostic, TimeoutError) as error:
            self.problems.append(str(error) or f"no worker has found anything out for {LONGEST_SILENCE:g} s")
        finally:
            for document in documents:
                if isinstance(document, LargeDocument):
                    await document.close()
        if self._unread:
            self.problems.append(f"{len(self._unread)} of {len(documents)} documents were not read")
        return self._findings(by_path)

    async def _let_workers_read(self, by_path: dict[str, Compared]) -> None:
        queue = await self._host.open_channel(capacity=AHEAD, redeliver=True)
        found = await self._host.open_channel()
        # The application is a producer as well: so the channel stays open when the only one of the workers that has
        # sent anything dies (CHN-34).
        await found.send(None)
        work = asyncio.create_task(self._work(queue, found, list(by_path)))
        try:
            async with found, asyncio.timeout(LONGEST_SILENCE) as limit:
                async for item in found:
                    limit.reschedule(asyncio.get_running_loop().time() + LONGEST_SILENCE)
                    if item is not None:
                        await self._take(item, by_path)
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def _work(self, queue: Channel, found: Channel, paths: Sequence[str]) -> None:
        """Give work, and close the channel of what is found when the last worker has ended."""
        feeding = asyncio.create_task(self._feed(queue, paths))
        try:
            await asyncio.gather(*(self._employ(worker, queue, found) for worker in self._workers))
        finally:
            feeding.cancel()
            with contextlib.suppress(PlugwireError):
                await found.close()

    async def _feed(self, queue: Channel, paths: Sequence[str]) -> None:
        """A full channel makes the application wait, so that workers are never given more than they can do."""
        for path in paths:
            await queue.send({"path": path}, timeout=LONGEST_WORK)
        await queue.close()

    async def _employ(self, worker: str, queue: Channel, found: Channel) -> None:
        params: dict[str, Any] = {"documents": queue.reference, "findings": found.reference}
        if self._journal is not None:
            # A worker has a folder of its own to run in.
            params["journal"] = str(self._journal.absolute())
        try:
            # By its instance name, for all of them provide the same service (CAL-04).
            await self._host.call(f"{SERVICE}@{worker}/work", params, timeout=LONGEST_WORK)
        except PlugwireError as error:
            # What it has not finished is read by the others, if there are any.
            self.ended[worker] = str(error)

    async def _take(self, item: Any, by_path: dict[str, Compared]) -> None:
        """An item of a worker: ``{path, passages: [[fingerprint, line]], last}`` or ``{path, problem}``."""
        path = member(item, "path", str)
        document = by_path.get(path)
        if document is None:
            raise NotADiagnostic(f"{path!r:.100} was not given to any worker")
        if "problem" in item:
            self.problems.append(f"{document.shown}: {member(item, 'problem', str)}")
        else:
            for passage in member(item, "passages", list):
                fingerprint, line = _passage(passage)
                self._places.setdefault(fingerprint, set()).add((path, line))
        if ("problem" in item or member(item, "last", bool)) and path in self._unread:
            self._unread.remove(path)
            self._step()
            if isinstance(document, LargeDocument):
                await document.close()

    def _findings(self, by_path: dict[str, Compared]) -> list[tuple[Compared, Diagnostic]]:
        found = []
        for places in self._places.values():
            if len({path for path, _ in places}) > 1:
                in_order = sorted((by_path[path].shown, line, path) for path, line in places)
                for _, line, path in in_order:
                    shown, first = next((name, line) for name, line, other in in_order if other != path)
                    message = f"the same passage stands in {shown}:{first}"
                    found.append((by_path[path], Diagnostic(line, 1, "info", message, code="copy")))
        return found


def _passage(told: Any) -> tuple[str, int]:
    if not isinstance(told, list) or len(told) != 2:
        raise NotADiagnostic(f"a passage is a fingerprint and a line, and {told!r:.100} is not")
    passage = {"fingerprint": told[0], "line": told[1]}
    return member(passage, "fingerprint", str), count(passage, "line", least=1)
