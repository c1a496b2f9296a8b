"""Declared topics and their schemas (chapter 06)."""

from collections.abc import Mapping, Sequence

from ...case import Broken, expect_equal
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...report import Level
from ...wire.codes import INVALID_PARAMS
from ...wire.messages import Json, encode_json
from .event_talk import event_case, expect_code, expect_told, publish, publish_soon, subscribe

_COUNT = {
    "topic": "count.changed",
    "description": "Tells how many there are.",
    "schema": {"type": "integer", "minimum": 1},
}
_PATTERN = {"topic": "count.*.seen"}


@event_case(
    "events/topics",
    "EVT-34",
    why="People and tools see by this list what there is to subscribe to.",
    mend="List what each ready plugin declares in `events`, as it declares it, with its instance name as `from`.",
)
def topics(host: HostSubject) -> None:
    """event/topics lists what ready plugins declare.

    One plugin declares a topic with a description and a schema, and a pattern; another one declares the same topic
    alone. Expected: three entries from them, with all that was said. When the first one has ended, soon only the
    other's.
    """
    with host.start(
        plugin("mouth", events=[_COUNT, _PATTERN]), plugin("hand", events=[{"topic": "count.changed"}])
    ) as run:
        expected: list[dict[str, Json]] = [
            _COUNT | {"from": "mouth"},
            _PATTERN | {"from": "mouth"},
            {"topic": "count.changed", "from": "hand"},
        ]
        listed = _listed(run["hand"])
        with host.checks("ready plugins"):
            expect_equal(_sorted(listed), _sorted(expected), "other topics are listed", "EVT-34")
        with host.checks("ended"):
            run["mouth"].die()
            began = run["hand"].log.now()
            while len(_listed(run["hand"])) != 1:
                if run["hand"].log.now() - began > run["hand"].patience:
                    raise Broken(
                        "the topics of a plugin that has ended are listed", expected="1", got="3", requirement="EVT-34"
                    )


def _listed(probe: ProbeTalk) -> list[dict[str, Json]]:
    """The topics that are declared, but for the host's own."""
    result = probe.ask_result("event/topics")
    found = result.get("topics") if isinstance(result, dict) else None
    if not isinstance(found, list):
        raise Broken("event/topics has no list", expected="a list of topics", got=str(result), requirement="EVT-34")
    return [one for one in found if one.get("from") != "host"]


def _sorted(entries: Sequence[Mapping[str, Json]]) -> list[str]:
    return sorted(encode_json(dict(sorted(one.items()))).decode() for one in entries)


@event_case(
    "events/declared",
    "EVT-35",
    why="A plugin may be started before the one it listens to; and a misspelt topic is silent for ever.",
    mend="Take every subscription, and say in `declared` whether a declared topic or pattern has a topic in common "
    "with it.",
)
def declared(host: HostSubject) -> None:
    """A subscription is taken whether or not anybody declares its topic, and says which.

    `count.changed` and `count.*.seen` are declared. Expected: `declared` true for patterns that have a topic in
    common with one of them, false for others; and a subscription in each case.
    """
    with host.start(plugin("ear"), plugin("mouth", events=[_COUNT, _PATTERN])) as run:
        for pattern, expected in _COULD_MATCH:
            with host.checks(pattern):
                made = subscribe(run["ear"], pattern)
                expect_equal(made.declared, expected, "`declared` says otherwise", "EVT-35")
        with host.checks("events come all the same"):
            made = subscribe(run["ear"], "nobody.declares.this")
            publish(run["mouth"], "nobody.declares.this", data="came")
            made.expect("came", rule="EVT-35")


_COULD_MATCH = (
    ("count.changed", True),
    ("count.*", True),
    ("*.changed", True),
    ("count.>", True),
    ("count.a.seen", True),
    ("*.*.seen", True),
    ("*.b.*", True),
    ("Count.changed", False),
    ("count.changd", False),
    ("count.a.b.seen", False),
    ("*", False),
    ("count.a.heard", False),
)


@event_case(
    "events/undeclared-warning",
    "EVT-35",
    level=Level.SHOULD,
    why="A plugin that waits for a misspelt topic does nothing, and says nothing.",
    mend="Warn people when a plugin subscribes to a pattern of which nobody declares a topic.",
)
def undeclared_warning(host: HostSubject) -> None:
    """The host warns about a subscription to which nothing declared could match.

    Sent: event/subscribe with a topic that nobody declares. Expected: a line for people that names the plugin and the
    topic.
    """
    with host.start(plugin("magpie"), plugin("mouth", events=[_COUNT])) as run:
        subscribe(run["magpie"], "count.chnged")
        expect_told(run, "count.chnged", about="magpie", rule="EVT-35")


