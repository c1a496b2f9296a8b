"""Hosts that do not do with topics and what is published as chapter 06 wants it."""

import re
from collections.abc import Callable
from typing import Any

from plugwire.wire import ErrorCode, InvalidParams, Raw, RequestError
from plugwire.wire.codec import decode_value, encode_value
from plugwire_host.services.events import service, topics
from plugwire_host.services.events.receivers import Receiver
from plugwire_host.services.events.service import EventService
from plugwire_host.services.params import Params
from tests.conformance.mutants.patching import wrap
from tests.conformance.mutants.vices import vice

# What is patched is patched without the checks of types.
_Service: Any = EventService
_Receiver: Any = Receiver
_Tree: Any = topics.TopicTree
_Params: Any = Params
_module: Any = service


@vice("host", "folds-topics", kills=("events/matching",), because="EVT-01")
def folds_topics() -> None:
    wrap(_Tree, "add", lambda good: lambda self, pattern, member: good(self, pattern.lower(), member))
    wrap(_Tree, "remove", lambda good: lambda self, pattern, member: good(self, pattern.lower(), member))
    wrap(_Tree, "match", lambda good: lambda self, topic: good(self, topic.lower()))


@vice("host", "rest-matches-nothing-too", kills=("events/matching",), because="EVT-01")
def rest_matches_nothing_too() -> None:
    """`doc.>` matches `doc` as well."""

    def match(good: Any) -> Any:
        def with_the_stem(self: Any, topic: str) -> Any:
            more = {one.number: one for one in good(self, f"{topic}.x") if one.pattern == f"{topic}.>"}
            found = {one.number: one for one in good(self, topic)} | more
            return tuple(found[number] for number in sorted(found))

        return with_the_stem

    wrap(_Tree, "match", match)


@vice("host", "no-echo-to-the-publisher", kills=("events/every-subscription",), because="EVT-01")
def no_echo_to_the_publisher() -> None:
    def pass_by(good: Any) -> Any:
        def but_its_own(self: Any, subscription: Any, event: Any) -> bool:
            own = event.sender == self.participant.name and b'"hops"' not in event.tail
            return own or good(self, subscription, event)

        return but_its_own

    wrap(_Receiver, "pass_by", pass_by)


@vice("host", "forgives-a-line-end-in-topics", kills=("events/bad-topic",), because="EVT-02")
def forgives_a_line_end_in_topics() -> None:
    """As `$` does in many languages."""
    _module.TOPIC = re.compile(r"(?=.{1,256}\n?\Z)[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+){0,15}\n?")


@vice("host", "knows-no-bound-of-topics", kills=("events/bad-topic",), because="EVT-02")
def knows_no_bound_of_topics() -> None:
    _module.TOPIC = re.compile(r"[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*")


@vice("host", "takes-rest-anywhere", kills=("events/bad-pattern",), because="EVT-02")
def takes_rest_anywhere() -> None:
    _module.PATTERN = re.compile(r"(?=.{1,256}\Z)(([A-Za-z0-9_-]+|[*>])[.]){0,15}([A-Za-z0-9_-]+|[*>])")


@vice("host", "host-topics-are-invalid", kills=("events/host-topics",), because="EVT-03")
def host_topics_are_invalid() -> None:
    """Refuses them, with another error."""

    def read_event(good: Any) -> Any:
        def with_another_error(self: Any, participant: Any, params: Any) -> Any:
            try:
                return good(self, participant, params)
            except RequestError as error:
                if error.code == ErrorCode.PERMISSION_DENIED:
                    raise InvalidParams(error.message) from None
                raise

        return with_another_error

    wrap(_Service, "_read_event", read_event)


def _changed_event(change: Callable[[Any, Any], None]) -> None:
    """Each event of a plugin is changed, by the event and its params, before anybody gets it."""

    def read_event(good: Any) -> Any:
        def changed(self: Any, participant: Any, params: Any) -> Any:
            event, hops = good(self, participant, params)
            change(event, params)
            return event, hops

        return changed

    wrap(_Service, "_read_event", read_event)


