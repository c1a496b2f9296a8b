"""One channel without a host: the rules as a whole against a model, and single ones in words."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from plugwire.wire import InvalidParams, QuotaExceeded, Raw, RequestError
from plugwire_host.services.channels.members import Deliver, GiveCredit, Member, Park, TellClosed
from plugwire_host.services.channels.queue import Channel

FRAME = 100


class Party:
    def __init__(self, name: str) -> None:
        self.name = name
        self.congested = False
        self.takes = True


class Sender:
    """A producer as it sees itself."""

    def __init__(self, items: int, size: int) -> None:
        self.items = items
        self.size = size
        self.sent = 0


class Receiver:
    """A consumer as it sees itself."""

    def __init__(self, items: int, size: int) -> None:
        self.items = items
        self.size = size
        self.got: list[bytes] = []
        self.acknowledged = 0


def item(number: int, size: int) -> Raw:
    return Raw(str(number).rjust(size - 2, "0").join('""').encode())


class Channels(RuleBasedStateMachine):
    """Some parties do whatever they may, and what they may not."""

    @initialize(capacity=st.integers(1, 5), max_bytes=st.integers(20, 60), redeliver=st.booleans())
    def open(self, capacity: int, max_bytes: int, redeliver: bool) -> None:
        self.channel = Channel("ch_1", capacity, max_bytes, redeliver, FRAME)
        self.parties = [Party(name) for name in "abcd"]
        self.parked: list[Member] = []
        self.senders: dict[Party, Sender] = {}
        self.receivers: dict[Party, Receiver] = {}
        self.sent: dict[bytes, Party] = {}
        self.inside: list[bytes] = []  # sent, and not out of the channel for good, in the order of sending
        self.given: Counter[bytes] = Counter()
        self.may_return: set[bytes] = set()
        self.leaving: dict[tuple[Any, str], int | None] = {}  # members no more, who have to be told
        self.count = 0

    # What parties do

    @rule(who=st.integers(0, 3))
    def join_as_producer(self, who: int) -> None:
        party = self.parties[who]
        if self.channel.closed or party in self.senders:
            with pytest.raises(RequestError):
                self.channel.join_producer(party)
            return
        self.leaving.pop((party, "producer"), None)
        producer = self.channel.join_producer(party)
        self.senders[party] = Sender(producer.credit_items, producer.credit_bytes)
        self.settle()

    @rule(who=st.integers(0, 3), items=st.integers(0, 6), size=st.integers(0, 80))
    def join_as_consumer(self, who: int, items: int, size: int) -> None:
        party = self.parties[who]
        if party in self.receivers or (self.channel.closed and not self.inside):
            with pytest.raises(RequestError):
                self.channel.join_consumer(party, items, size)
            return
        self.leaving.pop((party, "consumer"), None)
        self.channel.join_consumer(party, items, size)
        self.receivers[party] = Receiver(items, size)
        self.settle()

    @precondition(lambda self: self.senders)
    @rule(who=st.integers(0, 3), sizes=st.lists(st.integers(6, 22), min_size=1, max_size=4))
    def send(self, who: int, sizes: list[int]) -> None:
        party = list(self.senders)[who % len(self.senders)]
        sender = self.senders[party]
        items = [item(self.count + number, size) for number, size in enumerate(sizes)]
        self.count += len(items)
        fits = len(sizes) <= sender.items and sum(sizes[:-1]) < sender.size
        before = self.channel.held
        if not fits or max(sizes) > self.channel.max_item_bytes:
            with pytest.raises(RequestError):
                self.channel.send(party, sender.sent + 1, items)
            assert self.channel.held == before
            return
        self.channel.send(party, sender.sent + 1, items)
        sender.sent += len(items)
        sender.items -= len(items)
        sender.size -= sum(sizes)
        for one in items:
            self.sent[bytes(one)] = party
            self.inside.append(bytes(one))
        self.settle()

    @precondition(lambda self: self.senders)
    @rule(who=st.integers(0, 3), seq=st.sampled_from([-1, 0, 2, 3]))
    def send_with_a_wrong_number(self, who: int, seq: int) -> None:
        party = list(self.senders)[who % len(self.senders)]
        with pytest.raises(InvalidParams):
            self.channel.send(party, self.senders[party].sent + seq, [item(0, 6)])

    @precondition(lambda self: self.receivers)
    @rule(who=st.integers(0, 3), items=st.integers(0, 4), size=st.integers(0, 60))
    def give_credit(self, who: int, items: int, size: int) -> None:
        party = list(self.receivers)[who % len(self.receivers)]
        self.channel.credit(party, items, size)
        self.receivers[party].items += items
        self.receivers[party].size += size
        self.settle()

    @precondition(lambda self: self.receivers)
    @rule(who=st.integers(0, 3), share=st.integers(1, 3))
    def acknowledge(self, who: int, share: int) -> None:
        self.acknowledge_by(list(self.receivers)[who % len(self.receivers)], share)

    def acknowledge_by(self, party: Party, share: int) -> None:
        receiver = self.receivers[party]
        up_to = receiver.acknowledged + -(-(len(receiver.got) - receiver.acknowledged) // share)
        if not self.channel.redeliver:
            up_to = receiver.acknowledged
        self.channel.acknowledge(party, up_to)
        for one in receiver.got[receiver.acknowledged : up_to]:
            self.inside.remove(one)
        receiver.acknowledged = up_to
        self.settle()

    @precondition(lambda self: self.receivers and self.channel.redeliver)
    @rule(who=st.integers(0, 3))
    def acknowledge_what_was_not_delivered(self, who: int) -> None:
        party = list(self.receivers)[who % len(self.receivers)]
        with pytest.raises(InvalidParams):
            self.channel.acknowledge(party, len(self.receivers[party].got) + 1)

    @rule(who=st.integers(0, 3), role=st.sampled_from(["producer", "consumer"]))
    def leave(self, who: int, role: str) -> None:
        party = self.parties[who]
        self.channel.leave(party, role)
        self.forget(party, role)
        self.settle()

    @rule(who=st.integers(0, 3))
    def end(self, who: int) -> None:
        party = self.parties[who]
        was_last = list(self.senders) == [party]
        self.end_party(party)
        assert self.channel.closed or not was_last
        self.parties[who] = Party(party.name)
        self.settle()

    @rule(who=st.integers(0, 3), role=st.sampled_from(["producer", "consumer"]))
    def break_the_rules(self, who: int, role: str) -> None:
        party = self.parties[who]
        was_member = party in (self.senders if role == "producer" else self.receivers)
        was_last = role == "producer" and list(self.senders) == [party]
        taken = self.senders[party].sent if role == "producer" and was_member else None
        assert self.channel.expel(party, role, QuotaExceeded("x")) is was_member
        if was_member:
            self.forget(party, role)
            self.leaving[party, role] = taken
        assert self.channel.closed or not was_last
        self.settle()

    @rule(chance=st.integers(0, 9))
    def close(self, chance: int) -> None:
        if chance == 0:
            self.channel.close()
            self.settle()

    @rule(who=st.integers(0, 3), congested=st.booleans())
    def read_or_not(self, who: int, congested: bool) -> None:
        self.parties[who].congested = congested
        self.read_again()

    def read_again(self) -> None:
        for member in [member for member in self.parked if not member.party.congested]:
            self.parked.remove(member)
            self.channel.unpark(member)
        self.settle()

    @rule(who=st.integers(0, 3))
    def stop_taking(self, who: int) -> None:
        self.parties[who].takes = False

    def end_party(self, party: Party) -> None:
        self.channel.end(party, party.name, "exit code 1")
        self.forget(party, "producer")
        self.forget(party, "consumer")

    def forget(self, party: Party, role: str) -> None:
        self.leaving.pop((party, role), None)
        if role == "producer":
            self.senders.pop(party, None)
        elif party in self.receivers:
            receiver = self.receivers.pop(party)
            self.may_return |= set(receiver.got[receiver.acknowledged :]) if self.channel.redeliver else set()

    # What the channel says

    def settle(self) -> None:
        self.expect_farewells()
        while (effect := self.channel.next_effect()) is not None:
            match effect:
                case Park(member):
                    assert member.party.congested
                    self.parked.append(member)
                case Deliver():
                    self.take(effect)
                case GiveCredit(member, items, size):
                    self.senders[member.party].items += items  # type: ignore[index]
                    self.senders[member.party].size += size  # type: ignore[index]
                case TellClosed(member, _, taken):
                    assert self.leaving.pop((member.party, member.role)) == taken
                    assert not member.party.congested
            self.expect_farewells()

    def expect_farewells(self) -> None:
        if self.channel.closed:
            self.leaving |= {(party, "producer"): sender.sent for party, sender in self.senders.items()}
            self.senders.clear()
            if not self.inside:
                self.leaving |= {(party, "consumer"): None for party in self.receivers}
                self.receivers.clear()

    def take(self, deliver: Deliver) -> None:
        party: Any = deliver.member.party
        if not party.takes:
            self.channel.put_back(deliver)
            return
        receiver = self.receivers[party]
        assert deliver.seq == len(receiver.got) + 1
        items = [bytes(one) for _, one in deliver.batch]
        assert items
        assert sum(map(len, items)) + len(items) - 1 <= FRAME
        for place, one in enumerate(items):
            assert receiver.items > 0, "more than its credit of items"
            assert receiver.size > 0, "more than its credit of bytes"
            receiver.items -= 1
            receiver.size -= len(one)
            again = one in self.may_return
            assert again == (place < deliver.redelivered)
            assert again or self.given[one] == 0, "delivered twice"
            self.may_return.discard(one)
            self.given[one] += 1
            self.check_order(one, again)
            receiver.got.append(one)
            if not self.channel.redeliver:
                self.inside.remove(one)
        self.channel.delivered(deliver)

    def check_order(self, one: bytes, again: bool) -> None:
        """The first time, the items of one producer come in the order in which they were sent."""
        if not again:
            before = [other for other in self.inside[: self.inside.index(one)] if self.sent[other] is self.sent[one]]
            assert all(self.given[other] for other in before)

    # What holds at any time

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "channel"):
            assert self.channel.held == len(self.inside)

    @invariant()
    def the_bounds_hold(self) -> None:
        if hasattr(self, "channel"):
            channel = self.channel
            assert channel._held_items <= channel.capacity
            assert channel._held_bytes <= channel.max_bytes
            for producer in [*channel.producers.values(), *channel._left.values()]:
                assert len(producer.waiting) <= min(channel.capacity, 1024)
                assert producer.waiting_bytes == sum(map(len, producer.waiting)) < 2 * channel.max_bytes

    @invariant()
    def nobody_waits_without_a_reason(self) -> None:
        if not hasattr(self, "channel"):
            return
        queued = len(self.channel._outlet._queue)
        for party, receiver in self.receivers.items():
            assert not queued or party.congested or not party.takes or receiver.items <= 0 or receiver.size <= 0
        for party, sender in self.senders.items():
            waits = len(self.channel.producers[party].waiting) if party in self.channel.producers else 0
            assert waits or party.congested or (sender.items > 0 and sender.size > 0)
        assert all(party.congested for party, _ in self.leaving)

    def teardown(self) -> None:
        """Everybody reads, takes and acknowledges: everything comes out, and everybody is told."""
        if not hasattr(self, "channel"):
            return
        self.channel.close()
        for party in self.parties:
            party.congested = False
            if not party.takes:
                self.end_party(party)
        self.read_again()
        if not self.channel.drained:
            last = Party("last")
            self.channel.join_consumer(last, 0, 0)
            self.receivers[last] = Receiver(0, 0)
        while not self.channel.drained:
            before = len(self.inside), sum(self.given.values())
            for party in list(self.receivers):
                self.channel.credit(party, 100, 1000)
                self.receivers[party].items += 100
                self.receivers[party].size += 1000
            self.settle()
            for party in list(self.receivers):
                if party in self.receivers:
                    self.acknowledge_by(party, 1)
            assert (len(self.inside), sum(self.given.values())) != before, "it stands still"
        self.settle()
        assert (self.inside, self.senders, self.receivers, self.leaving) == ([], {}, {}, {})
        assert all(self.given[one] for one in self.sent)
        assert self.channel.redeliver or max(self.given.values(), default=1) == 1


ChannelRules = pytest.mark.requirement(
    "CHN-07", "CHN-12", "CHN-16", "CHN-19", "CHN-20", "CHN-21", "CHN-22", "CHN-23", "CHN-24", "CHN-26", "CHN-27",
    "CHN-28", "CHN-31", "CHN-34", "CHN-37", "CHN-38", "CHN-39",
)(Channels.TestCase)  # fmt: skip
ChannelRules.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
