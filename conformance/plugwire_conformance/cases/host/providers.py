"""Which of several providers is chosen, who is told about them, and plugins that need one (chapter 04)."""

from ...case import Broken, Skipped, TimedOut, expect_equal, host_case
from ...hosts.given import Given, by_hand, plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostRun, HostSubject
from ...wire.messages import Json
from ._between import always


def _shop(name: str, version: str, **more: Json) -> Given:
    """A plugin that provides the service `shop` in that version."""
    return plugin(name, provides=[{"service": "shop", "version": version, "methods": ["who"]}], **more)


def _wanting(name: str, version: str | None = None, *, optional: bool = False) -> Given:
    """A plugin that requires the service `shop`."""
    wanted: dict[str, Json] = {"service": "shop"} | ({"version": version} if version else {})
    return plugin(name, requires=[wanted | ({"optional": True} if optional else {})])


@host_case(
    "calls/version",
    "CAL-03",
    declares=("services",),
    why="A caller that was written for version 1 and gets version 2 fails in ways that nobody can explain.",
    mend="Of the providers whose version fits the caller's range take the highest; compare versions number by number.",
)
def version(host: HostSubject) -> None:
    """Of several providers the one with the highest version that fits the caller is chosen.

    Given: providers of one service in versions 1.9, 1.10 and 2, in that order in the host's list, and callers with
    different ranges. Expected: each caller's request reaches the right one; 1.10 is higher than 1.9.
    """
    shops = {"nine": "1.9", "ten": "1.10", "two": "2"}
    wanted = {"below-two": (">=1,<2", "ten"), "below-ten": ("<1.10", "nine"), "from-two": (">=2.0.0", "two")}
    callers = [_wanting(name, range) for name, (range, _) in wanted.items()]
    with host.start(*(_shop(*each) for each in shops.items()), *callers, plugin("any")) as run:
        for name in shops:
            run[name].reflexes["shop/who"] = always(name)
        for name, expected in [("any", "two"), *((name, one) for name, (_, one) in wanted.items())]:
            with host.checks(name):
                expect_equal(run[name].ask_result("shop/who"), expected, "another one answered")


@host_case(
    "calls/no-version-fits",
    "CAL-03",
    declares=("services",),
    why="A caller that can do without a service is not served by a version of it that it does not know.",
    mend="Take only providers whose version fits the caller's range; where none does, answer with an error.",
)
def no_version_fits(host: HostSubject) -> None:
    """A call does not go to a provider whose version does not fit.

    Given: a provider in version 1, and a caller that requires version 2 but can do without. Sent: a request.
    Expected: an error, and the provider does not receive the request.
    """
    with host.start(_shop("one", "1"), _wanting("a", ">=2", optional=True)) as run:
        run["one"].reflexes["shop/who"] = always("one")
        run["a"].expect_error(run["a"].request("shop/who"))


@host_case(
    "calls/priority",
    "CAL-03",
    declares=("services",),
    why="People say in the host's list who goes first, and expect the same choice on every start.",
    mend="Among providers of the same version take the highest priority, then the one that stands first in the list.",
)
def priority(host: HostSubject) -> None:
    """Among providers of one version the configured priority decides, then the order of the list.

    Given: four providers of version 1, the third and fourth with priority 5, and one of version 0.9 with priority 9.
    Expected: the third is chosen, and after its end the fourth; the version goes before the priority.
    """
    high = {"settings": {"priority": 5}}
    shops = [_shop("first", "1"), _shop("second", "1"), _shop("third", "1", **high), _shop("fourth", "1.0", **high)]
    with host.start(plugin("a"), *shops, _shop("old", "0.9", settings={"priority": 9})) as run:
        a = run["a"]
        for one in ("first", "second", "third", "fourth", "old"):
            run[one].reflexes["shop/who"] = always(one)
        with host.checks("priority"):
            expect_equal(a.ask_result("shop/who"), "third", "another one answered")
        _crash_one(run, "third", "shop/who")
        with host.checks("next"):
            expect_equal(a.ask_result("shop/who"), "fourth", "another one answered then")


@host_case(
    "calls/first-configured",
    "CAL-03",
    declares=("services",),
    why="Where nothing else decides, the choice must not depend on which plugin happened to start faster.",
    mend="Among equal providers take the one that stands first in the host's list, whichever was ready first.",
)
def first_configured(host: HostSubject) -> None:
    """Among equal providers the one that was configured first is chosen, even when it was ready last.

    Given: two providers of the same version; the first of the host's list answers initialize after the second has.
    Expected: the first one is chosen.
    """
    run = host.launch(by_hand("zebra"), by_hand("ant"), plugin("a"))
    a, zebra, ant = (run.receive(name) for name in ("a", "zebra", "ant"))
    later = zebra.expect_opening()
    ant.answer(ant.expect_opening(), _shop("ant", "1").result)
    zebra.answer(later, _shop("zebra", "1").result)
    for probe in (zebra, ant, a):
        probe.wait_ready()
        probe.reflexes["shop/who"] = always(probe.name)
    expect_equal(a.ask_result("shop/who"), "zebra", "another one answered")


