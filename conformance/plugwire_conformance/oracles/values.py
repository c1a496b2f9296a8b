"""What a plugin says in its params and its errors, measured by the types of the protocol."""

from collections.abc import Iterator

from ..case import Broken
from ..connection import Connection, show
from ..plugins.talk import Talk
from ..report import Level, Role
from ..wire.codes import NOT_INITIALIZED, REQUEST_CANCELLED
from ..wire.messages import Message
from . import Oracle
from .exchange import Key, is_request, key
from .shapes import CODES, METHODS, misfit

#: Fixture methods that send what the suite told them to.
_AS_TOLD = ("conformance/error", "conformance/call", "conformance/notify")
#: Codes that the protocol keeps for itself, and those that no plugin's own code should come from.
_KEPT = range(-32029, -32009)
_RESERVED = (range(-32768, -31999), range(-32899, -32799))


def _types(connection: Connection) -> Iterator[Broken]:
    if any(not from_subject and message.method in _AS_TOLD for from_subject, message in connection.history):
        return
    for request, message in _said(connection):
        known = None if request else METHODS.get(message.method)
        problem = misfit(known.params, message.params) if known else ""
        if known and problem:
            yield Broken(f"the params of {message.method} are not of their type", expected=known.params, got=problem)


def _error_data(connection: Connection) -> Iterator[Broken]:
    for request, message in _said(connection):
        error = message.member("error")
        if not request or request.method in _AS_TOLD or not isinstance(error, dict) or "data" not in error:
            continue
        definition = CODES.get(error["code"], "") if isinstance(error.get("code"), int) else ""
        problem = misfit(definition, error["data"]) if definition else ""
        if problem:
            yield Broken(f"the data of {error['code']} is not of its type", expected=definition, got=problem)


def _kept_codes(connection: Connection) -> Iterator[Broken]:
    cancels = _were_cancelled(connection)
    for request, message in _said(connection):
        code = message.error_code
        if not request or request.method in _AS_TOLD or not isinstance(code, int):
            continue
        wrong = ""
        if code in _KEPT and code not in CODES:
            wrong = "the code has no meaning yet"
        elif code == REQUEST_CANCELLED and not cancels and is_request(request):
            wrong = "nobody has cancelled the request"
        elif code == NOT_INITIALIZED and _all_ready(connection):
            wrong = "the connection was ready"
        if wrong:
            yield Broken(f"the code {code} with another meaning: {wrong}", expected="another code", got=show(message))


def _own_codes(connection: Connection) -> Iterator[Broken]:
    for request, message in _said(connection):
        code = message.error_code
        if not request or request.method in _AS_TOLD or not isinstance(code, int) or code in CODES or code in _KEPT:
            continue
        if code <= 0:
            where = "in a reserved range" if any(code in kept for kept in _RESERVED) else "not positive"
            yield Broken(
                f"a code of the plugin's own that is {where}", expected="a positive integer", got=show(message)
            )


def _said(connection: Connection) -> Iterator[tuple[Message | None, Message]]:
    """Each response of the subject with its request, and each other message with None."""
    requests: dict[Key, Message] = {}
    for from_subject, message in connection.history:
        if not from_subject and message.is_request:
            requests[key(message.id)] = message
        elif from_subject and message.method:
            yield None, message
        elif from_subject and message.is_response and key(message.id) in requests:
            yield requests[key(message.id)], message


def _were_cancelled(connection: Connection) -> bool:
    """A cancel or an end of ours may have ended requests."""
    if isinstance(connection, Talk) and connection.process.stdin.finished:
        return True
    return any(
        not from_subject and message.method in ("$/cancelRequest", "shutdown", "exit")
        for from_subject, message in connection.history
    )


def _all_ready(connection: Connection) -> bool:
    """Nothing was asked but between initialize, initialized and shutdown."""
    methods = [message.method for from_subject, message in connection.history if not from_subject]
    return methods[:2] == ["initialize", "initialized"] and "shutdown" not in methods


VALUES = [
    Oracle(
        "everywhere/types-of-params",
        ("MSG-03",),
        "The params of what a plugin sends are of the types of the spec",
        why="A host that checks what it gets refuses the message.",
        mend="Compare the named member with the table of the method in the spec.",
        judge=_types,
        roles=(Role.PLUGIN,),
    ),
    Oracle(
        "everywhere/error-data",
        ("ERR-05",),
        "The data of an error is of the type that its code has",
        why="Callers read the data by program, and get nothing out of another shape.",
        mend="Fill data as the table of codes says, or leave it out.",
        judge=_error_data,
        roles=(Role.PLUGIN,),
        level=Level.SHOULD,
    ),
    Oracle(
        "everywhere/codes-of-the-protocol",
        ("ERR-01",),
        "A plugin uses the protocol's codes in their meaning",
        why="Hosts act on these codes: they retry, give up or tell people, each time for the wrong reason.",
        mend="Use a positive code of your own where none of the table fits.",
        judge=_kept_codes,
        roles=(Role.PLUGIN,),
    ),
    Oracle(
        "everywhere/own-codes",
        ("ERR-02",),
        "A plugin's own codes are positive",
        why="Reserved codes may get a meaning in a later version, and callers would then misread yours.",
        mend="Number your own errors from 1 on.",
        judge=_own_codes,
        roles=(Role.PLUGIN,),
        level=Level.SHOULD,
    ),
]
