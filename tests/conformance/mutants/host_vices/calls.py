"""Hosts that route calls wrongly: names and providers (chapter 04)."""

from typing import Any

from tests.conformance.mutants.vices import vice


@vice("host", "lets-a-plugin-provide-lock", kills=("calls/reserved-service",), because="CAL-01")
def lets_a_plugin_provide_lock() -> None:
    from plugwire_host.supervision import handshake

    handshake.RESERVED_SERVICES = handshake.RESERVED_SERVICES - {"lock"}


@vice("host", "answers-in-the-order-of-calls", kills=("calls/routed",), because="CAL-02")
def answers_in_the_order_of_calls() -> None:
    from plugwire.wire.peer import Peer

    receive = Peer._receive_response

    def oldest_first(self: Any, envelope: Any) -> Any:
        if len(self.outgoing) >= 5 and envelope.id in self.outgoing:
            envelope.id = next(iter(self.outgoing))
        return receive(self, envelope)

    Peer._receive_response = oldest_first


@vice("host", "tells-callers-apart-by-id", kills=("calls/two-callers",), because="CAL-02")
def tells_callers_apart_by_id() -> None:
    from plugwire_host.routing.router import Router

    answered = Router.answered

    def to_the_first_with_that_id(self: Any, call: Any, outcome: Any) -> None:
        for other in call.callee.serving():
            if other.caller_id == call.caller_id and not (other.done or other.parent or call.parent):
                call.caller, other.caller = other.caller, call.caller
                break
        answered(self, call, outcome)

    Router.answered = to_the_first_with_that_id


@vice("host", "sends-named-notifications-to-the-best", kills=("calls/named-provider",), because="CAL-04")
def sends_named_notifications_to_the_best() -> None:
    from plugwire_host.routing.router import Router

    notify = Router._notify

    def unnamed(self: Any, sender: str, method: str, params: Any, ranges: Any) -> None:
        name, _, short = method.partition("/")
        notify(self, sender, f"{name.partition('@')[0]}/{short}", params, ranges)

    Router._notify = unnamed


@vice("host", "takes-methods-in-any-case", kills=("calls/unknown",), because="CAL-05")
def takes_methods_in_any_case() -> None:
    _patch_choose(lambda method: method.lower())


def _patch_choose(change: Any) -> None:
    from plugwire_host.routing.registry import Registry

    choose = Registry._choose
    Registry._choose = lambda self, method, ranges: choose(self, change(method), ranges)


@vice("host", "forgets-who-provided", kills=("calls/not-ready",), because="CAL-05")
def forgets_who_provided() -> None:
    from plugwire_host.routing.registry import Registry

    remove = Registry.remove

    def forget(self: Any, instance: str, reason: str) -> Any:
        removed = remove(self, instance, reason)
        self._departed.clear()
        return removed

    Registry.remove = forget


@vice("host", "drops-notifications-without-params", kills=("calls/notification",), because="CAL-07")
def drops_notifications_without_params() -> None:
    from plugwire_host.routing.link import PluginLink

    notify = PluginLink.notify
    PluginLink.notify = lambda self, sender, method, params: params is None or notify(self, sender, method, params)


@vice("host", "drops-notifications-silently", kills=("calls/lost-notification",), because="CAL-07")
def drops_notifications_silently() -> None:
    from plugwire_host.routing.router import Router

    notify = Router._notify

    def silently(self: Any, *arguments: Any) -> None:
        warn, self.warn = self.warn, lambda *_: None
        notify(self, *arguments)
        self.warn = warn

    Router._notify = silently


@vice("host", "answers-lost-notifications", kills=("calls/lost-notification",), because="CAL-07")
def answers_lost_notifications() -> None:
    from plugwire_host.routing.router import Router

    received = Router.notification_from

    def tell(self: Any, link: Any, notification: Any) -> None:
        if notification.method == "nobody/listens":
            link.send_notification("log/lost", {"method": notification.method})
        received(self, link, notification)

    Router.notification_from = tell