@host_case(
    "calls/service-list",
    "CAL-08",
    declares=("services",),
    why="Plugins look here to see what they can use; what is listed and cannot be called misleads them.",
    mend="List each service of each ready plugin with its version, instance and methods, and none that has ended.",
)
def service_list(host: HostSubject) -> None:
    """service/list tells who can be called now.

    Given: two providers of one service. Sent: service/list; then one of them ends, and service/list again.
    Expected: both with version, instance and methods; then only the one that is left.
    """
    described = {"sell": {"description": "Sells things.", "idempotent": True}}
    big = plugin("big", provides=[{"service": "shop", "version": "2.1", "methods": described}])
    with host.start(plugin("a"), plugin("small", "shop/sell", "shop/buy"), big) as run:
        small = run["small"]
        expected = [
            {"instance": run["big"].instance, "version": "2.1", "methods": ["sell"]},
            {"instance": small.instance, "version": "0", "methods": ["buy", "sell"]},
        ]
        with host.checks("all"):
            expect_equal(_listed(run), _ordered(expected), "the list is another")
        _crash_one(run, "small", "shop/buy")
        with host.checks("one-ended"):
            expect_equal(_listed(run), expected[:1], "the list is another")


def _listed(run: HostRun) -> list[Json]:
    """What `service/list` says of the service `shop`, with the members that matter in one order."""
    answer = run["a"].ask_result("service/list")
    services = answer.get("services") if isinstance(answer, dict) else None
    if not isinstance(services, list):
        raise Broken("the answer to service/list has no services", expected="a list", got=repr(answer))
    return _ordered(
        [
            {
                "instance": entry.get("instance"),
                "version": entry.get("version"),
                "methods": _names(entry.get("methods")),
            }
            for entry in services
            if entry.get("service") == "shop"
        ]
    )


def _names(methods: Json) -> Json:
    """The names of the methods, in alphabetical order; what is no object as it is."""
    return sorted(methods) if isinstance(methods, dict) else methods


def _ordered(entries: list[Json]) -> list[Json]:
    return sorted(entries, key=lambda entry: str(entry["instance"]))


def _crash_one(run: HostRun, name: str, method: str) -> None:
    """Ends a plugin, and waits until the host knows."""
    a, probe = run["a"], run[name]
    probe.reflexes.pop(method, None)
    service, _, short = method.partition("/")
    id = a.request(f"{service}@{probe.instance}/{short}")
    probe.expect_request(method)
    probe.exit(3)
    a.expect_error(id)


@host_case(
    "calls/service-gone",
    "CAL-09",
    declares=("services",),
    why="A plugin that is not told goes on calling what is not there, or shows people what they cannot use.",
    mend="Send service/changed with state unavailable to the plugins that require a service of a plugin that ends.",
)
def service_gone(host: HostSubject) -> None:
    """A plugin is told when a service that it requires goes.

    Given: a plugin that requires a service, and its provider, which ends. Expected: service/changed with the service,
    its version, the provider's name and the state unavailable.
    """
    with host.start(plugin("a"), _wanting("b"), _shop("one", "1.5")) as run:
        instance = run["one"].instance
        run["b"].taken()
        run["one"].exit(3)
        expected = {"service": "shop", "version": "1.5", "instance": instance, "state": "unavailable"}
        expect_equal(_change(run["b"], "unavailable"), expected, "what b was told is another")


@host_case(
    "calls/service-back",
    "CAL-09",
    declares=("services",),
    why="A plugin that did without a service for a while does so for ever when nobody says that it is there again.",
    mend="Send service/changed with state available to the plugins that require a service, when a provider is ready.",
)
def service_back(host: HostSubject) -> None:
    """A plugin is told when a service that it requires comes.

    Given: a plugin that requires a service, whose provider ends. When the host starts it again: service/changed with
    the state available is expected, and a call that the plugin makes then is served.
    """
    with host.start(_wanting("b"), _shop("one", "1.5")) as run:
        b, instance = run["b"], run["one"].instance
        b.taken()
        run["one"].die()
        try:
            one = run.receive_again("one")
        except TimedOut:
            raise Skipped("this host does not start a plugin again") from None
        one.reflexes["shop/who"] = always("again")
        one.wait_ready()
        expected = {"service": "shop", "version": "1.5", "instance": instance, "state": "available"}
        expect_equal(_change(b, "available"), expected, "what b was told is another")
        expect_equal(b.ask_result("shop/who"), "again", "the result of a call is another")


def _change(probe: ProbeTalk, state: str) -> Json:
    message = probe.wait_for(
        lambda message: message.method == "service/changed" and message.params.get("state") == state,
        f"service/changed with the state {state}",
    )
    return {key: message.params.get(key) for key in ("service", "version", "instance", "state")}
