"""How deep a body may be nested (chapter 02, MSG-24)."""

from ...case import plugin_case
from ...plugins.bodies import Bodies
from ...plugins.subject import PluginSubject
from ...plugins.talk import LIMITS

_REFUSED = (
    """Read with a strict parser, and answer what it refuses with {"code": -32700} and "id": null; then read on."""
)


@plugin_case(
    "json/deepest",
    "MSG-24",
    why="The host forwards everything up to the limit that it told; a plugin that stops before loses messages "
    "that are allowed.",
    mend="Read maxDepth from the limits of initialize, and count the message itself as level 1. Brackets "
    "inside strings do not count.",
)
def deepest(plugin: PluginSubject) -> None:
    """A body as deep as maxDepth is read.

    Sent: limits with maxDepth 16, 128 and 512 in initialize; then ping with arrays or objects in its params so that
    the body has just that depth.
    Expected: each ping is answered.
    """
    for limit in (16, 128, 512):
        bodies = Bodies(plugin, limits=LIMITS | {"maxDepth": limit})
        for kind in _NESTED:
            with plugin.checks(f"{kind}-{limit}"):
                bodies.expect_taken(_deep(kind, limit), "MSG-24")


@plugin_case(
    "json/too-deep",
    "MSG-24",
    "MSG-26",
    why="A parser that calls itself for each level dies of a body that anyone can send: the whole process, "
    "not one request.",
    mend="Count open brackets outside of strings before, or while, the body is parsed, and refuse at maxDepth + 1. "
    + _REFUSED,
)
def too_deep(plugin: PluginSubject) -> None:
    """A body deeper than maxDepth is refused.

    Sent: limits with maxDepth 16 and 128 in initialize; then ping with one level more than that, in arrays and in
    objects, and in an unknown member.
    Expected: for each, ParseError (-32700) with id null, and the ping that follows is answered.
    """
    for limit in (16, 128):
        bodies = Bodies(plugin, limits=LIMITS | {"maxDepth": limit})
        for kind in _NESTED:
            with plugin.checks(f"{kind}-{limit + 1}"):
                bodies.expect_parse_error(_deep(kind, limit + 1), "MSG-24")


@plugin_case(
    "json/far-too-deep",
    "MSG-24",
    "FRM-11",
    "MSG-26",
    why="A hundred thousand brackets are 100 kB. Whoever gets one to a parser without a bound ends the process.",
    mend="Refuse while counting, before anything calls itself for each level. " + _REFUSED,
)
def far_too_deep(plugin: PluginSubject) -> None:
    """A body with a hundred thousand levels is refused and does no harm.

    Sent: as many opened arrays or objects, closed and unclosed, alone and in the params of a ping.
    Expected: for each, ParseError (-32700) with id null, and the ping that follows is answered.
    """
    bodies = Bodies(plugin)
    for kind in _NESTED:
        with plugin.checks(kind):
            bodies.expect_parse_error(_deep(kind, 100_000), "MSG-24")
        with plugin.checks(f"{kind}-unclosed"):
            bodies.expect_parse_error(_NESTED[kind][0].encode() * 100_000, "MSG-24")


#: Opening and closing text of one level.
_NESTED = {"arrays": ("[", "]"), "objects": ('{"a":', "}")}


def _deep(kind: str, levels: int) -> bytes:
    """A ping whose params make its body just so deep; the message is level 1 and its params level 2."""
    before, after = _NESTED[kind]
    inner = levels - 2
    value = before * inner + ("0" if kind == "objects" else "") + after * inner
    return b'{"jsonrpc":"2.0","id":"sample","method":"ping","params":{"value":%b}}' % value.encode()
