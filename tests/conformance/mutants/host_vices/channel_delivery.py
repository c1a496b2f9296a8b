"""Vices of channels: delivering, leaving and closing (chapter 08)."""

from typing import Any

from plugwire.wire import ChannelClosed
from plugwire_host.services.channels import book
from plugwire_host.services.channels.book import ChannelBook
from plugwire_host.services.channels.outlet import MOST_CREDIT, Outlet
from plugwire_host.services.channels.queue import Channel
from plugwire_host.services.channels.service import ChannelService
from tests.conformance.mutants.rewriting import put, rewrite
from tests.conformance.mutants.vices import vice


@vice("host", "gives-an-item-to-two", kills=("channels/one-each",), because="CHN-21")
def gives_an_item_to_two() -> None:
    """The first item of a channel stays in the queue when it goes to one of three consumers."""
    good = Outlet._take_batch
    given: set[Any] = set()

    def take_batch(self: Any, consumer: Any, most: int) -> Any:
        deliver = good(self, consumer, most)
        if len(self.consumers) > 2 and self not in given:
            given.add(self)
            self._queue.appendleft(deliver.batch[0])
        return deliver

    put(Outlet, "_take_batch", take_batch)


@vice("host", "numbers-batches", kills=("channels/order",), because="CHN-22")
def numbers_batches() -> None:
    """seq goes up by one with each batch."""
    good = Outlet._take_batch
    batches: dict[Any, int] = {}

    def take_batch(self: Any, consumer: Any, most: int) -> Any:
        deliver = good(self, consumer, most)
        batches[consumer] = batches.get(consumer, 0) + 1
        object.__setattr__(deliver, "seq", batches[consumer])
        return deliver

    put(Outlet, "_take_batch", take_batch)


@vice("host", "counts-no-bytes-of-deliveries", kills=("channels/credit-kept",), because="CHN-23")
def counts_no_bytes_of_deliveries() -> None:
    rewrite(Outlet, "_take_batch", "consumer.credit_bytes -= size", "pass")


@vice("host", "wants-credit-for-the-whole-item", kills=("channels/credit-kept",), because="CHN-23")
def wants_credit_for_the_whole_item() -> None:
    rewrite(Outlet, "next_delivery", "c.credit_bytes > 0", "c.credit_bytes >= len(self._queue[0][1])")


@vice("host", "waits-for-the-first-in-line", kills=("channels/goes-on", "channels/redelivery"), because="CHN-24")
def waits_for_the_first_in_line() -> None:
    """A consumer without credit holds up those behind it."""
    rewrite(
        Outlet,
        "next_delivery",
        "if not able:",
        "if not able or self._turns[0].credit_items < 1:",
    )


@vice("host", "gives-all-to-the-first", kills=("channels/turns-of-consumers",), because="CHN-24")
def gives_all_to_the_first() -> None:
    rewrite(Outlet, "next_delivery", "min(share, consumer", "min(MOST_CREDIT, consumer")


@vice("host", "serves-the-oldest-consumer", kills=("channels/turns-of-consumers",), because="CHN-24")
def serves_the_oldest_consumer() -> None:
    rewrite(Outlet, "next_delivery", "self._turns.append(consumer)", "self._turns.appendleft(consumer)")


@vice("host", "delivers-to-who-does-not-read", kills=("channels/unread",), because="CHN-26")
def delivers_to_who_does_not_read() -> None:
    rewrite(Outlet, "next_delivery", "if consumer.party.congested:", "if False:")


@vice("host", "puts-back-in-the-order-of-leaving", kills=("channels/redelivery",), because="CHN-27")
def puts_back_in_the_order_of_leaving() -> None:
    rewrite(Outlet, "drop", "sorted([*before, *consumer.unacknowledged])", "[*before, *consumer.unacknowledged]")


@vice("host", "loses-what-a-dead-consumer-had", kills=("channels/redelivery",), because="CHN-27")
def loses_what_a_dead_consumer_had() -> None:
    rewrite(
        Channel,
        "end",
        'self.leave(party, "consumer")',
        'self.consumers.get(party) and self.consumers[party].unacknowledged.clear()\n    self.leave(party, "consumer")',
    )


@vice("host", "marks-nothing-as-redelivered", kills=("channels/redelivered",), because="CHN-28")
def marks_nothing_as_redelivered() -> None:
    rewrite(ChannelService, "_settle", "if redelivered:", "if False:")


@vice("host", "wants-each-ack-once", kills=("channels/acknowledged",), because="CHN-29")
def wants_each_ack_once() -> None:
    rewrite(
        Outlet,
        "acknowledge",
        "if seq >= consumer.next_seq:",
        "if not consumer.next_seq - len(consumer.unacknowledged) <= seq < consumer.next_seq:",
    )


@vice("host", "checks-every-ack", kills=("channels/ack-ignored",), because="CHN-30")
def checks_every_ack() -> None:
    rewrite(Outlet, "acknowledge", "if not self._redeliver:", "if False:")


