"""Hosts that declare the wrong topics, check data wrongly, or say nothing of themselves (chapter 06)."""

from typing import Any

from plugwire.wire import InvalidParams
from plugwire_host.services.events.declared import DeclaredTopic, DeclaredTopics
from plugwire_host.services.events.service import EventService
from plugwire_host.services.events.topics import matches
from tests.conformance.mutants.patching import wrap
from tests.conformance.mutants.vices import vice

# What is patched is patched without the checks of types.
_Service: Any = EventService
_Declared: Any = DeclaredTopics
_Topic: Any = DeclaredTopic


@vice("host", "lists-topics-of-the-dead", kills=("events/topics",), because="EVT-34")
def lists_topics_of_the_dead() -> None:
    _Declared.remove = lambda self, publisher: None


@vice("host", "lists-names-of-topics-alone", kills=("events/topics",), because="EVT-34")
def lists_names_of_topics_alone() -> None:
    _Topic.describe = lambda self: {"topic": self.topic, "from": self.sender}


@vice("host", "compares-patterns-as-texts", kills=("events/declared",), because="EVT-35")
def compares_patterns_as_texts() -> None:
    def could_match(self: Any, pattern: str) -> bool:
        return any(topic.topic == pattern for topics in self._topics.values() for topic in topics)

    _Declared.could_match = could_match


@vice("host", "says-nothing-of-undeclared-topics", kills=("events/undeclared-warning",), because="EVT-35")
def says_nothing_of_undeclared_topics() -> None:
    _Service._is_declared = lambda self, participant, pattern: self._declared.could_match(pattern)


@vice("host", "checks-by-the-first-schema", kills=("events/schema",), because="EVT-36")
def checks_by_the_first_schema() -> None:
    def check(good: Any) -> Any:
        def first_alone(self: Any, publisher: Any, topic: str, data: Any) -> None:
            all_of_them = self._topics.get(publisher, [])
            self._topics[publisher] = [one for one in all_of_them if one.covers(topic)][:1]
            try:
                good(self, publisher, topic, data)
            finally:
                self._topics[publisher] = all_of_them

        return first_alone

    wrap(_Declared, "check", check)


@vice("host", "checks-everybodys-data", kills=("events/schema",), because="EVT-36")
def checks_everybodys_data() -> None:
    """Also those of plugins that declare nothing."""

    def check(good: Any) -> Any:
        def by_all(self: Any, publisher: Any, topic: str, data: Any) -> None:
            for somebody in list(self._topics):
                good(self, somebody, topic, data)

        return by_all

    wrap(_Declared, "check", check)


@vice("host", "checks-requests-alone", kills=("events/schema-notification",), because="EVT-07")
def checks_requests_alone() -> None:
    def publish(good: Any) -> Any:
        def unchecked(self: Any, participant: Any, raw: Any) -> None:
            self._declared.check = lambda *arguments: None
            try:
                good(self, participant, raw)
            finally:
                del self._declared.check

        return unchecked

    wrap(_Service, "_publish_notification", publish)


@vice(
    "host",
    "refuses-what-it-cannot-check",
    kills=("events/unusable-schema", "events/unusable-schema-warning"),
    because="EVT-37",
)
def refuses_what_it_cannot_check() -> None:
    def check(good: Any) -> Any:
        def strictly(self: Any, data: Any) -> None:
            good(self, data)
            if self.unusable:
                raise InvalidParams(self.unusable)

        return strictly

    wrap(_Topic, "check", check)


@vice("host", "warns-each-time", kills=("events/unusable-schema-warning",), because="EVT-37")
def warns_each_time() -> None:
    _Topic.covers = lambda self, topic: "schema" in self._told and matches(self.topic, topic)


def _not_published(*topics: str) -> None:
    """The host says nothing on these of its topics."""

    def publish(good: Any) -> Any:
        return lambda self, topic, data: None if topic in topics else good(self, topic, data)

    wrap(_Service, "publish_from_host", publish)


@vice(
    "host",
    "does-not-say-who-is-ready",
    kills=("events/plugin-events", "events/plugin-restarting"),
    because="EVT-38",
)
def does_not_say_who_is_ready() -> None:
    _not_published("host.plugin.ready")


@vice("host", "does-not-say-who-comes-back", kills=("events/plugin-restarting",), because="EVT-38")
def does_not_say_who_comes_back() -> None:
    _not_published("host.plugin.restarting")


@vice("host", "does-not-say-who-has-failed", kills=("events/plugin-failed",), because="EVT-38")
def does_not_say_who_has_failed() -> None:
    _not_published("host.plugin.failed")


@vice("host", "does-not-say-which-service-goes", kills=("events/service-events",), because="EVT-39")
def does_not_say_which_service_goes() -> None:
    _not_published("host.service.unavailable")


@vice("host", "tells-no-version-of-services", kills=("events/service-events",), because="EVT-39")
def tells_no_version_of_services() -> None:
    def publish(good: Any) -> Any:
        def without_the_version(self: Any, topic: str, data: Any) -> None:
            good(self, topic, {name: value for name, value in data.items() if name != "version"})

        return without_the_version

    wrap(_Service, "publish_from_host", publish)
