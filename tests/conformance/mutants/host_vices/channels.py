"""Vices of channels: opening, joining and sending (chapter 08)."""

import json
import uuid
from collections import deque
from typing import Any

from plugwire.wire import ErrorCode, Raw, RequestError
from plugwire_host.services.channels import book, queue
from plugwire_host.services.channels.book import ChannelBook
from plugwire_host.services.channels.members import Producer
from plugwire_host.services.channels.outlet import Outlet
from plugwire_host.services.channels.queue import Channel
from plugwire_host.services.channels.service import ChannelService
from plugwire_host.services.params import Params
from tests.conformance.mutants.rewriting import put, rewrite
from tests.conformance.mutants.vices import vice


@vice("host", "channel-of-fewer-bytes", kills=("channels/open",), because="CHN-01")
def channel_of_fewer_bytes() -> None:
    """64 KiB where nothing is asked for."""
    rewrite(ChannelService, "_open", "default=1 << 20", "default=1 << 16")


@vice("host", "channel-handle-is-a-uuid", kills=("channels/handle",), because="CHN-02")
def channel_handle_is_a_uuid() -> None:
    good = ChannelBook.__init__

    def init(self: Any, frame_room: int, handles: Any) -> None:
        good(self, frame_room, lambda: f"ch_{uuid.uuid4().hex}")

    put(ChannelBook, "__init__", init)


@vice("host", "channel-as-asked-by-the-second", kills=("channels/open-by-name",), because="CHN-03")
def channel_as_asked_by_the_second() -> None:
    """The answer repeats the params, also where the channel is another."""
    rewrite(ChannelService, "_open", '"capacity": channel.capacity', '"capacity": capacity')


@vice("host", "channel-has-one-opener", kills=("channels/open-by-name",), because="CHN-03")
def channel_has_one_opener() -> None:
    rewrite(ChannelBook, "open", "channel.openers.add(party)", "channel.openers or channel.openers.add(party)")


@vice("host", "channel-for-its-opener-only", kills=("channels/join-by-handle",), because="CHN-04")
def channel_for_its_opener_only() -> None:
    """Others may join only while an opener is a member."""
    good = ChannelService._join_as

    def join_as(self: Any, party: Any, channel: Any, *more: Any) -> Any:
        members = {*channel.producers, *channel.consumers}
        if members and not (members | {party}) & channel.openers:
            raise RequestError("its opener is not there", code=ErrorCode.PERMISSION_DENIED)
        return good(self, party, channel, *more)

    put(ChannelService, "_join_as", join_as)


@vice("host", "channel-quota-of-channels-only", kills=("channels/open-quota",), because="CHN-05")
def channel_quota_of_channels_only() -> None:
    rewrite(book, "_check_quota", "if count > most:", 'if what == "channels" and count > most:')


@vice("host", "channel-quota-counts-a-name-twice", kills=("channels/open-quota",), because="CHN-05")
def channel_quota_counts_a_name_twice() -> None:
    rewrite(ChannelBook, "open", "if channel not in opened:", "if True:")


@vice("host", "leaves-unknown-channels", kills=("channels/unknown",), because="CHN-06")
def leaves_unknown_channels() -> None:
    rewrite(ChannelService, "_leave", "except ChannelClosed:", "except (ChannelClosed, InvalidParams):")


@vice("host", "delivers-before-the-answer", kills=("channels/join",), because="CHN-08")
def delivers_before_the_answer() -> None:
    rewrite(ChannelService, "_join", "self._book.note_joined", "self._settle(channel); self._book.note_joined")


@vice("host", "joins-twice", kills=("channels/join-twice",), because="CHN-09")
def joins_twice() -> None:
    """A second join begins the membership anew."""
    put(queue, "_check_free", lambda party, members, role: members.pop(party, None))


@vice("host", "credit-of-the-whole-capacity", kills=("channels/first-credit",), because="CHN-10")
def credit_of_the_whole_capacity() -> None:
    rewrite(Channel, "__init__", "min(capacity, WINDOW_ITEMS)", "capacity")


@vice("host", "credit-forgets-what-waits", kills=("channels/first-credit",), because="CHN-10")
def credit_forgets_what_waits() -> None:
    rewrite(Producer, "begin", "items - len(self.waiting)", "items")


@vice("host", "remembers-few-closed-channels", kills=("channels/join-closed",), because="CHN-11")
def remembers_few_closed_channels() -> None:
    put(book, "REMEMBERED", 1000)


@vice("host", "item-larger-than-a-frame", kills=("channels/largest-item",), because="CHN-13")
def item_larger_than_a_frame() -> None:
    rewrite(Channel, "__init__", "min(max_bytes, frame_room)", "max_bytes")


@vice("host", "writes-items-anew", kills=("channels/item-bytes",), because="CHN-15")
def writes_items_anew() -> None:
    """It decodes items and counts what it writes."""
    good = Channel.send

    def send(self: Any, party: Any, seq: int, items: list[Raw]) -> None:
        anew = [json.dumps(json.loads(bytes(item)), ensure_ascii=False, separators=(",", ":")) for item in items]
        good(self, party, seq, [Raw(text.encode()) for text in anew])

    put(Channel, "send", send)


