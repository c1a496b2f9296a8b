"""``--trace FILE``: every frame of every plugin, one JSON object a line.

The first line names the program and the protocol; each other line has ``t`` (seconds since the start), ``plugin``,
``dir`` (``host>plugin`` or ``plugin>host``) and ``raw``: the body as text, so that a body that is no JSON survives.
Stray output has ``noise`` in the place of ``raw``, and what was no whole frame when its connection ended has ``cut``.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import click

from plugwire.wire import PROTOCOL_VERSION, Noise, RemoteProtocolError, make_reader

from ..config import PluginSpec
from .output import say, to_json

_LARGEST_LENGTH = 9_999_999_999


@contextlib.contextmanager
def open_trace(path: Path | None, plugins: Iterable[PluginSpec]) -> Iterator[TraceFile | None]:
    """The trace that was asked for, None when none was. Raises UsageError for a file that cannot be written."""
    if path is None:
        yield None
        return
    trace = TraceFile(path, plugins)
    try:
        trace.open()
    except OSError as error:
        raise click.UsageError(f"--trace {path}: {error.strerror}") from None
    try:
        yield trace
    finally:
        trace.close()


class TraceFile:
    """Cuts the bytes of each connection into frames with readers of its own, beside the ones that serve it."""

    def __init__(self, path: Path, plugins: Iterable[PluginSpec]) -> None:
        self._path = path
        self._framings = {spec.name: spec.framing for spec in plugins}
        self._readers: dict[tuple[str, bool], Any] = {}
        self._file: IO[str] | None = None
        self._start = time.monotonic()

    def open(self) -> None:
        """Raises OSError."""
        self._file = self._path.open("w", encoding="utf-8", buffering=1)
        self._write({"trace": "plugwire", "protocolVersion": PROTOCOL_VERSION, "format": 1})

    def close(self) -> None:
        """Write what is left, and close the file."""
        for plugin in self._framings:
            self.end(plugin)
        if self._file is not None:
            self._file.close()

    def end(self, plugin: str) -> None:
        """A connection of this plugin has ended; the next one begins with a frame of its own."""
        for sent in (True, False):
            reader = self._readers.pop((plugin, sent), None)
            if reader is not None and reader.unread:
                self._frame(plugin, sent, cut=reader.unread)

    def __call__(self, plugin: str, sent: bool, data: bytes) -> None:
        reader = self._readers.get((plugin, sent))
        if reader is None:
            reader = make_reader(self._framings[plugin], tolerate_noise=True, max_frame_bytes=_LARGEST_LENGTH)
            self._readers[plugin, sent] = reader
        reader.receive_data(data)
        try:
            while (frame := reader.next_frame()) is not None:
                if isinstance(frame, bytes):
                    self._frame(plugin, sent, raw=frame)
                elif isinstance(frame, Noise):
                    self._frame(plugin, sent, noise=frame.data)
        except RemoteProtocolError as error:
            self._write({"t": self._now(), "plugin": plugin, "lost": str(error)})

    def _frame(self, plugin: str, sent: bool, **content: bytes) -> None:
        direction = "host>plugin" if sent else "plugin>host"
        texts = {key: value.decode("utf-8", "backslashreplace") for key, value in content.items()}
        self._write({"t": self._now(), "plugin": plugin, "dir": direction, **texts})

    def _now(self) -> float:
        return round(time.monotonic() - self._start, 6)

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(to_json(line) + "\n")
        except OSError as error:
            # A full disk costs the trace, not the conversation.
            say(f"warning: --trace {self._path}: {error.strerror}; the trace ends here")
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
