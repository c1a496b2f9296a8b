"""``channel/…``: queues between plugins, kept by the host. Spec 08.

Owns: reading the messages, and saying what the channels want said. Does not own: the rules (queue.py), handles
and quotas (book.py). Items are never decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from plugwire.wire import ChannelClosed, ErrorCode, InvalidParams, Raw, RequestError
from plugwire.wire._codes import MAX_FRAME_BYTES

from ...routing.call import Call, Participant
from ...routing.router import Router
from ...routing.service import Answer, Taker
from ..params import RESOURCE_NAME, Params
from .book import ChannelBook, new_handle
from .ends import HostEnd
from .members import WINDOW_ITEMS, Deliver, GiveCredit, Member, Park, Party, TellClosed
from .outlet import MOST_CREDIT, told_error
from .queue import Channel

HANDLE = re.compile("ch_[A-Za-z0-9_-]{22,125}")
ROLES = ("producer", "consumer")
MOST_SEQ = 2**53 - 1
ENVELOPE = 512
"""Bytes of a frame that are left to whatever stands around the items."""


class ChannelService:
    """``frame_bytes`` is the largest body that plugins take. ``open_for_host`` is for the host's other services."""

    def __init__(
        self, router: Router, *, frame_bytes: int = MAX_FRAME_BYTES, handles: Callable[[], str] = new_handle
    ) -> None:
        self._router = router
        self._book = ChannelBook(frame_bytes - ENVELOPE, handles)
        self._host = _Host()
        self.requests: dict[str, Answer] = {
            "channel/open": self._open,
            "channel/join": self._join,
            "channel/send": self._answer_send,
            "channel/leave": self._leave,
            "channel/close": self._close,
        }
        self.notifications: dict[str, Taker] = {
            "channel/send": self._send,
            "channel/credit": self._credit,
            "channel/ack": self._acknowledge,
        }

    # Requests. What follows from them is said after their answer.

    def _open(self, call: Call) -> dict[str, Any]:
        params = Params(call.params)
        name = params.text("name", pattern=RESOURCE_NAME, default=None)
        capacity = params.integer("capacity", 1, 65536, default=256)
        max_bytes = params.integer("maxBytes", 1024, 64 << 20, default=1 << 20)
        channel = self._book.open(call.participant, name, capacity, max_bytes, redeliver=params.flag("redeliver"))
        return {
            "channel": channel.handle,
            "capacity": channel.capacity,
            "maxBytes": channel.max_bytes,
            "redeliver": channel.redeliver,
        }

    def _join(self, call: Call) -> dict[str, Any]:
        params = Params(call.params)
        channel = self._find(params)
        items = size = 0
        credit = params.nested("credit")
        if credit is not None:
            items, size = credit.integer("items", 0, MOST_CREDIT), credit.integer("bytes", 0, MOST_CREDIT)
        answer = self._join_as(call.participant, channel, params.choice("role", ROLES), items, size)
        self._book.note_joined(call.participant, channel)
        return answer

    def _join_as(self, party: Party, channel: Channel, role: str, items: int, size: int) -> dict[str, Any]:
        if role == "producer":
            producer = channel.join_producer(party)
            items, size = max(0, producer.credit_items), max(0, producer.credit_bytes)
        else:
            channel.join_consumer(party, items, size)
        self._settle_soon(channel)
        return {
            "credit": {"items": items, "bytes": size},
            "maxItemBytes": channel.max_item_bytes,
            "redeliver": channel.redeliver,
        }

    def _answer_send(self, call: Call) -> None:
        params = Params(call.params)
        channel = self._find(params)
        channel.send(call.participant, params.integer("seq", 1, MOST_SEQ), params.items("items", WINDOW_ITEMS))
        self._settle_soon(channel)

    def _leave(self, call: Call) -> None:
        params = Params(call.params)
        role = params.choice("role", ROLES)
        try:
            channel = self._find(params)
        except ChannelClosed:
            return
        channel.leave(call.participant, role)
        self._settle_soon(channel)

    def _close(self, call: Call) -> None:
        params = Params(call.params)
        error = _read_error(params.nested("error"))
        try:
            channel = self._find(params)
        except ChannelClosed:
            return
        party = call.participant
        members = (channel.openers, channel.producers, channel.consumers)
        if not channel.closed and not any(party in those for those in members):
            raise RequestError("only members and openers close a channel", code=ErrorCode.PERMISSION_DENIED)  # CHN-36
        channel.close(error)
        self._settle_soon(channel)

    def _find(self, params: Params) -> Channel:
        return self._book.find(params.text("channel", most=128, pattern=HANDLE))

    # Notifications

    def _send(self, party: Participant, raw: Raw | None) -> None:
        def act(channel: Channel, params: Params) -> None:
            seq, items = params.integer("seq", 1, MOST_SEQ), params.items("items", WINDOW_ITEMS)
            if not channel.closed:  # CHN-18
                channel.send(party, seq, items)

        self._take(party, raw, "producer", act)

    def _credit(self, party: Participant, raw: Raw | None) -> None:
        def act(channel: Channel, params: Params) -> None:
            params.choice("role", ("consumer",))
            items, size = params.integer("items", 0, MOST_CREDIT), params.integer("bytes", 0, MOST_CREDIT)
            channel.credit(party, items, size)

        self._take(party, raw, "consumer", act)

    def _acknowledge(self, party: Participant, raw: Raw | None) -> None:
        def act(channel: Channel, params: Params) -> None:
            channel.acknowledge(party, params.integer("seq", 0, MOST_SEQ))

        self._take(party, raw, "consumer", act)

    def _take(self, party: Participant, raw: Raw | None, role: str, act: Callable[[Channel, Params], None]) -> None:
        """Act on a notification; one that breaks the rules ends the membership (CHN-17)."""
        params = Params(raw)
        try:
            channel = self._find(params)
        except ChannelClosed:
            return
        try:
            act(channel, params)
        except RequestError as error:
            if not channel.expel(party, role, error):
                raise
            self._router.warn(party.name, f"it is a {role} of a channel no longer: {error.message}")
        self._settle(channel)

    # What channels want said

    def _settle_soon(self, channel: Channel) -> None:
        self._router.loop.call_soon(self._settle, channel)

    def _settle(self, channel: Channel) -> None:
        """Say all that there is to say about a channel, and forget it when that was all. No member acts on it yet."""
        while (effect := channel.next_effect()) is not None:
            party = cast("Participant | HostEnd", effect.member.party)
            told = {"channel": channel.handle}
            match effect:
                case Deliver(_, seq, batch, _, redelivered):
                    message: dict[str, Any] = {**told, "seq": seq, "items": [item for _, item in batch]}
                    if redelivered:
                        message["redelivered"] = redelivered
                    if party.send_notification("channel/deliver", message):
                        channel.delivered(effect)
                    else:
                        channel.put_back(effect)
                case GiveCredit(member, items, size):
                    message = {**told, "role": member.role, "items": items, "bytes": size}
                    party.send_notification("channel/credit", message)
                case TellClosed(member, error, taken):
                    more = {"error": error, "taken": taken}
                    message = {**told, "role": member.role, **{k: v for k, v in more.items() if v is not None}}
                    party.send_notification("channel/closed", message)
                case Park(member):
                    party.when_drained(partial(self._unpark, channel, member))
        lost = self._book.forget_if_over(channel)
        if lost:
            name = "" if channel.name is None else f" {channel.name!r}"
            self._router.warn(
                "host", f"{lost} items were in the channel{name} when everybody had left it; they are lost"
            )

    def _unpark(self, channel: Channel, member: Member) -> None:
        channel.unpark(member)
        self._settle(channel)

    # Participants

    def joined(self, participant: Participant, answer: Mapping[str, Any]) -> None:
        """Nothing is declared beforehand."""

    def left(self, participant: Participant, reason: str) -> None:
        for channel in self._book.end(participant, participant.name, reason):
            self._settle(channel)

    def close(self) -> None:
        """The plugins have ended; the application's waits end with its clients."""

    # For the host's other services

    def open_for_host(
        self, on_closed: Callable[[str | None], None], *, capacity: int = 8, max_bytes: int = 1 << 20
    ) -> HostEnd:
        """A new channel with a member in the host: see ends.py. Whoever opens it has to close or abandon it.

        Raises QuotaExceeded when the host itself has too much open (CHN-05).
        """
        channel = self._book.open(self._host, None, capacity, max_bytes)
        return HostEnd(self, channel.handle, on_closed)

    def join_host_end(self, end: HostEnd, role: str, items: int = 0, size: int = 0) -> dict[str, Any]:
        return self._join_as(end, self._book.find(end.handle), role, items, size)

    def act_for_host_end(self, end: HostEnd, act: Callable[[Channel], None]) -> None:
        """Change the end's channel, if it is still there."""
        try:
            channel = self._book.find(end.handle)
        except (ChannelClosed, InvalidParams):
            return
        act(channel)
        self._settle(channel)


class _Host:
    """Opens the channels of the host's own ends."""

    congested = False


def _read_error(params: Params | None) -> dict[str, Any] | None:
    if params is None:
        return None
    code = params.integer("code", -(2**31), 2**31 - 1, default=None)
    return told_error(params.text("message", most=4096), code)
