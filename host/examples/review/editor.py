"""The application's open documents, and the two methods through which plugins see them.

Owns: which documents are open, and what plugins may open. Does not own: what is done with them (review.py), and telling
plugins that they have changed (changes.py).
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any

from diagnostics import Finding
from documents import LARGEST, Document, NotSaved, TooLong, Unreadable
from large import LargeDocument
from plugwire import ErrorCode, RequestError
from plugwire_host import Host

SUFFIXES = (".md", ".py")
"""What is looked for in a folder. A file that is named itself may have any name."""
SKIPPED_FOLDERS = ("__pycache__", "node_modules")
"""Not walked, and neither is a folder whose name begins with a dot, such as ``.venv``."""

TOO_LONG = f"it has more than {LARGEST} bytes"

NO_SUCH_FILE = 1
"""The code of an error response of ours. A program's own codes are positive (ERR-02)."""


class Editor:
    """The documents that were named, and those that plugins asked for meanwhile."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        """What is reviewed."""
        self.large: list[LargeDocument] = []
        """What is too long for all but those checks that read shared memory."""
        self.left_out: dict[str, str] = {}
        """Files that could not be opened, with the reason."""
        self._folders: list[Path] = []
        self._by_path: dict[Path, Document | LargeDocument] = {}

    # What the user names

    def open(self, named: Iterable[str]) -> None:
        """Open files, and what there is to review in folders. Raises FileNotFoundError for what does not exist."""
        for name in named:
            path = Path(name)
            if path.is_dir():
                self._folders.append(path.resolve())
                for shown in walk(path):
                    self._open_named(shown)
            elif path.exists():
                self._open_named(path)
            else:
                raise FileNotFoundError(name)

    def _open_named(self, shown: Path) -> None:
        # Resolved, so that a file that is named twice, or through a link, is one document and is written where it is.
        path = shown.resolve()
        if path in self._by_path:
            return
        try:
            # A name that is no text in UTF-8 cannot be said in JSON.
            str(path).encode()
            document = open_document(path, shown.as_posix())
        except UnicodeEncodeError:
            self.left_out[shown.as_posix()] = "its name is not UTF-8"
            return
        except Unreadable as error:
            self.left_out[shown.as_posix()] = str(error)
            return
        self._by_path[path] = document
        if isinstance(document, LargeDocument):
            self.large.append(document)
        else:
            self.documents.append(document)

    def leave_out_large(self) -> dict[str, str]:
        """There is nobody who could read them; which ones, with the reason."""
        reasons = {document.shown: TOO_LONG for document in self.large}
        self.left_out |= reasons
        self.large = []
        return reasons

    # What plugins may ask

    def serve(self, host: Host) -> None:
        """Offer ``editor/openFile`` and ``editor/listFiles`` to the plugins.

        The handlers are coroutines although they hardly wait: so they run on the loop, one at a time, and two plugins
        that ask for the same file get the same document.
        """

        @host.method("editor/openFile")
        async def open_file(path: str, saved: bool = False, memory: bool = False) -> dict[str, Any]:
            """The text of a document as the editor has it, which may be newer than the file.

            ``saved`` asks for the file's. ``memory`` says that a long document may come as shared memory.
            """
            document = self._find(Path(path))
            answer: dict[str, Any] = {"path": str(document.path), "version": document.version}
            if isinstance(document, Document):
                return {**answer, "text": document.saved_text if saved else document.text}
            if not memory:
                raise RequestError(f"{path} cannot be opened as a text: {TOO_LONG}", code=NO_SUCH_FILE)
            try:
                return {**answer, "memory": await document.share(host)}
            except Unreadable as error:
                raise RequestError(f"{path} cannot be opened: {error}", code=NO_SUCH_FILE) from None

        @host.method("editor/listFiles")
        async def list_files(pattern: str | None = None) -> dict[str, Any]:
            """The documents under review; those that match, where there is a pattern such as ``*.md``."""
            paths = [document.path for document in self.documents]
            return {"files": [str(path) for path in paths if pattern is None or PurePath(path).match(pattern)]}

    def _find(self, asked: Path) -> Document | LargeDocument:
        """The document at a path. Raises RequestError, which is what the plugin gets as its answer.

        Links and ``..`` are resolved before the path is compared with anything: ``notes/../../secret`` begins with the
        right folder too.
        """
        path = asked.resolve()
        if path not in self._by_path:
            if not any(path.is_relative_to(folder) for folder in self._folders):
                message = f"{asked} is neither an open document nor in a folder under review"
                raise RequestError(message, code=ErrorCode.PERMISSION_DENIED)
            try:
                self._by_path[path] = open_document(path, asked.as_posix())
            except Unreadable as error:
                raise RequestError(f"{asked} cannot be opened: {error}", code=NO_SUCH_FILE) from None
        return self._by_path[path]

    # What is done with the findings

    def fix(self, findings: Iterable[Finding]) -> list[Finding]:
        """Apply the edits that do not overlap, in memory; the result is the findings that are dealt with."""
        by_document: dict[str, list[Finding]] = {}
        for finding in findings:
            by_document.setdefault(finding.path, []).append(finding)
        fixed = []
        for document in self.documents:
            fixed += document.apply(by_document.get(document.shown, []))
        return fixed

    @property
    def changed(self) -> list[Document]:
        """The documents that are newer than their files."""
        return [document for document in self.documents if document.changed]

    def save(self, refused: Container[str]) -> dict[str, str]:
        """Write the documents that were changed, but not those that are refused by the names that the user gave them.

        The result is those that could not be written, with the reason.
        """
        problems = {}
        for document in self.changed:
            if document.shown not in refused:
                try:
                    document.save()
                except NotSaved as error:
                    problems[document.shown] = str(error)
        return problems


def open_document(path: Path, shown: str) -> Document | LargeDocument:
    """Raises Unreadable."""
    try:
        return Document(path, shown)
    except TooLong:
        return LargeDocument(path, shown)


def walk(folder: Path) -> Iterator[Path]:
    """The files to review in a folder and the folders in it, in order.

    Symbolic links are left alone: a file is reviewed where it stands, and a link may lead anywhere.
    """
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith("."))
        for name in sorted(files):
            path = Path(here, name)
            if path.suffix in SUFFIXES and not name.startswith(".") and not path.is_symlink():
                yield path
