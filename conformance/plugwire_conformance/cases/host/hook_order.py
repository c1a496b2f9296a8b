"""In which order links run, and what the host tells of it (chapter 07: links and order)."""

import time

from ...case import Broken, TimedOut, expect_equal
from ...hosts.given import Given, by_hand, plugin
from ...hosts.subject import HostRun, HostSubject
from ...wire.messages import Json
from .hook_talk import adds_its_name, hook_case, linked, run_hook, started

_GLANCE = 0.02
#: What links demand, by plugin.
_Demands = dict[str, dict[str, list[str]]]
#: Plugins in the order of loading: not that of the alphabet. Two of them give themselves the same name.
_LOADED = ("zeta", "mid", "alpha")
_CALLED = {"zeta": "speller", "mid": "speller", "alpha": "checker"}
#: The check's name, what is demanded, and who has to come before whom.
_DEMANDS: tuple[tuple[str, _Demands, list[tuple[str, str]]], ...] = (
    ("before", {"alpha": {"before": ["zeta"]}}, [("alpha", "zeta")]),
    ("after", {"zeta": {"after": ["mid"]}}, [("mid", "zeta")]),
    ("several", {"alpha": {"before": ["mid", "zeta"]}}, [("alpha", "mid"), ("alpha", "zeta")]),
    (
        "both ways",
        {"zeta": {"after": ["alpha"]}, "mid": {"before": ["alpha"]}},
        [("mid", "alpha"), ("alpha", "zeta")],
    ),
    ("said twice", {"alpha": {"before": ["zeta"]}, "zeta": {"after": ["alpha"]}}, [("alpha", "zeta")]),
    ("by what they call themselves", {"alpha": {"before": ["speller"]}}, [("alpha", "zeta"), ("alpha", "mid")]),
    ("after what one is called", {"zeta": {"after": ["checker"]}}, [("alpha", "zeta")]),
)
#: The check's name, what is demanded, and the order that comes of it.
_FREE: tuple[tuple[str, _Demands, list[str]], ...] = (
    ("no demands", {}, ["zeta", "mid", "alpha"]),
    ("unknown names", {"zeta": {"after": ["nobody"]}, "alpha": {"before": ["runner"]}}, ["zeta", "mid", "alpha"]),
    ("who is free comes first", {"zeta": {"after": ["alpha"]}}, ["mid", "alpha", "zeta"]),
    ("back to its place", {"mid": {"after": ["zeta"]}}, ["zeta", "mid", "alpha"]),
)


def _crew(*demanded: _Demands) -> list[Given]:
    """The three plugins, with a hook for each variant."""
    crew = []
    for name in _LOADED:
        hooks = [{"name": _hook(number), **demands.get(name, {})} for number, demands in enumerate(demanded)]
        crew.append(plugin(name, plugin={"name": _CALLED[name], "version": "1"}, hooks=hooks))
    return crew


def _hook(number: int) -> str:
    return f"hook{number}"


@hook_case(
    "hooks/before-and-after",
    "HOK-04",
    why="A link that formats must run after the one that translates; only its author knows.",
    mend="Order the links so that each demand of `before` and `after` is met; a name stands for an instance and for "
    "`plugin.name`.",
)
def before_and_after(host: HostSubject) -> None:
    """Links run in an order that meets the demands of all.

    Three plugins have links for seven hooks, each with other demands, by instance names and by what plugins call
    themselves. Expected: for each hook all three links, in an order that meets its demands.
    """
    with started(host, "HOK-04", *_crew(*(demands for _, demands, _ in _DEMANDS)), plugin("runner")) as run:
        for number, (name, _, pairs) in enumerate(_DEMANDS):
            with host.checks(name):
                ran = list(run_hook(run["runner"], [], hook=_hook(number), rule="HOK-04").get("ran") or ())
                expect_equal(sorted(ran), sorted(_LOADED), "not all links ran", "HOK-04")
                wrong = [f"{one} after {other}" for one, other in pairs if ran.index(one) > ran.index(other)]
                expect_equal(wrong, [], "a demand was not met", "HOK-04")


@hook_case(
    "hooks/never-itself",
    "HOK-04",
    why="Two copies of a plugin can be loaded at once; each of them means the other one.",
    mend="Leave the plugin that says a name out of those that the name stands for.",
)
def never_itself(host: HostSubject) -> None:
    """A name in before or after never stands for the plugin that says it.

    A plugin demands to run after all that call themselves as it does, which another plugin does too. Expected: it
    becomes ready, and runs after that one.
    """
    twin = {"name": "twin", "version": "1"}
    given = (
        plugin("left", plugin=twin, hooks=[{"name": "h", "after": ["twin", "left"]}]),
        plugin("right", plugin=twin, hooks=[{"name": "h"}]),
        plugin("runner"),
    )
    with started(host, "HOK-04", *given) as run:
        value = run_hook(run["runner"], [], hook="h", rule="HOK-04").get("value")
        expect_equal(value, ["right", "left"], "the links ran in another order", "HOK-04")