@vice("host", "believes-who-it-is-from", kills=("events/from",), because="EVT-04")
def believes_who_it_is_from() -> None:
    def change(event: Any, params: Any) -> None:
        said = params.text("from", default=None)
        if said:
            event.tail = event.tail.replace(b'"from":"%b"' % event.sender.encode(), b'"from":"%b"' % said.encode())

    _changed_event(change)


@vice("host", "encodes-data-anew", kills=("events/data-bytes",), because="EVT-05")
def encodes_data_anew() -> None:
    def raw(good: Any) -> Any:
        def anew(self: Any, name: str) -> Any:
            found = good(self, name)
            if name != "data" or found is None or b"1e400" in bytes(found):
                return found
            return Raw(encode_value(decode_value(found)))

        return anew

    wrap(_Params, "raw", raw)


@vice(
    "host",
    "null-data-are-no-data",
    kills=("events/data-bytes", "events/retained-cleared"),
    because=("EVT-05", "EVT-30"),
)
def null_data_are_no_data() -> None:
    def event(good: Any) -> Any:
        def without_null(self: Any, topic: str, sender: str, data: Any, **more: Any) -> Any:
            empty = data is not None and bytes(data) == b"null"
            return good(self, topic, sender, None if empty else data, **more)

        return without_null

    wrap(_Service, "_event", event)


@vice("host", "counts-plugins-not-subscriptions", kills=("events/subscribers",), because="EVT-06")
def counts_plugins_not_subscriptions() -> None:
    def publish(good: Any) -> Any:
        def counting(self: Any, call: Any) -> Any:
            answer = good(self, call)
            if isinstance(answer, dict):
                matched = self._tree.match(Params(call.params).text("topic"))
                answer["subscribers"] = len({id(one.account) for one in matched})
            return answer

        return counting

    wrap(_Service, "_publish_request", publish)


@vice(
    "host",
    "drops-notifications-in-silence",
    kills=("events/bad-notification", "events/schema-notification"),
    because="EVT-07",
)
def drops_notifications_in_silence() -> None:
    def publish(good: Any) -> Any:
        def silent(self: Any, participant: Any, raw: Any) -> None:
            try:
                good(self, participant, raw)
            except InvalidParams:
                pass
            except RequestError as error:
                if error.code != ErrorCode.PERMISSION_DENIED:
                    raise

        return silent

    wrap(_Service, "_publish_notification", publish)


@vice("host", "forgets-hops", kills=("events/hops",), because="EVT-09")
def forgets_hops() -> None:
    def change(event: Any, params: Any) -> None:
        event.tail = re.sub(rb',"hops":[0-9]+}$', b"}", event.tail)

    _changed_event(change)


@vice("host", "stops-at-16-hops", kills=("events/hops", "events/too-many-hops"), because="EVT-09")
def stops_at_16_hops() -> None:
    _module.MOST_HOPS = 15


@vice("host", "takes-17-hops-from-a-request", kills=("events/too-many-hops",), because="EVT-09")
def takes_17_hops_from_a_request() -> None:
    """Bounds notifications alone; and says 16 to those who get the event."""

    def publish(good: Any) -> Any:
        def without_a_bound(self: Any, call: Any) -> Any:
            raw = bytes(call.params).replace(b'"hops":17', b'"hops":16')
            call.params = Raw(raw)
            return good(self, call)

        return without_a_bound

    wrap(_Service, "_publish_request", publish)


@vice("host", "reckons-with-no-frame", kills=("events/too-large",), because="EVT-10")
def reckons_with_no_frame() -> None:
    """Finds out that an event is too large for a frame when it sends it."""

    def init(good: Any) -> Any:
        def without_a_bound(self: Any, router: Any, **more: Any) -> None:
            good(self, router, **more)
            self._frame_bytes = 1 << 40

        return without_a_bound

    wrap(_Service, "__init__", init)
