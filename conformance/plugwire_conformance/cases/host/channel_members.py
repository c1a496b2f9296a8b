"""What plugins do with channels: the producers and consumers that the suite plays towards a host.

Owns no case. They keep to the rules (credit, numbers) unless a case makes them break one.
"""

import time

from ...case import Broken, TimedOut
from ...hosts.given import Given, plugin
from ...hosts.probe_talk import ProbeTalk
from ...wire.messages import Json, Message, encode_json
from .told import Told, ask_told, told_of

#: Credit that is more than any case sends.
PLENTY = 1 << 24
#: Looks for what has come this often, in seconds, where there is more than one place to look.
_GLANCE = 0.005


def mortal(name: str, **members: Json) -> Given:
    """A plugin that the host does not start again when it ends."""
    return plugin(name, settings={"restart": "never"}, **members)


def open_channel(talk: ProbeTalk, **params: Json) -> str:
    """The handle of a channel that the plugin opens."""
    return str(ask_told(talk, "channel/open", params)["channel"])


def close_channel(talk: ProbeTalk, channel: str, error: Json = None) -> None:
    talk.ask_result("channel/close", {"channel": channel} | ({} if error is None else {"error": error}))


def leave(talk: ProbeTalk, channel: str, role: str, rule: str = "") -> None:
    talk.expect_result(talk.request("channel/leave", {"channel": channel, "role": role}), rule=rule)


class Producer:
    """A plugin as a producer of one channel. It counts its credit."""

    role = "producer"

    def __init__(self, talk: ProbeTalk, channel: str, rule: str = "") -> None:
        self.talk, self.channel = talk, channel
        joined = ask_told(talk, "channel/join", {"channel": channel, "role": self.role}, rule)
        self.max_item_bytes: int = joined["maxItemBytes"]
        credit = told_of(joined["credit"])
        self.first_items: int = credit["items"]
        self.first_bytes: int = credit["bytes"]
        self.sent_items: int = 0
        self.sent_bytes: int = 0
        self.given_items: int = 0
        self.given_bytes: int = 0

    @property
    def seq(self) -> int:
        """The number of the next item."""
        return self.sent_items + 1

    @property
    def credit_items(self) -> int:
        """Items that it may send now."""
        return self.first_items + self.given_items - self.sent_items

    @property
    def credit_bytes(self) -> int:
        """Bytes of items that it may send now."""
        return self.first_bytes + self.given_bytes - self.sent_bytes

    def send(self, *items: Json, rule: str = "") -> None:
        """Sends a batch as a request, and waits until it is taken."""
        self.talk.expect_result(self.request(*items), rule=rule)
        self._count(items)

    def push(self, *items: Json) -> None:
        """Sends a batch as a notification."""
        self.talk.notify("channel/send", self._batch(items, self.seq))
        self._count(items)

    def request(self, *items: Json, seq: int | None = None) -> Json:
        """The id of a request with that batch, which is not counted."""
        return self.talk.request("channel/send", self._batch(items, self.seq if seq is None else seq))

    def break_in(self, *items: Json, seq: int | None = None) -> None:
        """Sends a batch as a notification that is not counted, whatever the rules say."""
        self.talk.notify("channel/send", self._batch(items, self.seq if seq is None else seq))

    def hear_credit(self) -> None:
        """Counts the credit that has come by now."""
        for message in self.talk.taken(lambda message: self._concerns(message, "channel/credit")):
            self._add(message)

    def expect_credit(self, within: float | None = None, rule: str = "CHN-20") -> None:
        """Waits for more credit."""
        wanted = f"credit for the producer of {self.channel}"
        self._add(self.talk.wait_for(lambda m: self._concerns(m, "channel/credit"), wanted, within=within, rule=rule))

    def expect_room(self, items: int = 1, size: int = 1) -> None:
        """Waits until it may send so many items, of which all but the last have so many bytes."""
        while self.credit_items < items or self.credit_bytes < size:
            self.expect_credit()

    def stream(self, *items: Json, rule: str = "") -> None:
        """Sends items one by one under credit."""
        for item in items:
            self.expect_room()
            self.send(item, rule=rule)

    def expect_closed(self, rule: str = "CHN-38") -> Told:
        """The params of `channel/closed`."""
        return expect_closed(self.talk, self.channel, self.role, rule)

    def _batch(self, items: tuple[Json, ...], seq: int) -> dict[str, Json]:
        return {"channel": self.channel, "seq": seq, "items": list(items)}

    def _count(self, items: tuple[Json, ...]) -> None:
        self.sent_items += len(items)
        self.sent_bytes += sum(len(encode_json(item)) for item in items)

    def _concerns(self, message: Message, method: str) -> bool:
        return concerns(message, method, self.channel) and message.params.get("role") == self.role

    def _add(self, message: Message) -> None:
        told = told_of(message.params)
        self.given_items += told["items"]
        self.given_bytes += told["bytes"]


