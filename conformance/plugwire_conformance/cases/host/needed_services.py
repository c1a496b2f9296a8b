"""Plugins that need a service, and names that no plugin may have (chapter 04)."""

from ...case import Broken, TimedOut, host_case
from ...hosts.given import plugin
from ...hosts.subject import HostRun, HostSubject

#: So often it is looked whether the host has ended, while it may still start a plugin.
_GLANCES = 60


@host_case(
    "calls/unmet",
    "CAL-10",
    declares=("services",),
    why="A plugin that runs without what it needs fails later, at its first call, where nobody can see why.",
    mend="Hold back a plugin whose requires cannot be met; write what it wants, in which versions, and what there is.",
)
def unmet(host: HostSubject) -> None:
    """A plugin whose required service is not there does not become ready, and the host says what is missing.

    Given: a provider in version 31.74, and plugins that require version 47.13, or a service that nobody provides.
    Expected: initialized for neither; lines that name the services, the wanted version and the one that there is.
    """
    one = plugin("one", provides=[{"service": "shop", "version": "31.74", "methods": ["who"]}])
    too_new = plugin("b", requires=[{"service": "shop", "version": ">=47.13,<48"}])
    run = host.launch(one, too_new, plugin("c", requires=[{"service": "warehouse"}]))
    for name in ("one", "b", "c"):
        run.receive(name)
    run["one"].wait_ready()
    for words in ("shop", "47.13", "31.74", "warehouse"):
        with host.checks(f"reported {words}"):
            run.expect_reported(words)
    run["one"].expect_alive()
    for name in ("b", "c"):
        with host.checks(name):
            run[name].refuse(lambda message: message.method == "initialized", "initialized")


@host_case(
    "calls/met",
    "CAL-10",
    declares=("services",),
    why="A plugin that can be served must not be kept away, whatever the order in which people list their plugins.",
    mend="Look at what all plugins provide before you refuse one, and let optional requirements go unmet.",
)
def met(host: HostSubject) -> None:
    """A plugin whose requirements are met, or optional, becomes ready.

    Given: a plugin that requires what the next one in the list provides, versions being compared number by number, and
    one whose optional requirement nobody meets. Expected: initialized for each.
    """
    needy = plugin("b", requires=[{"service": "shop", "version": ">=1.0.0,<1.10"}])
    one = plugin("one", provides=[{"service": "shop", "version": "1.9", "methods": ["who"]}])
    optional = plugin("c", requires=[{"service": "warehouse", "version": ">=2", "optional": True}])
    run = host.launch(needy, one, optional)
    for name in ("b", "one", "c"):
        run.receive(name)
    for name in ("b", "one", "c"):
        with host.checks(name):
            run[name].expect_notification("initialized", rule="CAL-10")


@host_case(
    "calls/host-name",
    "CAL-40",
    why="Whoever is called `host` is believed to be the application itself, by name and in `from`.",
    mend="Refuse a host's list with a plugin named host, or do not start that plugin, and say why.",
)
def host_name(host: HostSubject) -> None:
    """No plugin is given the instance name host.

    Given: a host's list with a plugin named host. Expected: the host does not start, or does not start that plugin; or
    it gives the plugin another name in initialize.
    """
    run = host.launch(plugin("host"))
    probe = run["host"]
    if _ended_without(run, "host", host.settings.start_patience):
        return
    instance = (probe.opening or probe.wait_ready().opening).get("instance")
    if instance == "host":
        raise Broken("the host gave its own name to a plugin", expected="another instance name", got=repr(instance))


def _ended_without(run: HostRun, name: str, seconds: float) -> bool:
    """Whether the host has ended, or lets the time pass, before it has started the plugin of that name."""
    for _ in range(_GLANCES):
        try:
            run.receive(name, within=seconds / _GLANCES)
        except TimedOut:
            if run.process.exit_code is not None:
                return True
        else:
            return False
    return True
