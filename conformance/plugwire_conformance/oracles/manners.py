"""What a plugin may send at all, and when: before it is ready, without a capability of the host, progress, parents."""

from collections import Counter
from collections.abc import Iterator

from ..case import Broken
from ..connection import Connection, show
from ..report import Role
from ..wire.messages import Json, Message
from . import Oracle
from .exchange import Key, is_request, key
from .shapes import METHODS


def _quiet(connection: Connection) -> Iterator[Broken]:
    for from_subject, message in connection.history:
        if not from_subject and message.method == "initialized":
            return
        if from_subject and message.method and message.method != "log/write":
            yield Broken(
                "a message before initialized",
                expected="nothing but log/write and answers",
                got=show(message),
            )


def _declared(connection: Connection) -> Iterator[Broken]:
    declared = _capabilities(connection)
    for from_subject, message in connection.history:
        if not from_subject or not message.method:
            continue
        known = METHODS.get(message.method)
        gate = known.gate if known else ""
        if not gate and message.has("meta"):
            gate = "meta"
        if gate and gate not in declared:
            yield Broken(
                "a feature that the host has not declared",
                expected=f"none of {gate}, which our initialize does not declare",
                got=show(message),
            )


def _capabilities(connection: Connection) -> set[str]:
    """What any initialize of ours has declared."""
    found: set[str] = set()
    for from_subject, message in connection.history:
        if not from_subject and message.method == "initialize" and isinstance(message.params, dict):
            capabilities = message.params.get("capabilities")
            if isinstance(capabilities, dict):
                found |= {name for name, value in capabilities.items() if value is not False}
    return found


def _parents(connection: Connection) -> Iterator[Broken]:
    open: Counter[Key] = Counter()
    for from_subject, message in connection.history:
        if not from_subject and is_request(message):
            open[key(message.id)] += 1
        elif from_subject and message.is_response:
            open[key(message.id)] -= 1
        elif from_subject and "parent" in _meta(message) and open[key(_meta(message)["parent"])] <= 0:
            yield Broken(
                "a parent that is no request in flight",
                expected="the id of the request that the plugin was serving, with its type",
                got=show(message),
            )


def _progress(connection: Connection, rule: str) -> Iterator[Broken]:
    """Progress with a token of no request in flight: of one that was answered it breaks CAL-26, else CAL-25."""
    tokens: dict[Key, Key] = {}
    past: set[Key] = set()
    for from_subject, message in connection.history:
        if not from_subject and is_request(message) and "progress" in _meta(message):
            tokens[key(_meta(message)["progress"])] = key(message.id)
        elif from_subject and message.is_response:
            past |= {token for token, id in tokens.items() if id == key(message.id)}
        elif from_subject and message.method == "$/progress":
            params = message.params
            token = key(params.get("token") if isinstance(params, dict) else None)
            broken = "CAL-26" if token in past else "" if token in tokens else "CAL-25"
            if broken == rule:
                yield Broken(
                    "progress with a token of no request in flight", expected=_EXPECTED[rule], got=show(message)
                )


def _tokens(connection: Connection) -> Iterator[Broken]:
    yield from _progress(connection, "CAL-25")


def _ends(connection: Connection) -> Iterator[Broken]:
    yield from _progress(connection, "CAL-26")


def _meta(message: Message) -> dict[str, Json]:
    meta = message.member("meta")
    return meta if isinstance(meta, dict) else {}


_EXPECTED = {
    "CAL-25": "a token that came with a request, with its type",
    "CAL-26": "no progress once the request was answered",
}

MANNERS = [
    Oracle(
        "everywhere/quiet-until-ready",
        ("LIF-09",),
        "Before initialized a plugin sends nothing but answers and log/write",
        why="A host that is not ready for a plugin refuses its requests or gives it up.",
        mend="Wait for initialized before the first request or notification.",
        judge=_quiet,
        roles=(Role.PLUGIN,),
    ),
    Oracle(
        "everywhere/only-declared",
        ("LIF-12",),
        "A plugin uses nothing that the host has not declared",
        why="An older or smaller host answers with errors, or never.",
        mend="Look into capabilities of initialize first, and do without what is not there.",
        judge=_declared,
        roles=(Role.PLUGIN,),
    ),
    Oracle(
        "everywhere/true-parents",
        ("CAL-17",),
        "A parent is always a request in flight",
        why="The host cancels along parents and passes deadlines on; with a wrong one it ends the wrong calls.",
        mend="Set parent to the id of the request that the handler is serving, as it came; leave it out elsewhere.",
        judge=_parents,
        roles=(Role.PLUGIN,),
    ),
    Oracle(
        "everywhere/progress-tokens",
        ("CAL-25",),
        "Progress carries a token that came with a request",
        why="With another token the progress belongs to nobody, or to somebody else.",
        mend="Send progress only for a request with meta.progress, with that token as it came.",
        judge=_tokens,
        roles=(Role.PLUGIN,),
    ),
    Oracle(
        "everywhere/progress-ends",
        ("CAL-26",),
        "No progress comes after the answer",
        why="The caller has forgotten the token, or has given it to another request.",
        mend="Stop the reporting before the answer is sent.",
        judge=_ends,
        roles=(Role.PLUGIN,),
    ),
]
