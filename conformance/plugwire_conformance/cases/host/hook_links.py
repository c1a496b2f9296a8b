"""What the host says of the links that there are (chapter 07: links)."""

from ...case import Broken, expect_equal
from ...hosts.given import plugin
from ...hosts.subject import HostSubject
from .hook_talk import hook_case, linked, run_hook, started


@hook_case(
    "hooks/two-links",
    "HOK-01",
    why="Which of two links of one plugin counts nobody could say.",
    mend="Refuse a plugin whose answer to initialize has two links for one hook.",
)
def two_links(host: HostSubject) -> None:
    """A plugin with two links for one hook is refused.

    A plugin answers `initialize` with two links for one hook, another one with two links for two hooks. Expected: the
    first one is ended without `initialized`; the other one becomes ready.
    """
    run = host.launch(linked("twice", "h", "h"), linked("once", "h", "i"))
    for name in ("twice", "once"):
        run.receive(name)
    run["once"].wait_ready()
    run["twice"].wait_gone(rule="HOK-01")
    told = [message for from_host, message in run["twice"].history if from_host and message.method == "initialized"]
    expect_equal(len(told), 0, "a plugin with two links for one hook became ready", "HOK-01")


@hook_case(
    "hooks/explain",
    "HOK-07",
    why="When a value comes out wrong, the first question is who had it in hand, in which order, and why.",
    mend="Answer hook/explain with every link in the order in which it would run, with its settings and a reason.",
)
def explain(host: HostSubject) -> None:
    """hook/explain lists the links as they would run, each with a reason.

    Three plugins with links; one has settings of its own and demands, one observes. Expected: their places, the
    settings and the defaults, and a text as `because`. For a hook without links: none.
    """
    given = (
        linked("zeta", "h", after=["alpha"], timeoutMs=1234, onError="fail"),
        linked("mid", "h", mode="observe"),
        linked("alpha", "h"),
        plugin("runner"),
    )
    with started(host, "HOK-07", *given) as run:
        links = run["runner"].ask_result("hook/explain", {"name": "h"})["links"]
        expected = [
            ["alpha", "change", 5000, "continue"],
            ["mid", "observe", 5000, "continue"],
            ["zeta", "change", 1234, "fail"],
        ]
        with host.checks("settings"):
            got = [[one.get(name) for name in ("instance", "mode", "timeoutMs", "onError")] for one in links]
            expect_equal(sorted(got), expected, "other links were told", "HOK-07")
        with host.checks("order"):
            changing = [one["instance"] for one in links if one.get("mode") == "change"]
            expect_equal(
                changing, run_hook(run["runner"], [], hook="h").get("ran"), "the order is another one", "HOK-07"
            )
        with host.checks("reasons"):
            silent = [one for one in links if not isinstance(one.get("because"), str) or not one["because"]]
            expect_equal(silent, [], "a link has no reason", "HOK-07")
        with host.checks("no links"):
            none = run["runner"].ask_result("hook/explain", {"name": "nobody.knows"})
            expect_equal(none.get("links"), [], "links were told of a hook without any", "HOK-07")


@hook_case(
    "hooks/list",
    "HOK-25",
    why="Tools show what can be hooked into.",
    mend="List each hook once for which there is a link, in alphabetical order.",
)
def list_hooks(host: HostSubject) -> None:
    """hook/list names the hooks that have links.

    Two plugins have links for `c.three`, `a.one` and `b.two`, one of them for the same hook. Expected: each name
    once, in alphabetical order. When one has ended, soon only what the other one has links for.
    """
    with started(
        host, "HOK-25", linked("one", "c.three", "a.one"), linked("two", "a.one", "b.two"), plugin("runner")
    ) as run:
        with host.checks("ready plugins"):
            listed = run["runner"].ask_result("hook/list").get("hooks")
            expect_equal(listed, ["a.one", "b.two", "c.three"], "other hooks were listed", "HOK-25")
        with host.checks("ended"):
            run["one"].die()
            began = run["runner"].log.now()
            while (listed := run["runner"].ask_result("hook/list").get("hooks")) != ["a.one", "b.two"]:
                if run["runner"].log.now() - began > run["runner"].patience:
                    raise Broken(
                        "hooks without a link are listed",
                        expected="a.one, b.two",
                        got=str(listed),
                        requirement="HOK-25",
                    )
