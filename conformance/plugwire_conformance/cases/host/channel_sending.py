"""Channels (chapter 08): what producers may send, and how they are refused."""

from collections.abc import Callable

from ...case import Broken, expect_equal, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import CHANNEL_CLOSED, INVALID_PARAMS, PAYLOAD_TOO_LARGE, PERMISSION_DENIED, QUOTA_EXCEEDED
from ...wire.messages import Json, encode_json
from .channel_members import Consumer, Producer, close_channel, open_channel

#: An item is at most so many bytes in the channels of these cases; its text is two bytes shorter than its JSON.
_LARGEST = 1024
_ENVELOPE = 512


@host_case(
    "channels/largest-item",
    "CHN-13",
    why="An item that is taken and cannot be delivered stops the channel for ever, or is lost without a word.",
    mend="Answer channel/join with the smaller one of maxBytes and what fits into a frame of channel/deliver.",
    declares=("channels",),
)
def largest_item(host: HostSubject) -> None:
    """A producer is told how large an item may be, and an item of that size is delivered.

    A channel of 1024 bytes allows an item of 1024 bytes. One of 67108864 bytes allows no more than fits into a
    frame; an item just as large comes to the consumer.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        with host.checks("small"):
            small = Producer(a, open_channel(a, maxBytes=_LARGEST))
            expect_equal(
                small.max_item_bytes, _LARGEST, "the largest item of a channel of 1024 bytes is another", "CHN-13"
            )
        channel = open_channel(a, maxBytes=67108864)
        producer, consumer = Producer(a, channel), Consumer(b, channel, 1, (1 << 31) - 1)
        most = min(67108864, b.limits["maxFrameBytes"])
        with host.checks("frame"):
            if producer.max_item_bytes > most:
                raise Broken(
                    "an item may be larger than a frame", expected=f"at most {most}", got=str(producer.max_item_bytes)
                )
        with host.checks("delivered"):
            # What stands around the item is about as long here as in channel/deliver.
            item = "x" * (min(producer.max_item_bytes, most - _ENVELOPE) - 2)
            producer.push(item)
            [got] = consumer.expect_count(1, rule="CHN-13")
            expect_equal(len(got), len(item), "the length of the item is another", "CHN-13")


@host_case(
    "channels/item-bytes",
    "CHN-13",
    "CHN-15",
    why="Producer and host would count different credit, until the one waits for what the other believes it has given.",
    mend="Count the bytes of the item as they stand in the message, from its first to its last; "
    "do not decode it for that.",
    declares=("channels",),
)
def item_bytes(host: HostSubject) -> None:
    """The bytes of an item are those of its JSON text as it was sent, without blanks around it.

    Into a channel of 1024 bytes go: a string of 1024 bytes with blanks around it, which is taken; 600 letters of two
    bytes each, and 200 letters escaped with six bytes each, which are too large.
    """
    cases = {
        "blanks": (b" \n " + encode_json("x" * (_LARGEST - 2)) + b"\t ", None),
        "two-bytes-each": (encode_json("é" * 600), PAYLOAD_TOO_LARGE),
        "escapes": (b'"' + b"\\u00e9" * 200 + b'"', PAYLOAD_TOO_LARGE),
        "inner-blanks": (b"[" + b" " * 1100 + b"1]", PAYLOAD_TOO_LARGE),
    }
    with host.start(plugin("a")) as run:
        for name, (item, code) in cases.items():
            with host.checks(name):
                producer = Producer(run["a"], open_channel(run["a"], maxBytes=_LARGEST))
                id = run["a"].new_id()
                run["a"].send_body(_raw_send(id, producer.channel, item))
                if code is None:
                    run["a"].expect_result(id, rule="CHN-13")
                else:
                    run["a"].expect_error(id, code, rule="CHN-15")


@host_case(
    "channels/batch",
    "CHN-14",
    why="A producer that is told of an error sends the batch again; what was taken of it would be there twice.",
    mend="Check the whole batch before you take an item of it, and answer as soon as it is taken, also when "
    "it has to wait.",
    declares=("channels",),
)
def batch(host: HostSubject) -> None:
    """A batch is taken as a whole or not at all, and answered as soon as it is taken.

    A batch of three whose second item is too large is refused, and nothing of it arrives. Two items are sent into a
    channel of two that nobody reads, and then one more as soon as there is credit: each is answered.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        with host.checks("whole"):
            channel = open_channel(a, maxBytes=_LARGEST)
            producer, consumer = Producer(a, channel), Consumer(b, channel)
            a.expect_error(producer.request("first", "x" * _LARGEST, "third"), rule="CHN-14")
            producer.send("whole", rule="CHN-14")
            consumer.expect_items("whole", rule="CHN-14")
        with host.checks("full"):
            full = Producer(a, open_channel(a, capacity=2))
            full.send(1, 2, rule="CHN-14")
            full.stream(3, rule="CHN-14")
        with host.checks("empty"):
            full.send(rule="CHN-14")


