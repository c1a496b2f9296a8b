"""What becomes of an event on its way (chapter 06: publishing)."""

from ...case import Broken, expect_equal
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import CALL_CYCLE, PAYLOAD_TOO_LARGE
from ...wire.messages import encode_json, raw_members
from .event_talk import event_case, expect_code, expect_told, publish, publish_soon, subscribe


@event_case(
    "events/from",
    "EVT-04",
    why="Who says something decides whether it is believed.",
    mend="Stamp `from` with the instance name of the connection on which event/publish came; take nothing from its "
    "params.",
)
def stamped(host: HostSubject) -> None:
    """The host stamps who published.

    Sent: event/publish with the unknown members `from: "host"` and `seq: 77`, by a request and by a notification.
    Expected: deliveries from the publisher, with their own numbers.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard = subscribe(run["ear"], "who.*")
        publish(run["mouth"], "who.speaks", **{"from": "host", "seq": 77})
        publish_soon(run["mouth"], "who.speaks", **{"from": "ear", "seq": 78})
        for name in ("request", "notification"):
            with host.checks(name):
                expect_equal(heard.next().get("from"), run["mouth"].instance, "another publisher was named", "EVT-04")


@event_case(
    "events/data-bytes",
    "EVT-05",
    why="A host that decodes and encodes again loses digits of large numbers, the order of members, and time.",
    mend="Cut the bytes of `data` out of what came, and write just these into each delivery.",
)
def data_bytes(host: HostSubject) -> None:
    """Data are forwarded as the bytes that came, and left out where they were left out.

    Sent: events whose data are written in unusual ways, one with null and one without data. Expected: the same bytes
    in event/deliver, null where null was, and no member `data` where none was.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        mouth, heard = run["mouth"], subscribe(run["ear"], "raw")
        for name, data in _DATA:
            body = b'{"jsonrpc":"2.0","method":"event/publish","params":{"topic":"raw"%b}}'
            mouth.send_body(body % (b"" if data is None else b',"data":' + data))
            with host.checks(name):
                params = raw_members(heard.take().members["params"])
                if params.get("data") != data:
                    expected, got = (None if one is None else one.decode() for one in (data, params.get("data")))
                    raise Broken("the data were changed", expected=str(expected), got=str(got), requirement="EVT-05")


_DATA = (
    ("numbers", b"[1.50,1E3,-0,0.1e-7]"),
    ("large numbers", b"[12345678901234567890123,1e400]"),
    ("escapes", b'"\\u00e9\\/\\ud83d\\ude00"'),
    ("blanks", b'{ "z" : 1 ,\t"a" : [ ] }'),
    ("order of members", b'{"z":1,"a":2,"m":3}'),
    ("null", b"null"),
    ("absent", None),
)


@event_case(
    "events/subscribers",
    "EVT-06",
    why="A publisher tells by this number whether anybody listens, and may spare itself the work.",
    mend="Count the subscriptions that match at the moment of publishing.",
)
def subscribers(host: HostSubject) -> None:
    """A request to publish is answered with the number of subscriptions that matched.

    Sent: event/publish with no subscription, with one, with three of two plugins, and after one has ended. Expected:
    0, 1, 3 and 2.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        counts = [publish(run["mouth"], "count.me")]
        first = subscribe(run["ear"], "count.*")
        counts.append(publish(run["mouth"], "count.me"))
        subscribe(run["ear"], "count.>")
        subscribe(run["mouth"], "count.me")
        subscribe(run["mouth"], "other.thing")
        counts.append(publish(run["mouth"], "count.me"))
        first.end()
        counts.append(publish(run["mouth"], "count.me"))
        expect_equal(counts, [0, 1, 3, 2], "the number of subscriptions is another one", "EVT-06")


@event_case(
    "events/bad-notification",
    "EVT-07",
    why="Nobody gets an answer to a notification; without a report its author searches in vain.",
    mend="Drop the event, tell people of it with the plugin's name, and read on.",
)
def bad_notification(host: HostSubject) -> None:
    """A notification to publish that cannot be honoured is dropped and reported.

    Sent: event/publish as a notification with a topic that is none, and on a topic of the host's; then a good one.
    Expected: a report that names the plugin, no answer, and a delivery of the good one alone.
    """
    with host.start(plugin("ear"), plugin("magpie")) as run:
        heard = subscribe(run["ear"], ">")
        for topic in ("no..topic", "host.forged"):
            publish_soon(run["magpie"], topic, data="bad")
        publish_soon(run["magpie"], "good.topic", data="good")
        came = [one["topic"] for one in heard.until("good", rule="EVT-07") if one.get("data") == "bad"]
        expect_equal(came, [], "an event was delivered that cannot be honoured", "EVT-07")
        run["magpie"].expect_alive("EVT-07")
        run["magpie"].refuse(lambda message: message.is_response, "an answer to a notification", rule="EVT-07")
        expect_told(run, "publish", "event", "topic", about="magpie", rule="EVT-07")


@event_case(
    "events/hops",
    "EVT-09",
    why="A plugin counts on from what it is told; a host that forgets the number never ends a circle of events.",
    mend="Forward `hops` of event/publish in each delivery, up to 16.",
)
def hops(host: HostSubject) -> None:
    """An event with up to 16 hops is delivered with its hops.

    Sent: event/publish with hops 1, 7 and 16, and without. Expected: the same hops in event/deliver, absent where
    they were absent.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        heard = subscribe(run["ear"], "round")
        for number in (1, 7, 16):
            publish(run["mouth"], "round", data=number, hops=number)
        publish(run["mouth"], "round", data="none")
        came = [heard.next(rule="EVT-09").get("hops") for _ in range(4)]
        expect_equal(came, [1, 7, 16, None], "other hops were delivered", "EVT-09")


