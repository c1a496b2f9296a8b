"""What holds for every request and its answer (MSG-12 to MSG-14, MSG-17, MSG-18)."""

from collections import Counter
from collections.abc import Iterator

from ..case import Broken
from ..connection import Connection, show
from . import Oracle
from .exchange import Key, answers, is_plain_response, key, readable


def _own_ids(connection: Connection) -> Iterator[Broken]:
    if not readable(connection):
        return
    for message, asked in answers(connection):
        found = key(message.id)
        if message.id is None or asked.open[found] or found in asked.answered:
            continue
        plain = str(message.id)
        near = next((one for one, open in asked.open.items() if open and one[1].strip("'\"") == plain), None)
        yield Broken(
            "an answer with the id of no request",
            expected="the id of a request that is in flight, of the same type and value",
            got=show(message),
            requirement="MSG-12" if near else "MSG-13",
        )


def _once(connection: Connection) -> Iterator[Broken]:
    if not readable(connection):
        return
    for message, asked in answers(connection):
        found = key(message.id)
        if message.id is not None and not asked.open[found] and found in asked.answered:
            yield Broken("a second answer to one request", expected="one answer to each request", got=show(message))


def _unasked(connection: Connection) -> Iterator[Broken]:
    if not readable(connection):
        return
    nulls = 0
    for message, asked in answers(connection):
        nulls += message.id is None
        # A request that got no answer with its id may have been answered so.
        if message.id is None and nulls > asked.doubtful + asked.open.total():
            yield Broken(
                "an answer to what is not answered",
                expected="no answer to a notification or a response",
                got=show(message),
            )


def _fresh(connection: Connection) -> Iterator[Broken]:
    open: Counter[Key] = Counter()
    for from_subject, message in connection.history:
        if from_subject and message.is_request:
            open[key(message.id)] += 1
            if open[key(message.id)] > 1:
                yield Broken("an id that is in flight already", expected="an id that is free", got=show(message))
        elif not from_subject and is_plain_response(message):
            open[key(message.id)] = 0


ANSWERS = [
    Oracle(
        "everywhere/ids-of-answers",
        ("MSG-13", "MSG-12"),
        "Every answer carries the id of its request",
        why='A caller that sent 1 and gets "1" waits for ever.',
        mend="Keep the id as it came, with its JSON type, and send it back so.",
        judge=_own_ids,
    ),
    Oracle(
        "everywhere/one-answer",
        ("MSG-17",),
        "No request is answered twice",
        why="A second answer may be taken for that of a later request with the same id.",
        mend="Let the first answer of a request, be it a result, an error or a cancel, be its last.",
        judge=_once,
    ),
    Oracle(
        "everywhere/nothing-unasked",
        ("MSG-18",),
        "No notification is answered",
        why="Two peers that answer notifications and errors answer each other for ever.",
        mend="Send nothing back for a message without id, whether or not its method is known.",
        judge=_unasked,
    ),
    Oracle(
        "everywhere/fresh-ids",
        ("MSG-14",),
        "No id is used again while a request with it is in flight",
        why="The answers of two such requests cannot be told apart.",
        mend="Count ids up for each connection.",
        judge=_fresh,
    ),
]
