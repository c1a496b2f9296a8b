"""Events and hooks, as far as chapters 06 and 07 bind plugins."""

from collections import Counter

from ...case import Broken, plugin_case
from ...connection import show
from ...plugins.refusals import param
from ...plugins.subject import PluginSubject
from ...plugins.talk import Talk
from ...wire.codes import METHOD_NOT_FOUND
from ...wire.messages import Json, Message

_SHOUT = "conformance.shout"


def _expect_published(talk: Talk) -> Message:
    """What the plugin publishes next; a request is answered."""
    published = talk.wait_for(lambda message: message.method == "event/publish", "event/publish", rule="EVT-08")
    if published.is_request:
        talk.answer(published, {"subscribers": 0})
    return published


@plugin_case(
    "events/hops",
    "EVT-08",
    why="The host ends circles of events by counting hops; without them two plugins wake each other for ever.",
    mend="Set hops of what is published because of an event to that event's hops plus 1, absent counting as 0.",
    needs=("conformance/relay",),
)
def hops(plugin: PluginSubject) -> None:
    """What is published because of an event has one hop more.

    Sent: conformance/relay from one topic to another; then events without hops, and with 1, 7 and 15.
    Expected: on the other topic, events with hops 1, 2, 8 and 16.
    """
    talk = plugin.ready(capabilities={"events": True})
    relay = talk.request("conformance/relay", {"topic": "conformance.in", "to": "conformance.out"})
    talk.answer(talk.expect_request("event/subscribe"), {"subscription": 1, "declared": False})
    talk.expect_result(relay)
    for seq, count in enumerate((0, 1, 7, 15), start=1):
        with plugin.checks(f"hops-{count}"):
            event: dict[str, Json] = {
                "subscription": 1,
                "seq": seq,
                "topic": "conformance.in",
                "data": seq,
                "from": "a",
            }
            talk.notify("event/deliver", event | ({"hops": count} if count else {}))
            published = _expect_published(talk)
            if param(published, "hops", int, "EVT-08") != count + 1:
                raise Broken("another number of hops", expected=f"hops {count + 1}", got=show(published))


@plugin_case(
    "hooks/one-link-for-a-hook",
    "HOK-01",
    why="A host refuses a plugin that declares two links for one hook.",
    mend="Do both things in one link.",
    declares=("hooks",),
)
def one_link_for_a_hook(plugin: PluginSubject) -> None:
    """A plugin declares one link for a hook at most.

    Sent: initialize.
    Expected: no name twice in hooks.
    """
    names = Counter(str(link.get("name")) for link in plugin.ready().info.get("hooks", []))
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise Broken("two links for one hook", expected="one link for each hook", got=", ".join(twice))


@plugin_case(
    "hooks/links-are-served",
    "HOK-02",
    why="A link that is declared and not there fails in every run of the hook.",
    mend="Serve hook/call for each link in hooks of the answer to initialize.",
    needs=(f"hook {_SHOUT}",),
)
def links_are_served(plugin: PluginSubject) -> None:
    """A plugin serves hook/call for a link that it declares.

    Sent: hook/call for the hook conformance.shout.
    Expected: any answer but MethodNotFound.
    """
    talk = plugin.ready()
    answer = talk.ask("hook/call", {"name": _SHOUT, "value": "quiet"})
    if answer.error_code == METHOD_NOT_FOUND:
        raise Broken("the link is declared and not there", expected="an answer of the link", got=show(answer))


@plugin_case(
    "hooks/answers",
    "HOK-10",
    why="An answer of another shape is a failure of the link, so what it had to say is lost.",
    mend="Answer with value for a new value, with stop to stop the run, with {} for neither, and never with both.",
    needs=(f"hook {_SHOUT}",),
)
def answers(plugin: PluginSubject) -> None:
    """A link answers with a new value, or leaves the value as it is.

    Sent: hook/call for the hook conformance.shout with a string, and with values that are none.
    Expected: the string in capital letters as value; for the others nothing, or the same value; never value and stop.
    """
    talk = plugin.ready()
    values: dict[str, Json] = {
        "string": "Straight on",
        "empty": "",
        "number": 5,
        "null": None,
        "list": ["a"],
        "object": {"stop": {"reason": "no"}},
    }
    for name, value in values.items():
        with plugin.checks(name):
            answer = talk.ask("hook/call", {"name": _SHOUT, "value": value})
            wanted = value.upper() if isinstance(value, str) else value
            result = answer.result
            if not isinstance(result, dict) or "stop" in result or result.get("value", value) != wanted:
                raise Broken("another answer", expected=f'{{"value": {wanted!r}}}, or {{}}', got=show(answer))