@vice("host", "takes-the-first-version-that-fits", kills=("calls/version",), because="CAL-03")
def takes_the_first_version_that_fits() -> None:
    from plugwire_host.routing.registry import Registry

    choose = Registry._choose

    def lowest(self: Any, method: str, ranges: Any) -> Any:
        providers = self._providers.get("shop", [])
        providers.sort(key=lambda provider: provider.rank, reverse=not ranges)
        return choose(self, method, ranges)

    Registry._choose = lowest


@vice("host", "compares-versions-as-text", kills=("calls/version", "calls/priority"), because="CAL-03")
def compares_versions_as_text() -> None:
    _sort_providers(lambda provider: (provider.provided.version, *provider.rank[1:]))


def _sort_providers(key: Any) -> None:
    from plugwire_host.routing.registry import Registry

    add = Registry.add

    def sorted_otherwise(self: Any, *arguments: Any) -> None:
        add(self, *arguments)
        for providers in self._providers.values():
            providers.sort(key=key, reverse=True)

    Registry.add = sorted_otherwise


@vice("host", "takes-any-version-when-none-fits", kills=("calls/no-version-fits",), because="CAL-03")
def takes_any_version_when_none_fits() -> None:
    from plugwire.wire import MethodNotFound
    from plugwire_host.routing.registry import Registry

    choose = Registry._choose

    def whatever_is_there(self: Any, method: str, ranges: Any) -> Any:
        try:
            return choose(self, method, ranges)
        except MethodNotFound:
            return choose(self, method, {})

    Registry._choose = whatever_is_there


@vice("host", "takes-no-notice-of-priority", kills=("calls/priority",), because="CAL-03")
def takes_no_notice_of_priority() -> None:
    _sort_providers(lambda provider: (provider.rank[0], provider.rank[2]))


@vice("host", "prefers-the-last-configured", kills=("calls/first-configured", "calls/priority"), because="CAL-03")
def prefers_the_last_configured() -> None:
    _sort_providers(lambda provider: (*provider.rank[:2], -provider.rank[2]))


@vice("host", "lists-services-once-for-all", kills=("calls/service-list",), because="CAL-08")
def lists_services_once_for_all() -> None:
    from plugwire_host.services.directory import DirectoryService

    answer = DirectoryService._list

    def remembered(self: Any, call: Any) -> Any:
        if not hasattr(self, "answered"):
            self.answered = answer(self, call)
        return self.answered

    DirectoryService._list = remembered


@vice("host", "tells-only-of-services-that-come", kills=("calls/service-gone",), because="CAL-09")
def tells_only_of_services_that_come() -> None:
    _tell_only("available")


@vice("host", "tells-only-of-services-that-go", kills=("calls/service-back",), because="CAL-09")
def tells_only_of_services_that_go() -> None:
    _tell_only("unavailable")


def _tell_only(wanted: str) -> None:
    from plugwire_host.services.directory import DirectoryService

    tell = DirectoryService.tell

    def tell_some(self: Any, instance: str, provided: Any, state: str) -> None:
        if state == wanted:
            tell(self, instance, provided, state)

    DirectoryService.tell = tell_some


@vice("host", "starts-plugins-without-what-they-need", kills=("calls/unmet",), because="CAL-10")
def starts_plugins_without_what_they_need() -> None:
    from plugwire_host.routing.registry import Registry

    Registry.unmet = lambda *_, **__: []


@vice("host", "meets-needs-in-the-order-of-the-list", kills=("calls/met",), because="CAL-10")
def meets_needs_in_the_order_of_the_list() -> None:
    from plugwire_host.supervision import starting

    def one_after_the_other(supervisors: Any) -> Any:
        return _settle_in_order(supervisors)

    starting._settle = one_after_the_other


async def _settle_in_order(supervisors: Any) -> None:
    for supervisor in supervisors:
        if supervisor.state.value == "starting":
            problems = supervisor.unmet()
            if problems:
                await supervisor.refuse(problems)
            else:
                supervisor.become_ready()


@vice("host", "calls-a-plugin-host", kills=("calls/host-name",), because="CAL-40")
def calls_a_plugin_host() -> None:
    from plugwire_host import config
    from plugwire_host.supervision import starting

    config._RESERVED_NAME = ""
    starting.HOST = ""
