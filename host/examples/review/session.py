"""One review: every check on every document, at the same time as far as that is wise, whatever fails.

Owns: who is asked, how many at a time, and what is known of those who failed. Does not own: the plugins' processes,
which are the host's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from changes import Changes
from checks import CHECKS, LINKS, LINKS_BATCH, Check, check_links
from copies import SERVICE as COPIES
from copies import Compared, Copies
from diagnostics import Diagnostic, Finding, NotADiagnostic
from documents import Document
from editor import Editor
from plugwire import PlugwireError
from plugwire_host import Host, PluginState, StartupFailed
from report import Progress


class Session:
    """The plugins of a running host, at work on an editor's documents. At most ``jobs`` calls are open at a time."""

    def __init__(
        self, host: Host, editor: Editor, progress: Progress, *, jobs: int, journal: Path | None = None
    ) -> None:
        self.missing: dict[str, str] = {
            record.name: f"it did not start: {_cause(record.failure)}"
            for record in host.plugins.values()
            if record.state is PluginState.FAILED
        }
        """Plugins whose diagnostics are not, or not all, among the findings, with the reason."""
        self.host = host
        self._editor = editor
        self._progress = progress
        self._slots = asyncio.Semaphore(jobs)
        # Who can be called is asked once: a plugin that ends later has failed, and is not simply passed over.
        self._services = {service["service"] for service in host.services}
        self._workers = [service["instance"] for service in host.services if service["service"] == COPIES]
        self._journal = journal
        self._findings: list[Finding] = []

    @property
    def has_plugins(self) -> bool:
        """Whether there is anyone to ask; the application itself provides ``editor``."""
        return bool(self._services - {"editor"})

    @property
    def reads_large(self) -> bool:
        """Whether there is anyone for documents that come as shared memory."""
        return bool(self._workers)

    async def tell(self, changes: Changes, documents: list[Document]) -> None:
        """Tell the plugins that these have changed, before they are asked again."""
        for plugin in await changes.tell(documents):
            self._fail(plugin, "it does not say that it has taken note of a change")

    async def review(self) -> list[Finding]:
        """All findings, in order. Cancelling it cancels every call."""
        self._findings = []
        documents = self._editor.documents
        single = [
            (check, document)
            for document in documents
            for check in CHECKS
            if check.service in self._services and check.wants(document)
        ]
        linked = [document for document in documents if LINKS.service in self._services and LINKS.wants(document)]
        batches = [linked[at : at + LINKS_BATCH] for at in range(0, len(linked), LINKS_BATCH)]
        compared: list[Compared] = [*documents, *self._editor.large] if self._workers else []
        self._progress.start(len(single) + len(linked) + len(compared))
        async with asyncio.TaskGroup() as tasks:
            if compared:
                tasks.create_task(self._compare(compared))
            for batch in batches:
                tasks.create_task(self._in_a_slot(LINKS.service, partial(self._check_links, batch)))
            for check, document in single:
                tasks.create_task(self._in_a_slot(check.service, partial(self._check, check, document)))
        self._progress.clear()
        return sorted(self._findings, key=lambda finding: finding.order)

    async def _compare(self, documents: list[Compared]) -> None:
        """Apart from the slots: how much is done at a time is for the workers to say."""
        copies = Copies(self.host, self._workers, self._journal, self._progress.step)
        try:
            for document, diagnostic in await copies.compare(documents):
                self._add(COPIES, document, diagnostic)
        except NotADiagnostic as error:
            copies.problems.append(str(error))
        for worker, reason in copies.ended.items():
            self._progress.note(f"{worker} has ended in the middle of its work: {reason}")
        if copies.problems:
            self._fail(COPIES, "; ".join(copies.problems[:3]))

    async def _in_a_slot(self, service: str, work: Callable[[], Awaitable[None]]) -> None:
        """What goes wrong with one call is told of its plugin, and the others go on."""
        async with self._slots:
            try:
                await work()
            except (PlugwireError, NotADiagnostic) as error:
                self._fail(service, str(error))
            except (KeyError, TypeError) as error:
                # An adapter did not find what it knows of the plugin's answers.
                self._fail(service, f"its answer cannot be understood: {error!r}")

    async def _check(self, check: Check, document: Document) -> None:
        try:
            for diagnostic in await check.run(self.host, document):
                self._add(check.service, document, diagnostic)
        finally:
            self._progress.step()

    async def _check_links(self, documents: list[Document]) -> None:
        done = 0

        def on_progress(value: dict[str, Any]) -> None:
            nonlocal done
            told = value.get("done")
            if isinstance(told, int):
                self._progress.step(told - done)
                done = told

        try:
            for document, diagnostic in await check_links(self.host, documents, on_progress):
                self._add(LINKS.service, document, diagnostic)
        finally:
            self._progress.step(len(documents) - done)

    def _add(self, service: str, document: Compared, diagnostic: Diagnostic) -> None:
        if document.offset(diagnostic.line, diagnostic.column) is None:
            raise NotADiagnostic(f"{document.shown} has no line {diagnostic.line} with a column {diagnostic.column}")
        self._findings.append(Finding(document.shown, service, diagnostic))

    def _fail(self, service: str, reason: str) -> None:
        """Told once for each plugin: one that is broken would fail with every document."""
        if service not in self.missing:
            self.missing[service] = reason
            self._progress.note(f"{service} failed, so its findings are not complete: {reason}")


def _cause(failure: Exception | None) -> str:
    """One line; the whole text of a StartupFailed is a report of all that is known."""
    return failure.report.cause if isinstance(failure, StartupFailed) else str(failure)
