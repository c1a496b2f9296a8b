"""The host's own topics (chapter 06)."""

from ...case import TimedOut, expect_equal
from ...hosts.given import by_hand, plugin
from ...hosts.subject import HostSubject
from ...wire.messages import Json
from .event_talk import Subscription, event_case, subscribe


def _until_plugin(heard: Subscription, name: str, rule: str = "EVT-38") -> dict[str, Json]:
    """The next event of it whose data name that plugin."""
    while True:
        one = heard.next(rule)
        if isinstance(one.get("data"), dict) and one["data"].get("plugin") == name:
            return one


@event_case(
    "events/plugin-events",
    "EVT-38",
    "EVT-04",
    why="Plugins that work together have to know who is there.",
    mend="Publish host.plugin.ready and host.plugin.ended, from `host`, with the instance name as `plugin` in the "
    "data.",
)
def plugin_events(host: HostSubject) -> None:
    """The host publishes when a plugin has become ready and when one has ended.

    A plugin subscribes with a replay, and another one is killed. Expected: host.plugin.ready for the other one, and
    then host.plugin.ended; both from `host`.
    """
    with host.start(plugin("ear"), plugin("short")) as run:
        ready = subscribe(run["ear"], "host.plugin.ready", replay=100)
        ended = subscribe(run["ear"], "host.plugin.ended")
        with host.checks("ready"):
            expect_equal(
                _until_plugin(ready, "short").get("from"), "host", "it was published by somebody else", "EVT-04"
            )
        with host.checks("ended"):
            run["short"].die()
            expect_equal(
                _until_plugin(ended, "short").get("from"), "host", "it was published by somebody else", "EVT-04"
            )


@event_case(
    "events/plugin-restarting",
    "EVT-38",
    why="Who waits for a plugin that has ended wants to know whether it comes back.",
    mend="Publish host.plugin.restarting before a plugin is started again, and host.plugin.ready when it is ready "
    "again.",
)
def plugin_restarting(host: HostSubject) -> None:
    """The host publishes that it is going to start a plugin again.

    A plugin that is to be started again after a failure is killed. Expected, where the host does so:
    host.plugin.restarting and then host.plugin.ready. A host need not start any plugin again.
    """
    with host.start(plugin("ear"), plugin("phoenix", settings={"restart": "on-failure"})) as run:
        restarting = subscribe(run["ear"], "host.plugin.restarting")
        ready = subscribe(run["ear"], "host.plugin.ready")
        run["phoenix"].die()
        try:
            again = run.receive_again("phoenix")
        except TimedOut:
            return
        with host.checks("restarting"):
            _until_plugin(restarting, "phoenix")
        with host.checks("ready again"):
            again.wait_ready()
            _until_plugin(ready, "phoenix")


@event_case(
    "events/plugin-failed",
    "EVT-38",
    why="Who waits for a plugin that will never come waits for nothing.",
    mend="Publish host.plugin.failed when a plugin could not be started, with its instance name as `plugin` in the "
    "data.",
)
def plugin_failed(host: HostSubject) -> None:
    """The host publishes when a plugin could not be started.

    A plugin ends during its start. Expected: host.plugin.failed for it, in a replay or afterwards.
    """
    run = host.launch(plugin("ear"), by_hand("stillborn", settings={"restart": "never"}))
    # A host may wait for all its plugins before it makes the first one ready.
    run.receive("stillborn").exit(3)
    ear = run.receive("ear").wait_ready()
    _until_plugin(subscribe(ear, "host.plugin.failed", replay=100), "stillborn")


@event_case(
    "events/service-events",
    "EVT-39",
    why="A plugin that can do without a service uses it when it is there.",
    mend="Publish host.service.available and host.service.unavailable with `service`, `version` and `instance` in the "
    "data.",
)
def service_events(host: HostSubject) -> None:
    """The host publishes when the provider of a service comes and goes.

    A plugin with a service in version 2.1 becomes ready and is killed. Expected: host.service.available, in a replay,
    and host.service.unavailable, with service, version and instance in the data.
    """
    provides = [{"service": "tool", "version": "2.1", "methods": ["use"]}]
    expected = {"service": "tool", "version": "2.1", "instance": "short"}
    with host.start(plugin("ear"), plugin("short", provides=provides)) as run:
        came = subscribe(run["ear"], "host.service.available", replay=100)
        gone = subscribe(run["ear"], "host.service.unavailable")
        with host.checks("available"):
            _expect_service(came, expected)
        with host.checks("unavailable"):
            run["short"].die()
            _expect_service(gone, expected)


def _expect_service(heard: Subscription, expected: dict[str, Json]) -> None:
    while True:
        data = heard.next(rule="EVT-39").get("data")
        if isinstance(data, dict) and data.get("instance") == expected["instance"]:
            expect_equal(
                {name: data.get(name) for name in expected}, expected, "the service was told otherwise", "EVT-39"
            )
            return
