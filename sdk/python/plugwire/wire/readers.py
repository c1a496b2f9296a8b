"""The reader of each framing."""

from __future__ import annotations

from ._codes import MAX_FRAME_BYTES
from .framing import Framing, Reader
from .header_framing import HeaderReader
from .line_framing import LineReader


def make_reader(
    framing: Framing,
    *,
    tolerate_noise: bool,
    from_plugin: bool | None = None,
    max_frame_bytes: int = MAX_FRAME_BYTES,
) -> Reader:
    """A reader of a stream; only a host tolerates noise (FRM-19, FRM-23), and may be told not to (FRM-22)."""
    if framing is Framing.HEADER:
        return HeaderReader(tolerate_noise=tolerate_noise, max_frame_bytes=max_frame_bytes)
    return LineReader(tolerate_noise=tolerate_noise, from_plugin=from_plugin, max_frame_bytes=max_frame_bytes)
