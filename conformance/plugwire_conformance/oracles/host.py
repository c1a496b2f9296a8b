"""What holds for every host in every conversation: the order of the opening, ids, concurrency, meta, types."""

from collections.abc import Iterator

from ..case import Broken
from ..connection import Connection, show
from ..report import Role
from ..wire.messages import Json, Message, same_id
from . import Oracle
from .exchange import Key, key, readable
from .shapes import METHODS, misfit

_BEFORE_THE_ANSWER = ("ping", "exit", "$/cancelRequest")
#: These are no work of the plugin's own, and may come at any time.
_NO_WORK = ("initialize", "ping", "shutdown")
_LARGEST_ID = (1 << 31) - 1
#: What a host passes on of somebody else's making.
_FORWARDED = ("$/progress",)


def _opening(connection: Connection) -> Iterator[Broken]:
    opened = answered = False
    for from_subject, message in connection.history:
        if not from_subject:
            answered = answered or (opened and message.is_response)
        elif message.method == "initialize":
            opened = True
        elif message.method and not answered and (not opened or message.method not in _BEFORE_THE_ANSWER):
            yield Broken(
                "a message before the answer to initialize",
                expected="initialize first, and until it is answered nothing but ping and exit",
                got=show(message),
            )


def _initialized(connection: Connection) -> Iterator[Broken]:
    for from_subject, message in connection.history:
        if from_subject and message.method == "initialized":
            return
        if from_subject and message.is_request and message.method not in _NO_WORK:
            yield Broken("a request before initialized", expected="initialized first", got=show(message))


def _ids(connection: Connection) -> Iterator[Broken]:
    for from_subject, message in connection.history:
        id = message.id
        if from_subject and message.is_request and not (type(id) is int and 1 <= id <= _LARGEST_ID):
            yield Broken("an id of another kind", expected="an integer from 1 to 2^31−1", got=show(message))


def _answer(connection: Connection) -> dict[str, Json]:
    """Our result of `initialize`; empty where there is none."""
    asked: Json = None
    for from_subject, message in connection.history:
        if from_subject and message.method == "initialize":
            asked = message.id
        elif not from_subject and message.has("result") and same_id(message.id, asked):
            return message.result if isinstance(message.result, dict) else {}
    return {}


def _capabilities(connection: Connection) -> dict[str, Json]:
    found = _answer(connection).get("capabilities")
    return found if isinstance(found, dict) else {}


def _concurrency(connection: Connection) -> Iterator[Broken]:
    limit = _capabilities(connection).get("concurrency", 1)
    if not readable(connection) or type(limit) is not int:
        return
    open: set[Key] = set()
    for from_subject, message in connection.history:
        if not from_subject:
            # A body without method that has the id of a call ends it, however bad it is.
            open -= {key(message.id)} if not message.method else set()
        elif message.is_request and message.method not in _NO_WORK:
            open.add(key(message.id))
            if len(open) > limit:
                yield Broken(
                    "more requests open than the plugin works on at a time",
                    expected=f"at most {limit} at a time",
                    got=f"{len(open)}, the last one {show(message)}",
                )


def _meta(connection: Connection) -> Iterator[Broken]:
    if _capabilities(connection).get("meta") is True:
        return
    for from_subject, message in connection.history:
        if from_subject and message.method and (message.has("meta") or message.method == "$/progress"):
            yield Broken(
                "meta, or progress, for a plugin that has not declared it",
                expected="neither, unless capabilities.meta is true",
                got=show(message),
            )


def _params(connection: Connection) -> Iterator[Broken]:
    for from_subject, message in connection.history:
        method = METHODS.get(message.method)
        if from_subject and method and message.method not in _FORWARDED:
            problem = misfit(method.params, message.params)
            if problem:
                yield Broken(f"the params of {message.method} do not fit", expected=method.params, got=problem)


def _results(connection: Connection) -> Iterator[Broken]:
    asked: dict[Key, Message] = {}
    for from_subject, message in connection.history:
        if not from_subject and message.is_request:
            asked.setdefault(key(message.id), message)
        elif from_subject and message.has("result"):
            request = asked.pop(key(message.id), None)
            method = METHODS.get(request.method) if request else None
            if request and method and method.result:
                problem = misfit(method.result, message.result)
                if problem:
                    yield Broken(f"the result of {request.method} does not fit", expected=method.result, got=problem)


_HOST = (Role.HOST,)

ORACLES = [
    Oracle(
        "everywhere/initialize-first",
        ("LIF-03",),
        "A host sends initialize first, and nothing but ping and exit before its answer",
        why="A plugin that does not know yet who it talks with has to refuse everything else.",
        mend="Hold back what you have for a plugin until it is ready.",
        judge=_opening,
        roles=_HOST,
    ),
    Oracle(
        "everywhere/initialized-before-requests",
        ("LIF-08",),
        "A host sends initialized before any other request",
        why="A plugin answers a request that comes before it with NotInitialized.",
        mend="Send initialized as soon as you have accepted the answer to initialize.",
        judge=_initialized,
        roles=_HOST,
    ),
    Oracle(
        "everywhere/host-ids",
        ("MSG-16",),
        "The ids of a host are integers from 1 to 2^31−1",
        why="Plugins in languages without larger integers, or that keep ids in 32 bits, can hold these.",
        mend="Count from 1 on each connection.",
        judge=_ids,
        roles=_HOST,
    ),
    Oracle(
        "everywhere/concurrency",
        ("CAL-13",),
        "A plugin has never more requests open than its capabilities.concurrency",
        why="A plugin that works on one thing at a time, which is the usual kind, would have to queue by itself.",
        mend="Count the open requests of each plugin, and let further ones wait; without the capability the limit "
        "is 1.",
        judge=_concurrency,
        roles=_HOST,
    ),
    Oracle(
        "everywhere/meta-declared",
        ("CAL-15", "LIF-12"),
        "Only a plugin that declares capabilities.meta gets meta and progress",
        why="A plugin that knows nothing of meta may refuse a request that has it.",
        mend="Leave meta out, and progress, unless the plugin's answer to initialize declares meta.",
        judge=_meta,
        roles=_HOST,
    ),
    Oracle(
        "everywhere/params-fit",
        ("LIF-03", "MSG-03"),
        "The params of the protocol's own methods are of the types that the spec gives",
        why="A plugin that decodes them into types of its language fails at the first that does not fit.",
        mend="Compare what you send with the tables of the spec, or with protocol.schema.json.",
        judge=_params,
        roles=_HOST,
    ),
    Oracle(
        "everywhere/results-fit",
        ("MSG-05",),
        "The results of the host's own services are of the types that the spec gives",
        why="A plugin that decodes them into types of its language fails at the first that does not fit.",
        mend="Compare what you answer with the tables of the spec, or with protocol.schema.json.",
        judge=_results,
        roles=_HOST,
    ),
]