@hook_case(
    "hooks/order-of-loading",
    "HOK-05",
    why="An order that changes from start to start makes mistakes that nobody can find.",
    mend="Of the links that may come next, take the one whose plugin was loaded first, each time anew.",
)
def order_of_loading(host: HostSubject) -> None:
    """What is free to come next comes in the order of loading.

    Three plugins, whose names are not in the order of the alphabet, with links for hooks with few demands or none.
    Expected: the order of loading, but for what a demand puts back.
    """
    with started(host, "HOK-05", *_crew(*(demands for _, demands, _ in _FREE)), plugin("runner")) as run:
        for number, (name, _, expected) in enumerate(_FREE):
            with host.checks(name):
                value = run_hook(run["runner"], [], hook=_hook(number), rule="HOK-05").get("value")
                expect_equal(value, expected, "the links ran in another order", "HOK-05")


@hook_case(
    "hooks/order-of-configuration",
    "HOK-05",
    why="Which of two plugins starts faster is chance.",
    mend="Go by the order in which plugins are configured, not by the one in which they became ready.",
)
def order_of_configuration(host: HostSubject) -> None:
    """Who answers initialize first does not matter.

    Three plugins are launched; they answer `initialize` in the opposite order. Expected: the links run in the order
    of the configuration.
    """
    names = ("zeta", "mid", "alpha")
    run = host.launch(*map(by_hand, names), plugin("runner"))
    for name in (*names, "runner"):
        run.receive(name)
    requests = {name: run[name].expect_opening() for name in names}
    for name in reversed(names):
        run[name].answer(requests[name], _hand_made(name))
    for name in names:
        adds_its_name(run[name].wait_ready())
    value = run_hook(run["runner"].wait_ready(), [], hook="h", rule="HOK-05").get("value")
    expect_equal(value, ["zeta", "mid", "alpha"], "the links ran in another order", "HOK-05")


def _hand_made(name: str) -> dict[str, Json]:
    return {"protocolVersion": "1.0", "plugin": {"name": name, "version": "1"}, "hooks": [{"name": "h"}]}


@hook_case(
    "hooks/place-kept",
    "HOK-05",
    why="After a crash everything has to be as before.",
    mend="Remember the place of each instance name; a plugin that is started again comes back to it.",
)
def place_kept(host: HostSubject) -> None:
    """A plugin keeps its place when it is started again.

    The first of three plugins with links is killed. Expected, where the host starts it again: it runs first as
    before.
    """
    one = linked("one", "h")
    again_too = Given(one.name, one.result, {"restart": "on-failure"})
    with started(host, "HOK-05", again_too, linked("two", "h"), linked("three", "h"), plugin("runner")) as run:
        run["one"].die()
        try:
            again = run.receive_again("one")
        except TimedOut:
            return
        adds_its_name(again)
        again.wait_ready()
        value = run_hook(run["runner"], [], hook="h", rule="HOK-05").get("value")
        expect_equal(value, ["one", "two", "three"], "the links ran in another order", "HOK-05")


@hook_case(
    "hooks/circle",
    "HOK-06",
    why="Demands that contradict each other can only be met by chance; and only people can mend them.",
    mend="Refuse a plugin whose links cannot be ordered with those that are there, and name the demands of the circle.",
)
def circle(host: HostSubject) -> None:
    """A plugin whose demands go round in a circle does not become ready.

    Three plugins each demand to run before the next one, and the last one before the first. Expected: at least one of
    them ends without `initialized`, and lines for people name all three, two at least in each. A plugin without links
    becomes ready.
    """
    names = ("heron", "stork", "crane")
    circle = [linked(name, "h", before=[other]) for name, other in zip(names, (*names[1:], names[0]), strict=True)]
    run = host.launch(*circle, plugin("runner"))
    for name in (*names, "runner"):
        run.receive(name)
    gone = _first_gone(run, names)
    with host.checks("not ready"):
        if gone is None:
            raise Broken(
                "all became ready", expected="one that is refused", got="all three go on", requirement="HOK-06"
            )
        told = [message for from_host, message in run[gone].history if from_host and message.method == "initialized"]
        expect_equal(len(told), 0, f"{gone} became ready", "HOK-06")
    with host.checks("report"):
        _expect_demands_told(run, names)
    with host.checks("others"):
        run["runner"].wait_ready().expect_alive("HOK-06")


def _expect_demands_told(run: HostRun, names: tuple[str, ...]) -> None:
    """A demand is between two plugins; together the lines that tell of demands name all of the circle."""
    deadline = time.monotonic() + run[names[0]].patience
    while True:
        named = [{name for name in names if name in line} for line in run.reports()]
        told = set().union(*(one for one in named if len(one) > 1))
        if told == set(names):
            return
        if time.monotonic() > deadline:
            got = " / ".join(run.reports()[-3:])
            raise TimedOut(
                "the host did not tell which demands go round", expected=" ".join(names), got=got, requirement="HOK-06"
            )
        time.sleep(_GLANCE)


def _first_gone(run: HostRun, names: tuple[str, ...]) -> str | None:
    """The first of them that the host has ended; None when it ends none of them."""
    deadline = time.monotonic() + run[names[0]].patience
    while time.monotonic() < deadline:
        for name in names:
            if run[name].gone.wait(_GLANCE):
                return name
    return None