@event_case(
    "events/schema",
    "EVT-36",
    why="Those who subscribe rely on the shape that was declared.",
    mend="Check data against the schema of every topic that this publisher declares and that matches; answer "
    "InvalidParams.",
)
def schema(host: HostSubject) -> None:
    """Data that do not fit the declared schema are refused.

    A plugin declares a topic with a schema, and a pattern with another one that covers the topic. Expected:
    InvalidParams for data that break one of them, and no delivery; a result for data that fit both, and for none; a
    result for another plugin that declares nothing.
    """
    both = [_COUNT, {"topic": "count.*", "schema": {"not": {"const": 13}}}]
    with host.start(plugin("ear"), plugin("mouth", events=both), plugin("hand")) as run:
        heard = subscribe(run["ear"], "count.changed")
        for name, data in (("type", "many"), ("minimum", 0), ("null", None), ("the pattern's", 13)):
            with host.checks(name):
                answer = run["mouth"].ask("event/publish", {"topic": "count.changed", "data": data})
                expect_code(answer, INVALID_PARAMS, "data were taken that do not fit the schema", "EVT-36")
        with host.checks("fits"):
            publish(run["mouth"], "count.changed", data=7)
        with host.checks("absent"):
            publish(run["mouth"], "count.changed")
        with host.checks("another topic"):
            publish(run["mouth"], "count.closed", data="anything")
        with host.checks("another publisher"):
            publish(run["hand"], "count.changed", data="anything")
        with host.checks("delivery"):
            publish(run["mouth"], "count.changed", data=99)
            came = [one.get("data") for one in heard.until(99, rule="EVT-36")]
            expect_equal(came, [7, None, "anything"], "other events were delivered", "EVT-36")


@event_case(
    "events/schema-notification",
    "EVT-07",
    "EVT-36",
    why="A notification brings no answer; its author learns of the mistake by the report alone.",
    mend="Check the data of notifications as well; drop what does not fit, and tell people.",
)
def schema_notification(host: HostSubject) -> None:
    """A notification whose data do not fit the declared schema is dropped and reported.

    Sent: event/publish as a notification with data that do not fit, then with some that do. Expected: a delivery of
    the second one alone, and a report that names the publisher.
    """
    with host.start(plugin("ear"), plugin("magpie", events=[_COUNT])) as run:
        heard = subscribe(run["ear"], "count.changed")
        publish_soon(run["magpie"], "count.changed", data="many")
        publish_soon(run["magpie"], "count.changed", data=7)
        expect_equal(heard.until(7, rule="EVT-07"), [], "an event was delivered whose data do not fit", "EVT-07")
        expect_told(run, "publish", "event", "count.changed", about="magpie", rule="EVT-07")


_UNUSABLE = (
    ("a type that is none", "t.type", {"type": "number-of-things"}),
    ("a pattern that is none", "t.pattern", {"pattern": "("}),
    ("elsewhere", "t.elsewhere", {"$ref": "https://schemas.example.invalid/thing.json"}),
    ("a file", "t.file", {"$ref": "file:///etc/hostname"}),
)


@event_case(
    "events/unusable-schema",
    "EVT-37",
    why="A mistake in a schema must not silence a plugin, and a host that fetched schemas could be sent anywhere.",
    mend="Where a schema cannot be used, take any data; fetch nothing.",
)
def unusable_schema(host: HostSubject) -> None:
    """A schema that the host cannot use lets any data pass.

    A plugin declares topics with schemas that are none, or that refer to something elsewhere. Expected: it becomes
    ready, and event/publish has a result for any data.
    """
    events = [{"topic": topic, "schema": schema} for _, topic, schema in _UNUSABLE]
    with host.start(plugin("mouth", events=events)) as run:
        for name, topic, _ in _UNUSABLE:
            with host.checks(name):
                for data in (1, "(", {"any": "thing"}):
                    id = run["mouth"].request("event/publish", {"topic": topic, "data": data})
                    run["mouth"].expect_result(id, rule="EVT-37")


@event_case(
    "events/unusable-schema-warning",
    "EVT-37",
    level=Level.SHOULD,
    why="An author who believes that data are checked finds out when it is too late.",
    mend="Warn once of a schema that cannot be used, naming the plugin and the topic.",
)
def unusable_schema_warning(host: HostSubject) -> None:
    """The host warns about a schema that it cannot use, once.

    A plugin declares a topic with a schema that is none, and publishes on it five times. Expected: one line for
    people that names the plugin and the topic.
    """
    with host.start(plugin("magpie", events=[{"topic": "odd.schema", "schema": {"type": "no-type"}}])) as run:
        for number in range(5):
            publish(run["magpie"], "odd.schema", data=number)
        expect_told(run, "odd.schema", about="magpie", rule="EVT-37")
        run["magpie"].expect_alive()
        told = [line for line in run.reports() if "magpie" in line and "odd.schema" in line]
        expect_equal(len(told), 1, "it was told more than once", "EVT-37")