_Refused = Callable[[Producer], Json]
#: What a producer of a channel of 2 items and 1024 bytes may not send, and the code of the answer.
_REFUSED: dict[str, tuple[int, _Refused]] = {
    "seq-ahead": (INVALID_PARAMS, lambda producer: producer.request("x", seq=producer.seq + 1)),
    "seq-behind": (INVALID_PARAMS, lambda producer: producer.request("x", seq=producer.seq - 1)),
    "items": (QUOTA_EXCEEDED, lambda producer: producer.request(1, 2, 3)),
    "bytes": (QUOTA_EXCEEDED, lambda producer: producer.request("x" * _LARGEST, 1)),
    "too-large": (PAYLOAD_TOO_LARGE, lambda producer: producer.request("x" * (_LARGEST - 1))),
}


@host_case(
    "channels/refused-batch",
    "CHN-15",
    why="Producers tell by the code whether they have lost count, are too fast, or are at the wrong channel.",
    mend="Answer with InvalidParams, QuotaExceeded, PayloadTooLarge, ChannelClosed or PermissionDenied, as "
    "the sentence says.",
    declares=("channels",),
)
def refused_batch(host: HostSubject) -> None:
    """What a producer may not send is answered with the code that says why.

    A channel has room for 2 items and 1024 bytes. Sent, each to a channel of its own: a number too high and one too
    low, three items, more bytes than the credit after the first item, an item of 1025 bytes; an item into a channel
    that is closed; and items from a consumer and from a stranger.
    """
    with host.start(plugin("a"), plugin("b")) as run:
        a, b = run["a"], run["b"]
        for name, (code, send) in _REFUSED.items():
            with host.checks(name):
                producer = Producer(a, open_channel(a, capacity=3 if name.startswith("seq") else 2, maxBytes=_LARGEST))
                if name.startswith("seq"):
                    producer.send(1)
                a.expect_error(send(producer), code, rule="CHN-15")
        with host.checks("closed"):
            closed = Producer(a, open_channel(a))
            closed.send("in it")
            close_channel(a, closed.channel)
            a.expect_error(closed.request("after"), CHANNEL_CLOSED, rule="CHN-15")
        channel = open_channel(a)
        for name in ("stranger", "consumer"):
            with host.checks(name):
                id = b.request("channel/send", {"channel": channel, "seq": 1, "items": [1]})
                b.expect_error(id, PERMISSION_DENIED, rule="CHN-15")
            if name == "stranger":
                Consumer(b, channel)


@host_case(
    "channels/refused-changes-nothing",
    "CHN-16",
    why="A producer that corrects its batch and sends it again would be refused for ever, or lose credit "
    "with every try.",
    mend="Change the number that comes next and the credit only when the whole batch is taken.",
    declares=("channels",),
)
def refused_changes_nothing(host: HostSubject) -> None:
    """After a refused batch the producer's numbers and credit are as before.

    To a channel of 2 items and 1024 bytes goes a batch that is refused, for each of five reasons. Then the producer
    sends as much as its credit allows, with the number that it had before. Expected: it is taken.
    """
    with host.start(plugin("a")) as run:
        for name, (_, send) in _REFUSED.items():
            if name == "seq-behind":
                continue
            with host.checks(name):
                producer = Producer(run["a"], open_channel(run["a"], capacity=2, maxBytes=_LARGEST))
                run["a"].expect_error(send(producer), rule="CHN-15")
                producer.send("x" * (_LARGEST - 3), "x" * 100, rule="CHN-16")


def _raw_send(id: Json, channel: str, item: bytes) -> bytes:
    head = encode_json({"jsonrpc": "2.0", "id": id, "method": "channel/send"})[:-1]
    return head + b',"params":{"seq":1,"channel":' + encode_json(channel) + b',"items":[' + item + b"]}}"
