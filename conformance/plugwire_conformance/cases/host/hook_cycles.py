"""Hooks that run inside themselves (chapter 07)."""

from ...case import Broken, expect_equal
from ...connection import show
from ...hosts.given import plugin
from ...hosts.probe_talk import ProbeTalk
from ...hosts.subject import HostSubject
from ...wire.codes import CALL_CYCLE
from ...wire.messages import Json, Message
from .event_talk import expect_code
from .hook_talk import HOOK, MANY_AT_ONCE, hook_case, hook_meta_case, linked, started

_WHY = "Nothing else would end it: each run begins the next one, until memory or time is used up."
_MEND = "Follow the calls back that led to hook/run; where one runs the same hook, answer CallCycle with the way round."


@hook_meta_case("hooks/inside-itself", "HOK-18", why=_WHY, mend=_MEND)
def inside_itself(host: HostSubject) -> None:
    """A run of a hook because of a run of the same hook is answered with CallCycle.

    A link with free slots runs its own hook on behalf of its hook/call. Expected: CallCycle at once, with a way in
    `data.path` that begins and ends at the same place; and the first run ends as ever.
    """
    with started(host, "HOK-18", linked("link", capabilities=MANY_AT_ONCE), plugin("runner")) as run:
        link = run["link"]
        link.reflexes.pop("hook/call")
        id = run["runner"].request("hook/run", {"name": HOOK, "value": []})
        call = link.expect_request("hook/call")
        _expect_cycle(link, _run_inside(link, call))
        link.answer(call, {"value": ["link"]})
        expect_equal(run["runner"].expect_result(id).get("value"), ["link"], "the first run ended otherwise", "HOK-18")


@hook_case("hooks/inside-itself-without-meta", "HOK-18", why=_WHY, mend=_MEND)
def inside_itself_without_meta(host: HostSubject) -> None:
    """The same holds for a plugin without meta that serves one request at a time.

    A link that knows nothing of meta runs its own hook while it is asked. Expected: CallCycle, and the first run ends
    as ever.
    """
    with started(host, "HOK-18", linked("link"), plugin("runner")) as run:
        link = run["link"]
        link.reflexes.pop("hook/call")
        id = run["runner"].request("hook/run", {"name": HOOK, "value": []})
        call = link.expect_request("hook/call")
        _expect_cycle(link, link.request("hook/run", {"name": HOOK, "value": []}))
        link.answer(call, {"value": ["link"]})
        run["runner"].expect_result(id, rule="HOK-18")


@hook_meta_case("hooks/inside-itself-at-depth", "HOK-18", why=_WHY, mend=_MEND)
def inside_itself_at_depth(host: HostSubject) -> None:
    """The same holds at any depth: through another hook and through a call.

    The link of the first hook runs a second hook; its link calls a service; the service's plugin runs the first hook.
    Expected: CallCycle for this one alone, and all others end as ever.
    """
    many = MANY_AT_ONCE
    given = (
        linked("link", capabilities=many),
        linked("second", "other.hook", capabilities=many),
        plugin("tool", "tool/use", capabilities=many),
        plugin("runner"),
    )
    with started(host, "HOK-18", *given) as run:
        for name in ("link", "second"):
            run[name].reflexes.pop("hook/call")
        first = run["runner"].request("hook/run", {"name": HOOK, "value": []})
        at_link = run["link"].expect_request("hook/call")
        inner = _run_inside(run["link"], at_link, "other.hook")
        at_second = run["second"].expect_request("hook/call", rule="HOK-08")
        use = run["second"].request("tool/use", meta={"parent": at_second.id})
        at_tool = run["tool"].expect_request("tool/use")
        _expect_cycle(run["tool"], _run_inside(run["tool"], at_tool))
        run["tool"].answer(at_tool)
        run["second"].expect_result(use)
        run["second"].answer(at_second, {})
        run["link"].expect_result(inner)
        run["link"].answer(at_link, {})
        run["runner"].expect_result(first)


@hook_meta_case(
    "hooks/beside-itself",
    "HOK-18",
    why="Two runs of one hook at the same time are nothing unusual.",
    mend="Answer CallCycle only where a run of the same hook is the cause; not where one is merely under way.",
)
def beside_itself(host: HostSubject) -> None:
    """Runs of one hook at the same time, and a run after a run, are no cycle.

    While a link is asked, another plugin runs the same hook, and the link's plugin runs another hook because of the
    first. Expected: outcomes for all.
    """
    given = (linked("link", HOOK, "other.hook", capabilities=MANY_AT_ONCE), plugin("runner"), plugin("second"))
    with started(host, "HOK-18", *given) as run:
        link = run["link"]
        link.reflexes.pop("hook/call")
        ids = [(name, run[name].request("hook/run", {"name": HOOK, "value": name})) for name in ("runner", "second")]
        calls = [link.expect_request("hook/call", rule="HOK-18") for _ in ids]
        inner = _run_inside(link, calls[0], "other.hook")
        link.answer(link.expect_request("hook/call", rule="HOK-18"), {})
        link.expect_result(inner, rule="HOK-18")
        for call in calls:
            link.answer(call, {})
        for name, id in ids:
            run[name].expect_result(id, rule="HOK-18")


def _run_inside(probe: ProbeTalk, call: Message, hook: str = HOOK) -> Json:
    return probe.request("hook/run", {"name": hook, "value": []}, meta={"parent": call.id})


def _expect_cycle(probe: ProbeTalk, id: Json) -> None:
    answer = probe.expect_answer(id, rule="HOK-18")
    expect_code(answer, CALL_CYCLE, "a hook was run inside itself", "HOK-18")
    path = (answer.member("error").get("data") or {}).get("path")
    if not isinstance(path, list) or len(path) < 2 or path[0] != path[-1]:
        raise Broken(
            "no way round was told", expected="a path from somewhere back to it", got=show(answer), requirement="HOK-18"
        )
