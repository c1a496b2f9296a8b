"""Which events reach whom (chapter 06: topics)."""

from ...case import expect_equal
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from ...wire.codes import INVALID_PARAMS, PERMISSION_DENIED
from .event_talk import event_case, expect_code, publish, subscribe

_TOPICS = (
    "doc",
    "doc.saved",
    "Doc.saved",
    "doc.savedAs",
    "doc.closed",
    "doc.saved.twice",
    "doc.a.b",
    "mail.saved",
    "mail.a.b",
)
#: The check's name, the pattern, and which of the topics it stands for.
_PATTERNS = (
    ("a topic", "doc.saved", {"doc.saved"}),
    ("letter case", "Doc.saved", {"Doc.saved"}),
    ("star at the end", "doc.*", {"doc.saved", "doc.savedAs", "doc.closed"}),
    ("star at the beginning", "*.saved", {"doc.saved", "Doc.saved", "mail.saved"}),
    ("star alone", "*", {"doc"}),
    ("star between", "doc.*.b", {"doc.a.b"}),
    ("two stars", "*.a.*", {"doc.a.b", "mail.a.b"}),
    ("rest", "doc.>", {"doc.saved", "doc.savedAs", "doc.closed", "doc.saved.twice", "doc.a.b"}),
    ("rest after a star", "*.a.>", {"doc.a.b", "mail.a.b"}),
    ("everything", ">", set(_TOPICS)),
)
_NO_TOPICS = (
    ("empty", ""),
    ("empty part", "a..b"),
    ("dot first", ".a"),
    ("dot last", "a."),
    ("blank", "a b"),
    ("slash", "a/b"),
    ("umlaut", "ä"),
    ("line end", "a\n"),
    ("17 parts", ".".join("a" * 17)),
    ("257 characters", "a" * 257),
    ("number", 7),
    ("null", None),
)
_LONGEST = (".".join("a" * 16), "a" * 256)


@event_case(
    "events/matching",
    "EVT-01",
    why="An event that goes astray does harm twice: a plugin misses what it waits for, and another acts on what it "
    "never asked for.",
    mend="Compare part by part, letter by letter: `*` stands for exactly one part, a last `>` for one or more.",
)
def matching(host: HostSubject) -> None:
    """An event reaches every subscription whose pattern matches its topic, and no other.

    One plugin subscribes to ten patterns, another one publishes on nine topics, and at last once for each pattern on
    a topic that it stands for. Expected: before that last one each subscription brought its own topics, in their
    order.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        made = [(name, subscribe(run["ear"], pattern), topics) for name, pattern, topics in _PATTERNS]
        for topic in _TOPICS:
            publish(run["mouth"], topic)
        for number, (_, _, topics) in enumerate(made):
            publish(run["mouth"], min(topics), data={"end": number})
        for number, (name, subscription, topics) in enumerate(made):
            with host.checks(name):
                before = [one for one in subscription.until({"end": number}, rule="EVT-01") if "data" not in one]
                expected = [topic for topic in _TOPICS if topic in topics]
                expect_equal([one.get("topic") for one in before], expected, "other topics came", "EVT-01")


@event_case(
    "events/every-subscription",
    "EVT-01",
    why="Parts of one plugin subscribe without knowing of each other; each has to hear.",
    mend="Give the event to each subscription that matches: several of one plugin, and the publisher's own as well.",
)
def every_subscription(host: HostSubject) -> None:
    """An event reaches each subscription that matches, two of one plugin and the publisher's own as well.

    One plugin subscribes to `note.*` and `note.made`, the publisher to `note.made`. Expected: each of the three gets
    each event.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        made = [
            subscribe(run["ear"], "note.*"),
            subscribe(run["ear"], "note.made"),
            subscribe(run["mouth"], "note.made"),
        ]
        publish(run["mouth"], "note.made", data=1)
        publish(run["mouth"], "note.made", data=2)
        for name, subscription in zip(("first", "second", "the publisher's own"), made, strict=True):
            with host.checks(name):
                subscription.expect(1, 2, rule="EVT-01")


@event_case(
    "events/bad-topic",
    "EVT-02",
    why="A topic that one host takes and another refuses makes a plugin work here and fail there, silently.",
    mend="Match the whole topic of event/publish: 1 to 16 parts of letters, digits, `_` and `-`, at most 256 "
    "characters.",
)
def bad_topic(host: HostSubject) -> None:
    """A topic of another shape is answered with InvalidParams, and so is a pattern to publish on.

    Sent: event/publish with topics that are none, each of them once. Expected: InvalidParams for each. Then one of 16
    parts and one of 256 characters: a result for both.
    """
    with host.start(plugin("mouth")) as run:
        for name, topic in (*_NO_TOPICS, ("star", "a.*"), ("rest", "a.>"), ("missing", ...)):
            with host.checks(name):
                params = {"data": 1} if topic is ... else {"topic": topic, "data": 1}
                answer = run["mouth"].ask("event/publish", params)
                expect_code(answer, INVALID_PARAMS, "a topic that is none was taken", "EVT-02")
        for name, topic in zip(("16 parts", "256 characters"), _LONGEST, strict=True):
            with host.checks(name):
                publish(run["mouth"], topic)


@event_case(
    "events/bad-pattern",
    "EVT-02",
    why="A subscription to a pattern that can match nothing is a mistake that nobody sees.",
    mend="Match the whole pattern: a part is a name or `*`, and only the last one may be `>`.",
)
def bad_pattern(host: HostSubject) -> None:
    """A pattern of another shape is answered with InvalidParams.

    Sent: event/subscribe with patterns that are none. Expected: InvalidParams for each. Then one of 16 parts and one
    of 256 characters: a result for both.
    """
    more = (("rest first", ">.a"), ("rest between", "a.>.b"), ("star in a part", "a*"), ("rest in a part", "a.b>"))
    with host.start(plugin("ear")) as run:
        for name, topic in (*_NO_TOPICS, *more):
            with host.checks(name):
                answer = run["ear"].ask("event/subscribe", {"topic": topic})
                expect_code(answer, INVALID_PARAMS, "a pattern that is none was taken", "EVT-02")
        for name, topic in zip(("16 parts", "256 characters"), _LONGEST, strict=True):
            with host.checks(name):
                subscribe(run["ear"], topic)


@event_case(
    "events/host-topics",
    "EVT-03",
    why="Plugins act on what the host says of other plugins; nobody else may say such things.",
    mend="Answer event/publish on `host` and on everything that begins with `host.` with PermissionDenied.",
)
def host_topics(host: HostSubject) -> None:
    """A plugin cannot publish on the host's own topics.

    Sent: event/publish on `host`, `host.plugin.ended` and `host.own`. Expected: PermissionDenied, and no delivery of
    them. `hosted.by` and `a.host` are anybody's.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard = subscribe(run["ear"], ">")
        for topic in ("host", "host.plugin.ended", "host.own"):
            with host.checks(topic):
                answer = run["mouth"].ask("event/publish", {"topic": topic, "data": {"plugin": "forged"}})
                expect_code(answer, PERMISSION_DENIED, "a plugin published on a topic of the host's", "EVT-03")
        for topic in ("hosted.by", "a.host"):
            with host.checks(topic):
                publish(run["mouth"], topic, data="last")
                came = heard.until("last", rule="EVT-03")
                forged = [one["topic"] for one in came if one.get("data") == {"plugin": "forged"}]
                expect_equal(forged, [], "a forged event was delivered", "EVT-03")