@vice("host", "counts-blanks-around-items", kills=("channels/item-bytes",), because="CHN-13")
def counts_blanks_around_items() -> None:
    rewrite(
        Channel,
        "send",
        "sizes = [len(item) for item in items]",
        "sizes = [len(item) + 7 * (len(item) == 1024) for item in items]",
    )


@vice("host", "takes-half-a-batch", kills=("channels/batch",), because="CHN-14")
def takes_half_a_batch() -> None:
    """What stands before the item that is too large is taken."""
    good = Channel.send

    def send(self: Any, party: Any, seq: int, items: list[Raw]) -> None:
        large = next((place for place, item in enumerate(items) if len(item) > self.max_item_bytes), 0)
        if large and len(items) == 3:
            good(self, party, seq, items[:large])
            seq, items = seq + large, items[large:]
        good(self, party, seq, items)

    put(Channel, "send", send)


@vice("host", "calls-overrun-credit-invalid", kills=("channels/refused-batch",), because="CHN-15")
def calls_overrun_credit_invalid() -> None:
    rewrite(
        Channel,
        "_check",
        'raise QuotaExceeded(f"{len(sizes)} items were sent with credit for {producer.credit_items}")',
        'raise invalid("$.items", "too many")',
    )


@vice("host", "counts-refused-items", kills=("channels/refused-changes-nothing",), because="CHN-16")
def counts_refused_items() -> None:
    """Credit goes down before the batch is looked at."""
    rewrite(
        Channel,
        "_check",
        'raise QuotaExceeded(f"{size} bytes',
        'producer.credit_bytes -= size; raise QuotaExceeded(f"{size} bytes',
    )


@vice("host", "ends-a-membership-in-silence", kills=("channels/broken-rules",), because="CHN-17")
def ends_a_membership_in_silence() -> None:
    """People are not told."""
    rewrite(ChannelService, "_take", "self._router.warn(", "str.format(")


@vice("host", "takes-any-acknowledgement", kills=("channels/broken-rules",), because="CHN-17")
def takes_any_acknowledgement() -> None:
    rewrite(
        Outlet,
        "acknowledge",
        'raise invalid("$.seq", f"{consumer.next_seq - 1} is the last that was delivered")',
        "return []",
    )


@vice("host", "takes-credit-of-strangers", kills=("channels/strangers",), because="CHN-17")
def takes_credit_of_strangers() -> None:
    """Whoever gives credit gives it to the first consumer."""
    good = Channel.credit

    def credit(self: Any, party: Any, items: int, size: int) -> None:
        if self.consumers and party not in self.consumers:
            party = next(iter(self.consumers))
        good(self, party, items, size)

    put(Channel, "credit", credit)


@vice("host", "takes-items-after-the-close", kills=("channels/too-late",), because="CHN-18")
def takes_items_after_the_close() -> None:
    """What comes while something is still in the channel goes in."""
    good = ChannelService._send

    def send(self: Any, party: Any, raw: Any) -> None:
        params = Params(raw)
        channel = self._find(params)
        if channel.closed and channel.held:
            items = [item.copy() for item in params.items("items", 1024)]
            channel._outlet.put(items)
            channel._held_items += len(items)
        else:
            good(self, party, raw)

    put(ChannelService, "_send", send)


@vice("host", "punishes-items-after-the-close", kills=("channels/too-late",), because="CHN-18")
def punishes_items_after_the_close() -> None:
    """A second channel/closed, with an error, for what was on its way."""
    good = ChannelService._send

    def send(self: Any, party: Any, raw: Any) -> None:
        channel = self._find(Params(raw))
        if channel.closed:
            told = {"channel": channel.handle, "role": "producer", "error": {"message": "closed"}}
            party.send_notification("channel/closed", told)
        good(self, party, raw)

    put(ChannelService, "_send", send)


@vice("host", "lets-the-last-batch-in-first", kills=("channels/order-of-a-producer",), because="CHN-19")
def lets_the_last_batch_in_first() -> None:
    good = Producer.__init__

    class LastFirst(deque[Any]):
        def extend(self, items: Any) -> None:
            self.extendleft(reversed(list(items)))

    def init(self: Any, party: Any) -> None:
        good(self, party)
        self.waiting = LastFirst()

    put(Producer, "__init__", init)


@vice("host", "ignores-the-bytes-of-a-channel", kills=("channels/capacity",), because="CHN-07")
def ignores_the_bytes_of_a_channel() -> None:
    rewrite(Channel, "_admit", "self.max_bytes - self._held_bytes", "self.max_bytes")


@vice("host", "lets-one-producer-in-again", kills=("channels/turns-of-producers",), because="CHN-07")
def lets_one_producer_in_again() -> None:
    rewrite(Channel, "_admit", "self._admitting.append(producer)", "self._admitting.appendleft(producer)")


@vice("host", "keeps-back-all-credit", kills=("channels/credit-comes-back",), because="CHN-20")
def keeps_back_all_credit() -> None:
    """It gives credit back when there is none left, not when half of it is used."""
    rewrite(
        Channel,
        "_admit",
        "producer.owed_items * 2 >= self._window or producer.owed_bytes * 2 >= self.max_bytes",
        "producer.owed_items >= self._window or producer.owed_bytes >= self.max_bytes",
    )