@vice("host", "drops-what-waits-of-the-dead", kills=("channels/sent-before-leaving",), because="CHN-31")
def drops_what_waits_of_the_dead() -> None:
    rewrite(
        Channel,
        "end",
        "self._left.pop(party, None)",
        "(lost := self._left.pop(party, None)) and lost.waiting.clear()",
    )


@vice("host", "gives-memberships-back", kills=("channels/ended-plugin",), because="CHN-32")
def gives_memberships_back() -> None:
    """A plugin that is started again is a consumer where it was one."""
    left, joined = ChannelService.left, ChannelService.joined
    kept: dict[str, list[Any]] = {}

    def ended(self: Any, participant: Any, reason: str) -> None:
        channels = self._book._channels.values()
        kept[participant.name] = [channel for channel in channels if participant in channel.consumers]
        left(self, participant, reason)

    def started(self: Any, participant: Any, answer: Any) -> None:
        joined(self, participant, answer)
        for channel in kept.get(participant.name, ()):
            channel.join_consumer(participant, MOST_CREDIT, MOST_CREDIT)

    put(ChannelService, "left", ended)
    put(ChannelService, "joined", started)


@vice("host", "refuses-to-let-strangers-leave", kills=("channels/leave",), because="CHN-33")
def refuses_to_let_strangers_leave() -> None:
    rewrite(
        ChannelService,
        "_leave",
        "channel.leave(call.participant, role)",
        'if call.participant not in (channel.producers if role == "producer" else channel.consumers):\n'
        '        raise RequestError("it is no member", code=ErrorCode.PERMISSION_DENIED)\n'
        "    channel.leave(call.participant, role)",
    )


@vice("host", "takes-a-lost-producer-for-the-end", kills=("channels/last-producer",), because="CHN-34")
def takes_a_lost_producer_for_the_end() -> None:
    """The channel is closed without an error."""
    rewrite(Channel, "_lose_producer", 'self.close(told_error(f"the last producer is gone: {why}"))', "self.close()")


@vice("host", "closes-when-a-producer-leaves", kills=("channels/last-producer",), because="CHN-34")
def closes_when_a_producer_leaves() -> None:
    """The last one that leaves in order closes the channel."""
    good = Channel.leave

    def leave(self: Any, party: Any, role: str) -> None:
        was = party in self.producers
        good(self, party, role)
        if was and not self.producers and self.consumers:
            self.close()

    put(Channel, "leave", leave)


@vice("host", "loses-items-in-silence", kills=("channels/forgotten",), because="CHN-35")
def loses_items_in_silence() -> None:
    rewrite(ChannelService, "_settle", "if lost:", "if False:")


@vice("host", "forgets-with-the-openers", kills=("channels/forgotten",), because="CHN-35")
def forgets_with_the_openers() -> None:
    """A channel is gone when its openers have ended, whoever is a member."""
    rewrite(Channel, "abandoned", "self.openers or self.producers or self.consumers", "self.openers")


@vice("host", "counts-closed-channels", kills=("channels/forgotten-quota",), because="CHN-35")
def counts_closed_channels() -> None:
    rewrite(ChannelBook, "forget_if_over", "self._opened[party].discard(channel)", "pass")


@vice("host", "lets-anybody-close", kills=("channels/who-closes",), because="CHN-36")
def lets_anybody_close() -> None:
    rewrite(ChannelService, "_close", "if not channel.closed and not any(", "if False and not any(")


@vice("host", "closes-a-second-time", kills=("channels/who-closes",), because="CHN-36")
def closes_a_second_time() -> None:
    """The error of the second close takes the place of the first one's."""
    rewrite(Channel, "close", "if self.closed:", "if self.closed and not error:")


@vice("host", "drops-what-waits-at-the-close", kills=("channels/close-drains",), because="CHN-37")
def drops_what_waits_at_the_close() -> None:
    rewrite(
        Channel,
        "close",
        "self.closed, self.error = True, error",
        "self.closed, self.error = True, error; self._admitting.clear()",
    )


@vice("host", "counts-as-taken-what-came-in", kills=("channels/closed-to-producers",), because="CHN-38")
def counts_as_taken_what_came_in() -> None:
    rewrite(Channel, "close", "producer.next_seq - 1)", "producer.next_seq - 1 - len(producer.waiting))")


@vice("host", "ends-before-the-last-ack", kills=("channels/closed-to-consumers",), because="CHN-39")
def ends_before_the_last_ack() -> None:
    """A channel is drained when all is delivered."""
    put(Channel, "drained", property(lambda self: not (self._outlet._queue or self._admitting)))


@vice("host", "forgets-why-a-channel-was-closed", kills=("channels/closed-error",), because="CHN-40")
def forgets_why_a_channel_was_closed() -> None:
    put(book, "closed_error", lambda error: ChannelClosed("the channel is closed"))