@event_case(
    "events/too-many-hops",
    "EVT-09",
    why="Two plugins that answer each other's events would keep the machine busy for ever.",
    mend="Answer a request with more than 16 hops with CallCycle, drop a notification, give neither to anybody, and "
    "tell people.",
)
def too_many_hops(host: HostSubject) -> None:
    """An event with more than 16 hops is stopped.

    Sent: event/publish with hops 17, as a request and as a notification; then one with 16. Expected: CallCycle, a
    report that names the publisher, and a delivery of the last one alone.
    """
    with host.start(plugin("ear"), plugin("magpie")) as run:
        heard = subscribe(run["ear"], "round")
        answer = run["magpie"].ask("event/publish", {"topic": "round", "data": "request", "hops": 17})
        publish_soon(run["magpie"], "round", data="notification", hops=2**31 - 1)
        publish(run["magpie"], "round", data="last", hops=16)
        with host.checks("answer"):
            expect_code(answer, CALL_CYCLE, "an event with 17 hops was taken", "EVT-09")
        with host.checks("delivery"):
            expect_equal(
                heard.until("last", rule="EVT-09"), [], "an event with more than 16 hops was delivered", "EVT-09"
            )
        with host.checks("report"):
            expect_told(run, "hop", "event", "cycle", "circle", "round", about="magpie", rule="EVT-09")


@event_case(
    "events/too-large",
    "EVT-10",
    why="An event that some frames hold and others do not would vanish on the way, and nobody would know.",
    mend="Reckon how large event/deliver becomes before you give the event to anybody; answer PayloadTooLarge.",
)
def too_large(host: HostSubject) -> None:
    """An event that does not fit into one frame of event/deliver is answered with PayloadTooLarge.

    Sent: event/publish in a frame of just `maxFrameBytes`, which leaves no room for what a delivery has beside it.
    Expected: PayloadTooLarge and no delivery. One that is 4096 bytes smaller is delivered.
    """
    with host.start(plugin("ear"), plugin("mouth")) as run:
        mouth, heard = run["mouth"], subscribe(run["ear"], "large")
        most = mouth.limits["maxFrameBytes"]
        with host.checks("too large"):
            answer = mouth.expect_answer(_publish_in_a_frame_of(mouth, most), rule="EVT-10")
            expect_code(answer, PAYLOAD_TOO_LARGE, "an event was taken that fits into no delivery", "EVT-10")
            publish(mouth, "large", data="last")
            expect_equal(len(heard.until("last", rule="EVT-10")), 0, "something of it was delivered", "EVT-10")
        with host.checks("just below"):
            mouth.expect_result(_publish_in_a_frame_of(mouth, most - 4096), rule="EVT-10")
            heard.next(rule="EVT-10")


def _publish_in_a_frame_of(mouth: ProbeTalk, size: int) -> int:
    id = mouth.new_id()
    params = {"topic": "large", "data": ""}
    message = {"jsonrpc": "2.0", "id": id, "method": "event/publish", "params": params}
    params["data"] = "x" * (size - len(encode_json(message)))
    mouth.send_message(message)
    return id
