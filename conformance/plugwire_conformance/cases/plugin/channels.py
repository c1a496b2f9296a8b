"""Channels, as far as chapter 08 binds plugins: the suite is the host that keeps the channel."""

from ...case import Broken, plugin_case
from ...plugins.host_side import HANDLE, ConsumerSide, ProducerSide
from ...plugins.refusals import param
from ...plugins.subject import PluginSubject
from ...wire.messages import Json, encode_json

_HOST = {"channels": True}
_LARGEST = 20


@plugin_case(
    "channels/credit-of-items",
    "CHN-12",
    why="A host that gets more than it gave credit for ends the membership, and the items are lost.",
    mend="Count the credit of items down with each item, and wait at 0 until channel/credit comes.",
    needs=("conformance/produce",),
)
def credit_of_items(plugin: PluginSubject) -> None:
    """A producer sends no more items than it has credit for.

    Sent: conformance/produce of five items, a credit of two, later of one, then of ten.
    Expected: two items, one more, and then the rest, in their order; and 5 as sent.
    """
    talk = plugin.ready(capabilities=_HOST)
    items: list[Json] = ["one", {"two": 2}, [3], 4, None]
    id = talk.request("conformance/produce", {"channel": HANDLE, "items": items})
    side = ProducerSide(talk)
    side.join(items=2)
    side.take(2)
    side.expect_no_more()
    side.give(items=1)
    side.take(3)
    side.expect_no_more()
    side.give(items=10)
    side.take(5)
    result = talk.expect_result(id)
    if side.sent != items or result != {"sent": 5}:
        raise Broken("other items came", expected=f"{items}, and 5 as sent", got=f"{side.sent}, and {result}")


@plugin_case(
    "channels/credit-of-bytes",
    "CHN-12",
    why="Items may be of any size; the credit of bytes is what keeps the host's memory bounded.",
    mend="Count the credit of bytes down by the JSON text of each item, and wait at 0 or less for channel/credit.",
    needs=("conformance/produce",),
)
def credit_of_bytes(plugin: PluginSubject) -> None:
    """A producer sends nothing when its credit of bytes is 0 or less.

    Sent: conformance/produce of six items of six bytes, a credit of ten bytes, and when two are there at most of three.
    Expected: at most two items at first, then at most one more; with credit enough, the rest.
    """
    talk = plugin.ready(capabilities=_HOST)
    items: list[Json] = ["aaaa", "bbbb", "cccc", "dddd", "eeee", "ffff"]
    id = talk.request("conformance/produce", {"channel": HANDLE, "items": items})
    side = ProducerSide(talk)
    side.join(items=100, bytes=10)
    side.take(1)
    side.expect_no_more()
    side.give(bytes=3)
    side.expect_no_more()
    side.give(bytes=1000)
    side.take(len(items))
    talk.expect_result(id)
    if side.sent != items:
        raise Broken("other items came", expected=str(items), got=str(side.sent))


@plugin_case(
    "channels/numbers-of-batches",
    "CHN-15",
    why="A host does not take a batch whose seq does not follow on what came before.",
    mend="Count the items that were sent since the join, and give each batch the number of its first item, from 1.",
    needs=("conformance/produce",),
)
def numbers_of_batches(plugin: PluginSubject) -> None:
    """A producer numbers its items from 1, without gaps.

    Sent: conformance/produce of thirty items, with credit for all.
    Expected: batches whose seq follows on.
    """
    talk = plugin.ready(capabilities=_HOST)
    items: list[Json] = list(range(30))
    id = talk.request("conformance/produce", {"channel": HANDLE, "items": items})
    side = ProducerSide(talk)
    side.join(items=1024)
    side.take(len(items))
    talk.expect_result(id)
    if side.sent != items:
        raise Broken("other items came", expected=str(items), got=str(side.sent), requirement="CHN-12")


@plugin_case(
    "channels/largest-item",
    "CHN-13",
    why="A host ends the membership of a producer that sends an item which no frame can carry on.",
    mend="Measure the JSON text of an item before it is sent, and refuse it at the sender above maxItemBytes.",
    needs=("conformance/produce",),
)
def largest_item(plugin: PluginSubject) -> None:
    """A producer sends no item that is larger than maxItemBytes.

    Sent: conformance/produce of small items and, in bytes though not in characters, larger ones, with maxItemBytes 20.
    Expected: no item of more than 20 bytes; the request ends, with a result or an error.
    """
    talk = plugin.ready(capabilities=_HOST)
    items = ["small", "x" * 100, "漢" * 8, "last"]
    id = talk.request("conformance/produce", {"channel": HANDLE, "items": items})
    talk.reflexes["channel/send"] = lambda _: {"result": None}
    ProducerSide(talk).join(items=100, largest=_LARGEST)
    talk.expect_answer(id)
    sent = [message for from_plugin, message in talk.history if from_plugin and message.method == "channel/send"]
    for item in [item for message in sent for item in param(message, "items", list)]:
        if len(encode_json(item)) > _LARGEST:
            raise Broken("an item that is too large", expected=f"items of {_LARGEST} bytes at most", got=repr(item))


@plugin_case(
    "channels/credit-of-a-consumer",
    "CHN-25",
    why="A consumer that gives no credit gets nothing, and one that gives too much loses its membership.",
    mend="Give credit for what was taken, and keep items and bytes that are given and not used at 2147483647 or below.",
    needs=("conformance/consume",),
)
def credit_of_a_consumer(plugin: PluginSubject) -> None:
    """A consumer gives credit as long as it wants items, and never too much.

    Sent: conformance/consume of a hundred items, each delivered as soon as there is credit for it.
    Expected: credit for all of them, never more than 2147483647 of items or bytes; and the items in their order.
    """
    talk = plugin.ready(capabilities=_HOST)
    items: list[Json] = [f"item {number}" for number in range(100)]
    id = talk.request("conformance/consume", {"channel": HANDLE, "count": len(items)})
    side = ConsumerSide(talk, redeliver=False)
    side.join()
    side.deliver(items)
    result = talk.expect_result(id)
    side.take_acknowledgements()
    if result != {"items": items}:
        raise Broken("other items were taken", expected="item 0 to item 99", got=str(result)[:400])


@plugin_case(
    "channels/acknowledgements",
    "CHN-29",
    why="What is not acknowledged fills the channel, and is delivered again when the consumer leaves.",
    mend="Send channel/ack with the seq of the last item that is dealt with, and never one that was not delivered.",
    needs=("conformance/consume",),
)
def acknowledgements(plugin: PluginSubject) -> None:
    """A consumer acknowledges what it has done with.

    Sent: conformance/consume of five items from a channel that delivers again.
    Expected: channel/ack up to 5, and never above what was delivered.
    """
    talk = plugin.ready(capabilities=_HOST)
    id = talk.request("conformance/consume", {"channel": HANDLE, "count": 5})
    side = ConsumerSide(talk, redeliver=True)
    side.join()
    side.deliver(["a", "b", "c", "d", "e"])
    talk.expect_result(id)
    side.take_acknowledgements()
    if side.acknowledged != 5:
        raise Broken("not all was acknowledged", expected="channel/ack with seq 5", got=f"up to {side.acknowledged}")
