"""All channels of a host, without I/O: names, handles, who opened them, and when they are forgotten. Spec 08."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from plugwire.wire import QuotaExceeded

from ..params import invalid
from .members import Party
from .queue import Channel, closed_error

MOST_CHANNELS = 1024
MOST_ITEMS = 1024 * 1024
MOST_BYTES = 256 * 1024 * 1024
"""What one opener may have open in all (CHN-05)."""
REMEMBERED = 1024
"""Channels of one opener that are closed and drained, and still answer with ChannelClosed (CHN-11)."""


def new_handle() -> str:
    """128 bits that nobody can guess (CHN-02)."""
    return f"ch_{secrets.token_hex(16)}"


class ChannelBook:
    """Raises RequestError for what is not there, or is too much."""

    def __init__(self, frame_room: int, handles: Callable[[], str] = new_handle) -> None:
        self._frame_room = frame_room
        self._handles = handles
        self._channels: dict[str, Channel] = {}
        self._names: dict[str, Channel] = {}
        self._opened: dict[Party, set[Channel]] = {}
        self._joined: dict[Party, set[Channel]] = {}
        self._drained: dict[Party, OrderedDict[str, dict[str, Any] | None]] = {}

    def open(
        self, party: Party, name: str | None, capacity: int = 256, max_bytes: int = 1 << 20, *, redeliver: bool = False
    ) -> Channel:
        """A new channel, or the one that is open under the name (CHN-01, CHN-03)."""
        channel = None if name is None else self._names.get(name)
        if channel is None or channel.closed:
            channel = Channel(self._handles(), capacity, max_bytes, redeliver, self._frame_room)
        opened = self._opened.get(party, set())
        if channel not in opened:
            _check_quota([*opened, channel])
        self._opened.setdefault(party, opened).add(channel)
        channel.openers.add(party)
        self._channels[channel.handle] = channel
        if name is not None:
            channel.name = name
            self._names[name] = channel
        return channel

    def find(self, handle: str) -> Channel:
        """Raises InvalidParams (CHN-06), or ChannelClosed where the channel is closed and drained."""
        channel = self._channels.get(handle)
        if channel is not None:
            return channel
        for drained in self._drained.values():
            if handle in drained:
                raise closed_error(drained[handle])
        raise invalid("$.channel", "there is no such channel")

    def note_joined(self, party: Party, channel: Channel) -> None:
        """So that ``end`` finds it."""
        self._joined.setdefault(party, set()).add(channel)

    def end(self, party: Party, name: str, why: str) -> set[Channel]:
        """A party is no more; the channels that it had to do with are to be looked after."""
        touched = self._opened.pop(party, set()) | self._joined.pop(party, set())
        self._drained.pop(party, None)
        for channel in touched:
            channel.end(party, name, why)
        return touched

    def forget_if_over(self, channel: Channel) -> int:
        """Forget a channel with which nothing can happen any more; how many items were lost with it (CHN-35)."""
        is_drained = channel.closed and channel.drained
        if self._channels.get(channel.handle) is not channel or not (is_drained or channel.abandoned):
            return 0
        del self._channels[channel.handle]
        if channel.name is not None and self._names.get(channel.name) is channel:
            del self._names[channel.name]
        for party in channel.openers:
            self._opened[party].discard(channel)
            if is_drained:
                remembered = self._drained.setdefault(party, OrderedDict())
                remembered[channel.handle] = channel.error
                if len(remembered) > REMEMBERED:
                    remembered.popitem(last=False)
        for joined in self._joined.values():
            joined.discard(channel)
        return channel.held


def _check_quota(channels: list[Channel]) -> None:
    for what, count, most in (
        ("channels", len(channels), MOST_CHANNELS),
        ("items", sum(channel.capacity for channel in channels), MOST_ITEMS),
        ("bytes", sum(channel.max_bytes for channel in channels), MOST_BYTES),
    ):
        if count > most:
            raise QuotaExceeded(
                f"it would have channels open with {count} {what} in all, and at most {most} are allowed; close some"
            )