class Consumer:
    """A plugin as a consumer of one channel. `items` is what it got, `again` says of each whether it came again."""

    role = "consumer"

    def __init__(
        self, talk: ProbeTalk, channel: str, items: int = PLENTY, size: int = PLENTY, *, rule: str = ""
    ) -> None:
        self.talk, self.channel = talk, channel
        params = {"channel": channel, "role": self.role, "credit": {"items": items, "bytes": size}}
        self.joined = ask_told(talk, "channel/join", params, rule)
        self.items: list[Json] = []
        self.again: list[bool] = []
        self.sizes: list[int] = []
        self.numbers: list[int] = []

    def give(self, items: int, size: int = 0) -> None:
        """Gives credit."""
        params = {"channel": self.channel, "role": self.role, "items": items, "bytes": size}
        self.talk.notify("channel/credit", params)

    def acknowledge(self, seq: int) -> None:
        self.talk.notify("channel/ack", {"channel": self.channel, "seq": seq})

    def expect_count(self, count: int, rule: str = "CHN-24") -> list[Json]:
        """Waits until it got so many items in all; Broken when it gets more."""
        while len(self.items) < count:
            wanted = f"{count} items to a consumer, of which {len(self.items)} have come"
            self._add(self.talk.wait_for(self._is_delivery, wanted, rule=rule))
        if len(self.items) > count:
            expected = f"{count} items at this point"
            raise Broken(
                f"{self.talk.name} got items too many", expected=expected, got=str(len(self.items)), requirement=rule
            )
        return self.items

    def expect_items(self, *items: Json, rule: str = "CHN-22") -> None:
        """Waits until it got exactly these in all, in this order."""
        got = self.expect_count(len(items), rule)
        if encode_json(got) != encode_json(list(items)):
            raise Broken(
                f"{self.talk.name} got other items, or in another order",
                expected=encode_json(list(items)).decode(),
                got=encode_json(got).decode(),
                requirement=rule,
            )

    def take(self) -> list[Json]:
        """What has come by now."""
        for message in self.talk.taken(self._is_delivery):
            self._add(message)
        return self.items

    def refuse_more(self, rule: str) -> None:
        """Broken when there are more items than were expected. Prove first that they had their time."""
        self.talk.expect_alive()
        self.talk.refuse(self._is_delivery, "items at a time when it must not", rule=rule)

    def expect_closed(self, rule: str = "CHN-39") -> Told:
        """The params of `channel/closed`."""
        return expect_closed(self.talk, self.channel, self.role, rule)

    def _is_delivery(self, message: Message) -> bool:
        return concerns(message, "channel/deliver", self.channel)

    def _add(self, message: Message) -> None:
        told = told_of(message.params)
        items, again = told["items"], told.get("redelivered", 0)
        self.items += items
        self.again += [place < again for place in range(len(items))]
        self.sizes.append(len(items))
        self.numbers.append(told["seq"])


def watch_end(talk: ProbeTalk, other: ProbeTalk) -> Consumer:
    """A consumer that is told when the host has seen the other plugin's end: that one alone sends to its channel."""
    channel = open_channel(talk)
    consumer = Consumer(talk, channel)
    Producer(other, channel)
    return consumer


def gather(consumers: list[Consumer], count: int, rule: str = "CHN-24") -> list[Json]:
    """What these got together, as soon as it is at least so much."""
    deadline = time.monotonic() + consumers[0].talk.patience
    while (got := sum(len(consumer.take()) for consumer in consumers)) < count:
        if time.monotonic() > deadline:
            expected = f"{count} items to {len(consumers)} consumers"
            raise TimedOut("items do not come", expected=expected, got=f"{got} of them", requirement=rule)
        time.sleep(_GLANCE)
    return [item for consumer in consumers for item in consumer.items]


def concerns(message: Message, method: str, channel: str) -> bool:
    """Whether it is that notification about that channel."""
    if not message.is_notification or message.method != method or not isinstance(message.params, dict):
        return False
    return bool(message.params.get("channel") == channel)


def says_closed(message: Message, channel: str, role: str) -> bool:
    return concerns(message, "channel/closed", channel) and message.params.get("role") == role


def expect_closed(talk: ProbeTalk, channel: str, role: str, rule: str) -> Told:
    """The params of the `channel/closed` for a member in that role."""
    message = talk.wait_for(lambda m: says_closed(m, channel, role), f"channel/closed for the {role}", rule=rule)
    return told_of(message.params)


def refuse_closed(talk: ProbeTalk, channel: str, role: str, rule: str) -> None:
    """Broken when a member was told that its membership has ended."""
    talk.expect_alive()
    talk.refuse(lambda m: says_closed(m, channel, role), f"channel/closed to the {role}", rule=rule)


def expect_error(told: dict[str, Json], rule: str, wanted: Json = None) -> None:
    """Broken unless `channel/closed` has an error, and just that one if one is wanted."""
    error = told.get("error")
    if not isinstance(error, dict) or (wanted is not None and error != wanted):
        expected = "an error with a message" if wanted is None else encode_json(wanted).decode()
        raise Broken("channel/closed does not say what went wrong", expected=expected, got=str(told), requirement=rule)


def refuse_error(told: dict[str, Json], rule: str) -> None:
    """Broken when `channel/closed` has an error though all is well."""
    if "error" in told:
        raise Broken(
            "channel/closed has an error though nothing went wrong",
            expected="no error",
            got=str(told),
            requirement=rule,
        )
